"""What an offer, an agreement and a transfer mean to the handshake: the hooks that the protocol's messages call.

A provider lets go of no more than the release gate has seen: what is asked or offered for a dataset must lie within an offer that
stands for that city. A consumer takes no agreement over other terms than were said last. Both sign what both read.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from twintown.exchange import agreement as odrl
from twintown.exchange import offers, partner_tokens
from twintown.exchange.agreement import Deed
from twintown.exchange.agreements import (
    SKEW,
    Actor,
    Agreement,
    agreement_in,
    conclude_in,
    end_in,
    resume_in,
    standing,
    suspend_in,
)
from twintown.exchange.changes import changes, within
from twintown.exchange.hooks import Findings, Offered
from twintown.exchange.negotiation import Negotiation, Role
from twintown.exchange.signing import PROOF, Signature, check_signature, sign_agreement
from twintown.exchange.transfer_process import Transfer
from twintown.ground.errors import BadInput, Conflict, NotFound
from twintown.ground.names import Name
from twintown.jobs.process import processes
from twintown.trust.assertions import KnownKey
from twintown.trust.did import did_of
from twintown.trust.keyring import own_keys
from twintown.trust.keys import Key, signing_key
from twintown.trust.ledger import record_in
from twintown.trust.peer_keys import keys_of
from twintown.trust.terms import Asset
from twintown.twin.layers import Twin

FORMAT = "HttpData-PULL"
#: Codes of a transfer that was stopped with its agreement (`transferring.stop_in`).
SUSPENDED, ENDED = "agreement-suspend", "agreement-terminate"
Policy = Mapping[str, Any]


def _own_key(twin: Twin) -> Key:
    return signing_key(twin.directory)


@dataclass(frozen=True)
class Agreed:
    """The hooks of an installation.

    Attributes:
        public_url: of the server, from which a twin's name follows where its description gives none.
        key: what a twin signs with.
    """

    public_url: str
    key: Callable[[Twin], Key] = _own_key

    def did(self, twin: Twin) -> str:
        """The name of a twin of ours."""
        return twin.description.did or did_of(twin.description.id, self.public_url)

    # -- the catalogue and what is said about it ----------------------------------------------------------

    def offered(self, connection: Connection, twin: Twin, peer: str, now: datetime) -> Sequence[Offered]:
        """The datasets that a city may ask for, each with its offers."""
        found: dict[str, list[offers.Offer]] = {}
        for one in offers.standing_in(connection, twin.tables, peer, now):
            found.setdefault(one.dataset, []).append(one)
        return tuple(
            Offered(dataset, [dict(one.policy) for one in these], titles(twin, these[0].terms.assets))
            for dataset, these in found.items()
        )

    def on_offer(
        self,
        connection: Connection,
        twin: Twin,
        negotiation: Negotiation,
        policy: Policy,
        by: Role,
        now: datetime,
    ) -> Findings:
        """What speaks against an offer or a request that one side says."""
        try:
            deed = odrl.read(policy, "offer")
        except BadInput as error:
            return (f"{error.where}: {error.what}",)
        wanted = deed.target or negotiation.dataset
        provider, consumer = self._parties(twin, negotiation)
        found = []
        if deed.kind != "Offer":
            found.append("an offer is said, not an agreement")
        if not wanted or (negotiation.dataset and wanted != negotiation.dataset):
            found.append("the offer is about another dataset than the negotiation")
        if deed.assigner not in ("", provider) or deed.assignee not in ("", consumer):
            found.append("the offer is between other cities")
        if deed.terms.until is not None and deed.terms.until <= now:
            found.append("the time of the offer is over")
        if negotiation.role == "provider" and not found:
            found += self._covered(connection, twin, negotiation, deed, wanted, by, now)
        return tuple(found)

    def _covered(
        self,
        connection: Connection,
        twin: Twin,
        negotiation: Negotiation,
        deed: Deed,
        dataset: str,
        by: Role,
        now: datetime,
    ) -> Findings:
        """A consumer may ask for other terms of what is offered to it; what we say lies within what the gate let go."""
        standing = offers.standing_in(connection, twin.tables, negotiation.peer, now, dataset)
        if not standing:
            return (f"{dataset[:200]} is not offered to this city",)
        assets = {asset for one in standing for asset in one.terms.assets}
        if foreign := [str(asset) for asset in deed.terms.assets if asset not in assets]:
            return (f"{foreign[0][:100]} is not part of what is offered",)
        if by == "provider" and not any(within(deed.terms, one.terms) for one in standing):
            return (_wider(deed, standing[0]),)
        return ()

    # -- the agreement ------------------------------------------------------------------------------------

    def agreement(
        self,
        connection: Connection,
        twin: Twin,
        negotiation: Negotiation,
        author: Mapping[str, Any],
        now: datetime,
    ) -> Policy:
        """The agreement over what was said last, signed by us.

        Raises:
            Conflict: it lies within no offer that stands: the gate has not let it go, or it was withdrawn meanwhile.
            BadData: what was said last is no offer of the profile.
        """
        deed = odrl.read(negotiation.offer, "offer")
        dataset = negotiation.dataset or deed.target
        standing = offers.standing_in(connection, twin.tables, negotiation.peer, now, dataset)
        if not any(within(deed.terms, one.terms) for one in standing):
            what = _wider(deed, standing[0]) if standing else "nothing of it is offered any more"
            raise Conflict(what, negotiation.pid, "make an offer with these terms first, and ask the gate")
        ours = self.did(twin)
        made = odrl.agreement(
            f"urn:uuid:{uuid.uuid4()}", deed.terms, target=dataset, assigner=ours, assignee=negotiation.peer, at=now
        )  # fmt: skip
        return {**made, PROOF: sign_agreement(made, self.key(twin), ours, now)}

    def check_agreement(
        self, connection: Connection, twin: Twin, negotiation: Negotiation, agreement: Policy, now: datetime
    ) -> Findings:
        """What speaks against the agreement that the provider sent."""
        try:
            deed = odrl.read(_plain(agreement), "agreement")
            said = odrl.read(negotiation.offer, "offer")
            if changed := changes(said.terms, deed.terms):
                return tuple(f"the agreement changes {one.term}, which was not agreed on" for one in changed)
            provider, consumer = self._parties(twin, negotiation)
            if (deed.assigner, deed.assignee) != (provider, consumer):
                return ("the agreement is between other cities",)
            if deed.target != (negotiation.dataset or said.target):
                return ("the agreement is about another dataset",)
            if deed.at is not None and deed.at > now + SKEW:
                return ("the agreement is of a time to come",)
            self._signature(twin, agreement, agreement.get(PROOF), "provider", provider)
        except BadInput as error:
            return (f"{error.where}: {error.what}",)
        return ()

    def verification(
        self, connection: Connection, twin: Twin, negotiation: Negotiation, now: datetime
    ) -> Mapping[str, Any]:
        """Our signature, as the consumer, over the agreement that the provider sent."""
        assert negotiation.agreement is not None
        return {PROOF: sign_agreement(negotiation.agreement, self.key(twin), self.did(twin), now)}

    def check_verification(
        self,
        connection: Connection,
        twin: Twin,
        negotiation: Negotiation,
        message: Mapping[str, Any],
        now: datetime,
    ) -> Findings:
        """What speaks against the consumer's signature."""
        assert negotiation.agreement is not None
        try:
            self._signature(twin, negotiation.agreement, message.get(PROOF), "consumer", negotiation.peer)
        except BadInput as error:
            return (f"{error.where}: {error.what}",)
        return ()

    def on_agreement(
        self,
        connection: Connection,
        twin: Twin,
        negotiation: Negotiation,
        verification: Mapping[str, Any],
        now: datetime,
    ) -> None:
        """Both have signed: the agreement stands from this transaction on. Raises BadData: a signature does not hold."""
        policy = negotiation.agreement
        assert policy is not None
        provider, consumer = self._parties(twin, negotiation)
        signatures = (
            self._signature(twin, policy, policy.get(PROOF), "provider", provider),
            self._signature(twin, policy, verification.get(PROOF), "consumer", consumer),
        )
        plain = _plain(policy)
        conclude_in(
            connection, twin.tables, odrl.read(plain), plain, negotiation.role, negotiation.pid, signatures, now
        )  # fmt: skip

    # -- the transfer -------------------------------------------------------------------------------------

    def on_transfer_request(
        self, connection: Connection, twin: Twin, transfer: Transfer, by: Role, now: datetime
    ) -> Findings:
        """What speaks against a transfer."""
        try:
            found = agreement_in(connection, twin.tables, transfer.agreement)
        except NotFound:
            return ("there is no such agreement with this city",)
        if found.peer != transfer.peer or found.role != transfer.role:
            return ("there is no such agreement with this city",)
        if transfer.format != FORMAT:
            return (f"the format {transfer.format[:60]!r} is not given; {FORMAT} is",)
        return standing(found, now)

    def data_address(
        self, connection: Connection, twin: Twin, transfer: Transfer, now: datetime
    ) -> Mapping[str, Any]:
        """Where the consumer reads, with a new token. Raises Conflict: the agreement is not in force."""
        found = agreement_in(connection, twin.tables, transfer.agreement)
        if against := standing(found, now):
            raise Conflict(against[0], found.id, "resume the agreement first")
        token, expires = partner_tokens.mint_in(connection, twin.tables, found, transfer.pid, now)
        address = f"{self.public_url.rstrip('/')}/twins/{twin.description.id}"
        return partner_tokens.data_address(address, token, expires, transfer.pid)

    def on_transfer(self, connection: Connection, twin: Twin, transfer: Transfer, now: datetime) -> None:
        """A transfer has come into another state: its tokens are good only while it is started; the ledger hears of it.

        Where the partner stopped it because it suspended or ended the agreement, so do we.
        Raises Conflict: the partner goes on with what we hold suspended.
        """
        if transfer.role == "provider" and transfer.state != "STARTED":
            partner_tokens.revoke_in(connection, twin.tables, transfer.pid, now)
        if transfer.state == "REQUESTED":
            return
        self._follow(connection, twin, transfer, now)
        record = {
            "transfer": transfer.provider_pid, "agreement": transfer.agreement, "peer": transfer.peer, "role": transfer.role,
            "state": transfer.state,
        }  # fmt: skip
        record_in(connection, twin.tables, "transfer", record, now)

    def _follow(self, connection: Connection, twin: Twin, transfer: Transfer, now: datetime) -> None:
        try:
            found = agreement_in(connection, twin.tables, transfer.agreement)
        except NotFound:  # a transfer of the test profile hangs on nothing
            return
        ours, partner = self.did(twin), Actor(transfer.peer, False)
        code = str((transfer.error or {}).get("code", ""))
        why = "; ".join((transfer.error or {}).get("reason", ())) or "the partner gave no reason"
        if transfer.state == "STARTED":
            if ours in found.holds:
                raise Conflict("we have suspended this agreement", found.id, "wait until we resume it")
            if partner.did in found.holds:
                resume_in(connection, twin.tables, found.id, partner, now)
        elif (
            code == SUSPENDED
            and transfer.state == "SUSPENDED"
            and ours not in found.holds
            and not found.over(now)
        ):
            suspend_in(connection, twin.tables, found.id, partner, why, now)
        elif code == ENDED and transfer.state == "TERMINATED":
            end_in(connection, twin.tables, found.id, partner, why, now)

    # -- small things -------------------------------------------------------------------------------------

    def _parties(self, twin: Twin, negotiation: Negotiation) -> tuple[str, str]:
        """DIDs of provider and consumer."""
        ours = self.did(twin)
        return (
            (ours, negotiation.peer)
            if negotiation.role == "provider"
            else (
                negotiation.peer,
                ours,
            )
        )

    def _signature(self, twin: Twin, agreement: Policy, proof: Any, role: Role, did: str) -> Signature:
        return check_signature(agreement, proof, role, did, self._keys(twin, did))

    def _keys(self, twin: Twin, did: str, at: datetime | None = None) -> list[str]:
        """The keys that a city may have signed with: now, or at a moment."""
        if did == self.did(twin):
            known = [one.known for one in own_keys(twin)] or [KnownKey(self.key(twin).public)]
        else:
            known = list(keys_of(twin)(did))
        return [
            one.public for one in known
            if one.revoked is None and (one.retired is None or (at is not None and at <= one.retired))
        ]  # fmt: skip

    def holds(self, twin: Twin, found: Agreement, signature: Signature) -> bool:
        """Whether a signature that was kept holds, by the keys that its city had when it signed and has not revoked."""
        try:
            keys = self._keys(twin, signature.did, signature.at)
            check_signature(found.policy, signature.proof, signature.role, signature.did, keys)
        except BadInput:
            return False
        return True


def titles(twin: Twin, assets: Sequence[Asset]) -> dict[str, str]:
    """What a dataset is called, by language."""
    names: dict[str, list[str]] = {"ko": [], "en": []}
    rows = twin.tables.layers() if any(asset.kind == "layer" for asset in assets) else {}
    for asset in assets:
        title = Name(asset.id, asset.id)
        if asset.kind == "layer" and asset.id in rows:
            title = Name(rows[asset.id].title_ko, rows[asset.id].title_en)
        elif asset.kind == "process":
            with suppress(NotFound):
                title = processes().find(asset.id).title
        names["ko"].append(title.ko)
        names["en"].append(title.en)
    return {language: ", ".join(these) for language, these in names.items()}


def _wider(deed: Deed, offer: offers.Offer) -> str:
    terms = [one.term for one in changes(offer.terms, deed.terms) if one.kind != "narrower"]
    return f"this goes beyond what was released: {', '.join(terms) or 'the terms'}"


def _plain(agreement: Policy) -> dict[str, Any]:
    return {name: value for name, value in agreement.items() if name != PROOF}
