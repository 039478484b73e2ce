"""What a case measures, and the sun that the analytic cases share."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twintown.kernels.crossings import Columns, Curtains, Sun

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Measured:
    """One error of one kernel in one case. `known`: why it is beyond its tolerance, where it is."""

    kernel: str
    case: str
    what: str
    error: float
    tolerance: float
    unit: str
    known: str = ""

    def __post_init__(self) -> None:
        if " " in self.unit or "|" in self.what:
            raise ValueError(
                f"{self.case}: a unit is one word and a text has no |, so that programs read the table too"
            )

    @property
    def holds(self) -> bool:
        """Whether the error is within its tolerance."""
        return bool(abs(self.error) <= self.tolerance)


def solstice(lat_deg: float = 37.51) -> Floats:
    """C, A, B of the winter solstice's sun in solar time, closed form: float64[3, 3], east, north, up."""
    lat, dec = math.radians(lat_deg), math.radians(-23.44)
    sd, cd, sl, cl = math.sin(dec), math.cos(dec), math.sin(lat), math.cos(lat)
    return np.array([[0.0, cl * sd, sl * sd], [0.0, -sl * cd, cl * cd], [-cd, 0.0, 0.0]])


def at(circle: Floats, minutes: Floats) -> Floats:
    """Vectors to the sun, float64[n, 3], at minutes after midnight."""
    theta = (np.asarray(minutes, float) - 720.0) * 2 * math.pi / 1440.0
    return circle[0] + np.cos(theta)[:, None] * circle[1] + np.sin(theta)[:, None] * circle[2]


def sun(circle: Floats) -> Sun:
    """The rule's windows for a circle, for the facade kernel."""
    ends = at(circle, np.array([480.0, 960.0]))
    angle = [(m - 720.0) * 2 * math.pi / 1440.0 for m in (480.0, 960.0, 540.0, 900.0)]
    lowest = float((ends[:, 2] / np.hypot(ends[:, 0], ends[:, 1])).min())
    return Sun(circle, np.array([angle[:2]]), np.array(angle[2:]), lowest)


def solid(ring: Floats, top: float, base: float = 0.0) -> Floats:
    """The curtains of a flat-roofed solid over an anticlockwise ring, float64[n, 8]."""
    nxt = np.roll(ring, -1, axis=0)
    rest = np.tile([top, top, base, 1.0 if base <= 0 else 0.0], (len(ring), 1))
    return np.hstack([ring, nxt, rest])


def curtains(solids: list[Floats]) -> Curtains:
    """Several solids, each its own owner."""
    discs = []
    for s in solids:
        xy = np.vstack([s[:, :2], s[:, 2:4]])
        centre = (xy.min(axis=0) + xy.max(axis=0)) / 2
        discs.append((*centre, np.hypot(*(xy - centre).T).max(), s[:, 4:6].max()))
    first = np.concatenate([[0], np.cumsum([len(s) for s in solids])]).astype(np.int64)
    return Curtains(
        np.ascontiguousarray(np.vstack(solids)),
        first,
        np.array(discs),
        np.arange(len(solids), dtype=np.int64),
    )


def columns(places: list[tuple[float, float, float, float]], heights: list[list[float]]) -> Columns:
    """Columns at x, y with outward normal east, north, each with its heights."""
    first = np.concatenate([[0], np.cumsum([len(h) for h in heights])]).astype(np.int64)
    return Columns(np.array(places, float), first, np.array([z for h in heights for z in h], float))


def box(x0: float, y0: float, x1: float, y1: float) -> Floats:
    """The anticlockwise ring of a rectangle."""
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])


SECOND = np.arange(480.0, 960.0, 1.0 / 60.0) + 0.5 / 60.0


def tally(lit: NDArray[np.bool_], minutes: Floats = SECOND) -> tuple[float, float]:
    """Minutes lit in all and the longest run within 9–15, of a lit mask sampled at equal steps."""
    step = float(minutes[1] - minutes[0])
    inside = lit[(minutes >= 540) & (minutes <= 900)].astype(int)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], inside, [0]])))
    runs = edges[1::2] - edges[::2]
    return float(lit.sum()) * step, float(runs.max() if len(runs) else 0) * step
