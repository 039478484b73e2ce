"""JSON text of whole Arrow columns: what a row would give one by one, made by Arrow a column at a time.

Nothing known and what is no finite number are `null`; times are ISO 8601 with their zone's offset.
"""

from __future__ import annotations

from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

_TEXT = pa.large_string()
#: What JSON does not let stand in a text: the quote, the backslash, and what lies below the blank (RFC 8259, 7).
_MUST = '["\\\\\x01-\x1f]|\x00'


def said(text: str) -> pa.Scalar:
    """The same text for every row, to be joined with columns."""
    return pa.scalar(text, _TEXT)


def joined(*parts: Any) -> pa.LargeStringArray:
    """Texts of every row one behind the other; null where one of them is."""
    return pc.binary_join_element_wise(*parts, said(""))


def members(columns: dict[str, Any]) -> list[Any]:
    """What `joined` makes an object of, row by row: its braces, keys and values.

    Args:
        columns: Arrow arrays by the name of the member.
    """
    parts: list[Any] = []
    lead = "{"
    for name, values in columns.items():
        parts += [said(f"{lead}{orjson.dumps(name).decode()}:"), column_json(values)]
        lead = ","
    return [*parts, said("}" if columns else "{}")]


def column_json(values: Any) -> pa.LargeStringArray:
    """A column as JSON texts, `null` where nothing is known."""
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    kind = values.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        made = pc.binary_join_element_wise(
            said('"'), _escaped(values.cast(_TEXT)), said('"'), said(""))  # fmt: skip
    elif pa.types.is_boolean(kind) or pa.types.is_integer(kind):
        made = values.cast(_TEXT)
    elif pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        made = _numbers(values.cast(pa.float64()))
    elif pa.types.is_timestamp(kind):
        made = pc.binary_join_element_wise(said('"'), iso(values), said('"'), said(""))
    elif pa.types.is_date(kind) or pa.types.is_time(kind):
        made = pc.binary_join_element_wise(said('"'), values.cast(_TEXT), said('"'), said(""))
    elif pa.types.is_null(kind):
        made = pa.nulls(len(values), _TEXT)
    else:  # lists and records, which a table of features seldom has, are texts of JSON
        texts = [None if one is None else _nested(one) for one in values.to_pylist()]
        return column_json(pa.array(texts, _TEXT))
    return pc.fill_null(made, "null")


def iso(values: Any) -> pa.LargeStringArray:
    """Timestamps in ISO 8601 with their zone's offset; the fraction only where there is one."""
    zone = values.type.tz
    local = pc.local_timestamp(values) if zone else values
    micro = local.cast(pa.timestamp("us"), safe=False)
    whole = pc.strftime(pc.floor_temporal(micro, unit="second").cast(pa.timestamp("s")), "%Y-%m-%dT%H:%M:%S")
    broken = pc.not_equal(pc.microsecond(micro), 0)
    fine = pc.or_kleene(broken, pc.not_equal(pc.millisecond(micro), 0))
    if pc.any(fine).as_py():
        whole = pc.if_else(fine, pc.strftime(micro, "%Y-%m-%dT%H:%M:%S"), whole)
    whole = whole.cast(_TEXT)
    if not zone:
        return whole
    utc = values.cast(pa.timestamp("us", zone), safe=False).cast(pa.timestamp("us"))
    minutes = pc.divide(pc.subtract(micro, utc).cast(pa.int64()), 60_000_000)
    known = minutes.dictionary_encode()
    offsets = pa.array([_offset(one) for one in known.dictionary.to_pylist()], _TEXT)
    return pc.binary_join_element_wise(whole, offsets.take(known.indices), said(""))


def _offset(minutes: int) -> str:
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def _numbers(values: Any) -> Any:
    """Floats: not finite is null, and a whole one keeps its `.0`, so that nobody takes the column for integers."""
    texts = pc.if_else(pc.is_finite(values), values, None).cast(_TEXT)
    bare = pc.invert(pc.match_substring_regex(texts, "[.e]"))
    if not pc.any(bare).as_py():
        return texts
    return pc.if_else(bare, pc.binary_join_element_wise(texts, said(".0"), said("")), texts)


def _escaped(texts: Any) -> Any:
    touched = pc.fill_null(pc.match_substring_regex(texts, _MUST), False)
    if not pc.any(touched).as_py():
        return texts
    part = texts.filter(touched)
    part = pc.replace_substring(pc.replace_substring(part, "\\", "\\\\"), '"', '\\"')
    for sign in [chr(code) for code in range(32)]:
        if pc.any(pc.match_substring(part, sign)).as_py():
            part = pc.replace_substring(part, sign, orjson.dumps(sign).decode()[1:-1])
    return pc.replace_with_mask(texts, touched, part)


def _nested(value: Any) -> str:
    return orjson.dumps(value, default=str).decode()
