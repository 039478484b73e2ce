"""The way in: one decision a request, and parameters that nobody declared are refused by name."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Protocol

from fastapi import Depends, Path, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from twintown.api import partner_reach, session_cookie
from twintown.api.book import CALLER, PRIVATE
from twintown.api.quiet import Quiet
from twintown.api.shelf import Served, Shelf
from twintown.ground.bounds import Bounds
from twintown.ground.errors import BadParameter
from twintown.ground.frames import Frame
from twintown.query.query import LonLat
from twintown.trust.identity import ANYONE, Subject, identify
from twintown.trust.policy import Action, Grant, Resource
from twintown.trust.rules import Rules
from twintown.trust.standing import purpose_of
from twintown.trust.terms import Standing

#: Where a request remembers what was decided; the pages for people read titles and units under the same Grant.
ASKED = "twintown.asked"
#: Marks a route whose query parameters depend on the layer.
OPEN_ENDED = "x-column-filters"
PURPOSE = "twintown-purpose"
#: Grants that are kept until something changes; a caller may say as many purposes as it likes.
_MOST_KEPT = 1000


class Decide(Protocol):
    """`policy.decide`."""

    def __call__(
        self, subject: Subject, action: Action, resource: Resource, *, now: datetime | None = None, standing: Standing | None = None,
        purpose: str = "", rules: Rules | None = None,
    ) -> Grant: ...  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """A request that has passed: which twin, and what may be done with it.

    Attributes:
        again: decides once more, for answers that take long; raises like `enter`.
    """

    served: Served
    grant: Grant
    again: Callable[[], object] = lambda: None

    def still(self) -> None:
        """Whoever sends an answer in pieces asks before each: microseconds as long as nothing changed.

        Raises Unauthenticated, Denied: it may not be read any more (the agreement was suspended, the token taken back).
        """
        self.again()


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


def _settled() -> None:
    """What was decided stays decided: only what an agreement allows may end before the answer does."""


def enter(request: Request, twin: str, action: Action) -> Asked:
    """One decision: which twin, who asks, and what may be done with it.

    Raises:
        NotFound: there is no such twin.
        Unauthenticated, Denied: it may not be done.
    """
    opened = _opened(request)
    opened.quiet.hear()
    served = opened.shelf.get(twin)
    request.scope[CALLER] = (served, ANYONE, action)
    subject = who(request, served)
    request.scope[CALLER] = (served, subject, action)
    request.scope[PRIVATE] = subject.kind != "anyone"
    before = served.standings.last
    grant = decided(opened, served, subject, action, request.headers.get(PURPOSE, ""))
    watched = subject.kind == "peer"
    again = _watched(request, opened, served, grant, before) if watched else _settled
    grant.require()
    if subject.kind == "peer":
        grant = partner_reach.reached(request, served.twin, grant)
    asked = Asked(served, grant, again)
    request.scope[ASKED] = asked
    return asked


def who(request: Request, served: Served) -> Subject:
    """The caller of a request, by a token or by the cookie of a session. Raises Unauthenticated, Denied (see `session_cookie`)."""
    shown = request.headers.get("authorization", "")
    if not shown:
        return session_cookie.subject_of(request, served)
    return identify(shown, served.id, served.secret, served.known)


def decided(opened: Open, served: Served, subject: Subject, action: Action, purpose: str = "") -> Grant:
    """What a caller may do with a twin as things stand now; for a peer, by its agreement."""
    resource = Resource(served.id, access=served.twin.description.access)
    if subject.kind != "peer":
        return opened.decide(subject, action, resource, rules=served.rules)
    kept, now = served.standings.kept, datetime.now(UTC)
    key = (subject.agreement, subject.scopes, action, purpose)
    known = kept.get(key)
    if known is not None and known.subject == subject and (known.expires is None or now < known.expires):
        return known
    grant = opened.decide(
        subject, action, resource, now=now, standing=served.standings.standing(subject, found=True),
        purpose=purpose or purpose_of(subject), rules=served.rules,
    )  # fmt: skip
    if grant.allowed and len(kept) < _MOST_KEPT:
        kept[key] = grant
    return grant


def inside(asked: Asked, boxes: Sequence[LonLat]) -> None:
    """Whoever asks for places outside of what was granted is told so; what lies partly inside is narrowed instead.

    Raises Denied: none of the boxes (west, south, east, north, degrees) meets the area of the Grant.
    """
    area = asked.grant.area
    if area is None:
        return
    west, south, east, north = _degrees(asked.served.twin.description.frame, area)
    if not any(box[0] <= east and box[2] >= west and box[1] <= north and box[3] >= south for box in boxes):
        asked.grant.refuse("what is asked for lies outside the granted area", "outside-area")


@lru_cache(256)
def _degrees(frame: Frame, area: Bounds) -> LonLat:
    return frame.lonlat_bounds(area).as_tuple()


def _watched(
    request: Request, opened: Open, served: Served, grant: Grant, before: Hashable
) -> Callable[[], object]:
    """Decides again where anything was committed since, or the agreement's time is over; raises as `enter` does."""
    seen = [before]

    def again() -> None:
        look = served.standings.look()
        if look == seen[0] and (grant.expires is None or datetime.now(UTC) < grant.expires):
            return
        subject = who(request, served)
        now = decided(opened, served, subject, grant.action, grant.purpose)
        now.require()
        if now != grant:
            now.refuse("the agreement has changed", "agreement-changed", served.id)
        seen[0] = look

    return again


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


def may_write(request: Request, twin: TwinId) -> Asked:
    """The dependency of every route that writes layers of one twin."""
    return enter(request, twin, "write")


def may_share(request: Request, twin: TwinId) -> Asked:
    """The dependency of every route by which officers offer, negotiate, agree and press the red button."""
    return enter(request, twin, "share")


def may_release(request: Request, twin: TwinId) -> Asked:
    """The dependency of every route that decides at the release gate."""
    return enter(request, twin, "release")


def may_govern(request: Request, twin: TwinId) -> Asked:
    """The dependency of every route about accounts, tokens and keys of one twin."""
    return enter(request, twin, "govern")


def on_shelf(request: Request) -> Open:
    """The dependency of routes above any one twin; they decide for each twin that they name."""
    return _opened(request)


Reading = Annotated[Asked, Depends(may_read)]
Running = Annotated[Asked, Depends(may_run)]
Planning = Annotated[Asked, Depends(may_plan)]
Approving = Annotated[Asked, Depends(may_approve)]
Sharing = Annotated[Asked, Depends(may_share)]
Releasing = Annotated[Asked, Depends(may_release)]
Governing = Annotated[Asked, Depends(may_govern)]
OnShelf = Annotated[Open, Depends(on_shelf)]
