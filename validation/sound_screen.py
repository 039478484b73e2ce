"""Screens whose attenuation is known: thin walls against Kurze and Anderson's fit of Maekawa's measurements, and ISO 9613-2 by hand.

Kurze and Anderson (1971): 5 + 20 lg(√(2πN) / tanh √(2πN)) dB for the Fresnel number N = 2 z/λ. It tells of the screen alone, so C₂ is 40
here (no reflection from the ground within it, equation 14); the town uses 20.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from twintown.kernels.sound import BANDS_HZ, SPEED, detours, screening
from validation.case import Measured, box, solid

Floats = NDArray[np.float64]
ONE = np.array([0, 1], np.int64)


def wall(x: float, half: float, top: float) -> Floats:
    """One upright wall across the x axis."""
    return np.array([[x, -half, x, half, top, top, 0.0, 0.0]])


def ways(segments: Floats, source: tuple[float, float, float], at: tuple[float, float, float]) -> Floats:
    """The three ways past one solid."""
    first = np.array([0, len(segments)], np.int64)
    return detours(np.array(source), np.array([at[:2]]), ONE, np.array([at[2]]), segments, first)


def over(source: tuple[float, float, float], x: float, top: float, at: tuple[float, float, float]) -> float:
    """Path difference over a wall across the x axis, by Pythagoras."""
    return (
        math.hypot(x - source[0], top - source[2])
        + math.hypot(at[0] - x, at[2] - top)
        - math.dist(source, at)
    )


def measure() -> Iterator[Measured]:
    """Path differences, thin screens, a thick block, both sides, and the limits of 20 and 25 dB."""
    source, at = (0.0, 0.0, 4.0), (100.0, 0.0, 1.5)
    worst = 0.0
    for x in (5.0, 20.0, 60.0, 95.0):
        for top in (5.0, 8.0, 20.0, 60.0):
            worst = max(worst, abs(ways(wall(x, 1e5, top), source, at)[0, 0, 0] - over(source, x, top, at)))
    yield Measured(
        "sound.detours", "sound_screen", "path difference over 16 walls, by Pythagoras", worst, 1e-9, "m"
    )

    apart = []
    near, beyond = (0.0, 0.0, 2.0), (10.0, 0.0, 1.5)  # so near that the weather (K_met) does nothing
    for top in (2.5, 3.0, 4.0, 6.0):
        found = ways(wall(5.0, 1e6, top), near, beyond)
        z = over(near, 5.0, top, beyond)
        loss = screening(found, c2=40.0)[0]
        for band, hertz in enumerate(BANDS_HZ):
            n = 2.0 * z * hertz / SPEED
            root = math.sqrt(2.0 * math.pi * n)
            fit = 5.0 + 20.0 * math.log10(root / math.tanh(root))
            if fit <= 19.0:  # both are cut off at 20 dB
                apart.append(abs(loss[band] - fit))
    what = f"thin walls against Kurze and Anderson's fit of Maekawa, {len(apart)} bands"
    yield Measured("sound.screening", "sound_screen", what, max(apart), 0.7, "dB")

    # ISO 9613-2 by hand: a block 20 m deep and 12 m high, so wide that nothing comes around it
    block = solid(box(30.0, -1e5, 50.0, 1e5), 12.0)
    dss, e, dsr = math.hypot(30.0, 8.0), 20.0, math.hypot(50.0, 10.5)
    d = math.dist(source, at)
    z = dss + e + dsr - d
    found = ways(block, source, at)
    loss = screening(found)[0]
    worst = 0.0
    for band, hertz in enumerate(BANDS_HZ):
        wave = SPEED / hertz
        c3 = (1.0 + (5.0 * wave / e) ** 2) / (1.0 / 3.0 + (5.0 * wave / e) ** 2)
        met = math.exp(-math.sqrt(dss * dsr * d / (2.0 * z)) / 2000.0)
        worst = max(worst, abs(loss[band] - min(25.0, 10.0 * math.log10(3.0 + 20.0 / wave * c3 * z * met))))
    yield Measured(
        "sound.screening", "sound_screen", "a wide block of two edges, ISO 9613-2 by hand", worst, 1e-3, "dB"
    )

    narrow = solid(box(30.0, -10.0, 50.0, 14.0), 500.0)
    left, right = (math.hypot(30.0, s) + 20.0 + math.hypot(50.0, s) for s in (14.0, 10.0))
    found = ways(narrow, source, at)[0]
    rise = at[2] - source[2]
    wanted = sorted(math.hypot(one, rise) - d for one in (left, right))
    yield Measured(
        "sound.detours", "sound_screen", "ways around both sides of a tower, by Pythagoras",
        float(np.abs(np.sort(found[1:, 0]) - wanted).max()), 1e-9, "m",
    )  # fmt: skip
    high = screening(ways(wall(20.0, 1e6, 80.0), source, at))[0].max()
    thick = screening(ways(solid(box(30.0, -1e5, 50.0, 1e5), 80.0), source, at))[0].max()
    yield Measured(
        "sound.screening", "sound_screen", "limit of one edge, 20 dB", abs(high - 20.0), 0.01, "dB"
    )
    yield Measured(
        "sound.screening", "sound_screen", "limit of several edges, 25 dB", abs(thick - 25.0), 0.01, "dB"
    )
