"""Coordinates that strangers wrote: are they numbers, the right way round, in the CRS that is claimed, anywhere near here?"""

from __future__ import annotations

import numpy as np
import pyproj
from numpy.typing import NDArray
from pyproj.exceptions import CRSError

from twintown.ground.bounds import Bounds
from twintown.ground.errors import BadData, BadSettings
from twintown.ground.frames import Frame

Floats = NDArray[np.float64]
#: Farther than this (m) from the bounds a file is of another place, or in another CRS.
NEAR_M = 100_000.0
#: What Korean files are in, tried in turn to say what would fit.
CANDIDATES = (
    "EPSG:4326",
    "EPSG:5186",
    "EPSG:5179",
    "EPSG:5174",
    "EPSG:5181",
    "EPSG:5187",
    "EPSG:5185",
    "EPSG:2097",
    "EPSG:3857",
    "EPSG:32652",
)


def _lands(
    frame: Frame, crs: str, x: Floats, y: Floats, box: Bounds
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Coordinates in the frame, and which of them lie in the box."""
    with np.errstate(invalid="ignore"):
        u, v = frame.from_crs(crs, x, y)
        inside = (
            np.isfinite(u)
            & np.isfinite(v)
            & (u >= box.xmin)
            & (u <= box.xmax)
            & (v >= box.ymin)
            & (v <= box.ymax)
        )
    return u, v, inside


def in_frame(
    x: Floats, y: Floats, crs: str, frame: Frame, bounds: Bounds, where: str
) -> tuple[Floats, Floats]:
    """Coordinates (x east or longitude, y north or latitude) in the frame, metres; all finite.

    Rows far away are left to the clipping as long as some lie near the bounds.

    Raises:
        BadData: swapped, in another CRS than is said, or all of another place.
        BadSettings: an unknown CRS.
    """
    try:
        geographic = pyproj.CRS.from_user_input(crs).is_geographic
    except CRSError as error:
        raise BadSettings(
            f"unknown CRS {crs!r}", where, "give an authority and code, such as EPSG:4326"
        ) from error
    if not len(x):
        return x, y
    near = bounds.buffer(NEAR_M)
    u, v, straight = _lands(frame, crs, x, y, near)
    if straight.mean() > 0.999:
        return u, v
    turned = _lands(frame, crs, y, x, near)[2] & ~straight
    if turned.any() and not straight.any():
        what = "x and y are swapped (latitude where longitude should be)"
        raise BadData(what if geographic else "x and y are swapped", where, "swap the options x and y")
    if turned.any():
        row = int(np.flatnonzero(turned)[0])
        what = f"some rows have x and y swapped (the first is number {row + 1}: {x[row]:.7g}, {y[row]:.7g})"
        raise BadData(what, where, "mend these rows")
    if straight.any():
        finite = np.isfinite(u) & np.isfinite(v)
        return np.where(finite, u, 1e12), np.where(finite, v, 1e12)  # somewhere out of any bounds
    at = f"about x = {np.median(x):.6g}, y = {np.median(y):.6g}"
    for one, (a, b), extra in (
        (c, *way) for way in (((x, y), ""), ((y, x), " and swap x and y")) for c in CANDIDATES
    ):
        if one != crs and _plausible(one, a, b) and _lands(frame, one, a, b, near)[2].mean() > 0.5:
            swap = ", swapped" if extra else ""
            what = f"the coordinates ({at}) are not in {crs}; {one} would put them here{swap}"
            raise BadData(what, where, f'set crs = "{one}"{extra}')
    if geographic and ((np.abs(y) > 90.0) | (np.abs(x) > 180.0)).any():
        raise BadData(f"the coordinates ({at}) are not degrees", where, "set crs to what they are in")
    far = f"all {len(x):,} coordinates ({at}) lie more than {NEAR_M / 1000:.0f} km from the bounds"
    raise BadData(far, where, "check bounds, crs, and that it is the right file")


def _plausible(crs: str, x: Floats, y: Floats) -> bool:
    """Degrees look like degrees, metres like metres."""
    degrees = bool((np.abs(x) <= 180).all() and (np.abs(y) <= 90).all())
    return degrees == (crs == "EPSG:4326")
