"""Coordinate reference systems by reference: their names, the order of their axes, and coordinates from one to another.

OGC API - Features Part 2 (18-058r1) names a CRS by URI and lets coordinates stand in the order of the CRS's own axes:
latitude first in EPSG:4326, northing first in EPSG:5186 and 5179. Inside the house x is east and y is north always;
only what is read from a request or written into an answer is in the order of its CRS (`Crs.swap`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray
from pyproj.exceptions import CRSError

from .errors import BadParameter, BadSettings
from .frames import Frame, _transformer

Floats = NDArray[np.float64]
#: west, south, east, north in degrees (CRS84).
LonLat = tuple[float, float, float, float]

_OPENGIS = "http://www.opengis.net/def/crs"
_URI = re.compile(r"https?://www\.opengis\.net/def/crs/([A-Za-z]+)/[0-9.]+/([A-Za-z0-9]+)")
_URN = re.compile(r"urn:ogc:def:crs:([A-Za-z]+):[0-9.]*:([A-Za-z0-9]+)", re.IGNORECASE)
_CURIE = re.compile(r"([A-Za-z]+):([A-Za-z0-9]+)")
#: What a twin offers besides its frame: where on Earth it does not matter, and the country's own where it holds.
_EVERYWHERE = ("EPSG:4326", "EPSG:3857")
_NATIONAL = ("EPSG:5179",)
_PIECES = 16  # of each side of a box, so that its image in another CRS has its bend


@dataclass(frozen=True)
class Crs:
    """One coordinate reference system.

    Attributes:
        code: authority and code (`EPSG:5186`, `OGC:CRS84`).
        north_first: whether the first number of a position is latitude or northing.
        geographic: degrees instead of metres.
        title: the name that its authority gives it.
    """

    code: str
    north_first: bool
    geographic: bool
    title: str

    @property
    def uri(self) -> str:
        """`http://www.opengis.net/def/crs/EPSG/0/5186`."""
        authority, number = self.code.split(":")
        return f"{_OPENGIS}/{authority}/{'1.3' if authority == 'OGC' else '0'}/{number}"

    @property
    def curie(self) -> str:
        """The safe CURIE, `[EPSG:5186]`."""
        return f"[{self.code}]"

    @property
    def header(self) -> str:
        """The value of `Content-Crs` (OGC 18-058r1, requirement 16)."""
        return f"<{self.uri}>"

    @property
    def axes(self) -> tuple[str, str]:
        """The names of the first and the second axis as requests write them: Lat, Lon or N, E."""
        east, north = ("Lon", "Lat") if self.geographic else ("E", "N")
        return (north, east) if self.north_first else (east, north)

    def swap(self, geometries: NDArray[Any]) -> NDArray[Any]:
        """Geometries with x east as this CRS writes them, or back again: first and second numbers change places."""
        if not self.north_first:
            return geometries
        return _each(geometries, lambda xyz: xyz[:, [1, 0, *range(2, xyz.shape[1])]])


@lru_cache(maxsize=64)
def crs_of(code: str) -> Crs:
    """A CRS by authority and code; `OGC:CRS84` is longitude, latitude.

    Raises:
        BadSettings: PROJ does not know it.
    """
    try:
        known = pyproj.CRS.from_user_input(code)
    except CRSError as error:
        raise BadSettings(
            f"unknown CRS {code!r}", "crs", "give authority and code, such as EPSG:5186"
        ) from error
    first = known.axis_info[0].direction.lower() if known.axis_info else "east"
    return Crs(code, first in ("north", "south"), known.is_geographic, known.name)


CRS84 = Crs("OGC:CRS84", False, True, "WGS 84 longitude-latitude")


@lru_cache(maxsize=16)
def supported(frame_crs: str) -> tuple[Crs, ...]:
    """What a twin whose frame is `frame_crs` answers in: CRS84 first, its own frame (`storageCrs`) among the rest."""
    own = pyproj.CRS.from_user_input(frame_crs).area_of_use
    codes = [*_EVERYWHERE, frame_crs]
    if own is not None:
        lon, lat = (own.west + own.east) / 2, (own.south + own.north) / 2
        codes += [code for code in _NATIONAL if _holds(code, lon, lat)]
        codes.append(
            f"EPSG:{32600 if lat >= 0 else 32700}".removesuffix("00") + f"{int((lon + 180) // 6) + 1:02d}"
        )
    return (CRS84, *(crs_of(code) for code in dict.fromkeys(codes)))


def _holds(code: str, lon: float, lat: float) -> bool:
    area = pyproj.CRS.from_user_input(code).area_of_use
    return area is not None and area.west <= lon <= area.east and area.south <= lat <= area.north


def parse_crs(text: str, offered: Iterable[Crs], parameter: str = "crs") -> Crs:
    """The CRS that a request names by URI, URN, safe CURIE (`[EPSG:5186]`) or bare code (`EPSG:5186`, `CRS84`).

    Raises:
        BadParameter: it is no such name, or is not among `offered`.
    """
    choices = tuple(offered)
    name = text.strip()
    bare = name[1:-1] if name.startswith("[") and name.endswith("]") else name
    found = _URI.fullmatch(name) or _URN.fullmatch(name) or _CURIE.fullmatch(bare)
    code = (
        f"{found[1].upper()}:{found[2].upper()}" if found else "OGC:CRS84" if name.upper() == "CRS84" else ""
    )
    for one in choices:
        if one.code == code:
            return one
    raise BadParameter(
        parameter,
        f"{text[:80]!r} is not offered here" if code else f"{text[:80]!r} does not name a CRS",
        remedy=f"use one of {', '.join(one.uri for one in choices)}",
    )


def transform(xy: Floats, source: Crs, target: Crs) -> Floats:
    """float64[n, 2], x east and y north, from one CRS to another; what cannot be reached becomes infinite."""
    if source.code == target.code:
        return xy
    x, y = _transformer(_proj(source), _proj(target)).transform(xy[:, 0], xy[:, 1])
    return np.column_stack([np.asarray(x, float), np.asarray(y, float)])


def reproject(geometries: NDArray[Any], source: Crs, target: Crs) -> NDArray[Any]:
    """Geometries (x east, y north) in another CRS, still x east; heights stay as they are, None stays None."""
    if source.code == target.code:
        return geometries

    def move(xyz: Floats) -> Floats:
        return np.column_stack([transform(xyz[:, :2], source, target), xyz[:, 2:]])

    return _each(geometries, move)


def of_frame(frame: Frame) -> Crs:
    """The horizontal CRS of a frame."""
    return crs_of(frame.crs)


def _proj(crs: Crs) -> str:
    return "EPSG:4326" if crs.code == "OGC:CRS84" else crs.code  # always_xy makes the two one


def _each(geometries: NDArray[Any], move: Any) -> NDArray[Any]:
    """Positions of an array of geometries moved; those with heights and those without apart, so that none gains one."""
    several = np.asarray(geometries, object)
    out = several.copy()
    there = ~shapely.is_missing(several)
    high = there & shapely.has_z(several)
    for which, heights in ((there & ~high, False), (high, True)):
        if which.any():
            out[which] = shapely.transform(several[which], move, include_z=heights)
    return out


def parse_bbox(text: str, crs: Crs = CRS84, parameter: str = "bbox") -> tuple[LonLat, ...]:
    """The boxes in degrees that a `bbox` names, in the order of the axes of its CRS; six numbers drop the heights.

    A box in degrees whose west lies east of its east crosses the antimeridian: two boxes. A box in metres becomes the
    smallest box in degrees around its outline.

    Raises:
        BadParameter: naming what is wrong with it.
    """
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        raise _bad_box(parameter, crs, f"{text[:80]!r} is not a list of numbers") from None
    return boxes(numbers, crs, parameter)


def boxes(numbers: Sequence[float], crs: Crs = CRS84, parameter: str = "bbox") -> tuple[LonLat, ...]:
    """What `parse_bbox` says, of numbers."""
    xmin, ymin, xmax, ymax = sides = corners(numbers, crs, parameter)
    if crs.geographic:
        if xmin <= xmax:
            return (sides,)
        return ((xmin, ymin, 180.0, ymax), (-180.0, ymin, xmax, ymax))
    lonlat = transform(edge_of(sides), crs, CRS84)
    if not np.isfinite(lonlat).all():
        raise _bad_box(parameter, crs, "the box lies outside of where its CRS holds")
    (west, south), (east, north) = lonlat.min(axis=0), lonlat.max(axis=0)
    return ((float(west), float(south), float(east), float(north)),)


def corners(numbers: Sequence[float], crs: Crs, parameter: str = "bbox") -> LonLat:
    """xmin, ymin, xmax, ymax with x east, in the units of the CRS, of 4 or 6 numbers in the order of its axes.

    Raises:
        BadParameter: as `parse_bbox`.
    """
    if len(numbers) not in (4, 6):
        raise _bad_box(parameter, crs, f"{len(numbers)} numbers instead of 4 or 6")
    if not all(math.isfinite(number) for number in numbers):
        raise _bad_box(parameter, crs, "numbers must be finite")
    half = len(numbers) // 2
    (a, b), (c, d) = numbers[:2], numbers[half : half + 2]
    xmin, ymin, xmax, ymax = (b, a, d, c) if crs.north_first else (a, b, c, d)
    if crs.geographic:
        if abs(ymin) > 90 or abs(ymax) > 90:
            raise _bad_box(parameter, crs, "a latitude beyond 90")
        if abs(xmin) > 180 or abs(xmax) > 180:
            raise _bad_box(parameter, crs, "a longitude beyond 180")
    elif xmin > xmax:
        raise _bad_box(parameter, crs, "its west lies east of its east")
    if ymin > ymax:
        raise _bad_box(parameter, crs, "its south lies above its north")
    return (float(xmin), float(ymin), float(xmax), float(ymax))


def outline(numbers: Sequence[float], crs: Crs, parameter: str = "bbox") -> shapely.Polygon:
    """The box itself in longitude and latitude, its bent sides in pieces; for where the box around it is too much."""
    return shapely.Polygon(transform(edge_of(corners(numbers, crs, parameter)), crs, CRS84))


def edge_of(sides: LonLat) -> Floats:
    """The outline of xmin, ymin, xmax, ymax, closed, each side in pieces: float64[n, 2]."""
    xmin, ymin, xmax, ymax = sides
    ring = np.array([[xmin, ymin], [xmax, ymin], [xmax, ymax], [xmin, ymax], [xmin, ymin]])
    t = np.linspace(0.0, 1.0, _PIECES, endpoint=False)[None, :, None]
    pieces = ring[:-1, None, :] + t * (ring[1:] - ring[:-1])[:, None, :]
    return np.vstack([pieces.reshape(-1, 2), ring[-1:]])


def _bad_box(parameter: str, crs: Crs, what: str) -> BadParameter:
    first, second = (axis.lower() for axis in crs.axes)
    example = {
        ("Lon", "Lat"): "127.09,37.50,127.12,37.52", ("Lat", "Lon"): "37.50,127.09,37.52,127.12",
    }.get(crs.axes, "")  # fmt: skip
    such = f", such as {example}" if example else ""
    return BadParameter(
        parameter,
        what,
        remedy=f"write {first},{second} of the lower and of the upper corner in {crs.code}{such}",
    )
