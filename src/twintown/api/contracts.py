"""Agreements, and what they would be, as contracts that people read: HTML for screen and print, plain text, JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Query, Request
from sqlalchemy import or_, select
from starlette.responses import HTMLResponse, Response

from twintown.api import answers, negotiation_models
from twintown.api.exchange_models import meaning
from twintown.api.guard import Asked
from twintown.exchange import agreement, contract, playbooks
from twintown.exchange.agreement import Deed
from twintown.exchange.agreements import Agreement, aware
from twintown.exchange.contract import Facts
from twintown.ground.errors import NotFound
from twintown.ground.names import Name
from twintown.store.engine import reading
from twintown.store.schema_shared import ledger_entries
from twintown.store.tables import LayerRow
from twintown.trust.peers import peers_of
from twintown.trust.terms import Asset
from twintown.twin.layers import Twin

Lang = Annotated[Literal["ko", "en", "vi"], Query(description="language of the contract")]
Form = Annotated[Literal["html", "text", "json"], Query(description="form of the answer")]
#: Nothing from outside and no script.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"


class Readable(HTMLResponse):
    """Only names the media type in the OpenAPI document; bodies come ready."""


def signed(
    request: Request, asked: Asked, found: Agreement, state: str, lang: Lang, form: Form, now: datetime
) -> Response:
    """The contract that an agreement is."""
    deed = agreement.read(dict(found.policy))
    names = names_of(request, asked)
    change: Mapping[str, Any] | None = None
    if found.change:
        did = str(found.change.get("did", ""))
        who = names[did][lang] if did in names else did or names[meaning(request).did(asked.served.twin)][lang]  # fmt: skip
        officer = str(found.change.get("name", ""))
        change = {**found.change, "who": f"{who} ({officer})" if officer else who}
    facts = Facts(
        names, _titles(request, deed.assigner, found.terms.assets), asked.served.twin.description.time_zone, found.digest,
        found.signatures, state, change, records_of(asked.served.twin, found.id, found.negotiation),
    )  # fmt: skip
    return _answer(request, deed, facts, lang, form)


def draft(request: Request, asked: Asked, pid: str, lang: Lang, form: Form, seq: int | None) -> Response:
    """The contract that the terms of a negotiation would be. Raises NotFound: no such negotiation, or no terms in that message."""
    found = negotiation_models.whole(asked, pid)
    said = [one for one in found.messages if one.terms is not None and (seq is None or one.seq == seq)]
    if not said or said[-1].terms is None:
        raise NotFound(f"no terms are said there in {pid[:80]}", "seq", "leave it away for the last ones")
    ours = meaning(request).did(asked.served.twin)
    assigner, assignee = (ours, found.peer) if found.role == "provider" else (found.peer, ours)
    deed = Deed("Offer", pid, said[-1].terms.terms(), found.dataset, assigner, assignee)
    facts = Facts(
        names_of(request, asked),
        _titles(request, assigner, deed.terms.assets),
        asked.served.twin.description.time_zone,
    )
    return _answer(request, deed, facts, lang, form)


def names_of(request: Request, asked: Asked) -> dict[str, Name]:
    """What the cities are called here, by DID."""
    twin = asked.served.twin
    found = {peer.did: Name(peer.id, peer.id) for peer in peers_of(twin)}
    beside = request.app.state.open.shelf.twins.values()  # the twins of one server know each other's names
    found |= {meaning(request).did(one.twin): one.twin.description.names for one in beside}
    return found


def records_of(twin: Twin, id: str, negotiation: str = "") -> tuple[tuple[str, int, datetime], ...]:
    """The entries of our ledger about an agreement and the negotiation that led to it: kind or step (see `Facts`), place, time."""
    c = ledger_entries.c
    about = [c.record["agreement"].as_string() == id]
    if negotiation:
        about.append(c.record["negotiation"].as_string() == negotiation)
    told = c.kind.notin_(("access", "result"))
    query = select(c.kind, c.seq, c.at, c.record).where(c.twin == twin.tables.twin, told, or_(*about))
    with reading(twin.tables.engine) as connection:
        return tuple(
            (f"step:{row.record['step']}" if "step" in row.record else row.kind, row.seq, aware(row.at))
            for row in connection.execute(query.order_by(c.seq))
        )


def _titles(request: Request, assigner: str, assets: tuple[Asset, ...]) -> dict[Asset, Name]:
    """What assets are called by the city that gives them, where it is one of this server; a process is called the same everywhere."""
    knows, found = meaning(request), dict[Asset, Name]()
    served = request.app.state.open.shelf.twins.values()
    giver: Twin | None = next((one.twin for one in served if knows.did(one.twin) == assigner), None)
    rows: Mapping[str, LayerRow] = giver.tables.layers() if giver else {}
    books = {one.id: one.about["names"] for one in playbooks.listed(giver)} if giver else {}
    for asset in assets:
        if giver and asset.kind == "layer" and asset.id in rows:
            described = giver.description.layers.get(asset.id)
            row = rows[asset.id]
            found[asset] = described.title if described else Name(row.title_ko, row.title_en)
        elif asset.kind == "playbook" and asset.id in books:
            found[asset] = Name.of(books[asset.id])
        elif asset.kind == "process":
            title = _process(asset.id)
            found |= {asset: title} if title else {}
    return found


def _process(id: str) -> Name | None:
    from twintown.jobs.process import processes

    try:
        title: Name = processes().find(id).title
    except NotFound:
        return None
    return title


def _answer(request: Request, deed: Deed, facts: Facts, lang: Lang, form: Form) -> Response:
    made = contract.contract(deed, facts, lang)
    headers = {"Content-Security-Policy": POLICY, "Content-Language": lang}
    if form == "json":
        return answers.answer_json(request, made.to_dict(), cache="no-store")
    text = form == "text"
    body, kind = (contract.text(made), "plain") if text else (contract.html(made), "html")
    return answers.answer(
        request, body.encode(), f"text/{kind}; charset=utf-8", cache="no-store", headers=headers
    )
