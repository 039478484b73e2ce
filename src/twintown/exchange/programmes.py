"""Joint programmes between cities: our own moves, and those of the other city.

A move is one transaction: the move, its signature, its message in the outbox and its entry in the ledger stand together or not at all.
The courier is told afterwards. A message that came is taken once: its token's mark, the move and the ledger's entry in one transaction;
the same message again is answered as it was the first time.

All raise NotFound (no such programme or peer), WrongState (not now, or not this city), BadInput (what is said cannot be used), Denied (a
peer without pinned keys), StorageFailed.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from twintown.exchange import outbox
from twintown.exchange import programme_message as messages
from twintown.exchange import programme_rows as rows
from twintown.exchange.agreements import agreement_in
from twintown.exchange.negotiating import Author, new_pid, reachable
from twintown.exchange.party import Party
from twintown.exchange.programme import Event, Heard, Move, add, allowed, hear, other, position
from twintown.exchange.programme_document import Document, changes, read
from twintown.exchange.programme_message import Message
from twintown.exchange.programme_rows import Kept, Programme
from twintown.exchange.receiving import Sender, take
from twintown.exchange.signing import PROOF
from twintown.ground.errors import BadParameter, NotFound, TooMany
from twintown.store.engine import writing
from twintown.store.schema_shared import programme_moves
from twintown.trust import peer_keys
from twintown.trust.did import method_of
from twintown.trust.keyring import own_keys
from twintown.trust.ledger import record_in
from twintown.trust.proof import canonical, sign
from twintown.twin.layers import Twin

#: Most programmes with one city that are not over; a city that begins more is told to wait.
MOST = 200
KIND = "programme"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an officer wants to propose: the document but for its place, which follows from the programme.

    Attributes:
        make: makes it, of (id, revision, digest of what it replaces, parties).
    """

    make: Callable[[str, int, str, tuple[str, str]], Document]


def propose(party: Party, peer: str, wanted: Wanted, agreement: str, author: Author, now: datetime) -> str:
    """Begin a joint programme with a peer (id or DID); its id."""
    whom = reachable(party, peer)
    made = Programme(f"{rows.PREFIX}{secrets.token_hex(16)}", whom.did, party.did, agreement, ())
    with writing(party.twin.tables.engine, fresh=True) as connection:
        _belongs(connection, party, whom.did, agreement)
        rows.begin_in(connection, party.twin.tables.twin, made, now)
        _propose(connection, party, made, wanted, author, now)
    _told(party)
    return made.id


def change(party: Party, id: str, wanted: Wanted, author: Author, now: datetime) -> None:
    """Propose it changed: an answer to what the other city proposed, or a change of what stands."""
    with writing(party.twin.tables.engine, fresh=True) as connection:
        found = rows.one_in(connection, party.twin.tables.twin, id)
        _propose(connection, party, found, wanted, author, now)
    _told(party)


def agree(party: Party, id: str, author: Author, now: datetime, digest: str = "") -> None:
    """Sign what the other city proposed.

    Args:
        digest: of the document that the officer read; another one waits by now: WrongState.
    """
    with writing(party.twin.tables.engine, fresh=True) as connection:
        found = rows.one_in(connection, party.twin.tables.twin, id)
        allowed(found.position, "agree", found.side, id)
        said = found.at(found.position.open)
        signed: dict[str, Any] = {}
        if said is not None:
            if digest and digest != said.digest:
                raise BadParameter("digest", "another proposal waits by now", remedy="read it, then agree")
            _whole(said)
            signed = {"digest": said.digest, PROOF: _sign(party, said, now)}
        _move(connection, party, found, "agree", signed, author, now)
    _told(party)


def end(party: Party, id: str, event: Event, why: str, author: Author, now: datetime) -> None:
    """`decline` what was proposed, `withdraw` what we proposed, or `end` the programme; with the reason."""
    said = messages.why(why, must=event != "withdraw")
    with writing(party.twin.tables.engine, fresh=True) as connection:
        found = rows.one_in(connection, party.twin.tables.twin, id)
        _move(connection, party, found, event, {"reason": said}, author, now)
    _told(party)


def taken(party: Party, sender: Sender, body: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """A move of the other city; how the programme stands then."""
    if party.test:
        raise NotFound("there is no work plan in the test profile", "workplan")
    message = messages.read(body)
    peer = sender.peer.did
    with writing(party.twin.tables.engine, fresh=True) as connection:
        take(connection, party, sender, now)
        found = _theirs(connection, party, peer, message, now)
        move = message.move(other(found.side))
        if any(one.move.mark == move.mark for one in found.void):
            raise BadParameter("id", "another message had that name", remedy="give each message its own")
        heard = hear(found.history, move, found.id)
        if not heard.again:
            past = replace(found, moves=found.moves[: move.seq])
            _check(connection, party, past, message, peer, now)
            why = "both cities moved at once, and the other move went first"
            void_in(connection, party, found, heard.void, why, now)
            author = {"name": peer, "kind": "peer", "verified": True}
            _keep(connection, party, past, heard, move, message.body, "in", message.digest, author, now)
    if not heard.again:
        _told(party)
    past_and_this = heard.history[: message.seq + 1]
    return {
        "programme": found.id,
        "state": position(past_and_this).state,
        "seq": move.seq,
        "digest": move.digest,
    }


def void_in(
    connection: Connection, party: Party, found: Programme, void: tuple[Move, ...], why: str, now: datetime
) -> None:
    """Moves of ours do not count: they are kept as such, said no more, and the ledger says so."""
    twin = party.twin.tables.twin
    for one in void:
        rows.void_in(connection, twin, found.id, one.mark, why)
        outbox.drop_one(connection, twin, one.mark, why, now)
        record = _record(party, found, one, "") | {"void": why}
        record_in(connection, party.twin.tables, KIND, record, now)


def moved_in(connection: Connection, party: Party, id: str, author: Author, now: datetime) -> None:
    """Whoever knows what a programme is about hears that it stands otherwise than before."""
    found = rows.one_in(connection, party.twin.tables.twin, id)
    kept = found.moves or found.void
    if party.matters is not None and any(said.matter for one in kept if (said := one.says) is not None):
        party.matters.moved(connection, party, found, author, now)


def keys_of(twin: Twin, own: str, did: str, at: datetime | None = None) -> list[str]:
    """The keys that a city may have signed with: now, or at a moment.

    Args:
        own: our DID. did: whose.
    """
    known = [one.known for one in own_keys(twin)] if did == own else peer_keys.keys_of(twin)(did)
    return [
        one.public for one in known
        if one.revoked is None and (one.retired is None or (at is not None and at <= one.retired))
    ]  # fmt: skip


# -- small things -----------------------------------------------------------------------------------------


def _propose(
    connection: Connection, party: Party, found: Programme, wanted: Wanted, author: Author, now: datetime
) -> None:
    allowed(found.position, "propose", found.side, found.id)
    seq, stands = len(found.moves), found.at(found.position.stands)
    parties = (found.began, party.did if found.began == found.peer else found.peer)
    said = read(
        wanted.make(found.id, seq, stands.digest if stands else "", parties).to_dict()
    )  # as the partner will
    before = found.last if found.moves else None
    if (
        before is not None and before.matter and not said.matter
    ):  # who changes the words leaves the event as it is
        said = replace(said, matter=before.matter)
    _look(connection, party, found.peer, said, now)
    if before is not None and not changes(before, said) and found.position.state != "agreed":
        raise BadParameter(
            "document", "nothing is changed", remedy="agree to it, or say what is to be changed"
        )
    if stands is not None and not changes(stands, said):
        raise BadParameter(
            "document", "this is what stands already", remedy="decline what was proposed instead"
        )
    if not said.share(party.did).whole:
        raise BadParameter("owner", "is not said", remedy="say who answers for it here, and which department")
    brings = {"document": said.to_dict(), PROOF: _sign(party, said, now)}
    _move(connection, party, found, "propose", brings, author, now)


def _move(
    connection: Connection, party: Party, found: Programme, event: Event, brings: Mapping[str, Any], author: Author, now: datetime
) -> None:  # fmt: skip
    peer = reachable(party, found.peer)
    history, mark = found.history, new_pid()
    body = messages.write(
        found.id, len(history), history[-1].digest if history else "", event, mark, **brings
    )
    if len(canonical(body)) > messages.LONGEST:
        raise BadParameter("document", f"is longer than {messages.LONGEST:,} bytes", remedy="say less")
    move = Move(len(history), event, found.side, mark, messages.digest_of(body), body["after"])
    heard = Heard(add(history, move, found.id))
    said = brings.get("document")
    document = hashlib.sha256(canonical(said)).hexdigest() if said else str(brings.get("digest", ""))
    _keep(connection, party, found, heard, move, body, "out", document, author, now)
    url = f"{peer.address}/workplan/proposals"
    outbox.put(
        connection,
        party.twin.tables.twin,
        found.id,
        _place(connection, party, found.id),
        peer.did,
        url,
        body,
        mark,
        now,
    )


def _keep(
    connection: Connection, party: Party, found: Programme, heard: Heard, move: Move, body: Mapping[str, Any], way: str, document: str,
    author: Author, now: datetime,
) -> None:  # fmt: skip
    twin, tables = party.twin.tables.twin, party.twin.tables
    state = position(heard.history).state
    officer = str(author.get("name", "")) if way == "out" else ""
    record = _record(party, found, move, document) | {"state": state, "officer": officer}
    ledger = record_in(connection, tables, KIND, record, now)
    rows.keep_in(connection, twin, found.id, Kept(move, body, author, way, "", document, ledger, None, now))
    rows.stand_in(connection, twin, found.id, state, None, now)
    moved_in(connection, party, found.id, author, now)


def _look(connection: Connection, party: Party, peer: str, said: Document, now: datetime) -> None:
    """Whoever knows what it is about looks at it. Raises BadInput, Denied."""
    if not said.matter:
        return
    if party.matters is None:
        raise BadParameter("document.matter", "is nothing that is known here", remedy="send words alone")
    party.matters.check(connection, party, peer, said, now)


def _record(party: Party, found: Programme, move: Move, document: str) -> dict[str, Any]:
    by = party.did if move.by == found.side else found.peer
    return {
        "programme": found.id, "seq": move.seq, "move": move.event, "by": by, "peer": found.peer, "document": document,
        "message": move.digest, "agreement": found.agreement,
    }  # fmt: skip


def _place(connection: Connection, party: Party, id: str) -> int:
    """Behind all messages that were ever written for it, the void ones too: they go in this order."""
    c = programme_moves.c
    query = select(func.count()).where(c.twin == party.twin.tables.twin, c.id == id, c.way == "out")
    return int(connection.execute(query).scalar_one())


def _theirs(connection: Connection, party: Party, peer: str, message: Message, now: datetime) -> Programme:
    """The programme that a message is about, a new one where it begins one."""
    twin = party.twin.tables.twin
    try:
        found = rows.one_in(connection, twin, message.programme)
    except NotFound:
        if message.seq or message.document is None:
            raise
        if rows.waiting_in(connection, twin, peer) >= MOST:
            raise TooMany(f"{MOST} programmes with you are not over", "workplan", "wait until some are") from None  # fmt: skip
        found = Programme(message.programme, peer, peer, message.document.agreement, ())
        _belongs(connection, party, peer, found.agreement)
        rows.begin_in(connection, twin, found, now)
    if found.peer != peer:
        raise NotFound(f"there is no joint programme {message.programme} with you", "programme")
    return found


def _check(
    connection: Connection, party: Party, past: Programme, message: Message, peer: str, now: datetime
) -> None:
    """Whether what a move brings fits what was said before it. Raises BadInput."""
    if message.event == "propose":
        said, stands = message.document, past.at(past.position.stands)
        assert said is not None
        parties = (past.began, party.did if past.began == past.peer else past.peer)
        wanted = (message.seq, stands.digest if stands else "", parties, past.agreement)
        if (said.revision, said.replaces, said.parties, said.agreement) != wanted:
            raise BadParameter("document", "names another place, other cities or another agreement than this programme has")  # fmt: skip
        if not said.share(peer).whole:
            raise BadParameter("document.shares", "do not say who answers for it at yours")
        _look(connection, party, peer, said, now)
    elif message.event == "agree":
        said = past.at(past.position.open)
        assert said is not None
        if message.digest != said.digest:
            raise BadParameter(
                "digest", "is not of the document that waits", remedy="read what was proposed last"
            )
        _whole(said)
    else:
        return
    messages.check_signature(said, message.body[PROOF], peer, keys_of(party.twin, party.did, peer), now)


def _whole(said: Document) -> None:
    if not all(share.whole for share in said.shares):
        raise BadParameter(
            "shares", "do not say yet who answers for it in both cities", remedy="propose it with your part filled in"
        )  # fmt: skip


def _belongs(connection: Connection, party: Party, peer: str, agreement: str) -> None:
    if agreement and agreement_in(connection, party.twin.tables, agreement).peer != peer:
        raise NotFound(f"there is no agreement {agreement[:80]!r} with that city", "agreement")


def _sign(party: Party, document: Document, now: datetime) -> dict[str, Any]:
    key = party.key()
    proof: dict[str, Any] = sign(document.to_dict(), key, method_of(party.did, key.public), now)[PROOF]
    return proof


def _told(party: Party) -> None:
    party.twin.watch.touch()
    party.wake()
