"""Building parts → triangles for the eye: walls and roofs, and floors only where one can look at them from below.

Flat roofs are made here, thousands at a time; the other shapes come from `city.roofs`, one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import mapbox_earcut
import numpy as np
import shapely
from numpy.typing import NDArray

from twintown.ground.frames import Frame
from twintown.ground.mesh import Mesh

from .roofs import solid

if TYPE_CHECKING:
    import geopandas as gpd

_LEAST_AREA = 1e-4  # pieces of outlines smaller than this are not drawn, m²
#: Parts that start higher than this above the ground show their floor, metres.
_LIFTED_M = 0.1


def prisms(outlines: NDArray[np.object_], base: NDArray[np.float64], top: NDArray[np.float64]) -> Mesh:
    """Vertical walls and flat roofs, floors only in the air; feature = index of the outline.

    Args:
        outlines: n shapely (multi)polygons, metres; holes become courtyards.
        base, top: float64[n], heights of the foot of the walls and of the roof, metres.

    Returns:
        Faces look outwards; walls share no vertex with roofs. Outlines with top ≤ base have no triangle.
    """
    polygons, owner = shapely.get_parts(np.asarray(outlines, object), return_index=True)
    real = (shapely.get_type_id(polygons) == 3) & (shapely.area(polygons) > _LEAST_AREA) & (top > base)[owner]
    polygons, owner = shapely.orient_polygons(polygons[real]), owner[real]
    rings, of = shapely.get_rings(polygons, return_index=True)
    if not len(rings):
        return Mesh.join([])
    closed, ring = shapely.get_coordinates(rings, return_index=True)
    last = np.append(ring[1:] != ring[:-1], True)
    xy, ring = closed[~last], ring[~last]  # the closing vertex of each ring is its first
    following = closed[np.flatnonzero(~last) + 1]
    walls, wall_owner = _walls(xy, following, owner[of[ring]], base, top)
    roofs, roof_owner = _roofs(xy, ring, of, owner)
    of_xy = owner[of[ring]]
    lifted = base[roof_owner] > _LIFTED_M
    floors = roofs[lifted][:, ::-1] + len(walls) + len(xy)
    return Mesh(
        np.concatenate([walls, np.column_stack([xy, top[of_xy]]), np.column_stack([xy, base[of_xy]])]),
        np.concatenate([_wall_triangles(len(walls) // 4), roofs + len(walls), floors]).astype(np.int32),
        np.concatenate([wall_owner, roof_owner, roof_owner[lifted]]).astype(np.int32),
    )


def flat_triangles(areas: NDArray[np.object_]) -> NDArray[np.float64]:
    """The triangles of (multi)polygons seen from above, float64[t, 3, 2], metres in their own coordinates."""
    mesh = prisms(areas, np.full(len(areas), -1.0), np.zeros(len(areas)))
    corners = mesh.vertices[mesh.triangles]
    found: NDArray[np.float64] = corners[(corners[:, :, 2] == 0.0).all(axis=1)][:, :, :2]
    return found


def _walls(
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    owner: NDArray[np.intp],
    base: NDArray[np.float64],
    top: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Four vertices for each edge, anticlockwise from outside; the owner of each of its two triangles."""
    corners = np.empty((len(start), 4, 3))
    corners[:, [0, 3], :2] = start[:, None]
    corners[:, [1, 2], :2] = end[:, None]
    corners[:, :2, 2] = base[owner, None]
    corners[:, 2:, 2] = top[owner, None]
    return corners.reshape(-1, 3), np.repeat(owner, 2)


def _wall_triangles(walls: int) -> NDArray[np.int64]:
    quads: NDArray[np.int64] = np.arange(walls)[:, None, None] * 4 + np.array([[0, 1, 2], [0, 2, 3]])
    return quads.reshape(-1, 3)


def _roofs(
    xy: NDArray[np.float64], ring: NDArray[np.int64], of: NDArray[np.int64], owner: NDArray[np.intp]
) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """Ear-cut triangles, anticlockwise from above, as indices into `xy`, and their owners."""
    ends = np.flatnonzero(np.append(ring[1:] != ring[:-1], True)) + 1  # of each ring, in xy
    last_ring = np.flatnonzero(np.append(of[1:] != of[:-1], True)) + 1  # of each polygon, in rings
    pieces, owners = [], []
    first_ring = first = 0
    for polygon, stop in enumerate(last_ring):
        end = int(ends[stop - 1])
        near = xy[first:end] - xy[first]  # small numbers: the cross products keep their digits
        cut = mapbox_earcut.triangulate_float64(near, (ends[first_ring:stop] - first).astype(np.uint32))
        pieces.append(cut.reshape(-1, 3).astype(np.int64) + first)
        owners.append(np.full(len(cut) // 3, owner[polygon]))
        first_ring, first = int(stop), end
    triangles = np.concatenate(pieces)
    a, b, c = (xy[triangles[:, k]] for k in range(3))
    clockwise = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0]) < 0
    triangles[clockwise] = triangles[clockwise][:, [0, 2, 1]]
    return triangles, np.concatenate(owners)


def without_floor(mesh: Mesh, base: float) -> Mesh:
    """The mesh less the triangles that lie flat on `base` and look down."""
    corners = mesh.vertices[mesh.triangles]
    down = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])[:, 2] < 0
    floor = down & (np.abs(corners[:, :, 2] - base) < 1e-6).all(axis=1)
    return Mesh(mesh.vertices, mesh.triangles[~floor], mesh.feature[~floor])


def parts_mesh(parts: gpd.GeoDataFrame, frame: Frame) -> Mesh:
    """Walls and roofs of building parts, floors only in the air; feature = row.

    Args:
        parts: rows of the layer `building-parts`: base_m, eave_m, top_m (metres above the ground), roof_shape,
            roof_direction_deg (true azimuth), roof_across where there is one, outline.
        frame: of the outlines.
    """
    base, eave, top = (parts[name].to_numpy(float) for name in ("base_m", "eave_m", "top_m"))
    flat = ((parts["roof_shape"] == "flat") | ~(eave < top)).to_numpy(bool)
    outlines = parts.geometry.to_numpy()
    boxes = prisms(outlines[flat], base[flat], top[flat])
    meshes = [Mesh(boxes.vertices, boxes.triangles, np.flatnonzero(flat)[boxes.feature].astype(np.int32))]
    shapes = parts["roof_shape"].to_numpy(object)
    directions = parts["roof_direction_deg"].to_numpy(float)
    across = parts["roof_across"].to_numpy(bool) if "roof_across" in parts else np.zeros(len(parts), bool)
    for row in np.flatnonzero(~flat & (top > base)):
        turned = frame.convergence(outlines[row].centroid.x, outlines[row].centroid.y)
        for polygon in shapely.get_parts(outlines[row]):
            body = solid(
                polygon,
                base[row],
                eave[row],
                top[row],
                str(shapes[row]),
                directions[row],
                int(row),
                turned,
                bool(across[row]),
            )
            meshes.append(body if base[row] > _LIFTED_M else without_floor(body, base[row]))
    return Mesh.join(meshes)
