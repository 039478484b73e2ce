"""The temporal operators of CQL2 (OGC 21-065r2, requirements class Temporal Functions) on instants and intervals.

Everything is an interval with both of its ends; an instant begins and ends at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from .moments import moment

Ticks = NDArray[np.int64]
Known = NDArray[np.bool_]
#: '..' at the beginning and at the end, microseconds.
_EVER = np.iinfo(np.int64)
_EPOCH = moment("1970-01-01")


@dataclass(frozen=True)
class Span:
    """Beginnings and ends, microseconds since 1970 (UTC): int64[rows] or int64[1]; `unknown` where either is."""

    begin: Ticks
    end: Ticks
    unknown: Known

    @classmethod
    def between(cls, begin: tuple[Ticks, Known] | None, end: tuple[Ticks, Known] | None) -> Span:
        """From what `instants` gives; None is open."""
        first = begin or (np.array([_EVER.min]), np.array([False]))
        last = end or (np.array([_EVER.max]), np.array([False]))
        return cls(first[0], last[0], first[1] | last[1])


def instants(value: Any) -> tuple[Ticks, Known]:
    """Microseconds since 1970 (UTC) of a column or scalar of times, dates or ISO 8601 texts, and where they are unknown."""
    column = value if isinstance(value, pa.Array) else pa.array([value.as_py()], value.type)
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        coded = column.dictionary_encode()
        parsed = np.array([_parsed(text) for text in coded.dictionary.to_pylist()] or [_EVER.min], np.int64)
        codes = pc.fill_null(coded.indices, 0).to_numpy(zero_copy_only=False)
        ticks = parsed[codes]
        return ticks, _nulls(column) | (ticks == _EVER.min)
    if pa.types.is_date(kind):
        column = column.cast(pa.timestamp("us"))
    else:
        column = column.cast(pa.timestamp("us", kind.tz), safe=False)
    ticks = pc.fill_null(column.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
    return np.asarray(ticks, np.int64), _nulls(column)


def _nulls(column: pa.Array) -> Known:
    return np.asarray(pc.is_null(column).to_numpy(zero_copy_only=False), bool)


def _parsed(text: str) -> int:
    try:
        since = moment(text) - _EPOCH
    except ValueError:
        return int(_EVER.min)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _both(a: Any, b: Any) -> Known:
    return np.asarray(np.logical_and(a, b), bool)


def _contains(a: Span, b: Span) -> Known:
    return _both(a.begin < b.begin, a.end > b.end)


def _meets(a: Span, b: Span) -> Known:
    return np.asarray(a.end == b.begin, bool)


def _overlaps(a: Span, b: Span) -> Known:
    return _both(_both(a.begin < b.begin, a.end > b.begin), a.end < b.end)


def _finishes(a: Span, b: Span) -> Known:
    return _both(a.begin > b.begin, a.end == b.end)


def _starts(a: Span, b: Span) -> Known:
    return _both(a.begin == b.begin, a.end < b.end)


def _intersects(a: Span, b: Span) -> Known:
    return _both(a.begin <= b.end, a.end >= b.begin)


def _turned(relation: Callable[[Span, Span], Known]) -> Callable[[Span, Span], Known]:
    return lambda a, b: relation(b, a)


_RELATIONS: Mapping[str, Callable[[Span, Span], Known]] = {
    "t_after": lambda a, b: a.begin > b.end,
    "t_before": lambda a, b: a.end < b.begin,
    "t_contains": _contains,
    "t_disjoint": lambda a, b: ~_intersects(a, b),
    "t_during": _turned(_contains),
    "t_equals": lambda a, b: _both(a.begin == b.begin, a.end == b.end),
    "t_finishedBy": _turned(_finishes),
    "t_finishes": _finishes,
    "t_intersects": _intersects,
    "t_meets": _meets,
    "t_metBy": _turned(_meets),
    "t_overlappedBy": _turned(_overlaps),
    "t_overlaps": _overlaps,
    "t_startedBy": _turned(_starts),
    "t_starts": _starts,
}


def compare_times(name: str, one: Span, other: Span) -> tuple[Known, Known]:
    """Whether the relation holds, and where that is not known."""
    return _RELATIONS[name](one, other), one.unknown | other.unknown
