"""Whom tokens of a twin's database speak for now: services, and other cities by their agreements as these stand at this moment.

Read again whenever anything was committed to the database (`store.watch`, microseconds where nothing was), so that a token that
is revoked and an agreement that is suspended count from the next question on, in every process of every server.
"""

from __future__ import annotations

import os
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

import numpy as np
from sqlalchemy import select

from twintown.ground.bounds import Bounds
from twintown.ground.errors import BadInput, TwintownError, Unauthenticated
from twintown.ground.frames import Frame
from twintown.store.engine import reading
from twintown.store.schema_shared import agreements, tokens
from twintown.store.tables import Tables
from twintown.store.watch import Watch
from twintown.trust.cloud import sendable
from twintown.trust.grant import Grant
from twintown.trust.identity import Subject
from twintown.trust.peers import FILE, peers_of
from twintown.trust.terms import Standing, terms_from_json

PURPOSE = "purpose:"
#: How far around a twin its agreements reach, degrees; an area that is larger is cut there.
_AROUND = 2.0
#: Metres by which a box in the plane is smaller than what was agreed, so that nothing outside leaves by rounding.
_LESS = 0.05


class Hosting(Protocol):
    """What is asked of a twin."""

    @property
    def directory(self) -> Path: ...
    @property
    def description(self) -> Any: ...
    @property
    def tables(self) -> Tables: ...
    @property
    def watch(self) -> Watch: ...


@dataclass(frozen=True)
class _Token:
    kind: str
    name: str
    scopes: tuple[str, ...]
    agreement: str
    expires: datetime
    revoked: bool


@dataclass(frozen=True)
class _Seen:
    look: Hashable = None
    tokens: Mapping[bytes, _Token] | None = None
    standings: Mapping[str, Standing] | None = None
    grants: dict[Hashable, Grant] = field(default_factory=dict)


class Standings:
    """The tokens and agreements of one twin; any thread may ask."""

    def __init__(self, twin: Hosting) -> None:
        self._twin = twin
        self._peers = str(twin.directory / FILE)
        self._lock = Lock()
        self._seen = _Seen()

    def find(self, token: bytes) -> Subject | None:
        """Whose token has this digest (SHA-256); None for nobody's.

        A token that was taken back with its agreement still says whose it is: the agreement's state is the better answer.

        Raises:
            Unauthenticated: it has expired or was taken back.
            StorageFailed: the database is away.
        """
        known = self._now()
        found = (known.tokens or {}).get(token)
        if found is None:
            return None
        twin = self._twin.tables.twin
        if found.kind != "agreement":
            if found.revoked or datetime.now(UTC) >= found.expires:
                raise _dead(twin, found.revoked)
            return Subject("service", twin, found.name, (), "", found.scopes)
        standing = (known.standings or {}).get(found.agreement)
        if standing is None or (
            standing.state == "active" and (found.revoked or datetime.now(UTC) >= found.expires)
        ):
            raise _dead(twin, found.revoked)
        return Subject("peer", twin, standing.assignee, (), standing.id, found.scopes)

    def standing(self, subject: Subject, *, found: bool = False) -> Standing | None:
        """The agreement by which a peer asks, as it stands now; None for everybody else.

        Args:
            found: the subject was found a moment ago, within the same request: nothing is looked at again.

        Raises:
            StorageFailed: the database is away.
        """
        if subject.kind != "peer":
            return None
        seen = self._seen if found else self._now()
        found_one = (seen.standings or {}).get(subject.agreement)
        return found_one if found_one is not None and found_one.assignee == subject.name else None

    @property
    def kept(self) -> dict[Hashable, Grant]:
        """What was decided since anything changed; empty again with every change."""
        return self._seen.grants

    def holds(self, agreement: str, now: datetime) -> bool:
        """Whether an agreement is in force at a moment. Raises StorageFailed."""
        found = (self._now().standings or {}).get(agreement)
        until = None if found is None else found.terms.until
        return found is not None and found.state == "active" and (until is None or now < until)

    def look(self) -> Hashable:
        """Equal as long as nothing that stands can have changed."""
        try:
            said = os.stat(self._peers)
            file: Hashable = (said.st_mtime_ns, said.st_size, said.st_ino)
        except OSError:
            file = None
        return self._twin.watch.look(), file

    @property
    def last(self) -> Hashable:
        """The look that somebody took last: what is asked after it is no older."""
        return self._seen.look

    def _now(self) -> _Seen:
        look = self.look()
        with self._lock:
            if self._seen.tokens is None or self._seen.look != look:
                self._seen = self._read(look)
            return self._seen

    def _read(self, look: Hashable) -> _Seen:
        tables = self._twin.tables
        mine = select(tokens).where(tokens.c.twin == tables.twin, tokens.c.expires > datetime.now(UTC))
        ours = select(agreements).where(agreements.c.twin == tables.twin, agreements.c.role == "provider")
        with reading(tables.engine) as connection:
            shown = {bytes.fromhex(row.digest): _token(row) for row in connection.execute(mine)}
            rows = connection.execute(ours).all()
        grades = {peer.did: sendable(self._twin, peer) for peer in peers_of(self._twin)}
        description = self._twin.description
        stand: dict[str, Standing] = {}
        for row in rows:
            try:
                terms = terms_from_json(row.terms, row.id)
            except TwintownError:  # what is not understood lets nothing out
                continue
            until = min((one for one in (terms.until, _utc(row.until)) if one is not None), default=None)
            terms = replace(terms, until=until)
            plane = (
                None if terms.area is None else plane_of(terms.area, description.frame, description.bounds)
            )
            made = Standing(row.id, row.peer, terms, row.state, plane=plane)
            stand[row.id] = replace(made, grade=grades[row.peer]) if row.peer in grades else made
        return _Seen(look, shown, stand)


def _token(row: Any) -> _Token:
    expires = _utc(row.expires)
    assert expires is not None
    return _Token(
        row.kind, row.name, tuple(row.scopes or ()), row.agreement, expires, row.revoked is not None
    )


def _dead(twin: str, revoked: bool) -> Unauthenticated:
    why = "was taken back" if revoked else "has expired"
    return Unauthenticated(f"the token {why}", twin, "ask for a new one")


def _utc(moment: datetime | None) -> datetime | None:
    # SQLite keeps no zone; everything written is UTC.
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def purpose_of(subject: Subject) -> str:
    """The purpose that the token of a peer was given for, or ""."""
    return next((one.removeprefix(PURPOSE) for one in subject.scopes if one.startswith(PURPOSE)), "")


def plane_of(area: Sequence[float], frame: Frame, around: Bounds) -> Bounds | None:
    """The largest upright rectangle in a frame (metres) of which nothing lies outside an area.

    Args:
        area: west, south, east, north, degrees (CRS84).
        around: of the twin, metres of the frame; an area is only looked at near it.

    Returns:
        None where nothing near the twin lies in the area.
    """
    here = frame.lonlat_bounds(around)
    west, east = max(area[0], here.xmin - _AROUND), min(area[2], here.xmax + _AROUND)
    south, north = max(area[1], here.ymin - _AROUND), min(area[3], here.ymax + _AROUND)
    if west >= east or south >= north:
        return None
    lon, lat = np.linspace(west, east, 129), np.linspace(south, north, 129)
    left, _ = frame.from_lonlat(np.full_like(lat, west), lat)
    right, _ = frame.from_lonlat(np.full_like(lat, east), lat)
    _, low = frame.from_lonlat(lon, np.full_like(lon, south))
    _, high = frame.from_lonlat(lon, np.full_like(lon, north))
    try:
        return Bounds(
            float(left.max()) + _LESS,
            float(low.max()) + _LESS,
            float(right.min()) - _LESS,
            float(high.min()) - _LESS,
        )
    except BadInput:
        return None
