"""What officers offer to other cities: every asset goes through the release gate first, and a person decides where it asks for one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from twintown.api import answers, plan_layer, problems
from twintown.api.exchange_models import (
    AuthorModel,
    Id,
    TermsModel,
    Who,
    assets_of,
    author_of,
    meaning,
    peer_named,
)
from twintown.api.guard import Asked, Sharing
from twintown.api.schemas import Model, Names
from twintown.exchange import offers
from twintown.exchange.agreed import titles
from twintown.ground.errors import Conflict
from twintown.store.engine import writing
from twintown.trust.cloud import may_send
from twintown.trust.grades import Grade
from twintown.trust.peers import Peer, peers_of
from twintown.trust.terms import Asset, Terms

router = APIRouter(tags=["exchange"])
_PROBLEMS = problems.responses(400, 401, 403, 404, 409, 503, 507)


class NewOffer(Model):
    """What shall be offered to whom, under which terms. A scenario goes as the layer of what it builds."""

    assignee: str = Field(default="", max_length=512, description="id or DID of a peer; empty for every peer")
    terms: TermsModel
    release: str | None = Field(
        default=None, max_length=48, description="the gate's answer that you have seen; another one by now is told (409)"
    )  # fmt: skip
    author: Who


class OfferModel(Model):
    """One offer."""

    id: str
    dataset: str = Field(description="id of what it is about, in the catalogue")
    title: Names
    assignee: str = Field(description="DID of the city that may take it; empty for every peer")
    terms: TermsModel
    state: str = Field(description="waiting (for a person at the gate), offered, refused, withdrawn")
    release: str = Field(description="the first of the gate's answers")
    releases: list[str] = Field(description="the gate's answers, one an asset")
    author: AuthorModel
    created: datetime
    updated: datetime


class OfferList(Model):
    """The offers of a twin, newest first."""

    offers: list[OfferModel]


@router.get(
    "/twins/{twin}/offers", operation_id="listOffers", response_model=OfferList, responses=problems.responses(400, 401, 403, 404)
)  # fmt: skip
def list_offers(request: Request, asked: Sharing) -> Response:
    """What this twin offers to other cities, and what it has withdrawn."""
    found = [told(asked, one) for one in offers.offers_of(asked.served.twin.tables)]
    return answers.answer_json(request, OfferList(offers=found), cache="no-store")


@router.post(
    "/twins/{twin}/offers", operation_id="createOffer", status_code=201, response_model=OfferModel, responses=_PROBLEMS
)  # fmt: skip
def create_offer(request: Request, asked: Sharing, body: NewOffer) -> Response:
    """Offer assets. The release gate looks at each; what it forbids is not offered (409, with what it cites), what it doubts waits."""
    from twintown.exchange import gate
    from twintown.exchange.release import PEERS

    now, twin = datetime.now(UTC), asked.served.twin
    peer = peer_named(asked, body.assignee) if body.assignee else None
    terms, planned = published(asked, body.terms.terms(), now)
    audience = peer.did if peer else PEERS
    releases = []
    for asset in terms.assets:
        if asset.kind == "scenario":  # what of it leaves is its layer, at which the gate looks
            continue
        grant = replace(asked.grant, grade=Grade.S) if asset in planned else asked.grant
        release = gate.question(twin, grant, asset, audience, terms, now, said_by=body.author)
        if release.verdict == "refused":
            cited = f" [{release.findings[0].citation}]" if release.findings else ""
            what = f"the release gate refuses {asset}: {release.reason.get('en', 'it was denied')}{cited}"
            raise Conflict(what, release.id, "change the terms, or offer what a remedy makes of it")
        releases.append(release)
    for one in [peer] if peer else peers_of(twin):
        _may_send(asked, one, terms)
    if body.release and body.release not in {one.id for one in releases}:
        raise Conflict("the release gate has another answer by now", body.release, "look at it again")
    author = author_of(asked, body.author)
    made = offers.new_offer(
        twin.description.id, meaning(request).did(twin), peer.did if peer else "", terms, releases, author, now
    )  # fmt: skip
    tables = twin.writing().tables
    with writing(tables.engine, fresh=True) as connection:
        offers.add_in(connection, tables, made, now)
    twin.watch.touch()
    return Response(answers.dumps(told(asked, made)), 201, {"Cache-Control": answers.PRIVATE}, "application/json")  # fmt: skip


@router.delete(
    "/twins/{twin}/offers/{offer}", operation_id="withdrawOffer", status_code=204, response_class=Response, responses=_PROBLEMS
)  # fmt: skip
def withdraw_offer(asked: Sharing, offer: Id) -> Response:
    """Take an offer back: nobody can take it any more. Agreements that were made on it stand until they are ended."""
    tables = asked.served.twin.writing().tables
    with writing(tables.engine, fresh=True) as connection:
        offers.withdraw_in(connection, tables, offer, author_of(asked), datetime.now(UTC))
    asked.served.twin.watch.touch()
    return Response(status_code=204)


def told(asked: Asked, one: offers.Offer) -> OfferModel:
    """An offer as it is sent."""
    author: Any = dict(one.author)
    return OfferModel(
        id=one.id, dataset=one.dataset, title=Names.model_validate(titles(asked.served.twin, one.terms.assets)), assignee=one.assignee,
        terms=TermsModel.of(one.terms), state=one.state, release=one.releases[0] if one.releases else "",
        releases=list(one.releases), author=AuthorModel(**author), created=one.created, updated=one.updated,
    )  # fmt: skip


def published(asked: Asked, terms: Terms, now: datetime) -> tuple[Terms, frozenset[Asset]]:
    """The terms with the layer of each scenario among their assets, and those layers. Raises like `plan_layer.publish`."""
    made = tuple(
        Asset("layer", plan_layer.publish(asked, id, now)) for id in assets_of(terms.assets, "scenario")
    )
    more = tuple(asset for asset in made if asset not in terms.assets)
    return replace(terms, assets=terms.assets + more), frozenset(made)


def _may_send(asked: Asked, peer: Peer, terms: Terms) -> None:
    """Refuse what may not be sent to a city, by its grade and by the cloud policy. Raises Conflict."""
    there = asked.served.twin.tables.layers()
    for layer in assets_of(terms.assets, "layer"):
        grade = Grade.of(there[layer].grade, layer) if layer in there else Grade.O
        verdict = may_send(asked.served.twin, peer, grade)
        if not verdict.allowed:
            remedy = "let the security officer decide about that peer's grade and country"
            raise Conflict(f"{layer}: {verdict.why}", f"peers.{peer.id}", remedy)
