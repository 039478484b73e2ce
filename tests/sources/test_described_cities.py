"""The hamlets and the demo's cities: every source is read, every column has a name in both languages."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.hamlet import ICHEON, JAMSIL

from twintown.ground.features import Features
from twintown.sources import source as sources
from twintown.twin.description import Description

CITIES = Path(__file__).parents[2] / "cities"
DIRECTORIES = {
    "hamlet jamsil": JAMSIL,
    "hamlet icheon": ICHEON,
    "jamsil": CITIES / "jamsil",
    "icheon": CITIES / "icheon",
}
RESULTS = {"sunlight-solar", "sunlight-civil", "facades"}


@pytest.mark.slow
@pytest.mark.parametrize("name", DIRECTORIES)
def test_every_source_gives_its_layer_and_every_column_is_titled(name):
    directory = DIRECTORIES[name]
    about = Description.load(directory)
    given = set()
    for entry in about.sources:
        ask = sources.Ask(
            entry.paths,
            about.frame,
            about.bounds,
            entry.origin,
            entry.options,
            about.time_zone,
            base=directory,
        )
        for layer, shape in sources.read(sources.registry().find(entry.source), ask):
            assert layer not in given
            given.add(layer)
            assert len(shape), layer
            columns = (
                set(shape.table.columns) - {"id", "geometry"}
                if isinstance(shape, Features)
                else set(shape.table.column_names) - {"time"}
            )
            described = about.layer(layer).columns
            assert columns == set(described), layer
            for column, unit in shape.units.items():
                assert described[column].unit in (unit, ""), (layer, column)
            assert shape.provenance.licences[0].attribution, layer
    assert set(about.layers) - given <= RESULTS


def test_data_under_share_alike_lies_apart():
    for name in ("jamsil", "icheon"):
        about = Description.load(CITIES / name)
        for entry in about.sources:
            for path in entry.paths:
                assert (path.parent.name == "odbl") == entry.origin.licence.share_alike


def test_every_file_of_a_city_says_where_it_is_from():
    for name in ("jamsil", "icheon"):
        data = CITIES / name / "data"
        known = (data / "PROVENANCE.csv").read_text(encoding="utf-8")
        for path in (*data.glob("open/*"), *data.glob("odbl/*")):
            assert path.relative_to(data).as_posix() in known
        assert (data / "NOTICE").exists()
