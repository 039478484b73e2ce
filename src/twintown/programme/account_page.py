"""An account as a page that people read, print and keep: the figures in a table, how each is known, and both signatures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from twintown.ground.names import Name

from .account import FLOWS, SIDES, Account, Figure, Side
from .account_text import Language, figure, plain, words
from .event import Event

if TYPE_CHECKING:
    from jinja2 import Template


@dataclass(frozen=True, slots=True)
class Signed:
    """One city's signature: which side, the officer's office, the DID, the key (Multikey), when, and whether it holds now."""

    side: Side
    office: str
    did: str
    key: str
    at: datetime
    good: bool


def page(
    account: Account, event: Event, cities: Mapping[Side, Name], products: Mapping[str, Name], signatures: Sequence[Signed],
    digest: str, zone: ZoneInfo, language: Language,
) -> str:  # fmt: skip
    """The account as HTML that asks nothing of any server.

    Args:
        cities: names of both sides. products: names by code; a code that is not there stands for itself.
        digest: SHA-256 of the document that was signed, hexadecimal; "" of a draft.
        zone: of the times that it tells.
    """
    say = words(language)

    def cell(one: Figure) -> dict[str, Any]:
        return {
            "value": "—" if one.value is None else plain(one.value), "error": plain(one.error) if one.error else "",
            "source": say[one.source], "origin": one.origin[language],
        }  # fmt: skip

    start, end = event.start.astimezone(zone), event.end.astimezone(zone)
    rows = [
        {
            "name": products[one.product][language] if one.product in products else one.product,
            "cells": [cell(getattr(one, name)) for name in FLOWS],
        }
        for one in account.products
    ]
    sides = [
        {
            "role": say[side], "name": cities[side][language], "spent": figure(account.spent[side], language),
            "benefits": [(one.text[language], figure(one.figure, language)) for one in account.benefits[side]],
        }
        for side in SIDES
    ]  # fmt: skip
    signed = [
        {"role": say[one.side], "office": one.office, "did": one.did, "key": one.key, "good": say["good" if one.good else "not_good"],
         "at": f"{one.at.astimezone(zone):%Y-%m-%d %H:%M}"}
        for one in signatures
    ]  # fmt: skip
    made: str = _template().render(
        language=language, say=say, title=event.title[language], place=event.place.name[language],
        when=f"{start:%Y-%m-%d %H:%M}–{end:%H:%M}" if start.date() == end.date() else f"{start:%Y-%m-%d}–{end:%Y-%m-%d}",
        flows=[say[name] for name in FLOWS], rows=rows, sums=[cell(getattr(account, name)) for name in FLOWS],
        came=figure(account.came, language), sides=sides, note=account.note[language].strip(), signatures=signed, digest=digest,
    )  # fmt: skip
    return made


@lru_cache(maxsize=1)
def _template() -> Template:
    from jinja2 import Environment

    text = Path(__file__).with_name("account.html.j2").read_text(encoding="utf-8")
    return Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(text)
