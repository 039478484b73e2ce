"""3D Tiles as a renderer reads them."""

from __future__ import annotations

import json

import numpy as np
import pyproj
import pytest
import shapely
from tests.products.scene import FRAME, PLACE, block, parse, tiles

from twintown.ground.errors import BadInput
from twintown.products import tiles3d
from twintown.products.levels import layout
from twintown.products.tiles3d import BUILDINGS


def _build(layers, monkeypatch=None, most=(6_000.0, 2_000)):
    files: dict[str, bytes] = {}
    if monkeypatch is not None:
        monkeypatch.setattr(tiles3d, "_MOST_WEIGHT", most[0])
        monkeypatch.setattr(tiles3d, "_MOST_FEATURES", most[1])
    built = BUILDINGS.build(layers, PLACE, files.__setitem__)
    assert (built.files, built.size) == (len(files), sum(map(len, files.values())))
    return files, built


def _independent_ecef(x, y, h):
    """PROJ itself, in one step and without the frame's code: EPSG:5186 with heights above the ellipsoid."""
    lonlat = pyproj.Transformer.from_crs("EPSG:5186", "EPSG:4326", always_xy=True).transform(x, y)
    ellipsoidal = np.asarray(h) + PLACE.ground_m + FRAME.undulation_m
    return np.column_stack(
        pyproj.Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True).transform(*lonlat, ellipsoidal)
    )


def test_every_corner_of_every_outline_is_within_a_centimetre_of_proj(monkeypatch):
    layers = block(6)
    files, _ = _build(layers, monkeypatch, (60.0, 8))
    drawn = np.concatenate([tile.triangles.reshape(-1, 3) for tile in tiles(files)])
    tree = shapely.STRtree(shapely.points(np.round(drawn[:, :2], 3)))
    parts = layers["building-parts"].table
    for column in ("base_m", "top_m"):
        xy, index = shapely.get_coordinates(parts.geometry.to_numpy(), return_index=True)
        wanted = _independent_ecef(xy[:, 0], xy[:, 1], parts[column].to_numpy()[index])
        for at in wanted:
            near = drawn[tree.query(shapely.Point(at[:2]), predicate="dwithin", distance=0.02)]
            assert np.linalg.norm(near - at, axis=1).min() < 0.01


def test_the_tower_is_554_5_metres_high_in_its_place():
    files, _ = _build(block())
    (tile,) = tiles(files)
    row = tile.properties["name_en"].index("Lotte World Tower")
    corners = tile.triangles[tile.feature == row].reshape(-1, 3)
    lon, lat, h = pyproj.Transformer.from_crs("EPSG:4978", "EPSG:4979", always_xy=True).transform(*corners.T)
    assert h.max() - PLACE.ground_m - FRAME.undulation_m == pytest.approx(554.5, abs=0.01)
    assert h.min() - PLACE.ground_m - FRAME.undulation_m == pytest.approx(0.0, abs=0.01)
    x, y = FRAME.from_lonlat(lon, lat)
    outline = block()["buildings"].table.geometry.iloc[0]
    assert shapely.distance(outline, shapely.points(x, y)).max() < 0.01


def test_faces_look_outwards_and_normals_say_so():
    layers = block()
    files, _ = _build(layers)
    (tile,) = tiles(files)
    a, b, c = (tile.triangles[:, k] @ tile.matrix[:3, :3] for k in range(3))
    face = np.cross(b - a, c - a)
    face /= np.linalg.norm(face, axis=1)[:, None]
    assert np.abs(face - tile.normals[:, 0]).max() < 0.02
    assert (tile.normals[:, 0] == tile.normals[:, 1]).all()
    # The solid stands on the ground, so its missing floor adds nothing to the volume about the ground.
    origin = tile.matrix[:3, 3]
    a, b, c = (((tile.triangles[:, k] - origin) @ tile.matrix[:3, :3]) for k in range(3))
    volume = np.bincount(tile.feature, np.einsum("ij,ij->i", a, np.cross(b, c)) / 6.0)
    parts = layers["building-parts"].table
    wanted = (parts.geometry.area * (parts["top_m"] - parts["base_m"])).groupby(parts["building"]).sum()
    for k, building in enumerate(tile.properties["id"]):
        assert volume[k] == pytest.approx(wanted[building], rel=0.01)


def test_properties_travel_with_their_building_and_absent_values_are_no_data():
    files, _ = _build(block())
    (tile,) = tiles(files)
    rows = {key: dict(zip(tile.properties, values, strict=True)) for key, *values in
            zip(tile.properties["id"], *tile.properties.values(), strict=True)}  # fmt: skip
    tower, house = rows["way/100"], rows["way/103"]
    assert (tower["name_ko"], tower["levels"], tower["parts"]) == ("롯데월드타워", 123, 3)
    assert tower["height_m"] == pytest.approx(554.5)
    assert (house["name_ko"], house["levels"], house["height_source"]) == (None, None, "levels")
    document, _ = parse(files["t/r.glb"])
    schema = document["extensions"]["EXT_structural_metadata"]["schema"]["classes"]["building"]["properties"]
    assert schema["height_m"]["description"].endswith("[m]")
    assert document["asset"]["copyright"] == "© OpenStreetMap contributors"


def test_the_same_layers_in_another_order_give_the_same_bytes(monkeypatch):
    layers = block(6)
    once, _ = _build(layers, monkeypatch, (60.0, 8))
    turned = {
        name: layer.with_table(layer.table.iloc[::-1].reset_index(drop=True))
        for name, layer in layers.items()
    }
    again, _ = _build(turned)
    assert once == again


def test_every_building_is_in_exactly_one_tile_and_larger_ones_come_first(monkeypatch):
    files, built = _build(block(6), monkeypatch, (60.0, 8))
    read = list(tiles(files))
    ids = [key for tile in read for key in tile.properties["id"]]
    assert sorted(ids) == sorted(block(6)["buildings"].table["id"])
    assert built.facts["tiles"] == len(read) > 4
    assert "way/100" in read[0].properties["id"]


def test_boxes_hold_what_is_below_them_and_errors_shrink_downwards(monkeypatch):
    files, _ = _build(block(6), monkeypatch, (40.0, 4))
    everything = {tile.uri.rpartition("/")[2].removesuffix(".glb"): tile for tile in tiles(files)}
    for name, tile in everything.items():
        path = "" if name == "r" else name
        box = np.array(tile.node["boundingVolume"]["box"])
        for other, below in everything.items():
            if ("" if other == "r" else other).startswith(path):
                local = (below.triangles.reshape(-1, 3) - tile.matrix[:3, 3]) @ tile.matrix[:3, :3]
                assert (np.abs(local - box[:3]) <= box[[3, 7, 11]] + 1e-3).all()
                assert below.node["geometricError"] <= tile.node["geometricError"]


def test_a_deep_tree_is_cut_into_external_tilesets(monkeypatch):
    monkeypatch.setattr(tiles3d, "_LEVELS", 1)
    files, built = _build(block(6), monkeypatch, (40.0, 4))
    documents = [name for name in files if name.endswith(".json")]
    assert len(documents) > 1
    assert len(list(tiles(files))) == built.facts["tiles"]
    root = json.loads(files["tileset.json"])
    assert root["asset"]["version"] == "1.1"
    _check_tileset(root)
    for name in documents:
        _check_tileset(json.loads(files[name]))


def _check_tileset(document):
    """What the JSON schema of 3D Tiles 1.1 asks of the members that we write."""
    assert (
        {"asset", "geometricError", "root"} <= set(document) <= {"asset", "geometricError", "root", "extras"}
    )

    def check(tile):
        assert {"boundingVolume", "geometricError"} <= set(tile)
        assert set(tile) <= {"boundingVolume", "geometricError", "refine", "transform", "content", "children"}
        assert tile["geometricError"] >= 0
        assert len(tile["boundingVolume"]["box"]) == 12
        assert len(tile.get("transform", range(16))) == 16
        assert tile["refine"] in ("ADD", "REPLACE")
        assert set(tile["content"]) == {"uri"}
        assert "children" not in tile or tile["children"]  # an empty list is not allowed
        for child in tile.get("children", ()):
            check(child)

    check(document["root"])


def test_a_part_without_building_is_named():
    layers = block()
    parts = layers["building-parts"].table.assign(
        building=lambda table: table["building"].replace("way/103", "way/9")
    )
    with pytest.raises(BadInput, match="way/103"):
        _build(layers | {"building-parts": layers["building-parts"].with_table(parts)})


@pytest.mark.slow
def test_the_layout_of_600_000_buildings_is_quick_and_shallow():
    rng = np.random.default_rng(7)
    low = np.column_stack([rng.uniform(0, 25_000, (600_000, 2)), np.zeros(600_000)])
    boxes = np.column_stack([low, low + rng.lognormal(2.5, 0.5, (600_000, 3))])
    root = layout(boxes, np.full(600_000, 8.0), 6_000.0, 2_000)
    assert root.depth <= 7
    assert 800 <= root.count <= 4_000


TOWER = "relation/8824257"


@pytest.mark.slow
def test_the_real_tower_tapers_to_its_top_in_its_place(tower_block):
    files, _ = _build(tower_block)
    (tile,) = tiles(files)
    corners = tile.triangles[tile.feature == tile.properties["id"].index(TOWER)]
    lonlath = pyproj.Transformer.from_crs("EPSG:4978", "EPSG:4979", always_xy=True).transform(
        *corners.reshape(-1, 3).T
    )
    height = lonlath[2] - PLACE.ground_m - FRAME.undulation_m
    assert 554.5 - 0.01 <= height.max() <= 555.0 + 0.01
    x, y = FRAME.from_lonlat(*lonlath[:2])
    parts = tower_block["building-parts"].table
    outline = parts[parts["building"] == TOWER].geometry.union_all()
    assert shapely.distance(outline, shapely.points(x, y)).max() < 0.05
    foot, high = height < 100.0, height > 350.0
    spread = [
        shapely.area(shapely.convex_hull(shapely.multipoints(np.column_stack([x[k], y[k]]))))
        for k in (foot, high)
    ]
    assert spread[1] < 0.6 * spread[0]
    # Skillion parts slope: many corners lie between the lowest eave and the top.
    assert len(np.unique(np.round(height[high], 1))) > 20


@pytest.mark.slow
def test_twenty_real_footprints_are_within_a_centimetre_of_the_source(tower_block):
    files, _ = _build(tower_block)
    (tile,) = tiles(files)
    parts = tower_block["building-parts"].table
    checked = 0
    for building, own in parts.groupby("building"):
        drawn = tile.triangles[tile.feature == tile.properties["id"].index(building)].reshape(-1, 3)
        for part in own.itertuples():
            xy = shapely.get_coordinates(part.geometry)
            wanted = _independent_ecef(xy[:, 0], xy[:, 1], np.full(len(xy), part.base_m))
            assert np.linalg.norm(drawn[:, None] - wanted[None], axis=2).min(axis=0).max() < 0.01
            checked += 1
    assert checked >= 20
