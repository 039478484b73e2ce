"""One caller's sight of one version of one layer: what a Grant lets out of its rows, and nothing else.

Whoever reads rows reads them here. Positions count through the segments: first the version's own rows, then those that were
edited since; a position keeps its meaning as long as the `token` is the same.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np
import orjson
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from twintown.ground.columns import Column as Column
from twintown.ground.errors import BadParameter, NotFound
from twintown.ground.frames import Frame
from twintown.index.ask import Ask, touching
from twintown.index.encode import features
from twintown.index.rows import BATCH, GEOMETRY, ID, LONLAT, Rows, rebatched
from twintown.index.tree import Positions
from twintown.query.query import Expression, LonLat, Query
from twintown.trust.grades import Grade
from twintown.trust.policy import Grant

#: A count that needs a look at each row is made for layers of so many rows, or so many candidates; else there is none.
FULL, FEW = 1_000_000, 200_000
#: Answers to queries that need a look at each row, kept for the next page: positions altogether.
KEPT = 4_000_000
EVERYTHING = Query()


@dataclass(frozen=True)
class Page:
    """Some rows of a query, in the order of the layer.

    Args:
        positions: int64[k].
        matched: how many rows match in all; None where counting them costs too much.
        next: the position of the next row that matches; None where there is none.
    """

    positions: Positions
    matched: int | None
    next: int | None


@dataclass(frozen=True)
class Segment:
    """Rows of a view; those at the `dropped` positions (sorted) are replaced by a later segment, or deleted."""

    rows: Rows
    dropped: Positions | None = None


class View:
    """See the module.

    Args:
        layer, version, grade: which.
        token: what a cursor remembers: the version, and the revision of its edits (`<version>.<revision>`).
        frame: of `geometry`.
        columns: of the layer, in order.
        time: the columns that say when a row is: none, an instant, or begin and end.
        segments: the rows.
        grant: whose conditions hold here.
        place: False for a layer without geometries, where an area asks nothing.
        geometry: the type that is declared, for a layer in which nothing is drawn yet.

    Raises:
        Unauthenticated, Denied: the Grant does not cover the grade.
    """

    def __init__(
        self, *, layer: str, version: str, token: str, grade: Grade, frame: Frame, columns: Sequence[Column],
        time: Sequence[str], segments: Sequence[Segment], grant: Grant, place: bool = True, geometry: str = "",
    ) -> None:  # fmt: skip
        grant.require(grade, layer)
        self.layer = layer
        self.version = version
        self.token = token
        self.grade = grade
        self.frame = frame
        granted = None if grant.columns is None else set(grant.columns)
        self.columns = tuple(c for c in columns if granted is None or c.name in granted)
        self.time = tuple(time) if all(name in self._names for name in time) else ()
        self._segments = tuple(segments)
        self._narrowed = granted is not None
        self._condition = _parsed(grant.filter)
        self._area = grant.area if place else None
        self._declared = geometry
        self._starts = np.cumsum([0, *(one.rows.count for one in segments)]).tolist()
        self._plain = len(segments) == 1 and segments[0].dropped is None
        self._rows = segments[0].rows
        self._count: int | None = None
        self._kept: OrderedDict[bytes, Positions] = OrderedDict()
        self._lock = Lock()

    # -- what it is ---------------------------------------------------------------------------------------

    @property
    def _names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def count(self) -> int:
        """How many rows there are for this caller; looked at one by one where the Grant has a condition, once."""
        if self._count is None:
            if self._condition is None and self._area is None:
                self._count = sum(
                    one.rows.count - (0 if one.dropped is None else len(one.dropped))
                    for one in self._segments
                )
            else:
                self._count = sum(len(found) for _, found in self._found(self._ask(EVERYTHING), 0, BATCH))
        return self._count

    @property
    def geometry(self) -> str:
        """`Point`, `LineString` or `Polygon` (each also for its `Multi…`), `GeometryCollection` for several, or empty."""
        kinds = frozenset().union(*(one.rows.kinds for one in self._segments))
        return self._declared if not kinds else next(iter(kinds)) if len(kinds) == 1 else "GeometryCollection"

    @property
    def bbox(self) -> LonLat | None:
        """A box around all rows that the caller may see, degrees; none where nothing has a place."""
        boxes = [box for one in self._segments if (box := one.rows.tree.bounds) is not None]
        if not boxes:
            return None
        sides = np.array(boxes)
        low, high = sides[:, :2].min(axis=0), sides[:, 2:].max(axis=0)
        if self._area is not None:
            area = np.array(self.frame.lonlat_bounds(self._area).as_tuple())
            low, high = np.clip(low, area[:2], area[2:]), np.clip(high, area[:2], area[2:])
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])

    # -- asking -------------------------------------------------------------------------------------------

    def page(self, query: Query, limit: int, after: int = 0, count: bool = True) -> Page:
        """At most `limit` rows of a query from position `after` on.

        Raises:
            BadParameter: the filter names a column that is not there for this caller.
        """
        ask = self._ask(query)
        if self._plain and ask.boxes is None and ask.simple:
            end = min(max(after, 0) + limit, self._rows.count)
            return Page(
                np.arange(min(max(after, 0), end), end), self.count, end if end < self._rows.count else None
            )
        if not ask.simple and (count or self._remembers(query)) and self._affordable(ask):
            every = self._every(ask, query)
            start = int(np.searchsorted(every, after))
            following = int(every[start + limit]) if start + limit < len(every) else None
            return Page(every[start : start + limit], len(every), following)
        parts: list[Positions] = []
        have = 0
        for offset, found in self._found(ask, after, limit + 1):
            parts.append(found + offset if offset else found)
            have += len(found)
            if have > limit:
                break
        positions = parts[0] if len(parts) == 1 else np.concatenate(parts) if parts else np.empty(0, np.int64)
        following = int(positions[limit]) if have > limit else None
        matched = None
        if count and following is None and after <= 0:
            matched = have
        elif count and ask.simple:
            matched = self._counted(ask)
        return Page(positions[:limit], matched, following)

    def positions(self, query: Query = EVERYTHING) -> Positions:
        """The positions of all rows of a query, int64[k] in order. Raises BadParameter: as `page`."""
        return self._all(self._ask(query))

    def position(self, id: str) -> int:
        """The position of a row. Raises NotFound: there is none with this id, or none that the caller may see."""
        for offset, one in zip(reversed(self._starts[:-1]), reversed(self._segments), strict=True):
            at = one.rows.position(id)
            if at >= 0 and not _among(one.dropped, np.array([at]))[0]:
                if len(self._ask(EVERYTHING).keeps(one.rows, (np.array([at]), None))):
                    return int(at + offset)
                break
        raise NotFound(f"there is no {id[:80]!r} in {self.layer}", remedy="see its items for the ids")

    # -- reading ------------------------------------------------------------------------------------------

    def encoded(self, positions: Positions, columns: Sequence[str] | None = None) -> list[memoryview]:
        """The rows at these positions as GeoJSON features in CRS84, 8 decimals; ready-made unless columns are chosen.

        Raises BadParameter: a column that is not there for this caller.
        """
        if columns is None and not self._narrowed:
            if self._plain:
                return self._rows.encoded(positions)
            return [text for rows, _, local in self._parts(positions) for text in rows.encoded(local)]
        names = self._chosen(columns)
        out: list[memoryview] = []
        for rows, _, local in self._parts(positions):
            batch = rows.take(local, (ID, *names))
            own = {name: batch.column(1 + i) for i, name in enumerate(names)}
            made = features(batch.column(0), rows.lonlat(local), own)
            _, offsets, data = made.buffers()
            ends, text = np.frombuffer(offsets, np.int64)[: len(made) + 1].tolist(), memoryview(data)
            out += [text[start:end] for start, end in zip(ends[:-1], ends[1:], strict=True)]
        return out

    def take(
        self, positions: Positions, columns: Sequence[str] | None = None, geometry: bool = True, lonlat: bool = False
    ) -> pa.RecordBatch:  # fmt: skip
        """The rows at these positions, in that order: `id`, columns, `geometry` (WKB, frame), `lonlat` (WKB, CRS84, 2D).

        Raises BadParameter: a column that is not there for this caller.
        """
        names = self._chosen(columns)
        reads = [ID, *names, *([GEOMETRY] if geometry else []), *([LONLAT] if lonlat else [])]
        said = [*reads[:-1], "lonlat"] if lonlat else reads
        parts = [rows.take(local, reads) for rows, _, local in self._parts(positions)]
        if not parts:
            parts = [self._rows.take(positions, reads)]
        batch = parts[0] if len(parts) == 1 else pa.concat_batches(parts)
        return batch.rename_columns(said)

    def batches(
        self, query: Query = EVERYTHING, columns: Sequence[str] | None = None, lonlat: bool = False, size: int = BATCH
    ) -> Iterator[pa.RecordBatch]:  # fmt: skip
        """All rows of a query in order, as `take` gives them, in batches of `size`; memory is bounded by one of them.

        Raises BadParameter: as `page` and `take`.
        """
        ask, names = self._ask(query), self._chosen(columns)  # what is wrong is said before anything is sent
        return self._stream(ask, names, lonlat, size)

    def _stream(self, ask: Ask, names: Sequence[str], lonlat: bool, size: int) -> Iterator[pa.RecordBatch]:
        def parts() -> Iterator[pa.RecordBatch]:
            for offset, found in self._found(ask, 0, size):
                yield self.take(found + offset, names, lonlat=lonlat)

        return rebatched(parts(), size)

    def lonlat(self, positions: Positions) -> NDArray[np.object_]:
        """The shapes at these positions in CRS84, None where there is none: shapely geometries."""
        wkb = self.take(positions, (), geometry=False, lonlat=True).column(1)
        return np.asarray(shapely.from_wkb(wkb.to_numpy(zero_copy_only=False)), object)

    # -- inside -------------------------------------------------------------------------------------------

    def _ask(self, query: Query) -> Ask:
        boxes = np.array(query.boxes, float) if query.boxes else None
        if (
            query.where is None
            and self._condition is None
            and self._area is None
            and query.during is None
            and query.ids is None
        ):
            return Ask(boxes)
        plain: list[Expression] = []
        spatial: list[Expression] = []
        reads: set[str] = set()
        narrow = []
        for number, where in enumerate((query.where, self._condition)):
            if where is None:
                continue
            from twintown.query.cql2 import properties
            from twintown.query.evaluate import boxes as boxes_of

            near = boxes_of(where)
            if near is not None:
                narrow.append(np.array(near, float).reshape(-1, 4))
            for one in _together(where):
                names = properties(one)
                if number == 0:
                    self._check(names)
                (spatial if GEOMETRY in names else plain).append(one)
                reads |= names - {GEOMETRY}
        if self._area is not None:
            narrow.append(np.array([self.frame.lonlat_bounds(self._area.buffer(1.0)).as_tuple()]))
        return Ask(
            boxes, tuple(plain), tuple(spatial), (ID, *sorted(reads - {ID})), tuple(narrow),
            query.during if self.time else None, self.time, self._area, query.ids,
        )  # fmt: skip

    def _check(self, names: frozenset[str]) -> None:
        known = {ID, GEOMETRY, *self._names}
        if strange := sorted(names - known):
            raise BadParameter(
                "filter", f"{self.layer} has no property {strange[0][:80]!r}",
                remedy=f"its properties are {', '.join(sorted(known))}",
            )  # fmt: skip

    def _chosen(self, columns: Sequence[str] | None) -> tuple[str, ...]:
        if columns is None:
            return self._names
        known = self._names
        for name in columns:
            if name not in known:
                raise BadParameter(
                    "properties", f"{self.layer} has no property {name[:80]!r}", remedy=f"its properties are {', '.join(known)}"
                )  # fmt: skip
        return tuple(dict.fromkeys(columns))

    def _parts(self, positions: Positions) -> Iterator[tuple[Rows, int, Positions]]:
        """Runs of positions in one segment: its rows, where it starts, and the positions within it."""
        if self._plain:
            yield self._rows, 0, positions
            return
        numbers = np.searchsorted(self._starts[1:], positions, "right")
        edges = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(positions)]
        for start, end in zip(edges[:-1], edges[1:], strict=True):
            if start < end:
                number = int(numbers[start])
                offset = self._starts[number]
                yield self._segments[number].rows, offset, positions[start:end] - offset

    def _found(self, ask: Ask, after: int, need: int) -> Iterator[tuple[int, Positions]]:
        """What matches from `after` on: where the segment starts, and the positions within it, in blocks."""
        for offset, one in zip(self._starts[:-1], self._segments, strict=True):
            if after >= offset + one.rows.count:
                continue
            for positions, inside in ask.blocks(one.rows, max(after - offset, 0), need):
                if one.dropped is not None:
                    stays = ~_among(one.dropped, positions)
                    positions, inside = positions[stays], None if inside is None else inside[stays]
                found = ask.keeps(one.rows, (positions, inside))
                if len(found):
                    yield offset, found

    def _all(self, ask: Ask) -> Positions:
        parts = [found + offset for offset, found in self._found(ask, 0, BATCH)]
        return np.concatenate(parts) if parts else np.empty(0, np.int64)

    def _counted(self, ask: Ask) -> int | None:
        """How many rows meet the asked boxes: whole nodes of the tree, and those on the rim one by one."""
        if ask.boxes is None:
            return self.count
        total = 0
        for one in self._segments:
            sure, rim = one.rows.tree.count(ask.boxes)
            if rim is None:
                return None
            if one.dropped is not None:
                total -= int((one.rows.tree.relation(one.dropped, ask.boxes) == 2).sum())
                rim = rim[~_among(one.dropped, rim)]
            total += sure + (int(touching(one.rows, rim, ask.boxes).sum()) if len(rim) else 0)
        return total

    def _affordable(self, ask: Ask) -> bool:
        rows = sum(one.rows.count for one in self._segments)
        return rows <= FULL or sum(ask.most(one.rows) for one in self._segments) <= FEW

    def _every(self, ask: Ask, query: Query) -> Positions:
        """All positions that match, kept for the next page."""
        key = _key(query)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        every = self._all(ask)
        with self._lock:
            self._kept[key] = every
            while len(self._kept) > 1 and sum(map(len, self._kept.values())) > KEPT:
                self._kept.popitem(last=False)
            while len(self._kept) > 64:
                self._kept.popitem(last=False)
        return every

    def _remembers(self, query: Query) -> bool:
        with self._lock:
            return bool(self._kept) and _key(query) in self._kept


def _among(dropped: Positions | None, positions: Positions) -> NDArray[np.bool_]:
    if dropped is None or not len(dropped):
        return np.zeros(len(positions), bool)
    at = np.minimum(np.searchsorted(dropped, positions), len(dropped) - 1)
    return np.asarray(dropped[at] == positions, bool)


def _together(where: Expression) -> Iterator[Expression]:
    """The conditions that all must hold for the expression to be true."""
    if where.get("op") == "and":
        for one in where["args"]:
            if isinstance(one, Mapping):
                yield from _together(one)
            else:
                yield {"op": "and", "args": [one, one]}
    else:
        yield where


def _key(query: Query) -> bytes:
    return orjson.dumps(
        [query.boxes, query.where, query.during, query.ids], default=repr, option=orjson.OPT_SERIALIZE_NUMPY
    )


def _parsed(text: str) -> Expression | None:
    if not text:
        return None
    from twintown.query.cql2 import parse_text

    return parse_text(text)
