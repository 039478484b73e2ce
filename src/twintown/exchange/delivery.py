"""What waits in the outbox is brought to the other city, again and again with growing pauses, until it was heard or is given up.

What the other city refuses is not said again. Both sides may have moved at once (one suspends while the other ends): then each hears
that its message is not possible any more, asks the other how it stands, and takes over an end: what one side has ended is over.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from types import ModuleType
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection

from twintown.exchange import notice_delivery, outbox, programme_delivery, rows, schemas
from twintown.exchange.courier import Answer, Courier
from twintown.exchange.negotiation import Negotiation
from twintown.exchange.outbox import Outgoing
from twintown.exchange.party import Party
from twintown.exchange.transfer_process import FINAL, Transfer
from twintown.ground.errors import NotFound, TwintownError
from twintown.store.engine import reading, writing
from twintown.trust.assertions import assert_

#: Statuses that a later attempt does not change; the first few 404 may come from a peer that has not yet written what we answer to.
_NEVER = frozenset({400, 403, 405, 406, 409, 410, 413, 414, 415, 422})
_EARLY = 6
#: Messages that belong to no negotiation or transfer, each kind with who knows what becomes of them.
_LETTERS = (programme_delivery, notice_delivery)
Clock = Callable[[], datetime]


def now_utc() -> datetime:
    """What time it is."""
    return datetime.now(UTC)


def deliver(party: Party, courier: Courier, most: int = 100, clock: Clock = now_utc) -> int:
    """Bring what is due; how many messages were tried. Raises StorageFailed where our own rows are away."""
    tried = 0
    while tried < most:
        now = clock()
        with reading(party.twin.tables.engine) as connection:
            due = outbox.due(connection, party.twin.tables.twin)
        if due is None or due > now:
            break
        with writing(party.twin.tables.engine, fresh=True) as connection:
            one = outbox.claim(connection, party.twin.tables.twin, now)
        if one is None:
            break
        _bring(party, courier, one, clock)
        tried += 1
    return tried


def ask(party: Party, courier: Courier, peer: str, method: str, path: str, body: bytes = b"") -> Answer:
    """One request to a peer's protocol end points in our name; for the catalogue, and for how something stands.

    Args:
        peer: id or DID. path: behind its protocol address, with a slash before it.
    """
    other = party.peers.find(peer)
    url = f"{party.dsp_of(other)}{path}"
    return courier.ask(other.address, method, url, body, _headers(party, other.did, method, url, body))


def _headers(party: Party, audience: str, method: str, url: str, body: bytes) -> dict[str, str]:
    token = assert_(party.key(), party.did, audience, method, url, body, datetime.now(UTC))
    sent = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    return sent | ({"Content-Type": "application/json"} if body else {})


def _bring(party: Party, courier: Courier, one: Outgoing, clock: Clock) -> None:
    twin = party.twin.tables.twin
    try:
        process, said, url = None, one.body, one.url
        if _letter(one) is None:
            with reading(party.twin.tables.engine) as connection:
                process = _process(connection, twin, one.of)
            said, url = (
                _addressed(said, process),
                url.replace("{peer_pid}", quote(process.peer_pid, safe=":")),
            )
        peer = party.peers.find(one.peer)
        body = json.dumps(said, ensure_ascii=False).encode()
        answer = courier.ask(peer.address, "POST", url, body, _headers(party, peer.did, "POST", url, body))
    except TwintownError as error:
        _put_off(party, one, error.what, clock())
        return
    if answer.good:
        _heard(party, one, answer, clock())
    elif answer.status in _NEVER or (answer.status == 404 and one.attempts >= _EARLY):
        if (letter := _letter(one)) is not None:
            letter.refused(party, one, answer, clock())
        elif process is not None:
            _refused(party, courier, one, process, answer, clock())
    else:
        _put_off(party, one, f"answered {answer.status}", clock())


def _letter(one: Outgoing) -> ModuleType | None:
    """Who knows what becomes of a message that is of no negotiation or transfer; none where it is."""
    return next((kind for kind in _LETTERS if kind.is_of(one)), None)


def _put_off(party: Party, one: Outgoing, said: str, now: datetime) -> None:
    with writing(party.twin.tables.engine, fresh=True) as connection:
        forever = _letter(one) is not None
        if not outbox.later(connection, party.twin.tables.twin, one, said, now, forever=forever):
            _over(connection, party, one, {"code": "undelivered", "reason": [said]}, "", now)


def _heard(party: Party, one: Outgoing, answer: Answer, now: datetime) -> None:
    twin = party.twin.tables.twin
    with writing(party.twin.tables.engine, fresh=True) as connection:
        outbox.heard(connection, twin, one, f"answered {answer.status}", now)
        if (letter := _letter(one)) is not None:
            letter.heard_in(connection, party, one, now)
        elif not (process := _process(connection, twin, one.of)).peer_pid:
            said = _said(process, answer.body)
            theirs = str(said.get("providerPid" if process.role == "consumer" else "consumerPid", ""))
            if 0 < len(theirs) <= 80:
                rows.keep(connection, twin, replace(process, peer_pid=theirs), now)
    party.twin.watch.touch()


def _refused(
    party: Party,
    courier: Courier,
    one: Outgoing,
    process: Negotiation | Transfer,
    answer: Answer,
    now: datetime,
) -> None:
    """Trying again would not help: say why to whoever looks, and take over an end that we had not heard of."""
    try:
        error = schemas.read(answer.body, "ContractNegotiationError", "TransferError")
    except TwintownError:
        error = {}
    reason = [str(text)[:500] for text in error.get("reason", [])][:20] or [f"answered {answer.status}"]
    theirs = _state_of(party, courier, process) if process.peer_pid else ""
    with writing(party.twin.tables.engine, fresh=True) as connection:
        outbox.refused(connection, party.twin.tables.twin, one, f"answered {answer.status}: {reason[0]}", now)
        said = {"code": str(error.get("code", answer.status))[:80], "reason": reason}
        _over(connection, party, one, said, theirs, now)
    party.twin.watch.touch()


def _over(
    connection: Connection, party: Party, one: Outgoing, error: Mapping[str, Any], theirs: str, now: datetime
) -> None:
    """Write why it does not go on. It is over where it never began at the other side, or where the other side has ended it."""
    twin = party.twin.tables.twin
    process = _process(connection, twin, one.of)
    if isinstance(process, Transfer):
        moved: Transfer = replace(process, error=error)
        if (one.seq == 0 and not process.peer_pid) or (theirs == "TERMINATED" and process.state != theirs):
            moved = replace(moved, state="TERMINATED", address=None, revision=process.revision + 1)
        elif theirs == "COMPLETED" and process.state not in FINAL:
            moved = replace(moved, state="COMPLETED", address=None, revision=process.revision + 1)
        rows.keep(connection, twin, moved, now)
        if moved.state != process.state:
            outbox.drop(connection, twin, process.pid, "it is over", now)
            party.hooks.on_transfer(connection, party.twin, moved, now)
        return
    ended = (one.seq == 0 and not process.peer_pid) or theirs == "TERMINATED"
    if ended and process.state not in ("FINALIZED", "TERMINATED"):
        outbox.drop(connection, twin, process.pid, "it is over", now)
        process = replace(process, state="TERMINATED", revision=process.revision + 1)
    rows.keep(connection, twin, replace(process, error=error), now)


def _state_of(party: Party, courier: Courier, process: Negotiation | Transfer) -> str:
    """How the other side says that it stands; "" where it does not say."""
    kind = "transfers" if isinstance(process, Transfer) else "negotiations"
    url = f"{process.callback}/{kind}/{quote(process.peer_pid, safe=':')}"
    try:
        peer = party.peers.find(process.peer)
        answer = courier.ask(peer.address, "GET", url, b"", _headers(party, peer.did, "GET", url, b""))
        return str(_said(process, answer.body).get("state", "")) if answer.good else ""
    except TwintownError:
        return ""


def _said(process: Negotiation | Transfer, body: bytes) -> dict[str, Any]:
    try:
        return schemas.read(
            body, "TransferProcess" if isinstance(process, Transfer) else "ContractNegotiation"
        )
    except TwintownError:
        return {}


def _addressed(body: Mapping[str, Any], process: Negotiation | Transfer) -> dict[str, Any]:
    """The message with the other's pid, where it was written before we heard it."""
    theirs = "providerPid" if process.role == "consumer" else "consumerPid"
    return {**body, theirs: process.peer_pid} if body.get(theirs) == "" else dict(body)


def _process(connection: Connection, twin: str, pid: str) -> Negotiation | Transfer:
    try:
        return rows.negotiation(connection, twin, pid)
    except NotFound:
        return rows.transfer(connection, twin, pid)
