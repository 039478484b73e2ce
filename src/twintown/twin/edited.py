"""The rows of a layer with what was written to it: the version's own, then the edits in pieces of equal length.

Every piece holds the features that its edits left, in the order of writing; those that a later edit speaks of are dropped
from it. So a position means the same in every process that reads the same revision, and a write makes only the last piece anew.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pyarrow as pa

from twintown.ground.errors import BadData, Gone
from twintown.ground.frames import Frame
from twintown.index.rows import FEATURE, GEOMETRY, ID, LONLAT, Rows
from twintown.index.view import Segment
from twintown.store.journal import Edit, Journal
from twintown.store.tables import Tables

if TYPE_CHECKING:
    from .versions import LayerVersion

#: Edits in a piece. The number is part of what a position means: change it only together with the tables.
PIECE = 256
#: Layers whose pieces are kept in memory.
KEPT = 32


class Edited:
    """What was written to the layers of a twin since their versions were made; readers ask it through `Twin.view`."""

    def __init__(self, tables: Tables, frame: Frame) -> None:
        self._journal = Journal(tables.engine, tables.twin)
        self._frame = frame
        self._pieces: OrderedDict[tuple[str, str], _Pieces] = OrderedDict()
        self._lock = Lock()

    def revision(self, layer: str, version: str) -> int:
        """The last edit of a version, 0 where it was never edited."""
        return self._journal.revision(layer, version)

    def segments(self, version: LayerVersion, revision: int, base: Rows) -> tuple[Segment, ...]:
        """The rows of a version as they were after an edit.

        Raises Gone: that edit is not kept, or never was.
        """
        key = (version.layer, version.version)
        with self._lock:
            pieces = self._pieces.pop(key, None) or _Pieces(base)
            if pieces.revision <= revision:
                self._grow(pieces, version, revision)
                self._pieces[key] = pieces
                while len(self._pieces) > KEPT:
                    self._pieces.popitem(last=False)
                return pieces.segments(self._frame)
            self._pieces[key] = pieces
        older = _Pieces(base)  # a cursor from before the last write
        self._grow(older, version, revision)
        return older.segments(self._frame)

    def _grow(self, pieces: _Pieces, version: LayerVersion, revision: int) -> None:
        edits = self._journal.between(version.layer, version.version, pieces.revision, revision)
        if len(edits) != revision - pieces.revision:
            raise Gone(
                "these edits are not kept", f"{version.layer} {version.version}.{revision}", "begin again"
            )
        for edit in edits:
            pieces.add(edit, self._frame)


@dataclass
class _Pieces:
    """The edits of one version up to a revision. An id stands at most once in a piece.

    Args:
        base: the version's own rows.
        whole: the pieces that are full.
        last: the edits of the piece that is not, those that left a feature, by feature.
        at: where the newest row of each feature that was edited is: number of the segment and position (in `whole`
            only); None where it was removed.
        dropped: positions that count no more, by segment.
    """

    base: Rows
    revision: int = 0
    whole: list[Rows] = field(default_factory=list)
    last: dict[str, Edit] = field(default_factory=dict)
    at: dict[str, tuple[int, int] | None] = field(default_factory=dict)
    dropped: list[list[int]] = field(default_factory=lambda: [[]])

    def add(self, edit: Edit, frame: Frame) -> None:
        """One more edit."""
        if edit.feature not in self.at:
            position = self.base.position(edit.feature)
            self.at[edit.feature] = (0, position) if position >= 0 else None
        before = self.at[edit.feature]
        if before is not None:
            self.dropped[before[0]].append(before[1])
        self.at[edit.feature] = None
        self.last.pop(edit.feature, None)
        if edit.properties is not None:
            self.last[edit.feature] = edit
        self.revision += 1
        if self.revision % PIECE == 0:
            self.whole.append(self._rows(frame))
            self.at.update({name: (len(self.whole), position) for position, name in enumerate(self.last)})
            self.dropped.append([])
            self.last = {}

    def segments(self, frame: Frame) -> tuple[Segment, ...]:
        """What a view is made of."""
        made = [
            Segment(one, np.sort(np.array(dropped, np.int64)) if dropped else None)
            for one, dropped in zip((self.base, *self.whole), self.dropped, strict=True)
            if one is self.base or one.count
        ]
        return (*made, Segment(self._rows(frame))) if self.last else tuple(made)

    def _rows(self, frame: Frame) -> Rows:
        return Rows.of_table(table_of(list(self.last.values()), inner(self.base.schema)), frame)


def inner(schema: pa.Schema) -> pa.Schema:
    """Of a segment's columns `id`, the layer's own and `geometry`."""
    return pa.schema([field for field in schema if field.name not in (LONLAT, FEATURE)])


def table_of(edits: Sequence[Edit], schema: pa.Schema) -> pa.Table:
    """Edits of features that are there as rows of this schema. Raises BadData: a value that its column does not take."""
    values = [orjson.loads(edit.properties or b"{}") for edit in edits]
    arrays = []
    for column in schema:
        if column.name == ID:
            arrays.append(pa.array([edit.feature for edit in edits], column.type))
        elif column.name == GEOMETRY:
            arrays.append(pa.array([edit.geometry for edit in edits], column.type))
        else:
            arrays.append(_column([value.get(column.name) for value in values], column))
    return pa.Table.from_arrays(arrays, schema=schema)


def _column(values: list[Any], column: pa.Field) -> pa.Array:
    kind = column.type
    try:
        if pa.types.is_timestamp(kind):
            times = [None if one is None else datetime.fromisoformat(one) for one in values]
            if kind.tz is None:
                times = [None if one is None else one.replace(tzinfo=None) for one in times]
            return pa.array(times, pa.timestamp("us", kind.tz)).cast(kind, safe=False)
        if pa.types.is_date(kind):
            return pa.array([None if one is None else date.fromisoformat(one[:10]) for one in values], kind)
        return pa.array(values, kind)
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        line = str(error).splitlines()[0]
        raise BadData(f"the column {column.name!r} does not take the value ({line})", column.name) from error
