"""open data → sources → layers → products → api: a file on a disk becomes what QGIS, a browser and a notebook read."""

from __future__ import annotations

import io
import json
from pathlib import Path

import geopandas as gpd
import pytest
from starlette.testclient import TestClient

from twintown.build.run import build

pytestmark = pytest.mark.slow

TOWER = "relation/8824257"


def test_a_street_map_file_becomes_layers_with_source_and_licence(client: TestClient) -> None:
    catalogue = {one["id"]: one for one in client.get("/twins/tower/collections").json()["collections"]}
    assert {"buildings", "building-parts", "findings", "carparks", "weather"} <= set(catalogue)
    buildings = catalogue["buildings"]
    assert buildings["licence"]["id"] == "ODbL-1.0"
    assert buildings["source"]["publisher"] == "OpenStreetMap contributors"
    assert buildings["geometry"] == "Polygon"
    assert buildings["count"] >= 14
    assert next(c for c in buildings["columns"] if c["name"] == "height_m")["unit"] == "m"


def test_a_geographer_reads_the_rows_as_geojson(client: TestClient) -> None:
    page = client.get("/twins/tower/collections/buildings/items?limit=1000")
    table = gpd.read_file(io.BytesIO(page.content))
    assert len(table) == page.json()["numberMatched"]
    assert table.geometry.is_valid.all()
    west, south, east, north = client.get("/twins/tower").json()["bounds_lonlat"]
    inside = client.get(
        f"/twins/tower/collections/buildings/items?bbox={west},{south},{east},{north}&limit=1000"
    )
    assert inside.json()["numberMatched"] == len(table)


def test_a_browser_streams_the_city_as_3d_tiles(client: TestClient) -> None:
    links = client.get("/twins/tower").json()["links"]
    here = next(link["href"] for link in links if "/tileset.json" in link["href"])
    tileset = client.get(here).json()
    tiles, waiting = 0, [tileset["root"]]
    while waiting:
        node = waiting.pop()
        waiting += node.get("children", [])
        if "content" in node:
            tile = client.get(f"/twins/tower/3dtiles/buildings/{node['content']['uri']}")
            assert tile.status_code == 200
            assert tile.content[:4] == b"glTF"
            tiles += 1
    assert tiles >= 1


def test_a_click_on_the_tower_tells_what_is_known_and_what_is_doubtful(client: TestClient) -> None:
    found = client.get("/twins/tower/search", params={"q": "lotte world tower"}).json()["results"][0]
    assert found["id"] == TOWER
    tower = client.get(f"/twins/tower/objects/{found['id']}").json()
    assert 554 <= tower["building"]["height"]["value_m"] <= 555
    assert len(tower["building"]["parts"]) > 20
    assert "height-disagrees" in {finding["code"] for finding in tower["findings"]}
    assert tower["names"]["ko"]
    assert tower["licence"]["attribution"]
    tops = tower["building"]["mesh"]["positions"][2::3]
    assert 554 <= max(tops) <= 555.1


def test_the_same_files_built_again_change_nothing(client: TestClient, towns: list[Path]) -> None:
    before = client.get("/twins/tower/collections/buildings").json()["version"]
    done = build(towns[0], show=False)
    assert not done.ran
    assert client.get("/twins/tower/collections/buildings").json()["version"] == before


def test_both_twins_stand_side_by_side_with_their_attributions(client: TestClient, towns: list[Path]) -> None:
    twins = client.get("/twins").json()["twins"]
    assert len(twins) == len(towns)
    for twin in twins:
        about = client.get(twin["links"][0]["href"]).json()
        assert about["attributions"]
        assert about["ground"]["assumed"]
        for layer in about["layers"]:
            here = f"/twins/{twin['id']}/collections/{layer['id']}"
            what = {"series": "series?resample=month", "grid": "coverage?f=png"}.get(
                layer["kind"], "items?limit=3"
            )
            answer = client.get(f"{here}/{what}")
            assert answer.status_code == 200, (here, answer.text)
            if layer["kind"] in ("features", "table"):
                assert json.loads(answer.content)["numberMatched"] == layer["count"]


def test_what_has_no_place_is_served_as_a_table(client: TestClient, towns: list[Path]) -> None:
    if len(towns) < 2:
        pytest.skip("the second hamlet is not described yet")
    atlas = next(t["id"] for t in client.get("/twins").json()["twins"] if t["kind"] == "atlas")
    tables = [one for one in client.get(f"/twins/{atlas}").json()["layers"] if one["kind"] == "table"]
    assert tables
    page = client.get(f"/twins/{atlas}/collections/{tables[0]['id']}/items?limit=2").json()
    assert all(row["geometry"] is None for row in page["features"])
