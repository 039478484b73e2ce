"""Events over HTTP: made, read, changed by revision, called off; the real ones listed from the start, with whom to thank."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from fastapi import FastAPI
from shapely.geometry import Point
from starlette.testclient import TestClient
from tests.api.conftest import FROM, X, Y, _features, write_twin
from tests.programme.events import FESTIVAL, delegation

from twintown.app import create_app
from twintown.ground.series import Series
from twintown.settings import Settings
from twintown.trust.grades import Grade
from twintown.trust.identity import make_token
from twintown.twin.layers import Twin

AT = "/twins/lake/events"
PEER = "did:web:icheon.example:twins:icheon"


def _lonlat(twin: Twin) -> tuple[float, float]:
    west, south, east, north = twin.description.frame.lonlat_bounds(twin.description.bounds).as_tuple()
    return (west + east) / 2, (south + north) / 2


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    directory = write_twin(tmp_path_factory.mktemp("events") / "lake", "lake")
    (directory / "peers.toml").write_text(
        f'[peers.icheon]\naddress = "https://icheon.example/twins/icheon"\ndid = "{PEER}"\n',
        encoding="utf-8",
    )
    toml = directory / "twintown.toml"
    toml.write_text(toml.read_text() + '\n[access]\nplan = "anyone"\nrun = "anyone"\n', encoding="utf-8")
    make_token(directory)
    twin = Twin.open(directory, read_only=False)
    none = {"audience": "누구나", "fee": None, "paid": "무료"}
    rows: list[dict[str, object]] = [
        {"id": "1", "name_ko": "단오 한마당 공연", "dates": "2027-06-09~2027-06-10", "venue": "호숫가 마당 (서호)", "host": "문화원",
         "link": "https://e.org/1", "geometry": Point(X, Y), **none},
        {"id": "2", "name_ko": "전시", "dates": "2023-06-09~2023-06-10", "venue": "어딘가", "host": "문화원", "link": "javascript:x",
         "geometry": None, **none},
    ]  # fmt: skip
    landmarks: list[dict[str, object]] = [
        {
            "id": "호숫가 마당",
            "name_ko": "호숫가 마당",
            "name_en": "Lakeside",
            "kind": "stage",
            "rank": 1,
            "geometry": Point(X, Y),
        }
    ]
    stations: list[dict[str, object]] = [
        {
            "id": "s1",
            "name_ko": "잠실(송파구청)",
            "name_en": "Jamsil",
            "line": "2호선",
            "place_error_m": 150.0,
            "geometry": Point(X + 100, Y),
        }
    ]
    congestion: list[dict[str, object]] = [
        {"id": f"{way}-{kind}-{hour}", "station": "잠실", "line": "2", "day_type": kind, "direction": way, "time": f"{hour}:00",
         "congestion": float(10 + hour), "geometry": None}
        for way in ("내선", "외선") for kind in ("weekday", "saturday", "holiday") for hour in range(6, 24)
    ]  # fmt: skip
    hours = pd.date_range("2023-09-01", periods=720, freq="h", tz="Asia/Seoul")
    weather = pa.table({"time": hours, "precipitation_mm": np.where(hours.day <= 6, 1.0, 0.0)})
    shapes = {
        "events": _features(rows), "landmarks": _features(landmarks), "stations": _features(stations),
        "metro-congestion": _features(congestion),
        "weather": Series(weather, {"precipitation_mm": "mm"}, "Asia/Seoul", "Songpa", FROM, {}),
    }  # fmt: skip
    twin.tables.switch({name: twin.stage(name, shape, Grade.O).version for name, shape in shapes.items()}, {})
    return create_app([directory], Settings(), warm=False)


@pytest.fixture(scope="module")
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as one:
        yield one


@pytest.fixture(scope="module")
def middle(app: FastAPI) -> tuple[float, float]:
    return _lonlat(app.state.open.shelf.get("lake").twin)


def _event(middle: tuple[float, float], **changed: Any) -> dict[str, Any]:
    """The festival in the middle of the lake's twin."""
    made = copy.deepcopy(FESTIVAL)
    lon, lat = middle
    made |= {"host": "", "agreement": ""}
    made["place"] |= {"venue": "호숫가 마당", "lon": lon, "lat": lat}
    made["stage"] |= {"lon": lon, "lat": lat}
    for at, one in enumerate(made["stands"]):
        one |= {"lon": lon + at * 1e-4, "lat": lat}
    del made["id"]
    return made | changed


def _made(client: TestClient, event: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(AT, json={"event": event, "author": "김"})
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_the_real_events_are_there_from_the_start_with_their_licence(client: TestClient) -> None:
    said = client.get(AT, params={"origin": "listing"}).json()
    assert [one["title"]["ko"] for one in said["events"]] == ["전시", "단오 한마당 공연"]
    placed = said["events"][1]
    assert (placed["place"]["venue"], placed["all_day"], placed["state"]) == ("호숫가 마당", True, "listed")
    assert (placed["start"], placed["end"]) == ("2027-06-09T00:00:00+09:00", "2027-06-11T00:00:00+09:00")
    assert placed["visitors"] is None and placed["link"] == "https://e.org/1"
    nowhere = said["events"][0]
    assert (nowhere["place"]["lon"], nowhere["link"]) == (None, "")
    assert said["sources"][0]["attribution"] == "© OpenStreetMap contributors"
    whole = client.get(f"{AT}/{placed['id']}").json()
    assert whole["source"]["row"] == "1" and whole["listing"]["audience"] == "누구나"
    assert client.get(f"{AT}/{placed['id']}/visitors").json()["hours"] == []
    assert client.get(f"{AT}/{placed['id']}/duties").status_code == 405
    assert client.put(f"{AT}/{placed['id']}", json={"event": {}}).status_code in (400, 405)
    assert client.get(f"{AT}/ls-{'0' * 24}").status_code == 404


def test_an_event_is_made_read_changed_and_called_off(
    client: TestClient, middle: tuple[float, float]
) -> None:
    made = _made(client, _event(middle))
    at = f"{AT}/{made['id']}"
    assert (made["state"], made["revision"], made["origin"], made["findings"]) == ("draft", 1, "own", [])
    assert made["author"] == {"name": "김", "kind": "anyone", "verified": False}
    read = client.get(at)
    assert read.headers["etag"] == '"1"' and read.json() == made
    changed = _event(middle, title={"ko": "거북놀이", "en": ""})
    said = client.put(
        at, json={"event": changed | {"id": made["id"]}}, headers={"If-Match": read.headers["etag"]}
    )
    assert (said.status_code, said.json()["revision"], said.json()["title"]["en"]) == (200, 2, "거북놀이")
    assert client.get(at, params={"revision": 1}).json()["title"] == made["title"]
    over = client.delete(at, params={"why": "태풍", "author": "김"}).json()
    assert (over["state"], over["why"], over["revision"]) == ("cancelled", "태풍", 3)
    assert client.put(at, json={"event": changed}, headers={"If-Match": '"3"'}).status_code == 409


def test_who_comes_second_reads_412_and_who_says_nothing_428(
    client: TestClient, middle: tuple[float, float]
) -> None:
    made = _made(client, _event(middle))
    at, body = f"{AT}/{made['id']}", {"event": _event(middle)}
    assert client.put(at, json=body, headers={"If-Match": '"1"'}).status_code == 200
    late = client.put(at, json=body, headers={"If-Match": '"1"'})
    assert late.status_code == 412 and "2 is" in late.json()["detail"]
    assert client.put(at, json=body).status_code == 428
    assert client.put(at, json=body, headers={"If-Match": "yesterday"}).status_code == 400
    other = client.put(at, json={"event": _event(middle, id="ev-" + "0" * 24)}, headers={"If-Match": '"2"'})
    assert other.json()["parameter"] == "event.id"


@pytest.mark.parametrize(
    ("changed", "parameter"),
    [
        ({"end": "2027-09-18T10:00:00+09:00"}, "event.end"),
        ({"start": "2027-09-18T11:00:00"}, "event.start"),
        ({"visitors": {"expected": -5, "error": 0, "source": "assumed"}}, "event.visitors.expected"),
        ({"place": {"name": {"ko": "a", "en": "a"}, "lon": 200, "lat": 37.5}}, "event.place.lon"),
        ({"place": {"name": {"ko": "a", "en": "a"}, "lon": 126.0, "lat": 37.5}, "stands": [], "stage": None}, "event.place"),
        ({"host": "did:web:nobody.example"}, "event.host"),
        ({"id": "ev-" + "0" * 24}, "event.id"),
        ({"colour": "red"}, "event.colour"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_named_where_the_officer_looks(
    client: TestClient, middle: tuple[float, float], changed: dict[str, Any], parameter: str
) -> None:
    answer = client.post(AT, json={"event": _event(middle, **changed)})
    assert answer.status_code == 400
    assert answer.json()["parameter"] == parameter


def test_a_venue_that_is_none_is_named(client: TestClient, middle: tuple[float, float]) -> None:
    event = _event(middle)
    event["place"]["venue"] = "없는 곳"
    answer = client.post(AT, json={"event": event})
    assert answer.json()["parameter"] == "event.place.venue" and "호숫가 마당" in answer.json()["detail"]


def test_an_event_on_a_partners_ground_without_an_agreement_is_a_draft_that_says_so(
    client: TestClient, middle: tuple[float, float]
) -> None:
    made = _made(client, _event(middle, host=PEER))
    assert [(one["code"], one["level"], one["member"]) for one in made["findings"]] == [
        ("no-agreement", "bad", "agreement")
    ]
    named = _made(client, _event(middle, host=PEER, agreement="urn:uuid:none"))
    assert named["findings"][0]["code"] == "no-agreement"
    there = client.get(f"{AT}/{named['id']}/visitors").json()
    assert [one["source"] for one in there["basis"] if one["code"] == "even"] == ["assumed"]


def test_lists_are_narrowed_by_time_kind_and_origin(client: TestClient, middle: tuple[float, float]) -> None:
    made = _made(
        client,
        _event(
            middle,
            kind="market",
            start="2028-03-01T10:00:00+09:00",
            end="2028-03-01T12:00:00+09:00",
            programme=[],
        ),
    )
    ids = [
        one["id"]
        for one in client.get(AT, params={"from": "2028-03-01", "until": "2028-03-02"}).json()["events"]
    ]
    assert ids == [made["id"]]
    assert not client.get(AT, params={"from": "2028-03-01T12:00:00+09:00"}).json()["events"]
    assert {one["kind"] for one in client.get(AT, params={"kind": "market"}).json()["events"]} == {"market"}
    assert not client.get(AT, params={"origin": "partner"}).json()["events"]
    every = [datetime.fromisoformat(one["start"]) for one in client.get(AT).json()["events"]]
    assert every == sorted(every)
    assert client.get(AT, params={"from": "soon"}).json()["parameter"] == "from"
    assert client.get(AT, params={"until": "2028-13-01"}).json()["parameter"] == "until"


def test_visitors_by_hour_stand_on_the_stations_nearby_and_the_typical_year(
    client: TestClient, middle: tuple[float, float]
) -> None:
    made = _made(client, _event(middle))
    said = client.get(f"{AT}/{made['id']}/visitors").json()
    assert len(said["hours"]) == 8
    assert sum(one["expected"] for one in said["hours"]) == pytest.approx(said["total"]["expected"], abs=1)
    assert {one["rain"] for one in said["hours"]} == {0.2}
    assert said["total"]["expected"] == pytest.approx(2400 * (1 - 0.2 * 0.35), abs=0.2)
    assert all(one["low"] < one["expected"] < one["high"] for one in said["hours"])
    basis = {one["code"]: one for one in said["basis"]}
    assert basis["metro"]["source"] == "measured" and "잠실 2" in basis["metro"]["text"]["ko"]
    assert basis["expected"]["source"] == "assumed"
    assert "2" in basis["no-attendance"]["text"]["en"]


def test_duties_name_the_law_and_the_day(client: TestClient, middle: tuple[float, float]) -> None:
    made = _made(client, _event(middle))
    said = client.get(f"{AT}/{made['id']}/duties").json()
    duties = {one["code"]: one for one in said["duties"]}
    assert duties["performance-plan"]["required"] and duties["performance-plan"]["until"] == "2027-09-04"
    assert duties["performance-plan"]["threshold"] == {
        "fact": "total_high",
        "value": 1000.0,
        "unit": "{person}",
    }
    assert all(one["confirm"] for one in duties.values())
    assert not duties["road-use"]["required"]
    assert "legal" in said["notice"]["en"]


def test_a_calendar_goes_out_and_comes_in(client: TestClient, middle: tuple[float, float]) -> None:
    made = _made(client, _event(middle))
    whole = client.get("/twins/lake/events.ics")
    assert whole.headers["content-type"].startswith("text/calendar")
    assert "단오 한마당" in whole.text
    one = client.get(f"{AT}/{made['id']}/calendar.ics")
    text = {"Content-Type": "text/calendar; charset=utf-8"}
    again = client.post(f"{AT}/import", content=one.content, headers=text)
    assert again.status_code == 201
    assert again.json()["made"] == [] and "here already" in again.json()["refused"][0]["why"]
    renamed = one.content.replace(made["id"].encode(), b"ev-" + b"7" * 24)
    come = client.post(f"{AT}/import", content=renamed, headers=text, params={"author": "박"}).json()
    assert come == {"made": ["ev-" + "7" * 24], "refused": []}
    read = client.get(f"{AT}/ev-{'7' * 24}").json()
    assert (read["title"], read["programme"], read["author"]["name"]) == (
        made["title"],
        made["programme"],
        "박",
    )
    far = one.content.replace(made["id"].encode(), b"ev-" + b"8" * 24).replace(b"GEO:37", b"GEO:36")
    refused = client.post(f"{AT}/import", content=far, headers=text).json()
    assert refused["made"] == [] and "outside" in refused["refused"][0]["why"]


def test_what_is_no_calendar_is_refused_by_name(client: TestClient) -> None:
    text = {"Content-Type": "text/calendar"}
    assert client.post(f"{AT}/import", content=b"hello", headers=text).status_code == 400
    assert (
        client.post(f"{AT}/import", content=b"{}", headers={"Content-Type": "application/json"}).status_code
        == 415
    )
    assert client.post(f"{AT}/import", content=b"x" * 1_100_000, headers=text).status_code == 413


@pytest.mark.slow
def test_wishes_become_meetings_and_those_that_do_not_say_why(
    client: TestClient, middle: tuple[float, float]
) -> None:
    people = [delegation("a", "b"), delegation("b", "a"), delegation("c", "a")]
    made = _made(client, _event(middle, kind="conference", delegations=people, stands=[]))
    at = f"{AT}/{made['id']}/meetings"
    slot = {"start": "2027-09-18T12:00:00+09:00", "end": "2027-09-18T12:20:00+09:00"}
    said = client.post(at, json={"slots": [slot], "rooms": 1}).json()
    assert said["meetings"] == [{"a": "a", "b": "b", **slot, "room": 1}]
    assert [(one["a"], one["b"], one["code"]) for one in said["unmatched"]] == [("c", "a", "not-mutual")]
    kept = client.put(
        f"{AT}/{made['id']}", headers={"If-Match": '"1"'},
        json={"event": _event(middle, kind="conference", delegations=people, stands=[], meetings=said["meetings"])},
    )  # fmt: skip
    assert kept.json()["meetings"] == said["meetings"]
    assert client.post(at, json={"slots": [], "rooms": 1}).status_code == 400
    alone = _made(client, _event(middle))
    assert (
        client.post(f"{AT}/{alone['id']}/meetings", json={"slots": [slot], "rooms": 1}).json()["parameter"]
        == "event.delegations"
    )
