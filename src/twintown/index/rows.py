"""A segment: rows in a fixed order with their index, mapped from a sidecar or held in memory (rows that were edited).

A row is one of equal batches of Arrow columns: `id`, the layer's own, `geometry` (WKB in the twin's frame), the same in
CRS84 (WKB, two-dimensional) and the row as a ready GeoJSON feature.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from twintown.ground.frames import Frame
from twintown.index.encode import features, lonlat
from twintown.index.ids import Ids, marks_of
from twintown.index.tree import Boxes, Positions, Tree, boxes_of

#: Rows of every batch but the last.
BATCH = 8192
ID, GEOMETRY = "id", "geometry"
#: Columns of ours beside the layer's own; no layer's column can be called so.
LONLAT, FEATURE = "\x1flonlat", "\x1ffeature"


@dataclass(frozen=True)
class Made:
    """One batch as a sidecar keeps it, with what the index needs to know of it."""

    batch: pa.RecordBatch
    boxes: Boxes
    marks: NDArray[np.uint64]
    kinds: frozenset[str]


def make(batch: pa.RecordBatch, frame: Frame | None) -> Made:
    """`id`, own columns and `geometry` (WKB in the frame, or null) completed to what a sidecar keeps."""
    raw = batch.column(batch.schema.get_field_index(GEOMETRY))
    shapes = np.full(batch.num_rows, None, object)
    if raw.null_count < len(raw) and frame is not None:
        shapes = lonlat(shapely.from_wkb(raw.to_numpy(zero_copy_only=False)), frame)
    own = {name: batch.column(name) for name in batch.schema.names if name not in (ID, GEOMETRY)}
    ids = batch.column(ID)
    wkb = pa.array(shapely.to_wkb(shapes, output_dimension=2, byte_order=1), pa.binary(), from_pandas=True)
    ready = features(ids, shapes, own)
    whole = pa.RecordBatch.from_arrays([ids, *own.values(), raw, wkb, ready], schema=_completed(batch.schema))
    kinds = frozenset(_TYPES[int(kind)] for kind in np.unique(shapely.get_type_id(shapes)) if kind >= 0)
    return Made(whole, boxes_of(shapes), marks_of(ids), kinds)


_TYPES = (
    "Point",
    "LineString",
    "LineString",
    "Polygon",
    "Point",
    "LineString",
    "Polygon",
    "GeometryCollection",
)


def _completed(schema: pa.Schema) -> pa.Schema:
    own = [one for one in schema if one.name not in (ID, GEOMETRY)]
    return pa.schema(
        [schema.field(ID), *own, schema.field(GEOMETRY), (LONLAT, pa.binary()), (FEATURE, pa.large_binary())]
    )


class Rows:
    """Rows by position, by id and by place.

    Args:
        count: how many.
        batch: gives batch i, with the columns of `make`.
        tree: their places.
        ids: their ids.
        kinds: the types of their geometries, without `Multi`.
        schema: of the batches.
    """

    def __init__(
        self, count: int, batch: Callable[[int], pa.RecordBatch], tree: Tree, ids: Ids, kinds: Iterable[str], schema: pa.Schema
    ) -> None:  # fmt: skip
        self.count = count
        self.tree = tree
        self.ids = ids
        self.kinds = frozenset(kinds)
        self.schema = schema
        self._load = batch
        self._turn = Lock()
        self._batches: list[_Batch | None] = [None] * -(-count // BATCH)

    @classmethod
    def of_table(cls, table: pa.Table, frame: Frame | None, like: Rows | None = None) -> Rows:
        """Rows held in memory, in the table's order.

        Args:
            table: `id`, own columns, `geometry` (WKB in the frame, or null).
            frame: where the geometries are; none for a table without any.
            like: a segment whose columns and types these rows take; columns that the table lacks are null.
        """
        table = inner(table, like.schema if like is not None else None)
        made = [make(batch, frame) for batch in rebatched(table.to_batches())]
        boxes = np.concatenate([one.boxes for one in made]) if made else np.empty((0, 4))
        marks = np.concatenate([one.marks for one in made]) if made else np.empty(0, np.uint64)
        kinds = frozenset().union(*(one.kinds for one in made))
        batches = [one.batch for one in made]
        return cls(
            table.num_rows,
            batches.__getitem__,
            Tree.of(boxes),
            Ids.of(marks),
            kinds,
            _completed(table.schema),
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the layer's own columns."""
        return tuple(n for n in self.schema.names if n not in (ID, GEOMETRY, LONLAT, FEATURE))

    def position(self, text: str) -> int:
        """The position of the row with this id, -1 where there is none."""
        for row in self.ids.candidates(text):
            batch = self._batch(row // BATCH).batch
            if batch.column(ID)[row % BATCH].as_py() == text:
                return row
        return -1

    def take(self, positions: Positions, names: Sequence[str]) -> pa.RecordBatch:
        """These columns of the rows at these positions, in that order; without a copy where they follow each other."""
        schema = pa.schema([self.schema.field(name) for name in names])
        n = len(positions)
        if n == 0:
            return pa.RecordBatch.from_arrays([pa.array([], one.type) for one in schema], schema=schema)
        first, last = int(positions[0]), int(positions[-1])
        if (
            first // BATCH == last // BATCH
            and last - first == n - 1
            and bool((np.diff(positions) == 1).all())
        ):
            return self._batch(first // BATCH).batch.select(names).slice(first % BATCH, n)
        parts = [
            self._batch(number).batch.select(names).take(pa.array(local))
            for number, local in split(positions)
        ]
        return parts[0] if len(parts) == 1 else pa.concat_batches(parts)

    def encoded(self, positions: Positions) -> list[memoryview]:
        """The ready GeoJSON features at these positions; views of the mapped file."""
        out: list[memoryview] = []
        for number, local in split(positions):
            offsets, text = self._batch(number).text
            starts, ends = offsets[local].tolist(), offsets[local + 1].tolist()
            out += [text[start:end] for start, end in zip(starts, ends, strict=True)]
        return out

    def touching(self, positions: Positions, boxes: Boxes) -> NDArray[np.int8]:
        """How the shapes at these positions lie to boxes in degrees, in the words of `kernels.touching`."""
        from twintown.kernels.touching import touching

        out, at = np.empty(len(positions), np.int8), 0
        for number, local in split(positions):
            offsets, data = self._batch(number).shapes
            touching(data, offsets, local, boxes, out[at : at + len(local)])
            at += len(local)
        return out

    def lonlat(self, positions: Positions) -> NDArray[np.object_]:
        """The shapes at these positions in CRS84, None where there is none."""
        wkb = self.take(positions, (LONLAT,)).column(0)
        return np.asarray(shapely.from_wkb(wkb.to_numpy(zero_copy_only=False)), object)

    def places(self, positions: Positions) -> NDArray[np.object_]:
        """The same for a question of place: points are made from their boxes, in a third of the time."""
        if self.kinds == {"Point"}:
            boxes = self.tree.boxes[positions]
            if bool((boxes[:, :2] == boxes[:, 2:]).all()):
                return np.asarray(shapely.points(boxes[:, :2]), object)
        return self.lonlat(positions)

    def _batch(self, number: int) -> _Batch:
        found = self._batches[number]
        if found is None:
            with self._turn:  # Arrow's reader does not promise to serve two threads at once
                found = self._batches[number] = _Batch(self._load(number))
        return found


class _Batch:
    """A batch and its buffers: ready features (offsets, text) and shapes in CRS84 (offsets, bytes)."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        self.batch = batch
        offsets, data = _buffers(batch, FEATURE, np.int64)
        self.text = (offsets, memoryview(data if data is not None else b""))
        offsets, data = _buffers(batch, LONLAT, np.int32)
        self.shapes = (offsets, np.frombuffer(data, np.uint8) if data else np.empty(0, np.uint8))


def _buffers(batch: pa.RecordBatch, name: str, kind: type) -> tuple[NDArray[Any], Any]:
    column = batch.column(batch.schema.get_field_index(name))
    _, offsets, data = column.buffers()
    return np.frombuffer(offsets, kind)[column.offset : column.offset + len(column) + 1], data


def split(positions: Positions) -> Iterator[tuple[int, Positions]]:
    """Runs of positions that lie in one batch: its number, and the rows within it."""
    if not len(positions):
        return
    numbers = positions // BATCH
    if numbers[0] == numbers[-1] and (len(numbers) < 3 or bool((numbers == numbers[0]).all())):
        yield int(numbers[0]), positions - numbers[0] * BATCH
        return
    edges = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(positions)]
    for start, end in zip(edges[:-1], edges[1:], strict=True):
        number = int(numbers[start])
        yield number, positions[start:end] - number * BATCH


def inner(table: pa.Table, like: pa.Schema | None = None) -> pa.Table:
    """`id`, own columns, `geometry`, with plain types; as in `like` (of a segment) where that is given."""
    if like is not None:
        fields = [one for one in like if one.name not in (LONLAT, FEATURE)]
    else:
        own = [pa.field(one.name, plain(one.type)) for one in table.schema if one.name not in (ID, GEOMETRY)]
        fields = [pa.field(ID, pa.string()), *own, pa.field(GEOMETRY, pa.binary())]
    there = set(table.schema.names)
    arrays = [
        table.column(one.name).cast(one.type) if one.name in there else pa.nulls(table.num_rows, one.type)
        for one in fields
    ]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def plain(kind: pa.DataType) -> pa.DataType:
    """The type without a dictionary or an extension around it."""
    while pa.types.is_dictionary(kind) or isinstance(kind, pa.BaseExtensionType):
        kind = kind.value_type if pa.types.is_dictionary(kind) else kind.storage_type
    return kind


def rebatched(batches: Iterable[pa.RecordBatch], size: int = BATCH) -> Iterator[pa.RecordBatch]:
    """The same rows in batches of exactly `size`, but the last."""
    kept: list[pa.RecordBatch] = []
    have = 0
    for batch in batches:
        while batch.num_rows:
            part = batch.slice(0, size - have)
            batch = batch.slice(part.num_rows)
            kept.append(part)
            have += part.num_rows
            if have == size:
                yield kept[0] if len(kept) == 1 else pa.concat_batches(kept)
                kept, have = [], 0
    if have:
        yield kept[0] if len(kept) == 1 else pa.concat_batches(kept)


def texts(values: Any) -> pa.Array:
    """A column as plain texts."""
    return values.cast(plain(values.type)).cast(pa.string())
