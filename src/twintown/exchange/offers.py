"""What a twin offers to other cities: assets under terms, to one peer or to all; it stands while the release gate lets every asset go.

waiting    the gate asks for a person's decision on an asset
offered    every asset may go: it is in the catalogue of whom it is for
refused    the gate or a person said no, or the layer has changed since the gate looked at it
withdrawn  by an officer
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, and_, insert, select, update

from twintown.exchange import agreement
from twintown.exchange.release import Release
from twintown.exchange.release_rows import Releases
from twintown.ground.errors import BadInput, Conflict, NotFound
from twintown.store.engine import reading
from twintown.store.schema_shared import offers
from twintown.store.tables import Tables
from twintown.trust.ledger import record_in
from twintown.trust.terms import Asset, Terms, terms_from_json, terms_to_json

State = Literal["waiting", "offered", "refused", "withdrawn"]
#: Characters of the id of a dataset.
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Offer:
    """One offer.

    Attributes:
        id: `@id` of its ODRL.
        dataset: id of what it is about in the catalogue.
        assignee: DID of the city that may take it; "" for every peer.
        terms: what it means; policy: its ODRL, as a catalogue holds it (without target).
        releases: ids of the gate's answers, one an asset.
        state: see the module.
        author: who made it.
    """

    id: str
    dataset: str
    assignee: str
    terms: Terms
    policy: Mapping[str, Any]
    releases: tuple[str, ...]
    state: State
    author: Mapping[str, Any]
    created: datetime
    updated: datetime

    def for_(self, peer: str) -> bool:
        """Whether it is for this city."""
        return self.assignee in ("", peer)


def dataset_of(twin: str, assets: Sequence[Asset]) -> str:
    """The id of a dataset: `urn:twintown:<twin>:<asset>[+<asset>…]`, readable; its end is cut where there are many.

    Raises:
        BadInput: no assets, or so many that no id can be made.
    """
    if not assets:
        raise BadInput("nothing is offered", "assets", "name at least one, such as layer:buildings")
    names = [str(asset) for asset in assets]
    whole = f"urn:twintown:{twin}:{'+'.join(names)}"
    if len(whole) <= _LONGEST:
        return whole
    import hashlib

    mark = hashlib.sha256("+".join(names).encode()).hexdigest()[:16]
    return f"{whole[: _LONGEST - 20]}…{mark}"


def new_offer(
    twin: str, assigner: str, assignee: str, terms: Terms, releases: Sequence[Release], author: Mapping[str, Any], now: datetime
) -> Offer:  # fmt: skip
    """An offer that is not kept yet.

    Raises:
        BadData: terms that the profile cannot say.
        BadInput: nothing is offered.
    """
    id = f"urn:uuid:{uuid.uuid4()}"
    policy = agreement.offer(id, terms, assigner=assigner, assignee=assignee)
    state = _state(releases)
    return Offer(
        id, dataset_of(twin, terms.assets), assignee, terms, policy, tuple(one.id for one in releases), state, author, now, now
    )  # fmt: skip


def add_in(connection: Connection, tables: Tables, offer: Offer, now: datetime) -> None:
    """Keep an offer, with its entry in the ledger."""
    connection.execute(
        insert(offers).values(
            twin=tables.twin, id=offer.id, dataset=offer.dataset, assignee=offer.assignee, terms=terms_to_json(offer.terms),
            policy=dict(offer.policy), release=" ".join(offer.releases), state="offered", author=dict(offer.author),
            created=offer.created, updated=offer.updated,
        )
    )  # fmt: skip
    record_in(connection, tables, "offer", _record(offer, "offered"), now)


def withdraw_in(
    connection: Connection, tables: Tables, id: str, author: Mapping[str, Any], now: datetime
) -> Offer:
    """Take an offer back; agreements that were made on it stand. Raises NotFound, Conflict: it is withdrawn already."""
    found = offer_in(connection, tables, id)
    if found.state == "withdrawn":
        raise Conflict("the offer is withdrawn already", id, "make another offer")
    connection.execute(update(offers).where(_one(tables, id)).values(state="withdrawn", updated=now))
    gone = replace(found, state="withdrawn", updated=now)
    record_in(connection, tables, "offer", _record(gone, "withdrawn") | {"officer": author.get("name", "")}, now)  # fmt: skip
    return gone


def offer_in(connection: Connection, tables: Tables, id: str) -> Offer:
    """One offer, within a transaction. Raises NotFound."""
    row = connection.execute(select(offers).where(_one(tables, id))).first()
    if row is None:
        raise NotFound(f"there is no offer {id[:100]!r}", tables.twin, "GET …/offers lists them")
    return _offer(connection, tables, row)


def offers_of(tables: Tables) -> tuple[Offer, ...]:
    """All offers, newest first, those that were withdrawn too."""
    with reading(tables.engine) as connection:
        return _listed(connection, tables)


def standing_in(
    connection: Connection, tables: Tables, peer: str, now: datetime, dataset: str = ""
) -> tuple[Offer, ...]:
    """The offers that a city may take now: for it, let go by the gate, not over; of one dataset, or of all."""
    return tuple(
        one
        for one in _listed(connection, tables, dataset)
        if one.state == "offered" and one.for_(peer) and (one.terms.until is None or now <= one.terms.until)
    )


def _listed(connection: Connection, tables: Tables, dataset: str = "") -> tuple[Offer, ...]:
    mine = offers.c.twin == tables.twin
    if dataset:
        mine = and_(mine, offers.c.dataset == dataset)
    query = select(offers).where(mine).order_by(offers.c.created.desc(), offers.c.id)
    return tuple(_offer(connection, tables, row) for row in connection.execute(query).all())


def _state(releases: Sequence[Release]) -> State:
    verdicts = {one.verdict for one in releases}
    if "refused" in verdicts or any(one.result and one.goes != one.asset for one in releases):
        return "refused"  # a remedy made another layer: that one can be offered, this one cannot
    return "waiting" if "needs-decision" in verdicts or not releases else "offered"


def _offer(connection: Connection, tables: Tables, row: Row[Any]) -> Offer:
    ids = tuple(row.release.split())
    state: State = "withdrawn"
    if row.state != "withdrawn":
        rows = Releases(tables)
        state = _state([rows.get_in(connection, id) for id in ids])
    return Offer(
        row.id, row.dataset, row.assignee, terms_from_json(row.terms, row.id), row.policy, ids, state, row.author,
        _aware(row.created), _aware(row.updated),
    )  # fmt: skip


def _record(offer: Offer, state: str) -> dict[str, Any]:
    from twintown.exchange.signing import digest_of

    return {
        "offer": offer.id, "digest": digest_of(offer.policy), "dataset": offer.dataset, "assignee": offer.assignee, "state": state,
        "releases": list(offer.releases), "officer": str(offer.author.get("name", "")),
    }  # fmt: skip


def _one(tables: Tables, id: str) -> Any:
    return and_(offers.c.twin == tables.twin, offers.c.id == id)


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)
