"""A city's security scheme, from a pack of `trust/packs`: its grades on our three ranks, its zones, and where each grade may lie.

A pack states what others have published, each rule with its source and date, and is marked "to be confirmed by the security officer".
The first is Korea's N2SF, whose letters the three ranks carry; others name their grades and say on which rank each stands.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

from twintown.ground.errors import BadInput, BadSettings
from twintown.ground.names import Name

from .grades import Grade

ANY = "*"


@dataclass(frozen=True, slots=True)
class Source:
    """What a rule goes by."""

    id: str
    title: str
    publisher: str
    date: str


@dataclass(frozen=True, slots=True)
class SchemeGrade:
    """A grade of the scheme, on one of the three ranks."""

    id: str
    rank: Grade
    title: Name
    about: str


@dataclass(frozen=True, slots=True)
class Zone:
    """A class of places: up to which rank it may hold anything."""

    id: str
    title: Name
    up_to: Grade
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """In which countries a rank may be stored and processed, and to which it may be sent."""

    countries: tuple[str, ...]
    send: tuple[str, ...]
    why: str
    sources: tuple[str, ...]

    def holds(self, country: str) -> bool:
        """Whether it may be stored and processed there."""
        return ANY in self.countries or country in self.countries

    def goes(self, country: str) -> bool:
        """Whether it may be sent there; "" is a country that nobody named."""
        return ANY in self.send or country in self.send


@dataclass(frozen=True)
class Scheme:
    """A pack."""

    id: str
    title: Name
    status: str
    read_on: str
    sources: tuple[Source, ...]
    grades: tuple[SchemeGrade, ...]
    zones: Mapping[str, Zone]
    rules: Mapping[Grade, Rule]

    def grade(self, rank: Grade) -> SchemeGrade:
        """What the scheme calls a rank."""
        return next(one for one in self.grades if one.rank is rank)

    def zone(self, id: str, where: str) -> Zone:
        """One zone. Raises BadSettings: the scheme has no such zone."""
        if id not in self.zones:
            raise BadSettings(
                f"{self.id} has no zone {id[:40]!r}", where, f"write one of {', '.join(self.zones)}"
            )
        return self.zones[id]


def packs() -> tuple[str, ...]:
    """The schemes that there are."""
    folder = resources.files("twintown.trust").joinpath("packs")
    return tuple(
        sorted(one.name.removesuffix(".toml") for one in folder.iterdir() if one.name.endswith(".toml"))
    )


@lru_cache(16)
def scheme_of(id: str) -> Scheme:
    """The pack of that id. Raises BadSettings: there is none, or it cannot be used."""
    if id not in packs():
        raise BadSettings(
            f"there is no scheme {id[:40]!r}", "cloud.scheme", f"write one of {', '.join(packs())}"
        )
    text = resources.files("twintown.trust").joinpath("packs", f"{id}.toml").read_text(encoding="utf-8")
    try:
        return read_scheme(tomllib.loads(text))
    except (KeyError, TypeError, ValueError, BadInput) as error:
        raise BadSettings(f"the pack cannot be used: {error}", f"packs/{id}.toml", "mend it") from error


def read_scheme(said: Mapping[str, Any]) -> Scheme:
    """From a parsed pack.

    Raises:
        KeyError, TypeError, ValueError, BadInput: something is missing or is not what it should be.
    """
    sources = tuple(Source(one["id"], one["title"], one["publisher"], one["date"]) for one in said["sources"])
    known = {one.id for one in sources}

    def named(entry: Mapping[str, Any]) -> tuple[str, ...]:
        if not entry["sources"] or set(entry["sources"]) - known:
            raise ValueError(f"{entry.get('id', entry.get('why'))} has no source that is listed")
        return tuple(entry["sources"])

    for one in said["grades"]:
        named(one)
    grades = tuple(
        SchemeGrade(one["id"], Grade.of(one["rank"]), Name.of(one["title"], one["id"]), one["about"])
        for one in said["grades"]
    )
    zones = {
        one["id"]: Zone(one["id"], Name.of(one["title"], one["id"]), Grade.of(one["up_to"]), named(one))
        for one in said["zones"]
    }
    rules = {
        Grade.of(rank): Rule(tuple(one["countries"]), tuple(one["send"]), one["why"], named(one))
        for rank, one in said["rules"].items()
    }
    if sorted(one.rank.value for one in grades) != ["C", "O", "S"] or len(rules) != 3:
        raise ValueError("each of the three ranks needs one grade and one rule")
    return Scheme(
        said["id"], Name.of(said["title"], "title"), said["status"], said["read_on"], sources, grades, zones, rules
    )  # fmt: skip
