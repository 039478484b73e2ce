"""The demo's own file, whole; and cities of other countries where their data is at hand."""

from __future__ import annotations

import json
import os
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pyproj
import pytest
import shapely
from tests.sources.conftest import KOREA

from twintown.city.roofs import solid
from twintown.ground.bounds import Bounds
from twintown.ground.frames import Frame

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "cities" / "jamsil" / "data" / "odbl" / "seoul_jamsil.osm"
JAMSIL = Bounds(207980, 545510, 210440, 547730)
BENCH = Path(os.environ.get("TWINTOWN_BENCH_DATA", ROOT.parent / "shared" / "bench-data"))


@pytest.fixture(scope="module")
def jamsil():
    from tests.sources.conftest import ORIGIN

    from twintown.sources import source as sources

    ask = sources.Ask((DEMO,), KOREA, JAMSIL, ORIGIN, {}, "Asia/Seoul")
    return dict(sources.read(sources.registry().find("osm"), ask))


def test_nothing_of_the_file_is_lost(jamsil):
    tags = jamsil["buildings"].table["tags"].map(json.loads)
    levels = tags.map(lambda one: "building:levels" in one)
    height = tags.map(lambda one: "height" in one)
    # 1,358 elements are tagged as buildings; one of them is the tower's outline, which its relation takes in
    assert len(tags) + tags.map(lambda one: "@outline" in one).sum() == 1358
    assert (levels.sum(), height.sum(), (levels & height).sum()) == (863, 646, 644)
    assert len(jamsil["roads"].table) == 356
    assert jamsil["roads"].table["bridge"].sum() == 24


def test_most_stated_heights_are_storeys_times_a_round_number(jamsil):
    source = jamsil["buildings"].table["height_source"].value_counts()
    assert source.to_dict() == {"levels": 842, "estimated": 492, "measured": 23}
    assert (jamsil["findings"].table["code"] == "height-by-rule").sum() == 623


def test_twenty_footprints_are_where_proj_puts_them_to_the_centimetre(jamsil):
    """Against the file itself, by another way: ElementTree and one PROJ pipeline of our own."""
    root = ElementTree.parse(DEMO).getroot()
    nodes = {n.get("id"): (float(n.get("lon")), float(n.get("lat"))) for n in root.iter("node")}
    ways = {w.get("id"): [nodes[nd.get("ref")] for nd in w.iterfind("nd")] for w in root.iter("way")}
    to_metres = pyproj.Transformer.from_pipeline(
        "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad "
        "+step +proj=tmerc +lat_0=38 +lon_0=127 +k=1 +x_0=200000 +y_0=600000 +ellps=GRS80"
    )
    table = jamsil["buildings"].table
    table = table[table["id"].str.startswith("way/")].iloc[:: len(table) // 20][:20]
    assert len(table) == 20
    for one in table.itertuples():
        x, y = to_metres.transform(*np.array(ways[one.id.removeprefix("way/")]).T)
        assert shapely.hausdorff_distance(one.geometry, shapely.Polygon(np.column_stack([x, y]))) < 0.01


def test_every_part_is_a_closed_body(jamsil):
    for part in jamsil["building-parts"].table.itertuples():
        body = solid(
            part.geometry, part.base_m, part.eave_m, part.top_m, part.roof_shape, part.roof_direction_deg
        )
        assert body.is_closed(), part.id
        assert body.volume() > 0, part.id


def test_the_gate_of_peace_keeps_its_courtyard(jamsil):
    gate = jamsil["buildings"].table.set_index("id").geometry["relation/16563734"]
    assert len(gate.interiors) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "crs", "bounds", "at_least"),
    [
        ("geneva/geneva.osm.pbf", "EPSG:2056", Bounds(2_497_000, 1_114_000, 2_503_500, 1_120_500), 11_000),
        ("baltimore/baltimore.osm.pbf", "EPSG:26918", Bounds(355_000, 4_345_000, 374_000, 4_356_000), 1_600),
    ],
)
def test_other_cities_are_read_from_pbf(read, file, crs, bounds, at_least):
    path = BENCH / file
    if not path.exists():
        pytest.skip(f"{file} is not at hand (set TWINTOWN_BENCH_DATA)")
    found = read("osm", path, frame=Frame(crs, "EPSG:5773"), bounds=bounds)
    assert len(found["buildings"].table) >= at_least
    assert set(found["building-parts"].table["building"]) <= set(found["buildings"].table["id"])
    assert (found["building-parts"].table["top_m"] > found["building-parts"].table["base_m"]).all()
