"""Plans, numbers and pages of a report, on a place of three houses."""

from __future__ import annotations

import re
import struct
import zlib
from typing import Any
from xml.etree import ElementTree

import geopandas as gpd
import numpy as np
import pytest
from shapely.geometry import LineString, Point, box

from twintown.ground.bounds import Bounds
from twintown.ground.features import Features
from twintown.ground.frames import Frame
from twintown.ground.grid import Grid
from twintown.ground.provenance import Licence, Provenance, Source
from twintown.scenario import report_numbers as numbers
from twintown.scenario import report_pages as pages
from twintown.scenario.png import png
from twintown.scenario.report_colours import Scale, coloured
from twintown.scenario.report_plan import plan, window_of

FRAME = Frame("EPSG:5186", undulation_m=23.3, undulation_source="test")
FROM = Provenance((Source("s", "Survey", "City", Licence("CC0-1.0", "CC0")),))
X, Y = 208_500.0, 546_000.0
BOUNDS = Bounds(X - 500, Y - 500, X + 500, Y + 500)


def features(rows: list[dict[str, Any]], units: dict[str, str] | None = None) -> Features:
    return Features(gpd.GeoDataFrame(rows, geometry="geometry", crs=FRAME.crs), FRAME, FROM, units or {})


def houses() -> Features:
    return features(
        [
            {"id": f"way/{i}", "name": "", "geometry": box(X + 40 * i, Y, X + 40 * i + 20, Y + 12)}
            for i in range(3)
        ]
    )


def grid(values: Any, unit: str = "h", **more: Any) -> Grid:
    return Grid(np.asarray(values), X, Y + 4, 1.0, unit, FRAME, FROM, **more)


def svg(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text)


def test_a_plan_is_as_wide_as_its_window_and_draws_each_house_once() -> None:
    window = window_of([box(X, Y, X + 10, Y + 10)], BOUNDS)
    drawn = svg(plan(window, houses(), name='a "plan" & more'))
    wide, high = (float(v) for v in drawn.attrib["viewBox"].split()[2:])
    assert wide == pytest.approx(window.width, abs=0.01) and high == pytest.approx(window.height, abs=0.01)
    assert drawn.attrib["aria-label"] == 'a "plan" & more'
    paths = [e.attrib["d"] for e in drawn if e.tag.endswith("path")]
    assert sum(path.count("Z") for path in paths if "Z" in path and path.count("L") >= 3) >= 3


def test_north_is_up_and_metres_are_metres_in_a_plan() -> None:
    window = Bounds(X - 100, Y - 100, X + 200, Y + 100)
    drawn = plan(window, features([{"id": "a", "name": "", "geometry": box(X, Y, X + 20, Y + 12)}]))
    corners = {
        tuple(map(float, p))
        for p in re.findall(r"(-?[\d.]+) (-?[\d.]+)", re.search(r'd="(M[^"]*Z)"', drawn)[1])
    }  # type: ignore[index]
    assert (100.0, 88.0) in corners and (120.0, 100.0) in corners  # the north edge is nearer the top


def test_a_window_stays_inside_the_twin_where_it_fits() -> None:
    window = window_of([box(BOUNDS.xmin, BOUNDS.ymin, BOUNDS.xmin + 5, BOUNDS.ymin + 5)], BOUNDS)
    assert window.xmin >= BOUNDS.xmin and window.ymin >= BOUNDS.ymin
    assert window.width / window.height == pytest.approx(1.5)


def test_streets_and_what_is_planned_and_gone_are_drawn_apart() -> None:
    roads = features(
        [{"id": "r", "width_m": 9.0, "geometry": LineString([(X - 90, Y - 20), (X + 90, Y - 20)])}]
    )
    window = window_of([box(X, Y, X + 10, Y + 10)], BOUNDS)
    bare = plan(window, houses())
    full = plan(
        window,
        houses(),
        roads,
        [box(X, Y, X + 20, Y + 30)],
        [box(X + 40, Y, X + 60, Y + 12)],
        [(X, Y - 40, "A")],
    )
    assert "stroke-dasharray" in full and "stroke-dasharray" not in bare
    assert ">A</text>" in full and 'stroke-width="9.00"' in full


def test_a_png_holds_its_pixels() -> None:
    pixels = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
    data = png(pixels)
    assert data[:8] == b"\x89PNG\r\n\x1a\n" and struct.unpack(">II", data[16:24]) == (3, 2)
    start = data.index(b"IDAT") + 4
    raw = zlib.decompress(data[start : start + struct.unpack(">I", data[start - 8 : start - 4])[0]])
    rows = np.frombuffer(raw, np.uint8).reshape(2, 13)
    assert rows[:, 0].tolist() == [2, 2]  # each row as its difference from the one above
    assert np.array_equal(np.cumsum(rows[:, 1:], axis=0, dtype=np.uint8).reshape(2, 3, 4), pixels)


def test_what_is_not_known_and_what_hardly_changes_stays_clear() -> None:
    scale = Scale((-2.0, -1.0, 1.0, 2.0), ("#ff0000", "", "#0000ff"), "h")
    found = coloured(np.array([[-1.5, 0.0, 2.0, np.nan, 3.0]]), scale)
    assert found[0, 0].tolist() == [255, 0, 0, 255] and found[0, 2].tolist() == [0, 0, 255, 255]
    assert not found[0, [1, 3, 4], 3].any()
    assert [one["label"] for one in scale.legend()] == ["−2 – −1", "1 – 2"]


def test_steps_of_sun_are_told_in_hours_and_cells_without_a_value_are_not_zero() -> None:
    values = numbers.Values.of(
        grid(np.array([[60, 255]], np.uint8), "{step}", nodata=255, attributes={"step_minutes": 7})
    )
    assert values.unit == "h" and values.values[0, 0] == pytest.approx(7.0) and np.isnan(values.values[0, 1])


def test_the_ground_that_loses_sun_is_counted_in_hectares() -> None:
    before, after = np.full((100, 100), 4.0), np.full((100, 100), 4.0)
    after[:50] = 2.0  # half a hectare loses two hours
    after[50:60] = 3.8  # within the error
    after[60:70] = 5.0
    w = pages.words("en")
    rows = numbers.grid_rows("Sun", numbers.Values.of(grid(before)), [numbers.Values.of(grid(after))], w)
    assert [row[2:] for row in rows[1:]] == [["0.50", "ha"], ["0.10", "ha"]]


def test_classes_of_a_difference_lie_evenly_around_nothing() -> None:
    scale = numbers.scale_of_difference([numbers.Values.of(grid(np.array([[-30.0, 12.0]]), "kW.h/m2"))])
    assert scale.edges == tuple(-e for e in reversed(scale.edges)) and scale.edges[-1] >= 30.0
    assert scale.colours.count("") == 1 and len(scale.colours) == len(scale.edges) - 1


def test_grids_of_other_cells_are_not_compared() -> None:
    with pytest.raises(ValueError, match="same cells"):
        numbers.difference(
            numbers.Values.of(grid(np.zeros((2, 2)))), numbers.Values.of(grid(np.zeros((2, 3))))
        )


def facades(rows: list[tuple[str, float, float, int, float]]) -> Features:
    return features(
        [
            {
                "id": f"f{i}",
                "building": b,
                "z_m": z,
                "sun_min": sun,
                "verdict": verdict,
                "geometry": Point(X + x, Y),
            }
            for i, (b, x, z, verdict, sun) in enumerate(rows)
        ],
        {"sun_min": "min", "z_m": "m"},
    )


def test_a_facade_point_is_followed_by_its_place_not_by_its_number() -> None:
    before = facades(
        [("a", 0, 1.5, 1, 240), ("a", 5, 1.5, 1, 240), ("b", 9, 1.5, 0, 30), ("c", 20, 1.5, 1, 200)]
    )
    after = facades(
        [
            ("new", 50, 1.5, 1, 300),
            ("c", 20, 1.5, 1, 190),
            ("b", 9, 1.5, 1, 130),
            ("a", 5, 1.5, 0, 60),
            ("a", 0, 1.5, 1, 240),
        ]
    )
    found = {c.building: c for c in numbers.concerned(before, after)}
    assert (found["a"].points, found["a"].newly_fail, found["a"].most_lost_min) == (2, 1, 180)
    assert (found["b"].newly_fail, found["b"].newly_pass) == (0, 1)
    assert (
        "c" not in found and "new" not in found
    )  # ten minutes are within the error; what is new had no before


@pytest.mark.parametrize(
    ("value", "told"), [(-1234.5, "−1,234"), (12.34, "12.3"), (0.5, "0.50"), (float("nan"), "–")]
)
def test_numbers_are_written_for_people(value: float, told: str) -> None:
    assert numbers.number(value) == told


def test_both_languages_say_the_same_things() -> None:
    ko, en = pages.words("ko"), pages.words("en")
    assert set(ko) == set(en)
    for key in ko:
        assert set(re.findall(r"{(\w+)}", ko[key])) == set(re.findall(r"{(\w+)}", en[key])), key


def test_the_code_on_the_paper_can_be_drawn() -> None:
    drawn = svg(pages.qr("http://127.0.0.1:8000/twins/jamsil/reports/0198").decode())
    assert drawn.tag.endswith("svg")
