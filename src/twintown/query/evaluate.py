"""CQL2 expressions over Arrow batches: whole columns at a time, with the three values of SQL (true, false, not known).

Texts are ordered by code point. A date is the midnight (UTC) with which it begins, and so is a time without a zone.
What arithmetic cannot give (a division by zero, a root of a negative number) is not known. NaN in the data is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from .lists import compare_lists
from .moments import is_instant, moment
from .operators import ARITHMETIC, ARRAYS, COMPARISONS, SPATIAL, TEMPORAL, said
from .places import boxes, compare_places, literal
from .query import Expression
from .texts import changed, is_text, regex, without_accents
from .times import Span, compare_times, instants
from .tokens import bad

__all__ = ["Lonlat", "boxes", "mask"]

Lonlat = Callable[[], NDArray[np.object_]]
_COMPARE = {
    "=": pc.equal, "<>": pc.not_equal, "<": pc.less, ">": pc.greater, "<=": pc.less_equal, ">=": pc.greater_equal,
}  # fmt: skip


def mask(expression: Expression, batch: pa.RecordBatch | pa.Table, lonlat: Lonlat) -> NDArray[np.bool_]:
    """bool[rows]: the rows for which the expression is true; where it is not known, the row does not belong.

    Args:
        expression: as `cql2.parse_text` gives it, checked against the columns.
        batch: the rows; at least the columns that `cql2.properties` names, but `geometry`.
        lonlat: the geometries in longitude and latitude, None where there is none; asked once, and only where needed.

    Raises:
        BadParameter: `filter`, for what `cql2.check` would have refused.
    """
    rows = _Rows(batch, lonlat)
    try:
        found = rows.condition(expression)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError, KeyError) as error:
        raise bad(f"cannot be answered here ({str(error).splitlines()[0][:200]})") from error
    return np.asarray(pc.fill_null(found, False).to_numpy(zero_copy_only=False), bool)


class _Rows:
    """One batch, and what was already computed of it."""

    def __init__(self, batch: pa.RecordBatch | pa.Table, lonlat: Lonlat) -> None:
        self.batch = batch
        self.count = batch.num_rows
        self._lonlat = lonlat
        self._places: NDArray[np.object_] | None = None

    @property
    def places(self) -> NDArray[np.object_]:
        if self._places is None:
            self._places = np.asarray(self._lonlat(), object)
        return self._places

    # -- conditions ----------------------------------------------------------------------------------------

    def condition(self, node: Any) -> pa.Array:
        """bool[rows] with nulls, of anything that is true or false."""
        if isinstance(node, bool):
            return pa.array(np.full(self.count, node))
        if isinstance(node, dict) and "property" in node:
            return self.value(node)
        if not isinstance(node, dict) or "op" not in node:
            raise bad(f"{said(node)} is no condition")
        name, args = node["op"], node["args"]
        if name in ("and", "or"):
            join = pc.and_kleene if name == "and" else pc.or_kleene
            found = self.condition(args[0])
            for arg in args[1:]:
                found = join(found, self.condition(arg))
            return found
        if name == "not":
            return pc.invert(self.condition(args[0]))
        if name in COMPARISONS:
            return self.compare(name, args[0], args[1])
        if name == "between":
            low, high = (self.compare(sign, args[0], end) for sign, end in ((">=", args[1]), ("<=", args[2])))
            return pc.and_kleene(low, high)
        if name == "in":
            return self.among(args[0], args[1])
        if name == "like":
            return self.like(args[0], args[1])
        if name == "isNull":
            return self.unknown(args[0])
        if name in SPATIAL:
            one, other = (self.place(arg) for arg in args)
            return self._wide(*compare_places(name, one, other))
        if name in TEMPORAL:
            one, other = (self.span(arg) for arg in args)
            return self._wide(*compare_times(name, one, other))
        if name in ARRAYS:
            lists = [arg if isinstance(arg, list) else self.value(arg) for arg in args]
            return compare_lists(name, lists[0], lists[1], self.count)
        raise bad(f"there is no function {name[:80]!r}")

    def _wide(self, true: Any, unknown: Any) -> pa.Array:
        """Of a result that may be one for all rows."""
        return pa.array(np.broadcast_to(true, self.count), mask=np.broadcast_to(unknown, self.count))

    def compare(self, sign: str, left: Any, right: Any) -> pa.Array:
        if _is_condition(left) or _is_condition(right):
            one, other = (self.condition(arg) for arg in (left, right))
            return _COMPARE[sign](one, other)
        one, other = self.value(left), self.value(right)
        if _is_time(one) != _is_time(other) or (_is_time(one) and one.type != other.type):
            one, other = (self._ticks(value, node) for value, node in ((one, left), (other, right)))
        return self._all(_COMPARE[sign](one, other))

    def _ticks(self, value: Any, node: Any) -> Any:
        if isinstance(node, str) and not is_instant(node):
            raise bad(f"{said(node)} is no date or timestamp")
        if not _is_time(value) and not is_text(value):
            raise bad(f"{said(node)} cannot be compared with a time")
        ticks, unknown = instants(value)
        return pa.array(ticks, mask=unknown) if isinstance(value, pa.Array) else pa.scalar(int(ticks[0]))

    def _all(self, found: Any) -> pa.Array:
        """A comparison of two literals is one answer for all rows."""
        if isinstance(found, pa.Scalar):
            return (
                pa.array([found.as_py()] * self.count, pa.bool_()) if self.count else pa.array([], pa.bool_())
            )
        return found

    def among(self, left: Any, several: Sequence[Any]) -> pa.Array:
        """IN; a list of plain literals at once, else one comparison each."""
        if all(isinstance(one, str) for one in several) or all(_is_plain_number(one) for one in several):
            values = self.value(left)
            if (
                isinstance(values, pa.Array)
                and not _is_time(values)
                and is_text(values) == isinstance(several[0], str)
            ):
                wanted = pa.array(list(several), values.type if is_text(values) else None)
                if pa.types.is_integer(values.type) and pa.types.is_floating(wanted.type):
                    values = values.cast(pa.float64(), safe=False)
                elif pa.types.is_floating(values.type):
                    wanted = wanted.cast(values.type, safe=False)
                elif pa.types.is_integer(values.type):
                    values, wanted = values.cast(pa.int64(), safe=False), wanted.cast(pa.int64())
                return pc.if_else(
                    pc.is_valid(values), pc.is_in(values, value_set=wanted), pa.scalar(None, pa.bool_())
                )
        found = self.compare("=", left, several[0])
        for one in several[1:]:
            found = pc.or_kleene(found, self.compare("=", left, one))
        return found

    def like(self, left: Any, pattern: Any) -> pa.Array:
        wanted = self.value(pattern)
        if not isinstance(wanted, pa.StringScalar):
            raise bad("the pattern of LIKE is a text in quotes")
        values = self.value(left)
        if not is_text(values):
            raise bad(f"LIKE works on a text, and {said(left)} is none")
        return self._all(pc.match_substring_regex(values, regex(wanted.as_py())))

    def unknown(self, node: Any) -> pa.Array:
        if isinstance(node, dict) and node.get("property") == "geometry":
            return pa.array(np.array([place is None for place in self.places], bool))
        if _is_condition(node):
            return pc.is_null(self.condition(node))
        if isinstance(node, list) or (isinstance(node, dict) and not ("op" in node or "property" in node)):
            return pa.array(np.zeros(self.count, bool))
        found = self.value(node)
        return (
            pc.is_null(found)
            if isinstance(found, pa.Array)
            else pa.array(np.full(self.count, not found.is_valid))
        )

    # -- values --------------------------------------------------------------------------------------------

    def value(self, node: Any) -> Any:
        """A column or a scalar: text, int64, float64, bool, timestamp."""
        if isinstance(node, bool | int | float | str):
            return pa.scalar(node)
        if isinstance(node, dict):
            if "property" in node:
                return self.column(node["property"])
            if "date" in node or "timestamp" in node:
                return pa.scalar(moment(node.get("date") or node["timestamp"]), pa.timestamp("us", "UTC"))
            if node.get("op") == "casei":
                return changed(self.value(node["args"][0]), str.casefold)
            if node.get("op") == "accenti":
                return changed(self.value(node["args"][0]), without_accents)
            if node.get("op") in ARITHMETIC:
                return self.arithmetic(node["op"], node["args"])
            if "op" in node:
                raise bad(f"there is no function {str(node['op'])[:80]!r}")
        raise bad(f"{said(node)} cannot be compared")

    def column(self, name: str) -> pa.Array:
        if name == "geometry":
            raise bad("geometry cannot be compared", remedy="use S_INTERSECTS and its like")
        if name not in self.batch.schema.names:
            raise bad(f"there is no property {name[:80]!r}")
        found = self.batch.column(name)
        if isinstance(found, pa.ChunkedArray):
            found = found.combine_chunks() if found.num_chunks != 1 else found.chunk(0)
        kind = found.type
        if pa.types.is_dictionary(kind):
            found = found.cast(kind.value_type)
            kind = found.type
        if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
            found = found.cast(pa.float64())
            return pc.if_else(pc.is_finite(found), found, pa.scalar(None, pa.float64()))
        if pa.types.is_integer(kind):
            return found.cast(pa.int64(), safe=False)
        if pa.types.is_string_view(kind) or pa.types.is_large_string(kind):
            return found.cast(pa.large_string())
        return found

    def arithmetic(self, sign: str, args: Sequence[Any]) -> Any:
        (a, a_unknown), (b, b_unknown) = (self._numbers(arg) for arg in args)
        with np.errstate(all="ignore"):
            out = np.asarray(_ARITHMETIC[sign](a, b), float)
        unknown = a_unknown | b_unknown | ~np.isfinite(out)
        if out.ndim == 0:
            return pa.scalar(None if unknown else float(out), pa.float64())
        return pa.array(out, mask=np.broadcast_to(unknown, out.shape))

    def _numbers(self, node: Any) -> tuple[Any, Any]:
        """float64 values and where they are unknown, of a column or of one number."""
        found = self.value(node)
        kind = found.type
        if not (pa.types.is_floating(kind) or pa.types.is_integer(kind)):
            raise bad(f"{said(node)} is no number")
        if isinstance(found, pa.Scalar):
            return np.float64(found.as_py() if found.is_valid else 0.0), np.bool_(not found.is_valid)
        unknown = np.asarray(pc.is_null(found).to_numpy(zero_copy_only=False), bool)
        filled = pc.fill_null(found, 0).cast(pa.float64(), safe=False)
        return filled.to_numpy(zero_copy_only=False), unknown

    # -- places and times ----------------------------------------------------------------------------------

    def place(self, node: Any) -> Any:
        """The geometries of the rows, or one literal."""
        if isinstance(node, dict) and node.get("property") == "geometry":
            return self.places
        if isinstance(node, dict) and ("bbox" in node or "type" in node):
            return literal(node)
        raise bad(f"{said(node)} is no geometry")

    def span(self, node: Any) -> Span:
        """Beginnings and ends, microseconds."""
        if isinstance(node, dict) and "interval" in node:
            begin, end = node["interval"]
            return Span.between(self._end(begin), self._end(end))
        found = self._end(node)
        if found is None:
            raise bad("'..' is only an end of an interval")
        return Span.between(found, found)

    def _end(self, node: Any) -> tuple[NDArray[np.int64], NDArray[np.bool_]] | None:
        if node == "..":
            return None
        if isinstance(node, str):
            if not is_instant(node):
                raise bad(f"{said(node)} is no date or timestamp")
            return instants(pa.scalar(node))
        found = self.value(node)
        if not _is_time(found) and not is_text(found):
            raise bad(f"{said(node)} is no time")
        return instants(found)


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "%": np.fmod, "^": np.power,
    "div": lambda a, b: np.trunc(np.divide(a, b)),
}  # fmt: skip


def _is_condition(node: Any) -> bool:
    if isinstance(node, bool):
        return True
    return isinstance(node, dict) and "op" in node and node["op"] not in (*ARITHMETIC, "casei", "accenti")


def _is_plain_number(node: Any) -> bool:
    return isinstance(node, int | float) and not isinstance(node, bool)


def _is_time(value: Any) -> bool:
    return bool(pa.types.is_timestamp(value.type) or pa.types.is_date(value.type))
