"""What was written to the rows of layers, in order: a write is one transaction, and whoever is told so can rely on it.

An edit belongs to the version (`base`) that it was made on. The rows of a layer are those of its version, less the features
that the journal speaks of, and then the last that it says of each. Versions end (a rebuild, a compaction); their edits stay
as long as they do, so that a cursor which names a version and a number of edits finds both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, and_, func, insert, select

from twintown.ground.errors import Conflict
from twintown.store.engine import reading, writing
from twintown.store.schema import feature_edits, layer_versions

#: Ids in one question: SQLite takes some thousand parameters.
_CHUNK = 500


@dataclass(frozen=True)
class Edit:
    """The state of one feature after a write.

    Args:
        feature: its id.
        properties: JSON text by column; None where the feature was removed.
        geometry: WKB in the twin's frame, None where it has no place.
        seq: counts the edits of a version from 1; 0 before it is written.
    """

    feature: str
    properties: str | None
    geometry: bytes | None
    seq: int = 0


class Moved(Conflict):
    """Another version of the layer is current by now; read again, then write."""


class Journal:
    """The edits of the layers of one twin."""

    def __init__(self, engine: Engine, twin: str) -> None:
        self.engine = engine
        self.twin = twin

    def revisions(self) -> dict[str, int]:
        """How many edits each layer's current version has, by layer; those without are absent."""
        current = and_(
            layer_versions.c.twin == feature_edits.c.twin, layer_versions.c.layer == feature_edits.c.layer,
            layer_versions.c.version == feature_edits.c.base, layer_versions.c.state == "current",
        )  # fmt: skip
        query = (
            select(feature_edits.c.layer, func.max(feature_edits.c.seq))
            .join(layer_versions, current)
            .where(feature_edits.c.twin == self.twin)
            .group_by(feature_edits.c.layer)
        )
        with reading(self.engine) as connection:
            return {layer: int(seq) for layer, seq in connection.execute(query)}

    def revision(self, layer: str, base: str) -> int:
        """How many edits a version has."""
        with reading(self.engine) as connection:
            return _revision(connection, self._mine(layer, base))

    def edits(self, layer: str, base: str, upto: int | None = None) -> list[Edit]:
        """The last edit of each feature that was edited, as of edit `upto` (all by default), in the order of writing."""
        mine = self._mine(layer, base)
        if upto is not None:
            mine = and_(mine, feature_edits.c.seq <= upto)
        with reading(self.engine) as connection:
            return [_edit(row) for row in connection.execute(_last(mine))]

    def between(self, layer: str, base: str, after: int, upto: int) -> list[Edit]:
        """Every edit after edit `after` up to edit `upto`, in order."""
        mine = and_(self._mine(layer, base), feature_edits.c.seq > after, feature_edits.c.seq <= upto)
        query = select(feature_edits).where(mine).order_by(feature_edits.c.seq)
        with reading(self.engine) as connection:
            return [_edit(row) for row in connection.execute(query)]

    def times(self, layer: str, base: str) -> tuple[datetime, datetime] | None:
        """When the first and the last edit of a version were made (UTC); None without any."""
        query = select(func.min(feature_edits.c.at), func.max(feature_edits.c.at))
        with reading(self.engine) as connection:
            first, last = connection.execute(query.where(self._mine(layer, base))).one()
        return None if first is None else (_utc(first), _utc(last))

    @contextmanager
    def writing(self, layer: str, base: str) -> Iterator[Writing]:
        """One transaction on a layer; no other one writes to it meanwhile, and it lasts when the block ends without an error.

        Raises:
            Moved: `base` is not the layer's current version any more.
            StorageFailed: the database could not keep it; then nothing was written.
        """
        # READ COMMITTED: after the wait for another writer, PostgreSQL must see what that one wrote
        with writing(self.engine, fresh=True) as connection:
            version = connection.execute(
                select(layer_versions.c.version)
                .where(
                    layer_versions.c.twin == self.twin,
                    layer_versions.c.layer == layer,
                    layer_versions.c.state == "current",
                )
                .with_for_update()
            ).scalar()
            if version != base:
                raise Moved(f"{layer} has another version by now", self.twin, "read it again, then write")
            yield Writing(connection, self.twin, layer, base, _revision(connection, self._mine(layer, base)))

    def _mine(self, layer: str, base: str) -> Any:
        return and_(
            feature_edits.c.twin == self.twin, feature_edits.c.layer == layer, feature_edits.c.base == base
        )


@dataclass
class Writing:
    """A transaction on one layer; `revision` grows with what is added."""

    connection: Connection
    twin: str
    layer: str
    base: str
    revision: int

    def last(self, features: Iterable[str]) -> Mapping[str, Edit]:
        """The last edit of these features, by id; those that nobody edited are absent."""
        wanted = list(dict.fromkeys(features))
        found: dict[str, Edit] = {}
        mine = and_(
            feature_edits.c.twin == self.twin, feature_edits.c.layer == self.layer, feature_edits.c.base == self.base
        )  # fmt: skip
        for start in range(0, len(wanted), _CHUNK):
            some = and_(mine, feature_edits.c.feature.in_(wanted[start : start + _CHUNK]))
            found.update({row.feature: _edit(row) for row in self.connection.execute(_last(some))})
        return found

    def since(self, seq: int) -> list[Edit]:
        """Every edit after edit `seq`, in order."""
        query = select(feature_edits).where(
            feature_edits.c.twin == self.twin, feature_edits.c.layer == self.layer,
            feature_edits.c.base == self.base, feature_edits.c.seq > seq,
        )  # fmt: skip
        return [_edit(row) for row in self.connection.execute(query.order_by(feature_edits.c.seq))]

    def add(self, edits: Sequence[Edit], author: str, base: str = "") -> None:
        """Write edits after those that are there, or as the first ones of another version `base`."""
        if not edits:
            return
        start = 0 if base else self.revision
        now = datetime.now(UTC)
        rows = [
            {
                "twin": self.twin, "layer": self.layer, "base": base or self.base, "seq": start + number,
                "feature": edit.feature, "properties": edit.properties, "geometry": edit.geometry, "at": now,
                "author": author,
            }
            for number, edit in enumerate(edits, 1)
        ]  # fmt: skip
        self.connection.execute(insert(feature_edits), rows)
        if not base:
            self.revision += len(edits)


def _revision(connection: Connection, mine: Any) -> int:
    return int(connection.execute(select(func.max(feature_edits.c.seq)).where(mine)).scalar() or 0)


def _last(mine: Any) -> Select[Any]:
    newest = select(func.max(feature_edits.c.seq)).where(mine).group_by(feature_edits.c.feature)
    return select(feature_edits).where(mine, feature_edits.c.seq.in_(newest)).order_by(feature_edits.c.seq)


def _edit(row: Row[Any]) -> Edit:
    geometry = None if row.geometry is None else bytes(row.geometry)
    return Edit(row.feature, row.properties, geometry, row.seq)


def _utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
