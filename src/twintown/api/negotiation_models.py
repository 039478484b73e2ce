"""A negotiation as officers see it: whose turn it is, what they may do, what was said, and what the last offer changes."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field, JsonValue

from twintown.api.exchange_models import AuthorModel, ChangeModel, TermsModel
from twintown.api.guard import Asked
from twintown.api.schemas import Model
from twintown.exchange import agreement, agreements, rows
from twintown.exchange.changes import changes
from twintown.exchange.negotiation import Negotiation, possible, turn
from twintown.exchange.rows import Message
from twintown.ground.errors import BadInput
from twintown.store.engine import reading
from twintown.store.schema_shared import negotiations
from twintown.trust.peers import peers_of
from twintown.trust.terms import Terms

#: What goes by itself once both officers have agreed.
BY_ITSELF = ("verify", "finalize")


class Said(Model):
    """One message, as it came or went."""

    seq: int
    way: Literal["in", "out"]
    type: str = Field(description="of the Dataspace Protocol, such as ContractOfferMessage")
    at: datetime
    author: AuthorModel
    state: str = Field(description="of the negotiation after it")
    terms: TermsModel | None = Field(description="where it says some")
    changes: list[ChangeModel] = Field(description="what it changes of what was said before")
    key: str = Field(description="the key that signed the agreement, where it carries a signature")
    reason: list[str] = Field(description="why somebody ended it")
    body: dict[str, JsonValue] = Field(description="the whole message")


class DealBrief(Model):
    """One negotiation."""

    pid: str
    role: Literal["consumer", "provider"]
    peer: str = Field(description="DID of the other city")
    peer_id: str = Field(description="what it is called here; empty for one that is no peer any more")
    state: str = Field(
        description="REQUESTED, OFFERED, ACCEPTED, AGREED, VERIFIED, FINALIZED or TERMINATED (Dataspace Protocol 2025-1)"
    )
    turn: Literal["ours", "theirs", ""] = Field(description="whose move it is")
    may: list[str] = Field(description="what an officer may do now: request, offer, accept, agree, terminate")
    dataset: str
    terms: TermsModel | None = Field(description="as they were said last")
    agreement: str | None = Field(description="id of the agreement that came of it")
    error: dict[str, JsonValue] | None = Field(description="why it ended or does not go on")
    created: datetime
    updated: datetime


class Deal(DealBrief):
    """One negotiation with all that was said."""

    messages: list[Said]


class DealList(Model):
    """The negotiations of a twin, the one that changed last first."""

    negotiations: list[DealBrief]


def listed(asked: Asked) -> list[DealBrief]:
    """All negotiations."""
    tables = asked.served.twin.tables
    with reading(tables.engine) as connection:
        return [
            DealBrief(**_brief(connection, asked, one))
            for one in rows.negotiations_in(connection, tables.twin)
        ]


def whole(asked: Asked, pid: str) -> Deal:
    """One negotiation. Raises NotFound."""
    tables = asked.served.twin.tables
    with reading(tables.engine) as connection:
        one = rows.negotiation(connection, tables.twin, pid)
        found = rows.messages_of(connection, tables.twin, pid)
        return Deal(**_brief(connection, asked, one), messages=_messages(found))


def terms_of(policy: Any) -> Terms | None:
    """What an offer means; none where it is not of our profile."""
    if not isinstance(policy, dict):
        return None
    try:
        return agreement.read({k: v for k, v in policy.items() if k != "proof"}).terms
    except BadInput:
        return None


def _messages(found: list[Message]) -> list[Said]:
    said, before = [], None
    for one in found:
        policy = one.body.get("offer") or one.body.get("agreement")
        terms = terms_of(policy)
        proof = one.body.get("proof") or (policy.get("proof") if isinstance(policy, dict) else None)
        method = proof.get("verificationMethod", "") if isinstance(proof, dict) else ""
        reason = one.body.get("reason", [])
        author: Any = dict(one.author)
        said.append(
            Said(
                seq=one.seq, way=one.way, type=one.type, at=one.at, author=AuthorModel(**author), state=one.state,
                terms=TermsModel.of(terms) if terms else None,
                changes=[ChangeModel.of(change) for change in changes(before, terms)] if before and terms else [],
                key=str(method).partition("#")[2], reason=[str(line) for line in reason] if isinstance(reason, list) else [],
                body=dict(one.body),
            )
        )  # fmt: skip
        before = terms or before
    return said


def _brief(connection: Any, asked: Asked, one: Negotiation) -> dict[str, Any]:
    twin = asked.served.twin
    now = turn(one.state)
    may = [event for event in possible(one.state, one.role) if event not in BY_ITSELF]
    if one.state == "VERIFIED" and one.role == "consumer":
        may = []  # both have signed: it is ended as an agreement
    terms = terms_of(dict(one.offer) if one.offer else None)
    c = negotiations.c
    mine = (c.twin == twin.tables.twin) & (c.pid == one.pid)
    created, updated = connection.execute(negotiations.select().with_only_columns(c.created, c.updated).where(mine)).one()  # fmt: skip
    return {
        "pid": one.pid, "role": one.role, "peer": one.peer,
        "peer_id": next((peer.id for peer in peers_of(twin) if peer.did == one.peer), ""), "state": one.state,
        "turn": "" if not now else "ours" if now == one.role else "theirs", "may": may, "dataset": one.dataset,
        "terms": TermsModel.of(terms) if terms else None,
        "agreement": agreements.agreement_for(connection, twin.tables, one.pid) or None, "error": dict(one.error) if one.error else None,
        "created": agreements.aware(created), "updated": agreements.aware(updated),
    }  # fmt: skip
