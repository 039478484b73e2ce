"""What type the values of a property are of, where a file only has values: seen batch by batch, settled at the end."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from .rows import ARROW

#: RFC 3339, date-time.
TIME = r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|z|[+-]\d\d:\d\d)$"
_TIME = re.compile(TIME)
#: A type that holds both of two; what is not here is text.
_WIDER = {frozenset(("integer", "number")): "number"}
_BEYOND = 2**63


class Values:
    """The kinds of properties; null says nothing, mixed ones are text (of JSON, where they are no texts)."""

    def __init__(self) -> None:
        self.kinds: dict[str, str] = {}

    def look(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Learn from these rows."""
        for name in {key: None for row in rows for key in row}:
            found = {_kind(row[name]) for row in rows if name in row} - {""}
            for kind in found:
                self.add(name, kind)
            self.kinds.setdefault(name, "")

    def add(self, name: str, kind: str) -> None:
        """A value of this kind was seen in this property."""
        before = self.kinds.get(name, "")
        self.kinds[name] = kind if before in ("", kind) else _WIDER.get(frozenset((before, kind)), "string")

    def kind(self, name: str) -> str:
        """One of `ground.columns.TYPES`; what is always null is text."""
        kind = self.kinds.get(name, "")
        return kind if kind in ARROW else "string"

    def array(self, name: str, rows: Sequence[Mapping[str, Any]]) -> pa.Array:
        """The property of these rows in its one type."""
        kind = self.kind(name)
        values = [row.get(name) for row in rows]
        if kind == "string":
            return pa.array(
                [
                    one if one is None or isinstance(one, str) else orjson.dumps(one).decode()
                    for one in values
                ],
                pa.string(),
            )
        if kind == "datetime":
            return times(pa.array(values, pa.string()))
        return pa.array(values, ARROW[kind], from_pandas=True)


def times(texts: pa.Array) -> pa.Array:
    """Instants of texts of RFC 3339 with an offset, in UTC to the millisecond."""
    even = pc.replace_substring_regex(
        pc.replace_substring_regex(texts, r"[Zz]$", "+00:00"), r"^(.{10})[ t]", r"\1T"
    )
    moment = pc.cast(pc.utf8_slice_codeunits(even, 0, 19), pa.timestamp("ms"))
    fraction = pc.extract_regex(even, r"^.{19}(?P<ms>\.\d{1,3})?\d*(?P<sign>[+-])(?P<h>\d\d):(?P<m>\d\d)$")
    part = pc.if_else(pc.equal(pc.struct_field(fraction, "ms"), ""), "0", pc.struct_field(fraction, "ms"))
    ms = pc.cast(pc.round(pc.multiply(pc.cast(part, pa.float64()), 1000.0)), pa.int64())
    hours, minutes = (pc.cast(pc.struct_field(fraction, name), pa.int64()) for name in ("h", "m"))
    offset = pc.add(pc.multiply(hours, 60), minutes)
    offset = pc.if_else(pc.equal(pc.struct_field(fraction, "sign"), "-"), pc.negate(offset), offset)
    utc = pc.subtract(pc.add(pc.cast(moment, pa.int64()), ms), pc.multiply(offset, 60_000))
    return pc.cast(utc, ARROW["datetime"])


def _kind(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer" if -_BEYOND <= value < _BEYOND else "number"
    if isinstance(value, float):
        return "number"
    if isinstance(value, str):
        return "datetime" if _TIME.match(value) and _real(value) else "string"
    return "json"


def _real(text: str) -> bool:
    """True where such a text is a time that there is (no 31 February)."""
    from datetime import datetime

    try:
        datetime.fromisoformat(text.replace("z", "Z"))
    except ValueError:
        return False
    return True
