"""Sidecars: whole or absent, made again when lost, the same whoever makes them."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from twintown.ground.errors import BadData, StorageFailed
from twintown.ground.series import Series
from twintown.index import sidecar
from twintown.index.rows import BATCH, ID, LONLAT, Rows

from .conftest import CC0, FRAME, Open, table, write


def ids(rows: Rows) -> list[str]:
    return [str(i) for i in rows.take(np.arange(rows.count), (ID,)).column(0).to_pylist()]


def test_the_rows_stand_in_the_order_of_the_file(open_rows: Open, tmp_path: Path) -> None:
    rows = open_rows(table(200))
    assert ids(rows) == pq.read_table(tmp_path / "a.parquet").column("id").to_pylist()
    assert [rows.position(one) for one in ids(rows)] == list(range(200))
    assert rows.position("way/200") == -1
    assert rows.position("") == -1


def test_more_rows_than_a_batch_are_found_at_their_places(open_rows: Open) -> None:
    n = 2 * BATCH + 100
    points = gpd.points_from_xy(208_000 + np.arange(n) % 300, 546_000 + np.arange(n) // 300)
    rows = open_rows(gpd.GeoDataFrame({"id": [f"p{i}" for i in range(n)]}, geometry=points, crs=FRAME.crs))
    some = np.array([0, BATCH - 1, BATCH, 2 * BATCH + 99, 5])
    taken = rows.take(some, (ID,)).column(0).to_pylist()
    assert [orjson.loads(one)["id"] for one in rows.encoded(some)] == taken
    assert [rows.position(one) for one in taken] == some.tolist()


def test_a_whole_sidecar_is_opened_and_not_made_again(open_rows: Open, tmp_path: Path) -> None:
    open_rows(table(30))
    (tmp_path / "a.parquet").unlink()
    assert sidecar.ensure(tmp_path / "index" / "a", tmp_path / "a.parquet", "a").count == 30


@pytest.mark.parametrize(
    "name", ["rows.arrow", "boxes.npy", "drawn.npy", "marks.npy", "order.npy", "about.json"]
)
@pytest.mark.parametrize("harm", ["gone", "short", "empty", "noise"])
def test_a_damaged_sidecar_counts_as_absent_and_is_made_again(
    open_rows: Open, tmp_path: Path, name: str, harm: str
) -> None:
    rows = open_rows(table(40))
    want = [bytes(one) for one in rows.encoded(np.arange(40))]
    path = tmp_path / "index" / "a" / name
    data = path.read_bytes()
    path.unlink()
    if harm != "gone":
        path.write_bytes({"short": data[:-8], "empty": b"", "noise": b"\x93" * (len(data) + 8)}[harm])
    assert sidecar.opened(tmp_path / "index" / "a", "a") is None
    again = sidecar.ensure(tmp_path / "index" / "a", tmp_path / "a.parquet", "a")
    assert [bytes(one) for one in again.encoded(np.arange(40))] == want
    assert [one.name for one in (tmp_path / "index").iterdir() if one.is_dir()] == ["a"]


def test_another_layout_or_another_file_is_made_again(open_rows: Open, tmp_path: Path) -> None:
    open_rows(table(10))
    folder = tmp_path / "index" / "a"
    assert sidecar.opened(folder, "another digest") is None
    about = orjson.loads((folder / "about.json").read_bytes())
    (folder / "about.json").write_bytes(orjson.dumps({**about, "layout": "twintown-index/0"}))
    assert sidecar.opened(folder, "a") is None


_MAKE = """
import sys
from pathlib import Path
from twintown.index import sidecar
sidecar.ensure(Path(sys.argv[1]), Path(sys.argv[2]), "a")
"""
_KILLED = """
import os, signal
from twintown.index import sidecar
real = sidecar.make
def make(batch, frame):
    real(batch, frame)
    os.kill(os.getpid(), signal.SIGKILL)
sidecar.make = make
"""


def _run(script: str, folder: Path, source: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", script, str(folder), str(source)])


@pytest.mark.slow
def test_two_builders_at_once_leave_one_whole_sidecar(tmp_path: Path) -> None:
    source, folder = write(tmp_path / "a.parquet", table(3000)), tmp_path / "index" / "a"
    both = [_run(_MAKE, folder, source) for _ in range(2)]
    assert [one.wait(120) for one in both] == [0, 0]
    found = sidecar.opened(folder, "a")
    assert found is not None and found.count == 3000
    assert [one.name for one in folder.parent.iterdir() if one.is_dir()] == ["a"]


@pytest.mark.slow
def test_a_build_killed_in_the_middle_leaves_nothing_that_is_read(tmp_path: Path) -> None:
    source, folder = write(tmp_path / "a.parquet", table(100)), tmp_path / "index" / "houses" / "1"
    assert _run(_KILLED + _MAKE, folder, source).wait(120) == -signal.SIGKILL
    assert not folder.exists()
    left = [one for one in folder.parent.iterdir() if one.is_dir()]
    assert len(left) == 1 and left[0].name.startswith(".1.")
    assert sidecar.ensure(folder, source, "a").count == 100
    sidecar.sweep(tmp_path / "index", time.time())
    assert left[0].exists()  # it may belong to a build that is still at work
    sidecar.sweep(tmp_path / "index", time.time() + sidecar.STALE_S + 60)
    assert not left[0].exists()
    assert sidecar.opened(folder, "a") is not None


def test_an_empty_layer_and_one_without_any_place_have_sidecars_too(open_rows: Open) -> None:
    nothing = open_rows(table(0), "none")
    assert (nothing.count, nothing.kinds, nothing.tree.bounds, nothing.position("way/1")) == (
        0,
        frozenset(),
        None,
        -1,
    )
    assert nothing.encoded(np.empty(0, np.int64)) == []
    plain = gpd.GeoDataFrame({"id": ["a", "b"], "beds": [1, 2]}, geometry=[None, None], crs=FRAME.crs)
    rows = open_rows(plain, "plain")
    assert (rows.count, rows.kinds, rows.tree.bounds) == (2, frozenset(), None)
    assert orjson.loads(rows.encoded(np.array([1]))[0]) == {
        "type": "Feature",
        "id": "b",
        "geometry": None,
        "properties": {"beds": 2},
    }


def test_a_series_has_its_times_for_ids(tmp_path: Path) -> None:
    hours = pa.array([0, 3600], pa.timestamp("s", "Asia/Seoul"))
    whole = Series(pa.table({"time": hours, "t": [1.5, None]}), {"t": "Cel"}, "Asia/Seoul", "here", CC0)
    (tmp_path / "s.parquet").write_bytes(whole.to_parquet_bytes())
    rows = sidecar.ensure(tmp_path / "index", tmp_path / "s.parquet", "s")
    assert ids(rows) == ["1970-01-01T09:00:00+09:00", "1970-01-01T10:00:00+09:00"]
    assert orjson.loads(rows.encoded(np.array([1]))[0])["properties"] == {
        "time": "1970-01-01T10:00:00+09:00",
        "t": None,
    }


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    source = write(tmp_path / "a.parquet", table(20))
    source.write_bytes(source.read_bytes()[:-100])
    with pytest.raises(BadData, match="build the layer again"):
        sidecar.ensure(tmp_path / "index" / "a", source, "a")
    assert not [one for one in (tmp_path / "index").iterdir() if one.is_dir()]


def test_a_place_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "index").write_text("a file")
    with pytest.raises(StorageFailed):
        sidecar.ensure(tmp_path / "index" / "a", write(tmp_path / "a.parquet", table(2)), "a")


def test_shapes_in_degrees_are_flat_and_rounded_to_a_millimetre(open_rows: Open) -> None:
    rows = open_rows(table(30))
    for shape in rows.lonlat(np.arange(30)):
        if shape is not None:
            assert not shape.has_z
            assert np.array_equal(np.round(shape.bounds, 8), shape.bounds)
    assert rows.schema.field(LONLAT).type == pa.binary()
