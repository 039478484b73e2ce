"""The token with which we read at a partner: from the transfer that is started, renewed through it before it expires.

consumer  POST <the provider's dsp>/transfers/{pid}/token   signed as every message is; empty body
provider  a new DSP DataAddress, while the transfer is started and the agreement in force; the old token is dead
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Lock
from typing import Any
from urllib.parse import quote

from twintown.exchange import delivery, rows, transferring
from twintown.exchange.agreements import Agreement, agreement_in, standing
from twintown.exchange.courier import Courier
from twintown.exchange.partner_tokens import Address, read_address
from twintown.exchange.party import Party
from twintown.exchange.receiving import Sender, take
from twintown.exchange.transfer_process import Transfer
from twintown.ground.errors import BadData, Busy, Conflict, Denied, NotFound, StorageFailed, Unreachable
from twintown.store.engine import reading, writing

#: A token is renewed so long before it expires.
EARLY = timedelta(minutes=2)
_LOCK = Lock()


def address(party: Party, courier: Courier, found: Agreement, now: datetime) -> Address:
    """Where we read now, with a token that is good.

    Raises:
        Busy: no transfer is started; one is asked for.
        Unreachable, Denied: as `renewed`.
    """
    known = _read(party, _started(party, found, now))
    return (
        renewed(party, courier, found, now, known) if known is None or known.expires - now < EARLY else known
    )


def renewed(
    party: Party, courier: Courier, found: Agreement, now: datetime, stale: Address | None = None
) -> Address:
    """A new token; who comes second while one is asked for gets the same.

    Raises:
        Unreachable: the partner does not answer, or answers something else.
        Denied: it does not give one: the agreement is suspended or ended there.
    """
    peer = party.peers.find(found.peer)
    with _LOCK:
        transfer = _started(party, found, now)
        known = _read(party, transfer)
        if stale is not None and known is not None and known.token != stale.token:
            return known
        path = f"/transfers/{quote(transfer.peer_pid, safe=':')}/token"
        try:
            answer = delivery.ask(party, courier, peer.did, "POST", path)
        except StorageFailed as error:
            raise Unreachable(
                f"{peer.id} does not answer: {error.what}", peer.id, "try again later"
            ) from error
        if not answer.good:
            raise _refused(peer.id, answer.status, answer.body)
        try:
            said = json.loads(answer.body)
            fresh = read_address(said, peer.address)
        except (ValueError, BadData) as error:
            raise Unreachable(
                f"{peer.id} answers with something else", peer.id, "tell its officers"
            ) from error
        with writing(party.twin.tables.engine, fresh=True) as connection:
            row = rows.transfer(connection, party.twin.tables.twin, transfer.pid)
            rows.keep(connection, party.twin.tables.twin, replace(row, address=said), now)
        return fresh


def renew(party: Party, sender: Sender, pid: str, now: datetime) -> Mapping[str, Any]:
    """As provider: a new data address for a transfer that is started.

    Raises:
        NotFound: there is none of that name with that city.
        Conflict: it is not started. Denied: the agreement is not in force.
        BadAssertion: the token of the request came before.
    """
    with writing(party.twin.tables.engine, fresh=True) as connection:
        take(connection, party, sender, now)
        transfer = rows.transfer(connection, party.twin.tables.twin, pid)
        if transfer.peer != sender.peer.did or transfer.role != "provider":
            raise NotFound(f"there is no transfer {pid[:80]!r} with you", "pid")
        found = agreement_in(connection, party.twin.tables, transfer.agreement)
        if against := standing(found, now):
            code, _, why = against[0].partition(": ")
            raise Denied(why or code, "", "ask the city's officers", code if why else "not-yet")
        if transfer.state != "STARTED":
            raise Conflict(f"the transfer is {transfer.state}", "pid", "ask for another transfer")
        made: Mapping[str, Any] = party.hooks.data_address(connection, party.twin, transfer, now)
    party.twin.watch.touch()
    return made


def _started(party: Party, found: Agreement, now: datetime) -> Transfer:
    """The transfer of an agreement that is started. Raises Busy: there is none yet; one is asked for."""
    with reading(party.twin.tables.engine) as connection:
        known = rows.transfers_in(connection, party.twin.tables.twin, agreement=found.id)
    open_ = [one for one in known if one.role == "consumer" and one.state in ("REQUESTED", "STARTED")]
    started = [one for one in open_ if one.state == "STARTED"]
    if started:
        return started[0]
    if not open_:
        transferring.start_transfer(party, found.peer, found.id, now)
    raise Busy("the way to the partner is being opened", found.id, "try again in a moment")


def _read(party: Party, transfer: Transfer) -> Address | None:
    peer = party.peers.find(transfer.peer)
    try:
        return read_address(transfer.address, peer.address)
    except BadData:
        return None


def _refused(peer: str, status: int, body: bytes) -> Denied | Unreachable:
    """Why a partner gives no token, in its own words as far as they can be shown."""
    try:
        said = json.loads(body)
        code, reason = str(said["code"])[:60], str(said["reason"][0])[:300]
    except (ValueError, KeyError, IndexError, TypeError):
        code, reason = "", ""
    if status in (401, 403, 404, 409, 400) and reason:
        return Denied(f"{peer} does not let us in: {reason}", peer, "ask its officers", code)
    return Unreachable(f"{peer} gave no token ({status})", peer, "try again later")
