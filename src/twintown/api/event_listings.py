"""The listings of a twin: rows of its layer of real events, read through the caller's Grant, with whom to thank for them."""

from __future__ import annotations

from collections.abc import Hashable
from contextlib import suppress
from typing import Any

import shapely

from twintown.api.event_briefs import Brief, brief
from twintown.api.event_models import EventSource
from twintown.api.guard import Asked
from twintown.api.shelf import terms
from twintown.ground.errors import Denied, NotFound, Unauthenticated
from twintown.ground.names import Name
from twintown.index.view import View
from twintown.programme import event_rows
from twintown.programme.listings import LAYER, VENUES, Listing, Venue, listings

Found = tuple[tuple[Listing, ...], tuple[Brief, ...], EventSource | None]


def found(asked: Asked) -> Found:
    """The listings that this caller may see, each also as a list says it, and their source; nothing where there is no such layer.

    Kept by the versions of the layers, so that nothing is ever stale.
    """
    try:
        view = asked.served.view(LAYER, asked.grant)
    except (NotFound, Denied, Unauthenticated):
        return (), (), None
    places = _places(asked)
    return asked.served.bodies.get(_mark(asked, view, places), lambda: _found(asked, view, places))


def mark(asked: Asked) -> Hashable:
    """What changes when the listings of this caller do."""
    try:
        return _mark(asked, asked.served.view(LAYER, asked.grant), _places(asked))
    except (NotFound, Denied, Unauthenticated):
        return ()


def listing_of(asked: Asked, id: str) -> tuple[Listing, EventSource]:
    """One listing with its source. Raises NotFound."""
    those, _, source = found(asked)
    for one in those:
        if one.event.id == id and source is not None:
            return one, source.model_copy(update={"row": one.row})
    raise NotFound(f"there is no event {id[:60]!r}", asked.served.id, "GET …/events lists them")


def venues(asked: Asked) -> tuple[Venue, ...]:
    """The venues that this caller may see."""
    view = _places(asked)
    return _venues(view) if view is not None else ()


def brief_of(one: Listing) -> dict[str, Any]:
    """A listing in a list."""
    said = event_rows.brief(one.event.to_dict(), "listed", "listing")
    place = said["place"] if one.placed else said["place"] | {"lon": None, "lat": None}
    return said | {"all_day": True, "link": one.link, "place": place, "visitors": None}


def _places(asked: Asked) -> View | None:
    with suppress(NotFound, Denied, Unauthenticated):
        return asked.served.view(VENUES, asked.grant)
    return None


def _mark(asked: Asked, view: View, places: View | None) -> Hashable:
    return "listings", view.token, places.token if places else "", terms(asked.grant)


def _found(asked: Asked, view: View, places: View | None) -> Found:
    about = asked.served.twin.description
    west, south, east, north = about.frame.lonlat_bounds(about.bounds).as_tuple()
    those = listings(
        rows_of(view),
        _venues(places) if places else (),
        about.time_zone,
        ((west + east) / 2, (south + north) / 2),
    )
    version = asked.served.twin.version(LAYER, asked.grant)
    origins = version.provenance.sources
    source = None
    if origins:
        one = origins[0]
        source = EventSource(
            layer=LAYER, title=one.title, publisher=one.publisher, licence=one.licence.title, attribution=one.licence.attribution,
            url=one.url, date=one.date,
        )  # fmt: skip
    return tuple(those), tuple(brief(brief_of(listing)) for listing in those), source


def rows_of(view: View) -> list[dict[str, Any]]:
    """The rows with `lon` and `lat`, None where a row has no place."""
    positions = view.positions()
    rows: list[dict[str, Any]] = view.take(positions, geometry=False).to_pylist()
    for row, shape in zip(rows, view.lonlat(positions), strict=True):
        row["lon"], row["lat"] = (None, None) if shape is None or shape.is_empty else _middle(shape)
    return rows


def _venues(view: View) -> tuple[Venue, ...]:
    rows = [row for row in rows_of(view) if row["lon"] is not None and isinstance(row.get("name_ko"), str)]
    return tuple(
        Venue(
            str(row["id"]), Name(row["name_ko"], row.get("name_en") or row["name_ko"]), row["lon"], row["lat"]
        )
        for row in rows
    )


def _middle(shape: shapely.Geometry) -> tuple[float, float]:
    point = shape if shape.geom_type == "Point" else shape.centroid
    return float(point.x), float(point.y)
