"""OpenStreetMap becomes buildings with parts, roads and places; the tower tapers."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import shapely
from tests.hamlet import TOWER_OSM
from tests.sources.conftest import KOREA, TOWER

from twintown.ground.bounds import Bounds
from twintown.ground.errors import BadData, BadSettings, TooLarge
from twintown.sources import osm_xml
from twintown.sources.osm_buildings import azimuth, metres, names
from twintown.sources.osm_elements import NODE, RELATION, WAY
from twintown.sources.osm_xml import read_xml

LOTTE_TOWER = "relation/8824257"


@pytest.fixture
def tower(read):
    return read("osm", TOWER_OSM)


@pytest.fixture
def as_pbf(tmp_path):
    """The hamlet as PBF: libosmium refuses the XML, so it is written from what our parser read."""
    osmium = pytest.importorskip("osmium")
    from osmium.osm.mutable import Node, Relation, Way

    found = read_xml(TOWER_OSM)
    tags = dict(zip(found.point.tolist(), found.point_tags, strict=True))
    path = tmp_path / "tower.osm.pbf"
    with osmium.SimpleWriter(str(path)) as writer:
        for i, (number, (lon, lat)) in enumerate(
            zip(found.node_id.tolist(), found.node_lonlat.tolist(), strict=True)
        ):
            writer.add_node(Node(id=number, location=(lon, lat), tags=tags.get(i, {})))
        for i in np.argsort(found.way_id).tolist():
            refs = found.node_id[found.way_node[found.way_start[i] : found.way_start[i + 1]]].tolist()
            writer.add_way(Way(id=int(found.way_id[i]), nodes=refs, tags=found.way_tags[i]))
        kinds = {NODE: "n", WAY: "w", RELATION: "r"}
        for i, number in enumerate(found.relation_id.tolist()):
            members = [(kinds[kind], ref, role) for kind, ref, role in found.relation_members[i]]
            writer.add_relation(Relation(id=number, members=members, tags=found.relation_tags[i]))
    return path


def test_a_building_relation_takes_the_place_of_its_outline(tower):
    buildings = tower["buildings"].table.set_index("id")
    assert "way/914963586" not in buildings.index  # the outline, which has no role in the relation
    row = buildings.loc[LOTTE_TOWER]
    assert (row["name_ko"], row["name_en"]) == ("롯데월드타워", "Lotte World Tower")
    assert (row["height_m"], row["levels"], row["parts"]) == (555.0, 123, 32)
    assert (row["height_source"], row["storey_source"]) == ("measured", "derived")
    assert row["storey_m"] == pytest.approx(555 / 123, abs=1e-3)
    assert json.loads(row["tags"])["@outline"] == "way/914963586"


def test_the_tower_tapers_by_its_tagged_roofs(tower):
    parts = tower["building-parts"].table
    mine = parts[parts["building"] == LOTTE_TOWER]
    roofs = mine[mine["roof_shape"] == "skillion"]
    assert len(roofs) == 20
    assert mine["top_m"].max() == 554.5
    assert np.allclose(roofs["eave_m"], roofs["top_m"] - roofs["roof_height_m"])
    assert roofs["eave_m"].isin([190.0, 200.0]).all()
    assert roofs["roof_direction_deg"].between(0, 360).all()
    # solid at 190 m, a needle at 550 m
    flat = mine[mine["roof_shape"] == "flat"]
    area = [
        shapely.union_all(flat.geometry[flat["top_m"] >= height]).area
        for height in (100, 200, 300, 400, 500, 550)
    ]
    assert all(low > high for low, high in zip(area[:-1], area[1:], strict=True))


def test_disagreements_are_findings_not_errors(tower):
    findings = tower["findings"].table.set_index("code")
    disagreement = findings.loc["height-disagrees"]
    assert disagreement["object"] == LOTTE_TOWER
    assert disagreement["value"] == 554.5
    assert "555" in disagreement["message_en"]
    assert "555" in disagreement["message_ko"]
    assert findings.loc["both-building-and-part", "object"] == "way/606461831"
    assert findings.loc["part-outside-outline", "value"] == pytest.approx(522.9, abs=0.1)


def test_what_is_both_building_and_part_stands_once(tower):
    parts = tower["building-parts"].table.set_index("id")
    hotel, around = parts.geometry["way/606461831"], parts.geometry["way/26281660"]
    assert parts.loc["way/606461831", "building"] == "way/606461831"
    assert hotel.intersection(around).area < 0.01


def test_every_building_has_a_part_a_height_and_a_reason(tower):
    buildings, parts = tower["buildings"].table, tower["building-parts"].table
    assert len(buildings) == 15
    assert (buildings["parts"] >= 1).all()
    assert set(parts["building"]) == set(buildings["id"])
    assert buildings["height_source"].isin(["measured", "levels", "estimated"]).all()
    assert (buildings["height_error_m"] > 0).all()
    assert (parts["base_m"] < parts["top_m"]).all()
    assert (parts["eave_m"] <= parts["top_m"]).all()
    assert (parts.geometry.geom_type == "Polygon").all()


def test_pbf_gives_what_xml_gives(read, tower, as_pbf):
    other = read("osm", as_pbf)
    for layer, shape in tower.items():
        mine = shape.table.sort_values("id", ignore_index=True)
        theirs = other[layer].table.sort_values("id", ignore_index=True)
        pd.testing.assert_frame_equal(mine.drop(columns="geometry"), theirs.drop(columns="geometry"))
        assert shapely.hausdorff_distance(mine.geometry.to_numpy(), theirs.geometry.to_numpy()).max() < 1e-6


def test_roads_say_where_their_width_is_from(tower):
    roads = tower["roads"].table
    assert set(roads["width_source"]) <= {"tagged", "lanes", "class"}
    lanes = roads[roads["width_source"] == "lanes"]
    assert np.allclose(lanes["width_m"], 3.0 * lanes["lanes"].astype(float))
    assert TOWER.buffer(0.01).polygon().covers(shapely.union_all(roads.geometry))


def test_a_building_on_the_edge_is_kept_whole(read):
    half = Bounds(208816, 545640, 209080, 546160)  # runs through the tower
    found = read("osm", TOWER_OSM, bounds=half)
    assert found["buildings"].table.set_index("id").loc[LOTTE_TOWER, "parts"] == 32


def test_only_the_wanted_layers_are_given(read):
    assert list(read("osm", TOWER_OSM, layers=["roads"])) == ["roads"]
    with pytest.raises(BadSettings, match="unknown layer 'trees'"):
        read("osm", TOWER_OSM, layers=["trees"])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        ("12.5 m", 12.5),
        ("12,5", 12.5),
        ("40 ft", 12.192),
        ("5'6\"", 1.6764),
        ("-1", -1),
        ("tall", None),
        ("", None),
    ],
)
def test_lengths_are_read_as_mappers_write_them(text, value):
    assert np.isnan(metres(text)) if value is None else metres(text) == pytest.approx(value)


def test_directions_are_degrees_or_points_of_the_compass():
    assert [azimuth("N"), azimuth("wsw"), azimuth("356.2"), azimuth("-90")] == [0.0, 247.5, 356.2, 270.0]
    assert np.isnan(azimuth("up"))


def test_a_name_without_a_language_goes_by_its_letters():
    assert names({"name": "잠실역"}) == ("잠실역", "잠실역", "")
    assert names({"name": "Lotte"}) == ("Lotte", "", "Lotte")
    assert names({"name": "역", "name:en": "Station"}) == ("역", "역", "Station")


# ------------------------------------------------------------------------------------------------------------- bad input


def broken(tmp_path, data: bytes, name: str = "bad.osm"):
    path = tmp_path / name
    path.write_bytes(data)
    return path


WHOLE = TOWER_OSM.read_bytes()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (WHOLE[:100_000], "breaks off or is damaged after"),
        (WHOLE[: WHOLE.rindex(b"</osm>")], "breaks off"),
        (b"<html><body>504</body></html>", "begins with <html>"),
        (b"<osm></osm>", "holds no node"),
        (b'<?xml version="1.0"?><!DOCTYPE osm [<!ENTITY a "b">]><osm/>', "document type"),
        (b'<osm><node id="1" lat="abc" lon="127"/></osm>', "spoils a number"),
        (b'<osm><node id="1" lon="127"/></osm>', "lacks"),
        (b'<osm><node id="1" lat="127.1" lon="37.5"/></osm>', "not degrees"),
        (b"\x1f\x8b\x08\x00rest", "compressed"),
        (b"id,name\n1,2\n", "neither OpenStreetMap XML nor PBF"),
        ("<osm note='잠실'/>".encode("cp949"), "truncated or not XML"),
    ],
)
def test_a_bad_file_says_what_where_and_what_to_do(read, tmp_path, data, words):
    with pytest.raises(BadData) as caught:
        read("osm", broken(tmp_path, data))
    assert words in str(caught.value)
    assert "bad.osm" in str(caught.value)
    assert caught.value.remedy
    assert "\n" not in str(caught.value)


def test_a_damaged_pbf_is_told(read, tmp_path, as_pbf):
    whole = as_pbf.read_bytes()
    for data in (whole[: len(whole) // 2], whole[:-100], b"no pbf at all, only its name"):
        with pytest.raises(BadData, match="damaged, truncated"):
            read("osm", broken(tmp_path, data, "bad.osm.pbf"))


def test_an_extract_of_another_place_is_told(read):
    with pytest.raises(BadData, match=r"37\.51\d*° N 127\.10"):
        read("osm", TOWER_OSM, bounds=Bounds(0, 0, 1000, 1000))


def test_swapped_latitude_and_longitude_do_not_land_in_the_sea(read, tmp_path):
    swapped = WHOLE.replace(b"lat=", b"LAT=").replace(b"lon=", b"lat=").replace(b"LAT=", b"lon=")
    with pytest.raises(BadData, match="not degrees"):
        read("osm", broken(tmp_path, swapped))


def test_an_enormous_xml_is_sent_to_pbf(read, monkeypatch):
    monkeypatch.setattr(osm_xml, "LIMIT_BYTES", 1000)
    with pytest.raises(TooLarge, match=r"use the \.osm\.pbf"):
        read("osm", TOWER_OSM)


def test_a_way_that_lacks_a_node_is_not_built_and_counted(read, tmp_path):
    text = WHOLE.decode()
    way = text.index('<way id="73533845"')
    ref = text.index('<nd ref="', way)
    end = text.index('"', ref + 9)
    lacking = text[: ref + 9] + "999999999" + text[end:]
    found = read("osm", broken(tmp_path, lacking.encode()))
    assert "way/73533845" not in set(found["buildings"].table["id"])
    parameters = found["buildings"].provenance.steps[0].parameters
    assert (parameters["not_closed"], parameters["missing_nodes"]) == (1, 1)


def test_coordinates_are_those_of_proj(tower):
    found = read_xml(TOWER_OSM)
    way = int(np.flatnonzero(found.way_id == 357630219)[0])
    nodes = found.way_node[found.way_start[way] : found.way_start[way + 1]]
    x, y = KOREA.from_lonlat(found.node_lonlat[nodes, 0], found.node_lonlat[nodes, 1])
    mall = tower["buildings"].table.set_index("id").geometry["way/357630219"]
    assert np.allclose(np.asarray(mall.exterior.coords), np.column_stack([x, y]), atol=1e-6)
