"""How loud a stage is before the windows around it: an estimate by distance, air and screening [iso9613_2].

Ground is taken as hard everywhere and its gain as what is within the level at 10 m already; the loudspeakers as less loud
behind from the middle octaves on; walls opposite as reflecting nothing; the level as that of the sound that arrives, without the
facade's own reflection (3 dB where it is measured close before it).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twintown.ground.bounds import Bounds
from twintown.kernels.sound import atmospheric, detours, screening

from .stage_city import City
from .stage_place import Stage

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
#: Where the level is stated, and how far windows are asked, metres.
AT_M, REACH_M = 10.0, 300.0
#: A-weighting of the octave bands from 63 Hz to 8 kHz, dB (IEC 61672-1); the music is taken as pink, alike in every octave (assumed).
A_WEIGHT_DB = (-26.2, -16.1, -8.6, -3.2, 0.0, 1.2, 1.0, -1.1)
#: How much less loud loudspeakers are right behind than before them, by octave band, dB; between by (1 − cos) / 2 (assumed, cautious).
BEHIND_BANDS_DB = (0.0, 0.0, 3.0, 6.0, 6.0, 6.0, 6.0, 6.0)
BEHIND_DB = max(BEHIND_BANDS_DB)
#: The standard's own accuracy for broadband noise up to 1 km without screening or reflections (table 5); behind obstacles (assumed), dB.
ERROR_DB, ERROR_SCREENED_DB = 3.0, 5.0
#: From which screening on a point counts as behind something, dB.
SCREENED_DB = 1.0


@dataclass(frozen=True)
class Windows:
    """Levels before facade points. `xy` float64[n, 2] from the scene's origin, `z` float64[n], metres; `building` int64[n]: its number;
    `distance_m`; `level_db` dB(A); `screening_db`: by how much what stands in between weakens it; `error_db`.
    """

    xy: Floats
    z: Floats
    building: Ints
    distance_m: Floats
    level_db: Floats
    screening_db: Floats
    error_db: Floats

    def loudest(self, most: int) -> Ints:
        """The loudest point of each building, the loudest buildings first, int64[≤ most]."""
        order = np.lexsort((np.arange(len(self.z)), -np.round(self.level_db, 3)))
        _, first = np.unique(self.building[order], return_index=True)
        return order[np.sort(first)][:most]


def shares() -> Floats:
    """Of the A-weighted energy of the music, by octave band, float64[8], adding up to 1."""
    energy = 10.0 ** (np.asarray(A_WEIGHT_DB) / 10.0)
    found: Floats = energy / energy.sum()
    return found


def directivity(xy: Floats, source: Floats, facing: tuple[float, float]) -> Floats:
    """What is missing of each octave band beside and behind the loudspeakers, dB, float64[n, 8]: −D_c of the standard's equation 3."""
    to = xy - source[:2]
    cosine = (to @ np.asarray(facing)) / np.maximum(np.sqrt((to**2).sum(axis=1)), 1e-9)
    found: Floats = ((1.0 - cosine) / 2.0)[:, None] * np.asarray(BEHIND_BANDS_DB)[None, :]
    return found


def levels(
    level_db: float, distance_m: Floats, bars_db: Floats, aside_db: Floats | float = 0.0
) -> tuple[Floats, Floats]:
    """Level and screening, dB(A), float64[n] each, at distances from a source that is `level_db` loud at `AT_M` in the open.

    `bars_db` float64[n, 8]: what obstacles take of each band; `aside_db` likewise: what the loudspeakers do not send there.
    A_div = 20 lg(d / 10 m), and A_atm beyond 10 m (equations 7, 8).
    """
    far = np.maximum(distance_m, 1.0)
    spreading = 20.0 * np.log10(far / AT_M)
    air = atmospheric(np.maximum(far - AT_M, 0.0)) + aside_db
    part = shares()
    free = 10.0 * np.log10((part * 10.0 ** (-air / 10.0)).sum(axis=1))
    behind = 10.0 * np.log10((part * 10.0 ** (-(air + bars_db) / 10.0)).sum(axis=1))
    return level_db - spreading + behind, free - behind


def windows_of(city: City, stage: Stage, area: Bounds | None = None, reach_m: float = REACH_M) -> Windows:
    """The levels before all facade points within a reach of a stage; only those within an area (metres of the frame) where one is given."""
    place, first, z, owner = city.windows
    source = stage.source
    source[:2] = city.local(source[:2])
    counts = ~np.isin(owner, [i for i, one in enumerate(city.scene.ids) if one in city.open_stages])
    flat = np.sqrt(((place - source[:2]) ** 2).sum(axis=1)) if len(place) else np.zeros(0)
    if area is not None:
        low, high = city.local(np.array([[area.xmin, area.ymin], [area.xmax, area.ymax]]))
        counts &= ((place >= low) & (place <= high)).all(axis=1)
    chosen = np.flatnonzero(counts & (flat <= reach_m))
    sizes = np.diff(first)[chosen]
    begins = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    points = np.arange(begins[-1]) - np.repeat(begins[:-1], sizes) + np.repeat(first[chosen], sizes)
    column = np.repeat(chosen, sizes)
    heights = z[points]
    segments, solids = city.curtains(city.near(source[:2], reach_m))
    ways = detours(source, place[chosen], begins, heights, segments, solids)
    distance = np.sqrt(flat[column] ** 2 + (heights - source[2]) ** 2)
    bars = screening(ways)
    level, bar = levels(stage.level_db, distance, bars, directivity(place[column], source, stage.facing))
    error = np.where(bar >= SCREENED_DB, ERROR_SCREENED_DB, ERROR_DB)
    return Windows(place[column], heights, owner[column], distance, level, bar, error)
