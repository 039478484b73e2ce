"""One door for all sources: what is broken is named and skipped, what is asked wrongly is refused."""

from __future__ import annotations

import dataclasses
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from tests.hamlet import TOWER_OSM
from tests.sources.conftest import KOREA, ORIGIN, TOWER

from twintown.ground.errors import BadData, BadSettings, NotFound, PluginFailed, TooLarge
from twintown.ground.names import Name
from twintown.sources import source as sources

BUILT_INS = {"osm", "series", "tables", "vectors", "weather"}
ALL = sorted(sources.registry().sources)


class Liar:
    """Declares one layer and gives another."""

    id, version, title, options = "liar", "1", Name("거짓", "Liar"), {}

    def __init__(self, gives: tuple[str, ...] = ("other",)) -> None:
        self.gives = gives

    def layers(self, options):
        return ("promised",)

    def read(self, ask):
        for layer in self.gives:
            yield layer, None


def test_built_ins_come_through_the_same_door_as_plug_ins():
    assert set(ALL) >= BUILT_INS


@pytest.mark.parametrize("name", ALL)
def test_every_source_keeps_to_the_contract(name):
    source = sources.registry().find(name)
    assert isinstance(source, sources.Source)
    assert source.id == name
    assert source.version
    assert source.title.ko
    assert source.title.en
    for option in source.options.values():
        assert option.about
        assert isinstance(option.default, option.types)
    with pytest.raises(BadSettings, match="unknown option 'colour'"):
        sources.check_options(source, {"colour": 1}, "here")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("no.such.module:X", "ModuleNotFoundError"),
        ("tests.sources.test_source:ORIGIN", "is not a source"),
        ("tests.sources.test_source:Liar", "calls itself 'liar'"),
    ],
)
def test_a_broken_plug_in_is_named_and_skipped(value, reason):
    points = [
        EntryPoint("bad", value, sources.GROUP),
        EntryPoint("osm", "twintown.sources.osm:SOURCE", sources.GROUP),
    ]
    registry = sources.Registry.of(points)
    assert set(registry.sources) == {"osm"}
    assert registry.broken[0].name == "bad"
    assert reason in registry.broken[0].reason
    with pytest.raises(PluginFailed, match="bad"):
        registry.find("bad")


def test_a_misspelt_source_or_option_is_answered_with_the_nearest():
    with pytest.raises(NotFound, match="did you mean 'tables'"):
        sources.registry().find("table")
    with pytest.raises(BadSettings, match="did you mean 'encoding'"):
        sources.check_options(sources.registry().find("tables"), {"encodin": "utf-8"}, "here")


def test_an_option_of_the_wrong_type_is_refused():
    with pytest.raises(BadSettings, match="not bool"):
        sources.check_options(sources.registry().find("tables"), {"clip": "yes"}, "here")


@pytest.mark.parametrize("gives", [("other",), (), ("promised", "promised")])
def test_a_source_that_does_not_keep_its_promise_is_told_so(gives):
    with pytest.raises(PluginFailed):
        list(sources.read(Liar(gives), sources.Ask((), KOREA, TOWER, ORIGIN)))


def test_the_digest_follows_every_byte_every_option_and_the_bounds(tmp_path):
    path = tmp_path / "a.osm"
    path.write_bytes(TOWER_OSM.read_bytes())
    osm = sources.registry().find("osm")
    ask = sources.Ask((path,), KOREA, TOWER, ORIGIN)
    first = sources.digest_ask(osm, ask)
    assert sources.digest_ask(osm, ask) == first
    assert sources.digest_ask(osm, dataclasses.replace(ask, options={"layers": ["roads"]})) != first
    assert sources.digest_ask(osm, dataclasses.replace(ask, bounds=TOWER.buffer(1))) != first
    path.write_bytes(path.read_bytes() + b"\n")
    assert sources.digest_ask(osm, ask) != first


def test_a_file_named_inside_an_option_counts_in_the_digest(tmp_path):
    for name in ("a.csv", "g.csv"):
        (tmp_path / name).write_text("x,y\n1,2\n", encoding="utf-8")
    table = sources.registry().find("tables")
    options = {"gazetteer": [{"path": "g.csv", "address": "a", "x": "x", "y": "y"}]}
    ask = sources.Ask((tmp_path / "a.csv",), KOREA, TOWER, ORIGIN, options, base=tmp_path)
    first = sources.digest_ask(table, ask)
    (tmp_path / "g.csv").write_text("x,y\n1,3\n", encoding="utf-8")
    assert sources.digest_ask(table, ask) != first


def test_a_file_is_checked_before_it_is_read(tmp_path):
    with pytest.raises(BadData, match="not there"):
        sources.check_file(tmp_path / "nowhere.csv")
    with pytest.raises(BadData, match="directory"):
        sources.check_file(tmp_path)
    (tmp_path / "empty").touch()
    with pytest.raises(BadData, match="empty"):
        sources.check_file(tmp_path / "empty")
    with pytest.raises(TooLarge, match="cut it to the city"):
        sources.check_file(Path(__file__), limit_bytes=10)
