"""The test profile: seeded data sets and agreements that each play a part, so that the public kit of the protocol can be run against us.

The kit (Eclipse Dataspace TCK for DSP 2025-1) names a data set or an agreement for each of its scenarios and expects the connector under
test to take certain steps by itself: to offer, to agree, to end. Which ones stands in `PARTS`, by the ids of the kit's sample
configuration. Any caller is taken, nothing real lies behind, and every step waits a moment, because the kit is not ready for the next
message while it still reads our last answer. Never switched on by default; see TWINTOWN_DSP_TEST.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, select

from twintown.exchange import negotiating, rows, transferring
from twintown.exchange.hooks import Findings, Offered, Policy
from twintown.exchange.negotiation import Negotiation, Role
from twintown.exchange.party import Party
from twintown.exchange.transfer_process import Transfer
from twintown.ground.errors import WrongState
from twintown.store.engine import reading
from twintown.store.schema_shared import outbox
from twintown.trust.assertions import KnownKey
from twintown.trust.peers import Peer
from twintown.twin.layers import Twin

#: How long a step waits after the last message, seconds; a second own step after a first one waits longer.
PAUSE_S, LONGER_S = 0.6, 1.5
Part = tuple[tuple[str, str], ...]
_OFFER: Part = (("REQUESTED", "offer"),)
_AGREE: Part = (("REQUESTED", "agree"),)
_START: Part = (("REQUESTED", "start"),)
_ACCEPT: Part = (("OFFERED", "accept"),)
_VERIFY: Part = (("AGREED", "verify"),)
_END: Part = (("REQUESTED", "terminate"),)
#: By data set (negotiations) or agreement (transfers): in which state which own step comes next.
PARTS: Mapping[str, Part] = {
    # we provide
    "ACN0101": _OFFER, "ACN0102": (*_OFFER, *_END), "ACN0103": (*_OFFER, ("ACCEPTED", "agree"), ("VERIFIED", "finalize")),
    "ACN0104": (*_AGREE, ("VERIFIED", "finalize")), "ACN0201": _END, "ACN0202": (), "ACN0203": _AGREE, "ACN0204": _OFFER,
    "ACN0205": (*_OFFER, ("OFFERED", "terminate")), "ACN0206": (*_OFFER, ("ACCEPTED", "terminate")),
    "ACN0207": (*_AGREE, ("VERIFIED", "terminate")), "ACN0301": (*_AGREE, ("VERIFIED", "finalize")), "ACN0302": _OFFER,
    "ACN0303": _OFFER, "ACN0304": _OFFER,
    "ATP0101": (*_START, ("STARTED", "terminate")), "ATP0102": (*_START, ("STARTED", "complete")),
    "ATP0103": (*_START, ("STARTED", "suspend"), ("SUSPENDED", "terminate")),
    "ATP0104": (*_START, ("STARTED", "suspend"), ("SUSPENDED", "start"), ("STARTED", "complete")), "ATP0105": _END,
    "ATP0201": _START, "ATP0202": _START, "ATP0203": _START, "ATP0204": _START, "ATP0205": (), "ATP0301": (), "ATP0302": (),
    "ATP0303": _START, "ATP0304": _START, "ATP0305": _START, "ATP0306": _START,
    # we consume
    "ACNC0101": (*_ACCEPT, *_VERIFY), "ACNC0102": (("OFFERED", "request"),), "ACNC0103": (("OFFERED", "terminate"),),
    "ACNC0104": _VERIFY, "ACNC0201": (), "ACNC0202": _END, "ACNC0203": (("AGREED", "terminate"),), "ACNC0204": (),
    "ACNC0205": _ACCEPT, "ACNC0206": _VERIFY, "ACNC0301": (), "ACNC0302": (), "ACNC0303": (), "ACNC0304": _ACCEPT,
    "ACNC0305": _ACCEPT, "ACNC0306": _ACCEPT,
    "ATPC0101": (), "ATPC0102": (), "ATPC0103": (), "ATPC0104": (), "ATPC0105": (), "ATPC0201": (("STARTED", "terminate"),),
    "ATPC0202": (("STARTED", "complete"),), "ATPC0203": (("STARTED", "suspend"), ("SUSPENDED", "terminate")),
    "ATPC0204": (("STARTED", "suspend"), ("SUSPENDED", "start"), ("STARTED", "complete")), "ATPC0205": _END,
    "ATPC0301": (), "ATPC0302": (), "ATPC0303": (), "ATPC0304": (), "ATPC0305": (), "ATPC0306": (),
}  # fmt: skip
#: What the catalogue shows: its own two, and every data set that we provide in a negotiation.
DATASETS = ("CAT0101", "CAT0102", *(name for name in PARTS if name.startswith("ACN0")))


def offer_id(dataset: str) -> str:
    """The id of a data set's offer, as the kit's sample configuration names it."""
    return f"CD123:{dataset}:456"


class Rehearsed:
    """The hooks of the test profile: everything of the seeded names is good, nothing is written."""

    def offered(self, connection: Connection, twin: Twin, peer: str, now: datetime) -> Sequence[Offered]:
        """The seeded data sets."""
        return [Offered(name, [_policy(offer_id(name), "Offer")]) for name in DATASETS]

    def on_offer(
        self,
        connection: Connection,
        twin: Twin,
        negotiation: Negotiation,
        policy: Policy,
        by: Role,
        now: datetime,
    ) -> Findings:
        """A data set that plays no part is not known."""
        return (
            () if str(policy.get("target", negotiation.dataset)) in PARTS else ("there is no such data set",)
        )

    def agreement(
        self,
        connection: Connection,
        twin: Twin,
        negotiation: Negotiation,
        author: Mapping[str, Any],
        now: datetime,
    ) -> Policy:
        """An agreement that says nothing."""
        return {
            **_policy(f"urn:uuid:{uuid4()}", "Agreement"), "target": negotiation.dataset, "assigner": "urn:twintown:test",
            "assignee": "urn:twintown:kit", "timestamp": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }  # fmt: skip

    def check_agreement(self, *_: object) -> Findings:
        """Every agreement is good."""
        return ()

    def verification(self, *_: object) -> Mapping[str, Any]:
        """Nothing is signed."""
        return {}

    def check_verification(self, *_: object) -> Findings:
        """Every verification is good."""
        return ()

    def on_agreement(self, *_: object) -> None:
        """Nothing follows."""

    def on_transfer_request(
        self, connection: Connection, twin: Twin, transfer: Transfer, by: Role, now: datetime
    ) -> Findings:
        """An agreement that plays no part is not known."""
        return () if transfer.agreement in PARTS else ("there is no such agreement",)

    def data_address(
        self, connection: Connection, twin: Twin, transfer: Transfer, now: datetime
    ) -> Mapping[str, Any]:
        """An address behind which nothing lies."""
        return {
            "@type": "DataAddress", "endpointType": "https://w3id.org/idsa/v4.1/HTTP", "endpoint": "https://example.invalid/nothing",
            "endpointProperties": [{"@type": "EndpointProperty", "name": "authorization", "value": "none"}],
        }  # fmt: skip

    def on_transfer(self, *_: object) -> None:
        """Nothing follows."""


class Anybody:
    """Whoever the kit says that it is: a peer is known by the address that it names."""

    def find(self, name: str) -> Peer:
        """The peer at that address."""
        return Peer("kit", name.rstrip("/"), name.rstrip("/"))

    def keys_of(self, did: str) -> Sequence[KnownKey]:
        """None are asked for."""
        return ()


def play(party: Party, now: datetime) -> float | None:
    """Take the steps that are due.

    Returns:
        seconds until there may be another one; None where nobody waits for a step of ours.
    """
    twin, waits = party.twin.tables.twin, list[float]()
    with reading(party.twin.tables.engine) as connection:
        processes: list[Negotiation | Transfer] = [
            *rows.negotiations_in(connection, twin), *rows.transfers_in(connection, twin)
        ]  # fmt: skip
        due = [(one, _next(connection, twin, one)) for one in processes]
    for one, (event, since, own) in due:
        if event:
            left = (LONGER_S if own else PAUSE_S) - (now - since).total_seconds()
            if left > 0:
                waits.append(left)
            else:
                _take(party, one, event, now)
                waits.append(LONGER_S)
    return min(waits) if waits else None


def _next(connection: Connection, twin: str, one: Negotiation | Transfer) -> tuple[str, datetime, bool]:
    """Which step comes next ("" for none), when the last message was, and whether that was ours."""
    part = PARTS.get(one.dataset if isinstance(one, Negotiation) else one.agreement, ())
    nothing = "", datetime.min.replace(tzinfo=UTC), False
    if not part or one.state in ("FINALIZED", "TERMINATED", "COMPLETED"):
        return nothing
    said = rows.messages_of(connection, twin, one.pid)
    taken = sum(message.way == "out" for message in said) - (one.role == "consumer")
    waiting = (
        outbox.c.twin == twin,
        outbox.c.of == one.pid,
        outbox.c.delivered.is_(None),
        outbox.c.given_up.is_(None),
    )
    if (
        taken >= len(part)
        or part[taken][0] != one.state
        or connection.execute(select(outbox.c.id).where(*waiting)).first()
    ):
        return nothing
    return part[taken][1], said[-1].at, said[-1].way == "out"


def _take(party: Party, one: Negotiation | Transfer, event: str, now: datetime) -> None:
    author = negotiating.SERVER
    try:
        if isinstance(one, Transfer):
            step = {
                "start": transferring.give, "suspend": transferring.suspend_transfer, "complete": transferring.complete_transfer,
                "terminate": transferring.end_transfer,
            }[event]  # fmt: skip
            step(party, one.pid, now)
        elif event in ("offer", "request"):
            said = negotiating.offer if event == "offer" else negotiating.counter
            said(party, one.pid, _policy(offer_id(one.dataset), "Offer"), author, now)
        elif event in ("accept", "agree", "terminate"):
            done = {
                "accept": negotiating.accept,
                "agree": negotiating.agree,
                "terminate": negotiating.terminate,
            }[event]
            done(party, one.pid, author, now)
        else:
            (negotiating.verify if event == "verify" else negotiating.finalize)(party, one.pid, now)
    except WrongState:  # the kit was quicker
        return


def _policy(id: str, type_: str) -> dict[str, Any]:
    return {"@id": id, "@type": type_, "permission": [{"action": "use"}]}
