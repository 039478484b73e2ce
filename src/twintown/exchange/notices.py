"""Notices between cities: told in the transaction of what they tell of, brought by the outbox, taken once, entered in both ledgers.

Nobody agrees to a notice and nobody can refuse what it says; a city that is away hears it when it is there again, however late.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection

from twintown.exchange import notice_rows as rows
from twintown.exchange import outbox
from twintown.exchange.agreements import agreements_of
from twintown.exchange.notice_message import LONGEST, SEEN, SKEW, Notice, receipt
from twintown.exchange.notice_rows import Kept
from twintown.exchange.party import Party
from twintown.exchange.receiving import Sender, take
from twintown.ground.errors import BadParameter, NotFound, TooLarge, TooMany, TwintownError
from twintown.store.engine import writing
from twintown.trust.ledger import record_in
from twintown.trust.peers import Peer, peers_of
from twintown.trust.proof import canonical

KIND = "notice"
#: Most notices of one city that nobody has seen here; it is told to wait.
MOST = 1000


def new_id() -> str:
    """A name that no other notice has."""
    return f"urn:uuid:{uuid4()}"


def partners(party: Party, now: datetime, more: frozenset[str] = frozenset()) -> list[Peer]:
    """Whom this city tells: pinned peers with an agreement that is not over, and those named besides (ids or DIDs)."""
    bound = {one.peer for one in agreements_of(party.twin.tables) if not one.over(now)} | more
    return [peer for peer in peers_of(party.twin) if peer.keys and (peer.did in bound or peer.id in bound)]


def note_in(
    connection: Connection, party: Party, notice: Notice, about: str, author: Mapping[str, Any], ledger: int
) -> None:
    """Write down what happened here, which others are told of."""
    rows.add_in(connection, party.twin.tables, Kept(notice, "own", "", about, author, ledger, notice.at))


def tell_in(
    connection: Connection,
    party: Party,
    peer: Peer,
    notice: Notice,
    about: str,
    author: Mapping[str, Any],
    now: datetime,
) -> None:
    """Tell a peer, as soon as the transaction has ended. Raises TooLarge."""
    tables, said = party.twin.tables, notice.to_dict()
    if len(canonical(said)) > LONGEST:
        raise TooLarge(f"a notice of more than {LONGEST:,} bytes", "notices", "name fewer places")
    record = {
        "notice": notice.id,
        "kind": notice.kind,
        "about": about,
        "to": peer.did,
        "digest": notice.digest,
    }
    ledger = record_in(connection, tables, KIND, record, now)
    kept = Kept(notice, "out", peer.did, about, author, ledger, now)
    rows.add_in(connection, tables, kept)
    outbox.put(
        connection, tables.twin, kept.mark, 0, peer.did, f"{peer.address}/notices", said, kept.mark, now
    )


def told(party: Party) -> None:
    """What was committed is brought."""
    party.twin.watch.touch()
    party.wake()


def taken(party: Party, sender: Sender, notice: Notice, about: str, now: datetime) -> dict[str, Any]:
    """A notice of another city; the receipt. The same notice again is answered as it was the first time.

    Raises:
        BadParameter: another notice had that name, or it is of a time to come. BadAssertion: its token came before.
        NotFound: it is about a recall that we did not tell that city of. TooMany: nobody here has seen what it told before.
    """
    if party.test:
        raise NotFound("there are no notices in the test profile", "notices")
    if notice.at > now + SKEW:
        raise BadParameter("at", "is of a time to come", remedy="set the clock")
    tables, peer = party.twin.tables, sender.peer.did
    with writing(tables.engine, fresh=True) as connection:
        take(connection, party, sender, now)
        before = [
            one
            for one in rows.named_in(connection, tables, notice.id)
            if one.peer == peer and one.way == "in"
        ]
        if before:
            if before[0].notice.digest != notice.digest:
                raise BadParameter("id", "another notice had that name", remedy="give each its own")
            return receipt(notice, before[0].at)
        if notice.kind == SEEN:
            recall = rows.one_in(connection, tables, str(notice.body.get("recall", "")), "out", peer)
            if not rows.seen_in(connection, tables, recall.notice.id, "out", peer, notice.at, None):
                return receipt(notice, now)  # once is enough: no peer fills our ledger by saying it again
        elif rows.unseen_in(connection, tables, peer) >= MOST:
            raise TooMany(f"{MOST} notices of yours were not seen yet", "notices", "wait until some are")
        record = {
            "notice": notice.id,
            "kind": notice.kind,
            "about": about,
            "from": peer,
            "digest": notice.digest,
        }
        ledger = record_in(connection, tables, KIND, record, now)
        author = {"name": peer, "kind": "peer", "verified": True}
        rows.add_in(connection, tables, Kept(notice, "in", peer, about, author, ledger, now))
    party.twin.watch.touch()
    return receipt(notice, now)


def seen(party: Party, id: str, author: Mapping[str, Any], now: datetime) -> None:
    """A person here has seen what a partner told, and the partner is told so; once is enough.

    Raises NotFound: nobody told us that.
    """
    tables = party.twin.tables
    with writing(tables.engine, fresh=True) as connection:
        found = [
            one
            for one in rows.named_in(connection, tables, id)
            if one.way == "in" and one.notice.kind != SEEN
        ]
        if not found:
            raise NotFound(f"no partner told of a recall {id[:60]!r}", "recalls", "GET …/recalls lists them")
        for one in found:
            if not rows.seen_in(connection, tables, id, "in", one.peer, now, {**author, "peer": one.peer}):
                continue
            said = Notice(
                new_id(), SEEN, now.replace(microsecond=0), {"recall": id, "by": str(author.get("name", ""))}
            )
            try:
                peer = party.peers.find(one.peer)
            except TwintownError:
                continue  # it is no peer any more; what it told is seen all the same
            tell_in(connection, party, peer, said, id, author, now)
    told(party)
