"""CQL2 text to CQL2 JSON (OGC 21-065r2, annex B): one pass, no more nesting than is asked for, and errors with a place.

Why not a package: those at hand overflow the stack of the process on two thousand brackets, round integers, and leave
out what the grammar has (`\\'` in texts, `.5`, `_name`, empty arrays). They serve as second opinions in the tests.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twintown.ground.errors import BadParameter

from .tokens import bad, number, squeezed, tokens

MAX_TEXT = 8192  # characters
MAX_DEPTH = 40  # of brackets, calls and NOTs within each other
MAX_CHAIN = 40  # terms of one sum or product without brackets

_RESERVED = frozenset("and or not in like between is null true false div".split())
_GEOMETRY = {
    name.upper(): name
    for name in ("Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon", "GeometryCollection")
}  # fmt: skip
#: The names of operators that are written as functions, as CQL2 JSON spells them.
CALLED = {
    name.lower(): name
    for name in (
        "casei accenti s_contains s_crosses s_disjoint s_equals s_intersects s_overlaps s_touches s_within "
        "t_after t_before t_contains t_disjoint t_during t_equals t_finishedBy t_finishes t_intersects t_meets t_metBy "
        "t_overlappedBy t_overlaps t_startedBy t_starts a_containedBy a_contains a_equals a_overlaps"
    ).split()
}


def parse(text: str) -> Any:
    """The CQL2 JSON of a CQL2 text, as it stands: nothing is looked up, geometries are in the CRS they were written in.

    Raises:
        BadParameter: `filter`, with the character where it stops being CQL2.
    """
    if len(text) > MAX_TEXT:
        raise bad(
            f"{len(text)} characters, at most {MAX_TEXT} are read", remedy="say it shorter, or send CQL2 JSON"
        )
    return _Parser(text).whole()


class _Parser:
    """Recursive descent over the tokens; one method a rule, loosest first."""

    def __init__(self, text: str) -> None:
        self.tokens = tokens(text)
        self.at = 0
        self.depth = 0

    # -- tokens --------------------------------------------------------------------------------------------

    def sees(self, *wanted: str) -> bool:
        """Whether the next token is one of these signs or words (lower case)."""
        kind, content, _ = self.tokens[self.at]
        return (
            kind in ("word", "sign") and (content.lower() if kind == "word" else squeezed(content)) in wanted
        )

    def take(self, *wanted: str) -> str:
        """The next token if it is one of these, else ''."""
        if not self.sees(*wanted):
            return ""
        self.at += 1
        return squeezed(self.tokens[self.at - 1][1]).lower()

    def expect(self, wanted: str, after: str) -> None:
        if not self.take(wanted):
            raise self.unexpected(f"{wanted.upper()} {after}")

    def unexpected(self, wanted: str) -> BadParameter:
        kind, content, place = self.tokens[self.at]
        seen = "the text ends" if kind == "end" else f"{content[:40]!r} stands"
        return bad(f"{seen} where {wanted} is expected", place)

    # -- rules ---------------------------------------------------------------------------------------------

    def whole(self) -> Any:
        if self.tokens[0][0] == "end":
            raise bad(
                "the filter is empty", remedy="leave it out, or write a condition such as height_m > 30"
            )
        found = self.any_of()
        if self.tokens[self.at][0] != "end":
            raise self.unexpected("AND, OR or the end")
        return found

    def any_of(self) -> Any:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise bad(f"nested more than {MAX_DEPTH} deep", self.tokens[self.at][2], "use fewer brackets")
        found = self._joined("or", lambda: self._joined("and", self.negated))
        self.depth -= 1
        return found

    def _joined(self, word: str, part: Callable[[], Any]) -> Any:
        parts = [part()]
        while self.take(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else {"op": word, "args": parts}

    def negated(self) -> Any:
        if not self.take("not"):
            return self.compared()
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise bad(f"nested more than {MAX_DEPTH} deep", self.tokens[self.at][2], "two NOTs are none")
        found = {"op": "not", "args": [self.negated()]}
        self.depth -= 1
        return found

    def compared(self) -> Any:
        left = self.sum()
        if sign := self.take("=", "<>", "<", ">", "<=", ">="):
            left = {"op": sign, "args": [left, self.sum()]}
            if self.sees("=", "<>", "<", ">", "<=", ">="):
                raise bad("comparisons do not form chains", self.tokens[self.at][2], "join them with AND")
            return left
        if self.take("is"):
            negative = bool(self.take("not"))
            self.expect("null", "after IS")
            return _unless(negative, {"op": "isNull", "args": [left]})
        negative = self.sees("not")
        if negative:
            self.at += 1
        if self.take("like"):
            return _unless(negative, {"op": "like", "args": [left, self.sum()]})
        if self.take("between"):
            low = self.sum()
            self.expect("and", "between the two ends of BETWEEN")
            return _unless(negative, {"op": "between", "args": [left, low, self.sum()]})
        if self.take("in"):
            self.expect("(", "after IN")
            return _unless(negative, {"op": "in", "args": [left, self.rest_of_list()]})
        if negative:
            raise self.unexpected("LIKE, BETWEEN or IN after NOT")
        return left

    def sum(self) -> Any:
        return self._chain(("+", "-"), lambda: self._chain(("*", "/", "%", "div"), self.power))

    def _chain(self, signs: tuple[str, ...], part: Callable[[], Any]) -> Any:
        left, terms = part(), 1
        while sign := self.take(*signs):
            left, terms = {"op": sign, "args": [left, part()]}, terms + 1
            if terms > MAX_CHAIN:
                raise bad(f"more than {MAX_CHAIN} terms in a row", self.tokens[self.at][2])
        return left

    def power(self) -> Any:
        left = self.signed()
        if self.take("^"):
            left = {"op": "^", "args": [left, self.signed()]}
            if self.sees("^"):
                raise bad("a power of a power needs brackets", self.tokens[self.at][2], "write (a ^ b) ^ c")
        return left

    def signed(self) -> Any:
        sign = self.take("-", "+")
        if sign and self.tokens[self.at][0] == "number":
            value = self.primary()
            return -value if sign == "-" else value
        value = self.primary()
        return {"op": "*", "args": [-1, value]} if sign == "-" else value

    def primary(self) -> Any:
        kind, content, place = self.tokens[self.at]
        if kind == "number":
            self.at += 1
            return number(content, place)
        if kind == "string":
            self.at += 1
            return content[1:-1].replace("\\'", "'").replace("''", "'")
        if kind == "quoted":
            self.at += 1
            return {"property": content[1:-1].replace('""', '"')}
        if self.take("("):
            inside = self.rest_of_list()
            return inside[0] if len(inside) == 1 else inside
        if kind == "word":
            return self.word(content, place)
        raise self.unexpected("a value, a property or a condition")

    def word(self, content: str, place: int) -> Any:
        lower = content.lower()
        if lower in ("true", "false", "null"):
            self.at += 1
            return None if lower == "null" else lower == "true"
        if lower in _RESERVED:
            raise bad(f"{content!r} stands where a value or a property is expected", place,
                      f'a property of that name is written "{content}"')  # fmt: skip
        self.at += 1
        if content.upper() in _GEOMETRY and (self.sees("(", "z", "empty")):
            self.at -= 1
            return self.geometry()
        if not self.take("("):
            return {"property": content}
        if lower == "bbox":
            return {"bbox": self.numbers()}
        if lower in ("date", "timestamp"):
            return {lower: self.instant(lower)}
        if lower == "interval":
            ends = self.rest_of_list()
            if len(ends) != 2:
                raise bad(f"INTERVAL has two ends, not {len(ends)}", place, "write '..' for an open end")
            return {"interval": ends}
        return {
            "op": CALLED.get(lower, content),
            "args": self.arguments(lower.startswith("a_") and lower in CALLED),
        }

    def arguments(self, arrays: bool) -> list[Any]:
        """The rest of a call; of an array operator a bracket opens an array even around one element."""
        if self.take(")"):
            return []
        out: list[Any] = []
        while True:
            out.append(self.rest_of_list() if arrays and self.take("(") else self.any_of())
            if self.take(")"):
                return out
            self.expect(",", "or ) in a list")

    def rest_of_list(self) -> list[Any]:
        return self.arguments(False)

    def instant(self, name: str) -> str:
        kind, content, _ = self.tokens[self.at]
        if kind != "string":
            raise self.unexpected(f"a text in quotes inside {name.upper()}()")
        self.at += 1
        self.expect(")", f"after the text of {name.upper()}")
        return content[1:-1]

    # -- geometries ----------------------------------------------------------------------------------------

    def geometry(self) -> dict[str, Any]:
        name = _GEOMETRY[self.tokens[self.at][1].upper()]
        self.at += 1
        self.take("z")
        if self.take("empty"):
            return {"type": name, "geometries" if name == "GeometryCollection" else "coordinates": []}
        if name == "GeometryCollection":
            self.expect("(", "after GEOMETRYCOLLECTION")
            parts: list[dict[str, Any]] = []
            while not parts or self.take(","):
                kind, content, _ = self.tokens[self.at]
                if (
                    kind != "word"
                    or content.upper() not in _GEOMETRY
                    or content.upper() == "GEOMETRYCOLLECTION"
                ):
                    raise self.unexpected("a geometry")
                parts.append(self.geometry())
            self.expect(")", "after the geometries")
            return {"type": name, "geometries": parts}
        levels = {
            "Point": 0,
            "LineString": 1,
            "MultiPoint": 1,
            "Polygon": 2,
            "MultiLineString": 2,
            "MultiPolygon": 3,
        }
        if name == "Point":
            self.expect("(", "after POINT")
            position = self.position()
            self.expect(")", "after the position")
            return {"type": name, "coordinates": position}
        return {"type": name, "coordinates": self.positions(levels[name], name == "MultiPoint")}

    def positions(self, level: int, points: bool) -> list[Any]:
        """Positions in brackets `level` deep; those of a MultiPoint may have brackets of their own."""
        self.expect("(", "before positions")
        out: list[Any] = []
        while not out or self.take(","):
            if level > 1:
                out.append(self.positions(level - 1, points))
            elif points and self.take("("):
                out.append(self.position())
                self.expect(")", "after the position")
            else:
                out.append(self.position())
        self.expect(")", "after positions")
        return out

    def position(self) -> list[float]:
        out = [self.coordinate()]
        while len(out) < 3 and (self.tokens[self.at][0] == "number" or self.sees("-", "+")):
            out.append(self.coordinate())
        if len(out) < 2:
            raise self.unexpected("a second coordinate")
        return out

    def coordinate(self) -> float:
        sign = self.take("-", "+")
        if self.tokens[self.at][0] != "number":
            raise self.unexpected("a number")
        value = float(self.primary())
        return -value if sign == "-" else value

    def numbers(self) -> list[float]:
        out = [self.coordinate()]
        while self.take(","):
            out.append(self.coordinate())
        self.expect(")", "after the numbers of BBOX")
        return out


def _unless(negative: bool, condition: dict[str, Any]) -> dict[str, Any]:
    return {"op": "not", "args": [condition]} if negative else condition
