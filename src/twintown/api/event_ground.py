"""Rows of layers on the ground where an event is: our own through the caller's Grant, or a partner's through the door of its agreement."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urlencode

from fastapi import Request

from twintown.api import event_answers, event_sight
from twintown.api.dsp_entry import handshake_of
from twintown.api.event_listings import rows_of
from twintown.api.exchange_models import side
from twintown.api.guard import Asked
from twintown.api.shelf import terms
from twintown.exchange import partners
from twintown.exchange.agreements import agreement_of
from twintown.ground.errors import NotFound, TwintownError, Unreachable
from twintown.programme.event import Event

#: Rows of one answer through the door, and its most bytes.
ROWS, BYTES = 10_000, 16 * 2**20
#: Small things that are kept beside a twin.
MOST = 2_000
T = TypeVar("T")
Rows = Sequence[Mapping[str, Any]]


def kept(asked: Asked, key: Hashable, make: Callable[[], T]) -> T:
    """What is small and dear, kept beside the twin: made once for its key, in which the versions of layers stand."""
    found: dict[Hashable, Any] = asked.served.bodies.get(("event-ground",), dict)
    try:
        value: T = found[key]
    except KeyError:
        value = make()
        if len(found) >= MOST:
            found.clear()
        found[key] = value
    return value


def rows(
    request: Request, asked: Asked, event: Event, layer: str, columns: Sequence[str] = ()
) -> tuple[Callable[[], Rows], Hashable]:
    """What reads the rows of a layer where the event is, with `lon` and `lat`, and a mark that changes with them.

    Args:
        columns: only these, where they are named (through the door).

    Raises:
        TwintownError: they cannot be had: there is no such layer, the agreement does not share it, the partner does not answer.
    """
    if event_answers.here(request, asked, event):
        view = asked.served.view(layer, asked.grant)
        return lambda: rows_of(view), (layer, view.token, terms(asked.grant))
    if not event.agreement:
        raise NotFound("the event names no agreement, so nothing is known of that ground", event.id)
    event_sight.check_officer(request, asked, event.id)
    asked.grant.require()
    found = agreement_of(asked.served.twin.tables, event.agreement)
    if found.role != "consumer" or found.peer != event.host:
        raise NotFound("the agreement is not about that ground", event.agreement)
    now = datetime.now(UTC)
    partners.in_force(side(request, asked), found, now)
    mark = (
        layer,
        found.id,
        found.revision,
        f"{now:%Y-%m-%dT%H}",
    )  # what a partner changes is seen within the hour
    return lambda: _through(request, asked, found.id, layer, columns), mark


def _through(
    request: Request, asked: Asked, agreement: str, layer: str, columns: Sequence[str]
) -> list[dict[str, Any]]:
    party, found = side(request, asked), agreement_of(asked.served.twin.tables, agreement)
    said = {"limit": str(ROWS), **({"properties": ",".join(columns)} if columns else {})}
    question = partners.Question(
        "GET", f"collections/{layer}/items", urlencode(said), {"accept": "application/geo+json"}
    )
    answer = partners.through(party, handshake_of(request).courier, found, question, "", datetime.now(UTC))
    try:
        parts, size = [], 0
        for part in answer:
            parts.append(part)
            size += len(part)
            if size > BYTES:
                raise Unreachable("the partner answers with too much", layer, "ask for less")
    finally:
        answer.close()
    if answer.status != 200:
        raise NotFound(
            f"the partner does not show {layer} ({answer.status})", agreement, "widen the agreement"
        )
    try:
        features = json.loads(b"".join(parts))["features"]
        return [_row(one) for one in features]
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise Unreachable("the partner answers with something else", layer, "tell its officers") from error


def _row(feature: Mapping[str, Any]) -> dict[str, Any]:
    row = dict(feature["properties"])
    place = feature.get("geometry")
    lon, lat = place["coordinates"][:2] if place and place.get("type") == "Point" else (None, None)
    return row | {"id": feature["id"], "lon": lon, "lat": lat}


def given_up(error: TwintownError) -> str:
    """Why rows could not be had, in one line for the basis of an answer."""
    return error.what[:200]
