"""Where a twin's bytes may lie and whom they may be sent to: the declared places, each in a country and a zone of the city's scheme.

    [cloud]
    scheme = "n2sf"                   a pack of trust/packs: grades, zones, what may lie where
    [[cloud.places]]
    id = "city-hall"
    stores = ["files", "database"]    the twin's directory and its state.db; or addresses: "s3://bucket", "postgresql://host/name"
    country = "KR"                    ISO 3166-1
    zone = "s"                        a zone of the scheme

Where a twin has no `[cloud]`, this machine's own disk holds anything, and no store elsewhere anything above O.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from twintown.ground.errors import BadSettings, Denied
from twintown.ground.names import check_id

from .grades import Grade
from .peers import Peer
from .scheme import Scheme, scheme_of

_COUNTRY = re.compile(r"[A-Z]{2}")
FILES, DATABASE = "files", "database"


@dataclass(frozen=True, slots=True)
class Place:
    """Where bytes may come to lie: a store, in a country and in a zone of the scheme."""

    id: str
    stores: tuple[str, ...]
    country: str
    zone: str


@dataclass(frozen=True, slots=True)
class Cloud:
    """`[cloud]` of a description. `scheme` is "" where nothing was declared."""

    scheme: str = ""
    places: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether something may lie or go there, and why: a code for programs, a sentence for people."""

    allowed: bool
    code: str
    why: str
    place: Place | None = None


class Described(Protocol):
    """A twin, as far as its description goes."""

    @property
    def description(self) -> Any: ...


def may_lie(cloud: Cloud, store: str, grade: Grade) -> Verdict:
    """Whether what has this grade may be stored and processed in a store.

    Args:
        store: `files`, `database`, or an address (see `address_of`).
    """
    here = store in (FILES, DATABASE)
    if not cloud.scheme:
        if here or grade is Grade.O:
            return Verdict(True, "undeclared", "nobody has declared where this store lies")
        return Verdict(False, "undeclared", f"nobody has declared where {store} lies; add it to [cloud]")
    scheme = scheme_of(cloud.scheme)
    place = place_of(cloud, store)
    if place is None:
        return Verdict(False, "undeclared", f"no place of [cloud] holds {store}")
    zone, rule, called = scheme.zones[place.zone], scheme.rules[grade], _called(scheme, grade)
    if not grade.within(zone.up_to):
        why = f"the zone {zone.title.en} holds up to {_called(scheme, zone.up_to)}, not {called}"
        return Verdict(False, "zone", why, place)
    if not rule.holds(place.country):
        return Verdict(False, "country", f"{called} may not lie in {place.country}: {rule.why}", place)
    return Verdict(True, "allowed", f"the zone {zone.title.en} in {place.country} holds {called}", place)


def may_send(twin: Described, peer: Peer, grade: Grade) -> Verdict:
    """Whether what has this grade may be sent to another city: by the grade that its officers gave it, and by the scheme."""
    if not grade.within(peer.grade):
        why = f"{peer.id} may get what is graded {peer.grade.value} at most, and this is {grade.value}"
        return Verdict(False, "grade", why)
    cloud: Cloud = twin.description.cloud
    if not cloud.scheme:
        return Verdict(
            True, "undeclared", f"{peer.id} may get what is graded {peer.grade.value}; no scheme is declared"
        )
    scheme = scheme_of(cloud.scheme)
    rule, called = scheme.rules[grade], _called(scheme, grade)
    if not rule.goes(peer.country):
        there = peer.country or "a country that nobody named"
        return Verdict(False, "country", f"{called} may not be sent to {there}: {rule.why}")
    return Verdict(True, "allowed", f"{called} may be sent to {peer.country or 'any country'}")


def sendable(twin: Described, peer: Peer) -> Grade:
    """The highest grade that may be sent to another city; what is open may always."""
    return max(
        (one for one in Grade if may_send(twin, peer, one).allowed), key=lambda one: one.rank, default=Grade.O
    )


def check_send(twin: Described, peer: Peer, grade: Grade, what: str) -> None:
    """Go on, or stop before anything is sent. Raises Denied with code `cloud-policy`: it may not be sent there."""
    verdict = may_send(twin, peer, grade)
    if not verdict.allowed:
        raise Denied(verdict.why, what, "let the security officer decide about that peer", "cloud-policy")


def check_lie(cloud: Cloud, store: str, grade: Grade, what: str) -> None:
    """Go on, or stop before anything is written. Raises Denied with code `cloud-policy`: it may not lie there."""
    verdict = may_lie(cloud, store, grade)
    if not verdict.allowed:
        raise Denied(
            f"it may not be written to {store}: {verdict.why}", what,
            "choose another store, or let the security officer change [cloud] of twintown.toml", "cloud-policy",
        )  # fmt: skip


def place_of(cloud: Cloud, store: str) -> Place | None:
    """The declared place that holds a store: the one that names it, or the closest folder above it."""
    fitting = [
        (len(named), place)
        for place in cloud.places
        for named in place.stores
        if store == named or ("://" in named and store.startswith(f"{named}/"))
    ]
    return max(fitting, key=lambda one: one[0])[1] if fitting else None


def address_of(url: str) -> str:
    """A store's address without who signs in to it, with what driver and with which options."""
    if "://" not in url:
        return f"file://{url}"
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("?")[0].partition("/")
    return f"{scheme.partition('+')[0]}://{host.rpartition('@')[2]}{slash}{path}".rstrip("/")


def _called(scheme: Scheme, grade: Grade) -> str:
    named = scheme.grade(grade)
    return f"{named.title.en} ({named.id})"


def parse_cloud(table: object) -> Cloud:
    """From the parsed table.

    Raises:
        BadSettings: a member too many or too few, a country that is none, a store in two places.
    """
    said = _table(table, "cloud", {"scheme", "places"}, {"scheme"})
    scheme = scheme_of(check_id(said["scheme"], "cloud.scheme"))
    places = tuple(_place(entry, i) for i, entry in enumerate(said.get("places", [])))
    stores = [store for place in places for store in place.stores]
    if twice := [store for store in stores if stores.count(store) > 1]:
        raise BadSettings(f"{twice[0]!r} lies in two places", "cloud.places", "name it once")
    for place in places:
        scheme.zone(place.zone, f"cloud.places.{place.id}.zone")
    return Cloud(scheme.id, places)


def _place(entry: object, number: int) -> Place:
    where = f"cloud.places[{number}]"
    said = _table(entry, where, {"id", "stores", "country", "zone"}, {"id", "stores", "country", "zone"})
    if not _COUNTRY.fullmatch(str(said["country"])):
        raise BadSettings(
            f"{said['country']!r} is no country", f"{where}.country", "write two letters, as KR"
        )
    stores = said["stores"]
    if not isinstance(stores, list) or not stores:
        raise BadSettings(
            "must be a list of stores", f"{where}.stores", 'write stores = ["files", "database"]'
        )
    for store in stores:
        if not isinstance(store, str) or (store not in (FILES, DATABASE) and "://" not in store):
            raise BadSettings(
                f"{store!r} is no store", f"{where}.stores", "write files, database or an address"
            )
        if "@" in store:
            raise BadSettings(
                "holds who signs in to a store", f"{where}.stores", "write the address without it"
            )
    return Place(
        check_id(said["id"], where), tuple(one.rstrip("/") for one in stores), said["country"], str(said["zone"])
    )  # fmt: skip


def _table(table: object, where: str, known: set[str], needed: set[str]) -> Mapping[str, Any]:
    if not isinstance(table, Mapping):
        raise BadSettings("must be a table", where)
    if unknown := sorted(set(table) - known):
        raise BadSettings(f"unknown key {unknown[0]!r}", where, f"known here: {', '.join(sorted(known))}")
    if missing := sorted(needed - set(table)):
        raise BadSettings(f"{missing[0]!r} is missing", where, "add it")
    return table
