"""Our own steps in a negotiation: what an officer decides, and what follows by itself.

Each function is one transaction: the step, its message, its place in the outbox and its entry in the ledger stand together or not at
all. The courier is told afterwards; when the other city hears it does not matter to what was decided here.

    request    consumer   a new negotiation about a dataset, over an offer of the catalogue or over other terms
    propose    provider   a new negotiation, begun by an offer
    counter    consumer   other terms, after an offer                 offer      provider   (other) terms, after a request
    accept     consumer   the last offer                              agree      provider   the agreement, signed
    verify     consumer   the agreement, signed too (goes by itself)  finalize   provider   it is in force (goes by itself)
    terminate  either     with reasons

All raise NotFound (no such negotiation or peer), WrongState (not now, or not this side), BadContent (what the hooks found), Denied (a
peer without pinned keys), StorageFailed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import uuid4

from sqlalchemy import Connection

from twintown.exchange import messages, outbox, rows, schemas
from twintown.exchange.hooks import Findings, Policy
from twintown.exchange.negotiation import Event, Negotiation, Role, step
from twintown.exchange.party import Party
from twintown.exchange.transfer_process import Transfer
from twintown.ground.errors import BadContent, Denied, WrongState
from twintown.store.engine import writing
from twintown.trust.ledger import record_in
from twintown.trust.peers import Peer
from twintown.trust.proof import canonical

Author = Mapping[str, Any]
#: Who takes the steps that go by themselves.
SERVER: Author = {"name": "twintown", "kind": "server", "verified": True}
#: Under which kind a step is entered into the ledger; the hook enters what is in force.
LEDGER: Mapping[Event, str] = {"agree": "agreement", "verify": "agreement", "finalize": "agreement"}
_PATHS: Mapping[Event, str] = {
    "request": "request", "offer": "offers", "accept": "events", "agree": "agreement", "verify": "agreement/verification",
    "finalize": "events", "terminate": "termination",
}  # fmt: skip


def request(
    party: Party, peer: str, dataset: str, offer: Policy, author: Author, now: datetime
) -> Negotiation:
    """Begin as consumer. `peer`: id or DID; `offer`: ODRL, with the `@id` of the catalogue's offer; its target is set."""
    return _begin(party, peer, "consumer", dataset, offer, author, now)


def propose(
    party: Party, peer: str, dataset: str, offer: Policy, author: Author, now: datetime
) -> Negotiation:
    """Begin as provider."""
    return _begin(party, peer, "provider", dataset, offer, author, now)


def counter(party: Party, pid: str, offer: Policy, author: Author, now: datetime) -> Negotiation:
    """As consumer ask for other terms than were offered."""
    return _say(party, pid, "request", offer, author, now)


def offer(party: Party, pid: str, offer: Policy, author: Author, now: datetime) -> Negotiation:
    """As provider offer terms, the requested or others."""
    return _say(party, pid, "offer", offer, author, now)


def accept(party: Party, pid: str, author: Author, now: datetime) -> Negotiation:
    """As consumer accept the last offer."""

    def taken(connection: Connection, before: Negotiation) -> Negotiation:
        after, body = step(before, "accept", before.role), messages.event(before, "ACCEPTED")
        return _write(connection, party, before, after, "accept", body, author, now)

    return _go(party, pid, taken)


def agree(party: Party, pid: str, author: Author, now: datetime) -> Negotiation:
    """As provider sign an agreement over what was requested, or over our accepted offer."""

    def taken(connection: Connection, before: Negotiation) -> Negotiation:
        after = step(before, "agree", before.role)
        policy = party.hooks.agreement(connection, party.twin, before, author, now)
        after, body = replace(after, agreement=policy), messages.agreement(before, policy)
        return _write(connection, party, before, after, "agree", body, author, now)

    return _go(party, pid, taken)


def verify(party: Party, pid: str, now: datetime, author: Author = SERVER) -> Negotiation:
    """As consumer sign the agreement too; it was checked when it came."""
    return _go(party, pid, lambda connection, before: verify_in(connection, party, before, now, author))


def verify_in(
    connection: Connection, party: Party, before: Negotiation, now: datetime, author: Author = SERVER
) -> Negotiation:
    """`verify` inside a transaction of the caller's, who wakes the party afterwards."""
    after = step(before, "verify", before.role)
    body = messages.verification(before, party.hooks.verification(connection, party.twin, before, now))
    return _write(connection, party, before, after, "verify", body, author, now)


def finalize(party: Party, pid: str, now: datetime, author: Author = SERVER) -> Negotiation:
    """As provider put the agreement in force; both signatures were checked."""
    return _go(party, pid, lambda connection, before: finalize_in(connection, party, before, now, author))


def finalize_in(
    connection: Connection, party: Party, before: Negotiation, now: datetime, author: Author = SERVER
) -> Negotiation:
    """`finalize` inside a transaction of the caller's, who wakes the party afterwards."""
    after = step(before, "finalize", before.role)
    in_force(connection, party, after, now)
    return _write(
        connection, party, before, after, "finalize", messages.event(before, "FINALIZED"), author, now
    )


def terminate(
    party: Party, pid: str, author: Author, now: datetime, reason: Sequence[str] = (), code: str = "ended"
) -> Negotiation:
    """End it. A consumer who has signed the agreement waits for it to be in force and ends that."""

    def taken(connection: Connection, before: Negotiation) -> Negotiation:
        after = step(before, "terminate", before.role)
        if before.role == "consumer" and before.state == "VERIFIED" and not party.test:
            # the provider may have put it in force already, and would know of an agreement that we do not
            raise WrongState(
                "we have signed this agreement", pid, "wait until it is in force, then end the agreement"
            )
        after = replace(after, error={"code": code, "reason": list(reason)})
        body = messages.termination(before, code, reason)
        return _write(connection, party, before, after, "terminate", body, author, now)

    return _go(party, pid, taken)


def in_force(connection: Connection, party: Party, after: Negotiation, now: datetime) -> None:
    """Both have signed: the agreement becomes a row, with the verification message beside it."""
    found = rows.messages_of(connection, party.twin.tables.twin, after.pid)
    signed = [one.body for one in found if one.type == "ContractAgreementVerificationMessage"]
    party.hooks.on_agreement(connection, party.twin, after, signed[-1] if signed else {}, now)


def good(findings: Findings, what: str, where: str) -> None:
    """Raise BadContent where there are findings."""
    if findings:
        raise BadContent(
            f"{what}: {findings[0]}",
            where,
            "see the profile of offers",
            tuple(("", 0, one) for one in findings),
        )


def recorded(
    connection: Connection, party: Party, after: Negotiation, event: Event, by: Role, body: Mapping[str, Any], now: datetime
) -> None:  # fmt: skip
    """Enter a step into the ledger: between whom, about what, by the digest of its message."""
    record = {
        "negotiation": after.pid, "step": event, "by": by, "role": after.role, "peer": after.peer, "dataset": after.dataset,
        "state": after.state, "message": digest_of(body),
    }  # fmt: skip
    record_in(connection, party.twin.tables, LEDGER.get(event, "offer"), record, now)


def digest_of(body: Mapping[str, Any]) -> str:
    """`sha-256:` and the digest of a message's canonical form (RFC 8785)."""
    return f"sha-256:{hashlib.sha256(canonical(dict(body))).hexdigest()}"


def reachable(party: Party, name: str) -> Peer:
    """A peer that may be talked to. Raises NotFound, Denied."""
    peer = party.peers.find(name)
    if not peer.keys and not party.test:
        raise Denied(
            f"{peer.id} has no pinned key",
            f"peers.{peer.id}",
            "ask its officers for one: `twintown peer pin`",
        )
    return peer


def new_pid() -> str:
    """A name that no other negotiation or transfer has."""
    return f"urn:uuid:{uuid4()}"


def _begin(
    party: Party, name: str, role: Role, dataset: str, offer: Policy, author: Author, now: datetime
) -> Negotiation:
    peer = reachable(party, name)
    event: Event = "request" if role == "consumer" else "offer"
    before = Negotiation(new_pid(), role, peer.did, callback=party.dsp_of(peer), dataset=dataset)
    said = {**offer, "target": dataset}

    write = messages.contract_request if role == "consumer" else messages.contract_offer
    with writing(party.twin.tables.engine, fresh=True) as connection:
        found = party.hooks.on_offer(connection, party.twin, before, said, role, now)
        good(found, "this cannot be offered", "offer")
        after = replace(step(before, event, role), offer=said)
        body = write(before, said, party.dsp)
        _write(connection, party, before, after, event, body, author, now)
    return told(party, after)


def _say(party: Party, pid: str, event: Event, policy: Policy, author: Author, now: datetime) -> Negotiation:
    write = messages.contract_request if event == "request" else messages.contract_offer

    def taken(connection: Connection, before: Negotiation) -> Negotiation:
        after = step(before, event, before.role)
        said = {**policy, "target": before.dataset}
        found = party.hooks.on_offer(connection, party.twin, before, said, before.role, now)
        good(found, "this cannot be offered", "offer")
        after, body = replace(after, offer=said), write(before, said)
        return _write(connection, party, before, after, event, body, author, now)

    return _go(party, pid, taken)


def _go(party: Party, pid: str, taken: Callable[[Connection, Negotiation], Negotiation]) -> Negotiation:
    with writing(party.twin.tables.engine, fresh=True) as connection:
        after = taken(connection, rows.negotiation(connection, party.twin.tables.twin, pid))
    return told(party, after)


def _write(
    connection: Connection, party: Party, before: Negotiation, after: Negotiation, event: Event, body: dict[str, Any],
    author: Author, now: datetime,
) -> Negotiation:  # fmt: skip
    twin, mark = party.twin.tables.twin, new_pid()
    body["@id"] = mark
    schemas.check(body, str(body["@type"]))
    rows.keep(connection, twin, after, now)
    seq = rows.add_message(connection, twin, after, "out", body, author, mark, now)
    process = "{peer_pid}/" if before.state else ""
    url = f"{after.callback}/negotiations/{process}{_PATHS[event]}"
    outbox.put(connection, twin, after.pid, seq, after.peer, url, body, mark, now)
    recorded(connection, party, after, event, after.role, body, now)
    return after


P = TypeVar("P", Negotiation, Transfer)


def told(party: Party, after: P) -> P:
    """Say to whoever waits for it that something was committed."""
    party.twin.watch.touch()
    party.wake()
    return after
