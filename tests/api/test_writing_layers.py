"""Layers come in as files or empty, take each other's place, and go again; whatever fails leaves nothing half."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.testclient import TestClient
from tests.api.conftest import write_twin

from twintown.api import imports
from twintown.app import create_app
from twintown.ground.errors import BadInput, StorageFull
from twintown.settings import Settings
from twintown.store.blobs import Blobs
from twintown.store.lock import locked
from twintown.trust.identity import make_token

pytestmark = pytest.mark.slow

HERE = "/twins/small/collections"
SAID = {"licence": "KOGL-1", "publisher": "Small City", "grade": "O"}
CSV = "name,seats,lon,lat\n북쪽,3,127.0963,37.5130\n남쪽,,127.0964,37.5128\n"
SCHEMA = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "x-ogc-role": "id"},
        "name": {"type": "string", "title": "이름"},
        "height_m": {"type": ["number", "null"], "x-ogc-unit": "m"},
        "since": {"type": "string", "format": "date-time"},
        "geometry": {"format": "geometry-point-or-multipoint", "x-ogc-role": "primary-geometry"},
    },
}
Answer = Any


def feature(number: int, **properties: object) -> dict[str, Any]:
    return {
        "type": "Feature", "id": f"f{number}", "properties": {"seats": number, **properties},
        "geometry": {"type": "Point", "coordinates": [127.0963 + number * 1e-5, 37.5129]},
    }  # fmt: skip


GEOJSON = json.dumps({"type": "FeatureCollection", "features": [feature(1), feature(2)]})


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = write_twin(tmp_path_factory.mktemp("built") / "small")
    make_token(directory)
    return directory


@pytest.fixture
def place(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "small"))


@pytest.fixture
def client(place: Path) -> Iterator[TestClient]:
    token = (place / "owner.token").read_text().strip()
    with TestClient(create_app([place], Settings(), warm=False), raise_server_exceptions=False) as one:
        one.headers.update({"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"})
        yield one


def put(
    client: TestClient, layer: str, body: str | bytes, kind: str, said: dict[str, str] = SAID, **headers: str
) -> Answer:
    address = f"{HERE}/{layer}?{urlencode(said)}"
    raw = body if isinstance(body, bytes) else body.encode()
    return client.put(address, content=raw, headers={"Content-Type": kind, **headers})


def problem(answer: Answer, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return dict(answer.json())


def layers(client: TestClient) -> list[str]:
    return [one["id"] for one in client.get(HERE).json()["collections"]]


def left(place: Path) -> list[Path]:
    folder = place / imports.UPLOADS
    return list(folder.iterdir()) if folder.exists() else []


def test_a_file_becomes_a_layer_with_its_licence_and_words(client: TestClient, place: Path) -> None:
    said = SAID | {"title_ko": "의자", "title_en": "Benches", "attribution": "© Small City"}
    made = put(client, "benches", GEOJSON, "application/geo+json", said)
    assert made.status_code == 201, made.text
    assert made.headers["location"].endswith(f"{HERE}/benches")
    assert (made.json()["count"], made.json()["editable"]) == (2, False)
    told = client.get(f"{HERE}/benches").json()
    assert told["names"] == {"ko": "의자", "en": "Benches"}
    assert "© Small City" in json.dumps(told, ensure_ascii=False)
    assert client.get(f"{HERE}/benches/items").json()["numberMatched"] == 2
    assert client.get(f"{HERE}/benches/items/f2").json()["properties"] == {"seats": 2}
    assert left(place) == []


@pytest.mark.parametrize("kind", ["application/geo+json", "application/flatgeobuf", "application/vnd.apache.parquet",
                                  "application/vnd.ogc.fg+json", "text/csv"])  # fmt: skip
def test_what_a_layer_leaves_as_comes_in_again(client: TestClient, kind: str) -> None:
    assert put(client, "benches", GEOJSON, "application/geo+json").status_code == 201
    raw = client.get(f"{HERE}/benches/items", headers={"Accept": kind})
    assert raw.status_code == 200, raw.text
    made = put(client, "again", raw.content, kind)
    assert made.status_code == 201, made.text
    first, again = (client.get(f"{HERE}/{one}/items").json()["features"] for one in ("benches", "again"))
    assert [one["id"] for one in again] == [one["id"] for one in first]
    assert [one["properties"] for one in again] == [one["properties"] for one in first]
    for one, other in zip(first, again, strict=True):
        assert one["geometry"]["coordinates"] == pytest.approx(other["geometry"]["coordinates"], abs=2e-8)


def test_putting_again_takes_the_place_and_if_none_match_does_not(client: TestClient) -> None:
    put(client, "benches", GEOJSON, "application/geo+json")
    problem(put(client, "benches", GEOJSON, "application/geo+json", **{"If-None-Match": "*"}), 412)
    one = json.dumps({"type": "FeatureCollection", "features": [feature(7)]})
    assert put(client, "benches", one, "application/geo+json").status_code == 200
    assert [f["id"] for f in client.get(f"{HERE}/benches/items").json()["features"]] == ["f7"]


def test_an_empty_layer_is_made_from_a_schema_and_drawn_into(client: TestClient) -> None:
    made = put(client, "trees", json.dumps(SCHEMA), imports.SCHEMA)
    assert made.status_code == 201, made.text
    assert made.json()["editable"] is True
    said = client.get(f"{HERE}/trees/schema").json()["properties"]
    assert said["geometry"]["format"].startswith("geometry-point")
    assert said["height_m"]["x-ogc-unit"] == "m"
    assert (said["since"]["type"], said["since"]["format"]) == ("string", "date-time")
    body = {
        "type": "Feature",
        "properties": {"name": "소나무", "height_m": 7},
        "geometry": feature(1)["geometry"],
    }
    answer = client.post(f"{HERE}/trees/items", json=body, headers={"Content-Type": "application/geo+json"})
    assert answer.status_code == 201, answer.text
    assert client.get(f"{HERE}/trees/items").json()["numberMatched"] == 1


def test_an_editable_file_can_be_edited(client: TestClient) -> None:
    made = put(client, "benches", GEOJSON, "application/geo+json", SAID | {"editable": "true"})
    assert made.json()["editable"] is True
    got = client.get(f"{HERE}/benches/items/f1")
    sent = {"Content-Type": "application/merge-patch+json", "If-Match": got.headers["etag"]}
    assert (
        client.patch(f"{HERE}/benches/items/f1", json={"properties": {"seats": 9}}, headers=sent).status_code
        == 204
    )
    assert client.get(f"{HERE}/benches/items/f1").json()["properties"]["seats"] == 9


def test_an_added_layer_goes_and_a_built_one_does_not(client: TestClient) -> None:
    put(client, "benches", GEOJSON, "application/geo+json")
    assert client.delete(f"{HERE}/benches").status_code == 204
    problem(client.get(f"{HERE}/benches"), 404)
    problem(client.delete(f"{HERE}/benches"), 404)
    answer = client.delete(f"{HERE}/buildings")
    assert "built from its sources" in problem(answer, 405)["detail"]
    assert "DELETE" not in answer.headers["allow"]
    assert "buildings" in layers(client)


@pytest.mark.parametrize("missing", ["licence", "publisher", "grade"])
def test_there_is_no_layer_without_provenance_and_grade(client: TestClient, missing: str) -> None:
    said = {name: text for name, text in SAID.items() if name != missing}
    answer = problem(put(client, "benches", GEOJSON, "application/geo+json", said), 400)
    assert answer["parameter"] == missing
    said = SAID | {missing: ""}
    assert problem(put(client, "benches", GEOJSON, "application/geo+json", said), 400)["parameter"] == missing


def test_only_the_owner_adds_and_takes_away(client: TestClient) -> None:
    anyone = {"Authorization": ""}
    problem(put(client, "benches", GEOJSON, "application/geo+json", **anyone), 401)
    problem(client.delete(f"{HERE}/benches", headers=anyone), 401)


def test_what_is_graded_higher_is_not_shown_to_anyone(client: TestClient) -> None:
    assert put(client, "benches", GEOJSON, "application/geo+json", SAID | {"grade": "S"}).status_code == 201
    problem(client.get(f"{HERE}/benches", headers={"Authorization": ""}), 401)


@pytest.mark.parametrize(
    ("layer", "status", "says"),
    [
        ("buildings", 409, "built from its sources"),
        ("catalogue", 405, "not possible at this address"),  # the records have it
        ("Not-An-Id", 400, "cannot be an identifier"),
    ],
)
def test_some_ids_are_not_to_be_had(client: TestClient, layer: str, status: int, says: str) -> None:
    assert says in problem(put(client, layer, GEOJSON, "application/geo+json"), status)["detail"]


@pytest.mark.parametrize(
    "kind", ["application/xml", "application/zip", "", "application/geo+json; charset=euc-kr"]
)
def test_other_kinds_and_encodings_are_not_taken(client: TestClient, kind: str) -> None:
    problem(put(client, "benches", GEOJSON, kind), 415)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("", "application/geo+json"),
        (GEOJSON[:-40], "application/geo+json"),
        (GEOJSON.replace("127.", "12."), "application/geo+json"),
        ("name,seats\n1,2,3\n", "text/csv"),
        (b"fgb\x03fgb\x00" + b"\x00" * 20, "application/flatgeobuf"),
        (b"PAR1" + b"\x00" * 40 + b"PAR1", "application/vnd.apache.parquet"),
        ("{}", imports.SCHEMA),
        ('{"properties":{"a":{"type":"colour"}}}', imports.SCHEMA),
        ('{"properties":{"a":{"format":"geometry-circle"}}}', imports.SCHEMA),
        ('{"properties":7}', imports.SCHEMA),
    ],
)
def test_a_file_that_cannot_be_read_leaves_nothing(
    client: TestClient, place: Path, body: str | bytes, kind: str
) -> None:
    before = layers(client)
    said = problem(put(client, "benches", body, kind), 400)
    assert str(place) not in json.dumps(said)
    assert layers(client) == before
    assert left(place) == []


def test_a_body_that_is_too_large_is_refused(
    client: TestClient, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "MAX_BYTES", 100)
    problem(put(client, "benches", GEOJSON, "application/geo+json"), 413)
    assert left(place) == []
    assert "benches" not in layers(client)


def test_a_full_disk_is_507_and_leaves_nothing(
    client: TestClient, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StorageFull("the disk is full", "here", "free some space")

    monkeypatch.setattr(Blobs, "put_stream", full)
    problem(put(client, "benches", GEOJSON, "application/geo+json"), 507)
    monkeypatch.undo()
    assert left(place) == []
    assert "benches" not in layers(client)
    assert put(client, "benches", GEOJSON, "application/geo+json").status_code == 201


def test_while_a_build_is_at_work_the_caller_is_asked_to_come_again(client: TestClient, place: Path) -> None:
    with locked(place):
        answer = put(client, "benches", GEOJSON, "application/geo+json")
    problem(answer, 503)
    assert answer.headers["retry-after"]
    assert put(client, "benches", GEOJSON, "application/geo+json").status_code == 201


def test_a_body_that_a_killed_server_left_is_removed_when_it_is_old(client: TestClient, place: Path) -> None:
    folder = place / imports.UPLOADS
    folder.mkdir()
    (folder / "old").write_text("half")
    os.utime(folder / "old", (0, 0))
    (folder / "new").write_text("half")
    put(client, "benches", GEOJSON, "application/geo+json")
    assert [one.name for one in left(place)] == ["new"]


def test_a_schema_that_is_no_json_is_told_by_line() -> None:
    with pytest.raises(BadInput, match="line 2"):
        imports.declared(b'{\n"a":}')
