"""Rows as GeoJSON text, whole columns at a time: numbers, texts and times become JSON by Arrow, shapes by GEOS.

The text is what `json` gives for the same values: nothing known and not-a-number are null, times are ISO 8601, shapes are
in CRS84 with 8 decimals, exterior rings anticlockwise (RFC 7946, 3.1.6).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from twintown.ground.frames import Frame

DIGITS = 8  # of a degree: 1.1 mm
Shapes = NDArray[np.object_]
_TEXT = pa.large_string()
#: What JSON does not let stand in a text: the quote, the backslash, and what lies below the blank (RFC 8259, 7).
_MUST = '["\\\\\x01-\x1f]|\x00'


def lonlat(shapes: Shapes, frame: Frame) -> Shapes:
    """Geometries of the frame (m) in CRS84, two-dimensional, 8 decimals; None for none and for empty ones."""
    drawn = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))

    def project(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        lon, lat = frame.to_lonlat(xy[:, 0], xy[:, 1])
        return np.asarray(np.round(np.column_stack([lon, lat]), DIGITS), np.float64)

    out = np.full(len(shapes), None, object)
    if drawn.any():
        moved = shapely.transform(shapely.force_2d(shapes[drawn]), project)
        out[drawn] = shapely.orient_polygons(moved)
    return out


def features(ids: Any, shapes: Shapes, columns: Mapping[str, Any]) -> pa.LargeBinaryArray:
    """One GeoJSON feature a row.

    Args:
        ids: Arrow text, one a row.
        shapes: geometries in CRS84, or None.
        columns: Arrow arrays by name.
    """
    drawn = pa.array(shapely.to_geojson(shapes), _TEXT, from_pandas=True)
    parts: list[Any] = [_said('{"type":"Feature","id":'), column_json(ids), _said(',"geometry":'),
                        pc.fill_null(drawn, "null")]  # fmt: skip
    lead = ',"properties":{'
    for name, values in columns.items():
        parts += [_said(f"{lead}{orjson.dumps(name).decode()}:"), column_json(values)]
        lead = ","
    parts.append(_said("}}" if columns else f"{lead}}}}}"))
    return pc.binary_join_element_wise(*parts, _said("")).cast(pa.large_binary())


def column_json(values: Any) -> pa.LargeStringArray:
    """A column as JSON texts, `null` where nothing is known."""
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    kind = values.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        made = pc.binary_join_element_wise(
            _said('"'), _escaped(values.cast(_TEXT)), _said('"'), _said(""))  # fmt: skip
    elif pa.types.is_boolean(kind) or pa.types.is_integer(kind):
        made = values.cast(_TEXT)
    elif pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        made = _numbers(values.cast(pa.float64()))
    elif pa.types.is_timestamp(kind):
        made = pc.binary_join_element_wise(_said('"'), iso(values), _said('"'), _said(""))
    elif pa.types.is_date(kind) or pa.types.is_time(kind):
        made = pc.binary_join_element_wise(_said('"'), values.cast(_TEXT), _said('"'), _said(""))
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
    return pc.binary_join_element_wise(whole, offsets.take(known.indices), _said(""))


def _offset(minutes: int) -> str:
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def _numbers(values: Any) -> Any:
    """Floats: not finite is null, and a whole one keeps its `.0`, so that nobody takes the column for integers."""
    texts = pc.if_else(pc.is_finite(values), values, None).cast(_TEXT)
    bare = pc.invert(pc.match_substring_regex(texts, "[.e]"))
    if not pc.any(bare).as_py():
        return texts
    return pc.if_else(bare, pc.binary_join_element_wise(texts, _said(".0"), _said("")), texts)


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


def _said(text: str) -> pa.Scalar:
    return pa.scalar(text, _TEXT)
