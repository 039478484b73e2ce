"""The array operators of CQL2 (OGC 21-065r2) on lists: Arrow lists, and texts that hold a JSON list."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from .tokens import bad

#: The different lists of one side, and which of them each row has (-1: none); a literal has no rows.
_Side = tuple[list[list[Any] | None], NDArray[np.int64] | None]


def compare_lists(name: str, one: Any, other: Any, count: int) -> pa.Array:
    """bool[count], null where a list is not known; each side is a literal list or a column.

    Elements are compared by value: 1 equals 1.0 and not '1'. Lists are sets, but A_EQUALS also asks for the order.
    """
    (left, left_rows), (right, right_rows) = _side(one), _side(other)
    a = np.zeros(count, np.int64) if left_rows is None else left_rows
    b = np.zeros(count, np.int64) if right_rows is None else right_rows
    pairs, rows = np.unique(np.column_stack([a, b]), axis=0, return_inverse=True)  # each different pair once
    found = [_known(name, left, right, int(i), int(j)) for i, j in pairs]
    return pa.array(found, pa.bool_()).take(pa.array(rows.reshape(-1)))


def _known(name: str, left: list[Any], right: list[Any], i: int, j: int) -> bool | None:
    a, b = (None if at < 0 else side[at] for side, at in ((left, i), (right, j)))
    return None if a is None or b is None else _holds(name, a, b)


def _holds(name: str, a: list[Any], b: list[Any]) -> bool:
    if name == "a_equals":
        return a == b
    one, other = frozenset(a), frozenset(b)
    if name == "a_contains":
        return one >= other
    if name == "a_containedBy":
        return one <= other
    return bool(one & other)


def _side(value: Any) -> _Side:
    if isinstance(value, list):
        return [[_element(part) for part in value]], None
    kind = value.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        several = [None if one is None else [_element(part) for part in one] for one in value.to_pylist()]
        return several, np.arange(len(several))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        coded = value.dictionary_encode()
        codes = pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False)
        return [_parsed(text) for text in coded.dictionary.to_pylist()], codes.astype(np.int64)
    raise bad("an array operator works on a list")


def _parsed(text: str) -> list[Any] | None:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return [_element(part) for part in found] if isinstance(found, list) else None


def _element(value: Any) -> Any:
    """An element with its type, so that it can be compared and hashed: true is not 1."""
    if isinstance(value, bool):
        return ("boolean", value)
    if isinstance(value, int | float):
        return ("number", float(value))
    if isinstance(value, str) or value is None:
        return ("string", value)
    if isinstance(value, list):
        return ("list", tuple(_element(part) for part in value))
    if isinstance(value, dict) and ("date" in value or "timestamp" in value):
        return ("string", value.get("date", value.get("timestamp")))
    if isinstance(value, dict) and not ("property" in value or "op" in value):
        return ("object", orjson.dumps(value, option=orjson.OPT_SORT_KEYS))
    raise bad("the elements of a list are literals here", remedy="compare properties one by one")
