"""The catalogue that another city reads (Dataspace Protocol 2025-1, sections 5 and 6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from twintown.api.dsp_entry import Came, came, described, taken
from twintown.api.guard import TwinId
from twintown.exchange import catalogue, receiving, schemas
from twintown.exchange.messages import CATALOG_ERROR
from twintown.store.engine import writing

router = APIRouter(tags=["dataspace"])


@router.post(
    "/twins/{twin}/dsp/catalog/request", operation_id="requestCatalog", response_class=Response,
    responses=described(200, "a Catalog", 400, 401, 403, 404, 503), openapi_extra=taken("a CatalogRequestMessage"),
)  # fmt: skip
async def request_catalog(request: Request, twin: TwinId) -> Response:
    """The datasets that are offered to the city that asks, each with its offers."""

    def act(one: Came) -> Mapping[str, Any]:
        _take(one)
        said = catalogue.catalogue(one.party, one.sender.peer.did, one.body.get("filter", []), one.now)
        schemas.check(said, "Catalog")
        return said

    return await came(request, twin, CATALOG_ERROR, ("CatalogRequestMessage",), act)


@router.get(
    "/twins/{twin}/dsp/catalog/datasets/{dataset:path}", operation_id="getDataset", response_class=Response,
    responses=described(200, "a Dataset", 400, 401, 403, 404, 503),
)  # fmt: skip
async def get_dataset(
    request: Request,
    twin: TwinId,
    dataset: Annotated[str, Path(max_length=300, description="id of the dataset")],
) -> Response:
    """One dataset that is offered to the city that asks."""

    def act(one: Came) -> Mapping[str, Any]:
        _take(one)
        said = catalogue.dataset(one.party, one.sender.peer.did, dataset, one.now)
        schemas.check(said, "Dataset")
        return said

    return await came(request, twin, CATALOG_ERROR, (), act)


def _take(one: Came) -> None:
    """A token is good for one reading too: what it shows is for that city alone. Raises BadAssertion."""
    with writing(one.party.twin.tables.engine, fresh=True) as connection:
        receiving.take(connection, one.party, one.sender, one.now)
    one.party.wake()
