"""The document of a joint programme: what both cities sign, with each one's own owner, department and share of the budget. Pure.

The same canonical JSON (RFC 8785) lies at both, so that one digest names it. It says which proposal it is and which document it
replaces; a signature under it is good for nothing else.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any

from twintown.exchange import programme_matter
from twintown.exchange.workplan import PERIODS
from twintown.ground.errors import BadInput, BadParameter
from twintown.ground.names import Name
from twintown.trust.proof import canonical

TYPE = "JointProgramme"
#: How far it has come.
STATUSES = ("planned", "running", "paused", "done")
#: Longest texts in characters, most notes, largest share of a budget in whole units of the currency.
TITLE, TEXT, WHO, NOTES, BUDGET = 200, 2000, 200, 40, 10**15
_ID = re.compile(r"jp-[0-9a-f]{32}")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_DIGEST = re.compile(r"([0-9a-f]{64})?")
_LANGUAGES = 6


@dataclass(frozen=True, slots=True)
class Share:
    """One city's part: who answers for it there, in which department, what that city pays (whole units of the currency)."""

    owner: str = ""
    department: str = ""
    budget: int = 0

    @property
    def whole(self) -> bool:
        """Whether somebody answers for it."""
        return bool(self.owner.strip() and self.department.strip())

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"owner": self.owner, "department": self.department, "budget": self.budget}


@dataclass(frozen=True, slots=True)
class Note:
    """What a review found, on which day."""

    on: date
    text: Name

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"on": self.on.isoformat(), "text": self.text.to_dict()}


@dataclass(frozen=True, slots=True)
class Document:
    """What is to be done together.

    Attributes:
        id: of the programme, the same in both cities.
        revision: the place of the proposal that said it. replaces: digest of what stood before; "" where nothing did.
        parties: DIDs, of the city that began first.
        agreement: id of the agreement that it belongs to; "" where it stands by itself.
        title, about: in `ko`, `en`, and further languages.
        period: how often, one of `PERIODS`. currency: ISO 4217.
        start, end: first and last day. review: the day on which it is looked at. status: one of `STATUSES`.
        shares: of the parties, in their order.
        notes: what reviews found.
        matter: what it is about, where that is an event (`programme_matter`); {} where it is words alone.
    """

    id: str
    revision: int
    replaces: str
    parties: tuple[str, str]
    agreement: str
    title: Name
    about: Name
    period: str
    currency: str
    start: date
    end: date
    review: date
    status: str
    shares: tuple[Share, Share]
    notes: tuple[Note, ...] = ()
    matter: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.period not in PERIODS:
            raise BadParameter("period", f"{self.period[:40]!r} is not known", remedy=f"use one of {', '.join(PERIODS)}")  # fmt: skip
        if self.status not in STATUSES:
            raise BadParameter("status", f"{self.status[:40]!r} is not known", remedy=f"use one of {', '.join(STATUSES)}")  # fmt: skip
        if not re.fullmatch("[A-Z]{3}", self.currency):
            raise BadParameter("currency", f"{self.currency[:10]!r} is no currency", remedy="write three letters, as KRW")  # fmt: skip
        if not self.start <= self.review or not self.start <= self.end:
            raise BadParameter("start", "lies after its end or its review", remedy="put the days in order")
        if len(self.notes) > NOTES:
            raise BadParameter(
                "notes", f"are more than {NOTES}", remedy="begin a programme for the next years"
            )

    def to_dict(self) -> dict[str, Any]:
        """What both sign."""
        return {
            "type": TYPE, "id": self.id, "revision": self.revision, "replaces": self.replaces, "parties": list(self.parties),
            "agreement": self.agreement, "title": self.title.to_dict(), "about": self.about.to_dict(), "period": self.period,
            "currency": self.currency, "start": self.start.isoformat(), "end": self.end.isoformat(),
            "review": self.review.isoformat(), "status": self.status, "notes": [one.to_dict() for one in self.notes],
            "shares": {did: share.to_dict() for did, share in zip(self.parties, self.shares, strict=True)},
            **({"matter": dict(self.matter)} if self.matter else {}),
        }  # fmt: skip

    @property
    def digest(self) -> str:
        """SHA-256 of its canonical form, hexadecimal."""
        return hashlib.sha256(canonical(self.to_dict())).hexdigest()

    def share(self, did: str) -> Share:
        """One city's part."""
        return self.shares[self.parties.index(did)]


_MEMBERS = {"type", *(one.name for one in fields(Document))} - {"matter"}
#: What people read a change of, in this order; the shares member by member.
_SAID = ("title", "about", "period", "start", "end", "review", "status", "currency", "agreement", "notes")


def read(said: Any) -> Document:
    """A document that came, read strictly: exactly its members, each of its kind and size.

    Raises:
        BadParameter: naming the member.
    """
    if not isinstance(said, Mapping) or set(said) - {"matter"} != _MEMBERS or said["type"] != TYPE:
        raise BadParameter("document", f"is no {TYPE} with exactly its members", remedy="send what both sides know")  # fmt: skip
    parties = said["parties"]
    named = isinstance(parties, list) and all(isinstance(one, str) and len(one) <= 512 for one in parties)
    if not named or len(parties) != 2:
        raise BadParameter("document.parties", "are two names of cities")
    shares, notes = said["shares"], said["notes"]
    if not isinstance(shares, Mapping) or set(shares) != set(parties) or parties[0] == parties[1]:
        raise BadParameter("document.shares", "are one for each of two parties")
    if not isinstance(notes, list) or len(notes) > NOTES:
        raise BadParameter("document.notes", f"are a list of at most {NOTES}")
    made = Document(
        id=_text(said, "id", 48, _ID), revision=_count(said, "revision"), replaces=_text(said, "replaces", 64, _DIGEST),
        parties=(parties[0], parties[1]), agreement=_text(said, "agreement", 80), title=_name(said["title"], "title", TITLE),
        about=_name(said["about"], "about", TEXT), period=_text(said, "period", 20), currency=_text(said, "currency", 3),
        start=_day(said["start"], "start"), end=_day(said["end"], "end"), review=_day(said["review"], "review"),
        status=_text(said, "status", 20), shares=(_share(shares[parties[0]]), _share(shares[parties[1]])),
        notes=tuple(_note(one) for one in notes), matter=programme_matter.read(said.get("matter", {})),
    )  # fmt: skip
    if made.to_dict() != said:  # so that both sign the very same
        raise BadParameter(
            "document", "is written otherwise than it is read", remedy="send it as it is answered"
        )
    return made


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs. `of`: whose share, "" where it is of both; `before`, `after`: as JSON."""

    field: str
    of: str
    before: Any
    after: Any


def changes(before: Document, after: Document) -> tuple[Change, ...]:
    """What differs between two documents of one programme, but for which proposal it is."""
    one, two = before.to_dict(), after.to_dict()
    found = [Change(name, "", one[name], two[name]) for name in _SAID if one[name] != two[name]]
    for did in before.parties:
        mine, theirs = one["shares"][did], two["shares"][did]
        found += [Change(name, did, mine[name], theirs[name]) for name in mine if mine[name] != theirs[name]]
    found += [Change(name, "", a, b) for name, a, b in programme_matter.changes(before.matter, after.matter)]
    return tuple(found)


def _share(said: Any) -> Share:
    if not isinstance(said, Mapping) or set(said) != {"owner", "department", "budget"}:
        raise BadParameter("document.shares", "say owner, department and budget")
    budget = _count(said, "budget")
    if budget > BUDGET:
        raise BadParameter("document.shares", "are beyond what a city has")
    return Share(_text(said, "owner", WHO), _text(said, "department", WHO), budget)


def _note(said: Any) -> Note:
    if not isinstance(said, Mapping) or set(said) != {"on", "text"}:
        raise BadParameter("document.notes", "say a day and a text")
    return Note(_day(said["on"], "notes"), _name(said["text"], "notes", TEXT))


def _text(said: Mapping[str, Any], name: str, most: int, form: re.Pattern[str] | None = None) -> str:
    value = said[name]
    if not isinstance(value, str) or len(value) > most or (form is not None and not form.fullmatch(value)):
        raise BadParameter(f"document.{name}", f"is a text of at most {most} characters in its form")
    return value


def _count(said: Mapping[str, Any], name: str) -> int:
    value = said[name]
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise BadParameter(f"document.{name}", "is a whole number from 0 on")
    return value


def _day(value: Any, name: str) -> date:
    try:
        if isinstance(value, str) and _DAY.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise BadParameter(f"document.{name}", "is a day, as 2026-11-30")


def _name(value: Any, name: str, most: int) -> Name:
    try:
        made = Name.of(value if isinstance(value, Mapping) else None, name)
    except BadInput as error:
        raise BadParameter(f"document.{name}", "is a text in ko and en") from error
    said = made.to_dict()
    if (
        said != value
        or len(said) > _LANGUAGES
        or any(len(one) > most or not one.strip() for one in said.values())
    ):
        raise BadParameter(f"document.{name}", f"is a text in ko and en of at most {most} characters each")
    return made
