"""Features are created, replaced, updated and deleted; every refusal says what is wrong and writes nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.api.conftest import ODBL, write_twin

from twintown.app import create_app
from twintown.ground.columns import Column
from twintown.ground.names import Name
from twintown.ground.provenance import Source
from twintown.settings import Settings
from twintown.trust.grades import Grade
from twintown.trust.identity import LOCAL_OWNER, make_token
from twintown.trust.policy import Resource, decide
from twintown.twin.add import About, add_empty
from twintown.twin.layers import Twin

BAD = Path(__file__).parents[3] / "shared" / "bench-data" / "bad" / "geojson"
ITEMS = "/twins/small/collections/benches/items"
COLUMNS = [
    Column("name", "string", "", Name("이름", "name")),
    Column("seats", "integer", "", Name("자리", "seats")),
    Column("height_m", "number", "m", Name("높이", "height")),
    Column("wood", "boolean", "", Name("나무", "wood")),
    Column("since", "datetime", "", Name("부터", "since")),
]
Answer = Any


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A twin with two empty layers; each test gets a copy."""
    directory = write_twin(tmp_path_factory.mktemp("built") / "small")
    make_token(directory)
    twin = Twin.open(directory)
    grant = decide(LOCAL_OWNER, "write", Resource("small"))
    for layer, locking in (("benches", True), ("trees", False)):
        about = About(
            layer, Name("의자", "Benches"), Source(layer, "Survey", "City", ODBL), Grade.O, locking=locking
        )
        add_empty(twin, about, "Point", COLUMNS, grant)
    return directory


@pytest.fixture
def place(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "small"))


@pytest.fixture
def client(place: Path) -> Iterator[TestClient]:
    app = create_app([place], Settings(), warm=False)
    token = (place / "owner.token").read_text().strip()
    with TestClient(app, raise_server_exceptions=False) as one:
        one.headers.update({"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"})
        yield one


def bench(lon: float = 127.0963, lat: float = 37.5129, **properties: object) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [lon, lat]},
        "properties": {"name": "벤치", "seats": 3, **properties},
    }


def post(client: TestClient, body: object, **headers: str) -> Answer:
    sent = {"Content-Type": "application/geo+json", **headers}
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(ITEMS, content=raw, headers=sent)


def put(client: TestClient, item: str, body: object, **headers: str) -> Answer:
    return client.put(
        f"{ITEMS}/{item}", json=body, headers={"Content-Type": "application/geo+json", **headers}
    )


def patch(client: TestClient, item: str, body: object, **headers: str) -> Answer:
    sent = {"Content-Type": "application/merge-patch+json", **headers}
    return client.patch(f"{ITEMS}/{item}", json=body, headers=sent)


def tag(answer: Answer) -> dict[str, str]:
    return {"If-Match": answer.headers["etag"]}


def count(client: TestClient) -> int:
    return int(client.get(ITEMS).json()["numberMatched"])


def problem(answer: Answer, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return dict(answer.json())


def test_a_created_feature_is_at_its_location_with_the_tag_that_was_told(client: TestClient) -> None:
    made = post(client, bench(height_m=1, wood=True, since="2026-01-02T09:00:00+09:00"))
    assert made.status_code == 201, made.text
    assert made.json()["warnings"] == []
    got = client.get(made.headers["location"])
    assert got.status_code == 200, got.text
    assert got.headers["etag"] == made.headers["etag"]
    feature = got.json()
    assert feature["id"] == made.json()["ids"][0]
    assert feature["properties"] == {
        "name": "벤치", "seats": 3, "height_m": 1.0, "wood": True, "since": feature["properties"]["since"],
    }  # fmt: skip
    assert feature["properties"]["since"].startswith("2026-01-02T00:00:00")
    assert feature["geometry"]["coordinates"] == pytest.approx([127.0963, 37.5129], abs=1e-8)
    assert count(client) == 1


def test_of_a_collection_all_are_taken_or_none(client: TestClient) -> None:
    good = {"type": "FeatureCollection", "features": [bench(), {**bench(), "id": "b/2"}]}
    made = post(client, good)
    assert made.status_code == 201, made.text
    assert made.json()["ids"][1] == "b/2"
    assert count(client) == 2
    bad = {"type": "FeatureCollection", "features": [bench(), bench(seats="three")]}
    said = problem(post(client, bad), 400)
    assert said["errors"] == [
        {
            "pointer": "/features/1/properties/seats",
            "line": 1,
            "detail": "'seats' is a whole number, not 'three'",
        }
    ]
    assert count(client) == 2


def test_a_replacement_needs_the_tag_of_the_state_that_it_replaces(client: TestClient) -> None:
    made = put(client, "one", bench())
    assert made.status_code == 201, made.text
    assert made.headers["location"].endswith(f"{ITEMS}/one")
    assert "If-Match" in problem(put(client, "one", bench(seats=4)), 428)["detail"]
    done = put(client, "one", bench(seats=4), **tag(made))
    assert (done.status_code, done.content) == (204, b"")
    assert client.get(f"{ITEMS}/one").headers["etag"] == done.headers["etag"]
    problem(put(client, "one", bench(seats=5), **tag(made)), 412)
    assert client.get(f"{ITEMS}/one").json()["properties"]["seats"] == 4


def test_a_tag_of_a_packed_answer_is_the_same_state(client: TestClient) -> None:
    made = put(client, "one", bench(name="x" * 2000))
    packed = client.get(f"{ITEMS}/one", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["etag"] != made.headers["etag"]
    assert patch(client, "one", {"properties": {"name": "y"}}, **tag(packed)).status_code == 204


def test_create_only_is_said_with_if_none_match(client: TestClient) -> None:
    assert put(client, "one", bench(), **{"If-None-Match": "*"}).status_code == 201
    problem(put(client, "one", bench(), **{"If-None-Match": "*"}), 412)
    problem(put(client, "one", bench(), **{"If-None-Match": '"abc"'}), 400)


def test_a_tag_for_a_feature_that_is_not_there_fails(client: TestClient) -> None:
    problem(put(client, "none", bench(), **{"If-Match": '"abc"'}), 412)
    problem(put(client, "none", bench(), **{"If-Match": "*"}), 412)
    assert count(client) == 0


def test_a_patch_changes_what_it_names_and_leaves_the_rest_to_the_last_digit(client: TestClient) -> None:
    metres = [546_123.456789, 208_512.123456]
    crs = {"Content-Crs": "<http://www.opengis.net/def/crs/EPSG/0/5186>"}
    body = bench() | {"geometry": {"type": "Point", "coordinates": metres}}
    made = put(client, "one", body, **crs)
    before = client.get(f"{ITEMS}/one?crs=http://www.opengis.net/def/crs/EPSG/0/5186").json()
    done = patch(client, "one", {"properties": {"seats": None, "name": "새"}}, **tag(made))
    assert done.status_code == 204, done.text
    after = client.get(f"{ITEMS}/one?crs=http://www.opengis.net/def/crs/EPSG/0/5186").json()
    assert after["geometry"] == before["geometry"]
    assert after["geometry"]["coordinates"] == pytest.approx(metres, abs=1e-3)
    assert after["properties"] == before["properties"] | {"seats": None, "name": "새"}
    assert client.get(f"{ITEMS}/one").headers["etag"] == done.headers["etag"]


def test_a_patch_may_move_a_feature_or_take_its_place_away(client: TestClient) -> None:
    made = put(client, "one", bench())
    moved = patch(client, "one", {"geometry": {"coordinates": [127.0964, 37.5130]}}, **tag(made))
    got = client.get(f"{ITEMS}/one").json()
    assert got["geometry"]["coordinates"] == pytest.approx([127.0964, 37.5130], abs=1e-7)
    assert patch(client, "one", {"geometry": None, "properties": None}, **tag(moved)).status_code == 204
    got = client.get(f"{ITEMS}/one").json()
    assert (got["geometry"], set(got["properties"].values())) == (None, {None})


def test_a_patch_is_checked_as_a_whole(client: TestClient) -> None:
    made = put(client, "one", bench())
    for body, pointer in (
        ({"properties": {"colour": "red"}}, "/properties/colour"),
        ({"properties": {"seats": 1.5}}, "/properties/seats"),
        ({"geometry": {"type": "Point", "coordinates": [1]}}, "/geometry/coordinates"),
        ({"geometry": {"type": "LineString"}}, "/geometry/coordinates"),
        ({"id": "two"}, "/id"),
        ([], ""),
    ):
        said = problem(patch(client, "one", body, **tag(made)), 400)
        assert any(one["pointer"].startswith(pointer) for one in said["errors"]), said


def test_a_deleted_feature_is_gone_and_can_be_made_again(client: TestClient) -> None:
    made = put(client, "one", bench())
    problem(client.delete(f"{ITEMS}/one"), 428)
    problem(client.delete(f"{ITEMS}/one", headers={"If-Match": '"abc"'}), 412)
    assert client.delete(f"{ITEMS}/one", headers=tag(made)).status_code == 204
    problem(client.get(f"{ITEMS}/one"), 404)
    problem(client.delete(f"{ITEMS}/one", headers=tag(made)), 404)
    problem(patch(client, "one", {}, **tag(made)), 404)
    assert count(client) == 0
    assert put(client, "one", bench()).status_code == 201
    assert count(client) == 1


def test_where_the_layer_does_without_locking_no_tag_is_asked_for_but_one_that_is_sent_counts(
    client: TestClient,
) -> None:
    address = "/twins/small/collections/trees/items/one"
    sent = {"Content-Type": "application/geo+json"}
    assert client.put(address, json=bench(), headers=sent).status_code == 201
    assert client.put(address, json=bench(seats=9), headers=sent).status_code == 204
    problem(client.delete(address, headers={"If-Match": '"abc"'}), 412)
    assert client.delete(address).status_code == 204


@pytest.mark.parametrize(
    ("crs", "coordinates"),
    [
        ("http://www.opengis.net/def/crs/OGC/1.3/CRS84", [127.0963, 37.5129]),
        ("http://www.opengis.net/def/crs/EPSG/0/4326", [37.5129, 127.0963]),
        ("[EPSG:3857]", [14148295.397709, 4510841.614865]),
    ],
)
def test_a_body_may_be_in_another_crs_with_the_order_of_its_axes(
    client: TestClient, crs: str, coordinates: list[float]
) -> None:
    body = bench() | {"geometry": {"type": "Point", "coordinates": coordinates}}
    made = post(client, body, **{"Content-Crs": crs})
    assert made.status_code == 201, made.text
    got = client.get(made.headers["location"]).json()["geometry"]["coordinates"]
    assert got == pytest.approx([127.0963, 37.5129], abs=2e-5)


@pytest.mark.parametrize("crs", ["EPSG:2154", "nonsense"])
def test_a_crs_that_is_not_known_is_refused_by_name(client: TestClient, crs: str) -> None:
    assert problem(post(client, bench(), **{"Content-Crs": crs}), 400)["parameter"] == "Content-Crs"


@pytest.mark.parametrize(
    ("change", "pointer", "what"),
    [
        ({"properties": {"colour": 1}}, "/properties/colour", "it has name, seats"),
        ({"properties": {"name": 7}}, "/properties/name", "is a string, not 7"),
        ({"properties": {"seats": True}}, "/properties/seats", "whole number"),
        ({"properties": {"seats": 2**70}}, "/properties/seats", "whole number"),
        ({"properties": {"height_m": "high"}}, "/properties/height_m", "is a number"),
        ({"properties": {"wood": 1}}, "/properties/wood", "true or false"),
        ({"properties": {"since": "yesterday"}}, "/properties/since", "a time such as"),
        ({"properties": {"since": "2026-13-45T00:00:00Z"}}, "/properties/since", "a time such as"),
        ({"properties": {"name": {"ko": "벤치"}}}, "/properties/name", "an object"),
        ({"geometry": {"type": "LineString", "coordinates": [[127.09, 37.51], [127.1, 37.51]]}}, "/geometry", "Point"),
        ({"geometry": {"type": "Point", "coordinates": [2.35, 48.85]}}, "/geometry", "far outside"),
        ({"geometry": {"type": "Point", "coordinates": [37.51, 127.09]}}, "/geometry/coordinates/0", "longitude"),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_layer_is_told_by_its_place(
    client: TestClient, change: dict[str, Any], pointer: str, what: str
) -> None:
    said = problem(post(client, bench() | change), 400)
    assert any(one["pointer"] == pointer and what in one["detail"] for one in said["errors"]), said
    assert said["errors"][0]["detail"] in said["detail"]
    assert count(client) == 0


def test_a_ring_that_crosses_itself_is_refused(client: TestClient, place: Path) -> None:
    grant = decide(LOCAL_OWNER, "write", Resource("small"))
    about = About("lawns", Name("잔디", "Lawns"), Source("lawns", "Survey", "City", ODBL), Grade.O)
    add_empty(Twin.open(place), about, "Polygon", [], grant)
    bow = [
        [127.0960, 37.5129],
        [127.0962, 37.5131],
        [127.0962, 37.5129],
        [127.0960, 37.5131],
        [127.0960, 37.5129],
    ]
    body = {"type": "Feature", "properties": None, "geometry": {"type": "Polygon", "coordinates": [bow]}}
    sent = {"Content-Type": "application/geo+json"}
    answer = client.post("/twins/small/collections/lawns/items", json=body, headers=sent)
    assert "Self-intersection" in problem(answer, 400)["detail"]
    body["geometry"] = {"type": "Polygon", "coordinates": [[*bow[:2], [127.0960, 37.5131], bow[0]][::-1]]}
    answer = client.post("/twins/small/collections/lawns/items", json=body, headers=sent)
    assert answer.status_code == 201, answer.text
    assert [one["pointer"] for one in answer.json()["warnings"]] == ["/geometry/coordinates/0"]


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/geo+json; charset=UTF-8", 201),
        ("application/json", 201),
        ("application/geo+json; charset=euc-kr", 415),
        ("application/xml", 415),
        ("text/csv", 415),
        ("", 415),
    ],
)
def test_only_geojson_in_utf8_is_taken(client: TestClient, kind: str, status: int) -> None:
    answer = post(client, bench(), **{"Content-Type": kind})
    assert answer.status_code == status, answer.text
    assert count(client) == (status == 201)


def test_a_patch_that_is_no_merge_patch_and_a_packed_body_are_not_taken(client: TestClient) -> None:
    made = put(client, "one", bench())
    problem(patch(client, "one", {}, **{"Content-Type": "application/json-patch+json", **tag(made)}), 415)
    problem(post(client, bench(), **{"Content-Encoding": "gzip"}), 415)


def test_ids_that_no_address_can_carry_are_refused(client: TestClient) -> None:
    for name in ("a//b", "..", "x" * 201, "a\nb", " a"):
        assert problem(post(client, bench() | {"id": name}), 400)["parameter"].endswith("id")
    said = problem(put(client, "one", bench() | {"id": "two"}), 400)
    assert said["parameter"] == "id"


def test_the_same_id_twice_is_refused_in_one_body_and_a_conflict_with_what_is_there(
    client: TestClient,
) -> None:
    twice = {"type": "FeatureCollection", "features": [bench() | {"id": 7}, bench() | {"id": "7"}]}
    assert "twice" in problem(post(client, twice), 400)["detail"]
    assert post(client, bench() | {"id": 7}).json()["ids"] == ["7"]
    problem(post(client, bench() | {"id": "7"}), 409)
    assert count(client) == 1


def test_who_may_write_is_the_owner(client: TestClient) -> None:
    anyone = {"Authorization": ""}
    answer = post(client, bench(), **anyone)
    problem(answer, 401)
    assert answer.headers["www-authenticate"].startswith("Bearer")
    problem(post(client, bench(), Authorization="Bearer nonsense"), 401)
    problem(client.delete(f"{ITEMS}/one", headers=anyone), 401)
    problem(put(client, "one", bench(), **anyone), 401)
    problem(patch(client, "one", {}, **anyone), 401)
    assert count(client) == 0


def test_a_layer_that_is_built_says_why_it_cannot_be_edited(client: TestClient) -> None:
    sent = {"Content-Type": "application/geo+json"}
    answer = client.post("/twins/small/collections/buildings/items", json=bench(), headers=sent)
    said = problem(answer, 405)
    assert "the next build would lose" in said["detail"]
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"
    problem(client.delete("/twins/small/collections/buildings/items/way/2"), 405)
    problem(client.post("/twins/small/collections/none/items", json=bench(), headers=sent), 404)


def test_a_cursor_keeps_its_picture_while_features_are_written(client: TestClient) -> None:
    for number in range(4):
        put(client, f"b{number}", bench(seats=number))
    first = client.get(f"{ITEMS}?limit=2").json()
    made = client.get(f"{ITEMS}/b3")
    patch(client, "b3", {"properties": {"seats": 99}}, **tag(made))
    put(client, "b9", bench())
    following = next(link["href"] for link in first["links"] if link["rel"] == "next")
    second = client.get(following).json()
    seen = [one["id"] for one in first["features"] + second["features"]]
    assert sorted(seen) == ["b0", "b1", "b2", "b3"]
    assert {one["properties"]["seats"] for one in second["features"]} <= {0, 1, 2, 3}
    assert count(client) == 5


def test_written_features_are_found_by_place_and_by_value(client: TestClient) -> None:
    put(client, "one", bench(seats=4))
    put(client, "two", bench(127.0975, 37.5129, seats=5))
    inside = client.get(f"{ITEMS}?bbox=127.0962,37.5128,127.0964,37.5130").json()
    assert [one["id"] for one in inside["features"]] == ["one"]
    assert [one["id"] for one in client.get(f"{ITEMS}?seats=5").json()["features"]] == ["two"]


def test_a_body_that_is_too_large_is_refused(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twintown.api.items_body.MAX_BYTES", 1000)
    problem(post(client, bench(name="x" * 1000)), 413)
    assert count(client) == 0


SMALL_BAD = [
    b"", b"{}", b"null", b"[]", b"7", b'"Feature"', b'{"type":"Feature"}', b'{"type":"FeatureCollection","features":[]}',
    b'{"type":"Point","coordinates":[127.09,37.51]}', b'{"type":"FeatureCollection","features":[null]}',
    b'{"type":"Feature","geometry":null,"properties":{},"properties":{}}', b'{"type":"Feature","geometry":{}}',
    b'{"type":"Feature","geometry":null,"properties":{"name":NaN}}', b"\xff\xfe{}", b"[" * 50_000,
    b'{"type":"Feature","geometry":null,"properties":{"name":"\\ud800"}}',
]  # fmt: skip


@pytest.mark.parametrize("raw", SMALL_BAD)
def test_a_document_that_is_no_feature_is_told_so_with_a_line(client: TestClient, raw: bytes) -> None:
    said = problem(post(client, raw), 400)
    assert said["errors"]
    assert all(one["line"] >= 1 for one in said["errors"])
    assert count(client) == 0


@pytest.mark.skipif(not BAD.is_dir(), reason="the bad files lie beside the project, not in it")
def test_every_bad_file_gets_a_precise_refusal(client: TestClient) -> None:
    files = sorted(BAD.glob("*.geojson"))
    assert len(files) > 20
    for path in files:
        said = problem(post(client, path.read_bytes()), 400)
        linted = json.loads(path.with_suffix(".result").read_text())
        assert said["errors"], path.name
        assert said["errors"][0]["detail"] in said["detail"]
        worst = [one for one in linted if one.get("level") != "message"]
        assert len(said["errors"]) >= (2 if worst and "bare" in said["errors"][0]["detail"] else 1), path.name
    assert count(client) == 0


def test_options_tell_what_each_layer_allows(client: TestClient) -> None:
    def allowed(address: str, **headers: str) -> set[str]:
        answer = client.options(f"/twins/small/collections/{address}", headers=headers)
        assert answer.status_code == 204
        return set(answer.headers["allow"].split(", "))

    reading = {"GET", "HEAD", "OPTIONS"}
    assert allowed("benches/items") == reading | {"POST"}
    assert allowed("benches/items/one") == reading | {"PUT", "PATCH", "DELETE"}
    assert allowed("benches") == reading | {"PUT", "DELETE"}
    assert allowed("buildings/items") == allowed("buildings/items/way/2") == allowed("buildings") == reading
    assert allowed("none") == reading | {"PUT"}
    assert allowed("none/items") == reading
    # who does not say who it is has to do that first, whatever the layer
    for address in ("benches/items", "buildings/items", "vaults/items"):
        assert allowed(address, Authorization="") == reading | {"POST"}
    assert (
        client.post("/twins/small/collections/buildings/items", headers={"Authorization": ""}).status_code
        == 401
    )
    told = client.options(
        "/twins/small/collections/buildings/items",
        headers={"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"},
    )
    assert "POST" in told.headers["access-control-allow-methods"]
