"""The indexes of layers are made with the build and go with their versions; a lost one is nothing to a twin."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from twintown.build import mark
from twintown.build.run import build
from twintown.build.steps import owner
from twintown.index import sidecar
from twintown.query.query import Query
from twintown.store.tables import Tables
from twintown.twin.layers import Twin


def indexed(town: Path) -> set[str]:
    return {
        folder.parent.relative_to(town / "index").as_posix() for folder in town.glob("index/*/*/about.json")
    }


def recorded(town: Path) -> set[str]:
    return {
        path.removeprefix("layers/")
        for path, _ in Twin.open(town).tables.known().values()
        if path.startswith("layers/")
    }


def test_a_build_indexes_every_layer_with_rows_and_the_second_none(
    town: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(town)
    assert indexed(town) == recorded(town)
    monkeypatch.setattr(sidecar, "write", lambda *_: pytest.fail("made again"))
    assert mark.unchanged(town)
    build(town)
    twin = Twin.open(town)
    grant = owner(twin)
    assert twin.view("buildings", grant).page(Query(), 1).matched == twin.version("buildings", grant).count


def test_an_index_goes_with_its_version(town: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build(town)
    before = indexed(town)
    real = Tables.prune
    monkeypatch.setattr(Tables, "prune", lambda self, keep: real(self, 1, timedelta(0)))
    path = town / "data" / "tower.osm"
    path.write_text(
        path.read_text(encoding="utf-8").replace('v="residential"', 'v="service"'), encoding="utf-8"
    )
    build(town)
    assert indexed(town) == recorded(town) != before


def test_a_lost_index_is_made_again_by_the_next_build_or_the_first_reader(town: Path) -> None:
    build(town)
    whole = indexed(town)
    shutil.rmtree(town / "index")
    assert mark.unchanged(town)  # nothing that cannot be had again is gone
    twin = Twin.open(town)
    assert twin.view("roads", owner(twin)).count
    assert len(indexed(town)) == 1
    (town / "twintown.toml").write_text(
        (town / "twintown.toml").read_text(encoding="utf-8") + "\n", encoding="utf-8"
    )
    build(town)
    assert indexed(town) == whole


def test_what_a_killed_build_left_of_an_index_is_swept_away(town: Path) -> None:
    build(town)
    (town / "index" / "roads" / "01UNKNOWN").mkdir()
    (town / "twintown.toml").write_text(
        (town / "twintown.toml").read_text(encoding="utf-8") + "\n", encoding="utf-8"
    )
    build(town)
    assert not (town / "index" / "roads" / "01UNKNOWN").exists()
