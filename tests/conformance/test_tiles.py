"""OGC API - Tiles Part 1: Core (20-057), Two Dimensional Tile Matrix Set (17-083r4) and OGC API - Maps Part 1 (20-058).

http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/core
http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/tileset
http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/tilesets-list
http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/dataset-tilesets
http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/geodata-tilesets
http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/collections-selection
http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/mvt
http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/png
http://www.opengis.net/spec/tms/2.0/conf/tilematrixset
http://www.opengis.net/spec/tms/2.0/conf/json-tilematrixset
http://www.opengis.net/spec/tms/2.0/conf/tilematrixsetlimits
http://www.opengis.net/spec/tms/2.0/conf/json-tilematrixsetlimits
http://www.opengis.net/spec/tms/2.0/conf/tilesetmetadata
http://www.opengis.net/spec/tms/2.0/conf/json-tilesetmetadata
http://www.opengis.net/spec/ogcapi-maps-1/1.0/conf/core
http://www.opengis.net/spec/ogcapi-maps-1/1.0/conf/tilesets
http://www.opengis.net/spec/ogcapi-maps-1/1.0/conf/background
http://www.opengis.net/spec/ogcapi-maps-1/1.0/conf/collection-map
http://www.opengis.net/spec/ogcapi-maps-1/1.0/conf/styled-map
http://www.opengis.net/spec/ogcapi-maps-1/1.0/conf/png
"""

from __future__ import annotations

import struct
import zlib
from typing import Any

import mapbox_vector_tile
import numpy as np
import pytest
from tests.conformance.conftest import LAYERS, Get, links

pytestmark = pytest.mark.slow

REL = "http://www.opengis.net/def/rel/ogc/1.0/"
MVT = "application/vnd.mapbox-vector-tile"
FEATURES = [name for name, kind in LAYERS.items() if kind == "features"]
LISTS = ["/tiles", *(f"/collections/{name}/tiles" for name in FEATURES), "/collections/shade/map/tiles",
         "/collections/shade/styles/viridis/map/tiles"]  # fmt: skip
EVERY = pytest.mark.parametrize("path", LISTS)


def tilesets(get: Get, path: str) -> list[dict[str, Any]]:
    return list(get(path, accept="application/json").json()["tilesets"])


def template(tileset: dict[str, Any]) -> str:
    (item,) = links(tileset, "item")
    assert item["templated"] is True
    return str(item["href"])


def fill(address: str, matrix: object, row: object, column: object) -> str:
    for name, value in (("tileMatrix", matrix), ("tileRow", row), ("tileCol", column)):
        address = address.replace(f"{{{name}}}", str(value))
    return address


def png(body: bytes) -> tuple[int, int, np.ndarray[Any, Any]]:
    """Width, height and shades of an indexed PNG without filters."""
    assert body[:8] == b"\x89PNG\r\n\x1a\n"
    at, width, height, data = 8, 0, 0, b""
    while at < len(body):
        (size,) = struct.unpack(">I", body[at : at + 4])
        kind, chunk = body[at + 4 : at + 8], body[at + 8 : at + 8 + size]
        if kind == b"IHDR":
            width, height = struct.unpack(">II", chunk[:8])
        elif kind == b"IDAT":
            data += chunk
        at += 12 + size
    rows = np.frombuffer(zlib.decompress(data), np.uint8).reshape(height, width + 1)
    return width, height, rows[:, 1:]


# -- /conf/core, /conf/mvt, /conf/png -------------------------------------------------------------------------


@EVERY
def test_req_core_tc_op_and_tc_success(get: Get, path: str) -> None:
    for tileset in tilesets(get, path):
        for limit in tileset["tileMatrixSetLimits"]:
            if int(limit["tileMatrix"]) > 14:
                continue
            for row, column in (
                (limit["minTileRow"], limit["minTileCol"]),
                (limit["maxTileRow"], limit["maxTileCol"]),
            ):
                tile = get(fill(template(tileset), limit["tileMatrix"], row, column))
                assert tile.status_code == 200
                assert tile.headers["content-type"] == links(tileset, "item")[0]["type"]


@EVERY
def test_req_core_tc_error_outside_of_the_matrix_and_of_the_limits(get: Get, path: str) -> None:
    for tileset in tilesets(get, path):
        address = template(tileset)
        for limit in tileset["tileMatrixSetLimits"]:
            assert (
                get(
                    fill(address, limit["tileMatrix"], limit["maxTileRow"] + 1, limit["minTileCol"])
                ).status_code
                == 404
            )
            assert (
                get(
                    fill(address, limit["tileMatrix"], limit["minTileRow"], limit["maxTileCol"] + 1)
                ).status_code
                == 404
            )
        assert get(fill(address, 31, 0, 0)).status_code == 404
        for wrong in ("-1", "a", "0.5"):
            assert get(fill(address, 0, wrong, 0)).status_code in (400, 404)


def test_req_core_tc_tilematrix_tilerow_and_tilecol_definition(get: Get) -> None:
    paths = get("/api", f="openapi30").json()["paths"]
    tiles = [path for path in paths if "{tileMatrix}" in path]
    assert len(tiles) == 4
    for path in tiles:
        assert path.endswith("/{tileMatrixSetId}/{tileMatrix}/{tileRow}/{tileCol}")
        known = {one["name"]: one for one in paths[path]["get"]["parameters"]}
        for name in ("tileMatrix", "tileRow", "tileCol"):
            assert known[name]["in"] == "path"
            assert known[name]["required"] is True


@pytest.mark.parametrize("layer", FEATURES)
def test_req_mvt_content(get: Get, layer: str) -> None:
    mercator = tilesets(get, f"/collections/{layer}/tiles")[0]
    limit = mercator["tileMatrixSetLimits"][16]
    found = 0
    for row in range(limit["minTileRow"], limit["maxTileRow"] + 1):
        for column in range(limit["minTileCol"], limit["maxTileCol"] + 1):
            body = get(fill(template(mercator), 16, row, column)).content
            tile = mapbox_vector_tile.decode(body)
            assert set(tile) <= {layer}
            for feature in tile.get(layer, {}).get("features", []):
                assert feature["geometry"]["type"]
                assert feature["properties"]["id"]
                found += 1
    assert found


def _mercator_row(lat: float) -> float:
    return float((0.5 - np.arcsinh(np.tan(np.radians(lat))) / (2 * np.pi)) * 2**15)


def _world_row(lat: float) -> float:
    return (90 - lat) / 180 * 2**15


def test_req_mvt_content_lies_where_the_tile_matrix_set_says(get: Get) -> None:
    """The corner of the block (an outline of 30 m in the twin's frame) in both tile matrix sets, upper left at 0, 0."""
    item = get("/collections/buildings/items/relation/1").json()
    west, south, east, north = (
        f(c[k] for c in item["geometry"]["coordinates"][0])
        for f, k in ((min, 0), (min, 1), (max, 0), (max, 1))
    )
    for tileset in tilesets(get, "/collections/buildings/tiles"):
        mercator = tileset["tileMatrixSetId"] == "WebMercatorQuad"
        columns, down = 2**15 if mercator else 2**16, _mercator_row if mercator else _world_row
        left, top = (west + 180) / 360 * columns, down(north)
        row, column = int(top), int(left)
        body = get(fill(template(tileset), 15, row, column)).content
        decoded = mapbox_vector_tile.decode(body, default_options={"y_coord_down": True})
        (block,) = [f for f in decoded["buildings"]["features"] if f["properties"]["id"] == "relation/1"]
        ring = np.array(block["geometry"]["coordinates"][0])
        assert ring.min(axis=0) == pytest.approx([(left - column) * 4096, (top - row) * 4096], abs=3)
        right, bottom = (east + 180) / 360 * columns, down(south)
        assert ring.max(axis=0) == pytest.approx([(right - column) * 4096, (bottom - row) * 4096], abs=3)


def test_req_core_tc_success_c_and_req_png_content(get: Get) -> None:
    for tileset in tilesets(get, "/collections/shade/map/tiles"):
        limit = tileset["tileMatrixSetLimits"][17]
        tile = get(fill(template(tileset), 17, limit["minTileRow"], limit["minTileCol"]))
        assert tile.headers["content-type"] == "image/png"
        width, height, shades = png(tile.content)
        assert (width, height) == (256, 256)
        assert shades.any()


# -- /conf/tileset, /conf/tilesets-list, TMS 2.0 --------------------------------------------------------------


@EVERY
def test_req_tilesets_list_and_tileset(get: Get, path: str) -> None:
    found = tilesets(get, path)
    assert {one["tileMatrixSetId"] for one in found} == {"WebMercatorQuad", "WorldCRS84Quad"}
    for item in found:
        assert {"title", "dataType", "crs", "tileMatrixSetURI", "links"} <= set(item)
        assert item["dataType"] == ("map" if "map" in path else "vector")
        tileset = get(links(item, "self")[0]["href"]).json()
        for member in ("dataType", "crs", "tileMatrixSetId", "tileMatrixSetURI", "tileMatrixSetLimits"):
            assert tileset[member] == item[member]
        assert template(tileset) == template(item)
        (scheme,) = links(tileset, f"{REL}tiling-scheme")
        definition = get(scheme["href"]).json()
        assert definition["uri"] == tileset["tileMatrixSetURI"]
        assert definition["crs"] == tileset["crs"]
        box = tileset["boundingBox"]
        assert box["lowerLeft"][0] <= box["upperRight"][0]
        assert box["lowerLeft"][1] <= box["upperRight"][1]
        assert tileset["layers"]
        known = {matrix["id"]: matrix for matrix in definition["tileMatrices"]}
        for limit in tileset["tileMatrixSetLimits"]:
            matrix = known[limit["tileMatrix"]]
            assert 0 <= limit["minTileRow"] <= limit["maxTileRow"] < matrix["matrixHeight"]
            assert 0 <= limit["minTileCol"] <= limit["maxTileCol"] < matrix["matrixWidth"]


def test_req_tms_the_registered_sets_are_as_registered(get: Get) -> None:
    listed = get("/tileMatrixSets").json()["tileMatrixSets"]
    sets = {one["id"]: get(links(one, "self")[0]["href"]).json() for one in listed}
    mercator, world = sets["WebMercatorQuad"], sets["WorldCRS84Quad"]
    # annex D of 17-083r4
    assert mercator["wellKnownScaleSet"].endswith("GoogleMapsCompatible")
    assert mercator["tileMatrices"][0]["scaleDenominator"] == pytest.approx(559082264.028717)
    assert mercator["tileMatrices"][0]["cellSize"] == pytest.approx(156543.033928041)
    assert mercator["tileMatrices"][0]["pointOfOrigin"] == pytest.approx(
        [-20037508.3427892, 20037508.3427892]
    )
    assert mercator["tileMatrices"][18]["scaleDenominator"] == pytest.approx(2132.72958384)
    assert world["tileMatrices"][0]["scaleDenominator"] == pytest.approx(279541132.014358)
    assert world["tileMatrices"][0]["cellSize"] == 0.703125
    assert world["tileMatrices"][0]["pointOfOrigin"] == [-180, 90]
    assert (world["tileMatrices"][0]["matrixWidth"], world["tileMatrices"][0]["matrixHeight"]) == (2, 1)
    for one in sets.values():
        for k, matrix in enumerate(one["tileMatrices"]):
            assert matrix["id"] == str(k)
            assert matrix["matrixHeight"] == one["tileMatrices"][0]["matrixHeight"] * 2**k
            assert (matrix["tileWidth"], matrix["tileHeight"]) == (256, 256)
    assert get("/tileMatrixSets/unknown").status_code == 404


# -- /conf/dataset-tilesets, /conf/geodata-tilesets, /conf/collections-selection ------------------------------


def test_req_dataset_tilesets_landingpage(get: Get) -> None:
    (link,) = links(get().json(), f"{REL}tilesets-vector")
    assert "/tiles" in link["href"]
    assert len(get(link["href"]).json()["tilesets"]) == 2


def test_req_geodata_tilesets_desc_links(get: Get) -> None:
    for layer, kind in LAYERS.items():
        body = get(f"/collections/{layer}").json()
        vector, picture = links(body, f"{REL}tilesets-vector"), links(body, f"{REL}tilesets-map")
        assert (len(vector), len(picture)) == (kind == "features", kind == "grid")
        for link in (*vector, *picture):
            assert get(link["href"]).json()["tilesets"]


def test_req_collections_selection(get: Get) -> None:
    whole = tilesets(get, "/tiles")[0]
    limit = whole["tileMatrixSetLimits"][14]
    place = (14, limit["minTileRow"], limit["minTileCol"])
    address = fill(template(whole), *place).partition("?")[0]
    every = list(mapbox_vector_tile.decode(get(address).content))
    assert set(every) == set(FEATURES)
    chosen = list(mapbox_vector_tile.decode(get(address, collections="roads,buildings").content))
    assert chosen == ["roads", "buildings"]
    told = get("/tiles/WebMercatorQuad", collections="roads,buildings").json()
    assert [layer["id"] for layer in told["layers"]] == ["roads", "buildings"]
    assert "collections=roads,buildings" in template(told)
    wrong = get(address, collections="roads,nowhere")
    assert wrong.status_code == 404
    assert "nowhere" in wrong.json()["detail"]


# -- OGC API - Maps -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/collections/shade/map", "/collections/shade/styles/cividis/map"])
def test_req_maps_core_map_op_and_map_response(get: Get, path: str) -> None:
    answer = get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    storage = get("/collections/shade").json()["storageCrs"]
    assert answer.headers["content-crs"] == f"<{storage}>"
    south, west, north, east = (float(v) for v in answer.headers["content-bbox"].split(","))  # northing first
    assert (north - south, east - west) == (20, 20)
    width, height, shades = png(answer.content)
    assert (width, height) == (1024, 1024)
    # the grid counts up from the upper left: 400 cells, 51.2 pixels a cell
    assert shades[0, 0] == shades.min() == 1
    assert shades[-1, -1] == shades.max() == 255
    assert (np.diff(shades[10].astype(int)) >= 0).all()


def test_req_maps_collection_map_desc_links_and_styled_map(get: Get) -> None:
    (link,) = links(get("/collections/shade").json(), f"{REL}map")
    assert get(link["href"], width=8, height=8).headers["content-type"] == "image/png"
    assert not links(get("/collections/roads").json(), f"{REL}map")
    for style in get("/collections/shade/styles").json()["styles"]:
        (link,) = links(style, f"{REL}map")
        assert get(link["href"], width=8, height=8).status_code == 200
        (tiles,) = links(style, f"{REL}tilesets-map")
        assert get(tiles["href"]).json()["tilesets"][0]["style"]["id"] == style["id"]


def test_req_maps_background(get: Get) -> None:
    around = {"bbox": "127.0,37.4,127.2,37.6", "width": 16, "height": 16}
    clear, solid = (
        get("/collections/shade/map", **around),
        get("/collections/shade/map", **around, bgcolor="0x112233"),
    )
    assert b"tRNS" in clear.content
    assert b"tRNS" not in solid.content
    plte = solid.content.index(b"PLTE") + 4
    assert solid.content[plte : plte + 3] == bytes([0x11, 0x22, 0x33])
    assert b"tRNS" in get("/collections/shade/map", **around, bgcolor="0x112233", transparent="true").content
    white = get("/collections/shade/map", **around, transparent="false").content
    plte = white.index(b"PLTE") + 4
    assert white[plte : plte + 3] == b"\xff\xff\xff"
    wrong = get("/collections/shade/map", bgcolor="nonsense")
    assert (wrong.status_code, wrong.json()["parameter"]) == (400, "bgcolor")
