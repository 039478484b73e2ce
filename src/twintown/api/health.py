"""Whether the server is up, and which twins are ready for the first quick answer."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from twintown.api import answers
from twintown.api.guard import OnShelf
from twintown.api.schemas import Model

router = APIRouter(tags=["server"])


class TwinHealth(Model):
    """One twin of this server."""

    id: str
    ready: bool = Field(description="what the first click needs is in memory")


class Health(Model):
    """State of the server."""

    ready: bool = Field(description="every twin is ready; an unready one answers too, only more slowly")
    twins: list[TwinHealth]
    broken: dict[str, str] = Field(description="twins that could not be opened, and why")


@router.get("/health", operation_id="getHealth", response_model=Health)
def get_health(request: Request, opened: OnShelf) -> Response:
    """State of the server."""
    twins = [
        TwinHealth(id=name, ready=served.warm.is_set()) for name, served in sorted(opened.shelf.twins.items())
    ]
    health = Health(ready=all(twin.ready for twin in twins), twins=twins, broken=dict(opened.shelf.broken))
    return answers.answer_json(request, health, cache="no-store")
