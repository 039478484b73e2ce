"""What the handshake asks of those who know what is shared: offers, their meaning, signatures, tokens. The roof wires it.

The messages and their order are the Dataspace Protocol's (`negotiating`, `transferring`, `receiving`); what an offer *means* is not
decided there. Every function is called inside the transaction of the step that it belongs to, with its `connection`
(`store.engine.writing`): what it writes stands or falls with the step; what it raises undoes the step.

**Findings** are short sentences that may be shown to the other city; none means that it is good.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Connection

from twintown.exchange.negotiation import Negotiation, Role
from twintown.exchange.transfer_process import Transfer
from twintown.twin.layers import Twin

Policy = Mapping[str, Any]
Findings = tuple[str, ...]


@dataclass(frozen=True)
class Offered:
    """A dataset in the catalogue with the offers that the asking city may take.

    Attributes:
        dataset: its id.
        policies: ODRL offers (`@id`, `@type`, `permission`, …), without `target`; at least one.
        title, description: by language.
        about: further DCAT or DCTERMS members, in compact form.
    """

    dataset: str
    policies: Sequence[Policy]
    title: Mapping[str, str] = field(default_factory=dict)
    description: Mapping[str, str] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)


class Hooks(Protocol):
    """What the handshake asks."""

    def offered(self, connection: Connection, twin: Twin, peer: str, now: datetime) -> Sequence[Offered]:
        """What is offered to a city (its DID) now: the catalogue's content."""

    def on_offer(
        self,
        connection: Connection,
        twin: Twin,
        negotiation: Negotiation,
        policy: Policy,
        by: Role,
        now: datetime,
    ) -> Findings:
        """What speaks against an ODRL offer that one side says (`by`): not in our profile, an unknown dataset, not the other's to ask.

        Called for every request, counter-request and offer, ours too, before the step is taken; `negotiation` is the one before it
        (its `offer` is what was said last, None for the first).
        """

    def agreement(
        self,
        connection: Connection,
        twin: Twin,
        negotiation: Negotiation,
        author: Mapping[str, Any],
        now: datetime,
    ) -> Policy:
        """The ODRL agreement over the last offer, signed by us, the provider: what the agreement message carries."""

    def check_agreement(
        self, connection: Connection, twin: Twin, negotiation: Negotiation, agreement: Policy, now: datetime
    ) -> Findings:
        """What speaks against the agreement that the provider sent: other terms than offered, a signature that does not hold."""

    def verification(
        self, connection: Connection, twin: Twin, negotiation: Negotiation, now: datetime
    ) -> Mapping[str, Any]:
        """Further members of our verification message: the consumer's signature over `negotiation.agreement`."""

    def check_verification(
        self,
        connection: Connection,
        twin: Twin,
        negotiation: Negotiation,
        message: Mapping[str, Any],
        now: datetime,
    ) -> Findings:
        """What speaks against the consumer's verification message: its signature does not hold over what we sent."""

    def on_agreement(
        self,
        connection: Connection,
        twin: Twin,
        negotiation: Negotiation,
        verification: Mapping[str, Any],
        now: datetime,
    ) -> None:
        """Both have signed and the negotiation is FINALIZED: write the row of `agreements` and the ledger's entry.

        Args:
            negotiation: with `agreement` as the provider signed it.
            verification: the verification message, with what `verification` put into it.
        """

    def on_transfer_request(
        self, connection: Connection, twin: Twin, transfer: Transfer, by: Role, now: datetime
    ) -> Findings:
        """What speaks against a transfer: no such agreement with that city, not in force, a format that it does not give."""

    def data_address(
        self, connection: Connection, twin: Twin, transfer: Transfer, now: datetime
    ) -> Mapping[str, Any]:
        """The DSP DataAddress from which the consumer reads, with a new token that is bound to the agreement; provider only.

        Called each time the transfer starts, after a suspension too.
        """

    def on_transfer(self, connection: Connection, twin: Twin, transfer: Transfer, now: datetime) -> None:
        """A transfer has come into another state: the provider's token is good only while it is STARTED."""
