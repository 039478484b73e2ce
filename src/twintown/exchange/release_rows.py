"""Releases as rows: what was asked of the gate and decided, kept with its ledger entry in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, insert, select, update

from twintown.ground.errors import Conflict, NotFound
from twintown.ground.provenance import digest_of
from twintown.store.engine import reading, writing
from twintown.store.schema_shared import releases
from twintown.store.tables import Tables, new_version
from twintown.trust.ledger import record_in
from twintown.trust.terms import Asset, terms_from_json, terms_to_json

from .findings import Finding
from .release import Release, Remedy


class Releases:
    """The questions to the gate of one twin, and their answers."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.engine = tables.engine
        self.twin = tables.twin

    def get(self, id: str) -> Release:
        """One release. Raises NotFound."""
        with reading(self.engine) as connection:
            return self.get_in(connection, id)

    def get_in(self, connection: Connection, id: str) -> Release:
        """The same within a transaction of the caller's."""
        row = connection.execute(select(releases).where(self._mine(id))).first()
        if row is None:
            raise NotFound(f"there is no release {id[:48]!r}", self.twin, "GET …/releases lists them")
        return _release(row)

    def listed(
        self, asset: str = "", audience: str = "", state: str = "", limit: int = 1000
    ) -> list[Release]:
        """Releases, last asked first."""
        query = select(releases).where(releases.c.twin == self.twin)
        for column, value in (
            (releases.c.asset, asset),
            (releases.c.audience, audience),
            (releases.c.state, state),
        ):
            query = query.where(column == value) if value else query
        query = query.order_by(releases.c.created.desc(), releases.c.id.desc()).limit(limit)
        with reading(self.engine) as connection:
            return [_release(row) for row in connection.execute(query)]

    def add(self, release: Release) -> Release:
        """Keep an answer; the same matter, if it stands already and was not denied, is given back instead of a second one.

        Raises:
            StorageFailed: it could not be kept.
        """
        with writing(self.engine, fresh=True) as connection:
            query = select(releases).where(
                releases.c.twin == self.twin, releases.c.asset == str(release.asset),
                releases.c.version == release.version, releases.c.audience == release.audience,
                releases.c.state != "denied",
            )  # fmt: skip
            for row in connection.execute(query.order_by(releases.c.created.desc())):
                known = _release(row)
                if known.mark == release.mark:
                    return known
            kept = replace(release, id=f"rel-{new_version(release.created).lower()}")
            connection.execute(insert(releases).values(twin=self.twin, **_values(kept)))
            if kept.state != "waiting":
                record_in(connection, self.tables, "release", record_of(kept), kept.created)
        return kept

    def change_in(self, connection: Connection, release: Release, was: str) -> None:
        """Write a decision, or a result, over a release that is still in the state `was`. Raises Conflict."""
        chosen = and_(self._mine(release.id), releases.c.state == was)
        if connection.execute(update(releases).where(chosen).values(**_values(release))).rowcount != 1:
            raise Conflict("somebody has decided meanwhile", release.id, "read it again")

    def _mine(self, id: str) -> Any:
        return and_(releases.c.twin == self.twin, releases.c.id == id)


def record_of(release: Release) -> Mapping[str, Any]:
    """What the ledger holds of a release: ids, digests and officers' names; never what is in the layer."""
    return {
        "release": release.id, "asset": str(release.asset), "version": release.version, "audience": release.audience,
        "terms": digest_of(terms_to_json(release.terms)), "findings": digest_of([one.to_dict() for one in release.findings]),
        "verdict": release.verdict, "state": release.state, "result": release.result,
        "decision": dict(release.decision) if release.decision else None,
    }  # fmt: skip


def _values(release: Release) -> dict[str, Any]:
    return {
        "id": release.id, "asset": str(release.asset), "version": release.version, "audience": release.audience,
        "terms": terms_to_json(release.terms), "findings": [one.to_dict() for one in release.findings],
        "remedies": [one.to_dict() for one in release.remedies], "state": release.state,
        "decision": dict(release.decision) if release.decision else None, "result": release.result,
        "author": dict(release.author), "created": release.created, "updated": release.updated,
    }  # fmt: skip


def _release(row: Row[Any]) -> Release:
    return Release(
        row.id, Asset.of(row.asset), row.version, row.audience, terms_from_json(row.terms),
        tuple(Finding.from_dict(one) for one in row.findings), row.author, _utc(row.created), _utc(row.updated),
        tuple(Remedy.from_dict(one) for one in row.remedies), row.state, row.decision, row.result,
    )  # fmt: skip


def _utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
