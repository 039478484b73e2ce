"""Steps of the other city: a message that came is checked, taken once, and answered with the state that it led to.

A message is taken in one transaction: its token's mark (`trust.seen`), the step, what the hooks write, the ledger's entry. The same
message again (the same `@id`, whoever lost the first answer) is answered as it was the first time and changes nothing. What is refused
is refused by name, and recorded by whoever answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

from sqlalchemy import Connection

from twintown.exchange import negotiation as contracts
from twintown.exchange import outbox, rows, transferring
from twintown.exchange import transfer_process as transfers
from twintown.exchange.negotiating import finalize_in, good, in_force, new_pid, recorded, told, verify_in
from twintown.exchange.negotiation import Negotiation, Role, other
from twintown.exchange.party import Party
from twintown.exchange.transfer_process import Transfer
from twintown.ground.errors import BadContent, BadParameter, NotFound, WrongState
from twintown.store.engine import writing
from twintown.trust.assertions import Issuer
from twintown.trust.peers import Peer
from twintown.trust.seen import take_in

Body = Mapping[str, Any]
Process = TypeVar("Process", Negotiation, Transfer)
#: Longest name that a peer may give to a negotiation or a transfer.
_LONGEST = 80
_PATH = re.compile(r"(/[A-Za-z0-9_~!$&'()*+,;=:@-][A-Za-z0-9._~!$&'()*+,;=:@-]*)*")


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent a message, and what proves it; `issuer` is none in the test profile only."""

    peer: Peer
    issuer: Issuer | None


def requested(party: Party, sender: Sender, body: Body, now: datetime) -> Negotiation:
    """A `ContractRequestMessage` that begins a negotiation; we are the provider."""
    return _begun(party, sender, body, "request", now)


def proposed(party: Party, sender: Sender, body: Body, now: datetime) -> Negotiation:
    """A `ContractOfferMessage` that begins a negotiation; we are the consumer."""
    return _begun(party, sender, body, "offer", now)


def negotiated(
    party: Party, sender: Sender, pid: str, event: contracts.Event, body: Body, now: datetime
) -> Negotiation:
    """Any further message of a negotiation.

    Raises:
        NotFound: there is none of that name with that city.
        BadParameter: the message names other pids.
        WrongState, BadContent: see `negotiating`.
        BadAssertion: its token came before.
    """

    def taken(connection: Connection, before: Negotiation) -> Negotiation:
        return _negotiation_step(connection, party, before, event, body, now)

    with writing(party.twin.tables.engine, fresh=True) as connection:
        take(connection, party, sender, now)
        found = rows.negotiation(connection, party.twin.tables.twin, pid)
        after = _further(connection, party, sender, found, body, now, taken)
    return told(party, after)


def transfer_requested(party: Party, sender: Sender, body: Body, now: datetime) -> Transfer:
    """A `TransferRequestMessage`; we are the provider."""
    twin, peer_pid = party.twin.tables.twin, _pid(body, "consumerPid")
    callback = callback_of(party, sender.peer, body)
    peer = callback if party.test else sender.peer.did
    with writing(party.twin.tables.engine, fresh=True) as connection:
        take(connection, party, sender, now)
        known = rows.transfer_of(connection, twin, "provider", peer, peer_pid)
        if known is not None:
            return _again(connection, party, known, body)
        before = Transfer(
            new_pid(), "provider", peer, str(body["agreementId"]), str(body["format"]), peer_pid, callback
        )  # fmt: skip
        found = party.hooks.on_transfer_request(connection, party.twin, before, "consumer", now)
        good(found, "this is not transferred", "agreementId")
        after = transfers.step(before, "request", "consumer")
        _keep(connection, party, after, body, now)
        party.hooks.on_transfer(connection, party.twin, after, now)
        if not party.test:
            transferring.give_in(connection, party, after, now)
    return told(party, after)


def transferred(
    party: Party, sender: Sender, pid: str, event: transfers.Event, body: Body, now: datetime
) -> Transfer:
    """Any further message of a transfer. Raises like `negotiated`."""

    def taken(connection: Connection, before: Transfer) -> Transfer:
        after = replace(transfers.step(before, event, other(before.role)), error=_error(body))
        if before.role == "consumer" and event == "start" and body.get("dataAddress"):
            after = replace(after, address=dict(body["dataAddress"]))
        elif after.state in transfers.FINAL:
            after = replace(after, address=None)
        _keep(connection, party, after, transferring.without_token(body), now)
        party.hooks.on_transfer(connection, party.twin, after, now)
        return after

    with writing(party.twin.tables.engine, fresh=True) as connection:
        take(connection, party, sender, now)
        found = rows.transfer(connection, party.twin.tables.twin, pid)
        after = _further(connection, party, sender, found, body, now, taken)
    return told(party, after)


def negotiation_for(party: Party, sender: Sender, pid: str, now: datetime) -> Negotiation:
    """A negotiation as the city that it is with may see it. Raises NotFound, BadAssertion."""
    with writing(party.twin.tables.engine, fresh=True) as connection:
        take(connection, party, sender, now)
        return _theirs(party, sender, rows.negotiation(connection, party.twin.tables.twin, pid))


def transfer_for(party: Party, sender: Sender, pid: str, now: datetime) -> Transfer:
    """A transfer as the city that it is with may see it. Raises NotFound, BadAssertion."""
    with writing(party.twin.tables.engine, fresh=True) as connection:
        take(connection, party, sender, now)
        return _theirs(party, sender, rows.transfer(connection, party.twin.tables.twin, pid))


def _theirs(party: Party, sender: Sender, found: Process) -> Process:
    if found.peer != sender.peer.did and not party.test:
        raise NotFound(f"there is none of the name {found.pid[:80]!r} with you", "pid")
    return found


def callback_of(party: Party, peer: Peer, body: Body) -> str:
    """The address that a message wants its answers sent to: it must be the sender's pinned one, or lie under it.

    Raises:
        BadParameter: it is anywhere else; who follows such an address asks for others what only he can reach.
    """
    said = str(body.get("callbackAddress", "")).rstrip("/")
    parts = urlsplit(said)
    plain = parts.scheme in ("http", "https") and parts.hostname and not (parts.query or parts.fragment)
    if not plain or "@" in parts.netloc or len(said) > 500 or not _PATH.fullmatch(parts.path):
        raise BadParameter("callbackAddress", f"{said[:100]!r} is no plain address of a server")
    if not party.test and said != peer.address and not said.startswith(f"{peer.address}/"):
        raise BadParameter(
            "callbackAddress",
            f"{said[:100]!r} does not lie under the pinned address of {peer.id}",
            remedy=f"let answers come to {party.dsp_of(peer)}",
        )
    return said


def take(connection: Connection, party: Party, sender: Sender, now: datetime) -> None:
    """Take the token of a message, once. Raises BadAssertion."""
    if sender.issuer is not None:
        take_in(connection, party.twin.tables.twin, sender.issuer, now)
        outbox.alive(connection, party.twin.tables.twin, sender.peer.did, now)


def _begun(party: Party, sender: Sender, body: Body, event: contracts.Event, now: datetime) -> Negotiation:
    role: Role = "provider" if event == "request" else "consumer"
    twin, peer_pid = (
        party.twin.tables.twin,
        _pid(body, "consumerPid" if role == "provider" else "providerPid"),
    )
    callback, policy = callback_of(party, sender.peer, body), dict(body["offer"])
    dataset, peer = str(policy.get("target", "")), callback if party.test else sender.peer.did
    with writing(party.twin.tables.engine, fresh=True) as connection:
        take(connection, party, sender, now)
        known = rows.negotiation_of(connection, twin, role, peer, peer_pid)
        if known is not None:
            return _again(connection, party, known, body)
        before = Negotiation(new_pid(), role, peer, peer_pid, callback, dataset=dataset)
        found = party.hooks.on_offer(connection, party.twin, before, policy, other(role), now)
        good(found, "this offer is not taken", "offer")
        after = replace(contracts.step(before, event, other(role)), offer=policy)
        _keep(connection, party, after, body, now)
        recorded(connection, party, after, event, other(role), body, now)
    return told(party, after)


def _negotiation_step(
    connection: Connection,
    party: Party,
    before: Negotiation,
    event: contracts.Event,
    body: Body,
    now: datetime,
) -> Negotiation:
    by = other(before.role)
    after = contracts.step(before, event, by)
    hooks, twin = party.hooks, party.twin
    if event in ("request", "offer"):
        policy = dict(body["offer"])
        if policy.get("target", before.dataset) != before.dataset:
            raise BadParameter("offer.target", "a negotiation is about one dataset", remedy="begin another")
        good(hooks.on_offer(connection, twin, before, policy, by, now), "this offer is not taken", "offer")
        after = replace(after, offer=policy)
    elif event == "agree":
        policy = dict(body["agreement"])
        good(hooks.check_agreement(connection, twin, before, policy, now), "we do not sign this", "agreement")
        after = replace(after, agreement=policy)
    elif event == "verify":
        good(hooks.check_verification(connection, twin, before, body, now), "this does not verify", "message")
    elif event == "terminate":
        after = replace(after, error=_error(body) or {"code": "", "reason": []})
    _keep(connection, party, after, body, now)
    if event == "finalize":
        in_force(connection, party, after, now)
    recorded(connection, party, after, event, by, body, now)
    if not party.test:
        _go_on(connection, party, after, event, now)
    return after


def _go_on(
    connection: Connection, party: Party, after: Negotiation, event: contracts.Event, now: datetime
) -> None:
    """What follows where no person is needed: verify what was agreed, finalize what was verified, ask for the data."""
    if event == "agree":
        verify_in(connection, party, after, now)
    elif event == "verify":
        finalize_in(connection, party, after, now)
    elif event == "finalize" and after.agreement is not None:
        with suppress(BadContent):  # it begins later, or is over already: then somebody asks when it is time
            agreement = str(after.agreement.get("@id", ""))
            transferring.ask_in(connection, party, party.peers.find(after.peer), agreement, now)


def _further(
    connection: Connection,
    party: Party,
    sender: Sender,
    found: Process,
    body: Body,
    now: datetime,
    taken: Callable[[Connection, Process], Process],
) -> Process:
    _theirs(party, sender, found)
    mine, theirs = (
        ("consumerPid", "providerPid") if found.role == "consumer" else ("providerPid", "consumerPid")
    )
    if _pid(body, mine) != found.pid:
        raise BadParameter(mine, "the message names another process than the address does")
    if found.peer_pid and _pid(body, theirs) != found.peer_pid:
        raise BadParameter(theirs, "the message does not name your side as you did before")
    past = rows.messages_of(connection, party.twin.tables.twin, found.pid)
    before = rows.came_before(past, _mark(body))
    if before is not None:
        _same(before, body)
        return replace(found, state=before.state)  # type: ignore[arg-type]  # a row's text: one of the states, as it was written
    return taken(connection, replace(found, peer_pid=_pid(body, theirs)))


def _again(connection: Connection, party: Party, known: Process, body: Body) -> Process:
    """The message that began it came again; any other one with its pid is wrong."""
    past = rows.messages_of(connection, party.twin.tables.twin, known.pid)
    before = rows.came_before(past[:1], _mark(body))
    if before is not None:
        _same(before, body)
    else:
        raise WrongState("there is one of that name already", _pid_of(known), "send further messages to it")
    return replace(known, state=before.state)  # type: ignore[arg-type]  # as above


def _same(before: rows.Message, body: Body) -> None:
    """Raise BadParameter where a message calls itself by the name of another one."""
    if dict(before.body) != transferring.without_token(body):
        raise BadParameter("@id", "another message had that name", remedy="give each message its own")


def _pid_of(process: Negotiation | Transfer) -> str:
    return process.peer_pid


def _keep(
    connection: Connection, party: Party, after: Negotiation | Transfer, body: Body, now: datetime
) -> None:
    twin = party.twin.tables.twin
    author = {"name": after.peer, "kind": "peer", "verified": not party.test}
    rows.keep(connection, twin, after, now)
    rows.add_message(connection, twin, after, "in", body, author, _mark(body), now)


def _mark(body: Body) -> str:
    said = body.get("@id", "")
    return said if isinstance(said, str) and len(said) <= _LONGEST else ""


def _pid(body: Body, name: str) -> str:
    said = str(body.get(name, ""))
    if not 0 < len(said) <= _LONGEST:
        raise BadParameter(name, f"a name has 1 to {_LONGEST} characters")
    return said


def _error(body: Body) -> dict[str, Any] | None:
    if "code" not in body and "reason" not in body:
        return None
    reason = body.get("reason", [])
    texts = (
        [one if isinstance(one, str) else str(one) for one in reason][:20] if isinstance(reason, list) else []
    )
    return {"code": str(body.get("code", ""))[:80], "reason": [text[:500] for text in texts]}
