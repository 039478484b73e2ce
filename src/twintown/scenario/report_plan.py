"""Plans of a report as SVG: streets, footprints, what is planned, and a result of the ground beneath them.

One unit of the drawing is one metre of the twin's frame, x to the east, y to the south from the window's upper left corner.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape

import numpy as np
import shapely
from numpy.typing import NDArray

from twintown.ground.bounds import Bounds
from twintown.ground.features import Features
from twintown.ground.grid import Grid

from .png import png
from .report_colours import Scale, coloured

PAPER, STREET, STREET_EDGE, HOUSE, HOUSE_EDGE = "#f6f4ef", "#ffffff", "#dcd8cf", "#cfcac0", "#a49e92"
PLANNED, PLANNED_EDGE, GONE = "#e0862f", "#9c4f0a", "#b8420b"
INK = "#1c2329"
FONT = "Pretendard, 'Noto Sans KR', sans-serif"
#: A plan is at least this wide and high, metres, and half as wide again as it is high.
LEAST_M, SHAPE = 420.0, 1.5


def window_of(shapes: Iterable[object], within: Bounds, margin_m: float = 160.0) -> Bounds:
    """The window of a plan around some geometries: with a margin, of the plan's shape, inside the bounds where they are large enough."""
    drawn = [shape for shape in shapes if not shapely.is_empty(shape)]
    box = shapely.total_bounds(np.array(drawn, object)) if drawn else np.array(within.as_tuple())
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    height = max(LEAST_M / SHAPE, box[3] - box[1] + 2 * margin_m, (box[2] - box[0] + 2 * margin_m) / SHAPE)
    width = height * SHAPE
    x = float(np.clip(x, *_middles(within.xmin, within.xmax, width)))
    y = float(np.clip(y, *_middles(within.ymin, within.ymax, height)))
    return Bounds(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def _middles(low: float, high: float, span: float) -> tuple[float, float]:
    return (low + span / 2, high - span / 2) if high - low > span else ((low + high) / 2,) * 2


def plan(
    window: Bounds,
    buildings: Features,
    roads: Features | None = None,
    planned: Sequence[object] = (),
    gone: Sequence[object] = (),
    marks: Sequence[tuple[float, float, str]] = (),
    ground: tuple[Grid, Scale] | None = None,
    name: str = "",
) -> str:
    """A plan as SVG text.

    Args:
        window: what is drawn, metres of the frame.
        buildings: all footprints, as they are with the plan; `roads`: lines with `width_m`.
        planned: footprints that the plan adds or changes; gone: those that it takes away (drawn as dashed outlines).
        marks: x, y and a letter: viewpoints.
        ground: a grid that lies in the frame and its colours.
        name: what a screen reader says.
    """
    width, height = window.width, window.height
    unit = height / 100
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.2f} {height:.2f}" role="img" aria-label="{escape(name, _QUOTES)}">',
        f'<rect width="{width:.2f}" height="{height:.2f}" fill="{PAPER}"/>',
    ]
    if roads is not None and len(roads.table):
        out += _streets(roads, window)
    if ground is not None:
        out.append(_raster(*ground, window))
    changed = shapely.union_all(np.array(planned, object)) if len(planned) else None
    near = buildings.table.geometry.to_numpy()
    near = near[shapely.intersects(near, shapely.box(*window.as_tuple()))]
    if changed is not None:
        near = near[~shapely.contains_properly(shapely.buffer(changed, 0.05), near)]
    out.append(_tag("path", d=_path(near, window), fill=HOUSE, stroke=HOUSE_EDGE, stroke_width=unit * 0.12))
    if len(planned):
        d = _path(planned, window)
        out.append(
            _tag("path", d=d, fill=PLANNED, fill_opacity=0.92, stroke=PLANNED_EDGE, stroke_width=unit * 0.3)
        )
    if len(gone):
        dash = f"{unit * 1.2:.2f} {unit * 0.8:.2f}"
        d = _path(gone, window)
        out.append(
            _tag("path", d=d, fill="none", stroke=GONE, stroke_width=unit * 0.35, stroke_dasharray=dash)
        )
    out += [_mark(x - window.xmin, window.ymax - y, letter, unit) for x, y, letter in marks]
    out += [_north(width, unit), _scale_bar(width, height, unit)]
    return "".join([*out, "</svg>"])


_QUOTES = {'"': "&quot;"}


def _tag(name: str, text: str = "", **given: object) -> str:
    """One element; numbers with two decimals, `_` in a name stands for `-`."""
    told = (
        f'{key.rstrip("_").replace("_", "-")}="{f"{value:.2f}" if isinstance(value, float) else value}"'
        for key, value in given.items()
    )
    return f"<{name} {' '.join(told)}>{text}</{name}>" if text else f"<{name} {' '.join(told)}/>"


def _streets(roads: Features, window: Bounds) -> list[str]:
    table = roads.table
    lines = table.geometry.to_numpy()
    there = shapely.intersects(lines, shapely.box(*window.as_tuple()))
    wide = np.nan_to_num(
        table["width_m"].astype(float).to_numpy() if "width_m" in table else np.full(len(lines), 6.0), nan=6.0
    )
    out = []
    for colour, more in ((STREET_EDGE, 1.2), (STREET, 0.0)):
        for width in np.unique(wide[there]):  # a handful of widths
            d = _path(lines[there & (wide == width)], window)
            round_ = {"stroke_linecap": "round", "stroke_linejoin": "round"}
            out.append(
                _tag("path", d=d, fill="none", stroke=colour, stroke_width=float(width + more), **round_)
            )
    return out


def _path(shapes: Sequence[object] | NDArray[np.object_], window: Bounds) -> str:
    """One SVG path of many geometries."""
    if not len(shapes):
        return ""
    parts = shapely.get_parts(np.array(shapes, object))
    solid = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    rings = shapely.get_rings(parts[solid]) if solid.any() else np.array([], object)
    out = []
    for lines, close in ((rings, "Z"), (parts[~solid], "")):
        if not len(lines):
            continue
        xy, at = shapely.get_coordinates(lines, return_index=True)
        x, y = np.char.mod("%.2f", xy[:, 0] - window.xmin), np.char.mod("%.2f", window.ymax - xy[:, 1])
        points = np.char.add(np.char.add(x, " "), y)
        starts = np.flatnonzero(np.diff(at, prepend=-1))
        out += [f"M{'L'.join(some)}{close}" for some in np.split(points, starts[1:])]
    return "".join(out)


def _raster(grid: Grid, scale: Scale, window: Bounds) -> str:
    """The part of a grid in the window as an image, north up."""
    row0 = max(0, int((grid.origin_y - window.ymax) / grid.cell_m))
    row1 = min(grid.rows, int(np.ceil((grid.origin_y - window.ymin) / grid.cell_m)))
    col0 = max(0, int((window.xmin - grid.origin_x) / grid.cell_m))
    col1 = min(grid.cols, int(np.ceil((window.xmax - grid.origin_x) / grid.cell_m)))
    if row1 <= row0 or col1 <= col0:
        return ""
    values = grid.values[row0:row1, col0:col1].astype(np.float64)
    if grid.nodata is not None:
        values[values == grid.nodata] = np.nan
    picture = base64.b64encode(png(coloured(values, scale))).decode()
    x, y = (
        grid.origin_x + col0 * grid.cell_m - window.xmin,
        window.ymax - (grid.origin_y - row0 * grid.cell_m),
    )
    return _tag(
        "image", x=float(x), y=float(y), width=(col1 - col0) * grid.cell_m, height=(row1 - row0) * grid.cell_m,
        preserveAspectRatio="none", style="image-rendering:pixelated", href=f"data:image/png;base64,{picture}",
    )  # fmt: skip


def _text(x: float, y: float, size: float, words: str, **more: object) -> str:
    return _tag(
        "text", escape(words), x=x, y=y, font_family=FONT, font_size=size, text_anchor="middle", **more
    )


def _mark(x: float, y: float, letter: str, unit: float) -> str:
    disc = _tag("circle", cx=x, cy=y, r=unit * 2.4, fill=INK, stroke="#fff", stroke_width=unit * 0.4)
    return disc + _text(x, y + unit * 1.1, unit * 3, letter, font_weight=600, fill="#fff")


def _north(width: float, unit: float) -> str:
    x, y = width - unit * 8, unit * 9
    side = unit * 1.9
    arrow = f"M{x:.2f} {y - unit * 5:.2f}l{side:.2f} {unit * 5.2:.2f}l{-side:.2f} {-unit * 1.2:.2f}l{-side:.2f} {unit * 1.2:.2f}Z"
    plate = _tag("circle", cx=x, cy=y - unit * 0.6, r=unit * 5.6, fill="#fff", fill_opacity=0.82)
    return (
        plate
        + _tag("path", d=arrow, fill=INK)
        + _text(x, y + unit * 3.2, unit * 3, "N", font_weight=600, fill=INK)
    )


def _scale_bar(width: float, height: float, unit: float) -> str:
    long = next((m for m in (1000, 500, 250, 200, 100, 50, 20, 10) if m <= width / 4), 5)
    x, y, tick = unit * 3, height - unit * 3.4, unit * 0.9
    board = _tag(
        "rect", x=x - unit * 1.2, y=y - unit * 4.4, width=long + unit * 2.4, height=unit * 6.2, rx=unit * 0.8, fill="#fff",
        fill_opacity=0.82,
    )  # fmt: skip
    bar = f"M{x:.2f} {y - tick:.2f}v{tick:.2f}h{long}v{-tick:.2f}"
    line = _tag("path", d=bar, fill="none", stroke=INK, stroke_width=unit * 0.3)
    return board + line + _text(x + long / 2, y - unit * 1.3, unit * 2.4, f"{long} m", fill=INK)
