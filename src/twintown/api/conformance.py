"""What this server conforms to: each module of the API says its own classes (`CONFORMANCE`), and tests prove each of them.

`tests/conformance/` holds one file for each part of a standard; a class that none of them names is not claimed.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from twintown.api import problems
from twintown.api.guard import Reading
from twintown.api.represent import Shown, represent
from twintown.api.schemas import Link, Model

router = APIRouter(tags=["twins"])


class Conformance(Model):
    """The conformance classes that this API implements."""

    conformsTo: list[str] = Field(description="URIs of conformance classes")
    links: list[Link]


def classes(modules: Iterable[ModuleType]) -> tuple[str, ...]:
    """The classes that modules claim, each once, in order."""
    claimed = [uri for module in modules for uri in getattr(module, "CONFORMANCE", ())]
    return tuple(dict.fromkeys(claimed))


def claimed(request: Request) -> tuple[str, ...]:
    """What the app that answers claims; the roof hangs it there."""
    found: tuple[str, ...] = request.app.state.conformance
    return found


@router.get(
    "/twins/{twin}/conformance",
    operation_id="getConformance",
    response_model=Conformance,
    responses=problems.responses(400, 401, 404, 406),
)
def get_conformance(request: Request, asked: Reading, form: Shown) -> Response:
    """The conformance classes that the API of a twin implements; each is proved by a test of this project."""
    return represent(request, Conformance(conformsTo=list(claimed(request)), links=[]), form, "conformance")
