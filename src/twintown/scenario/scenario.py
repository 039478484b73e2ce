"""A scenario: versions of a city that it rests on, and a journal of what people did to it. Pure: entries in, the plan out.

Nothing in a journal is ever changed. Taking an edit back is an entry too (`undo`), and taking that back brings the edit again. What
is in force follows from the journal alone, so that any revision can be read for as long as the scenario is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias

from twintown.city import edits as city
from twintown.city.edits import Edit, Extent
from twintown.ground.errors import BadParameter, Conflict
from twintown.ground.provenance import digest_of

State: TypeAlias = Literal["draft", "approved", "withdrawn"]
Kind: TypeAlias = Literal["edit", "undo", "comment", "parameters", "name", "about", "base", "state"]
STATES: tuple[State, ...] = ("draft", "approved", "withdrawn")
#: Entries that change what is built; `object` says of which building.
BUILDING = ("edit", "undo")
#: Entries that may still come when the plan is no draft any more.
ALWAYS = ("comment",)
#: The layers that a scenario rests on.
BASE = ("buildings", "building-parts")
MOST_ENTRIES = 20_000


@dataclass(frozen=True)
class Entry:
    """One thing that somebody said or did.

    Attributes:
        seq: its place in the journal, from 1.
        kind: `edit` (body: `edit`), `undo` (body: `entry`, the number that it takes back), `comment` (`text`, `lon`, `lat`),
            `parameters`, `name`, `about`, `base`, `state` (body: `value`). The body of an entry may name the `client` that sent it.
        object: id of the building that it is about, or "".
        author: name, kind, verified (`Subject.author`).
        at: when it was acknowledged, UTC.
    """

    seq: int
    kind: str
    object: str
    body: Mapping[str, Any]
    author: Mapping[str, Any]
    at: datetime


@dataclass(frozen=True)
class Draft:
    """What shall become an entry."""

    kind: str
    object: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Scenario:
    """One plan.

    Attributes:
        base: by layer, `version` and `digest` of what it rests on.
        parameters: what is asked of processes, by name, wherever this plan is computed.
        revision: the number of its last entry.
        decision: of an approved one: who, when, why, revision, versions.
    """

    id: str
    name: str
    about: str
    state: State
    parent: str
    parent_revision: int
    base: Mapping[str, Mapping[str, str]]
    parameters: Mapping[str, Any]
    revision: int
    author: Mapping[str, Any]
    created: datetime
    updated: datetime
    decision: Mapping[str, Any] | None = None

    @property
    def versions(self) -> dict[str, str]:
        """Version by layer of the base."""
        return {layer: one["version"] for layer, one in self.base.items()}

    def open_for(self, kind: str) -> None:
        """Raises Decided: nothing but comments is added to a scenario that is approved or withdrawn."""
        if self.state != "draft" and kind not in ALWAYS:
            raise Decided(
                f"the scenario {self.name!r} is {self.state} and not changed any more", self.id,
                "branch it and change the branch",
            )  # fmt: skip


class Decided(Conflict):
    """The scenario is approved or withdrawn."""


class Overtaken(Conflict):
    """Somebody else has written the same object since: who, when and what is in `entries`; `revision` is the present one."""

    def __init__(self, entries: Sequence[Entry], revision: int) -> None:
        self.entries = tuple(entries)
        self.revision = revision
        last = self.entries[-1]
        who = last.author.get("name") or "somebody"
        super().__init__(
            f"{who} has changed {last.object} meanwhile ({last.at.isoformat(timespec='seconds')})",
            last.object,
            f"look at it, and send yours again with seen = {revision} if it shall come after",
        )
        self.args = (self.entries, revision)


def taken_back(entries: Iterable[Entry]) -> dict[int, int]:
    """Which entries are taken back, by which."""
    gone: dict[int, int] = {}
    for entry in sorted(entries, key=lambda one: one.seq, reverse=True):
        if entry.kind == "undo" and entry.seq not in gone:
            gone[int(entry.body["entry"])] = entry.seq
    return gone


def standing(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """The edits that nobody has taken back, in order."""
    known = list(entries)
    gone = taken_back(known)
    return tuple(
        one for one in sorted(known, key=lambda one: one.seq) if one.kind == "edit" and one.seq not in gone
    )


def in_force(entries: Iterable[Entry], upto: int | None = None) -> tuple[Edit, ...]:
    """The edits in force after entry `upto` (now, by default); see `city.edits.fold`."""
    known = [one for one in entries if upto is None or one.seq <= upto]
    return city.fold(one.body["edit"] for one in standing(known))


def digest(
    base: Mapping[str, Mapping[str, str]], force: Iterable[Edit], parameters: Mapping[str, Any]
) -> str:
    """Names what is planned: equal for two plans that would build the same on the same base."""
    return digest_of({
        "base": {layer: one["digest"] for layer, one in sorted(base.items())}, "edits": list(force), "parameters": dict(parameters),
    })  # fmt: skip


def overtaken(later: Iterable[Entry], objects: Iterable[str], client: str, revision: int) -> None:
    """Raises Overtaken: among the entries since the author looked is one of another about the same objects.

    Args:
        later: entries after the revision that the author had seen.
        client: that sends; what it sent itself it knows. Empty: everything counts as another's.
    """
    mine = set(objects)
    others = [
        one
        for one in later
        if one.kind in BUILDING and one.object in mine and not (client and one.body.get("client") == client)
    ]
    if others:
        raise Overtaken(sorted(others, key=lambda one: one.seq), revision)


def known_now(base: Mapping[str, Extent], force: Sequence[Edit]) -> dict[str, Extent]:
    """The buildings that are there after the edits in force: id → west, south, east, north, height (m), before `set`s."""
    known = dict(base)
    for edit in force:
        if edit["op"] == "remove":
            known.pop(edit["object"], None)
        elif edit["op"] != "set":
            known[edit["object"]] = (*city.box(edit["parts"]), edit["height_m"])
    return known


def check_undo(entries: Sequence[Entry], number: object, where: str = "undo") -> Entry:
    """The entry that shall be taken back.

    Args:
        entries: edits and undos of the scenario (at least those of the entry's object).

    Raises:
        BadParameter: there is no such edit, or it is taken back already.
    """
    found = next((one for one in entries if one.seq == number and one.kind in BUILDING), None)
    if found is None:
        raise BadParameter(
            where, f"{number!r} is the number of no edit here", remedy="take one from its edits"
        )
    if (by := taken_back(entries).get(found.seq)) is not None:
        raise BadParameter(
            where, f"entry {number} is taken back by entry {by}", remedy=f"undo {by} to have it again"
        )
    return found
