from __future__ import annotations

import numpy as np
import pytest

from twintown.api import chart, offered, outline, readable


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (1357, "1,357"),
        (0.5, "0.5"),
        (127.123456, "127.1"),
        (3.14159, "3.14"),
        (0.000012345, "0.00001"),
        (True, "True"),
        (None, ""),
    ],
)
def test_numbers_are_written_as_people_read_them(value: object, said: str) -> None:
    assert readable.number(value) == said


def test_units_are_written_in_the_language_of_the_page() -> None:
    assert readable.unit("{person}", "ko") == "명"
    assert readable.unit("{person}", "en") == "people"
    assert readable.unit("m2", "ko") == "m²"
    assert readable.unit("{strange}", "en") == "strange"


def test_times_lose_their_seconds_and_keep_their_zone() -> None:
    assert readable.date("2026-11-22T01:42:14.885028Z") == "2026-11-22 01:42 UTC"
    assert readable.date("2026-11-22T01:42:14+09:00") == "2026-11-22 01:42 +09:00"
    assert readable.date("about noon") == "about noon"


def test_a_chart_keeps_the_extremes_of_what_it_thins_out() -> None:
    values = np.sin(np.linspace(0, 60, 8760))
    values[1234], values[6000] = 40.0, -40.0
    drawn = chart.chart([f"2023-01-01T{i % 24:02}:00" for i in range(8760)], {"values": values.tolist()})
    assert drawn is not None
    assert (drawn["low"], drawn["high"]) == (-40.0, 40.0)
    heights = [float(point.split()[1]) for point in drawn["path"].replace("M", "L").split("L")[1:]]
    assert len(heights) <= 2 * chart.POINTS
    assert max(heights) - min(heights) > 0.9 * (chart.BOTTOM - chart.TOP) * 80 / 100


def test_a_chart_lifts_the_pen_where_nothing_is_known_and_there_is_none_of_texts() -> None:
    drawn = chart.chart(
        ["2023-01-01T00:00", "2023-01-02T00:00", "2023-01-03T00:00", "2023-01-04T00:00"],
        {"values": [1, 2, None, 4]},
    )
    assert drawn is not None
    assert drawn["path"].count("M") == 2
    assert chart.chart(["a", "b"], {"values": ["clear", "rain"]}) is None
    assert chart.chart([], {"values": []}) is None


def test_standards_and_operations_are_grouped_for_reading() -> None:
    groups = outline.standards(
        ["http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core", "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/html",
         "https://api.stacspec.org/v1.0.0/item-search"]
    )  # fmt: skip
    assert [(group["title"], len(group["classes"])) for group in groups] == [
        ("STAC API", 1),
        ("OGC API – Features 1: Core", 2),
    ]
    document = {
        "tags": [{"name": "a", "description": "Things"}],
        "paths": {"/x": {"get": {"tags": ["a"], "parameters": [{"$ref": "#/components/parameters/f"}]}}},
        "components": {"parameters": {"f": {"name": "f", "in": "query"}}},
    }
    (group,) = outline.operations(document)
    assert group["operations"][0]["parameters"][0]["name"] == "f"


def test_an_example_of_a_filter_names_a_column_of_the_layer() -> None:
    collection = {
        "columns": [{"name": "id", "type": "string"}, {"name": "height_m", "type": "number", "unit": "m"}]
    }
    assert offered.example_filter(collection) == "height_m > 20"
    assert offered.example_filter({}) == "id LIKE '%1%'"
