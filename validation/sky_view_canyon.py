"""The sky view factor on the floor of an infinitely long canyon: (cos β₁ + cos β₂) / 2 [johnson1984]."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from twintown.kernels.horizon import accumulate, sines
from twintown.kernels.lines import Field
from twintown.processes.year_sky import compass
from validation.case import Floats, Measured


def sky_view(heights: np.ndarray, count: int = 360) -> Floats:
    """Sky view factor of each cell (m = cells), as the process `year` finds it."""
    share = np.rint((1.0 - sines() ** 2) * 65536.0).astype(np.int32)[None, :, None]
    found, _ = accumulate(Field.of(heights, 1.0), compass(count), share, 2.0**-5)
    return np.asarray(found[:, :, 0] / (65536.0 * count))


def measure() -> Iterator[Measured]:
    """Canyons 20 m wide, walls of 5 to 40 m, everywhere 2 m and more from a wall; 180 and 360 directions."""
    for count in (180, 360):
        worst = 0.0
        for high in (5.0, 10.0, 20.0, 40.0):
            heights = np.full((60, 4001), high, np.float32)
            heights[20:40] = 0.0
            seen = sky_view(heights, count)[22:38, 2000]
            near = np.arange(22, 38) - 19.5  # from the face of the northern wall, and of the southern
            far = 20.0 - near
            exact = (near / np.hypot(near, high) + far / np.hypot(far, high)) / 2
            worst = max(worst, float(np.abs(seen - exact).max()))
        yield Measured(
            "horizon.accumulate", "sky_view_canyon",
            f"sky view 2 m and more from the walls of a canyon 20 m wide and 5–40 m high, {count} directions", worst,
            0.03, "1",
        )  # fmt: skip
