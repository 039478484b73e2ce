"""A version's sidecar on disk: made from its GeoParquet or Parquet in a stream, mapped into memory, made again when lost.

    index/<layer>/<version>/
      about.json      layout, rows, kinds of geometry, size of each file
      rows.arrow      Arrow IPC, uncompressed, batches of 8192 rows (see `rows`)
      boxes.npy drawn.npy     the packed Hilbert R-tree (see `kernels.boxes`)
      marks.npy order.npy     the rows by the mark of their id

It is written in a folder beside and renamed, so it is whole or absent; what does not fit its `about.json` counts as absent.
Nothing in it is new: whoever loses it waits once.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from twintown.ground.errors import BadData
from twintown.ground.frames import Frame
from twintown.index.encode import iso
from twintown.index.ids import Ids
from twintown.index.rows import BATCH, GEOMETRY, ID, Rows, inner, make, rebatched
from twintown.index.tree import Tree
from twintown.store.blobs import storage_failed

#: Raise it when anything in the files changes; an older sidecar is then made again.
LAYOUT = "twintown-index/1"
ABOUT, ROWS = "about.json", "rows.arrow"
BOXES, DRAWN, MARKS, ORDER = "boxes.npy", "drawn.npy", "marks.npy", "order.npy"
#: A folder that a killed build left beside; older than any build that still runs.
STALE_S = 6 * 3600.0


def ensure(folder: Path, source: Path, digest: str) -> Rows:
    """The rows of a version, mapped from its sidecar, which is made first where it is absent, damaged or of another layout.

    Args:
        folder: where the sidecar is or shall be.
        source: the version's GeoParquet or Parquet.
        digest: of that file, as the catalogue has it.

    Raises:
        BadData: the file was damaged.
        StorageFailed: the disk is full, or may not be written to.
    """
    found = opened(folder, digest)
    if found is not None:
        return found
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _alone(folder):
            found = opened(folder, digest)  # somebody else may have made it while we waited
            if found is not None:
                return found
            staging = folder.with_name(f".{folder.name}.{os.getpid()}.{uuid4().hex[:8]}")
            try:
                staging.mkdir()
                write(staging, source, digest)
                _adopt(staging, folder)
            finally:
                shutil.rmtree(staging, ignore_errors=True)
    except OSError as error:
        raise storage_failed(error, str(folder)) from error
    found = opened(folder, digest)
    if found is None:
        raise BadData("the index cannot be read back", str(folder), "check the disk, then try again")
    _try(found)
    return found


def _try(rows: Rows) -> None:
    """Ask the first of everything, so that the loops are compiled for mapped arrays now and not when somebody waits."""
    bounds = rows.tree.bounds
    if bounds is not None:
        asked = np.array([bounds])
        found, _ = rows.tree.search(asked, 0, 1)
        rows.tree.count(asked)
        rows.touching(found, asked)


def opened(folder: Path, digest: str) -> Rows | None:
    """The rows of a whole sidecar; None where there is none that fits: it is then made again."""
    try:
        about = orjson.loads((folder / ABOUT).read_bytes())
        if about["layout"] != LAYOUT or about["digest"] != digest:
            return None
        if any((folder / name).stat().st_size != size for name, size in about["files"].items()):
            return None
        boxes, drawn, marks, order = (
            np.asarray(np.load(folder / name, mmap_mode="r" if about["rows"] else None))
            for name in (BOXES, DRAWN, MARKS, ORDER)
        )
        # through the mapped bytes: a batch opens ten times faster than through the mapped file, and nothing is copied either
        mapped = pa.memory_map(str(folder / ROWS)).read_buffer()
        reader = pa.ipc.open_file(pa.BufferReader(mapped), options=pa.ipc.IpcReadOptions(use_threads=False))
        rows = int(about["rows"])
        if reader.num_record_batches != -(-rows // BATCH):
            return None
        tree = Tree(boxes, Tree.starts_of(rows), drawn)
        return Rows(rows, reader.get_batch, tree, Ids(marks, order), about["kinds"], reader.schema)
    except (OSError, ValueError, KeyError, TypeError, EOFError, pa.ArrowException):
        return None


def write(folder: Path, source: Path, digest: str) -> None:
    """Write the sidecar of `source` into an empty folder, a batch at a time. Raises BadData, OSError."""
    try:
        file = pq.ParquetFile(source, memory_map=True)
        count, frame = file.metadata.num_rows, _frame(file)
        boxes = _array(folder / BOXES, (int(Tree.starts_of(count)[-1]), 4), np.float64)
        marks = np.empty(count, np.uint64)
        kinds: frozenset[str] = frozenset()
        at = 0
        writer = None
        with pa.OSFile(str(folder / ROWS), "wb") as out:
            for batch in rebatched(_batches(file)):
                made = make(batch, frame)
                if writer is None:
                    writer = pa.ipc.new_file(out, made.batch.schema)
                writer.write_batch(made.batch)
                boxes[at : at + batch.num_rows] = made.boxes
                marks[at : at + batch.num_rows] = made.marks
                kinds |= made.kinds
                at += batch.num_rows
            if writer is None:
                empty = make(pa.RecordBatch.from_pylist([], schema=_empty(file)), frame)
                writer = pa.ipc.new_file(out, empty.batch.schema)
            writer.close()
    except (pa.ArrowException, shapely.errors.ShapelyError, ValueError) as error:
        line = (str(error).splitlines() or [type(error).__name__])[0]
        raise BadData(f"its rows cannot be read ({line})", str(source), "build the layer again") from error
    tree = Tree.empty(count, boxes)
    tree.pack()
    ids = Ids.of(marks)
    np.save(folder / DRAWN, tree.drawn)
    np.save(folder / MARKS, ids.marks)
    np.save(folder / ORDER, ids.rows)
    if isinstance(boxes, np.memmap):
        boxes.flush()
    sizes = {name: (folder / name).stat().st_size for name in (ROWS, BOXES, DRAWN, MARKS, ORDER)}
    about = {"layout": LAYOUT, "digest": digest, "rows": count, "kinds": sorted(kinds), "files": sizes}
    (folder / ABOUT).write_bytes(orjson.dumps(about))


def sweep(top: Path, now: float) -> None:
    """Remove what killed builds left below `top` (index/), by age."""
    for path in top.glob("*/.*"):
        try:
            if now - path.stat().st_mtime > STALE_S:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        except OSError:
            continue


def _batches(file: pq.ParquetFile) -> Iterator[pa.RecordBatch]:
    """`id`, own columns and `geometry` of a file of ours, in plain types; a series' time is its id."""
    said = orjson.loads((file.schema_arrow.metadata or {}).get(b"geo", b"{}"))
    primary = said.get("primary_column", GEOMETRY)
    cover = said.get("columns", {}).get(primary, {}).get("covering", {}).get("bbox", {})
    hidden = {corner[0] for corner in cover.values()}
    names = [name for name in file.schema_arrow.names if name not in hidden]
    for batch in file.iter_batches(BATCH, columns=names):
        table = pa.Table.from_batches([batch])
        if primary != GEOMETRY and primary in names:
            table = table.rename_columns([GEOMETRY if name == primary else name for name in names])
        if ID not in names:
            table = table.add_column(0, ID, iso(batch.column("time")))
        yield from inner(table).to_batches()


def _empty(file: pq.ParquetFile) -> pa.Schema:
    table = file.schema_arrow.empty_table()
    return inner(
        table if ID in table.schema.names else table.add_column(0, ID, pa.array([], pa.string()))
    ).schema


def _frame(file: pq.ParquetFile) -> Frame | None:
    meta = orjson.loads((file.schema_arrow.metadata or {}).get(b"twintown", b"{}"))
    return Frame(**meta["frame"]) if "frame" in meta else None


def _array(path: Path, shape: tuple[int, ...], kind: type) -> Any:
    if 0 in shape:
        np.save(path, np.empty(shape, kind))
        return np.empty(shape, kind)
    return np.lib.format.open_memmap(path, mode="w+", dtype=kind, shape=shape)


def _adopt(staging: Path, folder: Path) -> None:
    """The staged folder takes its name; a damaged one that has it goes."""
    try:
        os.rename(staging, folder)
    except OSError:
        aside = staging.with_name(f"{staging.name}.old")
        os.rename(folder, aside)
        os.rename(staging, folder)
        shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time makes this sidecar, where the system has locks; without them both make the same."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    with open(folder.with_name(f".{folder.name}.lock"), "wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
