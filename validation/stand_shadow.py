"""Sun on a stand behind one box and under its own canopy, against the box and the plane in closed form."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from twintown.processes.stands_place import CANOPY_M, EAVES_M, Block, Stand
from twintown.processes.stands_shade import Shade
from twintown.processes.stands_sun import sun_minutes
from validation.case import Measured, at, solstice

Floats = NDArray[np.float64]
#: The box: its middle, width east, depth north and height, metres; the stand north of it looks north-east.
BOX = (3.0, -20.0, 24.0, 10.0, 18.0)
FROM_H, TO_H = 9, 16


def box_shades(points: Floats, sun: Floats) -> NDArray[np.bool_]:
    """Whether a ray meets the box: where its three intervals between parallel planes have one in common, bool[points, rays]."""
    x, y, w, d, h = BOX
    low, high = np.array([x - w / 2, y - d / 2, 0.0]), np.array([x + w / 2, y + d / 2, h])
    with np.errstate(divide="ignore"):
        inverse = 1.0 / sun[None, :, :]
    t0, t1 = ((edge - points)[:, None, :] * inverse for edge in (low, high))
    enter, leave = np.minimum(t0, t1).max(axis=2), np.maximum(t0, t1).min(axis=2)
    found: NDArray[np.bool_] = (enter < leave) & (leave > 0)
    return found


def canopy_shades(stand: Stand, points: Floats, sun: Floats) -> NDArray[np.bool_]:
    """Whether a ray passes through the canopy: where it meets its plane, bool[points, rays]."""
    t = (CANOPY_M - points[:, None, 2]) / sun[None, :, 2]
    dx = points[:, None, 0] + t * sun[None, :, 0] - stand.x
    dy = points[:, None, 1] + t * sun[None, :, 1] - stand.y
    fx, fy = stand.facing
    ahead, across = dx * fx + dy * fy, dx * fy - dy * fx
    found: NDArray[np.bool_] = (np.abs(ahead) < stand.depth_m / 2 + EAVES_M) & (
        np.abs(across) < stand.width_m / 2 + EAVES_M
    )
    return found


def measure() -> Iterator[Measured]:
    """The same positions of the sun, and every second of the day."""
    x, y, w, d, h = BOX
    block = Block(Stand(x, y, (0.0, 1.0), w, d, 0.0), h)
    worst, rough = 0.0, 0.0
    for angle in (0.0, 50.0, 130.0, 230.0, 310.0):
        turned = np.radians(angle)
        for north in (-13.0, -6.0, 4.0, 19.0):
            stand = Stand(-4.0, north, (float(np.sin(turned)), float(np.cos(turned))), 4.0, 3.0)
            points = np.concatenate([stand.produce(), stand.queuing()])
            shade = Shade.of(np.concatenate([stand.canopy(), block.triangles()]))
            hours = TO_H - FROM_H
            steps = at(solstice(), np.arange(FROM_H * 60 + 2.5, TO_H * 60, 5.0))
            told = sun_minutes(points, shade, steps, hours)
            dark = box_shades(points, steps) | canopy_shades(stand, points, steps)
            exact = (~dark).reshape(len(points), hours, -1).sum(axis=2) * 5.0
            worst = max(worst, float(np.abs(told - exact).max()))
            fine = at(solstice(), np.arange(FROM_H * 60, TO_H * 60, 1 / 60) + 1 / 120)
            lit = ~(box_shades(points, fine) | canopy_shades(stand, points, fine))
            seconds = lit.reshape(len(points), hours, -1).sum(axis=2) / 60.0
            rough = max(rough, float(np.abs(told - seconds).max()))
    yield Measured(
        "rays.free_rays", "stand_shadow", "sun of an hour behind a box and under a canopy, 20 stands, same positions of the sun",
        worst, 0.0, "min",
    )  # fmt: skip
    yield Measured(
        "rays.free_rays", "stand_shadow", "the same against every second of the day (positions every 5 minutes)", rough, 5.0, "min"
    )  # fmt: skip
