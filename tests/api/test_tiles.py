from __future__ import annotations

import mapbox_vector_tile
from starlette.testclient import TestClient

T = "/twins/small"


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
