"""Views of a twin: versions by token, sidecars where they can be kept, and nothing read twice."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from threading import Thread

import numpy as np
import orjson
import pyarrow as pa
import pytest
import shapely

from twintown.ground.errors import Gone, NotFound, Unauthenticated
from twintown.ground.features import Features
from twintown.ground.grid import Grid
from twintown.index import sidecar
from twintown.query.query import Query
from twintown.store.blobs import Blobs
from twintown.store.tables import Tables
from twintown.trust.grades import Grade
from twintown.trust.identity import ANYONE
from twintown.trust.policy import Grant, Resource
from twintown.twin import views
from twintown.twin.layers import Twin

from .test_layers import ALL, CC0, OPEN, wells


@pytest.fixture
def twin(described: Path) -> Twin:
    twin = Twin.open(described, read_only=False)
    twin.tables.switch({"wells": twin.stage("wells", wells(twin, 3.0), Grade.O).version})
    return twin


def depths(twin: Twin, token: str = "") -> list[float]:
    view = twin.view("wells", OPEN, token)
    return [
        orjson.loads(one)["properties"]["depth_m"] for one in view.encoded(view.page(Query(), 10).positions)
    ]


def test_a_cursor_reads_its_version_until_that_is_gone(twin: Twin) -> None:
    token = twin.view("wells", OPEN).token
    assert token == twin.version("wells", OPEN).version
    second = twin.stage("wells", wells(twin, 5.0), Grade.O).version
    with pytest.raises(NotFound):
        twin.view("wells", OPEN, second)  # nobody has seen it yet
    twin.tables.switch({"wells": second})
    assert (depths(twin), depths(twin, token)) == ([5.0, 10.0], [3.0, 6.0])
    twin.tables.forget([("wells", token)])
    with pytest.raises(Gone):
        depths(Twin.open(twin.directory), token)


@pytest.mark.parametrize("token", ["01ZZZZ", "01ZZZZ.1", "x.y", "."])
def test_a_token_that_nobody_gave_out_is_gone(twin: Twin, token: str) -> None:
    with pytest.raises(Gone):
        twin.view("wells", OPEN, token)


def test_a_revision_that_never_was_is_gone(twin: Twin) -> None:
    with pytest.raises(Gone):
        twin.view("wells", OPEN, f"{twin.version('wells', OPEN).version}.7")


def test_a_switch_by_another_is_seen_at_once_and_without_one_sql_is_left_alone(
    twin: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Twin.open(twin.directory)
    assert depths(reader) == [3.0, 6.0]
    asked: list[str] = []
    real = Tables.layers
    monkeypatch.setattr(Tables, "layers", lambda self: asked.append("layers") or real(self))
    for _ in range(5):
        reader.layers(OPEN)
        reader.version("wells", OPEN)
    assert depths(reader) == [3.0, 6.0] and asked == []
    twin.tables.switch({"wells": twin.stage("wells", wells(twin, 7.0), Grade.O).version})
    asked.clear()
    assert depths(reader) == [7.0, 14.0]
    assert asked == ["layers"]


def test_the_grade_is_asked_for_every_view_also_of_one_that_is_open(twin: Twin) -> None:
    twin.tables.switch({"shelters": twin.stage("shelters", wells(twin, 9.0), Grade.S).version})
    assert twin.view("shelters", ALL).count == 2
    with pytest.raises(Unauthenticated):
        twin.view("shelters", OPEN)
    with pytest.raises(Unauthenticated):
        twin.view("shelters", OPEN, twin.view("shelters", ALL).token)


def test_a_grid_has_no_rows(twin: Twin) -> None:
    cells = Grid(np.zeros((2, 2)), 208_000, 547_100, 1.0, "m", twin.description.frame, CC0)
    twin.tables.switch({"cells": twin.stage("cells", cells, Grade.O).version})
    with pytest.raises(NotFound, match="coverage"):
        twin.view("cells", OPEN)


def test_a_sidecar_lies_in_the_twin_and_is_made_when_it_is_first_asked_for(twin: Twin) -> None:
    folder = twin.directory / "index" / "wells" / twin.version("wells", OPEN).version
    assert not folder.exists()
    twin.view("wells", OPEN)
    assert (folder / sidecar.ABOUT).is_file()


def test_many_who_ask_first_make_it_once(twin: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Path] = []
    real = sidecar.write
    monkeypatch.setattr(sidecar, "write", lambda folder, *rest: made.append(folder) or real(folder, *rest))
    seen: list[int] = []
    threads = [Thread(target=lambda: seen.append(twin.view("wells", OPEN).count)) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert seen == [2] * 6
    assert len(made) == 1


def test_a_directory_that_only_lets_itself_be_read_has_its_index_elsewhere(
    twin: Twin, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.setattr(views.tempfile, "gettempdir", lambda: str(elsewhere))
    monkeypatch.setattr(views.os, "access", lambda *_: False)  # root may write anywhere
    assert depths(twin) == [3.0, 6.0]
    assert not (twin.directory / "index").exists()
    kept = list(elsewhere.glob("twintown-*/*/wells/*/about.json"))
    assert len(kept) == 1
    if os.name == "posix":
        assert kept[0].parents[3].stat().st_mode & 0o077 == 0


def test_a_bucket_is_read_in_pieces_and_indexed_here(
    twin: Twin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from obstore.store import MemoryStore

    version = twin.version("wells", OPEN)
    bucket = Blobs(MemoryStore(), "memory://", None)
    bucket.put(version.key, twin.blobs.get(version.key))
    shutil.rmtree(twin.directory / "layers")
    away = Twin(twin.directory, twin.description, twin.tables, bucket)
    monkeypatch.setattr(views, "_PART", 1000)
    assert depths(away) == [3.0, 6.0]
    assert (twin.directory / "index" / "wells" / version.version / sidecar.ABOUT).is_file()


def test_indexes_follow_their_versions(twin: Twin) -> None:
    first = twin.version("wells", OPEN)
    twin.index(first)
    folder = twin.directory / "index" / "wells"
    (folder / "unknown").mkdir()
    twin.sweep_indexes({first.path})
    assert [one.name for one in folder.glob("[!.]*")] == [first.version]
    twin.forget_index("tiles/wells/1")
    assert (folder / first.version).is_dir()
    twin.forget_index(first.path)
    assert not (folder / first.version).exists()


def test_an_index_that_was_built_serves_a_reader_who_may_not_write(
    twin: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    twin.index(twin.version("wells", OPEN))
    monkeypatch.setattr(views.os, "access", lambda *_: False)
    monkeypatch.setattr(sidecar, "write", lambda *_: pytest.fail("made again"))
    assert depths(Twin.open(twin.directory)) == [3.0, 6.0]


def test_what_is_finer_than_the_grant_leaves_neither_as_a_shape_nor_by_asking(twin: Twin) -> None:
    coarse = Grant(ANYONE, "read", Resource("hamlet"), True, "test", finest_m=500.0)
    view = twin.view("wells", coarse)
    shapes = shapely.from_wkb(pa.Table.from_batches(view.batches()).column("geometry").to_numpy())
    assert [(g.x, g.y) for g in shapes] == [(208_000.0, 545_000.0), (210_000.0, 547_000.0)]
    exact, told = (one.bbox for one in (twin.view("wells", OPEN), view))
    assert exact and told and told[0] < exact[0]
    at = (exact[0], exact[1], exact[0] + 1e-4, exact[1] + 1e-4)
    assert twin.view("wells", OPEN).page(Query(boxes=(at,)), 5).matched == 1
    assert view.page(Query(boxes=(at,)), 5).matched == 0
    read = twin.read("wells", coarse)
    assert isinstance(read, Features) and list(read.table.geometry.x) == [208_000.0, 210_000.0]
