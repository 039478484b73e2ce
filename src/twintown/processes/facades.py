"""What the sun meets: solids as curtains and triangles, and facade points in columns, from a city's parts.

Each outer and inner wall of each part is split into equal pieces of at most 6 m; over the middle of a piece stands a column with
one point per storey, at the storey's mid height, 5 cm in front of the wall. Points that lie inside another part below its top
(party walls) do not count; they are kept aside, because lowering that part uncovers them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from twintown.city.roofs import roof_tin
from twintown.ground.features import Features
from twintown.kernels.crossings import Columns, Curtains

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PIECE_M = 6.0
SHORTEST_M = 1.0
OFF_WALL_M = 0.05
PARTY_M = 0.10
STOREY_M = 3.3  # where a building's storey height is not known at all; the city's own assumption comes first
HIGHEST_M = 1000.0
#: Corners of roofs are rounded to 2⁻¹⁴ m: where two planes meet hangs on the machine's sine.
GRAIN = 2.0**14


@dataclass(frozen=True)
class Solids:
    """Parts as the kernels take them, x and y relative to `origin`.

    `owner` int64[parts]: index of the building; `base`, `eave`, `top` float64[parts], metres; `corners` float64[t, 3, 3]: the roofs'
    triangles, with `part` int64[t]; `curtains`: one solid a part, in the same order.
    """

    owner: Ints
    base: Floats
    eave: Floats
    top: Floats
    outlines: NDArray[np.object_]
    corners: Floats
    part: Ints
    curtains: Curtains


@dataclass(frozen=True)
class Walls:
    """Columns of facade points before anything is left out, x and y relative to the same origin.

    `place` float64[n, 4]: x, y, outward normal east, north; `width_m` float64[n]: of the piece of wall that it stands for;
    `part` int64[n]; `storey_m` float64[n]; `cover_first` int64[n + 1] and
    `cover` int64: the parts that the column stands in; `cover_top` float64: how high they are there, metres.
    """

    place: Floats
    width_m: Floats
    part: Ints
    storey_m: Floats
    cover_first: Ints
    cover: Ints
    cover_top: Floats

    def standing(self, solids: Solids, factors: Floats, chosen: Ints) -> tuple[Ints, Ints, Floats]:
        """Which storeys of the chosen columns stand free when building b is `factors[b]` times as high.

        Answers column int64[m], storey number int64[m] (a lattice from the part's base as it is now, negative below it)
        and height float64[m], metres; rising within a column.
        """
        part = self.part[chosen]
        factor = factors[solids.owner[part]]
        storey, base = self.storey_m[chosen], solids.base[part]
        low, high = base * factor, solids.eave[part] * factor
        # mid heights base + (k + ½)·storey that lie in [low, high)
        first = np.ceil((low - base) / storey - 0.5 - 1e-9).astype(np.int64)
        last = np.ceil((high - base) / storey - 0.5 - 1e-9).astype(np.int64)
        count = np.maximum(last - first, 0)
        single = (count == 0) & (high - low > 0.5)  # a part lower than one storey still has one row of points
        count[single] = 1
        column = np.repeat(chosen, count)
        number = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
        z = np.repeat(base, count) + (number + 0.5) * np.repeat(storey, count)
        flat = np.repeat(single, count)
        z[flat] = np.repeat((low + high) / 2, count)[flat]
        free = np.ones(len(z), bool)
        sizes = (self.cover_first[1:] - self.cover_first[:-1])[column]
        if sizes.any():
            row = np.repeat(np.arange(len(z)), sizes)
            slot = (
                np.arange(len(row))
                - np.repeat(np.cumsum(sizes) - sizes, sizes)
                + np.repeat(self.cover_first[:-1][column], sizes)
            )
            other = self.cover[slot]
            grown = factors[solids.owner[other]]
            inside = (solids.base[other] * grown <= z[row]) & (z[row] < self.cover_top[slot] * grown)
            free[row[inside]] = False
        return column[free], number[free], z[free]


def columns_of(walls: Walls, column: Ints, z: Floats) -> tuple[Columns, Ints]:
    """The kernel's columns for points (rising within each column), and the wall columns they came from, int64[n]."""
    used, first = np.unique(column, return_index=True)
    place = walls.place[used]
    place[:, :2] += OFF_WALL_M * place[:, 2:]
    return Columns(
        np.ascontiguousarray(place), np.append(first, len(z)).astype(np.int64), np.ascontiguousarray(z)
    ), used


def _polygons(geometry: object) -> list[shapely.Polygon]:
    return [
        g for g in shapely.get_parts(shapely.force_2d(geometry)) if g.geom_type == "Polygon" and g.area > 0.01
    ]


def _edges(
    vertices: Floats, triangles: NDArray[np.int32]
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Boundary edges (the solid on their left) and creases of a roof."""
    normal: dict[tuple[int, int], Floats] = {}
    for t in triangles:
        a, b, c = vertices[t]
        n = np.cross(b - a, c - a)
        n /= max(1e-12, float(np.linalg.norm(n)))
        for i in range(3):
            normal[int(t[i]), int(t[(i + 1) % 3])] = n
    boundary = [edge for edge in normal if edge[::-1] not in normal]
    creases = [
        e
        for e in normal
        if e[0] < e[1] and e[::-1] in normal and float(normal[e] @ normal[e[::-1]]) < 1 - 1e-9
    ]
    return boundary, creases


def _ring_edges(polygon: shapely.Polygon) -> Floats:
    """Edges float64[n, 4] with the polygon on their left."""
    rings = [shapely.get_coordinates(ring) for ring in (polygon.exterior, *polygon.interiors)]
    edges = []
    for index, ring in enumerate(rings):
        area = float(np.sum(ring[:-1, 0] * ring[1:, 1] - ring[1:, 0] * ring[:-1, 1]))
        if (area < 0) == (index == 0):
            ring = ring[::-1]
        edges.append(np.hstack([ring[:-1], ring[1:]]))
    found: Floats = np.concatenate(edges)
    return found[(found[:, 2] - found[:, 0]) ** 2 + (found[:, 3] - found[:, 1]) ** 2 > 1e-6]


def solids_of(
    parts: Features, owners: Sequence[str], origin: tuple[float, float], convergence_deg: float
) -> Solids:
    """The solids of a city's parts; `owners` are the buildings' ids in their order."""
    table = parts.table
    number = {one: i for i, one in enumerate(owners)}
    columns: dict[str, list[float]] = {"owner": [], "base": [], "eave": [], "top": []}
    outlines: list[shapely.Polygon] = []
    segments: list[Floats] = []
    discs: list[tuple[float, float, float, float]] = []
    corners: list[Floats] = []
    across = table["roof_across"] if "roof_across" in table else pd.Series(False, index=table.index)
    for geometry, building, base, eave, top, shape, direction, turned in zip(
        table.geometry, table["building"], table["base_m"], table["eave_m"], table["top_m"], table["roof_shape"],
        table["roof_direction_deg"].astype(float), across, strict=True,
    ):  # fmt: skip
        if building not in number or not top > base:
            continue
        for polygon in _polygons(geometry):
            polygon = shapely.transform(polygon, lambda xy: xy - np.asarray(origin))
            vertices, triangles = roof_tin(
                polygon, eave, top, shape, direction, convergence_deg, bool(turned)
            )
            if shape == "flat" or top - eave < 1e-6:
                edges = _ring_edges(polygon)
                one_sided = 1.0 if base <= 0.01 else 0.0
                rest = np.tile([top, top, base, one_sided], (len(edges), 1))
                segments.append(np.hstack([edges, rest]))
            else:
                boundary, creases = _edges(vertices, triangles)
                ends = np.array(boundary + creases)
                a, b = vertices[ends[:, 0]], vertices[ends[:, 1]]
                rest = np.column_stack([a[:, 2], b[:, 2], np.full(len(a), base), np.zeros(len(a))])
                segments.append(np.hstack([a[:, :2], b[:, :2], rest]))
            corners.append(np.rint(vertices[triangles] * GRAIN) / GRAIN)
            ring = shapely.get_coordinates(polygon.exterior)
            centre = (ring.min(axis=0) + ring.max(axis=0)) / 2
            discs.append((*centre, float(np.hypot(*(ring - centre).T).max()), float(top)))
            outlines.append(polygon)
            for name, value in (("owner", number[building]), ("base", base), ("eave", eave), ("top", top)):
                columns[name].append(float(value))
    sizes = [len(s) for s in segments]
    curtains = Curtains(
        np.ascontiguousarray(np.concatenate(segments or [np.zeros((0, 8))])),
        np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        np.array(discs, float).reshape(-1, 4),
        np.array(columns["owner"], np.int64),
    )
    return Solids(
        curtains.owner, np.array(columns["base"]), np.array(columns["eave"]), np.array(columns["top"]),
        np.array(outlines, object), np.concatenate(corners or [np.zeros((0, 3, 3))]),
        np.repeat(np.arange(len(corners)), [len(c) for c in corners]).astype(np.int64), curtains,
    )  # fmt: skip


def walls_of(solids: Solids, storeys_m: Floats) -> Walls:
    """The facade columns of all solids; `storeys_m` float64[buildings], NaN where unknown."""
    places: list[Floats] = []
    part: list[Ints] = []
    widths: list[Floats] = []
    for index, outline in enumerate(solids.outlines):
        edges = _ring_edges(outline)
        along = edges[:, 2:] - edges[:, :2]
        length = np.sqrt(along[:, 0] ** 2 + along[:, 1] ** 2)
        keep = length >= SHORTEST_M
        edges, along, length = edges[keep], along[keep], length[keep]
        pieces = np.ceil(length / PIECE_M - 1e-9).astype(np.int64)
        slot = np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)
        share = ((slot + 0.5) / np.repeat(pieces, pieces))[:, None]
        at = np.repeat(edges[:, :2], pieces, axis=0) + share * np.repeat(along, pieces, axis=0)
        out = np.repeat(np.column_stack([along[:, 1], -along[:, 0]]) / length[:, None], pieces, axis=0)
        places.append(np.hstack([at, out]))
        widths.append(np.repeat(length / pieces, pieces))
        part.append(np.full(len(at), index, np.int64))
    place = np.concatenate(places or [np.zeros((0, 4))])
    owner_part = np.concatenate(part or [np.zeros(0, np.int64)])
    storey = np.where(np.isfinite(storeys_m) & (storeys_m > 1.5), storeys_m, STOREY_M)[
        solids.owner[owner_part]
    ]
    tree = shapely.STRtree(solids.outlines)
    probe = shapely.points(place[:, :2] + PARTY_M * place[:, 2:])
    column, other = tree.query(probe, predicate="within")
    keep = other != owner_part[column]
    order = np.lexsort((other[keep], column[keep]))
    column, other = column[keep][order], other[keep][order]
    first = np.searchsorted(column, np.arange(len(place) + 1)).astype(np.int64)
    at = place[column, :2] + PARTY_M * place[column, 2:]
    return Walls(
        place,
        np.concatenate(widths or [np.zeros(0)]),
        owner_part,
        storey.astype(float),
        first,
        other.astype(np.int64),
        _tops(solids, other, at),
    )


def _tops(solids: Solids, part: Ints, at: Floats) -> Floats:
    """Height of each part's roof over a place within its outline, float64[n]."""
    top = solids.top[part].copy()
    first = np.searchsorted(solids.part, np.arange(len(solids.top) + 1))
    for i in np.flatnonzero(solids.eave[part] < solids.top[part]):
        a, b, c = np.moveaxis(solids.corners[first[part[i]] : first[part[i] + 1]], 1, 0)
        area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
        x, y = at[i]
        u = ((b[:, 0] - x) * (c[:, 1] - y) - (b[:, 1] - y) * (c[:, 0] - x)) / area
        v = ((c[:, 0] - x) * (a[:, 1] - y) - (c[:, 1] - y) * (a[:, 0] - x)) / area
        inside = np.argmax(np.minimum(np.minimum(u, v), 1 - u - v))
        top[i] = (
            u[inside] * a[inside, 2] + v[inside] * b[inside, 2] + (1 - u[inside] - v[inside]) * c[inside, 2]
        )
    return top


def storeys_of(buildings: gpd.GeoDataFrame) -> Floats:
    """Storey heights of buildings, float64[n], NaN where unknown."""
    found: Floats = buildings["storey_m"].astype(float).to_numpy()
    return found
