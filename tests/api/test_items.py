"""Rows through OGC API - Features: pages, single rows, coordinates, files, and what a server must not get wrong."""

from __future__ import annotations

import csv
import io
import json
import re

import pyarrow.parquet as pq
import pytest
import shapely
from fastapi import FastAPI
from starlette.testclient import TestClient

from twintown.api.items_files import Stream, limiter_of
from twintown.api.items_links import cleaned, without

T = "/twins/small/collections"
HERE = f"{T}/buildings/items"
CRS = "http://www.opengis.net/def/crs"
PLAIN = {"Accept-Encoding": "identity"}


def ids(body: dict) -> list[str]:
    return [feature["id"] for feature in body["features"]]


def link(body: dict, rel: str) -> dict:
    return next(one for one in body["links"] if one["rel"] == rel)


def test_a_page_says_what_it_is_how_much_there_is_and_where_to_go_on(client: TestClient) -> None:
    got = client.get(f"{HERE}?limit=1")
    body = got.json()
    assert got.headers["content-type"] == "application/geo+json"
    assert got.headers["content-crs"] == f"<{CRS}/OGC/1.3/CRS84>"
    assert body["type"] == "FeatureCollection"
    assert (body["numberMatched"], body["numberReturned"], len(body["features"])) == (2, 1, 1)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", body["timeStamp"])
    assert link(body, "self")["href"] == f"http://testserver{HERE}?limit=1"
    assert link(body, "self")["type"] == "application/geo+json"
    assert link(body, "collection")["href"] == f"http://testserver{T}/buildings"
    offered = {one["type"] for one in body["links"] if one["rel"] == "alternate"}
    assert {"text/html", "text/csv", "application/flatgeobuf", "application/vnd.apache.parquet"} <= offered
    assert all(one["href"].startswith("http://testserver/") and one["title"] for one in body["links"])


def test_every_link_of_a_page_leads_to_what_it_says(client: TestClient) -> None:
    body = client.get(f"{HERE}?limit=1&kind=house").json()
    for one in body["links"]:
        if one["type"] not in ("application/geo+json", "text/html", "text/csv", "application/json"):
            continue
        got = client.get(one["href"].removeprefix("http://testserver"))
        assert got.status_code == 200, one
        assert got.headers["content-type"].startswith(one["type"])


def test_next_and_prev_lead_through_all_rows_and_back(client: TestClient) -> None:
    first = client.get(f"{HERE}?limit=1").json()
    second = client.get(link(first, "next")["href"]).json()
    assert not [one for one in second["links"] if one["rel"] == "next"]
    assert not [one for one in first["links"] if one["rel"] == "prev"]
    back = client.get(link(second, "prev")["href"]).json()
    assert ids(back) == ids(first) != ids(second)
    assert back["numberMatched"] == 2
    assert ids(client.get(link(back, "next")["href"]).json()) == ids(second)
    assert not [one for one in back["links"] if one["rel"] == "prev"]


def test_links_keep_the_question_and_escape_what_was_sent(client: TestClient) -> None:
    got = client.get(HERE + '?limit=1&height_source=measured&f=geojson&filter=name%20LIKE%20%27%25"%25%27')
    assert got.status_code == 200
    body = got.json()
    assert link(body, "self")["href"].endswith("f=geojson&filter=name%20LIKE%20%27%25%22%25%27")
    html = next(one for one in body["links"] if one["type"] == "text/html")
    assert html["href"].endswith("filter=name%20LIKE%20%27%25%22%25%27&f=html")
    assert html["href"].count("f=") == 1 + html["href"].count("filter=") * 0
    assert cleaned(b'a="\xff\\') == "a=%22%FF%5C"
    assert without("f=csv&limit=1&%66=x&cursor=a-1", "f", "cursor") == "limit=1"


def test_rows_are_chosen_by_each_of_their_columns(client: TestClient) -> None:
    def found(query: str) -> list[str]:
        return sorted(ids(client.get(f"{HERE}?{query}").json()))

    assert found("kind=house") == ["way/2"]
    assert found("parts=2") == ["relation/1"]
    assert found("height_m=6.5") == ["way/2"]
    assert found("kind=house&parts=2") == []
    assert client.get(f"{T}/roads/items?bridge=true").json()["numberMatched"] == 1


def test_a_filter_in_both_languages_gives_the_same_rows(client: TestClient) -> None:
    text = client.get(HERE, params={"filter": "height_m > 50 AND kind <> 'house'"}).json()
    value = {"op": "and", "args": [
        {"op": ">", "args": [{"property": "height_m"}, 50]}, {"op": "<>", "args": [{"property": "kind"}, "house"]},
    ]}  # fmt: skip
    same = client.get(HERE, params={"filter": json.dumps(value), "filter-lang": "cql2-json"}).json()
    assert ids(text) == ids(same) == ["relation/1"]
    assert text["numberMatched"] == same["numberMatched"] == 1


def test_a_filter_by_place_reads_its_coordinates_in_the_order_of_its_crs(client: TestClient) -> None:
    tower = "POLYGON((546010 208510, 546010 208520, 546020 208520, 546010 208510))"
    asked = {"filter": f"S_INTERSECTS(geometry, {tower})", "filter-crs": f"{CRS}/EPSG/0/5186"}
    assert ids(client.get(HERE, params=asked).json()) == ["relation/1"]


def test_coordinates_come_in_the_order_of_the_axes_of_the_crs(client: TestClient) -> None:
    def first(crs: str) -> list[float]:
        got = client.get(f"{HERE}/relation/1", params={"crs": crs})
        assert got.status_code == 200, got.text
        assert got.headers["content-crs"] == f"<{CRS}/{crs.split('crs/')[1]}>"
        return got.json()["geometry"]["coordinates"][0][0]

    lon, lat = first(f"{CRS}/OGC/1.3/CRS84")
    assert first(f"{CRS}/EPSG/0/4326") == [lat, lon]
    north, east = first(f"{CRS}/EPSG/0/5186")
    assert 545_900 < north < 546_100
    assert 208_400 < east < 208_600
    x, y = first(f"{CRS}/EPSG/0/3857")
    assert (x, y) == (pytest.approx(lon * 111_319.49, rel=1e-6), pytest.approx(4_512_000, rel=1e-2))


def test_a_box_is_read_in_its_own_crs(client: TestClient) -> None:
    def found(box: str, crs: str) -> list[str]:
        return sorted(ids(client.get(HERE, params={"bbox": box, "bbox-crs": crs}).json()))

    assert found("546001,208501,546002,208502", f"{CRS}/EPSG/0/5186") == ["relation/1"]
    assert found("546001,208501,546002,208570", "[EPSG:5186]") == ["relation/1", "way/2"]
    lon, lat = client.get(f"{HERE}/way/2").json()["geometry"]["coordinates"][0][0]
    assert found(f"{lat - 1e-6},{lon - 1e-6},{lat + 1e-6},{lon + 1e-6}", f"{CRS}/EPSG/0/4326") == ["way/2"]
    assert found(f"{lon - 1e-6},{lat - 1e-6},0,{lon + 1e-6},{lat + 1e-6},9", f"{CRS}/OGC/1.3/CRS84") == [
        "way/2"
    ]


def test_a_time_keeps_what_meets_it_and_asks_nothing_of_what_has_none(client: TestClient) -> None:
    def matched(layer: str, when: str) -> int:
        return client.get(f"{T}/{layer}/items", params={"datetime": when}).json()["numberMatched"]

    assert matched("weather", "2021-01-01T00:00:00+09:00") == 1
    assert matched("weather", "2020-12-31T15:00:00Z/2020-12-31T17:00:00Z") == 3
    assert matched("weather", "../2020-12-31T15:30:00Z") == 1
    assert matched("weather", "2021-01-03T14:00:00Z/") == 1
    assert matched("weather", "2020-12-31") == 9
    assert matched("buildings", "1999-01-01T00:00:00Z") == 2


def test_columns_and_shapes_can_be_left_out(client: TestClient) -> None:
    one = client.get(f"{HERE}?properties=height_m,kind&limit=1").json()["features"][0]
    assert list(one["properties"]) == ["kind", "height_m"]
    assert one["geometry"]["type"] == "Polygon"
    bare = client.get(f"{HERE}?skipGeometry=true&limit=1").json()["features"][0]
    assert bare["geometry"] is None
    assert bare["properties"]["height_m"] in (100.0, 6.5)


def test_tables_and_series_have_items_too(client: TestClient) -> None:
    assert ids(client.get(f"{T}/clinics/items").json()) == ["c0", "c1", "c2"]
    hours = client.get(f"{T}/weather/items?limit=2").json()
    assert hours["numberMatched"] == 72
    assert hours["features"][0]["geometry"] is None
    assert client.get(f"{T}/weather/items/{ids(hours)[1]}").json()["properties"]["temperature"] == 1.0


def test_limits_above_the_most_are_the_most(client: TestClient) -> None:
    assert client.get(f"{HERE}?limit=999999999999999999").json()["numberReturned"] == 2
    for junk in ("0", "-1", "1.5", "ten", "", "9" * 19, "１"):
        assert client.get(HERE, params={"limit": junk}).json()["parameter"] == "limit"


def test_an_unchanged_page_and_an_unchanged_row_are_not_sent_again(client: TestClient) -> None:
    for address in (HERE, f"{HERE}?limit=1", f"{HERE}/way/2", f"{HERE}/way/2?f=csv"):
        for headers in ({}, PLAIN):
            etag = client.get(address, headers=headers).headers["etag"]
            again = client.get(address, headers={**headers, "If-None-Match": f'"other", {etag}'})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"].removesuffix('-gzip"').strip('"') in etag
            assert "content-length" not in again.headers
    tags = {
        client.get(f"{HERE}{query}", headers=PLAIN).headers["etag"]
        for query in ("", "?limit=1", "?limit=2", "?f=csv", "/way/2")
    }
    assert len(tags) == 5


def test_the_tag_of_a_row_is_strong_and_names_what_it_says(client: TestClient) -> None:
    plain = client.get(f"{HERE}/way/2", headers=PLAIN).headers["etag"]
    other = client.get(f"{HERE}/way/2?crs={CRS}/EPSG/0/5186", headers=PLAIN).headers["etag"]
    assert re.fullmatch(r'"[0-9a-f]{24}"', plain)
    assert other == plain[:-1] + '-EPSG5186"'
    assert client.get(HERE, headers=PLAIN).headers["etag"].startswith('W/"'), (
        "its time differs from answer to answer"
    )


def test_head_has_the_headers_of_get(client: TestClient) -> None:
    for address in (HERE, f"{HERE}/way/2", f"{HERE}?f=csv"):
        got, head = client.get(address, headers=PLAIN), client.head(address, headers=PLAIN)
        assert head.status_code == 200
        assert not head.content
        for name in ("etag", "content-type", "content-crs", "content-length"):
            assert head.headers.get(name) == got.headers.get(name)


def test_what_a_token_opens_stays_out_of_caches(client: TestClient, owner: dict[str, str]) -> None:
    for address in (f"{T}/vaults/items", f"{T}/vaults/items/vault", f"{T}/vaults/items?f=csv", HERE):
        got = client.get(address, headers=owner)
        assert got.status_code == 200
        assert got.headers["cache-control"] == "private, no-store"
    assert client.get(f"{T}/vaults/items").status_code == 401
    assert client.get(f"{T}/vaults/items?f=csv").status_code == 401
    assert "Authorization" in client.get(HERE).headers["vary"]


def test_a_compressed_page_is_the_same_page(client: TestClient) -> None:
    plain, packed = client.get(HERE, headers=PLAIN), client.get(HERE, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.json()["features"] == plain.json()["features"]
    assert packed.headers["etag"] == plain.headers["etag"][:-1] + '-gzip"'


def test_a_page_speaks_the_language_that_is_asked_for(client: TestClient) -> None:
    assert client.get(HERE).json()["title"] == "Buildings"
    assert client.get(HERE, headers={"Accept-Language": "ko"}).json()["title"] == "건물"
    korean = client.get(f"{HERE}?lang=ko")
    assert korean.json()["title"] == "건물"
    assert korean.headers["content-language"] == "ko"
    assert client.get(f"{HERE}?lang=de").json()["parameter"] == "lang"


def test_accept_chooses_the_form_and_f_goes_before_it(client: TestClient) -> None:
    def kind(accept: str, query: str = "") -> str:
        return client.get(HERE + query, headers={"Accept": accept}).headers["content-type"]

    assert kind("*/*") == kind("application/json") == kind("application/geo+json") == "application/geo+json"
    assert kind("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8").startswith("text/html")
    assert kind("text/csv") == "text/csv"
    assert kind("text/html", "?f=json") == "application/geo+json"
    refused = client.get(HERE, headers={"Accept": "image/png"})
    assert refused.status_code == 406
    assert refused.headers["content-type"] == "application/problem+json"


def test_people_get_a_page_of_the_same_rows(client: TestClient) -> None:
    got = client.get(f"{HERE}?f=html&lang=ko")
    assert got.headers["content-type"] == "text/html; charset=utf-8"
    assert "롯데월드타워" in got.text
    assert "way/2" in client.get(f"{HERE}/way/2?f=html").text


def test_files_hold_everything_that_matches_unless_a_limit_is_given(client: TestClient) -> None:
    whole = client.get(f"{T}/weather/items?f=csv")
    assert whole.headers["content-disposition"].startswith('attachment; filename="small-weather.csv"')
    assert whole.headers["ogc-numbermatched"] == "72"
    assert len(list(csv.reader(io.StringIO(whole.text)))) == 73
    page = client.get(f"{T}/weather/items?f=csv&limit=3")
    assert len(list(csv.reader(io.StringIO(page.text)))) == 4
    assert page.headers["ogc-numberreturned"] == "3"
    following = re.search(r'<([^>]+)>; rel="next"; type="text/csv"', page.headers["link"])
    assert following
    rest = client.get(following[1]).text
    assert rest.splitlines()[1].startswith('"2021-01-01T03:00:00+09:00"')
    filtered = client.get(f"{T}/weather/items?f=csv&filter=temperature%3E%3D70")
    assert len(list(csv.reader(io.StringIO(filtered.text)))) == 3


def test_a_parquet_file_of_a_page_opens_as_what_it_is(client: TestClient) -> None:
    got = client.get(f"{HERE}?f=parquet&properties=height_m")
    assert got.headers["content-type"] == "application/vnd.apache.parquet"
    table = pq.read_table(io.BytesIO(got.content))
    assert sorted(table["height_m"].to_pylist()) == [6.5, 100.0]
    assert shapely.from_wkb(table["geometry"].to_pylist()[0]).geom_type == "Polygon"
    assert "numberMatched" not in got.headers


def test_every_form_that_is_offered_is_given_and_says_its_crs(client: TestClient) -> None:
    own = f"<{CRS}/EPSG/0/5186>"
    for layer in ("buildings", "roads", "clinics", "weather"):
        page = client.get(f"{T}/{layer}/items?limit=1").json()
        for one in page["links"]:
            if one["rel"] != "alternate":
                continue
            got = client.get(one["href"].removeprefix("http://testserver"))
            assert got.status_code == 200, one
            assert got.headers["content-type"].startswith(one["type"])
            assert (got.headers["content-crs"] == own) == ("city+json" in one["type"])
            assert got.content


def test_a_row_that_is_not_there_is_named(client: TestClient) -> None:
    for address in (
        f"{HERE}/way/999",
        f"{HERE}/way",
        f"{HERE}/%00",
        f"{HERE}/%ED%A0%80",
        f"{T}/nothing/items/x",
    ):
        got = client.get(address)
        assert got.status_code == 404, address
        assert got.json()["detail"]


def test_options_tells_what_may_be_done_here(client: TestClient) -> None:
    for address in (HERE, f"{HERE}/way/2"):
        told = client.options(address)
        assert told.status_code == 204
        assert {"GET", "HEAD", "OPTIONS"} <= set(told.headers["allow"].split(", "))
    refused = client.request("TRACE", HERE)
    assert refused.status_code == 405
    assert "GET" in refused.headers["allow"]


def test_a_stream_stops_when_the_caller_goes_away(app: FastAPI) -> None:
    import anyio
    from starlette.requests import Request

    closed = []

    def pieces():
        try:
            while True:
                yield b"x" * 1000
        finally:
            closed.append(True)

    async def go() -> int:
        scope = {"type": "http", "app": app, "headers": [], "method": "GET"}
        gone, sent = anyio.Event(), 0

        async def receive() -> dict:
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict) -> None:
            nonlocal sent
            sent += 1
            if sent == 5:
                gone.set()

        made = pieces()
        await Stream(made, next(made), [], limiter_of(Request(scope)))(scope, receive, send)
        return sent

    assert anyio.run(go) < 100
    assert closed


BAD = [
    ("bbox=1,2,3", "bbox"),
    ("bbox=nan,0,1,1", "bbox"),
    ("bbox=127,37,128,38&bbox-crs=EPSG:4326", "bbox"),
    ("bbox=127,37,128,38&bbox-crs=EPSG:99999", "bbox-crs"),
    ("bbox-crs=nonsense", "bbox-crs"),
    ("datetime=yesterday", "datetime"),
    ("datetime=../..", "datetime"),
    ("datetime=/", "datetime"),
    ("datetime=2021-01-02T00:00:00Z/2021-01-01T00:00:00Z", "datetime"),
    ("datetime=2021-13-01T00:00:00Z", "datetime"),
    ("datetime=2021-01-01T00:00:00", "datetime"),
    ("datetime=1/2/3", "datetime"),
    ("cursor=", "cursor"),
    ("cursor=-1", "cursor"),
    ("cursor=%00-1", "cursor"),
    ("crs=EPSG:2000", "crs"),
    ("crs=", "crs"),
    ("filter=", "filter"),
    ("filter=height_m%20%3E", "filter"),
    ("filter=height%20%3E%201", "filter"),
    ("filter=height_m%20LIKE%20%27a%27", "filter"),
    ("filter=%00", "filter"),
    ("filter=%7B&filter-lang=cql2-json", "filter"),
    ("filter-lang=sql", "filter-lang"),
    ("filter-crs=1", "filter-crs"),
    ("properties=tallness", "properties"),
    ("skipGeometry=yes", "skipGeometry"),
    ("f=shapefile", "f"),
    ("f=fgb&skipGeometry=true", "skipGeometry"),
    ("f=cityjson&crs=EPSG:4326", "crs"),
    ("offset=10", "offset"),
    ("colour=red", "colour"),
    ("col%00our=red", "col\x00our"),
    ("parts=nan", "parts"),
    ("parts=1_0", "parts"),
    ("limit=1&limit=1", "limit"),
    ("kind=a&kind=b", "kind"),
]  # fmt: skip


@pytest.mark.parametrize(("query", "parameter"), BAD)
def test_a_parameter_that_cannot_be_understood_is_named(
    client: TestClient, query: str, parameter: str
) -> None:
    got = client.get(f"{HERE}?{query}")
    assert got.status_code == 400, got.text
    assert got.json()["parameter"] == parameter
    assert got.json()["detail"]


def test_a_question_without_end_is_refused_before_it_is_read(client: TestClient) -> None:
    huge = "height_m>0 OR " * 3_500 + "height_m>0"
    got = client.get(HERE, params={"filter": huge})
    assert got.status_code == 400
    assert got.json()["parameter"] == "filter"
    many = client.get(HERE, params={f"p{i}": "1" for i in range(200)})
    assert many.status_code == 400
    assert client.get(f"{HERE}/way/2?limit=1").json()["parameter"] == "limit"
