from __future__ import annotations

import io
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from twintown.build import mark, start
from twintown.build.progress import ProgressLine
from twintown.build.run import build
from twintown.build.steps import owner
from twintown.ground.errors import BadParameter, BadSettings, Conflict, NotFound
from twintown.twin.layers import Twin

ALL = ("source/osm", "product/buildings-3dtiles", "product/base")


def versions(town: Path) -> dict[str, str]:
    twin = Twin.open(town)
    grant = owner(twin)
    return {one.layer: one.version for one in twin.layers(grant)} | {
        one.product: one.version for one in twin.products(grant)
    }


def edit(town: Path, old: str, new: str, name: str = "twintown.toml") -> None:
    path = town / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_the_first_build_runs_every_step_and_the_second_none(town: Path) -> None:
    told: list[tuple[str, float]] = []
    first = build(town, told=lambda step, share: told.append((step, share)))
    assert {step for step, _ in told} >= set(first.ran)  # who waits for it hears how far it is
    assert [share for _, share in told] == sorted(share for _, share in told) and told[-1][1] == 1.0
    assert first.ran == ALL
    assert (first.layers, first.products) == (5, 2)
    made = versions(town)
    second = build(town)
    assert (second.ran, second.kept) == ((), ALL)
    assert versions(town) == made


def test_only_what_changed_is_made_again(town: Path) -> None:
    build(town)
    made = versions(town)
    edit(
        town, "height_m = 0.0", "height_m = 12.0"
    )  # the ground is part of tiles with heights, not of the layers
    again = build(town)
    assert "source/osm" in again.kept
    assert "product/buildings-3dtiles" in again.ran
    now = versions(town)
    assert now["buildings"] == made["buildings"]
    assert now["buildings-3dtiles"] != made["buildings-3dtiles"]


def test_a_change_that_gives_the_same_layers_stops_there(town: Path) -> None:
    build(town)
    made = versions(town)
    edit(town, "<node ", "<!-- a note --><node ", "data/tower.osm")
    again = build(town)
    assert again.ran == ("source/osm",)
    assert versions(town) == made


def test_the_last_two_versions_stay_on_disk_and_what_was_current_within_the_hour(town: Path) -> None:
    for height in ("0.0", "1.0", "2.0"):
        edit(town, "height_m = ", f"height_m = {height} # ")
        build(town)
    assert len(list((town / "tiles" / "buildings-3dtiles").iterdir())) == 3
    with closing(sqlite3.connect(town / "state.db")) as database, database:
        database.execute("UPDATE products SET retired_at = '2026-01-01 00:00:00' WHERE state = 'retired'")
    edit(town, "height_m = ", "height_m = 3.0 # ")
    build(town)
    assert len(list((town / "tiles" / "buildings-3dtiles").iterdir())) == 2
    assert len(list((town / "layers" / "buildings").iterdir())) == 1


def test_a_layer_whose_file_was_removed_is_made_again(town: Path) -> None:
    build(town)
    twin = Twin.open(town)
    path = twin.blobs.path(twin.version("roads", owner(twin)).key)
    path.unlink()
    assert not mark.unchanged(town)
    assert "source/osm" in build(town).ran
    assert Twin.open(town).read("roads", owner(twin))


def test_the_quick_look_sees_every_kind_of_change(town: Path) -> None:
    assert not mark.unchanged(town)
    build(town)
    assert mark.unchanged(town)
    edit(town, "range_m", "range_m ")
    assert not mark.unchanged(town)
    build(town)
    assert mark.unchanged(town)
    edit(town, "<node ", "<node  ", "data/tower.osm")
    assert not mark.unchanged(town)
    build(town)
    next((town / "tiles").rglob("*.mvt")).unlink()
    assert not mark.unchanged(town)


def test_a_layer_that_nothing_gives_is_a_slip(town: Path) -> None:
    with (town / "twintown.toml").open("a") as file:
        file.write('\n[[layers]]\nid = "raods"\ntitle = "Roads"\n')
    with pytest.raises(BadSettings, match="'raods', which no source or process gives"):
        build(town)


def test_a_source_that_is_not_there_is_named(town: Path) -> None:
    edit(town, 'source = "osm"', 'source = "omo"')
    with pytest.raises(NotFound, match="there is no source 'omo'"):
        build(town)


def test_the_line_counts_steps_percent_and_time_left() -> None:
    out = io.StringIO()
    line = ProgressLine("hamlet", {"source/osm": 10.0, "product/base": 30.0}, out, shown=True)
    line.begin("source/osm")
    line.end("source/osm")
    line.begin("product/base")
    assert line.text(0.5).startswith("hamlet  2/2 product/base   62%")
    line.close()
    assert out.getvalue().endswith("\r\x1b[K")


def test_nothing_is_drawn_where_nobody_watches() -> None:
    out = io.StringIO()
    line = ProgressLine("hamlet", {"source/osm": 1.0}, out)
    line.begin("source/osm")
    line.end("source/osm")
    line.close()
    assert out.getvalue() == ""


def test_a_city_is_copied_without_what_was_built(town: Path, tmp_path: Path) -> None:
    build(town)
    copy = tmp_path / "copy"
    start.from_city(copy, str(town))
    assert sorted(path.name for path in copy.iterdir()) == ["data", "twintown.toml"]
    with pytest.raises(Conflict, match="there is a twin already"):
        start.from_city(copy, str(town))
    with pytest.raises(NotFound, match="no city 'atlantis'"):
        start.from_city(tmp_path / "other", "atlantis")


@pytest.mark.parametrize(
    ("bounds", "says"),
    [
        ("1,2,3", "not west,south,east,north"),
        ("37.5,127.0,37.6,127.1", "longitude comes first"),
        ("127.1,37.5,127.0,37.6", "turned round"),
        ("120,30,130,40", "larger than a city"),
    ],
)
def test_bounds_that_cannot_be_meant_are_refused(tmp_path: Path, bounds: str, says: str) -> None:
    with pytest.raises(BadParameter, match=says):
        start.from_bounds(tmp_path / "town", bounds)
    assert not (tmp_path / "town").exists()


def test_a_twin_outside_korea_gets_its_utm_zone(tmp_path: Path) -> None:
    start.from_bounds(tmp_path / "lisbon", "-9.15,38.70,-9.12,38.73", time_zone="Europe/Lisbon")
    assert 'crs = "EPSG:32629"' in (tmp_path / "lisbon" / "twintown.toml").read_text()
