"""Aggregate: persons become groups of at least k. By place in squares that are halved only where every part keeps k, or by columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from twintown.ground.errors import BadParameter
from twintown.ground.features import Features
from twintown.twin.layers import Shape

from .anonymity import classes, coded, numbers
from .content import OfShape
from .matter import Matter
from .remedy_withhold import said_k
from .rules_personal import Persons, persons_in

#: The smallest square that is told, metres.
FINEST_M = 100.0


def aggregate(matter: Matter, shape: Shape, said: Mapping[str, Any]) -> tuple[Shape, Mapping[str, Any]]:
    """Groups of persons. Raises BadParameter."""
    if not isinstance(shape, Features):
        raise BadParameter("remedy", "cells are no persons", remedy="coarsen it")
    k = said_k(said)
    content = OfShape(matter.parts[0].layer, shape)
    persons = persons_in(matter.rules, content)
    weights = np.ones(len(shape))
    if persons.counts:
        weights = np.nan_to_num(numbers(content.table(persons.counts[:1]).column(persons.counts[0])))
    if "by" in said or shape.bounds is None:
        return _by_columns(shape, persons, weights, said, k)
    return _by_place(shape, weights, said, k)


def _by_place(
    shape: Features, weights: NDArray[np.float64], said: Mapping[str, Any], k: int
) -> tuple[Features, Mapping[str, Any]]:
    finest = said.get("finest_m", FINEST_M)
    if isinstance(finest, bool) or not isinstance(finest, int | float) or not 1 <= finest <= 100_000:
        raise BadParameter("finest_m", f"{finest!r} is no size", remedy="write metres, 1 or more")
    middles = shapely.centroid(shape.table.geometry.to_numpy())
    there = ~(shapely.is_missing(middles) | shapely.is_empty(middles))
    x, y = shapely.get_x(middles[there]), shapely.get_y(middles[there])
    squares = halved(x, y, weights[there], k, float(finest))
    if not len(squares):
        raise BadParameter("k", f"there are fewer than {k} persons in all", remedy="do not release it")
    cells = shapely.box(
        squares[:, 0], squares[:, 1], squares[:, 0] + squares[:, 2], squares[:, 1] + squares[:, 2]
    )
    ids = [f"square/{size:g}/{west:.0f}/{south:.0f}" for west, south, size, _ in squares]
    made = _features(
        shape, {"id": ids, "persons": squares[:, 3].astype(np.int64)}, cells, {"persons": "{person}"}
    )
    return made, {
        "k": k, "rows_before": len(shape), "rows_after": len(made), "persons": int(squares[:, 3].sum()),
        "k_after": int(squares[:, 3].min()), "smallest_m": float(squares[:, 2].min()), "largest_m": float(squares[:, 2].max()),
    }  # fmt: skip


def halved(
    x: NDArray[np.float64], y: NDArray[np.float64], weights: NDArray[np.float64], k: float, finest: float
) -> NDArray[np.float64]:
    """Squares [west, south, side, persons] on multiples of their sides: each has at least `k`, and none is lost.

    A square is cut in four while each part in which anybody is keeps `k`; empty squares are not told. None where there are fewer than
    k in all.
    """
    if weights.sum() < k:
        return np.empty((0, 4))
    size = finest
    while _apart(x, size) or _apart(y, size):
        size *= 2
        if size > 1e8:  # on two sides of an axis: no square on multiples holds both
            break
    out: list[NDArray[np.float64]] = []
    _, of = np.unique(np.column_stack([np.floor(x / size), np.floor(y / size)]), axis=0, return_inverse=True)
    of = of.reshape(-1)
    while len(x):
        half = size / 2
        quarter = of * 4 + (np.floor(x / half) % 2 * 2 + np.floor(y / half) % 2).astype(np.int64)
        sums = np.bincount(quarter, weights, (int(of.max()) + 1) * 4).reshape(-1, 4)
        cut = ((sums == 0) | (sums >= k)).all(axis=1) & (half >= finest)
        stays = ~cut[of]
        first = np.unique(of[stays], return_index=True)[1]
        west, south = (np.floor(side[stays][first] / size) * size for side in (x, y))
        told = np.bincount(of[stays], weights[stays], len(cut))[of[stays][first]]
        out.append(np.column_stack([west, south, np.full(len(first), size), told]))
        x, y, weights = x[~stays], y[~stays], weights[~stays]
        of, size = np.unique(quarter[~stays], return_inverse=True)[1].reshape(-1), half
    found = np.concatenate(out)
    found = found[found[:, 3] > 0]
    return found[np.lexsort((found[:, 1], found[:, 0]))]


def _apart(values: NDArray[np.float64], size: float) -> bool:
    return bool(np.floor(values.min() / size) != np.floor(values.max() / size))


def _by_columns(
    shape: Features, persons: Persons, weights: NDArray[np.float64], said: Mapping[str, Any], k: int
) -> tuple[Features, Mapping[str, Any]]:  # fmt: skip
    content = OfShape("", shape)
    by = [str(one) for one in said.get("by", ())] or list(persons.quasi) or _texts(content, persons.counts)
    if strange := [one for one in by if one not in content.units]:
        raise BadParameter(
            "by", f"there is no column {strange[0][:60]!r}", remedy=f"it has {', '.join(content.units)}"
        )
    table = content.table(by)
    while True:
        found = classes(table, by)
        sums = np.bincount(found.of, weights, len(found.size))
        if (sums[sums > 0] >= k).all() or not by:
            break
        by.remove(max(by, key=lambda name: len(np.unique(coded(table.column(name))))))
    if sums.sum() < k:
        raise BadParameter("k", f"there are fewer than {k} persons in all", remedy="do not release it")
    kept = np.flatnonzero(sums > 0)
    first = np.unique(found.of, return_index=True)[1][kept]
    told = {name: table.column(name).take(pa.array(first)).to_pylist() for name in by}
    ids = [f"group/{n}" for n in range(len(kept))]
    made = _features(
        shape, {"id": ids, **told, "persons": sums[kept].astype(np.int64)}, None, {"persons": "{person}"}
    )
    return made, {
        "k": k, "by": by, "rows_before": len(shape), "rows_after": len(made), "persons": int(sums.sum()), "k_after": int(sums[kept].min()),
    }  # fmt: skip


def _texts(content: OfShape, counts: Sequence[str]) -> list[str]:
    table = content.table([name for name in content.units if name not in counts])
    return [
        name
        for name in table.column_names
        if name != "id" and len(np.unique(coded(table.column(name)))) < table.num_rows
    ]


def _features(shape: Features, table: Mapping[str, Any], drawn: Any, units: Mapping[str, str]) -> Features:
    import geopandas as gpd

    count = len(table["id"])
    geometry: gpd.GeoSeries = gpd.GeoSeries([None] * count if drawn is None else drawn, crs=shape.frame.crs)
    return Features(
        gpd.GeoDataFrame(dict(table), geometry=geometry, crs=shape.frame.crs),
        shape.frame,
        shape.provenance,
        units,
    )
