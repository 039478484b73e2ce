"""Attacks on what stays: one city that may see the tower tries to learn of the house next door, in every way that data leaves by."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.testclient import TestClient
from tests.api.conftest import FRAME, X, Y, write_twin
from tests.api.partner import agree, become

from twintown.api import problems
from twintown.app import create_app
from twintown.ground.bounds import Bounds
from twintown.settings import Settings
from twintown.store.tables import Tables
from twintown.trust.identity import make_token
from twintown.trust.terms import Asset, Terms

T = "/twins/small"
C = f"{T}/collections"
LAYERS = tuple(Asset("layer", name) for name in ("buildings", "roads", "shade"))
PLANE = Bounds(X - 5, Y - 60, X + 40, Y + 10)
AREA = FRAME.lonlat_bounds(PLANE).as_tuple()
TOWER, HOUSE = "relation/1", "way/2"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = write_twin(tmp_path_factory.mktemp("leaks") / "small")
    make_token(directory)
    return directory


@pytest.fixture(scope="module")
def app(place: Path) -> FastAPI:
    return create_app([place], Settings(), warm=False)


@pytest.fixture(scope="module")
def http(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as one:
        yield one


@pytest.fixture(scope="module")
def peer(place: Path) -> dict[str, str]:
    return agree(place, Terms(LAYERS, area=AREA))


@pytest.fixture(scope="module")
def coarse(place: Path) -> dict[str, str]:
    return agree(place, Terms(LAYERS, finest_m=5.0))


def get(http: TestClient, path: str, headers: dict[str, str], status: int = 200) -> Any:
    answer = http.get(path, headers=headers)
    assert answer.status_code == status, answer.text[:300]
    return answer


def refusal(http: TestClient, path: str, headers: dict[str, str]) -> tuple[str, str]:
    """Code and reason of a refusal, without what was asked for."""
    said = get(http, path, headers, 403).json()
    return said["code"], re.sub(r" \(.*?\)", "", said["detail"])


def test_a_count_tells_of_the_area_only(http: TestClient, peer: dict[str, str]) -> None:
    page = get(http, f"{C}/buildings/items", peer).json()
    assert (page["numberMatched"], page["numberReturned"]) == (1, 1)
    assert get(http, f"{C}/buildings/items?limit=1&kind=house", peer).json()["numberMatched"] == 0
    about = get(http, f"{C}/buildings", peer).json()
    assert about["count"] == 1 and "1 features" in about["description"]
    assert about["digest"] == ""  # of the whole file: it would tell of changes elsewhere
    assert get(http, f"{C}/buildings/items?f=csv", peer).headers["ogc-numbermatched"] == "1"


def test_an_extent_ends_where_the_area_ends(http: TestClient, peer: dict[str, str]) -> None:
    (listed,) = [one for one in get(http, C, peer).json()["collections"] if one["id"] == "roads"]
    alone = get(http, f"{C}/roads", peer).json()
    tiles = get(http, f"{C}/roads/tiles/WebMercatorQuad?f=tilejson", peer).json()
    sheet = get(http, f"{C}/roads/styles/default?f=mapbox", peer).json()["sources"]["roads"]
    for west, south, east, north in (
        listed["extent"]["spatial"]["bbox"][0], alone["extent"]["spatial"]["bbox"][0], tiles["bounds"], sheet["bounds"],
    ):  # fmt: skip
        assert AREA[0] - 1e-6 <= west < east <= AREA[2] + 1e-6
        assert AREA[1] - 1e-6 <= south <= north <= AREA[3] + 1e-6


def test_a_shape_that_crosses_the_edge_leaves_cut(http: TestClient, peer: dict[str, str]) -> None:
    granted = shapely.box(*AREA).buffer(1e-8)
    for name in ("roads", "buildings"):
        for one in get(http, f"{C}/{name}/items", peer).json()["features"]:
            assert granted.covers(shapely.from_geojson(str(one["geometry"]).replace("'", '"')))
    road = get(http, f"{C}/roads/items/way/20", peer).json()["geometry"]
    assert shapely.from_geojson(str(road).replace("'", '"')).length > 0


@pytest.mark.parametrize("form", ["fgb", "parquet"])
def test_a_file_holds_nothing_of_the_outside_in_its_rows_nor_in_its_head(
    http: TestClient, peer: dict[str, str], form: str, tmp_path: Path
) -> None:
    file = tmp_path / f"roads.{form}"
    file.write_bytes(get(http, f"{C}/roads/items?f={form}", peer).content)
    rows = gpd.read_file(file) if form == "fgb" else gpd.read_parquet(file)
    assert shapely.box(*AREA).buffer(1e-8).covers(shapely.box(*rows.to_crs(4326).total_bounds))
    body = get(http, f"{C}/buildings/items?f={form}", peer).content
    assert TOWER.encode() in body and HOUSE.encode() not in body


def test_a_filter_cannot_feel_what_lies_outside(http: TestClient, peer: dict[str, str]) -> None:
    lon, lat = (float(v) for v in FRAME.to_lonlat(X - 100, Y - 50))  # on the road, outside of the area
    d = 1e-5
    ring = f"(({lon - d} {lat - d},{lon + d} {lat - d},{lon + d} {lat + d},{lon - d} {lat + d},{lon - d} {lat - d}))"
    found = get(http, f"{C}/roads/items?filter=S_INTERSECTS(geometry,POLYGON{ring})", peer).json()
    assert found["numberMatched"] == 0
    whole = http.get(f"{C}/roads/items?filter=S_INTERSECTS(geometry,POLYGON{ring})").json()
    assert whole["numberMatched"] == 2  # who may see everything finds them there
    assert get(http, f"{C}/buildings/items?filter=height_m<10", peer).json()["numberMatched"] == 0


def test_a_thing_outside_and_a_thing_that_is_not_there_are_told_alike(
    http: TestClient, peer: dict[str, str]
) -> None:
    there = get(http, f"{C}/buildings/items/{HOUSE}", peer, 404).json()
    absent = get(http, f"{C}/buildings/items/way/9", peer, 404).json()
    assert there["detail"].replace(HOUSE, "?") == absent["detail"].replace("way/9", "?")
    assert {name: there[name] for name in ("type", "title", "status")} == {
        name: absent[name] for name in ("type", "title", "status")
    }


def test_a_layer_outside_the_agreement_and_one_that_is_not_there_are_told_alike(
    http: TestClient, peer: dict[str, str]
) -> None:
    for path in (
        "",
        "/items",
        "/items/vault",
        "/schema",
        "/queryables",
        "/tiles",
        "/coverage",
        "/series",
        "/map/tiles",
        "/styles",
    ):
        said = {refusal(http, f"{C}/{layer}{path}", peer) for layer in ("vaults", "weather", "no-such-layer")}
        assert len(said) == 1
        assert said.pop()[0] == "not-in-agreement"


def test_nothing_is_looked_up_of_what_is_not_in_the_agreement_so_that_time_tells_nothing(
    http: TestClient, peer: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    get(http, f"{C}/buildings", peer)
    asked: list[str] = []
    real = Tables.layer
    monkeypatch.setattr(
        Tables, "layer", lambda self, layer, *more: asked.append(layer) or real(self, layer, *more)
    )
    for layer in ("vaults", "no-such-layer"):
        get(http, f"{C}/{layer}/items", peer, 403)
    assert asked == []


def test_whoever_asks_outside_of_the_area_is_told_so_with_its_code(
    http: TestClient, peer: dict[str, str]
) -> None:
    for path in (
        "roads/items?bbox=126,36,126.1,36.1",
        "roads/items?f=fgb&bbox=126,36,126.1,36.1",
        "shade/coverage?f=covjson&bbox=126,36,126.1,36.1",
    ):
        assert refusal(http, f"{C}/{path}", peer)[0] == "outside-area"
    assert (
        get(http, f"{C}/roads/items?bbox=127,37,128,38", peer).json()["numberMatched"] == 2
    )  # what lies partly inside is narrowed


def test_a_vector_tile_holds_the_area_only_and_there_is_none_elsewhere(
    http: TestClient, peer: dict[str, str]
) -> None:
    limits = get(http, f"{C}/buildings/tiles/WebMercatorQuad", peer).json()["tileMatrixSetLimits"][16]
    tile = f"{C}/buildings/tiles/WebMercatorQuad/16/{limits['minTileRow']}/{limits['minTileCol']}"
    body = get(http, tile, peer).content
    assert TOWER.encode() in body and HOUSE.encode() not in body
    assert HOUSE.encode() in http.get(tile).content
    get(
        http,
        f"{C}/buildings/tiles/WebMercatorQuad/16/{limits['minTileRow']}/{limits['maxTileCol'] + 5}",
        peer,
        404,
    )


def test_cells_leave_within_the_area_and_no_finer_than_agreed(
    http: TestClient, peer: dict[str, str], coarse: dict[str, str]
) -> None:
    about = get(http, f"{C}/shade", peer).json()["grid"]
    assert about["rows"] < 20 and about["origin_y"] <= PLANE.ymax
    grid = get(http, f"{C}/shade/coverage?f=json", peer).json()["grid"]
    assert (grid["rows"], grid["cols"]) == (about["rows"], about["cols"])
    values = get(http, f"{C}/shade/coverage?f=covjson", coarse).json()
    assert values["ranges"]["value"]["shape"] == [4, 4]
    assert get(http, f"{C}/shade", coarse).json()["grid"]["cell_m"] == 5.0
    finest = get(http, f"{C}/shade/coverage?f=covjson&width=40&height=40", coarse).json()["ranges"]["value"]
    assert len(set(finest["values"])) <= 16  # cells that are repeated are no finer
    store = get(http, f"{C}/shade/coverage.zarr/value/zarr.json", coarse).json()
    assert store["shape"] == [4, 4]
    names = zipfile.ZipFile(io.BytesIO(get(http, f"{C}/shade/coverage?f=zarr", coarse).content)).namelist()
    assert "value/c/0/0" in names
    legend = get(http, f"{C}/shade/styles/shore/legend?f=json", peer).json()
    rows = slice(20 - about["rows"], 20)
    inside = np.arange(400).reshape(20, 20)[rows]
    assert legend["low"] >= inside.min()  # the least value of the whole grid lies outside


def test_shapes_leave_no_finer_than_agreed(http: TestClient, coarse: dict[str, str]) -> None:
    for one in get(http, f"{C}/buildings/items", coarse).json()["features"]:
        x, y = FRAME.from_lonlat(*np.array(one["geometry"]["coordinates"][0])[:, :2].T)
        assert np.allclose(np.round(x / 5) * 5, x, atol=0.01) and np.allclose(
            np.round(y / 5) * 5, y, atol=0.01
        )


def test_an_entity_tag_of_one_agreement_is_worth_nothing_in_another(
    http: TestClient, place: Path, peer: dict[str, str], coarse: dict[str, str]
) -> None:
    twin = agree(place, Terms(LAYERS, area=AREA))
    for path in (
        "roads/items",
        "roads/tiles/WebMercatorQuad/0/0/0",
        "shade/coverage?f=covjson",
        "shade/map/tiles/WebMercatorQuad/0/0/0",
    ):
        tags = [get(http, f"{C}/{path}", one).headers["etag"] for one in (peer, coarse, twin, {})]
        assert len(set(tags)) == 4, path
        assert http.get(f"{C}/{path}", headers={**coarse, "If-None-Match": tags[0]}).status_code == 200
        assert http.get(f"{C}/{path}", headers={**peer, "If-None-Match": tags[0]}).status_code == 304


def test_nothing_that_a_partner_gets_is_kept_on_the_way(http: TestClient, peer: dict[str, str]) -> None:
    for path in (
        "",
        "/roads",
        "/roads/items",
        "/roads/items?f=fgb",
        "/roads/tiles/WebMercatorQuad/0/0/0",
        "/shade/map",
        "/vaults",
    ):
        assert "no-store" in http.get(f"{C}{path}", headers=peer).headers["cache-control"]


def test_lists_show_what_is_agreed_and_nothing_else(http: TestClient, peer: dict[str, str]) -> None:
    said = get(http, C, peer).json()
    assert [one["id"] for one in said["collections"]] == ["buildings", "roads", "shade"]
    assert said["numberMatched"] == 3
    assert get(http, f"{T}/processes", peer).json()["processes"] == []
    assert get(http, f"{T}/jobs", peer).json()["jobs"] == []


def test_every_address_narrows_or_refuses(app: FastAPI, http: TestClient, peer: dict[str, str]) -> None:
    from twintown.api.partner_reach import REACHED

    known, through = set(), []
    names = {
        "twin": "small", "layer": "buildings", "tileMatrixSetId": "WebMercatorQuad", "tileMatrix": "0", "tileRow": "0", "tileCol": "0",
        "styleId": "default",
    }  # fmt: skip
    for route in problems._flat(app.routes):
        if (
            not isinstance(route, APIRoute)
            or not route.path.startswith("/twins/{twin}")
            or "/dsp" in route.path
        ):
            continue
        known.add(route.path)
        path = re.sub(r"\{(\w+)(?::path)?\}", lambda found: names.get(found[1], "x"), route.path)
        for method in route.methods - {"HEAD"}:
            if (route.path in REACHED and method == "GET") or route.path in OPEN:
                continue
            body = {} if method in ("POST", "PUT", "PATCH") else None
            status = http.request(method, path, headers=peer, json=body).status_code
            if status not in (400, 403, 404, 409, 415):
                through.append(f"{method} {route.path}: {status}")
    assert not through
    assert REACHED - {"/twins/{twin}/playbooks/{playbook}"} <= known, (
        "an address that is reached and is not there any more"
    )


#: Addresses that show the same to everybody, or take a proof of another kind than a token of an agreement.
OPEN = {
    "/twins/{twin}/session", "/twins/{twin}/session/oidc", "/twins/{twin}/session/oidc/callback",
    "/twins/{twin}/session/second-factor", "/twins/{twin}/session/second-factor/confirmation", "/twins/{twin}/session/second-factor/end",
    "/twins/{twin}/.well-known/dspace-version", "/twins/{twin}/ledger/checkpoint", "/twins/{twin}/ledger/tile/{path:path}",
    "/twins/{twin}/workplan/proposals",
    "/twins/{twin}/notices",
}  # fmt: skip


def test_the_red_button_counts_from_the_next_question_on(http: TestClient, place: Path) -> None:
    headers = agree(place, Terms(LAYERS))
    get(http, f"{C}/roads/items", headers)
    for state in ("suspended", "ended"):
        become(place, headers, state)  # type: ignore[arg-type]
        for path in (f"{C}/roads/items", C, f"{T}/processes", f"{T}/jobs", f"{T}/me"):
            assert refusal(http, path, headers)[0] == f"agreement-{state}"


def test_a_download_breaks_off_when_the_agreement_is_suspended(
    app: FastAPI, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from twintown.api import guard, items_files
    from twintown.ground.errors import Denied

    headers = agree(place, Terms(LAYERS))
    served = app.state.open.shelf.get("small")
    from starlette.requests import Request

    scope = {
        "type": "http", "method": "GET", "path": f"{C}/roads/items", "headers": [(b"authorization", headers["Authorization"].encode())],
        "query_string": b"", "app": app,
    }  # fmt: skip
    asked = guard.enter(Request(scope), "small", "read")
    view = served.view("roads", asked.grant)
    monkeypatch.setattr(items_files, "CHUNK", 1)
    from twintown.api.items_query import Question
    from twintown.formats.format import FORMATS

    about = items_files.told(served, asked.grant, served.twin.version("roads", asked.grant), view)
    pieces = items_files.pieces(FORMATS["csv"], about, view, Question(), asked.still)
    assert next(pieces)
    become(place, headers, "suspended")
    with pytest.raises(Denied) as caught:
        list(pieces)
    assert caught.value.code == "agreement-suspended"


def test_a_layer_of_a_higher_grade_stays_even_where_an_agreement_names_it(
    http: TestClient, place: Path
) -> None:
    headers = agree(place, Terms((Asset("layer", "vaults"), Asset("layer", "roads"))))
    assert refusal(http, f"{C}/vaults/items", headers)[0] == "grade"
    assert [one["id"] for one in get(http, C, headers).json()["collections"]] == ["roads"]


def test_rows_without_a_place_do_not_leave_under_an_area(http: TestClient, place: Path) -> None:
    assets = (Asset("layer", "weather"), Asset("layer", "roads"))
    boxed, free = agree(place, Terms(assets, area=AREA)), agree(place, Terms(assets))
    for path in ("weather/items", "weather/series"):
        assert refusal(http, f"{C}/{path}", boxed)[0] == "outside-area"
        get(http, f"{C}/{path}", free)


def test_a_partner_says_for_which_of_several_purposes_it_asks(http: TestClient, place: Path) -> None:
    terms = Terms(LAYERS, ("planning", "research"))
    headers, bound = agree(place, terms), agree(place, terms, scopes=["purpose:research"])
    assert refusal(http, C, headers)[0] == "purpose"
    assert refusal(http, C, {**headers, "Twintown-Purpose": "advertising"})[0] == "purpose"
    get(http, C, {**headers, "Twintown-Purpose": "planning"})
    get(http, C, bound)
