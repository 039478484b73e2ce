"""Roofs and walls: the real geometry of a part.

Shapes after OpenStreetMap's *Simple 3D Buildings*: `flat`, `skillion` (one plane, sloping down towards its direction), `gabled` and
`hipped` (a ridge through the middle of the smallest enclosing rectangle, along its longer side), `pyramidal` (one tip).
On any other polygon than a rectangle the same planes are cut by its outline, so that its walls reach up to them; only a pyramid
over a polygon whose middle sees every corner has its eaves level all round. A straight skeleton is not attempted.

The outline is noded together with the creases once, and all facets come from that one drawing: they meet without gaps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import mapbox_earcut
import numpy as np
import shapely
from numpy.typing import NDArray

from twintown.ground.errors import BadInput
from twintown.ground.mesh import Mesh

ROOF_SHAPES = ("flat", "skillion", "gabled", "hipped", "pyramidal")
Floats = NDArray[np.float64]
Triangles = NDArray[np.int32]
#: Creases and outline are noded on this grid (m), so that a crease that all but meets a corner meets it.
_GRID_M = 1e-4


def roof_tin(
    polygon: shapely.Polygon, eave_m: float, top_m: float, shape: str = "flat", direction_deg: float = math.nan,
    convergence_deg: float = 0.0, across: bool = False,
) -> tuple[Floats, Triangles]:  # fmt: skip
    """The roof over a polygon as triangles that look up.

    Args:
        polygon: outline in the frame, metres; courtyards are holes.
        eave_m: height of the roof's lowest line. top_m: of its highest.
        shape: one of `ROOF_SHAPES`.
        direction_deg: azimuth from true north towards which the roof slopes down (skillion) or faces (gabled, hipped: across the
            ridge). NaN: down towards the longest edge, or the ridge along the longer side.
        convergence_deg: meridian convergence, to turn azimuths into the grid's.
        across: without a direction, the ridge runs across the longer side.

    Returns:
        vertices float64[n, 3] (metres; every corner of the outline once) and triangles int32[m, 3], anticlockwise from above.

    Raises:
        BadInput: an unknown shape, no polygon, or a top below the eave.
    """
    if shape not in ROOF_SHAPES:
        raise BadInput(f"unknown roof shape {shape!r}", "roof", f"use one of {', '.join(ROOF_SHAPES)}")
    if polygon.geom_type != "Polygon" or polygon.is_empty:
        raise BadInput(
            f"a roof stands on one polygon, not on a {polygon.geom_type}", "roof", "explode it first"
        )
    if not eave_m <= top_m:
        raise BadInput(f"the top ({top_m} m) is below the eave ({eave_m} m)", "roof")
    polygon = shapely.normalize(shapely.force_2d(polygon))
    rise = top_m - eave_m
    if shape == "flat" or rise <= 0.0:
        xy, triangles = _facets([polygon])
        return np.column_stack([xy, np.full(len(xy), top_m)]), triangles
    if shape == "skillion":
        xy, triangles = _facets([polygon])
        azimuth = (
            _downslope(polygon)
            if math.isnan(direction_deg)
            else math.radians(direction_deg - convergence_deg)
        )
        along = xy @ (math.sin(azimuth), math.cos(azimuth))
        low, high = along.max(), along.min()
        return np.column_stack([xy, eave_m + rise * (low - along) / (low - high)]), triangles
    if shape == "pyramidal" and (tent := _tent(polygon, eave_m, top_m)) is not None:
        return tent
    box = _Box.of(polygon, direction_deg - convergence_deg, across)
    creases = {"gabled": box.gable, "hipped": box.hips, "pyramidal": box.diagonals}[shape]()
    noded = shapely.union_all([shapely.boundary(polygon), *creases], grid_size=_GRID_M)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
    inside = shapely.contains_properly(polygon, shapely.point_on_surface(faces))
    xy, triangles = _facets([shapely.normalize(face) for face in faces[inside]])
    share = box.share(xy, shape)
    low, high = (
        share.min(),
        share.max(),
    )  # a courtyard may have taken the ridge away: the stated heights are still reached
    share = (share - low) / (high - low) if high - low > 1e-6 else np.ones(len(xy))
    return np.column_stack([xy, eave_m + rise * share]), triangles


def solid(
    polygon: shapely.Polygon, base_m: float, eave_m: float, top_m: float, shape: str = "flat", direction_deg: float = math.nan,
    owner: int = 0, convergence_deg: float = 0.0, across: bool = False,
) -> Mesh:  # fmt: skip
    """The closed body of a part: roof, walls and floor, all faces looking outwards.

    Args:
        base_m: height of the floor; see `roof_tin` for the others.
        owner: goes into `Mesh.feature`.

    Raises:
        BadInput: as `roof_tin`, or a floor above the eave.
    """
    if not base_m <= eave_m or not base_m < top_m:
        raise BadInput(
            f"the floor ({base_m} m) is above the eave ({eave_m} m)", "part", "check min_height and height"
        )
    roof, up = roof_tin(polygon, eave_m, top_m, shape, direction_deg, convergence_deg, across)
    n = len(roof)
    floor = np.column_stack([roof[:, :2], np.full(n, base_m)])
    a, b = boundary(up).T
    walls = np.concatenate([np.column_stack([a + n, b + n, b]), np.column_stack([a + n, b, a])])
    triangles = np.concatenate([up, up[:, ::-1] + n, walls])
    # where an eave lies on the floor the two are one vertex, and the wall between has no area
    vertices, one = np.unique(np.concatenate([roof, floor]), axis=0, return_inverse=True)
    triangles = one.reshape(-1)[triangles].astype(np.int32)
    i, j, k = triangles.T
    triangles = triangles[(i != j) & (j != k) & (k != i)]
    return Mesh(vertices, triangles, np.full(len(triangles), owner, np.int32))


def boundary(triangles: Triangles) -> Triangles:
    """int32[k, 2]: the directed edges that have no opposite, inside to their left."""
    edges = triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2).astype(np.int64)
    n = int(triangles.max()) + 1 if len(triangles) else 1
    return edges[~np.isin(edges[:, 0] * n + edges[:, 1], edges[:, 1] * n + edges[:, 0])].astype(np.int32)


def roof_edges(vertices: Floats, triangles: Triangles) -> Floats:
    """float64[k, 2, 3]: the edges of a roof that can cast the edge of a shadow, metres.

    Those of the outline, and those between facets that are not in one plane.
    """
    outline = boundary(triangles)
    corners = vertices[triangles]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    edges = np.sort(triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    face = np.repeat(np.arange(len(triangles)), 3)
    order = np.lexsort((edges[:, 1], edges[:, 0]))
    edges, face = edges[order], face[order]
    pair = np.flatnonzero((edges[1:] == edges[:-1]).all(axis=1))
    bent = np.einsum("ij,ij->i", normal[face[pair]], normal[face[pair + 1]]) < 1.0 - 1e-9
    return np.asarray(vertices[np.concatenate([outline, edges[pair[bent]]])])


def _facets(faces: list[shapely.Polygon]) -> tuple[Floats, Triangles]:
    """Triangles of several polygons (outer rings clockwise, as `normalize` leaves them) over shared vertices."""
    points: list[Floats] = []
    pieces: list[NDArray[np.int64]] = []
    start = 0
    for face in faces:
        rings = [np.asarray(ring.coords)[:-1, :2] for ring in (face.exterior, *face.interiors)]
        xy = np.concatenate(rings)
        ends = np.cumsum([len(ring) for ring in rings])
        middle = xy.mean(axis=0)  # earcut loses digits far from the origin
        corners = (
            mapbox_earcut.triangulate_float64(np.ascontiguousarray(xy - middle), ends.astype(np.uint32))
            .astype(np.int64)
            .reshape(-1, 3)
        )
        a, b, c = (xy[corners[:, k]] - middle for k in range(3))
        if np.sum((b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])) < 0:
            corners = corners[:, ::-1]
        pieces.append(_complete(corners, ends) + start)
        points.append(xy)
        start += len(xy)
    vertices, one = np.unique(np.concatenate(points), axis=0, return_inverse=True)
    triangles = one.reshape(-1)[np.concatenate(pieces)]
    return vertices, triangles.astype(np.int32)


def _complete(corners: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give back the corners that earcut drops because they lie on a straight line: a neighbour keeps them, and gaps would open."""
    after = np.arange(
        -1, ends[-1] - 1
    )  # rings turn clockwise, triangles anticlockwise: their edges run backwards
    after[np.concatenate([[0], ends[:-1]])] = ends - 1
    edges = boundary(corners.astype(np.int32))
    wrong = edges[after[edges[:, 0]] != edges[:, 1]]
    if not len(wrong):
        return corners
    triangles = corners.tolist()
    for a, b in wrong.tolist():
        chain = [a]
        while chain[-1] != b and len(chain) <= len(after):
            chain.append(int(after[chain[-1]]))
        owner = next(
            k for k, t in enumerate(triangles) if (a, b) in ((t[0], t[1]), (t[1], t[2]), (t[2], t[0]))
        )
        tip = next(v for v in triangles[owner] if v not in (a, b))
        if chain[-1] == b and tip not in chain:
            triangles[owner : owner + 1] = [[p, q, tip] for p, q in pairwise(chain)]
    return np.array(triangles, np.int64)


def _downslope(polygon: shapely.Polygon) -> float:
    """Grid azimuth (radians) that looks out over the longest edge."""
    ring = np.asarray(polygon.exterior.coords)[:, :2]  # clockwise: outside is to the left
    step = np.diff(ring, axis=0)
    dx, dy = step[np.argmax(np.hypot(*step.T))]
    return math.atan2(-dy, dx)


def _tent(polygon: shapely.Polygon, eave_m: float, top_m: float) -> tuple[Floats, Triangles] | None:
    """A fan from the middle to every edge, where the middle sees all of them."""
    if polygon.interiors:
        return None
    ring = np.asarray(polygon.exterior.coords)[:-1, :2][::-1]
    tip = np.array([polygon.centroid.x, polygon.centroid.y])
    a, b = ring - tip, np.roll(ring, -1, axis=0) - tip
    if (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0] <= 1e-9).any():
        return None
    n = len(ring)
    vertices = np.column_stack([np.vstack([ring, tip]), np.append(np.full(n, eave_m), top_m)])
    at = np.arange(n)
    return vertices, np.column_stack([at, np.roll(at, -1), np.full(n, n)]).astype(np.int32)


@dataclass(frozen=True)
class _Box:
    """A rectangle around the polygon: its middle, the unit vector along the ridge, half its length and width (m)."""

    middle: Floats
    along: Floats
    half_length: float
    half_width: float

    @classmethod
    def of(cls, polygon: shapely.Polygon, direction_deg: float, across: bool) -> _Box:
        xy = shapely.get_coordinates(polygon)
        if math.isnan(direction_deg):
            corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(polygon))
            sides = np.diff(corners[:3], axis=0)
            longer = int(np.hypot(*sides[1]) > np.hypot(*sides[0]) + 1e-9)
            along = sides[1 - longer if across else longer]
        else:
            along = np.array(
                [math.sin(math.radians(direction_deg + 90.0)), math.cos(math.radians(direction_deg + 90.0))]
            )
        along = along / np.hypot(*along)
        u, v = xy @ along, xy @ np.array([-along[1], along[0]])
        middle = (u.min() + u.max()) / 2 * along + (v.min() + v.max()) / 2 * np.array([-along[1], along[0]])
        return cls(middle, along, float(np.ptp(u)) / 2, float(np.ptp(v)) / 2)

    def _line(self, *uv: tuple[float, float]) -> shapely.LineString:
        side = np.array([-self.along[1], self.along[0]])
        return shapely.LineString([self.middle + u * self.along + v * side for u, v in uv])

    def gable(self) -> list[shapely.LineString]:
        return [self._line((-self.half_length - 1.0, 0.0), (self.half_length + 1.0, 0.0))]

    def hips(self) -> list[shapely.LineString]:
        a, b = self.half_length, self.half_width
        m = min(a, b)
        ends = ((a - m, b - m), (m - a, m - b))  # of the ridge; one of the two numbers is 0
        lines = [self._line(*ends)] if abs(a - b) > 1e-6 else []
        for su in (1.0, -1.0):
            for sv in (1.0, -1.0):
                lines.append(self._line((su * (a - m), sv * (b - m)), (su * (a + 1.0), sv * (b + 1.0))))
        return lines

    def diagonals(self) -> list[shapely.LineString]:
        a, b = 1.1 * self.half_length, 1.1 * self.half_width
        return [self._line((-a, -b), (a, b)), self._line((-a, b), (a, -b))]

    def share(self, xy: Floats, shape: str) -> Floats:
        """How far up the roof each point is, 0 at the eaves to 1 at the ridge."""
        offset = xy - self.middle
        u, v = np.abs(offset @ self.along), np.abs(offset @ np.array([-self.along[1], self.along[0]]))
        a, b = self.half_length, self.half_width
        if shape == "gabled":
            up = (b - v) / b
        elif shape == "hipped":
            up = np.minimum(a - u, b - v) / min(a, b)
        else:
            up = np.minimum((a - u) / a, (b - v) / b)
        return np.asarray(np.clip(up, 0.0, 1.0), float)
