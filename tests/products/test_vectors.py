"""Vector tiles, decoded with the library, and the style around them."""

from __future__ import annotations

import json

import geopandas as gpd
import mapbox_vector_tile
import numpy as np
import pytest
import shapely
from tests.products.scene import FRAME, PLACE, PROVENANCE, block

from twintown.ground.errors import BadParameter
from twintown.ground.features import Features
from twintown.products import basemap
from twintown.products.vectors import BASE

X, Y = 209400.0, 545700.0


def _features(geometry, **columns):
    columns = {"id": [f"way/{k}" for k in range(len(geometry))], **columns}
    return Features(gpd.GeoDataFrame(columns, geometry=geometry, crs=FRAME.crs), FRAME, PROVENANCE)


@pytest.fixture(scope="module")
def layers():
    roads = shapely.linestrings([[[X - 900, Y], [X + 900, Y + 40]], [[X, Y - 50], [X, Y + 60]]])
    places = shapely.points([[X + 10, Y + 10], [X + 700, Y]])
    return {
        "buildings": block()["buildings"],
        "roads": _features(
            roads,
            name_ko=["올림픽로", None],
            kind=["primary", "service"],
            width_m=[30.0, np.nan],
            bridge=[False, True],
        ),
        "places": _features(
            places,
            name_ko=["석촌호수", "잠실역"],
            name_en=["Seokchon Lake", ""],
            kind=["park", "station"],
            rank=[1, 4],
        ),
        "neighbourhoods": _features(
            [shapely.box(X - 800, Y - 300, X + 800, Y + 500)], name_ko=["잠실6동"], population=[27000]
        ),
    }


@pytest.fixture(scope="module")
def files(layers):
    made: dict[str, bytes] = {}
    BASE.build(layers, PLACE, made.__setitem__)
    return made


def _decode(data):
    return mapbox_vector_tile.decode(data, default_options={"y_coord_down": True})


def _tile(zoom, x, y):
    lon, lat = FRAME.to_lonlat(x, y)
    n = 2**zoom
    across = (float(lon) + 180) / 360 * n
    down = (1 - np.arcsinh(np.tan(np.radians(float(lat)))) / np.pi) / 2 * n
    return f"{zoom}/{int(across)}/{int(down)}.mvt", (across % 1 * 4096, down % 1 * 4096)


def test_a_park_and_a_station_stand_among_the_places_and_say_which_layer_is_theirs(layers):
    made: dict[str, bytes] = {}
    park = _features(shapely.points([[X, Y]]), name_ko=["송파나루공원"], kind=["park"], rank=[1])
    BASE.build({**layers, "parks": park}, PLACE, made.__setitem__)
    path, _ = _tile(13, X, Y)
    named = {f["properties"]["name_ko"]: f["properties"] for f in _decode(made[path])["places"]["features"]}
    assert named["송파나루공원"]["of"] == "parks"
    assert "of" not in named["석촌호수"]


def test_a_place_is_found_where_it_stands_with_its_names(files):
    path, (across, down) = _tile(16, X + 10, Y + 10)
    places = _decode(files[path])["places"]["features"]
    (lake,) = [place for place in places if place["properties"].get("name_en") == "Seokchon Lake"]
    assert lake["geometry"]["coordinates"] == pytest.approx([across, down], abs=0.51)
    assert lake["properties"]["name_ko"] == "석촌호수"


def test_a_building_keeps_its_outline_within_a_unit_of_the_tile_and_turns_as_mvt_wants(files, layers):
    outline = layers["buildings"].table.geometry.iloc[2]
    path, _ = _tile(17, outline.centroid.x, outline.centroid.y)
    tile = _decode(files[path])["buildings"]["features"]
    (found,) = [one for one in tile if one["properties"]["id"] == "way/102"]
    ring = np.array(found["geometry"]["coordinates"][0])
    wanted = np.array([_tile(17, *corner)[1] for corner in outline.exterior.coords[:-1]])
    if not (np.abs(np.diff(wanted, axis=0)) > 3000).any():  # the outline is within the tile
        assert np.linalg.norm(ring[:, None] - wanted[None], axis=2).min(axis=0).max() < 1.5
    assert shapely.is_ccw(shapely.linearrings(ring))  # y down: clockwise on the screen


def test_lines_run_over_the_edge_and_no_further(files):
    ends = []
    for path, data in files.items():
        if path.startswith("16/"):
            for road in _decode(data).get("roads", {}).get("features", ()):
                ends += np.array(road["geometry"]["coordinates"]).reshape(-1, 2).tolist()
    assert np.min(ends) >= -128
    assert np.max(ends) <= 4096 + 128


def test_small_roads_and_buildings_wait_for_their_zoom(files):
    at_12 = _decode(files[_tile(12, X, Y)[0]])
    assert {road["properties"]["kind"] for road in at_12["roads"]["features"]} == {"primary"}
    assert "buildings" not in at_12
    at_15 = _decode(files[_tile(15, X, Y)[0]])
    assert {road["properties"]["kind"] for road in at_15["roads"]["features"]} == {"primary", "service"}
    assert "buildings" in at_15


def test_an_area_has_one_name_and_missing_values_do_not_travel(files):
    at_13 = _decode(files[_tile(13, X, Y + 100)[0]])
    names = [
        place["properties"]
        for place in at_13["places"]["features"]
        if place["properties"]["kind"] == "neighbourhood"
    ]
    assert [name["name_ko"] for name in names] == ["잠실6동"]
    roads = _decode(files[_tile(16, X, Y + 5)[0]])["roads"]["features"]
    (service,) = [road["properties"] for road in roads if road["properties"]["kind"] == "service"]
    assert service == {"id": "way/1", "kind": "service", "bridge": True}


def test_there_is_no_tile_where_nothing_is(files):
    far, _ = _tile(17, X + 50_000, Y)
    assert far not in files
    assert all(_decode(data) for path, data in files.items() if path.endswith(".mvt"))


def test_the_same_layers_give_the_same_bytes(layers, files):
    again: dict[str, bytes] = {}
    turned = {
        name: layer.with_table(layer.table.iloc[::-1].reset_index(drop=True))
        for name, layer in layers.items()
    }
    BASE.build(turned, PLACE, again.__setitem__)
    assert again == files


def test_an_atlas_without_streets_stops_at_a_coarse_zoom(layers):
    made: dict[str, bytes] = {}
    built = BASE.build({"neighbourhoods": layers["neighbourhoods"]}, PLACE, made.__setitem__)
    assert built.facts["last_zoom"] == 13
    assert len(made) < 15


def test_tilejson_and_style_speak_of_the_layers_that_are_there(files):
    made = json.loads(files["tilejson.json"])
    assert {layer["id"] for layer in made["vector_layers"]} == {
        "buildings",
        "roads",
        "places",
        "neighbourhoods",
    }
    west, south, east, north = made["bounds"]
    assert 127 < west < east < 127.2
    assert 37.4 < south < north < 37.6
    assert made["attribution"] == "© OpenStreetMap contributors"
    assert basemap.tilejson(made, "/t/{z}/{x}/{y}")["tiles"] == ["/t/{z}/{x}/{y}"]
    style = basemap.style(made, "/tiles/base", "en")
    drawn = {layer["source-layer"] for layer in style["layers"] if "source-layer" in layer}
    assert drawn == {"buildings", "roads", "places", "neighbourhoods"}
    assert {layer["type"] for layer in style["layers"]} <= {"background", "fill", "line", "symbol"}
    label = next(layer for layer in style["layers"] if layer["id"] == "place-names")["layout"]["text-field"]
    assert label[1] == ["get", "name_en"]
    assert len({layer["id"] for layer in style["layers"]}) == len(style["layers"])


def test_a_style_in_a_language_without_labels_is_refused(files):
    with pytest.raises(BadParameter, match="ko or en"):
        basemap.style(json.loads(files["tilejson.json"]), "/tiles/base", "fr")


def test_two_thousand_buildings_fill_their_tiles_at_every_zoom():
    made: dict[str, bytes] = {}
    BASE.build({"buildings": block(45)["buildings"]}, PLACE, made.__setitem__)
    assert len(made) > 100
