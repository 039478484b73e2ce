"""OGC API - Features Part 2: Coordinate Reference Systems by Reference (18-058r1).

http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs
"""

from __future__ import annotations

import pytest
from tests.conformance.conftest import Get

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
ITEMS = "/collections/buildings/items"


def corner(get: Get, **asked: str) -> tuple[float, float]:
    """The first position of the first building."""
    answer = get(ITEMS, **asked)
    assert answer.status_code == 200, answer.text
    x, y = answer.json()["features"][0]["geometry"]["coordinates"][0][0][:2]
    return x, y


def test_req_crs_fc_md_crs_list(get: Get) -> None:
    collection = get("/collections/buildings").json()
    assert collection["crs"][0] == CRS84
    assert {f"{EPSG}{code}" for code in (4326, 3857, 5186, 5179, 32652)} <= set(collection["crs"])
    assert len(set(collection["crs"])) == len(collection["crs"])


def test_req_crs_fc_md_storage_crs_is_among_them(get: Get) -> None:
    collection = get("/collections/buildings").json()
    assert collection["storageCrs"] == f"{EPSG}5186"
    assert collection["storageCrs"] in collection["crs"]


@pytest.mark.parametrize("code", ["4326", "3857", "5186", "5179", "32652"])
def test_req_crs_ogc_crs_header_names_what_was_asked_for(get: Get, code: str) -> None:
    assert get(ITEMS, crs=f"{EPSG}{code}").headers["content-crs"] == f"<{EPSG}{code}>"
    one = get(f"{ITEMS}/way/2", crs=f"{EPSG}{code}")
    assert one.status_code == 200
    assert one.headers["content-crs"] == f"<{EPSG}{code}>"


def test_req_crs_fc_crs_default_value(get: Get) -> None:
    assert get(ITEMS).headers["content-crs"] == f"<{CRS84}>"
    assert get(f"{ITEMS}/way/2").headers["content-crs"] == f"<{CRS84}>"
    assert corner(get) == corner(get, crs=CRS84)


def test_coordinates_stand_in_the_order_of_the_axes_of_their_crs(get: Get) -> None:
    lon, lat = corner(get)
    assert corner(get, crs=f"{EPSG}4326") == pytest.approx((lat, lon), abs=1e-7)
    north, east = corner(get, crs=f"{EPSG}5186")  # northing first
    assert (north, east) == pytest.approx((546_000, 208_500), abs=100)
    north, east = corner(get, crs=f"{EPSG}5179")
    assert 1_900_000 < north < 2_000_000 and 900_000 < east < 1_100_000
    east, north = corner(get, crs=f"{EPSG}32652")  # easting first
    assert 300_000 < east < 400_000 and 4_100_000 < north < 4_200_000
    x, y = corner(get, crs=f"{EPSG}3857")
    assert x == pytest.approx(lon * 111_319.49, rel=1e-6) and y > 4_000_000


@pytest.mark.parametrize("code", ["4326", "3857", "5186", "5179", "32652"])
def test_req_crs_bbox_crs_action(get: Get, code: str) -> None:
    rings = [
        one["geometry"]["coordinates"][0]
        for one in get(ITEMS, crs=f"{EPSG}{code}").json()["features"]
        if one["id"] == "way/2"
    ]
    firsts, seconds = zip(*[position[:2] for position in rings[0]], strict=True)
    bbox = f"{min(firsts)},{min(seconds)},{max(firsts)},{max(seconds)}"
    found = get(ITEMS, bbox=bbox, bbox_crs=f"{EPSG}{code}").json()["features"]
    assert [one["id"] for one in found] == ["way/2"]


def test_req_crs_curies_in_brackets_are_taken(get: Get) -> None:
    assert get(ITEMS, crs="[EPSG:5186]").headers["content-crs"] == f"<{EPSG}5186>"


@pytest.mark.parametrize("name", ["crs", "bbox-crs"])
@pytest.mark.parametrize("value", [f"{EPSG}2154", "nonsense", f"{EPSG}99999"])
def test_req_crs_values_that_are_not_offered_are_400(get: Get, name: str, value: str) -> None:
    answer = get(ITEMS, **{name: value, "bbox": "127,37,128,38"})
    assert answer.status_code == 400
    assert answer.json()["parameter"] == name
