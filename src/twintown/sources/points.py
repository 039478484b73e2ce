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
CANDIDATES = ("EPSG:4326", "EPSG:5186", "EPSG:5179", "EPSG:5174", "EPSG:5181", "EPSG:5187", "EPSG:5185", "EPSG:2097", "EPSG:3857", "EPSG:32652")


def _lands(frame: Frame, crs: str, x: Floats, y: Floats, box: Bounds) -> tuple[Floats, Floats, float]:
    """Coordinates in the frame, and the share of them that lies in the box."""
    with np.errstate(invalid="ignore"):
        u, v = frame.from_crs(crs, x, y)
        inside = np.isfinite(u) & np.isfinite(v) & (u >= box.xmin) & (u <= box.xmax) & (v >= box.ymin) & (v <= box.ymax)
    return u, v, float(inside.mean()) if len(u) else 0.0


def in_frame(x: Floats, y: Floats, crs: str, frame: Frame, bounds: Bounds, where: str) -> tuple[Floats, Floats]:
    """Coordinates (x east or longitude, y north or latitude) in the frame, metres; all finite.

    Rows far away are left to the clipping as long as some lie near the bounds.

    Raises:
        BadData: swapped, in another CRS than is said, or all of another place.
        BadSettings: an unknown CRS.
    """
    try:
        geographic = pyproj.CRS.from_user_input(crs).is_geographic
    except CRSError as error:
        raise BadSettings(f"unknown CRS {crs!r}", where, "give an authority and code, such as EPSG:4326") from error
    if not len(x):
        return x, y
    near = bounds.buffer(NEAR_M)
    out_of_range = geographic & ((np.abs(y) > 90.0) | (np.abs(x) > 180.0))
    if np.any(out_of_range) or not (landed := _lands(frame, crs, x, y, near))[2]:
        swapped = _lands(frame, crs, y, x, near)[2] if not geographic or (np.abs(x) <= 90).mean() > 0.5 else 0.0
        if swapped > 0.5:
            raise BadData("x and y are swapped (latitude where longitude should be)", where, "swap the options x and y")
        fits = next((one for one in CANDIDATES if one != crs and _plausible(one, x, y) and _lands(frame, one, x, y, near)[2] > 0.5), None)
        turned = next((one for one in CANDIDATES if one != crs and _plausible(one, y, x) and _lands(frame, one, y, x, near)[2] > 0.5), None)
        at = f"about x = {np.median(x):.6g}, y = {np.median(y):.6g}"
        if fits:
            raise BadData(f"the coordinates ({at}) are not in {crs}; {fits} would put them here", where, f'set crs = "{fits}"')
        if turned:
            raise BadData(f"the coordinates ({at}) are not in {crs} and swapped; {turned} would put them here", where, f'set crs = "{turned}" and swap x and y')
        if np.any(out_of_range):
            raise BadData(f"the coordinates ({at}) are not degrees", where, "set crs to what they are in")
        raise BadData(f"all {len(x):,} coordinates ({at}) lie more than {NEAR_M / 1000:.0f} km from the bounds", where, "check bounds, crs, and that it is the right file")
    if geographic and len(x) and _lands(frame, crs, y, x, near)[2] > 0.05 and (np.abs(x) <= 90).any():
        row = int(np.flatnonzero(np.abs(x) <= 90)[0])
        raise BadData(f"some rows have x and y swapped (the first is number {row + 1}: {x[row]:.6g}, {y[row]:.6g})", where, "mend these rows")
    return landed[0], landed[1]


def _plausible(crs: str, x: Floats, y: Floats) -> bool:
    """Degrees look like degrees, metres like metres."""
    degrees = bool((np.abs(x) <= 180).all() and (np.abs(y) <= 90).all())
    return degrees == (crs == "EPSG:4326")
