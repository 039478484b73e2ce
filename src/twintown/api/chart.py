"""A column over time as the path of a small picture (SVG), drawn on the server: no script, no library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twintown.api.readable import number

LEFT, RIGHT, TOP, BOTTOM = 46.0, 516.0, 8.0, 164.0  # of the drawing, in its own units
POINTS = 470  # no more than one low and one high value a unit of width


def chart(times: Sequence[str], column: Mapping[str, Any]) -> dict[str, Any] | None:
    """The picture of one column, nothing where it holds no numbers.

    Args:
        times: ISO 8601, one for each value, in order.
        column: `values`, numbers or null.

    Returns:
        `path` (SVG), `low`, `high`, `ticks` (at, text) and `times` (at, text, anchor).
    """
    values = _numbers(column.get("values", []))
    known = np.isfinite(values)
    if len(values) < 2 or not known.any():
        return None
    low, high = float(values[known].min()), float(values[known].max())
    ticks = _ticks(low, high)
    bottom, top = min(low, ticks[0]), max(high, ticks[-1])
    at, drawn = _thinned(values)
    x = LEFT + (RIGHT - LEFT) * at / (len(values) - 1)
    y = BOTTOM - (BOTTOM - TOP) * (drawn - bottom) / (top - bottom or 1.0)
    return {
        "path": _path(x, y),
        "low": low,
        "high": high,
        "ticks": [
            {"at": round(BOTTOM - (BOTTOM - TOP) * (t - bottom) / (top - bottom or 1.0), 1), "text": number(float(t))} for t in ticks
        ],
        "times": _times(times),
    }  # fmt: skip


def _numbers(values: Sequence[Any]) -> NDArray[np.float64]:
    try:
        return np.asarray(values, object).astype(np.float64)
    except (TypeError, ValueError):
        return np.full(len(values), np.nan)


def _thinned(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Positions and values that look the same at this width: of each slice the lowest and the highest, in order."""
    count = len(values)
    if count <= 2 * POINTS:
        return np.arange(count, dtype=np.float64), values
    edges = np.linspace(0, count, POINTS + 1).astype(int)
    starts = edges[:-1]
    low, high = np.where(np.isfinite(values), values, np.inf), np.where(np.isfinite(values), values, -np.inf)
    least, most = np.minimum.reduceat(low, starts), np.maximum.reduceat(high, starts)
    both = np.column_stack([least, most])
    both[~np.isfinite(both)] = np.nan
    rising = values[starts] <= values[np.minimum(edges[1:], count - 1)]
    both[~rising] = both[~rising][:, ::-1]
    return np.repeat((starts + edges[1:] - 1) / 2.0, 2), both.ravel()


def _path(x: NDArray[np.float64], y: NDArray[np.float64]) -> str:
    """`M` where a known value follows an unknown one, `L` to the next known one."""
    known = np.isfinite(y)
    pen = np.where(known & ~np.concatenate([[False], known[:-1]]), "M", "L")
    kept = zip(pen[known], np.round(x[known], 1), np.round(y[known], 1), strict=True)
    return "".join(f"{verb}{across:g} {down:g}" for verb, across, down in kept)


def _ticks(low: float, high: float) -> NDArray[np.float64]:
    """Three to six round numbers that hold all values."""
    span = (high - low) or abs(high) or 1.0
    step = 10.0 ** np.floor(np.log10(span / 4))
    step *= next(factor for factor in (1, 2, 5, 10) if span / (step * factor) <= 5)
    return np.asarray(np.arange(np.floor(low / step), np.ceil(high / step) + 0.5) * step, np.float64)


def _times(times: Sequence[str]) -> list[dict[str, Any]]:
    """The first, the middle and the last instant; a day where the span is longer than two."""
    days = len({time[:10] for time in (times[0], times[len(times) // 2], times[-1])}) > 1
    shown = (
        (0, LEFT, "start"),
        (len(times) // 2, (LEFT + RIGHT) / 2, "middle"),
        (len(times) - 1, RIGHT, "end"),
    )
    return [
        {"at": at, "text": times[i][:10] if days else times[i][11:16], "anchor": anchor}
        for i, at, anchor in shown
    ]
