"""What the process `deliveries` reads: lots, needs and vehicles as columns of numbers, each row looked at, what cannot be taken named.

Refused, with the row: a quantity that is negative or no number, a lot of which more is promised than there is, a date, grade or state
that is none, a need without a window in its day, a vehicle that carries nothing or never works. All else (a need nobody can meet, a
failed lot, a need on another day) is no mistake of the data: it ends among the unmet needs with its reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from twintown.ground.errors import BadInput
from twintown.ground.features import Features

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Texts = NDArray[np.object_]

GRADES = {"": 0, "lower": 1, "middle": 2, "upper": 3, "special": 4}
#: Lots in these states are delivered from; a failed or recalled one is not, and its kept allotments are planned anew.
USABLE = ("", "offered", "promised")
STATES = (*USABLE, "failed", "recalled")
EPOCH = np.datetime64("1970-01-01", "D")


def date_of(day: int) -> str:
    """ISO 8601 of days since 1970-01-01."""
    return str(EPOCH + np.timedelta64(int(day), "D"))


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


class _Rows:
    """The rows of a layer by id, column by column; says which row is wrong."""

    def __init__(self, shape: Any, layer: str) -> None:
        if not isinstance(shape, Features):
            raise BadInput(f"the layer {layer!r} holds no features", "process deliveries")
        self.layer = layer
        table = shape.table.sort_values("id", kind="stable").reset_index(drop=True)
        self.table = table
        self.id: Texts = table["id"].astype(str).to_numpy(object)

    def wrong(self, bad: Any, what: str, column: str = "", remedy: str = "") -> None:
        """Raise for the first row where `bad` holds."""
        bad = np.asarray(bad, bool)
        if not bad.any():
            return
        row = int(np.argmax(bad))
        value = f" ({self.table[column].iloc[row]!r})" if column in self.table.columns else ""
        more = f", and {int(bad.sum()) - 1:,} more" if bad.sum() > 1 else ""
        raise BadInput(
            f"{column + ' ' if column else ''}{what}{value}{more}", f"{self.layer} {self.id[row]}",
            remedy or "correct the row",
        )  # fmt: skip

    def text(self, column: str, default: str = "") -> Texts:
        if column not in self.table.columns:
            return np.full(len(self.id), default, object)
        values = self.table[column]
        return np.asarray(values.where(values.notna(), default).astype(str).str.strip(), object)

    def flag(self, column: str) -> Flags:
        return np.isin(np.char.lower(self.text(column).astype(str)), ["true", "1", "1.0", "yes"])

    def number(self, column: str, default: float | None = None, least: float = 0.0) -> Floats:
        """Finite numbers not below `least`; where there is none the default, or the row is wrong."""
        if column not in self.table.columns:
            if default is None:
                raise BadInput(f"there is no column {column!r}", f"layer {self.layer}", "add the column")
            return np.full(len(self.id), default)
        raw = self.table[column]
        values: Floats = np.asarray(pd.to_numeric(raw, errors="coerce"), float)
        if default is not None:
            empty = (raw.isna() | (raw.astype(str).str.strip() == "")).to_numpy(bool)
            values = np.where(empty, default, values)
        self.wrong(np.isnan(values), "is no number", column)
        self.wrong(values < least, f"is below {least:g}", column)
        return values

    def days(self, column: str, optional: bool = False) -> Floats:
        """Days since 1970; NaN where none is said and none must be."""
        if column not in self.table.columns:
            if not optional:
                raise BadInput(f"there is no column {column!r}", f"layer {self.layer}", "add the column")
            return np.full(len(self.id), np.nan)
        text = self.table[column].where(self.table[column].notna(), "").astype(str).str.strip().str[:10]
        there = pd.to_datetime(text.where(text != "", None), format="%Y-%m-%d", errors="coerce")
        none = there.isna().to_numpy(bool)
        self.wrong(
            none & ((text != "").to_numpy(bool) | (not optional)),
            "is no date",
            column,
            "write it as 2027-09-18",
        )
        stamps = there.to_numpy("datetime64[D]")
        return np.where(none, np.nan, (stamps - EPOCH).astype(np.int64))

    def grade(self, column: str) -> Ints:
        words = self.text(column)
        known = {word: GRADES.get(word, -1) for word in set(words.tolist())}
        ranks = np.array([known[word] for word in words], np.int64).reshape(len(words))
        self.wrong(ranks < 0, "is no grade", column, f"use one of {', '.join(w for w in GRADES if w)}")
        return ranks

    def points(self) -> tuple[Floats, Floats]:
        shapes = self.table.geometry
        drawn = (shapes.notna() & ~shapes.is_empty).to_numpy(bool)
        self.wrong(~drawn, "the row has no place", remedy="draw its point")
        places = shapely.centroid(shapes.to_numpy())
        return shapely.get_x(places), shapely.get_y(places)


def sums(key: Ints, amount: Any, count: int) -> Floats:
    """Of each key from 0 to `count` - 1 the sum of its amounts."""
    return np.asarray(np.bincount(key, amount, count), float)


def numbered(frame: pd.DataFrame) -> Ints:
    """Of each row a number; the same for equal rows, in their order."""
    return np.asarray(frame.groupby(list(frame), sort=True).ngroup(), np.int64)


def words(text: str) -> tuple[str, ...]:
    """Codes in a text, sorted, each once; separated by commas, semicolons or spaces; a code 5 that was read as 5.0 is 5."""
    parts = text.replace(";", ",").replace(" ", ",").split(",")
    return tuple(sorted({one.removesuffix(".0") if one[:1].isdigit() else one for one in parts if one}))


def _codes(texts: Texts) -> Texts:
    plain = {text: ",".join(words(text)) for text in set(texts.tolist())}
    out = np.empty(len(texts), object)
    out[:] = [plain[text] for text in texts]
    return out


def lots_of(shape: Any, caution: float) -> Lots:
    """The lots; `caution`: how much of the stated error of a quantity is held back (0 to 1).

    Raises:
        BadInput: a row cannot be taken; names it.
    """
    rows = _Rows(shape, "lots")
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
    free = kg - promised - caution * rows.number("error_kg", 0.0)
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
    rows = _Rows(shape, "needs")
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
        rows.id, np.where(place == "", rows.id, place), product, np.round(rows.number("quantity_kg"), 2),
        rows.days("date").astype(np.int64),
        opens, closes, np.where(krw_max <= 0, np.inf, krw_max), rows.grade("grade_min"), _codes(rows.text("allergens_not")),
        _substitutes(rows), rows.number("weight", 1.0), x, y,
    )  # fmt: skip


def _substitutes(rows: _Rows) -> Texts:
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
    rows = _Rows(shape, "vehicles")
    if not len(rows.id):
        raise BadInput("there is no vehicle", "layer vehicles", "add at least one")
    begins, ends = rows.number("from_h", 0.0), rows.number("until_h", 24.0)
    rows.wrong(ends <= begins, "is no hour after from_h", "until_h")
    x, y = rows.points()
    return Vehicles(
        rows.id, rows.number("capacity_kg", least=1.0), rows.number("krw_km", 0.0), rows.number("krw_d", 0.0),
        rows.number("kg_co2_km", 0.0), begins, ends, rows.number("km_h", least=1.0), rows.flag("cooled"), x, y,
    )  # fmt: skip
