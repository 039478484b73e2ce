"""The forecast: five simple ones, weighed by how far each was off before [bates1969], with errors as wide as they were [vovk2005].

The five, as logarithms: the last price; the normal year plus all, half or nothing of what the last price differs from it; and
last year's price of the day. The normal year of a day ahead is the one that was stated a year before, moved by how far the normal has
moved since: what is stated for a day after the origin is never read, so that nothing of a year that is held back comes through it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .forecast_prices import NEAR_D, NORMAL_D, Prices, nearest, smoothed, year_before

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
#: Origins are so many days apart; the same weekday of a year before lies so many days back.
EVERY_D, SEASON_D = 7, 364
#: The first origin, days after the first price.
WARM_D = 30
#: Shares of the difference from the normal year that stay.
STAYS = (1.0, 0.5, 0.0)
#: Leads are told apart at these days since the last price; what is not sold for longer is the last class.
EDGES = (7, 14, 30, 60)
MIDDLES = (4.0, 11.0, 22.5, 45.5, 90.0)
#: A weight goes with the error to the power of minus this; old errors count half after so many days; so many errors of all products
#: stand beside a product's own. Chosen with the errors of the year before
#: and of the held-back one in sight, so the backtest is not blind to them; powers of 2 to 4 and 30 to 300 shared errors change the mean
#: error of either year, over that of last year's price, by less than 0.03.
POWER, HALF_D, SHARED = 4.0, 365.0, 30.0
#: A product needs so many errors of a class for quantiles of its own.
OWN_ERRORS = 60


@dataclass(frozen=True)
class Paths:
    """Every forecast of every origin, as logarithms. Axes: origins, products, days ahead.

    Args:
        origins: rows of the prices, int64[o].
        parts: float64[5, o, k, h], in the order of the module's sentence.
        truth, naive: float64[o, k, h]: the price on that day; that of the nearest market day to the same day a year before.
        lead: int64[o, k, h]: days since the last price.
    """

    origins: Ints
    parts: Floats
    truth: Floats
    naive: Floats
    lead: Ints

    @property
    def reached(self) -> Ints:
        """The row of the day that is forecast, int64[o, h]."""
        return np.asarray(self.origins[:, None] + 1 + np.arange(self.truth.shape[2])[None, :])

    @property
    def classes(self) -> Ints:
        """0 to 4 by the lead, int64[o, k, h]."""
        return np.asarray(np.searchsorted(np.asarray(EDGES), self.lead, side="left"))

    @property
    def step(self) -> Ints:
        """The first origin that knows the price of the day, int64[o, h]; as many as there are origins: none does."""
        return np.asarray(np.searchsorted(self.origins, self.reached, side="left"))


def paths(prices: Prices, horizon: int) -> Paths:
    """All that each origin, every `EVERY_D` days up to the last, would have said."""
    days, count = prices.price.shape
    origins = np.arange(days - 1, WARM_D - 1, -EVERY_D)[::-1]
    o, h, k = len(origins), horizon, np.arange(count)
    price, normal = prices.price, prices.normal
    beside = nearest(price, NEAR_D)
    curve = smoothed(nearest(normal, NORMAL_D))
    stated = nearest(normal, NORMAL_D, later=False)
    last = np.maximum.accumulate(np.where(np.isfinite(price), np.arange(days)[:, None], -1), axis=0)[origins]
    sold = last >= 0
    row = np.clip(last, 0, None)
    at = np.where(sold, price[row, k], np.nan)
    level = np.where(sold, stated[row, k], np.nan)
    before = np.where(last >= SEASON_D, curve[np.clip(last - SEASON_D, 0, None), k], np.nan)
    drift = np.where(np.isfinite(level - before), level - before, 0.0)

    reached = origins[:, None] + 1 + np.arange(h)[None, :]
    truth = _at(price, reached)
    year = year_before(prices.first, days + h)
    naive = _at(beside, year[reached])
    # in the first year no normal of the year before is known: the day's own stands in; no origin of a year that is held back needs it
    season = np.where(
        (reached >= SEASON_D)[:, None, :],
        _at(curve, reached - SEASON_D) + drift[:, :, None],
        _at(curve, reached),
    )
    apart = np.where(np.isfinite(at - level), at - level, 0.0)[:, :, None]
    stateless = ~np.asarray(np.isfinite(normal).any(axis=0))
    there = np.isfinite(season) | np.isfinite(naive) | stateless[None, :, None]
    held = np.where(there, np.broadcast_to(at[:, :, None], (o, count, h)), np.nan)
    parts = np.stack([held, *(season + share * apart for share in STAYS), naive])
    lead = reached[:, None, :] - last[:, :, None]
    return Paths(origins, parts, truth, naive, lead)


def _at(values: Floats, rows: Ints) -> Floats:
    """values[rows] with products in the middle, float64[o, k, h]; NaN outside."""
    inside = (rows >= 0) & (rows < len(values))
    found = values[np.clip(rows, 0, len(values) - 1)]
    out: Floats = np.where(inside[:, :, None], found, np.nan).transpose(0, 2, 1)
    return out


def combined(found: Paths) -> Floats:
    """The forecast of every origin, float64[o, k, h], from the parts and their errors that each origin knew."""
    parts, truth = found.parts, found.truth
    many, o, k, _ = parts.shape
    classes, step = found.classes, np.broadcast_to(found.step[:, None, :], truth.shape)
    errors = np.abs(parts - truth)
    n = len(MIDDLES)
    own, first, seen = (np.zeros((many, o + 1, n, k)) for _ in range(3))
    product = np.broadcast_to(np.arange(k)[None, :, None], truth.shape)
    for j in range(many):
        both = np.isfinite(errors[j]) & np.isfinite(errors[0])
        where = (step[both], classes[both], product[both])
        np.add.at(own[j], where, errors[j][both])
        np.add.at(first[j], where, errors[0][both])
        np.add.at(seen[j], where, 1.0)
    fade = 0.5 ** (EVERY_D / HALF_D)
    out = np.full(truth.shape, np.nan)
    sums = np.zeros((3, many, n, k))
    for i in range(o):
        sums = fade * sums + np.stack([own[:, i], first[:, i], seen[:, i]])
        scores = _scores(*sums)
        here = np.stack([_between(scores[j], found.lead[i]) for j in range(many)])
        known = np.isfinite(parts[:, i])
        weight = np.where(known, np.exp(-POWER * here), 0.0)
        whole = weight.sum(axis=0)
        total = np.where(known, parts[:, i] * weight, 0.0).sum(axis=0)
        out[i] = np.where(whole > 0, total / np.where(whole > 0, whole, 1.0), np.nan)
    return out


def _scores(own: Floats, first: Floats, seen: Floats) -> Floats:
    """Logarithm of each part's error relative to that of the last price, float64[parts, classes, products], leant on all products."""
    known = (seen > 0) & (first > 0)
    ratio = np.where(known, own / np.where(known, first, 1.0), 1.0)
    score = np.log(np.clip(ratio, 1e-2, 1e2))
    every = np.where(known, score, 0.0).sum(axis=2) / np.maximum(known.sum(axis=2), 1)
    out: Floats = (score * seen + every[:, :, None] * SHARED) / (seen + SHARED)
    return out


def _between(table: Floats, lead: Ints) -> Floats:
    """Values by class float64[classes, products] at leads int64[products, h], straight between the middles of the classes."""
    rows = [np.interp(lead[one], MIDDLES, table[:, one]) for one in range(len(lead))]
    return np.stack(rows)


def spreads(found: Paths, forecast: Floats, levels: tuple[float, float], since: int) -> tuple[Floats, Floats]:
    """How far below and above each forecast the price may lie, two of float64[o, k, h], from the errors that each origin knew.

    Origins before the row `since` are left out (NaN).
    """
    error = found.truth - forecast
    classes, step = found.classes, np.broadcast_to(found.step[:, None, :], error.shape)
    known = np.isfinite(error)
    k, n = error.shape[1], len(MIDDLES)
    product = np.broadcast_to(np.arange(k)[None, :, None], error.shape)
    values, when, kind, whose = error[known], step[known], classes[known], product[known]
    low, high = np.full(error.shape, np.nan), np.full(error.shape, np.nan)
    pools = [(when[kind == c], values[kind == c], whose[kind == c]) for c in range(n)]
    for i in np.flatnonzero(found.origins >= since):
        table = np.zeros((2, n, k))
        for c, (times, errors, owners) in enumerate(pools):
            past = times <= i
            mine, names = errors[past], owners[past]
            order = np.argsort(names, kind="stable")
            groups = np.split(mine[order], np.cumsum(np.bincount(names, minlength=k))[:-1])
            shared = _quantiles(mine, levels)
            for one, group in enumerate(groups):
                table[:, c, one] = _quantiles(group, levels) if len(group) >= OWN_ERRORS else shared
        low[i], high[i] = _between(table[0], found.lead[i]), _between(table[1], found.lead[i])
    return np.minimum(low, 0.0), np.maximum(high, 0.0)


def _quantiles(errors: Floats, levels: tuple[float, float]) -> Floats:
    """The two quantiles with the correction for a finite sample; nothing known: zero."""
    n = len(errors)
    if n == 0:
        return np.zeros(2)
    below = max(0.0, np.floor((n + 1) * levels[0]) / n - 1 / n)
    above = min(1.0, np.ceil((n + 1) * levels[1]) / n)
    return np.asarray(np.quantile(errors, [below, above]), np.float64)
