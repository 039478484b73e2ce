"""A stage in the open: 6 dB less a doubling of the distance, the air's share by hand, and less behind the loudspeakers."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from twintown.kernels.sound import BANDS_HZ, atmospheric, detours, screening
from twintown.processes.stage_sound import A_WEIGHT_DB, BEHIND_BANDS_DB, directivity, levels
from validation.case import Measured


def measure() -> Iterator[Measured]:
    """Levels at 10, 20, … 320 m and the air's attenuation of ISO 9613-2 table 2."""
    far = np.array([10.0, 20.0, 40.0, 80.0, 160.0, 320.0])
    nothing = np.zeros((len(far), len(BANDS_HZ)))
    # the air taken off again, band by band, leaves the divergence alone: 20 lg 2 a doubling
    air = atmospheric(far - 10.0)
    level, _ = levels(95.0, far, -air)
    steps = np.diff(level)
    yield Measured(
        "stage_sound.levels", "sound_free_field", "loss a doubling from 10 to 320 m against 20 lg 2, without air",
        float(np.abs(steps + 20.0 * math.log10(2.0)).max()), 1e-9, "dB",
    )  # fmt: skip
    yield Measured(
        "stage_sound.levels",
        "sound_free_field",
        "level at 10 m against the stated",
        abs(float(level[0]) - 95.0),
        1e-9,
        "dB",
    )
    # the air over 100 m by the table's numbers, one band after the other
    weights = [10.0 ** (a / 10.0) for a in A_WEIGHT_DB]
    table = (0.1, 0.3, 1.1, 2.8, 5.0, 9.0, 22.9, 76.6)
    kept = sum(w * 10.0 ** (-0.1 * a / 10.0) for w, a in zip(weights, table, strict=True)) / sum(weights)
    by_hand = 95.0 - 20.0 * math.log10(11.0) + 10.0 * math.log10(kept)
    found, _ = levels(95.0, np.array([110.0]), nothing[:1])
    yield Measured(
        "stage_sound.levels", "sound_free_field", "level at 110 m, the air by hand from its table",
        abs(float(found[0]) - by_hand), 1e-9, "dB",
    )  # fmt: skip
    source = np.array([3.0, -7.0, 4.0])
    place = np.array([[100.0, 20.0], [-50.0, 80.0], [3.0, 60.0]])
    ways = detours(
        source, place, np.arange(4), np.array([1.5, 12.0, 30.0]), np.zeros((0, 8)), np.zeros(1, np.int64)
    )
    yield Measured(
        "sound.screening",
        "sound_free_field",
        "screening where nothing stands",
        float(screening(ways).max()),
        0.0,
        "dB",
    )
    around = np.array([[0.0, 10.0], [10.0, 0.0], [0.0, -10.0]])
    aside = directivity(around, np.zeros(3), (0.0, 1.0))
    wanted = np.outer([0.0, 0.5, 1.0], BEHIND_BANDS_DB)
    yield Measured(
        "stage_sound.directivity", "sound_free_field", "before, beside and behind the loudspeakers",
        float(np.abs(aside - wanted).max()), 1e-9, "dB",
    )  # fmt: skip
