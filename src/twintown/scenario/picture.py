"""A picture of a city for paper: triangles, the sun at an hour, a soft sky; no browser and no graphics card.

The same camera gives the same picture of another state of the city, so that before and after can stand side by side.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from twintown.ground.errors import BadParameter
from twintown.ground.features import Features
from twintown.ground.grid import Grid


@dataclass(frozen=True)
class Camera:
    """Where the eye is and where it looks.

    Args:
        lon, lat: degrees, WGS 84.
        height_m: above the ground, metres.
        heading_deg: clockwise from true north, degrees.
        pitch_deg: above the horizon; negative looks down, degrees.
        fov_deg: angle of the picture's longer side, degrees.

    Raises:
        BadParameter: a number is out of range.
    """

    lon: float
    lat: float
    height_m: float
    heading_deg: float
    pitch_deg: float
    fov_deg: float = 60.0

    def __post_init__(self) -> None:
        for name, low, high in (
            ("lon", -180.0, 180.0), ("lat", -90.0, 90.0), ("height_m", 0.5, 20_000.0),
            ("heading_deg", -360.0, 360.0), ("pitch_deg", -90.0, 90.0), ("fov_deg", 5.0, 120.0),
        ):  # fmt: skip
            value = getattr(self, name)
            if not low <= value <= high:
                raise BadParameter(name, f"{value!r} is out of range", remedy=f"give {low:g} to {high:g}")


@dataclass(frozen=True)
class Overlay:
    """A result laid on the ground: values of a grid as colours.

    Args:
        grid: its first band is shown.
        low, high: values at the ends of the ramp, in the grid's unit; what lies beyond takes the end's colour.
        colours: `#rrggbb`, evenly spaced from low to high.
        opacity: 0 to 1.
    """

    grid: Grid
    low: float
    high: float
    colours: tuple[str, ...] = ("#313695", "#74add1", "#ffffbf", "#f46d43", "#a50026")
    opacity: float = 0.8


def picture(
    buildings: Features,
    parts: Features,
    camera: Camera,
    when: datetime,
    *,
    edited: Collection[str] = (),
    layers: Mapping[str, Features] | None = None,
    overlay: Overlay | None = None,
    size: tuple[int, int] = (1600, 900),
) -> bytes:
    """PNG of a city.

    Args:
        buildings, parts: the city as it shall be shown (edits applied).
        camera: the eye.
        when: moment of the sun, with its time zone.
        edited: ids of buildings to tint.
        layers: what else lies on the ground where the twin has it: `roads` (lines with `width_m`), `water`, `green`, `parks` (areas).
        overlay: a result on the ground.
        size: width and height, pixels.

    Returns:
        The bytes of a PNG, 8 bits a channel, RGB.

    Raises:
        BadParameter: the moment has no time zone, or the size is out of range.
    """
    raise NotImplementedError
