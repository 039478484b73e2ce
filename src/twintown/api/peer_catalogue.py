"""What a peer offers to this city now: its catalogue, asked for and read in our words."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from twintown.api import answers, problems
from twintown.api.dsp_entry import handshake_of
from twintown.api.exchange_models import Id, TermsModel, peer_named, side
from twintown.api.guard import Sharing
from twintown.api.schemas import Model, Names
from twintown.exchange.partner_catalogue import catalogue
from twintown.ground.errors import StorageFailed, Unreachable

router = APIRouter(tags=["exchange"])


class OfferedHere(Model):
    """One offer of a dataset that is for this city."""

    id: str
    terms: TermsModel


class NotRead(Model):
    """An offer whose terms are not of the profile that is known here."""

    id: str
    why: str


class DatasetModel(Model):
    """One dataset of a peer."""

    id: str
    title: Names
    description: Names
    assets: list[str] = Field(description="of all its offers")
    offers: list[OfferedHere]
    unread: list[NotRead]


class Catalogue(Model):
    """The datasets that a peer shows to this city."""

    peer: str = Field(description="DID")
    datasets: list[DatasetModel]


@router.get(
    "/twins/{twin}/peers/{peer}/catalogue", operation_id="getPeerCatalogue", response_model=Catalogue,
    responses=problems.responses(400, 401, 403, 404, 502, 503),
)  # fmt: skip
def get_peer_catalogue(request: Request, asked: Sharing, peer: Id) -> Response:
    """Ask a peer now what it offers to this city (Dataspace Protocol, catalogue request)."""
    party, other = side(request, asked), peer_named(asked, peer)
    try:
        found = catalogue(party, handshake_of(request).courier, other)
    except StorageFailed as error:
        raise Unreachable(error.what, other.id, error.remedy) from error
    datasets = []
    for one in found:
        assets = dict.fromkeys(str(asset) for terms in one.offers.values() for asset in terms.assets)
        datasets.append(
            DatasetModel(
                id=one.id, title=_names(one.title, one.id), description=_names(one.description, ""), assets=list(assets),
                offers=[OfferedHere(id=id, terms=TermsModel.of(terms)) for id, terms in one.offers.items()],
                unread=[NotRead(id=id, why=why) for id, why in one.foreign.items()],
            )
        )  # fmt: skip
    return answers.answer_json(request, Catalogue(peer=other.did, datasets=datasets), cache="no-store")


def _names(said: object, otherwise: str) -> Names:
    texts = dict(said) if isinstance(said, dict) else {}
    known = next(iter(texts.values()), otherwise)
    return Names.model_validate({"ko": known, "en": known, **texts})
