"""The agreements of a twin as rows: how one comes to stand, is suspended, resumed and ended, and what its ledger says of each.

Every function that changes one takes the connection of a transaction of the caller's: the state, the tokens, the messages and the
ledger's entry stand or fall together. An agreement is active while neither city holds it: each lifts its own suspension only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from sqlalchemy import Connection, Row, and_, insert, select, update

from twintown.exchange.agreement import Deed
from twintown.exchange.signing import Role, Signature, digest_of
from twintown.ground.errors import BadInput, Conflict, NotFound
from twintown.store.engine import reading
from twintown.store.schema_shared import agreements, tokens
from twintown.store.tables import Tables
from twintown.trust.ledger import record_in
from twintown.trust.terms import State, Terms, terms_from_json, terms_to_json

#: How far two cities' clocks may differ.
SKEW = timedelta(minutes=5)
#: The longest reason that is kept, characters.
LONGEST_WHY = 1000


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did something to an agreement.

    Attributes:
        did: for which city.
        ours: whether that is this twin.
        name: the officer, as the city says; "" where it does not.
    """

    did: str
    ours: bool
    name: str = ""


@dataclass(frozen=True, slots=True)
class Agreement:
    """One agreement as one side keeps it.

    Attributes:
        id: the `@id` of the ODRL agreement, the same on both sides.
        role: which side this twin is.
        peer: DID of the other.
        negotiation: our name for the negotiation that it came from.
        dataset: what it is about.
        terms: what it means; policy: the ODRL that both signed.
        signatures: of both cities.
        state: `active`, `suspended` or `ended`.
        since, until: from when to when it holds; `until` None: until somebody ends it.
        changed: when its state changed last.
        change: who did it, when and why: {"to", "did", "ours", "name", "why", "at", "holds": [DIDs that hold it now]}.
        revision: grows by one with every change.
    """

    id: str
    role: Role
    peer: str
    negotiation: str
    dataset: str
    terms: Terms
    policy: Mapping[str, Any]
    signatures: tuple[Signature, ...]
    state: State
    since: datetime
    until: datetime | None
    changed: datetime
    change: Mapping[str, Any] | None = None
    revision: int = 0

    @property
    def holds(self) -> tuple[str, ...]:
        """DIDs of the cities that hold it suspended."""
        return tuple((self.change or {}).get("holds", ()))

    @property
    def digest(self) -> str:
        """SHA-256 of what both signed, hexadecimal."""
        return digest_of(self.policy)

    def over(self, now: datetime) -> bool:
        """Whether it is ended, or its time is."""
        return self.state == "ended" or (self.until is not None and now >= self.until)


def agreements_of(tables: Tables, role: Role | None = None) -> tuple[Agreement, ...]:
    """All agreements of a twin, newest first."""
    mine = agreements.c.twin == tables.twin
    if role:
        mine = and_(mine, agreements.c.role == role)
    query = select(agreements).where(mine).order_by(agreements.c.since.desc(), agreements.c.id)
    with reading(tables.engine) as connection:
        return tuple(_agreement(row) for row in connection.execute(query))


def agreement_of(tables: Tables, id: str) -> Agreement:
    """One agreement. Raises NotFound."""
    with reading(tables.engine) as connection:
        return agreement_in(connection, tables, id)


def agreement_in(connection: Connection, tables: Tables, id: str) -> Agreement:
    """One agreement, within a transaction. Raises NotFound."""
    row = connection.execute(select(agreements).where(_one(tables, id))).first()
    if row is None:
        raise NotFound(f"there is no agreement {id[:100]!r}", tables.twin, "GET …/agreements lists them")
    return _agreement(row)


def conclude_in(
    connection: Connection,
    tables: Tables,
    deed: Deed,
    policy: Mapping[str, Any],
    role: Role,
    negotiation: str,
    signatures: Sequence[Signature],
    now: datetime,
) -> Agreement:
    """Keep an agreement that both have signed; once more changes nothing.

    Args:
        deed: what was read from `policy`.
        negotiation: our name for the negotiation.
    """
    found = connection.execute(select(agreements).where(_one(tables, deed.id))).first()
    if found is not None:
        return _agreement(found)
    peer = deed.assignee if role == "provider" else deed.assigner
    since = max(now, deed.terms.since) if deed.terms.since else now
    made = Agreement(
        deed.id, role, peer, negotiation, deed.target, deed.terms, dict(policy), tuple(signatures), "active", since, deed.terms.until,
        now,
    )  # fmt: skip
    connection.execute(
        insert(agreements).values(
            twin=tables.twin, id=made.id, role=role, peer=peer, negotiation=negotiation, dataset=made.dataset,
            terms=terms_to_json(made.terms), policy=made.policy, signatures=[one.to_dict() for one in signatures], state="active",
            since=since, until=made.until, changed=now, change=None, revision=0,
        )
    )  # fmt: skip
    signed = [
        {"role": one.role, "did": one.did, "key": one.key, "proof": one.proof.get("proofValue")}
        for one in signatures
    ]
    record = {
        "agreement": made.id, "digest": made.digest, "assigner": deed.assigner, "assignee": deed.assignee, "dataset": made.dataset,
        "signatures": signed,
    }  # fmt: skip
    record_in(connection, tables, "agreement", record, now)
    return made


def suspend_in(
    connection: Connection, tables: Tables, id: str, by: Actor, why: str, now: datetime
) -> Agreement:
    """The red button, held: one city suspends. Holding twice is once.

    Raises:
        NotFound: there is no such agreement. Conflict: it has ended. BadInput: no reason is given.
    """
    found = agreement_in(connection, tables, id)
    _not_over(found, now)
    if by.did in found.holds:
        return found
    changed = _change(found, "suspended", by, why, now, (*found.holds, by.did))
    _keep(connection, tables, changed, "suspension", now)
    revoke_in(connection, tables, id, now)
    return changed


def resume_in(connection: Connection, tables: Tables, id: str, by: Actor, now: datetime) -> Agreement:
    """One city lifts its own suspension; the agreement is active again when no other holds it.

    Raises:
        NotFound: there is no such agreement. Conflict: it has ended, or this city does not hold it.
    """
    found = agreement_in(connection, tables, id)
    _not_over(found, now)
    if by.did not in found.holds:
        who = "the partner" if by.ours and found.holds else "nobody"
        raise Conflict(f"{who} has suspended this agreement, not you", id, "who suspended it can lift it")
    left = tuple(did for did in found.holds if did != by.did)
    changed = _change(found, "suspended" if left else "active", by, "", now, left)
    _keep(connection, tables, changed, "resumption", now)
    return changed


def end_in(connection: Connection, tables: Tables, id: str, by: Actor, why: str, now: datetime) -> Agreement:
    """One city ends it, for good. What the assignee has copied falls under its duty to delete, which the ledger says as a recall.

    Raises:
        NotFound: there is no such agreement. BadInput: no reason is given.
    """
    found = agreement_in(connection, tables, id)
    if found.state == "ended":
        return found
    changed = _change(found, "ended", by, why, now, ())
    _keep(connection, tables, changed, "end", now)
    revoke_in(connection, tables, id, now)
    record_in(connection, tables, "recall", recall(changed), now)
    return changed


def expire_in(connection: Connection, tables: Tables, id: str, now: datetime) -> Agreement:
    """End an agreement whose time is over; nobody has to press anything. Otherwise nothing happens."""
    found = agreement_in(connection, tables, id)
    if found.state == "ended" or found.until is None or now < found.until:
        return found
    return end_in(
        connection, tables, id, Actor("", True), f"its time was over on {found.until.isoformat()}", now
    )


def due(tables: Tables, now: datetime) -> tuple[str, ...]:
    """Ids of agreements whose time is over and that are not ended yet."""
    mine = and_(agreements.c.twin == tables.twin, agreements.c.state != "ended", agreements.c.until <= now)
    with reading(tables.engine) as connection:
        return tuple(connection.execute(select(agreements.c.id).where(mine)).scalars())


def recall(agreement: Agreement) -> dict[str, Any]:
    """What both ledgers say of copies when an agreement ends: of which assets, and when they are to be gone ("": no day was agreed)."""
    limit = agreement.terms.delete_by
    return {
        "agreement": agreement.id, "digest": agreement.digest, "assets": [str(one) for one in agreement.terms.assets],
        "delete_by": limit.astimezone(UTC).isoformat() if limit else "",
    }  # fmt: skip


def revoke_in(connection: Connection, tables: Tables, id: str, now: datetime) -> int:
    """Make every token of an agreement worthless, from this commit on; how many there were."""
    mine = and_(
        tokens.c.twin == tables.twin,
        tokens.c.kind == "agreement",
        tokens.c.agreement == id,
        tokens.c.revoked.is_(None),
    )
    return connection.execute(update(tokens).where(mine).values(revoked=now)).rowcount


def _change(
    found: Agreement, to: State, by: Actor, why: str, now: datetime, holds: tuple[str, ...]
) -> Agreement:
    said = why.strip()
    if to != "active" and not said and not (to == "suspended" and by.did not in holds):
        raise BadInput("no reason is given", "why", "say in a sentence why; the partner reads it")
    if len(said) > LONGEST_WHY:
        raise BadInput(f"the reason is longer than {LONGEST_WHY} characters", "why", "say it shorter")
    who = {"did": by.did, "ours": by.ours, "name": by.name}
    change = {"to": to, **who, "why": said, "at": now.isoformat(), "holds": list(holds)}
    return replace(found, state=to, change=change, changed=now, revision=found.revision + 1)


def _keep(connection: Connection, tables: Tables, one: Agreement, kind: str, now: datetime) -> None:
    values = {
        "state": one.state,
        "change": one.change,
        "changed": one.changed,
        "revision": one.revision,
    }
    connection.execute(update(agreements).where(_one(tables, one.id)).values(values))
    change = one.change or {}
    record = {
        "agreement": one.id, "digest": one.digest, "state": one.state, "by": change.get("did", ""),
        "officer": change.get("name", ""), "why": change.get("why", ""),
    }  # fmt: skip
    record_in(connection, tables, kind, record, now)


def _not_over(found: Agreement, now: datetime) -> None:
    if found.over(now):
        raise Conflict("the agreement has ended", found.id, "make another agreement")


def _one(tables: Tables, id: str) -> Any:
    return and_(agreements.c.twin == tables.twin, agreements.c.id == id)


def aware(at: datetime) -> datetime:
    """A time of a row: SQLite gives it back without its zone, which is UTC."""
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _agreement(row: Row[Any]) -> Agreement:
    return Agreement(
        row.id, cast(Role, row.role), row.peer, row.negotiation, row.dataset, terms_from_json(row.terms, row.id), row.policy,
        tuple(Signature.of(one) for one in row.signatures), cast(State, row.state), aware(row.since),
        aware(row.until) if row.until else None, aware(row.changed), row.change, row.revision,
    )  # fmt: skip


def standing(found: Agreement, now: datetime) -> tuple[str, ...]:
    """Why nothing may be transferred under an agreement now; empty where it may."""
    if found.state == "suspended":
        return (
            f"agreement-suspended: {(found.change or {}).get('why', '') or 'the agreement is suspended'}",
        )
    if found.over(now):
        return ("agreement-ended: the agreement has ended",)
    if now < found.since - SKEW:
        return (f"the agreement begins on {found.since.isoformat()}",)
    return ()


def agreement_for(connection: Connection, tables: Tables, negotiation: str) -> str:
    """The id of the agreement that came from one of our negotiations; "" where there is none."""
    mine = (agreements.c.twin == tables.twin) & (agreements.c.negotiation == negotiation)
    return str(connection.execute(select(agreements.c.id).where(mine)).scalar() or "")
