"""What the process `deliveries` reads: lots, needs and vehicles as columns of numbers, each row looked at, what cannot be taken named.

Refused, with the row: a quantity that is negative or no number, a lot of which more is promised than there is, a date, grade or state
that is none, a need without a window in its day, a vehicle that carries nothing or never works. All else (a need nobody can meet, a
failed lot, a need on another day) is no mistake of the data: it ends among the unmet needs with its reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from twintown.ground.errors import BadInput

from .deliveries_rows import (
    Flags,
    Floats,
    Ints,
    Rows,
    Texts,
    words,
)

#: Lots in these states are delivered from; a failed or recalled one is not, and its kept allotments are planned anew.
USABLE = ("", "offered", "promised")
STATES = (*USABLE, "failed", "recalled")


@dataclass(frozen=True)
class Lots:
    """One row a lot, sorted by id. `kg`: what is free; `first`, `last`: days since 1970 on which it may be handed over."""

    id: Texts
    producer: Texts
    origin: Texts
    product: Texts
    grade: Ints
    kg: Floats
    first: Ints
    last: Ints
    #: `last` is so early because it does not keep longer, not because the offer ends.
    perishes: Flags
    krw_kg: Floats
    allergens: Texts
    usable: Flags
    state: Texts
    #: An origin of last resort.
    substitute: Flags
    x: Floats
    y: Floats

    def __len__(self) -> int:
        return len(self.id)


@dataclass(frozen=True)
class Needs:
    """One row a need, sorted by id. `day`: days since 1970; `opens`, `closes`: local hours between which it must arrive."""

    id: Texts
    place: Texts
    event: Texts
    product: Texts
    kg: Floats
    day: Ints
    opens: Floats
    closes: Floats
    krw_max: Floats
    grade: Ints
    allergens_not: Texts
    substitutes: Texts
    weight: Floats
    x: Floats
    y: Floats

    def __len__(self) -> int:
        return len(self.id)

    def some(self, chosen: Flags | Ints) -> Needs:
        """Only these rows."""
        return Needs(**{name: getattr(self, name)[chosen] for name in self.__dataclass_fields__})


@dataclass(frozen=True)
class Vehicles:
    """One row a vehicle, sorted by id; at its depot. `begins`, `ends`: its working hours; each goes out once a day."""

    id: Texts
    kg: Floats
    krw_km: Floats
    krw_d: Floats
    kg_co2_km: Floats
    begins: Floats
    ends: Floats
    km_h: Floats
    cooled: Flags
    x: Floats
    y: Floats

    def __len__(self) -> int:
        return len(self.id)


def _codes(texts: Texts) -> Texts:
    plain = {text: ",".join(words(text)) for text in set(texts.tolist())}
    out = np.empty(len(texts), object)
    out[:] = [plain[text] for text in texts]
    return out


def lots_of(shape: Any, caution: float, ours: frozenset[str] = frozenset()) -> Lots:
    """The lots.

    Args:
        caution: how much of the stated error of a quantity is held back (0 to 1).
        ours: events and places that are planned for: what is promised to them may be planned with, what is promised elsewhere not.

    Raises:
        BadInput: a row cannot be taken; names it.
    """
    rows = Rows(shape, "lots")
    kg, promised = rows.number("quantity_kg"), rows.number("promised_kg", 0.0)
    rows.wrong(
        promised > kg + 1e-9,
        "is more than the lot holds: it is promised twice",
        "promised_kg",
        "take one promise back",
    )
    state = rows.text("state", "offered")
    rows.wrong(
        ~np.isin(state, STATES), "is no state", "state", f"use one of {', '.join(s for s in STATES if s)}"
    )
    first, until, keeps = (
        rows.days("from"),
        rows.days("until", optional=True),
        rows.number("shelf_life_d", np.inf),
    )
    perish = first + keeps
    rows.wrong(np.isnan(until) & ~np.isfinite(perish), "neither a last day nor a shelf life", "until")
    rows.wrong(until < first, "lies before the first day", "until")
    last = np.fmin(until, perish)
    x, y = rows.points()
    elsewhere = ~np.isin(rows.text("promised_to").astype(str), sorted(ours))
    free = kg - np.where(elsewhere, promised, 0.0) - caution * rows.number("error_kg", 0.0)
    origin = rows.text("origin_en")
    return Lots(
        rows.id, rows.text("producer"), np.where(origin == "", rows.text("producer"), origin), rows.text("product"),
        rows.grade("grade"), np.maximum(np.floor(free * 100 + 1e-6) / 100, 0.0), first.astype(np.int64), np.floor(last).astype(np.int64),
        perish < np.where(np.isnan(until), np.inf, until), rows.number("price_krw_kg"), _codes(rows.text("allergens")),
        np.isin(state, USABLE), state, rows.flag("substitute"), x, y,
    )  # fmt: skip


def needs_of(shape: Any) -> Needs:
    """The needs.

    Raises:
        BadInput: a row cannot be taken, or there is none.
    """
    rows = Rows(shape, "needs")
    if not len(rows.id):
        raise BadInput("nothing is needed", "layer needs", "add needs first")
    opens, closes = rows.number("from_h", 0.0), rows.number("until_h", 24.0)
    rows.wrong(opens >= 24, "is no hour of the day", "from_h")
    rows.wrong((closes <= opens) | (closes > 24), "is no hour after from_h", "until_h")
    product = rows.text("product")
    rows.wrong(product == "", "is missing", "product")
    krw_max = rows.number("price_max_krw_kg", np.inf)
    place = rows.text("place")
    x, y = rows.points()
    return Needs(
        rows.id, np.where(place == "", rows.id, place), rows.text("event"), product, np.round(rows.number("quantity_kg"), 2),
        rows.days("date").astype(np.int64),
        opens, closes, np.where(krw_max <= 0, np.inf, krw_max), rows.grade("grade_min"), _codes(rows.text("allergens_not")),
        _substitutes(rows), rows.number("weight", 1.0), x, y,
    )  # fmt: skip


def _substitutes(rows: Rows) -> Texts:
    texts = rows.text("substitutes")
    good = {text: substitutes(text) is not None for text in set(texts.tolist())}
    rows.wrong(
        [not good[text] for text in texts], "cannot be read", "substitutes", "write product:kg per kg, such as sweet-potato:1.0"
    )  # fmt: skip
    return texts


def substitutes(text: str) -> dict[str, float] | None:
    """Which products may stand in, and how many kg of each for one kg; none where the text cannot be read."""
    found: dict[str, float] = {}
    for one in words(text):
        product, _, ratio = one.partition(":")
        try:
            found[product] = float(ratio or 1.0)
        except ValueError:
            return None
        if not product or not 0.01 <= found[product] <= 100:
            return None
    return found


def vehicles_of(shape: Any) -> Vehicles:
    """The vehicles.

    Raises:
        BadInput: a row cannot be taken, or there is none.
    """
    rows = Rows(shape, "vehicles")
    if not len(rows.id):
        raise BadInput("there is no vehicle", "layer vehicles", "add at least one")
    begins, ends = rows.number("from_h", 0.0), rows.number("until_h", 24.0)
    rows.wrong(ends <= begins, "is no hour after from_h", "until_h")
    x, y = rows.points()
    return Vehicles(
        rows.id, rows.number("capacity_kg", least=1.0), rows.number("krw_km", 0.0), rows.number("krw_d", 0.0),
        rows.number("kg_co2_km", 0.0), begins, ends, rows.number("km_h", least=1.0), rows.flag("cooled"), x, y,
    )  # fmt: skip
