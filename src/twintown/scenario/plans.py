"""The scenarios of a twin as rows: the shell around `scenario`. A write is one transaction; who is told so can rely on it.

Two who write to one scenario wait for each other (SQLite has one writer; PostgreSQL locks the scenario's row), so that every entry
gets its own number and each sees what the other wrote before. Rows are added to a journal and never changed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, func, insert, select, update

from twintown.city import edits as city
from twintown.city.edits import Edit, Extent
from twintown.ground.bounds import Bounds
from twintown.ground.errors import BadParameter, NotFound, PreconditionRequired, TooLarge
from twintown.store.engine import reading, writing
from twintown.store.schema import scenario_entries, scenarios
from twintown.store.tables import Tables, new_version

from .scenario import (
    BASE,
    BUILDING,
    MOST_ENTRIES,
    Draft,
    Entry,
    Scenario,
    check_undo,
    digest,
    in_force,
    known_now,
    overtaken,
    standing,
)

_CHUNK = 500
_FIELDS = ("name", "about", "parameters", "base", "state")


@dataclass(frozen=True)
class Resolved:
    """A plan at one revision, as a question needs it.

    Attributes:
        scenario: id, name, revision.
        edits: in force.
        base: version by layer.
        digest: of base, edits and parameters.
        parameters: inputs that this plan is asked with wherever a process has them and nothing else is said.
    """

    scenario: Mapping[str, Any]
    edits: tuple[Edit, ...]
    base: Mapping[str, str]
    digest: str
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def inputs(self, known: Collection[str]) -> dict[str, Any]:
        """The parameters that are among these inputs of a process."""
        return {name: value for name, value in self.parameters.items() if name in known}


class Plans:
    """The scenarios of one twin in one database."""

    def __init__(self, tables: Tables) -> None:
        self.engine = tables.engine
        self.twin = tables.twin

    # -- reading ------------------------------------------------------------------------------------------

    def listed(self, state: str = "", limit: int = 1000) -> list[Scenario]:
        """Scenarios, last changed first; without the withdrawn ones unless `state` asks for them."""
        query = select(scenarios).where(scenarios.c.twin == self.twin)
        query = query.where(scenarios.c.state == state if state else scenarios.c.state != "withdrawn")
        with reading(self.engine) as connection:
            found = connection.execute(
                query.order_by(scenarios.c.updated.desc(), scenarios.c.id.desc()).limit(limit)
            )
            return [_scenario(row) for row in found]

    def get(self, id: str) -> Scenario:
        """One scenario. Raises NotFound."""
        with reading(self.engine) as connection:
            return self._one(connection, id)

    def entries(
        self, id: str, since: int = 0, upto: int | None = None, kinds: Sequence[str] = (), objects: Sequence[str] = ()
    ) -> list[Entry]:  # fmt: skip
        """The journal after entry `since`, in order; an unknown scenario has none."""
        with reading(self.engine) as connection:
            return self._entries(connection, id, since, upto, kinds, objects)

    def resolve(self, name: str) -> Resolved:
        """A plan by `id` or `id@revision`, for whoever asks something of it.

        Raises:
            NotFound: there is no such scenario.
            BadParameter: it has no such revision.
        """
        id, _, said = name.partition("@")
        scenario = self.get(id)
        revision = scenario.revision
        if said:
            if not (said.isascii() and said.isdigit()) or not 0 <= int(said) <= scenario.revision:
                raise BadParameter(
                    "scenario", f"{said[:20]!r} is no revision", remedy=f"there are 0 to {revision}"
                )
            revision = int(said)
        entries = self.entries(id, upto=revision)
        force = in_force(entries)
        base, parameters = scenario.base, scenario.parameters
        if said:  # what was rested on, and asked, then
            of = {one.kind: one.body["value"] for one in entries if one.kind in ("base", "parameters")}
            base, parameters = of.get("base", base), of.get("parameters", {})
        said_of = {"id": id, "name": scenario.name, "revision": revision}
        versions = {layer: one["version"] for layer, one in base.items()}
        return Resolved(said_of, force, versions, digest(base, force, parameters), dict(parameters))

    def approved(self) -> list[tuple[Scenario, tuple[Edit, ...]]]:
        """The approved scenarios in the order of their approval, each with the edits that were approved."""
        found = sorted(self.listed("approved"), key=lambda one: str((one.decision or {}).get("at", "")))
        return [
            (one, in_force(self.entries(one.id, upto=int((one.decision or {})["revision"])))) for one in found
        ]

    # -- writing ------------------------------------------------------------------------------------------

    def create(
        self, name: str, author: Mapping[str, Any], base: Mapping[str, Mapping[str, str]], *,
        about: str = "", parameters: Mapping[str, Any] | None = None, parent: Scenario | None = None,
        copied: Sequence[Entry] = (),
    ) -> Scenario:  # fmt: skip
        """A new scenario on a base; its journal begins with what was copied. Raises StorageFailed."""
        now = datetime.now(UTC)
        id = new_version(now).lower()
        first = [
            (Draft("base", "", {"value": dict(base)}), author, now),
            *([(Draft("parameters", "", {"value": dict(parameters)}), author, now)] if parameters else []),
            *((Draft(one.kind, one.object, {**one.body, "copied": {"scenario": parent.id if parent else "", "seq": one.seq}}),
               one.author, one.at) for one in copied),
        ]  # fmt: skip
        scenario = Scenario(
            id, name, about, "draft", parent.id if parent else "", parent.revision if parent else 0, dict(base),
            dict(parameters or {}), len(first), dict(author), now, now,
        )  # fmt: skip
        rows = [self._row(id, seq, draft, who, at) for seq, (draft, who, at) in enumerate(first, 1)]
        with writing(self.engine) as connection:
            connection.execute(insert(scenarios).values(twin=self.twin, **scenario.__dict__))
            connection.execute(insert(scenario_entries), rows)
        return scenario

    def branch(
        self, id: str, name: str, author: Mapping[str, Any], about: str = "", upto: int | None = None
    ) -> Scenario:
        """A scenario of one's own that begins where another stands (at entry `upto`): same base, same edits, each with its author.

        Raises:
            NotFound: there is no such scenario.
            BadParameter: it has no such revision.
        """
        parent = self.get(id)
        if upto is not None and not 0 <= upto <= parent.revision:
            raise BadParameter(
                "revision", f"{upto} is no revision of it", remedy=f"there are 0 to {parent.revision}"
            )
        revision = parent.revision if upto is None else upto
        entries = self.entries(id, upto=revision)
        of = {one.kind: one.body["value"] for one in entries if one.kind in ("base", "parameters")}
        at = Scenario(**{**parent.__dict__, "revision": revision})
        return self.create(
            name, author, of.get("base", parent.base), about=about, parameters=of.get("parameters", {}),
            parent=at, copied=standing(entries),
        )  # fmt: skip

    def edit(
        self, id: str, edits: Sequence[Edit], author: Mapping[str, Any], *, seen: int | None, client: str = "",
        undo: Sequence[int] = (), bounds: Bounds, known: Callable[[Scenario, Sequence[str]], Mapping[str, Extent]],
    ) -> tuple[Scenario, list[Entry]]:  # fmt: skip
        """Write edits, and take others back, all or none; once it returns they are on the disk.

        Args:
            edits: in their normal form.
            seen: the revision that the author looks at.
            client: which page or program sends; it does not overtake itself.
            undo: numbers of entries that are taken back.
            bounds: of the twin.
            known: where the buildings of these ids stand in a scenario's base.

        Raises:
            NotFound: there is no such scenario.
            Decided: it is approved or withdrawn.
            PreconditionRequired: `seen` is missing.
            Overtaken: somebody else wrote the same object since `seen`.
            BadParameter: an edit cannot be made.
            TooLarge: the journal is full.
        """
        if seen is None:
            raise PreconditionRequired(
                "say which revision you look at",
                f"scenario {id}",
                'send "seen", the revision of the scenario',
            )
        names = list(dict.fromkeys(one["object"] for one in edits))
        standing_at = self.get(id)
        extents = dict(known(standing_at, names))  # outside of the transaction: it may read a file
        with self._locked(id) as (connection, scenario):
            scenario.open_for("edit")
            if scenario.base != standing_at.base:
                extents = dict(known(scenario, names))
            if not 0 <= seen <= scenario.revision:
                raise BadParameter(
                    "seen", f"{seen} is no revision", remedy=f"there are 0 to {scenario.revision}"
                )
            drafts = _taken(self._entries(connection, id, kinds=BUILDING), undo, client) if undo else []
            objects = [*names, *(one.object for one in drafts)]
            overtaken(
                self._entries(connection, id, seen, None, BUILDING, objects),
                objects,
                client,
                scenario.revision,
            )
            before = list(in_force(self._entries(connection, id, 0, None, BUILDING, names))) if names else []
            for index, edit in enumerate(edits):
                now = known_now(extents, city.fold(before))
                city.check(edit, bounds, now, f"edits[{index}]")
                before.append(edit)
            drafts += [Draft("edit", one["object"], {"edit": dict(one), "client": client}) for one in edits]
            return self._add(connection, scenario, drafts, author)

    def say(
        self, id: str, drafts: Sequence[Draft], author: Mapping[str, Any]
    ) -> tuple[Scenario, list[Entry]]:
        """Comment, rename, set parameters, change base or state. Raises NotFound, Decided, TooLarge, StorageFailed."""
        with self._locked(id) as (connection, scenario):
            for draft in drafts:
                scenario.open_for(draft.kind)
            return self._add(connection, scenario, drafts, author)

    def decide(self, id: str, revision: int, author: Mapping[str, Any], why: str, job: str = "") -> Scenario:
        """Record that a scenario is approved as it stands at `revision`: who, when, why.

        Raises:
            NotFound: there is no such scenario.
            Decided: it is approved or withdrawn already.
            BadParameter: it has changed since that revision.
        """
        with self._locked(id) as (connection, scenario):
            scenario.open_for("state")
            since = self._entries(connection, id, revision, None, (*BUILDING, "base", "parameters"))
            if since:
                who = since[-1].author.get("name") or "somebody"
                raise BadParameter(
                    "revision", f"{who} has changed the scenario since revision {revision}",
                    remedy=f"look at revision {scenario.revision}, and approve that",
                )  # fmt: skip
            decision = {"who": dict(author), "at": datetime.now(UTC).isoformat(), "why": why, "revision": revision,
                        "versions": scenario.versions, "job": job}  # fmt: skip
            entry = Draft("state", "", {"value": "approved", "why": why, "revision": revision})
            decided, _ = self._add(connection, scenario, [entry], author, decision=decision)
            return decided

    # -- rows ---------------------------------------------------------------------------------------------

    @contextmanager
    def _locked(self, id: str) -> Iterator[tuple[Connection, Scenario]]:
        """One transaction on a scenario; no other one writes to it meanwhile."""
        with writing(self.engine, fresh=True) as connection:
            yield connection, self._one(connection, id, lock=True)

    def _one(self, connection: Connection, id: str, *, lock: bool = False) -> Scenario:
        query = select(scenarios).where(scenarios.c.twin == self.twin, scenarios.c.id == id)
        row = connection.execute(query.with_for_update() if lock else query).first()
        if row is None:
            raise NotFound(f"there is no scenario {id[:40]!r}", self.twin, "see its scenarios for the ids")
        return _scenario(row)

    def _entries(
        self, connection: Connection, id: str, since: int = 0, upto: int | None = None, kinds: Sequence[str] = (),
        objects: Sequence[str] = (),
    ) -> list[Entry]:  # fmt: skip
        query = select(scenario_entries).where(
            scenario_entries.c.twin == self.twin,
            scenario_entries.c.scenario == id,
            scenario_entries.c.seq > max(since, 0),
        )
        if upto is not None:
            query = query.where(scenario_entries.c.seq <= upto)
        if kinds:
            query = query.where(scenario_entries.c.kind.in_(tuple(kinds)))
        query = query.order_by(scenario_entries.c.seq)
        if not objects:
            return [entry_of(row) for row in connection.execute(query)]
        wanted = list(dict.fromkeys(objects))
        found: list[Entry] = []
        for start in range(0, len(wanted), _CHUNK):
            some = query.where(scenario_entries.c.object.in_(wanted[start : start + _CHUNK]))
            found += [entry_of(row) for row in connection.execute(some)]
        return sorted(found, key=lambda one: one.seq)

    def _add(
        self, connection: Connection, scenario: Scenario, drafts: Sequence[Draft], author: Mapping[str, Any], **more: Any
    ) -> tuple[Scenario, list[Entry]]:  # fmt: skip
        if scenario.revision + len(drafts) > MOST_ENTRIES:
            raise TooLarge(
                f"a scenario has at most {MOST_ENTRIES:,} entries", scenario.id, "branch it and go on there"
            )
        now = datetime.now(UTC)
        entries = [
            Entry(seq, one.kind, one.object, dict(one.body), dict(author), now)
            for seq, one in enumerate(drafts, scenario.revision + 1)
        ]
        if entries:
            connection.execute(
                insert(scenario_entries),
                [self._row(scenario.id, one.seq, one, one.author, one.at) for one in entries],
            )
        values: dict[str, Any] = {one.kind: one.body["value"] for one in drafts if one.kind in _FIELDS}
        values |= {"revision": scenario.revision + len(entries), "updated": now, **more}
        mine = and_(scenarios.c.twin == self.twin, scenarios.c.id == scenario.id)
        connection.execute(update(scenarios).where(mine).values(**values))
        return Scenario(**{**scenario.__dict__, **values}), entries

    def _row(
        self, id: str, seq: int, draft: Draft | Entry, author: Mapping[str, Any], at: datetime
    ) -> dict[str, Any]:
        return {
            "twin": self.twin, "scenario": id, "seq": seq, "kind": draft.kind, "object": draft.object,
            "body": dict(draft.body), "author": dict(author), "at": at,
        }  # fmt: skip

    def count(self) -> int:
        """How many scenarios there are, withdrawn ones too."""
        query = select(func.count()).select_from(scenarios).where(scenarios.c.twin == self.twin)
        with reading(self.engine) as connection:
            return int(connection.execute(query).scalar() or 0)


def _taken(entries: list[Entry], undo: Sequence[int], client: str) -> list[Draft]:
    """The entries that take others back; with an added building goes what was done to it."""
    drafts: list[Draft] = []
    back = list(entries)
    for number in undo:
        taken = check_undo(back, number)
        more = [one for one in standing(back) if one.object == taken.object and one.seq > taken.seq]
        of_it = more if taken.kind == "edit" and taken.body["edit"]["op"] == "add" else []
        for one in (taken, *of_it):
            drafts.append(Draft("undo", one.object, {"entry": one.seq, "client": client}))
            back.append(Entry(back[-1].seq + 1, "undo", one.object, drafts[-1].body, one.author, one.at))
    return drafts


def _scenario(row: Row[Any]) -> Scenario:
    return Scenario(
        row.id, row.name, row.about, row.state, row.parent, row.parent_revision, row.base, row.parameters or {},
        row.revision, row.author, _utc(row.created), _utc(row.updated), row.decision,
    )  # fmt: skip


def entry_of(row: Row[Any]) -> Entry:
    """The entry of a row of `scenario_entries`."""
    return Entry(row.seq, row.kind, row.object, row.body, row.author, _utc(row.at))


def _utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def base_of(versions: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """A base of these versions (`LayerVersion` by layer), as a scenario keeps it. Raises NotFound: no buildings."""
    if missing := [layer for layer in BASE if layer not in versions]:
        raise NotFound(
            f"there is no layer {missing[0]!r} to plan on", "scenario", "plan in a twin with buildings"
        )
    return {layer: {"version": versions[layer].version, "digest": versions[layer].digest} for layer in BASE}
