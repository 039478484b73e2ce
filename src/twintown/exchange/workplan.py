"""The work plan: what two cities do together, periodically and every year, with who does it, what it costs, when, and how it went.

A programme is a series of statements; nothing is overwritten: who proposed what, who agreed, what the review found stays readable.

    proposed ──agree──▶ agreed ──review──▶ reviewed ──propose──▶ proposed (again, or changed)      any ──withdraw──▶ withdrawn
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, insert, select

from twintown.ground.errors import BadParameter, Conflict, NotFound
from twintown.ground.names import Name
from twintown.store.engine import reading
from twintown.store.schema_shared import workplans
from twintown.store.tables import Tables, new_version
from twintown.trust.ledger import record_in
from twintown.trust.proof import canonical

Step = Literal["propose", "agree", "review", "withdraw"]
State = Literal["proposed", "agreed", "reviewed", "withdrawn"]
#: From which states a step is possible ("" is before the first), and where it leads.
STEPS: Mapping[Step, tuple[tuple[str, ...], State]] = {
    "propose": (("", "proposed", "reviewed"), "proposed"),
    "agree": (("proposed",), "agreed"),
    "review": (("agreed",), "reviewed"),
    "withdraw": (("proposed", "agreed", "reviewed"), "withdrawn"),
}
PERIODS = ("once", "weekly", "monthly", "quarterly", "half-yearly", "yearly")


@dataclass(frozen=True, slots=True)
class Programme:
    """What is to be done.

    Attributes:
        title, about: `ko` and `en`, and further languages.
        period: how often, one of `PERIODS`.
        owner: who answers for it; department: where.
        partner: who answers for it at the other city; "" where nobody is named yet.
        budget: amount in whole units of `currency` (ISO 4217) for the time from `start` to `end`; 0 costs nothing.
        start, end: first and last day.
        review: the day on which it is looked at.
    """

    title: Name
    about: Name
    period: str
    owner: str
    department: str
    partner: str
    budget: int
    currency: str
    start: date
    end: date
    review: date

    def __post_init__(self) -> None:
        if self.period not in PERIODS:
            raise BadParameter("period", f"{self.period[:40]!r} is not known", remedy=f"use one of {', '.join(PERIODS)}")  # fmt: skip
        if not (len(self.currency) == 3 and self.currency.isascii() and self.currency.isupper()):
            raise BadParameter("currency", f"{self.currency[:10]!r} is no currency", remedy="write three letters, as KRW")  # fmt: skip
        if self.budget < 0:
            raise BadParameter("budget", "is below nothing", remedy="write 0 for what costs nothing")
        if not self.start <= self.review or not self.start <= self.end:
            raise BadParameter("start", "lies after its end or its review", remedy="put the days in order")
        if not self.owner.strip() or not self.department.strip():
            raise BadParameter("owner", "is not said", remedy="say who answers for it, and which department")

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "title": self.title.to_dict(), "about": self.about.to_dict(), "period": self.period, "owner": self.owner,
            "department": self.department, "partner": self.partner, "budget": self.budget, "currency": self.currency,
            "start": self.start.isoformat(), "end": self.end.isoformat(), "review": self.review.isoformat(),
        }  # fmt: skip

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Programme:
        """The inverse of `to_dict`."""
        days = {name: date.fromisoformat(said[name]) for name in ("start", "end", "review")}
        return cls(
            Name.of(said["title"]), Name.of(said["about"]), said["period"], said["owner"], said["department"], said["partner"],
            int(said["budget"]), said["currency"], days["start"], days["end"], days["review"],
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement about a programme. `programme` with `propose`, `text` (`ko`, `en`) with the others."""

    seq: int
    step: Step
    programme: Programme | None
    text: Mapping[str, str]
    author: Mapping[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True)
class Plan:
    """One joint programme with all that was said about it.

    Attributes:
        agreement: the agreement that it belongs to; "" where it stands by itself.
    """

    id: str
    agreement: str
    statements: tuple[Statement, ...]

    @property
    def state(self) -> State:
        """Where it stands, by its last statement."""
        return STEPS[self.statements[-1].step][1]

    @property
    def programme(self) -> Programme:
        """What was proposed last."""
        said = [one.programme for one in self.statements if one.programme is not None]
        return said[-1]

    @property
    def may(self) -> tuple[Step, ...]:
        """The steps that are possible now."""
        return tuple(step for step, (before, _) in STEPS.items() if self.state in before)


def plans_of(tables: Tables, agreement: str = "") -> tuple[Plan, ...]:
    """All joint programmes, those of one agreement where it is named, by id (the time of making)."""
    query = select(workplans).where(workplans.c.twin == tables.twin)
    if agreement:
        query = query.where(workplans.c.agreement == agreement)
    with reading(tables.engine) as connection:
        found = connection.execute(query.order_by(workplans.c.id, workplans.c.seq)).all()
    ids = dict.fromkeys(row.id for row in found)
    return tuple(_plan([row for row in found if row.id == id]) for id in ids)


def plan_in(connection: Connection, tables: Tables, id: str) -> Plan:
    """One joint programme. Raises NotFound."""
    query = select(workplans).where(workplans.c.twin == tables.twin, workplans.c.id == id)
    found = connection.execute(query.order_by(workplans.c.seq)).all()
    if not found:
        raise NotFound(
            f"there is no programme {id[:60]!r} in the work plan",
            tables.twin,
            "GET …/workplan lists them",
        )
    return _plan(list(found))


def say_in(
    connection: Connection, tables: Tables, id: str, step: Step, author: Mapping[str, Any], now: datetime, *,
    programme: Programme | None = None, text: Mapping[str, str] | None = None, agreement: str = "",
) -> str:  # fmt: skip
    """Add a statement, within a transaction; the id of the programme, a new one where `id` is "".

    Raises:
        NotFound: there is no such programme. Conflict: the step is not possible now.
        BadParameter: nothing is proposed, or nothing is said.
    """
    if (programme is None) == (step == "propose"):
        raise BadParameter("programme", "goes with a proposal, and with nothing else")
    known = plan_in(connection, tables, id) if id else None
    state = known.state if known else ""
    if state not in STEPS[step][0]:
        may = ", ".join(known.may) if known else "propose"
        raise Conflict(f"this is {state or 'not proposed yet'}: {step} is not possible", id, f"possible: {may or 'nothing'}")  # fmt: skip
    words = {language: said.strip() for language, said in (text or {}).items() if said.strip()}
    if step in ("review", "withdraw") and not words:
        raise BadParameter("text", "is not said", remedy="say what the review found, or why it is withdrawn")
    made = id or f"wp-{new_version(now).lower()}"
    seq = len(known.statements) if known else 0
    body = {"step": step, "programme": programme.to_dict() if programme else None, "text": words}
    connection.execute(
        insert(workplans).values(
            twin=tables.twin, id=made, seq=seq, agreement=known.agreement if known else agreement, body=body,
            author=dict(author), at=now,
        )
    )  # fmt: skip
    import hashlib

    record = {
        "programme": made, "seq": seq, "step": step, "digest": hashlib.sha256(canonical(body)).hexdigest(),
        "agreement": known.agreement if known else agreement, "officer": str(author.get("name", "")),
    }  # fmt: skip
    record_in(connection, tables, "workplan", record, now)
    return made


def _plan(found: list[Row[Any]]) -> Plan:
    return Plan(found[0].id, found[0].agreement, tuple(_statement(row) for row in found))


def _statement(row: Row[Any]) -> Statement:
    said = row.body.get("programme")
    at = row.at if row.at.tzinfo else row.at.replace(tzinfo=UTC)
    return Statement(row.seq, row.body["step"], Programme.of(said) if said else None, row.body["text"], row.author, at)  # fmt: skip
