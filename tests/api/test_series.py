"""Series as tables, as CoverageJSON, as parts of them, and summed up by days and months."""

from __future__ import annotations

import csv
import io

import pytest
from starlette.testclient import TestClient

T = "/twins/small/collections/weather/series"  # 72 hours from midnight of 2021-01-01 in Seoul; temperature 0 to 71


@pytest.mark.parametrize(
    ("method", "days"),
    [("mean", [11.5, 35.5, 59.5]), ("min", [0, 24, 48]), ("max", [23, 47, 71]), ("sum", [276, 852, 1428])],
)
def test_a_day_is_one_number_of_its_hours(client: TestClient, method: str, days: list[float]) -> None:
    body = client.get(f"{T}?resample=day&method={method}").json()
    assert body["method"] == method
    assert body["columns"] == {"temperature": {"unit": "Cel", "values": days}}  # texts have no sum
    assert client.get(f"{T}?method={method}").json()["method"] == "as observed"


def test_an_interval_keeps_both_of_its_ends(client: TestClient) -> None:
    def hours(datetime: str) -> list[float]:
        answer = client.get(T, params={"datetime": datetime, "columns": "temperature"})
        return list(answer.json()["columns"]["temperature"]["values"])

    assert hours("2020-12-31T15:00:00Z/2020-12-31T17:00:00Z") == [0, 1, 2]
    assert hours("2021-01-03T22:00:00+09:00/..") == [70, 71]
    assert hours("../2021-01-01T00:00:00+09:00") == [0]
    assert hours("2021-01-01T05:00:00+09:00") == [5]
    assert hours("2021-01-02") == list(range(33, 57))  # a day of UTC
    assert hours("1999-01-01/2000-01-01") == []
    body = client.get(
        T, params={"datetime": "2021-01-01T12:00:00+09:00/..", "resample": "day", "method": "min"}
    ).json()
    assert body["columns"]["temperature"]["values"] == [12, 24, 48]


def test_csv_is_the_same_table(client: TestClient) -> None:
    answer = client.get(T, headers={"Accept": "text/csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 72
    assert rows[5] == {"time": "2021-01-01T05:00:00+09:00", "temperature": "5", "sky": "clear"}
    assert client.get(f"{T}?f=csv&datetime=1999-01-01").text.splitlines() == ['"time","temperature","sky"']


def test_coverage_json_has_a_time_axis_and_no_made_up_place(client: TestClient) -> None:
    value = client.get(f"{T}?f=covjson&resample=day&method=max").json()
    assert value["domain"]["axes"] == {
        "t": {
            "values": ["2021-01-01T00:00:00+09:00", "2021-01-02T00:00:00+09:00", "2021-01-03T00:00:00+09:00"]
        }
    }
    assert value["domain"]["referencing"] == [
        {"coordinates": ["t"], "system": {"type": "TemporalRS", "calendar": "Gregorian"}}
    ]
    assert value["parameters"]["temperature"]["unit"]["symbol"]["value"] == "Cel"
    held = value["ranges"]["temperature"]
    assert (held["axisNames"], held["shape"], held["values"]) == (["t"], [3], [23, 47, 71])
    assert client.get(f"{T}?f=covjson&columns=sky").json()["ranges"]["sky"]["dataType"] == "string"


@pytest.mark.parametrize(
    ("query", "parameter"),
    [("datetime=x", "datetime"), ("datetime=2021-01-02/2021-01-01", "datetime"), ("method=median", "method"), ("f=xml", "f"),
     ("resample=week", "resample"), ("columns=wind", "columns")],
)  # fmt: skip
def test_a_wrong_parameter_is_named(client: TestClient, query: str, parameter: str) -> None:
    answer = client.get(f"{T}?{query}")
    assert (answer.status_code, answer.json()["parameter"]) == (400, parameter)


def test_for_people_it_is_a_page(client: TestClient) -> None:
    page = client.get(T, headers={"Accept": "text/html", "Accept-Language": "ko"})
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["content-language"] == "ko"
    assert "Songpa" in page.text
