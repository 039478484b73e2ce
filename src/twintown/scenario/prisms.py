"""Any mesh of a building as upright prisms: what a plan is edited, shadowed and counted with.

The mesh is cut into slabs at the heights where it has level faces (terraces, roofs), and further where its outline changes much between
two of them (pitched roofs become steps). In each slab the outline is the section in its middle where every shell is closed, and else
what the faces of the slab cover from above, without the holes that only rooms make.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from twintown.ground.errors import BadData, TooLarge

Floats = NDArray[np.float64]
Longs = NDArray[np.int64]
MOST_TRIANGLES, MOST_PARTS, MOST_LEVELS = 300_000, 300, 60
#: Less area (m²) is no terrace and no part; levels closer than this (m) are one.
_LEAST_M2, _APART_M = 1.0, 0.25
#: Outlines are drawn to this, metres; two that differ by less than this share of their area are one.
_FINE_M, _ALIKE = 0.02, 0.02


@dataclass(frozen=True)
class Prism:
    """An upright solid: outline (a polygon, metres), from `base_m` to `top_m`."""

    outline: Any
    base_m: float
    top_m: float

    @property
    def volume_m3(self) -> float:
        """Area times height."""
        return float(shapely.area(self.outline)) * (self.top_m - self.base_m)


@dataclass(frozen=True)
class Body:
    """Triangles: vertices float64[v, 3] (metres, z up), triangles int64[t, 3]."""

    vertices: Floats
    triangles: Longs

    def closed_volume(self) -> float | None:
        """Volume (m³) where every edge has exactly one opposite; None where the mesh is open."""
        edges = self.triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
        n = len(self.vertices)
        one, other = edges[:, 0] * n + edges[:, 1], edges[:, 1] * n + edges[:, 0]
        if len(np.unique(one)) != len(one) or not np.isin(one, other).all():
            return None
        a, b, c = (self.vertices[self.triangles[:, k]] for k in range(3))
        middle = self.vertices.mean(axis=0)
        return abs(float(np.einsum("ij,ij->i", a - middle, np.cross(b - middle, c - middle)).sum()) / 6.0)


def body(vertices: Floats, triangles: Longs) -> Body:
    """Triangles with corners that lie within a millimetre of each other made one, and those without area left out.

    Raises:
        BadData: nothing is left, or a corner is not a number.
        TooLarge: more triangles than are looked at.
    """
    if len(triangles) > MOST_TRIANGLES:
        raise TooLarge(
            f"{len(triangles):,} triangles are more than a plan takes",
            "mesh",
            f"simplify it to {MOST_TRIANGLES:,}",
        )
    if not len(triangles) or not np.isfinite(vertices).all():
        raise BadData("holds no triangle that has a place", "mesh", "export the building with its geometry")
    whole = np.round(vertices, 3) + 0.0
    kept, one = np.unique(whole, axis=0, return_inverse=True)
    corners = one.reshape(-1)[triangles].astype(np.int64)
    a, b, c = corners.T
    corners = corners[(a != b) & (b != c) & (c != a)]
    if not len(corners):
        raise BadData("holds no triangle that has an area", "mesh", "check its unit: lengths are metres")
    return Body(kept, corners)


def prisms(mesh: Body, levels: Floats | None = None) -> list[Prism]:
    """The mesh as prisms, from below upwards.

    Args:
        levels: heights (m) at which it is cut too, such as those of storeys.

    Raises:
        BadData: it covers no ground.
    """
    shells = _shells(mesh)
    closed = all(shell.closed_volume() is not None for shell in shells)
    z = mesh.vertices[mesh.triangles.ravel(), 2]
    cuts = _levels(mesh, float(z.min()), float(z.max()), levels)
    covered = None if closed else _covered(mesh, float(z.min()), float(z.max()), None)
    found: list[Prism] = []
    for low, high in zip(cuts[:-1], cuts[1:], strict=True):
        for base, top in _finer(shells, float(low), float(high)) if closed else [(float(low), float(high))]:
            area = _section(shells, (base + top) / 2) if closed else _covered(mesh, base, top, covered)
            found.append(Prism(area, base, top))
    parts = _single(_merged(found))
    if not parts:
        raise BadData("covers no ground", "mesh", "check its unit (metres) and which axis points up")
    return parts[:MOST_PARTS]


def _levels(mesh: Body, lowest: float, highest: float, more: Floats | None) -> Floats:
    a, b, c = (mesh.vertices[mesh.triangles[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    size = np.linalg.norm(normal, axis=1)
    level = np.abs(normal[:, 2]) > 0.98 * size
    heights, areas = np.round(((a + b + c) / 3)[level, 2], 2), size[level] / 2
    known, place = np.unique(heights, return_inverse=True)
    wide = known[np.bincount(place, areas, minlength=len(known)) > _LEAST_M2] if len(known) else known
    stated = np.zeros(0) if more is None else more[(more > lowest) & (more < highest)]
    cuts = [lowest]
    for height in np.unique(np.concatenate([wide, stated])).tolist():
        if height - cuts[-1] > _APART_M and highest - height > _APART_M:
            cuts.append(height)
    every = max(1, -(-len(cuts) // MOST_LEVELS))
    return np.array([*cuts[::every], highest])


def _finer(shells: list[Body], low: float, high: float) -> list[tuple[float, float]]:
    """The slab in steps of a metre or more where its outline changes by more than a tenth on the way up."""
    margin = min(0.02, (high - low) / 10)
    below, above = (shapely.area(_section(shells, z)) for z in (low + margin, high - margin))
    if max(below, above) <= 0 or abs(below - above) <= 0.1 * max(below, above):
        return [(low, high)]
    steps = int(np.clip(round(high - low), 1, 6))
    cuts = np.linspace(low, high, steps + 1).tolist()
    return list(zip(cuts[:-1], cuts[1:], strict=True))


def _shells(mesh: Body) -> list[Body]:
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    n = len(mesh.vertices)
    a, b, _ = mesh.triangles.T
    c = mesh.triangles[:, 2]
    links = coo_matrix((np.ones(2 * len(a), np.int8), (np.r_[a, b], np.r_[b, c])), shape=(n, n))
    count, of = connected_components(links, directed=False)
    owner = of[a]
    order = np.argsort(owner, kind="stable")
    ends = np.searchsorted(owner[order], np.arange(count + 1))
    pieces = [mesh.triangles[order[ends[k] : ends[k + 1]]] for k in range(count)]
    return [Body(mesh.vertices, piece) for piece in pieces if len(piece)]


def _section(shells: list[Body], z: float) -> Any:
    """What a level plane cuts out of closed shells."""
    areas = []
    for shell in shells:
        corners = shell.vertices[shell.triangles][:, :, 2]
        if not corners.min() < z < corners.max():
            continue
        above = corners > z
        crossing = above.any(axis=1) & ~above.all(axis=1)
        triangles, above = shell.triangles[crossing], above[crossing]
        lone = np.where(above.sum(axis=1) == 1, above.argmax(axis=1), (~above).argmax(axis=1))
        rows = np.arange(len(triangles))
        tip = triangles[rows, lone]
        ends = [_between(shell.vertices, tip, triangles[rows, (lone + k) % 3], z) for k in (1, 2)]
        lines = shapely.linestrings(np.stack(ends, axis=1))
        areas.append(shapely.build_area(shapely.multilinestrings(lines[shapely.length(lines) > 0])))
    return shapely.union_all(areas, grid_size=1e-3) if areas else shapely.Polygon()


def _between(vertices: Floats, one: Longs, other: Longs, z: float) -> Floats:
    """Where edges pass a height; the same for both triangles of an edge, because its ends are taken in one order."""
    a, b = vertices[np.minimum(one, other)], vertices[np.maximum(one, other)]
    share = (z - a[:, 2]) / (b[:, 2] - a[:, 2])
    return np.round(a[:, :2] + share[:, None] * (b[:, :2] - a[:, :2]), 3)


def _covered(mesh: Body, base: float, top: float, within: Any) -> Any:
    """What the faces of a slab cover from above; rooms are filled, courts (holes of `within`) stay open."""
    corners = mesh.vertices[mesh.triangles]
    low, high = corners[:, :, 2].min(axis=1), corners[:, :, 2].max(axis=1)
    edge = min(0.1, (top - base) / 4)
    there = np.ones(len(low), bool) if within is None else (high > base + edge) & (low < top - edge)
    flat = shapely.polygons(corners[there][:, :, :2])
    walls = shapely.linestrings(corners[there][:, :, :2])
    area = shapely.union_all(flat[shapely.area(flat) > 1e-6], grid_size=1e-3)
    thick = shapely.buffer(shapely.union_all(walls, grid_size=1e-2), 0.15, join_style="mitre", quad_segs=1)
    area = shapely.union_all([area, thick])
    if within is None:
        drawn = shapely.buffer(area, -0.15, join_style="mitre", quad_segs=1)
        return area if shapely.is_empty(drawn) else drawn
    filled = shapely.union_all(
        [shapely.polygons(ring) for ring in shapely.get_exterior_ring(shapely.get_parts(area))]
    )
    return shapely.intersection(filled, within)


def _merged(found: list[Prism]) -> list[Prism]:
    """Slabs one above the other with one outline as one prism."""
    parts: list[Prism] = []
    for one in found:
        area = float(shapely.area(one.outline))
        if area < _LEAST_M2:
            continue
        last = parts[-1] if parts else None
        if last is not None and abs(last.top_m - one.base_m) < 1e-9:
            apart = float(shapely.area(shapely.symmetric_difference(last.outline, one.outline)))
            if apart < _ALIKE * area:
                wider = max((last, one), key=lambda prism: float(shapely.area(prism.outline)))
                parts[-1] = Prism(wider.outline, last.base_m, one.top_m)
                continue
        parts.append(one)
    return parts


def _single(parts: list[Prism]) -> list[Prism]:
    """One prism a polygon, drawn to two centimetres."""
    singles = []
    for one in parts:
        drawn = shapely.make_valid(shapely.simplify(one.outline, _FINE_M))
        for piece in shapely.get_parts(shapely.get_parts(drawn)):
            if piece.geom_type == "Polygon" and piece.area >= _LEAST_M2:
                holes = [ring for ring in piece.interiors if shapely.Polygon(ring).area >= _LEAST_M2]
                singles.append(Prism(shapely.Polygon(piece.exterior, holes), one.base_m, one.top_m))
    return singles
