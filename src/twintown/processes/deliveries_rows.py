"""The rows of a layer as columns of numbers and texts; says which row cannot be taken."""

from __future__ import annotations

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
EPOCH = np.datetime64("1970-01-01", "D")


def date_of(day: int) -> str:
    """ISO 8601 of days since 1970-01-01."""
    return str(EPOCH + np.timedelta64(int(day), "D"))


class Rows:
    """The rows of a layer by id, column by column; says which row is wrong."""

    def __init__(self, shape: Any, layer: str) -> None:
        if not isinstance(shape, Features):
            raise BadInput(f"the layer {layer!r} holds no features", "process deliveries")
        self.layer = layer
        table = shape.table
        if not table["id"].is_monotonic_increasing:
            table = table.sort_values("id", kind="stable").reset_index(drop=True)
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
        places = shapes.to_numpy()
        if (shapely.get_type_id(places) != 0).any():
            places = shapely.centroid(places)
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
