"""A box on flat ground: the length of its shadow is h / tan(altitude), by hand."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from twintown.kernels.shadows import Field, lit_masks
from validation.case import Measured


def measure() -> Iterator[Measured]:
    """Shadow lengths along the ray for many bearings, in cells along the ray."""
    heights = np.zeros((401, 401), np.float32)
    heights[180:221, 180:221] = 40.0
    field = Field.of(heights, 1.0)
    worst = 0.0
    for bearing in range(0, 360, 15):
        for altitude in (15.0, 30.0, 60.0):
            b, a = math.radians(bearing), math.radians(altitude)
            s = np.array([[math.sin(b) * math.cos(a), math.cos(b) * math.cos(a), math.sin(a)]])
            lit = lit_masks(field, s, 1)[0]
            # from the middle of the box, away from the sun: where its own edge is, then where the shade ends
            r = np.arange(0.0, 190.0, 0.1)
            rows, cols = (
                np.floor(200.5 + r * math.cos(b)).astype(int),
                np.floor(200.5 - r * math.sin(b)).astype(int),
            )
            edge = 20.5 / max(abs(math.sin(b)), abs(math.cos(b)))
            dark = r[(lit[rows, cols] == 0) & (heights[rows, cols] == 0)]
            length = dark.max() - edge if len(dark) else 0.0
            worst = max(worst, abs(length - 40.0 / math.tan(a)) * max(abs(math.sin(b)), abs(math.cos(b))))
    yield Measured(
        "shadows.lit_masks",
        "ground_box",
        "length of a 40 m box's shadow, 24 bearings × 3 altitudes",
        worst,
        1.6,
        "cells",
    )
