"""Our own steps in a transfer: asking for the data, giving the address with its token, suspending, going on, ending.

    start_transfer    consumer   ask (goes by itself when an agreement is in force)
    give              provider   start, with a data address (goes by itself)
    suspend_transfer  either     stand still          resume_transfer  either     go on, by the provider with a new token
    complete_transfer either     done                 end_transfer     either     ended before it was done

Each is one transaction, like the steps of `negotiating`, and raises the same. Data addresses hold tokens: no message of ours that holds
one is kept beyond the outbox. What is entered into the ledger the hook says (`on_transfer`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from twintown.exchange import messages, outbox, rows, schemas
from twintown.exchange.negotiating import SERVER, Author, good, new_pid, reachable, told
from twintown.exchange.party import Party
from twintown.exchange.transfer_process import Event, Transfer, step
from twintown.store.engine import writing
from twintown.trust.peers import Peer

_PATHS: Mapping[Event, str] = {
    "request": "request", "start": "start", "suspend": "suspension", "complete": "completion", "terminate": "termination",
}  # fmt: skip


def start_transfer(
    party: Party,
    peer: str,
    agreement: str,
    now: datetime,
    author: Author = SERVER,
    format: str = messages.FORMAT,
) -> Transfer:
    """As consumer ask for the data of an agreement."""
    other = reachable(party, peer)
    with writing(party.twin.tables.engine, fresh=True) as connection:
        after = ask_in(connection, party, other, agreement, now, author, format)
    return told(party, after)


def ask_in(
    connection: Connection, party: Party, peer: Peer, agreement: str, now: datetime, author: Author = SERVER,
    format: str = messages.FORMAT,
) -> Transfer:  # fmt: skip
    """`start_transfer` inside a transaction of the caller's, who wakes the party afterwards."""
    before = Transfer(new_pid(), "consumer", peer.did, agreement, format, callback=party.dsp_of(peer))
    found = party.hooks.on_transfer_request(connection, party.twin, before, "consumer", now)
    good(found, "nothing is transferred", agreement)
    body = messages.transfer_request(before, party.dsp)
    return _write(
        connection, party, before, step(before, "request", "consumer"), "request", body, author, now
    )


def give(party: Party, pid: str, now: datetime, author: Author = SERVER) -> Transfer:
    """As provider start what was requested."""
    return _go(party, pid, lambda connection, before: give_in(connection, party, before, now, author))


def give_in(
    connection: Connection, party: Party, before: Transfer, now: datetime, author: Author = SERVER
) -> Transfer:
    """`give` and `resume_transfer` inside a transaction of the caller's, who wakes the party afterwards."""
    after, address = replace(step(before, "start", before.role), error=None), None
    if before.role == "provider":
        found = party.hooks.on_transfer_request(connection, party.twin, before, "provider", now)
        good(found, "nothing is transferred", before.agreement)
        address = party.hooks.data_address(connection, party.twin, before, now)
    body = messages.transfer_start(before, address)
    return _write(connection, party, before, after, "start", body, author, now)


def resume_transfer(party: Party, pid: str, now: datetime, author: Author = SERVER) -> Transfer:
    """Let a suspended transfer go on. A consumer's old token stays dead: it had better ask for another transfer."""
    return give(party, pid, now, author)


def suspend_transfer(
    party: Party,
    pid: str,
    now: datetime,
    author: Author = SERVER,
    reason: Sequence[str] = (),
    code: str = "suspended",
) -> Transfer:
    """Let a transfer stand still; its token is dead at once."""
    return _stop(party, pid, "suspend", author, now, reason, code)


def complete_transfer(party: Party, pid: str, now: datetime, author: Author = SERVER) -> Transfer:
    """Say that it is done."""
    return _stop(party, pid, "complete", author, now, (), "")


def end_transfer(
    party: Party,
    pid: str,
    now: datetime,
    author: Author = SERVER,
    reason: Sequence[str] = (),
    code: str = "ended",
) -> Transfer:
    """End it before it was done; its token is dead at once."""
    return _stop(party, pid, "terminate", author, now, reason, code)


def stop_in(
    connection: Connection,
    party: Party,
    agreement: str,
    event: Event,
    now: datetime,
    author: Author,
    reason: Sequence[str],
) -> list[Transfer]:
    """The red button, inside the transaction that pulls it: suspend or terminate what goes on under an agreement.

    Tell the party afterwards (`party.wake()`).
    """
    stopped = []
    for before in rows.transfers_in(connection, party.twin.tables.twin, agreement=agreement):
        if event in ("suspend", "terminate") and before.state in _STOPPABLE[event]:
            stopped.append(
                _stopped(connection, party, before, event, author, now, reason, f"agreement-{event}")
            )
    return stopped


_STOPPABLE: Mapping[Event, tuple[str, ...]] = {
    "suspend": ("STARTED",),
    "terminate": ("REQUESTED", "STARTED", "SUSPENDED"),
}


def without_token(body: Mapping[str, Any]) -> dict[str, Any]:
    """A message as it is kept: the data address without its properties, which hold the token."""
    address = body.get("dataAddress")
    if not isinstance(address, Mapping):
        return dict(body)
    plain = {name: value for name, value in address.items() if name != "endpointProperties"}
    return {**body, "dataAddress": plain}


def _stop(
    party: Party, pid: str, event: Event, author: Author, now: datetime, reason: Sequence[str], code: str
) -> Transfer:
    return _go(
        party,
        pid,
        lambda connection, before: _stopped(connection, party, before, event, author, now, reason, code),
    )


def _stopped(
    connection: Connection, party: Party, before: Transfer, event: Event, author: Author, now: datetime,
    reason: Sequence[str], code: str,
) -> Transfer:  # fmt: skip
    after = step(before, event, before.role)
    if event == "complete":
        body = messages.transfer_completion(before)
    else:
        write = messages.transfer_suspension if event == "suspend" else messages.termination
        body = write(before, code, reason)
        after = replace(after, error={"code": code, "reason": list(reason)})
    after = replace(after, address=after.address if event == "suspend" else None)
    return _write(connection, party, before, after, event, body, author, now)


def _go(party: Party, pid: str, taken: Callable[[Connection, Transfer], Transfer]) -> Transfer:
    with writing(party.twin.tables.engine, fresh=True) as connection:
        after = taken(connection, rows.transfer(connection, party.twin.tables.twin, pid))
    return told(party, after)


def _write(
    connection: Connection, party: Party, before: Transfer, after: Transfer, event: Event, body: dict[str, Any], author: Author,
    now: datetime,
) -> Transfer:  # fmt: skip
    twin, mark = party.twin.tables.twin, new_pid()
    body["@id"] = mark
    schemas.check(body, str(body["@type"]))
    rows.keep(connection, twin, after, now)
    seq = rows.add_message(connection, twin, after, "out", without_token(body), author, mark, now)
    process = "{peer_pid}/" if before.state else ""
    url = f"{after.callback}/transfers/{process}{_PATHS[event]}"
    outbox.put(connection, twin, after.pid, seq, after.peer, url, body, mark, now)
    party.hooks.on_transfer(connection, party.twin, after, now)
    return after
