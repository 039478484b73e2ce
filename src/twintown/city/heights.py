"""How high, how that is known, and how far it may be off.

Sources, best first:

`measured`   a height is stated, and not just storeys times a round number. Error ± 1 m: values are rounded to a metre, and it is
             not said whether parapet and lift house count.
`levels`     storeys × storey height. Error: 10 % of the product (a storey height is right or wrong for the whole house) and 1 m for
             roof and plinth, in quadrature. A stated height that equals storeys × 3 or × 4 exactly is of this kind too: a mapper's
             rule, not a measurement; the stated number itself is kept.
`estimated`  the median of up to 15 nearest buildings of the same function and like size (a third to three times the footprint) whose
             height is known; failing five of these within 500 m, of any function and like size; failing that, of the 15 in the whole
             city whose size is most alike. Error: half of the range between their 16th and 84th percentile, at least 3 m: one
             standard deviation where the neighbours are normally spread.

All errors are meant as one standard deviation (68 of 100). They are judgements, not a survey; each is written beside its number.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MEASURED_ERROR_M = 1.0
LEVEL_ERROR = 0.10
ESTIMATE_ERROR_M = 3.0
NEIGHBOURS, FEWEST, REACH_M = 15, 5, 500.0
_CHUNK = 2048
#: A storey outside of this (m) is a disagreement between height and levels.
STOREY_RANGE_M = (2.2, 6.0)
#: What stands in for a city in which no height at all is known.
LAST_RESORT_M, LAST_RESORT_ERROR_M = 9.0, 6.0


@dataclass(frozen=True)
class Heights:
    """One value a building, all in metres; `source` is measured, levels or estimated, `storey_source` derived or assumed."""

    height_m: Floats
    source: NDArray[np.object_]
    error_m: Floats
    storey_m: Floats
    storey_source: NDArray[np.object_]


def by_rule(height_m: Floats, levels: Floats) -> NDArray[np.bool_]:
    """bool[n]: the stated height is the number of storeys times 3 m or 4 m exactly."""
    with np.errstate(invalid="ignore"):
        return np.isclose(height_m, 3.0 * levels, atol=1e-6) | np.isclose(height_m, 4.0 * levels, atol=1e-6)


def known_heights(height_m: Floats, levels: Floats, assumed_storey_m: Floats) -> Heights:
    """Heights from what is stated; NaN and an empty source where nothing is.

    Args:
        height_m: stated height of the top, NaN where not.
        levels: storeys from the ground, NaN where not.
        assumed_storey_m: storey height of the building's function.
    """
    n = len(height_m)
    tagged, counted = np.isfinite(height_m), np.isfinite(levels) & (levels > 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(tagged & counted, height_m / levels, np.nan)
    rule = tagged & counted & by_rule(height_m, levels)
    plausible = (ratio >= STOREY_RANGE_M[0]) & (ratio <= STOREY_RANGE_M[1])
    derived = tagged & counted & ~rule & plausible
    storey = np.where(rule | derived, ratio, assumed_storey_m)
    product = np.where(counted, levels * assumed_storey_m, np.nan)
    height = np.where(tagged, height_m, product)
    source = np.full(n, "", object)
    source[tagged] = "measured"
    source[(~tagged & counted) | rule] = "levels"
    error = np.full(n, np.nan)
    error[tagged] = MEASURED_ERROR_M
    levelled = source == "levels"
    error[levelled] = np.hypot(LEVEL_ERROR * height[levelled], 1.0)
    # where height and levels cannot both be right, either may be wrong
    doubtful = tagged & counted & ~rule & ~plausible
    error[doubtful] = np.maximum(MEASURED_ERROR_M, np.abs(height_m - product)[doubtful])
    return Heights(height, source, error, storey, np.where(derived, "derived", "assumed").astype(object))


def estimate(
    where: NDArray[np.bool_],
    height_m: Floats,
    known: NDArray[np.bool_],
    xy: Floats,
    area_m2: Floats,
    function: NDArray[np.object_],
) -> tuple[Floats, Floats]:
    """Heights and errors (m) of the rows in `where` from their neighbours in `known`; see the head of this file.

    Args:
        xy: float64[n, 2], a point of each building, metres.
    """
    targets, donors = np.flatnonzero(where), np.flatnonzero(known)
    values, errors = np.full(len(targets), LAST_RESORT_M), np.full(len(targets), LAST_RESORT_ERROR_M)
    if not len(donors) or not len(targets):
        return values, errors
    by_size = donors[np.argsort(area_m2[donors], kind="stable")]
    sizes = np.log(np.maximum(area_m2[by_size], 1e-6))
    tree = shapely.STRtree(shapely.points(xy[donors]))
    for start in range(0, len(targets), _CHUNK):  # pairs of a dense city would not fit in memory at once
        some = targets[start : start + _CHUNK]
        pairs = tree.query(shapely.points(xy[some]), predicate="dwithin", distance=REACH_M)
        order = np.lexsort((np.hypot(*(xy[some[pairs[0]]] - xy[donors[pairs[1]]]).T), pairs[0]))
        row, other = pairs[0][order], donors[pairs[1][order]]
        ratio = area_m2[some[row]] / np.maximum(area_m2[other], 1e-6)
        like = (ratio > 1 / 3) & (ratio < 3)
        same = like & (function[some[row]] == function[other])
        first = np.searchsorted(row, np.arange(len(some) + 1))
        for i, target in enumerate(some.tolist()):
            near = slice(first[i], first[i + 1])
            found = other[near][same[near]][:NEIGHBOURS]
            if len(found) < FEWEST:
                found = other[near][like[near]][:NEIGHBOURS]
            if len(found) < FEWEST:
                size = np.log(max(area_m2[target], 1e-6))
                low = max(0, int(np.searchsorted(sizes, size)) - NEIGHBOURS)
                alike = np.arange(low, min(low + 2 * NEIGHBOURS, len(sizes)))
                nearest = np.argsort(np.abs(sizes[alike] - size), kind="stable")[:NEIGHBOURS]
                found = by_size[alike[nearest]]
            p16, p50, p84 = np.percentile(height_m[found], [16, 50, 84])
            values[start + i], errors[start + i] = p50, max(ESTIMATE_ERROR_M, (p84 - p16) / 2)
    return values, errors
