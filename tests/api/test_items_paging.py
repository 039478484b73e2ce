"""Paging that holds: a cursor reads the version that it began in, whatever is switched meanwhile."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from shapely.geometry import Point
from starlette.testclient import TestClient

from twintown.api.items import rows_of
from twintown.api.items_query import Cursor
from twintown.app import create_app
from twintown.ground.features import Features
from twintown.query.query import Query
from twintown.settings import Settings
from twintown.trust.grades import Grade
from twintown.trust.identity import ANYONE
from twintown.trust.policy import Resource, decide
from twintown.twin.layers import Twin

X, Y = 208_500.0, 546_000.0
HERE = "/twins/small/collections/dots/items"
COUNT = 1_234


def dots(twin: Twin, count: int, prefix: str) -> Features:
    """Points in rows of forty, every seventh of them red."""
    i = np.arange(count)
    like = twin.read("buildings", decide(ANYONE, "read", Resource("small")))
    assert isinstance(like, Features)
    rows = gpd.GeoDataFrame(
        {"id": [f"{prefix}{k}" for k in i], "kind": np.where(i % 7 == 0, "red", "blue"), "number": i},
        geometry=[Point(X + k % 40, Y + k // 40) for k in i],
        crs=like.frame.crs,
    )
    return Features(rows, like.frame, like.provenance, {})


@pytest.fixture
def dotted(twin_dir: Path, tmp_path: Path) -> Twin:
    """A copy of the small twin, open for writing, with a layer of points."""
    directory = tmp_path / "small"
    shutil.copytree(twin_dir, directory)
    twin = Twin.open(directory, read_only=False)
    twin.tables.switch({"dots": twin.stage("dots", dots(twin, COUNT, "a"), Grade.O).version}, {})
    return twin


@pytest.fixture
def paged(dotted: Twin) -> Iterator[TestClient]:
    with TestClient(create_app([dotted.directory], Settings(), warm=False)) as one:
        yield one


def follow(client: TestClient, address: str, rel: str = "next") -> Iterator[dict]:
    """One page after the other."""
    while address:
        got = client.get(address)
        assert got.status_code == 200, got.text
        body = got.json()
        yield body
        address = next((link["href"] for link in body["links"] if link["rel"] == rel), "")


def ids(pages: list[dict]) -> list[str]:
    return [feature["id"] for page in pages for feature in page["features"]]


@pytest.mark.parametrize(
    "question",
    [
        "limit=100",
        "limit=97&kind=red",
        "limit=50&bbox=127.0,37.0,127.0966,37.6",
        "limit=10&filter=number%20%3C%2035",
    ],
)
def test_pages_give_every_row_once_and_say_how_many_there_are(paged: TestClient, question: str) -> None:
    pages = list(follow(paged, f"{HERE}?{question}"))
    found = ids(pages)
    assert len(set(found)) == len(found)
    assert {page["numberMatched"] for page in pages} == {len(found)}
    assert [page["numberReturned"] for page in pages] == [len(page["features"]) for page in pages]
    whole = paged.get(f"{HERE}?{question.partition('&')[2]}&limit=10000").json()
    assert ids([whole]) == found


@pytest.mark.parametrize("question", ["limit=100", "limit=19&kind=red", "limit=7&filter=number%20%3E%201200"])
def test_the_way_back_gives_the_same_pages(paged: TestClient, question: str) -> None:
    pages = list(follow(paged, f"{HERE}?{question}"))
    last = next(link["href"] for link in pages[-1]["links"] if link["rel"] == "self")
    back = list(follow(paged, last, "prev"))
    assert [ids([page]) for page in reversed(back)] == [ids([page]) for page in pages]
    assert {page["numberMatched"] for page in back} == {len(ids(pages))}


def test_a_version_that_is_switched_meanwhile_does_not_touch_the_pages_that_were_begun(
    paged: TestClient, dotted: Twin
) -> None:
    pages = follow(paged, f"{HERE}?limit=200&kind=blue")
    got = [next(pages), next(pages)]
    dotted.tables.switch({"dots": dotted.stage("dots", dots(dotted, 50, "b"), Grade.O).version}, {})
    assert paged.get(HERE).json()["features"][0]["id"].startswith("b")
    got += list(pages)
    found = ids(got)
    assert sorted(found, key=lambda one: int(one[1:])) == [f"a{i}" for i in range(COUNT) if i % 7]
    assert {page["numberMatched"] for page in got} == {len(found)}
    back = next(link["href"] for link in got[-1]["links"] if link["rel"] == "prev")
    assert ids([paged.get(back).json()]) == ids([got[-2]])


def test_the_entity_tag_changes_with_the_version(paged: TestClient, dotted: Twin) -> None:
    before = paged.get(f"{HERE}?limit=1").headers["etag"]
    assert paged.get(f"{HERE}?limit=1", headers={"If-None-Match": before}).status_code == 304
    dotted.tables.switch({"dots": dotted.stage("dots", dots(dotted, 50, "b"), Grade.O).version}, {})
    assert paged.get(f"{HERE}?limit=1", headers={"If-None-Match": before}).status_code == 200


def test_a_cursor_of_a_version_that_nobody_kept_is_gone(paged: TestClient) -> None:
    for cursor in ("01JGFJJZ000000000000000000-100", "01JGFJJZ000000000000000000.7-before-1"):
        got = paged.get(f"{HERE}?cursor={cursor}")
        assert got.status_code == 410, got.text
        assert got.headers["content-type"] == "application/problem+json"
        assert "again" in got.json()["detail"]


def test_a_cursor_of_a_version_that_never_was_is_not_there_and_what_is_none_is_refused(
    paged: TestClient,
) -> None:
    assert paged.get(f"{HERE}?cursor=01ARZ3NDEKTSV4RRFFQ69G5FAV-100").status_code == 404
    for cursor in ("abc.7-1", "01JGFJJZ000000000000000000-x", "01jgfjjz000000000000000000-1"):
        got = paged.get(f"{HERE}?cursor={cursor}")
        assert (got.status_code, got.json()["parameter"]) == (400, "cursor")


def test_a_cursor_beyond_the_end_has_no_rows_and_no_next_page(paged: TestClient, dotted: Twin) -> None:
    version = dotted.version("dots", decide(ANYONE, "read", Resource("small"))).version
    last = ids([paged.get(f"{HERE}?limit=10000").json()])[-3:]
    for position in (COUNT, 10**17):
        page = paged.get(f"{HERE}?cursor={version}-{position}").json()
        assert page["features"] == []
        assert not [link for link in page["links"] if link["rel"] == "next"]
        back = paged.get(f"{HERE}?limit=3&cursor={version}-before-{position}").json()
        assert ids([back]) == last


def test_backwards_finds_what_lies_far_before(dotted: Twin) -> None:
    view = dotted.view("dots", decide(ANYONE, "read", Resource("small")))
    rare = Query(where={"op": "in", "args": [{"property": "number"}, [3, 5, 1000]]})
    found = rows_of(view, rare, 2, Cursor(view.token, 1200, True))
    assert view.take(found.positions).column("number").to_pylist() == [5, 1000]
    assert (found.matched, found.after) == (3, 1200)
    first = rows_of(view, rare, 2, Cursor(view.token, int(found.before or 0), True))
    assert view.take(first.positions).column("number").to_pylist() == [3]
    assert first.before is None


def test_a_cursor_reads_as_it_is_written() -> None:
    for cursor in (Cursor("01JGFJJZ000000000000000000", 7), Cursor("01JGFJJZ000000000000000000.12", 0, True)):
        assert Cursor.parse(str(cursor)) == cursor
