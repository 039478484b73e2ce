from __future__ import annotations

import io
import json

import numpy as np
import pytest
import rasterio
from starlette.testclient import TestClient

from twintown.api import collections, features, health, landing, objects, search, series
from twintown.api.names import normalise

T = "/twins/small"
SHAPES = [
    ("/twins", landing.Twins),
    (T, landing.TwinModel),
    (f"{T}/collections", collections.Collections),
    (f"{T}/collections/buildings", collections.Collection),
    (f"{T}/collections/shade", collections.Collection),
    (f"{T}/collections/weather", collections.Collection),
    (f"{T}/collections/buildings/items", features.FeatureCollection),
    (f"{T}/collections/clinics/items", features.FeatureCollection),
    (f"{T}/collections/buildings/items/way/2", features.Feature),
    (f"{T}/collections/weather/series?resample=month", series.SeriesModel),
    (f"{T}/objects/relation/1", objects.ObjectAnswer),
    (f"{T}/objects/way%2F20", objects.ObjectAnswer),
    (f"{T}/objects/c1", objects.ObjectAnswer),
    (f"{T}/search?q=lotte", search.SearchResults),
    ("/health", health.Health),
]


@pytest.mark.parametrize(("address", "model"), SHAPES)
def test_answers_are_what_the_openapi_document_says(client: TestClient, address: str, model: type) -> None:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    model.model_validate_json(answer.content, strict=False)  # type: ignore[attr-defined]


def test_anyone_sees_what_is_open_and_the_owner_sees_all(client: TestClient, owner: dict[str, str]) -> None:
    def layers(headers: dict[str, str]) -> set[str]:
        return {layer["id"] for layer in client.get(T, headers=headers).json()["layers"]}

    assert "vaults" not in layers({})
    assert "vaults" in layers(owner)
    closed = client.get(f"{T}/collections/vaults/items", headers=owner)
    assert closed.status_code == 200
    assert closed.headers["cache-control"] == "private, no-store"
    assert client.get(f"{T}/search?q=금고").json()["results"] == []
    assert client.get(f"{T}/search?q=금고", headers=owner).json()["results"][0]["id"] == "vault"
    assert client.get(f"{T}/objects/vault").status_code == 404
    assert client.get(T, headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_a_page_is_cut_by_place_value_and_number(client: TestClient) -> None:
    here = f"{T}/collections/buildings/items"
    whole = client.get(here).json()
    assert whole["numberMatched"] == whole["numberReturned"] == 2
    west, south, east, north = (min, min, max, max)
    ring = np.array(next(f for f in whole["features"] if f["id"] == "way/2")["geometry"]["coordinates"][0])
    box = (west(ring[:, 0]), south(ring[:, 1]), east(ring[:, 0]), north(ring[:, 1]))
    found = client.get(here, params={"bbox": ",".join(map(str, box))}).json()
    assert [f["id"] for f in found["features"]] == ["way/2"]
    assert client.get(f"{here}?height_source=measured").json()["features"][0]["id"] == "relation/1"
    assert client.get(f"{here}?height_m=100").json()["numberMatched"] == 1
    first = client.get(f"{here}?limit=1").json()
    following = next(link["href"] for link in first["links"] if link["rel"] == "next")
    second = client.get(following).json()
    assert {f["id"] for f in first["features"] + second["features"]} == {"way/2", "relation/1"}
    assert not [link for link in second["links"] if link["rel"] == "next"]
    assert client.get(f"{here}?limit=99999").status_code == 200
    assert client.get(f"{here}?bbox=0,0,1,1").json()["features"] == []


def test_missing_values_are_null_and_rings_follow_the_right_hand_rule(client: TestClient) -> None:
    house = client.get(f"{T}/collections/buildings/items/way/2").json()
    assert house["properties"]["levels"] is None
    assert house["properties"]["height_error_m"] == 3.2
    outer, hole = (np.array(ring) for ring in house["geometry"]["coordinates"])

    def area(ring: np.ndarray) -> float:
        ring = ring - ring[0]  # large coordinates would eat the digits
        return float(np.sum(ring[:-1, 0] * ring[1:, 1] - ring[1:, 0] * ring[:-1, 1]))

    assert area(outer) > 0 > area(hole)


def test_a_click_tells_how_the_height_is_known_and_gives_the_parts_for_an_edit(client: TestClient) -> None:
    tower = client.get(f"{T}/objects/relation/1").json()
    assert tower["names"] == {"ko": "롯데월드타워", "en": "Lotte World Tower"}
    assert tower["building"]["height"]["source"] == "measured"
    assert not tower["building"]["height"]["assumed"]
    assert [part["top_m"] for part in tower["building"]["parts"]] == [50, 100]
    assert tower["findings"][0]["code"] == "height-disagrees"
    assert tower["licence"]["id"] == "ODbL-1.0"
    assert tower["source"]["publisher"]
    mesh = tower["building"]["mesh"]
    xyz = np.array(mesh["positions"]).reshape(-1, 3)
    assert max(mesh["indices"]) < len(xyz)
    assert set(mesh["part"]) == {0, 1}
    assert xyz[:, 2].min() == pytest.approx(0, abs=0.01)
    assert xyz[:, 2].max() == pytest.approx(100, abs=0.01)
    assert np.ptp(xyz[:, 0]) == pytest.approx(30, abs=0.05)
    house = client.get(f"{T}/objects/way/2").json()["building"]
    assert house["height"]["assumed"]
    assert house["height"]["error_m"] == 3.2
    assert "3.2" in house["height"]["statement"]["ko"]


def test_search_ignores_case_space_and_punctuation_and_ranks_whole_names_first(client: TestClient) -> None:
    for text in ("LOTTE world", "lotteworldtower", "롯데 월드", "월드타워", "ｌｏｔｔｅ"):
        assert client.get(f"{T}/search", params={"q": text}).json()["results"][0]["id"] == "relation/1", text
    roads = client.get(f"{T}/search?q=올림픽로").json()["results"]
    assert len(roads) == 1, "the pieces of a road are one result"
    assert client.get(f"{T}/search?q=...").json()["results"] == []
    assert normalise("Ａ-b c") == "abc"


def test_a_series_comes_whole_or_as_means(client: TestClient) -> None:
    here = f"{T}/collections/weather/series"
    whole = client.get(here).json()
    assert len(whole["time"]) == 72
    assert set(whole["columns"]) == {"temperature", "sky"}
    days = client.get(f"{here}?resample=day&columns=temperature").json()
    assert days["columns"]["temperature"] == {"unit": "Cel", "values": [11.5, 35.5, 59.5]}
    assert days["time"][0] == "2021-01-01T00:00:00+09:00"


def test_a_grid_comes_as_a_picture_on_the_map_and_as_itself(client: TestClient) -> None:
    png = client.get(f"{T}/collections/shade/coverage?f=png")
    west, south, east, north = map(float, png.headers["content-bbox"].split(","))
    assert 127 < west < east < 128
    assert 37 < south < north < 38
    assert png.content.startswith(b"\x89PNG")
    tif = client.get(f"{T}/collections/shade/coverage?f=tif")
    with rasterio.open(io.BytesIO(tif.content)) as grid:
        assert grid.crs.to_epsg() == 5186
        assert np.array_equal(grid.read(1).ravel(), np.arange(400))


def test_what_is_unchanged_is_not_sent_again_and_what_is_sent_is_packed(client: TestClient) -> None:
    for address in ("/twins", f"{T}/collections/buildings/items", f"{T}/objects/relation/1", "/openapi.json"):
        first = client.get(address, headers={"Accept-Encoding": "identity"})
        assert "content-encoding" not in first.headers
        packed = client.get(address, headers={"Accept-Encoding": "gzip"})
        assert packed.content == first.content
        for tag in (first.headers["etag"], packed.headers["etag"], f"W/{first.headers['etag']}", "*"):
            again = client.get(address, headers={"If-None-Match": tag})
            assert again.status_code == 304
            assert not again.content
        assert client.get(address, headers={"If-None-Match": '"other"'}).status_code == 200
    assert client.get(T, headers={"Accept-Encoding": "gzip"}).headers["content-encoding"] == "gzip"


def test_head_is_get_without_the_body(client: TestClient) -> None:
    for address in ("/twins", f"{T}/collections/buildings/items", "/"):
        got, head = (
            client.get(address, headers={"Accept-Encoding": "identity"}),
            client.head(address, headers={"Accept-Encoding": "identity"}),
        )
        assert head.status_code == got.status_code == 200
        assert not head.content
        assert head.headers["content-length"] == got.headers["content-length"]


def test_pages_of_other_origins_may_read(client: TestClient) -> None:
    answer = client.get("/twins", headers={"Origin": "https://qgis.example"})
    assert answer.headers["access-control-allow-origin"] == "*"
    asked = client.options(
        f"{T}/sun",
        headers={
            "Origin": "https://a.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type, authorization",
        },
    )
    assert asked.status_code == 204
    assert asked.headers["allow"] == "GET, HEAD, POST, OPTIONS"
    assert asked.headers["access-control-allow-methods"] == "GET, HEAD, POST, OPTIONS"
    assert asked.headers["access-control-allow-headers"] == "content-type, authorization"


def test_json_is_json(client: TestClient) -> None:
    assert "NaN" not in json.dumps(client.get(f"{T}/collections/buildings/items").json())
