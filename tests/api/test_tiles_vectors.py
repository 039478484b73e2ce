"""Vector tiles drawn on request, decoded with an independent library."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import mapbox_vector_tile
import numpy as np
import pytest
import shapely
from starlette.testclient import TestClient
from tests.api.conftest import DESCRIPTION, FRAME, FROM, X, Y

from twintown.api import tile_vectors
from twintown.api.tile_matrices import SCHEMES
from twintown.app import create_app
from twintown.ground.features import Features
from twintown.settings import Settings
from twintown.trust.grades import Grade
from twintown.twin.layers import Twin

T = "/twins/small"
LON, LAT = (float(v) for v in FRAME.to_lonlat(X + 10, Y + 5))
MERCATOR = SCHEMES["WebMercatorQuad"]


def address(layer: str, zoom: int, lon: float = LON, lat: float = LAT, root: str = T) -> str:
    row, _, column, _ = MERCATOR.limits((lon, lat, lon, lat), zoom)
    return f"{root}/collections/{layer}/tiles/WebMercatorQuad/{zoom}/{row}/{column}"


def features(client: TestClient, where: str, **more: Any) -> list[dict[str, Any]]:
    answer = client.get(where, **more)
    assert answer.status_code == 200, answer.text
    tile = mapbox_vector_tile.decode(answer.content, default_options={"y_coord_down": True})
    return [feature for layer in tile.values() for feature in layer["features"]]


def test_a_tile_carries_all_columns_as_they_are_and_nothing_where_nothing_is_known(
    client: TestClient,
) -> None:
    (tower,) = [
        f for f in features(client, address("buildings", 16)) if f["properties"]["id"] == "relation/1"
    ]
    told = tower["properties"]
    assert (told["name"], told["height_m"], told["levels"], told["parts"]) == ("롯데월드타워", 100.0, 30.0, 2)
    assert "height_error_m" not in told


def test_a_tile_shows_only_what_a_condition_keeps_and_the_columns_that_are_asked(client: TestClient) -> None:
    where = f"{address('buildings', 16)}?filter=height_m<50&properties=height_m"
    assert [f["properties"] for f in features(client, where)] == [{"id": "way/2", "height_m": 6.5}]
    wrong = client.get(f"{address('buildings', 16)}?filter=tallness<50")
    assert (wrong.status_code, wrong.json()["parameter"]) == (400, "filter")
    wrong = client.get(f"{address('buildings', 16)}?properties=tallness")
    assert (wrong.status_code, wrong.json()["parameter"]) == (400, "properties")
    wrong = client.get(f"{address('buildings', 16)}?datetime=yesterday")
    assert (wrong.status_code, wrong.json()["parameter"]) == (400, "datetime")


def test_the_row_comes_before_the_column(client: TestClient) -> None:
    row, _, column, _ = MERCATOR.limits((LON, LAT, LON, LAT), 14)
    assert row != column
    assert features(client, f"{T}/collections/buildings/tiles/WebMercatorQuad/14/{row}/{column}")
    turned = client.get(f"{T}/collections/buildings/tiles/WebMercatorQuad/14/{column}/{row}")
    assert turned.status_code == 404
    assert f"its rows go from {row} to {row}" in turned.json()["detail"]


def test_an_address_with_its_token_is_kept_for_a_year_and_with_another_it_is_gone(client: TestClient) -> None:
    document = client.get(f"{T}/collections/buildings/tiles/WebMercatorQuad?f=tilejson").json()
    row, _, column, _ = MERCATOR.limits((LON, LAT, LON, LAT), 15)
    here = document["tiles"][0].format(z=15, x=column, y=row)
    kept = client.get(here)
    assert "immutable" in kept.headers["cache-control"]
    assert kept.content == client.get(here.partition("?")[0]).content
    assert client.get(here.partition("?")[0]).headers["cache-control"] == "no-cache"
    assert client.get(here, headers={"If-None-Match": kept.headers["etag"]}).status_code == 304
    assert client.get(f"{here.partition('?')[0]}?v=01JGFJJZ000000000000000000").status_code == 410


def test_tiles_are_compressed_for_who_takes_it(client: TestClient) -> None:
    where = address("buildings", 14).replace("/collections/buildings", "")
    plain = client.get(where, headers={"Accept-Encoding": "identity"})
    packed = client.get(where, headers={"Accept-Encoding": "gzip"})
    assert plain.content == packed.content
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["etag"] != plain.headers["etag"]


def test_a_closed_layer_has_tiles_for_its_owner_only(client: TestClient, owner: dict[str, str]) -> None:
    where = address("vaults", 16)
    assert client.get(where).status_code == 401
    mine = client.get(where, headers=owner)
    assert [f["properties"]["id"] for f in features(client, where, headers=owner)] == ["vault"]
    assert mine.headers["cache-control"] == "private, no-store"
    several = where.replace("/collections/vaults", "")
    assert "vaults" not in mapbox_vector_tile.decode(client.get(several).content)
    assert "vaults" in mapbox_vector_tile.decode(client.get(several, headers=owner).content)


@pytest.mark.parametrize(
    ("layer", "status"), [("clinics", 404), ("shade", 404), ("weather", 404), ("nowhere", 404)]
)
def test_layers_without_features_say_that_they_have_no_vector_tiles(
    client: TestClient, layer: str, status: int
) -> None:
    assert client.get(f"{T}/collections/{layer}/tiles").status_code == status
    assert client.get(address(layer, 3)).status_code == status


def test_tilejson_is_for_web_mercator_and_names_every_column(client: TestClient) -> None:
    document = client.get(f"{T}/collections/roads/tiles/WebMercatorQuad?f=tilejson").json()
    (layer,) = document["vector_layers"]
    columns = {c["name"] for c in client.get(f"{T}/collections/roads").json()["columns"]}
    assert set(layer["fields"]) == columns | {"id"}
    assert layer["fields"]["bridge"] == "Boolean"
    assert client.get(f"{T}/collections/roads/tiles/WorldCRS84Quad?f=tilejson").status_code == 404


def test_tilesets_speak_both_languages_and_html(client: TestClient) -> None:
    korean = client.get(f"{T}/collections/buildings/tiles/WebMercatorQuad?lang=ko")
    assert "건물" in korean.json()["title"]
    assert korean.headers["content-language"] == "ko"
    for path in (
        "tiles",
        "tiles/WebMercatorQuad",
        "collections/buildings/tiles",
        "tileMatrixSets",
        "tileMatrixSets/WorldCRS84Quad",
    ):
        page = client.get(f"{T}/{path}", headers={"Accept": "text/html"})
        assert page.headers["content-type"].startswith("text/html"), path


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    """50,000 houses and as many points on a square kilometre."""
    directory = tmp_path_factory.mktemp("crowd") / "small"
    directory.mkdir()
    (directory / "twintown.toml").write_text(DESCRIPTION.format(id="small"), encoding="utf-8")
    twin = Twin.open(directory, read_only=False)
    at = np.random.default_rng(3).uniform(0, 1000, (50_000, 2)) + np.array([X, Y])
    shapes = {
        "houses": shapely.box(at[:, 0], at[:, 1], at[:, 0] + 2, at[:, 1] + 2),
        "points": shapely.points(at),
    }
    ids = [f"h/{k}" for k in range(len(at))]
    versions = {
        name: twin.stage(
            name,
            Features(gpd.GeoDataFrame({"id": ids}, geometry=geometry, crs=FRAME.crs), FRAME, FROM, {}),
            Grade.O,
        ).version
        for name, geometry in shapes.items()
    }
    twin.tables.switch(versions, {})
    return TestClient(create_app([Path(directory)], Settings(), warm=False))


@pytest.mark.slow
def test_from_afar_many_small_houses_are_few_squares_of_the_same_area(crowd: TestClient) -> None:
    west, south = (float(v) for v in FRAME.to_lonlat(X, Y))
    east, north = (float(v) for v in FRAME.to_lonlat(X + 1002, Y + 1002))
    zoom, total, count = 12, 0.0, 0
    top, bottom, left, right = MERCATOR.limits((west, south, east, north), zoom)
    for row in range(top, bottom + 1):
        for column in range(left, right + 1):
            here = f"{T}/collections/houses/tiles/WebMercatorQuad/{zoom}/{row}/{column}"
            for feature in features(crowd, here):
                ring = np.array(feature["geometry"]["coordinates"][0])
                if (
                    0 <= ring[:, 0].mean() < 4096 and 0 <= ring[:, 1].mean() < 4096
                ):  # else it is the neighbour's
                    total += shapely.Polygon(ring).area
                    count += 1
    unit = 2 * 20037508.342789244 / 2**zoom / 4096 * np.cos(np.radians(LAT))  # metres on the ground
    assert count <= tile_vectors.MOST
    assert total * unit**2 == pytest.approx(50_000 * 4, rel=0.05)


@pytest.mark.slow
def test_no_tile_holds_more_features_than_its_tileset_says(crowd: TestClient) -> None:
    told = crowd.get(f"{T}/collections/points/tiles/WebMercatorQuad").json()
    for zoom in (8, 12, 14):
        found = features(
            crowd, address("points", zoom, *(float(v) for v in FRAME.to_lonlat(X + 500, Y + 500)))
        )
        assert 0 < len(found) <= told["featuresPerTile"]
    assert len(features(crowd, address("points", 8))) < 100
