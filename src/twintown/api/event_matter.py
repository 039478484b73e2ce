"""Where events and joint programmes meet: what a proposal must hold to, and how the event stands after each move. No route is here.

The exchange carries documents, the programme's wing knows events, and neither knows the other; both sides of a proposal are looked at by
the same functions, inside the transaction of the step.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from twintown.exchange import programme_rows
from twintown.exchange.agreements import Agreement, agreement_in
from twintown.exchange.party import Party
from twintown.exchange.programme_document import Document
from twintown.exchange.programme_rows import Programme
from twintown.ground.errors import BadParameter, Denied, NotFound
from twintown.programme import event_rows
from twintown.programme.event import Event, State
from twintown.programme.event_reading import read
from twintown.programme.reach import reach

_OVER: Mapping[str, State] = {
    "declined": "declined",
    "withdrawn": "declined",
    "ended": "ended",
    "": "declined",
}


@dataclass(frozen=True)
class EventMatters:
    """Looks into documents that are about events (`exchange.programme_matter.Matters`)."""

    def check(
        self, connection: Connection, party: Party, peer: str, document: Document, now: datetime
    ) -> None:
        """Whether an event may be proposed: it is read strictly, one of the two is its host, and their agreement reaches it.

        Raises:
            BadParameter: naming the member. Denied: no agreement reaches it; the code says why.
        """
        event = event_of(document)
        if event.host not in document.parties:
            raise BadParameter("document.matter.body.host", "is none of the two cities")
        if event.plan is not None:  # its layers would be looked for among the other city's
            raise BadParameter("document.matter.body.plan", "is its own city's", remedy="leave it out: null")
        if event.agreement != document.agreement:
            raise BadParameter("document.matter.body.agreement", "is another one than the document's")
        _same_event(connection, party, document)
        if document.matter["account"]:
            _of_what_stands(connection, party, document)
            return
        found = None
        if document.agreement:
            with suppress(NotFound):
                found = agreement_in(connection, party.twin.tables, document.agreement)
        wanted = "provider" if event.host == party.did else "consumer"
        if found is not None and (found.peer != peer or found.role != wanted):
            found = None
        for one in reach(event, found.terms if found else None, _state(found, now), now):
            if one.level == "bad":
                raise Denied(
                    one.text.en, one.row, "make an agreement that reaches it, or change the event", one.code
                )

    def moved(
        self,
        connection: Connection,
        party: Party,
        programme: Programme,
        author: Mapping[str, Any],
        now: datetime,
    ) -> None:
        """The event of a programme stands as the programme does: ours by the next revision, a partner's as it is told."""
        last = _last(programme)
        if event_of(last).host == programme.peer:
            _ours(connection, party, programme, author, now)
        else:
            _theirs(connection, party, programme, author, now)


def event_of(document: Document) -> Event:
    """The event that a document is about. Raises BadParameter: it is none, or another one's."""
    event = read(dict(document.matter["body"]), "document.matter.body")
    if event.id != document.matter["id"]:
        raise BadParameter("document.matter.id", "is another event's")
    return event


def joint_state(programme: Programme) -> State:
    """The state of an event whose joint document stands like this."""
    now = programme.position
    stands = programme.at(now.stands)
    if stands is not None and now.state in ("agreed", "changing"):
        if stands.matter.get("account"):
            return "settled"
        opened = programme.at(now.open)
        changed = opened is not None and opened.matter.get("body") != stands.matter.get("body")
        return "proposed" if changed else "agreed"
    return "proposed" if now.state == "proposed" else _OVER[now.state]


def _ours(
    connection: Connection, party: Party, programme: Programme, author: Mapping[str, Any], now: datetime
) -> None:
    twin, last = party.twin.tables.twin, _last(programme)
    row = event_rows.one_in(connection, twin, str(last.matter["id"]))
    if row.origin != "own" or row.event.host != programme.peer or programme.began != party.did:
        raise Denied(
            "this event is another city's to propose", row.id, "propose one of your own", "other-event"
        )
    if row.state == "cancelled":  # called off here; what the document says does not bring it back
        return
    state, event = joint_state(programme), None
    if state in ("agreed", "settled"):
        stands = programme.at(programme.position.stands)
        assert stands is not None
        event = replace(event_of(stands), plan=row.event.plan)
    if (row.state, row.joint) != (state, programme.id) or (event is not None and event.to_dict() != row.body):
        event_rows.step_in(
            connection, twin, row.id, state, author, now, event=event, joint=programme.id, why=_why(programme),
            agreement=last.agreement,
        )  # fmt: skip


def _theirs(
    connection: Connection, party: Party, programme: Programme, author: Mapping[str, Any], now: datetime
) -> None:
    stands = programme.at(programme.position.stands)
    said, state = stands or _last(programme), joint_state(programme)
    event_rows.tell_in(
        connection, party.twin.tables.twin, event_of(said), state, author, now, peer=programme.peer, joint=programme.id,
        why=_why(programme),
    )  # fmt: skip


def _same_event(connection: Connection, party: Party, document: Document) -> None:
    """A document that is about an event stays about that one. Raises BadParameter."""
    with suppress(NotFound):
        known = programme_rows.one_in(connection, party.twin.tables.twin, document.id)
        for one in known.moves:
            if (said := one.says) is not None and said.matter and said.matter["id"] != document.matter["id"]:
                raise BadParameter("document.matter.id", "is another event than the document is about")


def _of_what_stands(connection: Connection, party: Party, document: Document) -> None:
    """An account is of the event that both agreed to, as it stands; its figures do not contradict themselves."""
    from twintown.programme.account import read as read_account

    with suppress(NotFound):
        known = programme_rows.one_in(connection, party.twin.tables.twin, document.id)
        stands = known.at(known.position.stands)
        if stands is not None and stands.matter.get("body") == document.matter["body"]:
            account = read_account(dict(document.matter["account"]), "document.matter.account")
            if account.event != document.matter["id"]:
                raise BadParameter("document.matter.account.event", "is another event than the document's")
            return
    raise BadParameter(
        "document.matter.account", "is of an event that both cities have not agreed to as it is written here",
        remedy="agree to the event first; an account does not change it",
    )  # fmt: skip


def _last(programme: Programme) -> Document:
    """What was said last that counts; of a programme whose first proposal was not taken, that."""
    kept = programme.moves or programme.void
    return next(said for one in reversed(kept) if (said := one.says) is not None and said.matter)


def _state(found: Agreement | None, now: datetime) -> Any:
    if found is None:
        return ""
    return "ended" if found.over(now) else found.state


def _why(programme: Programme) -> str:
    """Why it was declined, withdrawn or ended, or not taken."""
    if programme.moves and (why := str(programme.moves[-1].body.get("reason", ""))):
        return why
    reasons = (programme.error or {}).get("reason", [])
    return str(reasons[0]) if reasons and programme.position.state == "" else ""
