from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import mapbox_vector_tile
import pytest
from starlette.testclient import TestClient
from tests.api.conftest import FIRST, write_twin

from twintown.app import create_app
from twintown.settings import Settings
from twintown.store.tables import ProductRow
from twintown.twin.layers import Twin

T = "/twins/small"
SECOND = "01JGFJJZ000000000000000002"


def _tile_of(lon: float, lat: float, zoom: int) -> tuple[int, int]:
    import math

    n = 1 << zoom
    y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2
    return int((lon + 180) / 360 * n), int(y * n)


def test_a_tileset_and_its_tiles_come_with_their_media_types(client: TestClient) -> None:
    here = next(
        link["href"]
        for link in client.get(T).json()["links"]
        if link["rel"] == "tiles" and "3dtiles" in link["href"]
    )
    tileset = client.get(here)
    assert tileset.headers["content-type"] == "application/json"
    assert tileset.json()["asset"]["version"] == "1.1"
    assert "immutable" in tileset.headers["cache-control"]
    uri = tileset.json()["root"]["content"]["uri"]
    tile = client.get(f"{T}/3dtiles/buildings/{uri}")
    assert tile.headers["content-type"] == "model/gltf-binary"
    assert tile.content[:4] == b"glTF"
    assert tile.headers["cache-control"] == "no-cache"
    assert (
        client.get(
            f"{T}/3dtiles/buildings/{uri}", headers={"If-None-Match": tile.headers["etag"]}
        ).status_code
        == 304
    )
    assert client.get(f"{T}/3dtiles/buildings/t/none.glb").status_code == 404
    assert client.get(f"{T}/3dtiles/roads/tileset.json").status_code == 404


def test_vector_tiles_are_found_through_tilejson_and_outside_there_is_nothing(client: TestClient) -> None:
    document = client.get(f"{T}/tiles/base").json()
    west, south, east, north = document["bounds"]
    x, y = _tile_of((west + east) / 2, (south + north) / 2, 15)
    template = document["tiles"][0]
    assert template.startswith("http://testserver/twins/small/tiles/base/")
    tile = client.get(template.format(z=15, x=x, y=y))
    assert tile.status_code == 200
    assert tile.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    assert "immutable" in tile.headers["cache-control"]
    assert "roads" in mapbox_vector_tile.decode(tile.content)
    outside = client.get(template.format(z=15, x=0, y=0))
    assert outside.status_code == 204
    assert not outside.content


def test_the_style_draws_only_from_this_twin(client: TestClient) -> None:
    for language in ("ko", "en"):
        style = client.get(f"{T}/styles/base?language={language}").json()
        assert style["version"] == 8
        assert [source["url"] for source in style["sources"].values()] == [
            "http://testserver/twins/small/tiles/base"
        ]
    assert client.get(f"{T}/styles/base?language=fr").status_code == 400


def test_the_3d_tilesets_are_listed_with_their_bounds_and_heights(client: TestClient) -> None:
    (tileset,) = client.get(f"{T}/3dtiles").json()["tilesets"]
    assert tileset["id"] == "buildings"
    assert set(tileset["names"]) == {"ko", "en"}
    west, south, low, east, north, high = tileset["contentExtent"]["bbox"]
    layer = client.get(f"{T}/collections/buildings").json()["extent"]["spatial"]["bbox"][0]
    assert west <= layer[0] + 1e-6 and south <= layer[1] + 1e-6
    assert east >= layer[2] - 1e-6 and north >= layer[3] - 1e-6
    assert (east - layer[2]) * 88_000 < 2  # metres
    # the tower is 100 m tall on flat ground 15 m above the geoid, which lies 23.3 m above the ellipsoid
    assert (low, high) == pytest.approx((38.3, 138.3), abs=0.2)
    assert tileset["heights_m"] == pytest.approx((15, 115), abs=0.2)
    (content,) = tileset["content"]
    assert client.get(content["href"]).json()["asset"]["version"] == "1.1"
    assert "immutable" in client.get(content["href"]).headers["cache-control"]
    page = client.get(f"{T}/3dtiles?f=html&lang=ko")
    assert page.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("path", ["3dtiles/buildings/tileset.json", "tiles/base/15/27940/12698"])
def test_an_address_with_a_version_that_is_not_kept_is_gone_and_not_another_version(
    client: TestClient, path: str
) -> None:
    answer = client.get(f"{T}/{path}?v=01JGFJJZ000000000000000000")
    assert answer.status_code == 410
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    [
        "3dtiles/buildings/tileset.json",
        "tiles/base/15/27940/12698",
        "collections/buildings/tiles/WebMercatorQuad/0/0/0",
    ],
)
def test_a_version_that_never_was_is_not_there_and_one_that_is_no_version_is_refused(
    client: TestClient, path: str
) -> None:
    for version in ("00000000000000000000000000", "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"):
        assert client.get(f"{T}/{path}?v={version}").status_code == 404
    refused = client.get(f"{T}/{path}?v=v0")
    assert (refused.status_code, refused.json()["parameter"]) == (400, "v")


def test_an_older_version_is_answered_as_it_was_as_long_as_it_is_kept(tmp_path: Path) -> None:
    directory = write_twin(tmp_path / "twin")
    twin = Twin.open(directory, read_only=False)
    row = twin.tables.product("buildings-3dtiles")
    twin.blobs.put(
        f"tiles/buildings-3dtiles/{SECOND}/tileset.json", b'{"asset":{"version":"1.1"},"second":true}'
    )
    twin.tables.add_product(
        ProductRow(row.product, SECOND, row.digest,
                   datetime.now(UTC), f"tiles/buildings-3dtiles/{SECOND}", dict(row.meta))
    )  # fmt: skip
    twin.tables.switch({}, {"buildings-3dtiles": SECOND})
    client = TestClient(create_app([directory], Settings(), warm=False))
    here = f"{T}/3dtiles/buildings/tileset.json"
    old, new = client.get(f"{here}?v={FIRST}"), client.get(f"{here}?v={SECOND}")
    assert "second" not in old.json()
    assert "second" in new.json()
    assert "second" in client.get(here).json()
    assert "immutable" in old.headers["cache-control"]
    assert "immutable" in new.headers["cache-control"]
    shutil.rmtree(directory / f"tiles/buildings-3dtiles/{FIRST}")
    assert (
        TestClient(create_app([directory], Settings(), warm=False)).get(f"{here}?v={FIRST}").status_code
        == 404
    )
