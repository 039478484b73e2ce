"""Passers-by of every piece of street: a gravity model from stations, on shortest paths, and how far off it may be.

Who leaves a station goes to a place with a probability in proportion to its attraction and falling with the way there
[huff1963, eq. 2; wilson1971, production-constrained]: P(d) = A(d)·e^(−c/λ) ÷ Σ A·e^(−c/λ). The same people come
back. Everybody takes the shortest way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from twintown.kernels.walks import tree_flows

from .footfall_assumed import drawn
from .footfall_stations import Stations
from .footfall_streets import Streets

if TYPE_CHECKING:
    import geopandas as gpd

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
#: Height of a storey where nothing says it, metres.
_STOREY_M = 3.3
#: Nodes of all trees together that are kept at once (12 bytes each).
_MOST_AT_ONCE = 20_000_000
#: A street with fewer people a day than this has no factor of its own.
_LEAST = 1.0


@dataclass(frozen=True)
class Attraction:
    """Where people go: the node of each destination, the way from it to the door (m), its floor area (m²), and which are landmarks."""

    node: Ints
    access_m: Floats
    area_m2: Floats
    landmark: NDArray[np.bool_]

    def of(self, landmark_m2: float) -> Floats:
        """Attraction of each, m²."""
        return np.where(self.landmark, landmark_m2, self.area_m2)


@dataclass(frozen=True)
class Footfall:
    """People an hour on every piece, both ways, float64[pieces, hours]; the factors to the low and high end of 80 % of the draws."""

    people: Floats
    low: Floats
    high: Floats


def floor_areas(buildings: gpd.GeoDataFrame) -> Floats:
    """Floor area of each building, m²: outline × storeys (stated, or height ÷ height of a storey)."""
    area = np.asarray(buildings.geometry.area.to_numpy(), np.float64)
    height = _numbers(buildings, "height_m", np.nan)
    storey = np.maximum(2.0, _numbers(buildings, "storey_m", _STOREY_M))
    levels = _numbers(buildings, "levels", np.nan)
    found = np.where(levels > 0, levels, np.where(np.isfinite(height), np.maximum(1.0, height / storey), 1.0))
    return np.asarray(area * found, np.float64)


def _numbers(table: gpd.GeoDataFrame, column: str, default: float) -> Floats:
    if column not in table.columns:
        return np.full(len(table), default)
    found = table[column].astype("Float64").to_numpy(np.float64, na_value=np.nan)
    return np.asarray(np.where(np.isfinite(found), found, default), np.float64)


def attraction_of(
    streets: Streets, buildings: gpd.GeoDataFrame | None, landmarks: gpd.GeoDataFrame | None
) -> Attraction:
    """Buildings and landmarks at the nearest nodes of the streets."""
    import shapely

    xy, area, special = [], [], []
    for table, mark in ((buildings, False), (landmarks, True)):
        if table is None or not len(table):
            continue
        drawn_ = table[table.geometry.notna() & ~table.geometry.is_empty]
        xy.append(shapely.get_coordinates(shapely.centroid(drawn_.geometry.to_numpy())))
        area.append(np.zeros(len(drawn_)) if mark else floor_areas(drawn_))
        special.append(np.full(len(drawn_), mark))
    if not xy or not len(streets.nodes):
        return Attraction(np.zeros(0, np.int64), np.zeros(0), np.zeros(0), np.zeros(0, np.bool_))
    node, far = streets.nearest(np.concatenate(xy))
    return Attraction(node, far, np.concatenate(area), np.concatenate(special))


def per_walker(
    streets: Streets,
    trees: tuple[Floats, NDArray[np.int32]],
    attraction: Attraction,
    assumed: Mapping[str, float],
) -> Floats:
    """How many of one station's walkers pass each piece, float64[roots, pieces], by gravity on shortest path trees."""
    distance, before = trees
    cost = distance[:, attraction.node] + attraction.access_m
    weight = attraction.of(assumed["landmark_m2"]) * np.exp(-cost / assumed["decay_m"])  # e^(−∞) = 0
    total = weight.sum(axis=1, keepdims=True)
    share = np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)
    ending = np.zeros_like(distance)
    np.add.at(ending, (np.arange(len(distance))[:, None], attraction.node[None, :]), share)
    flow = tree_flows(before, distance, ending)
    found = np.zeros((len(distance), len(streets.lengths)))
    root, node = np.nonzero((before >= 0) & (flow > 0))
    piece = streets.between(before[root, node].astype(np.int64), node)
    np.add.at(found, (root, piece), flow[root, node])
    return found


def trees_from(streets: Streets, nodes: Ints) -> tuple[Floats, NDArray[np.int32]]:
    """Metres from nodes to all others, and the node before each on the way."""
    from scipy.sparse.csgraph import dijkstra

    distance, before = dijkstra(streets.graph, directed=False, indices=nodes, return_predecessors=True)
    return np.asarray(distance, np.float64), np.asarray(before, np.int32)


def footfall_of(
    streets: Streets, stations: Stations, attraction: Attraction, assumed: Mapping[str, float], day_type: str,
    draws: int = 64, seed: int = 1,
) -> Footfall:  # fmt: skip
    """Passers-by by hour, and the 10 % and 90 % of what the drawn assumptions and the stations' places give, as factors."""
    pieces, count = len(streets.lengths), len(stations.xy)
    people = stations.people(assumed, day_type)
    if not count or not pieces or not len(attraction.node):
        none = np.zeros((pieces, people.shape[1]))
        return Footfall(none, np.ones(pieces), np.ones(pieces))
    rng = np.random.default_rng(seed)
    moved = stations.xy[None] + rng.normal(size=(draws, count, 2)) * (stations.error_m / 2.0)[None, :, None]
    at, _ = streets.nearest(np.concatenate([stations.xy[None], moved]).reshape(-1, 2))
    at = at.reshape(draws + 1, count)
    roots, which = np.unique(at, return_inverse=True)
    which = which.reshape(at.shape)
    # the trees of all draws at once where they fit, else those of each when its turn comes
    trees = trees_from(streets, roots) if len(roots) * len(streets.nodes) <= _MOST_AT_ONCE else None

    def walks(k: int, one: Mapping[str, float]) -> Floats:
        mine = trees_from(streets, at[k]) if trees is None else (trees[0][which[k]], trees[1][which[k]])
        return per_walker(streets, mine, attraction, one)

    central = walks(0, assumed).T @ people
    days = np.zeros((draws, pieces))
    for k, one in enumerate(drawn(assumed, draws, seed)):
        days[k] = stations.people(one, day_type).sum(axis=1) @ walks(k + 1, one)
    day = central.sum(axis=1)
    low, high = np.ones(pieces), np.ones(pieces)
    if draws:
        ten, ninety = np.quantile(days, [0.1, 0.9], axis=0)
        sure = day >= _LEAST
        low[sure] = np.minimum(1.0, ten[sure] / day[sure])
        high[sure] = np.maximum(1.0, ninety[sure] / day[sure])
    return Footfall(central, low, high)
