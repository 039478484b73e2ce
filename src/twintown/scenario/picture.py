"""A picture of a city for paper: triangles, the sun at an hour, a soft sky; no browser and no graphics card.

The same camera gives the same picture of another state of the city, so that before and after can stand side by side.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import shapely
from numpy.typing import NDArray

from twintown.city.solids import flat_triangles, parts_mesh
from twintown.ground.errors import BadParameter
from twintown.ground.features import Features
from twintown.ground.grid import Grid
from twintown.kernels.lights import light_from, places, sky_directions, sky_light
from twintown.kernels.shading import compose, reduced
from twintown.kernels.spread import processors
from twintown.kernels.zbuffer import first_seen

from .camera import Camera, sun_over, view_of
from .png import png

__all__ = ["Camera", "Overlay", "picture"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Overlay:
    """A result laid on the ground: values of a grid as colours.

    Args:
        grid: its first band is shown.
        low, high: values at the ends of the ramp, in the grid's unit; what lies beyond takes the end's colour.
        colours: `#rrggbb`, evenly spaced from low to high.
        opacity: 0 to 1.
    """

    grid: Grid
    low: float
    high: float
    colours: tuple[str, ...] = ("#313695", "#74add1", "#ffffbf", "#f46d43", "#a50026")
    opacity: float = 0.8


SAMPLES = 2  # a side of a pixel
#: The sky: how many directions, how finely each, and at every how many samples.
SKY_DIRECTIONS, SKY_SIDE, SKY_STEP = 128, 768, 4
#: The sun: how finely, for what nearest shares of what is shown.
SUN_SIDE, SUN_SHARES = 4096, (0.3, 0.7, 1.0)
#: The light on level ground in the sun that the picture is exposed for.
EXPOSED = 1.22
#: How far the ground's shade is worked out, metres from the eye.
REACH_M = 4000.0
#: Materials of the ground, the later over the earlier: layer ids, and how bright they are in linear light.
GROUND: tuple[tuple[tuple[str, ...], tuple[float, float, float]], ...] = (
    ((), (0.62, 0.60, 0.56)),
    (("parks", "green"), (0.42, 0.52, 0.30)),
    (("water",), (0.34, 0.48, 0.56)),
    (("roads",), (0.44, 0.435, 0.43)),
)
BUILDING, EDITED = (0.80, 0.785, 0.755), (0.72, 0.235, 0.085)
#: Zenith, horizon, glow towards the sun; the sun's light, the sky's, the ground's; haze (m).
LOOKS = np.array(
    [
        (0.30, 0.47, 0.70), (0.80, 0.86, 0.90), (0.16, 0.08, 0.00), (1.02, 0.92, 0.76), (0.36, 0.43, 0.55), (0.15, 0.14, 0.12),
        (9000.0, 0.0, 0.0),
    ]
)  # fmt: skip


def _turned(corners: Floats, eye: Floats, view: Floats) -> Floats:
    """Triangles in the view's axes, sums in a fixed order."""
    rel = corners - eye
    out: Floats = np.stack(
        [rel[..., 0] * a[0] + rel[..., 1] * a[1] + rel[..., 2] * a[2] for a in view], axis=-1
    )
    return out


def _soil(
    layers: Mapping[str, Features],
    origin: Floats,
    eye: Floats,
    view: Floats,
    tan: tuple[float, float],
    shape: tuple[int, int],
) -> NDArray[np.uint8]:
    """Which material the ground has behind each sample, u1[rows, cols]."""
    soil = np.zeros(shape, np.uint8)
    for number, (ids, _) in enumerate(GROUND):
        shapes = [areas for one in ids if one in layers for areas in _areas(layers[one])]
        if not shapes:
            continue
        whole = shapely.union_all(np.array(shapes, object), grid_size=0.01)
        flat = flat_triangles(np.array([whole], object))
        corners = np.dstack([flat - origin[:2], np.zeros(flat.shape[:2])])
        there, _ = first_seen(_turned(corners, eye, view), *tan, *shape, threads=processors())
        soil[there >= 0] = number
    return soil


def _areas(features: Features) -> list[object]:
    """Areas of a layer: its polygons, and its lines as wide as they say."""
    table = features.table
    if "tunnel" in table:
        table = table[~table["tunnel"].astype(bool)]
    geometry = table.geometry.to_numpy()
    kind = shapely.get_dimensions(geometry)
    width = table["width_m"].to_numpy(float) if "width_m" in table else np.full(len(table), 4.0)
    lines = shapely.buffer(
        geometry[kind == 1], np.where(np.isfinite(width), width, 4.0)[kind == 1] / 2, quad_segs=4
    )
    return [*lines, *geometry[kind == 2]]


def _ramp(overlay: Overlay) -> tuple[NDArray[np.uint8], Floats]:
    """Colours of the grid's cells, u1[r, c, 4] in linear light, and the corner."""
    grid = overlay.grid
    values = grid.values if grid.values.ndim == 2 else grid.values[0]
    stops = np.array([[int(one[k : k + 2], 16) for k in (1, 3, 5)] for one in overlay.colours], float)
    linear = (stops / 255.0) ** 2.2
    share = (values.astype(np.float64) - overlay.low) / ((overlay.high - overlay.low) or 1.0)
    known = np.isfinite(share)
    if grid.nodata is not None:
        known &= values != grid.nodata
    at = np.clip(np.where(known, share, 0.0), 0.0, 1.0) * (len(stops) - 1)
    out = np.zeros((*values.shape, 4), np.uint8)
    for k in range(3):
        out[..., k] = np.round(255.0 * np.interp(at, np.arange(len(stops)), linear[:, k]))
    out[..., 3] = known
    return out, np.array([grid.origin_x, grid.origin_y])


def picture(
    buildings: Features,
    parts: Features,
    camera: Camera,
    when: datetime,
    *,
    edited: Collection[str] = (),
    layers: Mapping[str, Features] | None = None,
    overlay: Overlay | None = None,
    size: tuple[int, int] = (1600, 900),
) -> bytes:
    """PNG of a city.

    Args:
        buildings, parts: the city as it shall be shown (edits applied).
        camera: the eye.
        when: moment of the sun, with its time zone.
        edited: ids of buildings to tint.
        layers: what else lies on the ground where the twin has it: `roads` (lines with `width_m`), `water`, `green`, `parks` (areas).
        overlay: a result on the ground.
        size: width and height, pixels.

    Returns:
        The bytes of a PNG, 8 bits a channel, RGB.

    Raises:
        BadParameter: the moment has no time zone, or the size is out of range.
    """
    if not (16 <= size[0] <= 8000 and 16 <= size[1] <= 8000):
        raise BadParameter("size", f"{size} is out of range", remedy="give 16 to 8000 pixels a side")
    frame = parts.frame
    x, y = (float(v) for v in frame.from_lonlat(camera.lon, camera.lat))
    origin = np.array([round(x), round(y), 0.0])
    eye, view = view_of(frame, camera, origin)
    sun = sun_over(frame, x, y, when)
    mesh = parts_mesh(parts.table, frame)
    corners = np.round((mesh.vertices - origin)[mesh.triangles], 4)
    normals, owner = _normals(corners), _owners(buildings, parts, mesh.feature)
    cols, rows = size[0] * SAMPLES, size[1] * SAMPLES
    wide = math.tan(math.radians(camera.fov_deg) / 2)
    tan = (wide, wide * rows / cols) if cols >= rows else (wide * cols / rows, wide)
    seen, inverse = first_seen(_turned(corners, eye, view), *tan, rows, cols, cull=True, threads=processors())
    soil = _soil(layers or {}, origin, eye, view, tan, (rows, cols))
    place, facing = places(seen, inverse, normals, eye, view, *tan, SKY_STEP)
    boxes = _boxes(place, facing, eye)
    low, high = boxes[-1]
    sky = sky_light(place, facing, normals, corners, low, high, sky_directions(SKY_DIRECTIONS), SKY_SIDE)
    threads = processors()
    lights = tuple(light_from(sun, corners, *box, SUN_SIDE, threads) for box in boxes)
    laid, corner = (np.zeros((1, 1, 4), np.uint8), np.zeros(2)) if overlay is None else _ramp(overlay)
    colours = compose(
        seen, inverse, normals, owner, _tints(buildings, edited), _storeys(buildings), soil,
        np.array([one for _, one in GROUND], np.float32), facing, sky, eye, view, *tan, sun, lights, _looks(sun),
        laid, corner - origin[:2], 1.0 if overlay is None else overlay.grid.cell_m, 0.0 if overlay is None else overlay.opacity,
    )  # fmt: skip
    table = 255.0 * np.clip(np.linspace(0.0, 1.0, 8193), 0.0, 1.0) ** (1 / 2.2)
    return png(reduced(colours, table.astype(np.float32), SAMPLES))


def _looks(sun: Floats) -> Floats:
    """The lights for the sun's height: a low sun is warmer and weaker, below the horizon only the sky is left."""
    looks = LOOKS.copy()
    up = float(sun[2])
    low = max(0.0, 1.0 - up / 0.35)
    looks[3] *= np.array([1.0, 1.0 - 0.12 * low, 1.0 - 0.30 * low]) * min(1.0, max(0.0, up / 0.06))
    looks[2] *= 0.4 + 1.2 * low
    dusk = min(1.0, max(0.12, 1.0 + up / 0.12)) if up < 0 else 1.0
    looks[:6] *= dusk
    # one exposure for the height of the sun: level ground in the sun is always about as bright
    lit = float(looks[3].mean()) * max(up, 0.0) + float(looks[4].mean())
    looks[3:6] *= min(1.6, max(0.7, EXPOSED / max(lit, 1e-6)))
    return looks


def _normals(corners: Floats) -> NDArray[np.float32]:
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    n = np.stack(
        [
            a[:, 1] * b[:, 2] - a[:, 2] * b[:, 1],
            a[:, 2] * b[:, 0] - a[:, 0] * b[:, 2],
            a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0],
        ],
        axis=1,
    )
    size = np.sqrt(n[:, 0] ** 2 + n[:, 1] ** 2 + n[:, 2] ** 2)
    out: NDArray[np.float32] = (n / np.maximum(size, 1e-12)[:, None]).astype(np.float32)
    return out


def _owners(buildings: Features, parts: Features, feature: NDArray[np.int32]) -> NDArray[np.int32]:
    """The row of each triangle's building; one past the last where it has none."""
    import pandas as pd

    rows = pd.Index(buildings.table["id"]).get_indexer(parts.table["building"])
    out: NDArray[np.int32] = np.where(rows < 0, len(buildings), rows).astype(np.int32)[feature]
    return out


def _tints(buildings: Features, edited: Collection[str]) -> NDArray[np.float32]:
    """What colour each building is, float32[n + 1, 3]: pale, a little apart from its neighbour; edited ones stand out."""
    n = len(buildings)
    apart = ((np.arange(n + 1) * 7919) % 97) / 97.0 - 0.5
    tint = np.array(BUILDING) * (1.0 + 0.07 * apart[:, None] * np.array([1.0, 1.0, 1.1]))
    hit = np.append(buildings.table["id"].isin(list(edited)).to_numpy(bool), False)
    tint[hit] = EDITED
    pale: NDArray[np.float32] = tint.astype(np.float32)
    return pale


def _storeys(buildings: Features) -> NDArray[np.float32]:
    """Storey heights, float32[n + 1], 0 where unknown."""
    table = buildings.table
    known = table["storey_m"].to_numpy(float) if "storey_m" in table else np.zeros(len(table))
    return np.append(np.where(np.isfinite(known) & (known > 1.5), known, 0.0), 0.0).astype(np.float32)


def _boxes(place: NDArray[np.float32], facing: NDArray[np.int32], eye: Floats) -> list[tuple[Floats, Floats]]:
    """Boxes of what is shown, from the nearest share to all of it within reach."""
    some = place[::2, ::2][facing[::2, ::2] > -2].astype(float)
    far = np.sqrt((some[:, 0] - eye[0]) ** 2 + (some[:, 1] - eye[1]) ** 2 + (some[:, 2] - eye[2]) ** 2)
    some, far = some[far < REACH_M], far[far < REACH_M]
    if len(some) < 8:
        return [(np.full(3, -10.0), np.full(3, 10.0))] * len(SUN_SHARES)
    parts = [some[far <= np.quantile(far, share)] for share in SUN_SHARES]
    return [(one.min(axis=0) - 2, one.max(axis=0) + 2) for one in parts]
