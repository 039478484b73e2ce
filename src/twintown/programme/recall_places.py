"""Where a lot goes: the stands and kitchens of a delivery plan that have some of it, with kilograms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from twintown.ground.errors import BadParameter, NotFound
from twintown.programme import event_rows
from twintown.query.query import Query
from twintown.store.engine import reading
from twintown.trust.policy import Grant
from twintown.twin.layers import Twin

#: The layer in which a plan says who gets what, and those of needs and kitchens.
DELIVERIES, NEEDS, KITCHENS = "deliveries", "needs", "kitchens"
_TEXTS = {"place": 120, "kind": 12, "date": 10}


@dataclass(frozen=True)
class Place:
    """A stand or a kitchen that has some of a lot.

    Attributes:
        place: its id. kind: `stand`, `kitchen`, or "" where nobody says.
        name: Korean and English. kg: kilograms, of all deliveries. date: day of the first (ISO 8601), or "".
        partner: id or DID of the city that it lies in, "" where nobody says. It is not told.
    """

    place: str
    kind: str
    name: tuple[str, str]
    kg: float
    date: str = ""
    partner: str = ""

    def to_dict(self) -> dict[str, Any]:
        ko, en = self.name
        return {
            "place": self.place,
            "kind": self.kind,
            "name": {"ko": ko, "en": en},
            "kg": round(self.kg, 3),
            "date": self.date,
        }

    @classmethod
    def of(cls, said: Any, where: str = "body.places") -> Place:
        """From JSON, strictly. Raises BadParameter."""
        if not isinstance(said, dict) or set(said) != {*_TEXTS, "name", "kg"}:
            raise BadParameter(where, "a place has place, kind, name, kg and date")
        for name, most in _TEXTS.items():
            if not isinstance(said[name], str) or len(said[name]) > most:
                raise BadParameter(where, f"{name} is a text of at most {most} characters")
        called, kg = said["name"], said["kg"]
        if (
            not isinstance(called, dict)
            or set(called) != {"ko", "en"}
            or not all(isinstance(one, str) and len(one) <= 200 for one in called.values())
        ):
            raise BadParameter(where, "name has ko and en, of at most 200 characters")
        if isinstance(kg, bool) or not isinstance(kg, int | float) or not 0 <= kg < 1e9:
            raise BadParameter(where, "kg is a number of kilograms")
        return cls(said["place"], said["kind"], (called["ko"], called["en"]), float(kg), said["date"])


def places_of(twin: Twin, grant: Grant, lot: str, deliveries: str = "") -> tuple[Place, ...]:
    """The places that a plan gives some of a lot, by name.

    Args:
        deliveries: layer of the plan; the newest by default. None where no plan was made: no places.

    Raises:
        NotFound: the named layer is not there.
    """
    layer = deliveries or newest(twin, grant)
    if not layer:
        return ()
    needs, kitchens = _rows(twin, grant, NEEDS), _rows(twin, grant, KITCHENS)
    hosts, stands = _hosts(twin)
    found: dict[tuple[str, str], Place] = {}
    for row in _rows(twin, grant, layer, must=True).values():
        if row.get("lot") != lot:
            continue
        need = needs.get(str(row.get("need")), {})
        id = str(row.get("place") or need.get("place") or row.get("need") or "")
        kg, day = float(row.get("quantity_kg") or 0), str(row.get("date") or "")
        at = (_said(need, "event"), id)  # stands of two events may have the same name
        known = found.get(at)
        if known is not None:
            found[at] = replace(
                known, kg=known.kg + kg, date=min(filter(None, (known.date, day)), default="")
            )
            continue
        kitchen = kitchens.get(id, {})
        name = stands.get(at) or (
            _said(need, "name_ko") or _said(kitchen, "name_ko") or id,
            _said(need, "name_en") or _said(kitchen, "name_en") or id,
        )
        kind = _said(need, "place_kind") or ("kitchen" if kitchen else "")
        partner = hosts.get(_said(need, "event"), "") or _said(kitchen, "partner")
        found[at] = Place(id, kind, name, kg, day, partner)
    return tuple(sorted(found.values(), key=lambda one: (one.kind, one.name)))


def newest(twin: Twin, grant: Grant) -> str:
    """The layer of deliveries that was made last; "" where there is none."""
    found = [
        one for one in twin.layers(grant) if one.layer == DELIVERIES or one.layer.startswith(f"{DELIVERIES}-")
    ]
    return max(found, key=lambda one: one.built_at).layer if found else ""


def hosts_of(twin: Twin) -> frozenset[str]:
    """DIDs of the cities that our events are held in, or that hold theirs with us."""
    with reading(twin.tables.engine) as connection:
        found = event_rows.all_in(connection, twin.tables.twin)
    return frozenset(
        did
        for one in found
        if one.state not in ("listed", "cancelled")
        for did in (one.peer, str(one.body.get("host") or ""))
        if did
    )


def _hosts(twin: Twin) -> tuple[dict[str, str], dict[tuple[str, str], tuple[str, str]]]:
    """The city of each event, and what its stands are called (Korean, English) by event and stand."""
    with reading(twin.tables.engine) as connection:
        kept = event_rows.all_in(connection, twin.tables.twin)
    names = {
        (one.id, str(stand["id"])): (str(stand["name"]["ko"]), str(stand["name"]["en"]))
        for one in kept
        for stand in one.body["stands"]
    }
    return {one.id: one.peer or str(one.body.get("host") or "") for one in kept}, names


def _rows(twin: Twin, grant: Grant, layer: str, *, must: bool = False) -> dict[str, Mapping[str, Any]]:
    """The rows of a layer by id; none where it is not there, unless it must be."""
    try:
        view = twin.view(layer, grant)
    except NotFound:
        if must:
            raise
        return {}
    names = [column.name for column in view.columns if column.name != "id"]
    texts = view.encoded(view.positions(Query()), names)
    rows = (orjson.loads(bytes(text)) for text in texts)
    return {str(row["id"]): row["properties"] for row in rows}


def _said(row: Mapping[str, Any], name: str) -> str:
    return str(row.get(name) or "")
