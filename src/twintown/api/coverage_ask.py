"""Which cells a request for a coverage means: place (bbox, subset), CRS, and scale. Pure; knows no HTTP.

The names are those of OGC API - Coverages: `bbox`, `bbox-crs`, `subset`, `subset-crs`, `crs`, `width`, `height`,
`resolution` of today's draft (19-087) and `scale-factor`, `scale-size`, `scale-axes` of the drafts that clients know.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from twintown.ground.bounds import Bounds
from twintown.ground.crs import CRS84, Crs, corners, edge_of, parse_crs, supported, transform
from twintown.ground.errors import BadParameter, NotFound
from twintown.ground.lattice import Lattice

if TYPE_CHECKING:
    from twintown.twin.cells import Cells

Sides = tuple[float, float, float, float]
_AXIS = re.compile(r"\s*([A-Za-z]+)\s*\(([^()]*)\)\s*")
#: What else axes are called (recommendation resolution-crs-axis-aliases of 19-087).
_ALIASES = {
    "lon": "x", "long": "x", "longitude": "x", "lat": "y", "latitude": "y",
    "e": "x", "x": "x", "easting": "x", "n": "y", "y": "y", "northing": "y",
}  # fmt: skip
_GEOGRAPHIC = frozenset({"lon", "long", "longitude", "lat", "latitude"})
MAX_SIDE = 65_536  # cells that may be asked for along one side


@dataclass(frozen=True)
class Asked:
    """The parameters of one request, as they were written; None where they were not."""

    bbox: str | None = None
    bbox_crs: str | None = None
    subset: str | None = None
    subset_crs: str | None = None
    crs: str | None = None
    scale_factor: float | None = None
    scale_size: str | None = None
    scale_axes: str | None = None
    resolution: str | None = None
    width: int | None = None
    height: int | None = None

    @property
    def everything(self) -> bool:
        """Whether the grid is meant as it is."""
        return self == Asked()


def target(cells: Cells, asked: Asked, default: Crs | None = None) -> Lattice:
    """The cells that are meant.

    Args:
        cells: of the grid.
        asked: the parameters.
        default: the CRS of the answer where none is asked for; the grid's own without it.

    Raises:
        BadParameter: naming the parameter that is wrong, or that cannot stand beside another.
        NotFound: the place lies outside of the grid.
    """
    own = cells.lattice.crs
    offered = supported(own.code)
    crs = parse_crs(asked.crs, offered, "crs") if asked.crs is not None else default or own
    place = _place(cells, asked, offered)
    if crs.code == own.code:
        part = cells.lattice if place is None else _first(place, lambda sides, of: _own(cells, sides, of))
    else:
        everywhere = _everywhere(cells, crs)
        part = everywhere if place is None else _first(place, lambda sides, of: _other(everywhere, sides, of))
    return _scaled(part, asked)


# -- place ------------------------------------------------------------------------------------------------------------

_Place = tuple[tuple[Sides, ...], Crs]


def _place(cells: Cells, asked: Asked, offered: tuple[Crs, ...]) -> _Place | None:
    """The boxes that are asked for (two where one crosses the antimeridian), x east, and their CRS."""
    if asked.bbox is not None and asked.subset is not None:
        raise BadParameter("subset", "bbox says the place already", remedy="send bbox or subset, not both")
    bbox_crs = parse_crs(asked.bbox_crs, offered, "bbox-crs") if asked.bbox_crs is not None else CRS84
    subset_crs = parse_crs(asked.subset_crs, offered, "subset-crs") if asked.subset_crs is not None else CRS84
    if asked.bbox is not None:
        crs = bbox_crs
        try:
            numbers = [float(part) for part in asked.bbox.split(",")]
        except ValueError:
            raise BadParameter("bbox", f"{asked.bbox[:80]!r} is not a list of numbers",
                               remedy="write four numbers joined by commas") from None  # fmt: skip
        return _unwrapped(corners(numbers, crs, "bbox"), crs), crs
    if asked.subset is None:
        return None
    return _unwrapped(_subset(cells, asked.subset, subset_crs), subset_crs), subset_crs


def _subset(cells: Cells, text: str, crs: Crs) -> Sides:
    around = _around(cells.lattice.bounds.as_tuple(), cells.lattice.crs, crs)
    sides = {"x": [around[0], around[2]], "y": [around[1], around[3]]}
    open_end = "*" in text or text.count("(") < 2
    for axis, inside in _axes(text, "subset", crs).items():
        ends = inside.split(":")
        if len(ends) == 1:
            raise BadParameter("subset", f"{inside[:40]!r} is one value; slices are not offered",
                               remedy="write low:high, such as Lat(37.5:37.6)")  # fmt: skip
        if len(ends) != 2:
            raise BadParameter(
                "subset", f"{inside[:40]!r} is no interval", remedy="write low:high, with * for an open end"
            )
        for at, end in enumerate(ends):
            if end.strip() != "*":
                sides[axis][at] = _number(end, "subset")
    (xmin, xmax), (ymin, ymax) = sides["x"], sides["y"]
    turned = ymin > ymax or (xmin > xmax and (open_end or not crs.geographic))
    if turned and open_end:  # the end that is given lies beyond the grid
        raise NotFound(
            "no cell of the grid lies there", remedy="its extent is in the description of the layer"
        )
    if turned:
        raise BadParameter("subset", "low is above high", remedy="write low:high")
    return xmin, ymin, xmax, ymax


def _unwrapped(sides: Sides, crs: Crs) -> tuple[Sides, ...]:
    xmin, ymin, xmax, ymax = sides
    if crs.geographic and xmin > xmax:
        return ((xmin, ymin, 180.0, ymax), (-180.0, ymin, xmax, ymax))
    return (sides,)


def _first(place: _Place, cut: Callable[[Sides, Crs], Lattice]) -> Lattice:
    boxes, crs = place
    for at, sides in enumerate(boxes):
        try:
            return cut(sides, crs)
        except NotFound:
            if at == len(boxes) - 1:
                raise
    raise AssertionError("there is a box always")


def _around(sides: Sides, source: Crs, crs: Crs) -> Sides:
    """The smallest box in a CRS around a box in another."""
    if source.code == crs.code:
        return sides
    xy = transform(edge_of(sides), source, crs)
    xy = xy[np.isfinite(xy).all(axis=1)]
    if not len(xy):
        raise NotFound(
            "no cell of the grid lies there", remedy="its extent is in the description of the layer"
        )
    (xmin, ymin), (xmax, ymax) = xy.min(axis=0), xy.max(axis=0)
    return float(xmin), float(ymin), float(xmax), float(ymax)


def _bounds(sides: Sides) -> Bounds:
    xmin, ymin, xmax, ymax = sides
    return Bounds(
        xmin, ymin, max(xmax, math.nextafter(xmin, math.inf)), max(ymax, math.nextafter(ymin, math.inf))
    )


def _own(cells: Cells, sides: Sides, crs: Crs) -> Lattice:
    return cells.lattice.part(_bounds(_around(sides, crs, cells.lattice.crs)))


def _everywhere(cells: Cells, crs: Crs) -> Lattice:
    """The whole grid in another CRS, in as many cells as its diagonal has."""
    from rasterio.crs import CRS
    from rasterio.warp import calculate_default_transform

    def known(one: Crs) -> CRS:
        return CRS.from_user_input("EPSG:4326" if one.code == CRS84.code else one.code)

    own = cells.lattice
    affine, cols, rows = calculate_default_transform(
        known(own.crs), known(crs), own.cols, own.rows, *own.bounds.as_tuple()
    )
    return Lattice(crs, affine.c, affine.f, affine.a, -affine.e, rows, cols)


def _other(everywhere: Lattice, sides: Sides, crs: Crs) -> Lattice:
    """A box in the CRS of the answer, exactly as it was asked for as far as there is a grid; cells of the usual size."""
    asked, whole = _around(sides, crs, everywhere.crs), everywhere.bounds
    xmin, ymin = max(asked[0], whole.xmin), max(asked[1], whole.ymin)
    xmax, ymax = min(asked[2], whole.xmax), min(asked[3], whole.ymax)
    if xmin > xmax or ymin > ymax:
        raise NotFound(
            "no cell of the grid lies there", remedy="its extent is in the description of the layer"
        )
    cols = max(1, round((xmax - xmin) / everywhere.width))
    rows = max(1, round((ymax - ymin) / everywhere.height))
    width, height = (xmax - xmin) / cols or everywhere.width, (ymax - ymin) / rows or everywhere.height
    return Lattice(everywhere.crs, xmin, ymin + rows * height, width, height, rows, cols)


# -- scale ------------------------------------------------------------------------------------------------------------


def _scaled(part: Lattice, asked: Asked) -> Lattice:
    ways = {"scale-factor": asked.scale_factor, "scale-size": asked.scale_size, "scale-axes": asked.scale_axes,
            "resolution": asked.resolution, "width": asked.width, "height": asked.height}  # fmt: skip
    given = [name for name, value in ways.items() if value is not None]
    if not given:
        return part
    if len(given) > 1 and given != ["width", "height"]:
        raise BadParameter(given[1], f"{given[0]} says the scale already", remedy="send one way to scale")
    size = {"x": float(part.cols), "y": float(part.rows)}
    name = given[0]
    if name == "scale-factor":
        factor = _positive(str(asked.scale_factor), name)
        size = {axis: cells / factor for axis, cells in size.items()}
    elif name in ("width", "height"):
        wanted = {"x": asked.width, "y": asked.height}
        factors = [size[axis] / cells for axis, cells in wanted.items() if cells]
        size = {axis: float(cells or size[axis] / factors[0]) for axis, cells in wanted.items()}
    else:
        text = {
            "scale-size": asked.scale_size,
            "scale-axes": asked.scale_axes,
            "resolution": asked.resolution,
        }[name] or ""
        cell = {"x": part.width, "y": part.height}
        for axis, inside in _axes(text, name, part.crs).items():
            if name == "resolution" and not inside.strip():
                continue  # the native one
            value = _positive(inside, name)
            if name == "scale-size":
                size[axis] = value
            else:
                size[axis] /= value if name == "scale-axes" else value / cell[axis]
    for cells in size.values():
        if cells > MAX_SIDE:
            raise BadParameter(
                name, f"that makes {cells:,.0f} cells along one side", remedy=f"ask for at most {MAX_SIDE:,}"
            )
    return part.resized(max(1, round(size["y"])), max(1, round(size["x"])))


def _axes(text: str, parameter: str, crs: Crs) -> Mapping[str, str]:
    """What stands in the brackets of each axis, by x (east) and y (north)."""
    found: dict[str, str] = {}
    first, second = crs.axes
    example = f"{first}(…),{second}(…)"
    for part in re.split(r",(?![^()]*\))", text):
        match = _AXIS.fullmatch(part)
        if match is None:
            raise BadParameter(parameter, f"{part[:60]!r} is not axis(…)", remedy=f"write {example}")
        name = match[1].lower()
        axis = _ALIASES.get(name)
        if axis is None or (name in _GEOGRAPHIC) != crs.geographic:
            raise BadParameter(
                parameter,
                f"{crs.code} has no axis {match[1][:40]!r}",
                remedy=f"its axes are {first} and {second}",
            )
        if axis in found:
            raise BadParameter(parameter, f"axis {match[1]} stands twice", remedy=f"write {example}")
        found[axis] = match[2]
    return found


def _number(text: str, parameter: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise BadParameter(parameter, f"{text[:40]!r} is no number") from None
    if not math.isfinite(value):
        raise BadParameter(parameter, f"{text[:40]!r} is no finite number")
    return value


def _positive(text: str, parameter: str) -> float:
    value = _number(text, parameter)
    if not value > 0:
        raise BadParameter(parameter, f"{text[:40]!r} is not above 0")
    return value
