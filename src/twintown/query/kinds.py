"""Whether a layer can answer an expression: its properties, functions and the types that meet in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .moments import is_instant
from .operators import ALSO_INSTANTS, ARITHMETIC, ARRAYS, COMPARISONS, SPATIAL, TEMPORAL, is_property, said
from .query import Expression
from .tokens import bad

_WORDS = {
    "number": "a number", "string": "a text", "boolean": "true or false", "instant": "a time", "interval": "an interval",
    "geometry": "a geometry", "array": "a list",
}  # fmt: skip
_KINDS = {"integer": "number", "number": "number", "string": "string", "boolean": "boolean", "datetime": "instant",
          "geometry": "geometry"}  # fmt: skip


def check(expression: Expression, columns: Mapping[str, str]) -> None:
    """Whether a layer can answer this.

    Args:
        columns: the type (string, integer, number, boolean, datetime) of each column by name; `geometry: geometry` where
            the layer has one. `id` is a text always.

    Raises:
        BadParameter: `filter`, naming the property, function or pair of types that does not fit.
    """
    kinds = {"id": "string"} | {name: _KINDS.get(kind, "string") for name, kind in columns.items()}
    found = _Checking(kinds).kind(expression)
    if found != "boolean":
        raise bad(f"{said(expression)} is {_WORDS[found]}, not a condition")


class _Checking:
    def __init__(self, kinds: Mapping[str, str]) -> None:
        self.kinds = kinds

    def kind(self, node: Any) -> str:
        """The type of what a node gives; raises where its operands do not fit."""
        if isinstance(node, bool):
            return "boolean"
        if isinstance(node, int | float):
            return "number"
        if isinstance(node, str):
            return "string"
        if isinstance(node, list):
            for part in node:
                self.kind(part)
            return "array"
        if "property" in node:
            return self.property(node["property"])
        if "op" in node:
            return self.operation(node["op"], node["args"])
        if "interval" in node:
            for end in node["interval"]:
                if isinstance(end, dict) and (found := self.kind(end)) not in ("instant", "string"):
                    raise bad(f"{said(end)} is {_WORDS[found]} and cannot be the end of an interval")
            return "interval"
        return "instant" if "date" in node or "timestamp" in node else "geometry"

    def property(self, name: str) -> str:
        if name in self.kinds:
            return self.kinds[name]
        known = sorted(self.kinds)
        near = [one for one in known if one.lower() == name.lower()] or known
        if name == "geometry":
            raise bad("this layer has no geometry", remedy=f"its properties are {', '.join(known)}")
        raise bad(f"there is no property {name[:80]!r}", remedy=f"its properties are {', '.join(near)}")

    def operation(self, name: str, args: Sequence[Any]) -> str:
        if name in ("and", "or", "not"):
            for arg in args:
                self.must(arg, ("boolean",), name.upper())
        elif name in COMPARISONS:
            self.alike(name, args)
        elif name == "in":
            if not args[1]:
                raise bad("IN asks for at least one value")
            for value in args[1]:
                self.alike("=", (args[0], value))
        elif name == "between":
            for end in args[1:]:
                self.alike("<=", (args[0], end))
        elif name == "like":
            self.must(args[0], ("string",), "LIKE")
            pattern = args[1]
            while isinstance(pattern, dict) and pattern.get("op") in ("casei", "accenti"):
                pattern = pattern["args"][0]
            if not isinstance(pattern, str):
                raise bad(
                    f"the pattern of LIKE is a text in quotes, not {said(pattern)}",
                    remedy="write LIKE 'Lotte%'",
                )
        elif name == "isNull":
            self.kind(args[0])
        elif name in ("casei", "accenti"):
            self.must(args[0], ("string",), name.upper())
            return "string"
        elif name in ARITHMETIC:
            for arg in args:
                self.must(arg, ("number",), name)
            return "number"
        elif name in SPATIAL:
            for arg in args:
                self.must(arg, ("geometry",), name.upper())
        elif name in TEMPORAL:
            for arg in args:
                self.timely(arg, name.upper())
        elif name in ARRAYS:
            for arg in args:
                self.must(arg, ("array", "string") if is_property(arg) else ("array",), name.upper())
        else:
            raise bad(
                f"there is no function {name[:80]!r}",
                remedy="functions other than those of CQL2 are not offered",
            )
        return "boolean"

    def must(self, arg: Any, allowed: Sequence[str], name: str) -> None:
        found = self.kind(arg)
        if found not in allowed:
            raise bad(f"{name} works on {_WORDS[allowed[0]]}, and {said(arg)} is {_WORDS[found]}")

    def timely(self, arg: Any, name: str) -> None:
        found = self.kind(arg)
        fits = found == "instant" or (found == "string" and (is_property(arg) or is_instant(arg)))
        if found == "interval" or (fits and name in ALSO_INSTANTS):
            return
        if fits:
            raise bad(f"{name} is between intervals, and {said(arg)} is an instant",
                      remedy=f"use {', '.join(ALSO_INSTANTS)}, or INTERVAL(…, …)")  # fmt: skip
        raise bad(f"{name} works on a time, and {said(arg)} is {_WORDS[found]}",
                  remedy="write DATE('2015-01-01'), TIMESTAMP('2015-01-01T07:30:00Z') or INTERVAL('2015-01-01', '..')")  # fmt: skip

    def alike(self, name: str, args: Sequence[Any]) -> None:
        one, other = (self.kind(arg) for arg in args)
        for arg, found in zip(args, (one, other), strict=True):
            if found in ("geometry", "interval", "array"):
                instead = {"geometry": "S_EQUALS", "interval": "T_EQUALS", "array": "A_EQUALS"}[found]
                raise bad(
                    f"{said(arg)} is {_WORDS[found]} and cannot be compared with {name}",
                    remedy=f"use {instead}",
                )
        if {one, other} == {"instant", "string"}:
            text = args[0] if one == "string" else args[1]
            if isinstance(text, str) and not is_instant(text):
                raise bad(
                    f"{said(text)} is no date or timestamp", remedy="write TIMESTAMP('2015-01-01T07:30:00Z')"
                )
            return
        if one != other:
            raise bad(f"{said(args[0])} is {_WORDS[one]} and {said(args[1])} is {_WORDS[other]}",
                      remedy="compare what is of one type; texts stand in single quotes, numbers in none")  # fmt: skip
