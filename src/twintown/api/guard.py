"""The way in: one decision a request, and parameters that nobody declared are refused by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Path, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from twintown.api.quiet import Quiet
from twintown.api.shelf import Served, Shelf
from twintown.ground.errors import BadParameter
from twintown.trust.identity import Subject, identify
from twintown.trust.policy import Action, Grant, Resource

#: Where a request remembers what was decided; the pages for people read titles and units under the same Grant.
ASKED = "twintown.asked"
#: Marks a route whose query parameters depend on the layer.
OPEN_ENDED = "x-column-filters"
Decide = Callable[[Subject, Action, Resource], Grant]


@dataclass(frozen=True)
class Asked:
    """A request that has passed: which twin, and what may be done with it."""

    served: Served
    grant: Grant


@dataclass(frozen=True)
class Open:
    """What the roof hangs on the app for the routes: the twins, who decides, and who hears that somebody asks."""

    shelf: Shelf
    decide: Decide
    quiet: Quiet = field(default_factory=Quiet)


def known_parameters(request: Request) -> None:
    """Refuse query parameters that the route does not declare, and those sent twice.

    Raises:
        BadParameter: naming the first of them. Silently ignoring a mistyped filter would answer another question.
    """
    request.app.state.open.quiet.hear()
    route = request.scope.get("route")
    if isinstance(route, APIRoute) and OPEN_ENDED in (route.openapi_extra or {}):
        return  # the route knows the columns of its layer and refuses the rest by itself
    known = declared(route) if isinstance(route, APIRoute) else set()
    refuse_unknown(request, known)


def declared(route: APIRoute) -> set[str]:
    """The names of the query parameters that a route declares, those of its dependencies included."""

    def names(part: Dependant) -> set[str]:
        return {field.alias for field in part.query_params}.union(
            *(names(below) for below in part.dependencies)
        )

    return names(route.dependant)


def refuse_unknown(request: Request, known: set[str]) -> None:
    """Raise BadParameter for the first query parameter that is not known, or sent twice."""
    seen: set[str] = set()
    for name, _ in request.query_params.multi_items():
        if name not in known:
            here = f"known here: {', '.join(sorted(known))}" if known else "none are known here"
            raise BadParameter(name, "unknown query parameter", remedy=here)
        if name in seen:
            raise BadParameter(name, "sent more than once", remedy="send it once")
        seen.add(name)


def _opened(request: Request) -> Open:
    found: Open = request.app.state.open
    return found


def enter(request: Request, twin: str, action: Action) -> Asked:
    """One decision: which twin, who asks, and what may be done with it.

    Raises:
        NotFound: there is no such twin.
        Unauthenticated, Denied: it may not be done.
    """
    opened = _opened(request)
    opened.quiet.hear()
    served = opened.shelf.get(twin)
    subject = identify(request.headers.get("authorization", ""), twin, served.secret, served.people)
    grant = opened.decide(subject, action, Resource(twin, access=served.twin.description.access))
    grant.require()
    asked = Asked(served, grant)
    request.scope[ASKED] = asked
    return asked


TwinId = Annotated[str, Path(description="id of the twin", max_length=64, examples=["jamsil"])]
LayerId = Annotated[str, Path(description="id of the layer", max_length=64, examples=["buildings"])]


def may_read(request: Request, twin: TwinId) -> Asked:
    """The dependency of every route that reads one twin."""
    return enter(request, twin, "read")


def may_run(request: Request, twin: TwinId) -> Asked:
    """The dependency of every route that computes on one twin."""
    return enter(request, twin, "run")


def may_plan(request: Request, twin: TwinId) -> Asked:
    """The dependency of every route that changes a scenario of one twin, or comments on it."""
    return enter(request, twin, "plan")


def may_approve(request: Request, twin: TwinId) -> Asked:
    """The dependency of every route that makes a scenario part of the twin."""
    return enter(request, twin, "approve")


def on_shelf(request: Request) -> Open:
    """The dependency of routes above any one twin; they decide for each twin that they name."""
    return _opened(request)


Reading = Annotated[Asked, Depends(may_read)]
Running = Annotated[Asked, Depends(may_run)]
Planning = Annotated[Asked, Depends(may_plan)]
Approving = Annotated[Asked, Depends(may_approve)]
OnShelf = Annotated[Open, Depends(on_shelf)]
