"""Parts → closed bodies with faces that know what they are: floors, walls, roofs. For exchange (CityJSON, JSON-FG).

Flat roofs are made here, thousands at a time, with whole polygons for floor and roof and one quad a wall; the other shapes come from
`roofs.solid`, part by part, in triangles. Coordinates are whole millimetres, so that faces that meet still meet in a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from twintown.ground.frames import Frame

from .roofs import ROOF_SHAPES, solid

Floats = NDArray[np.float64]
Longs = NDArray[np.int64]
#: What a face is.
FLOOR, WALL, ROOF = 0, 1, 2
#: Pieces of outlines smaller than this are no body, m².
_LEAST_M2 = 1e-2
_DIGITS = 3


@dataclass(frozen=True)
class Bodies:
    """Polyhedra: corners make rings, rings make faces (the first is the outer one), faces make bodies. All faces look outwards.

    Args:
        vertices: float64[v, 3], metres.
        corners: int64[c], the vertex of each corner; rings are not closed.
        rings: int64[r + 1], where each ring begins in `corners`.
        faces: int64[f + 1], where each face begins in `rings`.
        kinds: int64[f], `FLOOR`, `WALL` or `ROOF`.
        bodies: int64[b + 1], where each body begins in `faces`.
        owner: int64[b], the row that the body belongs to, ascending.
    """

    vertices: Floats
    corners: Longs
    rings: Longs
    faces: Longs
    kinds: Longs
    bodies: Longs
    owner: Longs

    @property
    def vertex_owner(self) -> Longs:
        """int64[c]: the row that each corner belongs to."""
        per_face = np.diff(self.rings[self.faces])
        per_body = (
            np.add.reduceat(np.append(per_face, 0), self.bodies[:-1])
            if len(self.owner)
            else np.zeros(0, np.int64)
        )
        return np.repeat(self.owner, per_body)

    @classmethod
    def join(cls, several: list[Bodies]) -> Bodies:
        """All bodies of several, in order of their owners."""
        several = [one for one in several if len(one.owner)]
        if not several:
            none = np.zeros(0, np.int64)
            return cls(
                np.zeros((0, 3)),
                none,
                np.zeros(1, np.int64),
                np.zeros(1, np.int64),
                none,
                np.zeros(1, np.int64),
                none,
            )
        corners = _stacked([one.corners for one in several], [len(one.vertices) for one in several])
        joined = cls(
            np.concatenate([one.vertices for one in several]), corners,
            _starts([one.rings for one in several]), _starts([one.faces for one in several]),
            np.concatenate([one.kinds for one in several]), _starts([one.bodies for one in several]),
            np.concatenate([one.owner for one in several]),
        )  # fmt: skip
        return joined.taken(np.argsort(joined.owner, kind="stable"))

    def taken(self, order: Longs) -> Bodies:
        """These bodies in this order; the vertices stay."""
        faces, bodies = ragged(self.bodies, order)
        rings, face_starts = ragged(self.faces, faces)
        corners, ring_starts = ragged(self.rings, rings)
        return Bodies(
            self.vertices,
            self.corners[corners],
            ring_starts,
            face_starts,
            self.kinds[faces],
            bodies,
            self.owner[order],
        )


def ragged(starts: Longs, order: Longs) -> tuple[Longs, Longs]:
    """Runs taken in another order: the position of every element, and where each run begins now."""
    lengths = np.diff(starts)[order]
    begins = np.concatenate([[0], np.cumsum(lengths)])
    return np.repeat(starts[:-1][order] - begins[:-1], lengths) + np.arange(begins[-1]), begins


def _stacked(arrays: list[Longs], sizes: list[int]) -> Longs:
    shifts = np.cumsum([0, *sizes[:-1]])
    return np.concatenate([one + shift for one, shift in zip(arrays, shifts, strict=True)])


def _starts(arrays: list[Longs]) -> Longs:
    return np.concatenate([[0], _stacked([one[1:] for one in arrays], [int(one[-1]) for one in arrays])])


def bodies(
    outlines: NDArray[Any], base: Floats, eave: Floats, top: Floats, shapes: NDArray[Any], directions: Floats,
    across: NDArray[np.bool_], frame: Frame,
) -> Bodies:  # fmt: skip
    """The bodies of building parts; owner = row.

    Args:
        outlines: n shapely (multi)polygons in the frame.
        base, eave, top: float64[n], heights of the floor, of the lowest and of the highest line of the roof, metres.
        shapes: n of `ROOF_SHAPES`; others are flat. directions: float64[n], true azimuths, NaN where there is none.
        across: bool[n], see `roofs.roof_tin`.
        frame: of the outlines.

    Returns:
        A body for every polygon of every part whose top is above its base.
    """
    pitched = np.isin(shapes, ROOF_SHAPES[1:]) & (eave < top) & (base <= eave)
    made = [_prisms(outlines, base, top, np.flatnonzero(~pitched & (top > base)))]
    for row in np.flatnonzero(pitched & (base < top)).tolist():
        centre = shapely.centroid(outlines[row])
        turned = frame.convergence(centre.x, centre.y)
        for polygon in shapely.get_parts(outlines[row]):
            if polygon.area > _LEAST_M2:
                direction = float(directions[row])
                mesh = solid(
                    polygon, base[row], eave[row], top[row], str(shapes[row]), direction, row, turned, bool(across[row])
                )  # fmt: skip
                made.append(_triangles(mesh.vertices, mesh.triangles.astype(np.int64), row))
    return Bodies.join(made)


def _triangles(vertices: Floats, triangles: Longs, row: int) -> Bodies:
    """A closed mesh as a body; what a triangle is, its normal says."""
    xyz = np.round(vertices, _DIGITS)
    a, b, c = (xyz[triangles[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    size = np.linalg.norm(normal, axis=1)
    triangles, up = triangles[size > 1e-9], (normal[:, 2] / np.maximum(size, 1e-12))[size > 1e-9]
    n = len(triangles)
    kinds = np.where(up > 1e-6, ROOF, np.where(up < -1e-6, FLOOR, WALL)).astype(np.int64)
    return Bodies(
        xyz, triangles.ravel(), 3 * np.arange(n + 1), np.arange(n + 1), kinds, np.array([0, n], np.int64), np.array([row], np.int64),
    )  # fmt: skip


def _prisms(outlines: NDArray[Any], base: Floats, top: Floats, rows: Longs) -> Bodies:
    """Vertical walls, a floor and a flat roof over each polygon of these rows."""
    polygons, of = shapely.get_parts(outlines[rows], return_index=True)
    real = (shapely.get_type_id(polygons) == 3) & (shapely.area(polygons) > _LEAST_M2)
    polygons, row = shapely.orient_polygons(shapely.force_2d(polygons[real])), rows[of[real]]
    xy, ring, first = _rings(polygons)
    n, rings, count = len(xy), len(ring) - 1, len(first) - 1
    polygon_of_ring = np.repeat(np.arange(count), np.diff(first))
    owner_of_vertex = row[np.repeat(polygon_of_ring, np.diff(ring))]
    vertices = np.concatenate([
        np.column_stack([xy, np.round(base[owner_of_vertex], _DIGITS)]),
        np.column_stack([xy, np.round(top[owner_of_vertex], _DIGITS)]),
    ])  # fmt: skip
    at = np.arange(n)
    following = at + 1
    following[ring[1:] - 1] = ring[:-1]
    backwards = np.repeat(ring[:-1] + ring[1:] - 1, np.diff(ring)) - at  # each ring from its end
    walls = np.column_stack([at, following, following + n, at + n]).ravel()
    polygon_of_wall = np.repeat(polygon_of_ring, np.diff(ring))
    # faces: all floors, all roofs, all walls; then those of one polygon are put together
    ring_starts = np.concatenate([ring[:-1], ring[:-1] + n, 2 * n + 4 * np.arange(n + 1)])
    face_starts = np.concatenate([first[:-1], first[:-1] + rings, 2 * rings + np.arange(n + 1)])
    face_polygon = np.concatenate([np.arange(count), np.arange(count), polygon_of_wall])
    kinds = np.repeat([FLOOR, ROOF, WALL], [count, count, n]).astype(np.int64)
    order = np.argsort(face_polygon, kind="stable")
    ring_order, faces = ragged(face_starts, order)
    corner_order, starts = ragged(ring_starts, ring_order)
    corners = np.concatenate([backwards, at + n, walls])[corner_order]
    bodies_at = np.concatenate([[0], np.cumsum(np.bincount(face_polygon, minlength=count))]).astype(np.int64)
    return Bodies(vertices, corners, starts, faces, kinds[order], bodies_at, row)


def _rings(polygons: NDArray[Any]) -> tuple[Floats, Longs, Longs]:
    """Corners in whole millimetres, where each ring begins among them, and where each polygon begins among the rings.

    Rings are not closed, neighbouring corners differ; a hole that has fewer than three is none.
    """
    lines, of = shapely.get_rings(polygons, return_index=True)
    xy, ring = shapely.get_coordinates(lines, return_index=True)
    xy = np.round(xy, _DIGITS)
    last = np.append(ring[1:] != ring[:-1], True)
    keep = ~last & np.append((xy[1:] != xy[:-1]).any(axis=1), True)[: len(xy)]
    many = np.bincount(ring[keep], minlength=len(lines)) >= 3
    keep &= many[ring]
    counts = np.bincount(ring[keep], minlength=len(lines))[many]
    rings = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    first = np.concatenate([[0], np.cumsum(np.bincount(of[many], minlength=len(polygons)))]).astype(np.int64)
    return xy[keep], rings, first


def surfaces(polygons: NDArray[Any], height: float) -> Bodies:
    """Polygons as faces that look up, at one height (m); a body holds all polygons of a row; owner = row."""
    parts, row = shapely.get_parts(polygons, return_index=True)
    real = (shapely.get_type_id(parts) == 3) & (shapely.area(parts) > _LEAST_M2)
    xy, ring, first = _rings(shapely.orient_polygons(shapely.force_2d(parts[real])))
    rows, counts = np.unique(row[real], return_counts=True)
    return Bodies(
        np.column_stack([xy, np.full(len(xy), round(height, _DIGITS))]), np.arange(len(xy)), ring, first,
        np.full(len(first) - 1, FLOOR, np.int64), np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), rows.astype(np.int64),
    )  # fmt: skip
