"""An event as it is answered, with what its officer should know of it; and what cannot be taken at all."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request
from starlette.responses import Response

from twintown.api import answers, event_listings, event_sight
from twintown.api.exchange_models import meaning
from twintown.api.guard import Asked
from twintown.exchange.agreements import agreement_of
from twintown.ground.errors import BadParameter, NotFound
from twintown.programme.event import Event
from twintown.programme.event_members import moment
from twintown.programme.event_rows import Kept
from twintown.programme.reach import reach
from twintown.trust.peers import peers_of

_GUESSED = {
    "code": "kind-guessed", "level": "info", "member": "kind",
    "text": {
        "ko": "자료에는 행사의 종류가 없어 이름으로 짐작했습니다",
        "en": "The source does not say what kind of event it is: guessed from its name",
    },
}  # fmt: skip
_REVERSED = {
    "code": "days-reversed", "level": "warn", "member": "start",
    "text": {
        "ko": "자료에는 끝나는 날이 시작하는 날보다 앞섭니다. 순서를 바꾸어 보였습니다",
        "en": "The source says that it ends before it begins; the days are shown the other way round",
    },
}  # fmt: skip


def when(asked: Asked, said: str, name: str) -> datetime | None:
    """A moment, or the midnight in the city's zone with which a day begins; none where nothing is said. Raises BadParameter."""
    if not said:
        return None
    if len(said) == 10:
        try:
            day = date.fromisoformat(said)
        except ValueError as error:
            raise BadParameter(name, f"{said!r} is no day", remedy="write it as 2027-09-18") from error
        return datetime(
            day.year, day.month, day.day, tzinfo=ZoneInfo(asked.served.twin.description.time_zone)
        )
    return moment(said.replace(" ", "+"), name)


def check_here(request: Request, asked: Asked, event: Event) -> None:
    """What is on this city's ground lies in its twin, at a venue that there is; another city is a peer.

    Raises BadParameter: naming the member.
    """
    twin = asked.served.twin
    if not here(request, asked, event):
        if event.host not in {peer.did for peer in peers_of(twin)}:
            known = ", ".join(peer.did for peer in peers_of(twin)) or "none"
            raise BadParameter("event.host", "is no peer of this twin", remedy=f"peers: {known}")
        return
    west, south, east, north = twin.description.frame.lonlat_bounds(twin.description.bounds).as_tuple()
    places = [("place", event.place.lon, event.place.lat)]
    places += [(f"stands[{at}]", one.lon, one.lat) for at, one in enumerate(event.stands)]
    if event.stage is not None:
        places.append(("stage", event.stage.lon, event.stage.lat))
    for name, lon, lat in places:
        if not (west <= lon <= east and south <= lat <= north):
            raise BadParameter(
                f"event.{name}", f"lies outside of {twin.description.names.en} ({lon:.4f}, {lat:.4f})",
                remedy="move it inside, or name the city on whose ground it is as host",
            )  # fmt: skip
    if event.place.venue:
        ids = [one.id for one in event_listings.venues(asked)]
        if event.place.venue not in ids:
            raise BadParameter(
                "event.place.venue", f"{event.place.venue[:60]!r} is no venue of this twin",
                remedy=f"venues: {', '.join(ids[:12]) or 'none'}; or leave it empty",
            )  # fmt: skip


def here(request: Request, asked: Asked, event: Event) -> bool:
    """Whether it is on this city's own ground."""
    return event.host in ("", meaning(request).did(asked.served.twin))


def findings(request: Request, asked: Asked, kept: Kept) -> list[dict[str, Any]]:
    """What its officer should know: on another city's ground, how far the agreement reaches; the host reads the same of a guest."""
    event, peer = kept.event, kept.peer or kept.event.host
    if kept.origin == "own" and here(request, asked, event):
        return []
    if not event_sight.officer(request, asked):  # how an agreement stands is told to nobody else
        return []
    standing = None
    if event.agreement:
        with suppress(NotFound):
            standing = agreement_of(asked.served.twin.tables, event.agreement)
    if standing is not None and standing.peer != peer:
        standing = None
    found = reach(
        event, standing.terms if standing else None, standing.state if standing else "", datetime.now(UTC)
    )
    return [
        {"code": one.code, "level": one.level, "member": one.row, "text": one.text.to_dict()} for one in found
    ]


def answer(request: Request, asked: Asked, kept: Kept, status: int = 200) -> Response:
    """An event with its state and findings; its revision is the entity tag that a change names."""
    said: dict[str, Any] = dict(kept.body) | {
        "revision": kept.revision, "state": kept.state, "origin": kept.origin, "peer": kept.peer, "joint": kept.joint,
        "why": kept.why, "all_day": False, "source": None, "listing": None, "findings": findings(request, asked, kept),
        "author": kept.author, "at": kept.at,
    }  # fmt: skip
    headers = {"ETag": f'"{kept.revision}"'}
    response = answers.answer(request, answers.dumps(said), cache="no-store", headers=headers)
    response.status_code = status
    return response


def answer_listing(request: Request, asked: Asked, id: str) -> Response:
    """A listing as an event, with its source. Raises NotFound."""
    one, source = event_listings.listing_of(asked, id)
    said = one.event.to_dict() | {
        "revision": 0, "state": "listed", "origin": "listing", "peer": "", "joint": "", "why": "", "all_day": True,
        "source": source, "listing": {"audience": one.audience, "fee": one.fee, "paid": one.paid, "link": one.link},
        "findings": [_GUESSED, *([_REVERSED] if one.reversed else [])], "author": None, "at": None, "visitors": None,
    }  # fmt: skip
    if not one.placed:
        said["place"] |= {"lon": None, "lat": None}
    return answers.answer_json(request, said, cache="no-store")
