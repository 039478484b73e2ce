"""Where a twin's bytes lie: the declared places, each in a country and a zone of the city's security scheme.

[cloud]
scheme = "n2sf"                   a pack of trust/packs: grades, zones, what may lie where
[[cloud.places]]
id = "city-hall"
stores = ["files", "database"]    the twin's directory and its state.db; or addresses: "s3://bucket", "postgresql://host/name"
country = "KR"                    ISO 3166-1
zone = "s"                        a zone of the scheme
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twintown.ground.errors import BadSettings
from twintown.ground.names import check_id

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


def parse_cloud(table: object) -> Cloud:
    """From the parsed table.

    Raises:
        BadSettings: a member too many or too few, a country that is none, a store in two places.
    """
    said = _table(table, "cloud", {"scheme", "places"}, {"scheme"})
    places = tuple(_place(entry, i) for i, entry in enumerate(said.get("places", [])))
    stores = [store for place in places for store in place.stores]
    if twice := [store for store in stores if stores.count(store) > 1]:
        raise BadSettings(f"{twice[0]!r} lies in two places", "cloud.places", "name it once")
    return Cloud(check_id(said["scheme"], "cloud.scheme"), places)


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
