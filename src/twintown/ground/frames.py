"""Frames: where the numbers of a shape are. One horizontal CRS in metres, one vertical datum, one declared geoid.

PROJ falls back silently to a ballpark of tens of metres between EPSG:5193 and ellipsoidal heights where the geoid's grid
is not installed. So the undulation is ours, declared with its source, and only ellipsoidal heights go through PROJ.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyproj
from numpy.typing import ArrayLike, NDArray
from pyproj.exceptions import CRSError

from .bounds import Bounds
from .errors import BadSettings

Floats = NDArray[np.float64]


@lru_cache(maxsize=64)
def _transformer(source: str, target: str) -> pyproj.Transformer:
    return pyproj.Transformer.from_crs(source, target, always_xy=True)


@lru_cache(maxsize=16)
def _projection(crs: str) -> pyproj.Proj:
    return pyproj.Proj(crs)


@dataclass(frozen=True)
class Frame:
    """Metres east and north in `crs`, metres above the geoid in `vertical`.

    Args:
        crs: a projected CRS in metres, by authority and code (`EPSG:5186`).
        vertical: the datum of heights (`EPSG:5193`).
        undulation_m: height of the geoid above the ellipsoid, declared constant over the twin, metres.
        undulation_source: where that number is from, with its error.

    Raises:
        BadSettings: the CRS is unknown or not projected in metres.
    """

    crs: str
    vertical: str = "EPSG:5193"
    undulation_m: float = 0.0
    undulation_source: str = "not declared"

    def __post_init__(self) -> None:
        try:
            crs = pyproj.CRS.from_user_input(self.crs)
        except CRSError as error:
            raise BadSettings(
                f"unknown CRS {self.crs!r}", "frame.crs", "give an authority and code, such as EPSG:5186"
            ) from error
        if not crs.is_projected or abs(crs.axis_info[0].unit_conversion_factor - 1.0) > 1e-12:
            raise BadSettings(
                f"{self.crs} is not projected in metres",
                "frame.crs",
                "use a projected CRS, such as EPSG:5186",
            )

    def to_lonlat(self, x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
        """Longitude and latitude (degrees, WGS 84) of eastings and northings (m)."""
        lon, lat = _transformer(self.crs, "EPSG:4326").transform(np.asarray(x, float), np.asarray(y, float))
        return np.asarray(lon), np.asarray(lat)

    def from_lonlat(self, lon: ArrayLike, lat: ArrayLike) -> tuple[Floats, Floats]:
        """Eastings and northings (m) of longitude and latitude (degrees, WGS 84)."""
        x, y = _transformer("EPSG:4326", self.crs).transform(np.asarray(lon, float), np.asarray(lat, float))
        return np.asarray(x), np.asarray(y)

    def from_crs(self, crs: str, x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
        """Eastings and northings (m) of coordinates in another CRS, x first whatever its axis order."""
        u, v = _transformer(crs, self.crs).transform(np.asarray(x, float), np.asarray(y, float))
        return np.asarray(u), np.asarray(v)

    def ellipsoidal(self, h: ArrayLike) -> Floats:
        """Heights above the ellipsoid (m) of heights above the geoid (m)."""
        return np.asarray(h, float) + self.undulation_m

    def to_ecef(self, x: ArrayLike, y: ArrayLike, h: ArrayLike) -> tuple[Floats, Floats, Floats]:
        """Earth-centred coordinates (m, EPSG:4978) of eastings, northings and orthometric heights (m)."""
        lon, lat = self.to_lonlat(x, y)
        out = _transformer("EPSG:4979", "EPSG:4978").transform(
            lon, lat, np.broadcast_to(self.ellipsoidal(h), lon.shape)
        )
        return np.asarray(out[0]), np.asarray(out[1]), np.asarray(out[2])

    def enu_matrix(self, x: float, y: float, h: float) -> Floats:
        """float64[4,4], column vectors: local east, north, up (m, true north) about the point to earth-centred."""
        lon, lat = (float(v) for v in self.to_lonlat(x, y))
        sl, cl, sp, cp = (
            np.sin(np.radians(lon)),
            np.cos(np.radians(lon)),
            np.sin(np.radians(lat)),
            np.cos(np.radians(lat)),
        )
        matrix = np.eye(4)
        matrix[:3, 0] = -sl, cl, 0.0
        matrix[:3, 1] = -sp * cl, -sp * sl, cp
        matrix[:3, 2] = cp * cl, cp * sl, sp
        matrix[:3, 3] = [float(v) for v in self.to_ecef(x, y, h)]
        return matrix

    def convergence(self, x: float, y: float) -> float:
        """Meridian convergence (degrees): azimuth in the grid = true azimuth − convergence."""
        lon, lat = (float(v) for v in self.to_lonlat(x, y))
        return float(_projection(self.crs).get_factors(lon, lat).meridian_convergence)

    def lonlat_bounds(self, bounds: Bounds) -> Bounds:
        """The smallest longitude-latitude rectangle (degrees) around bounds in metres."""
        lon, lat = self.to_lonlat(*bounds.ring().T)
        return Bounds(float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max()))

    def to_dict(self) -> dict[str, object]:
        return {
            "crs": self.crs, "vertical": self.vertical,
            "undulation_m": self.undulation_m, "undulation_source": self.undulation_source,
        }  # fmt: skip
