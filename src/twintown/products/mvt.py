"""From Arrow to vector tiles: geometries as well-known binary, columns as keys and values (`kernels.vectortile`)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from twintown.index.encode import column_json, iso
from twintown.kernels import vectortile
from twintown.kernels.outlines import Shapes, unpack

MEDIA_TYPE = "application/vnd.mapbox-vector-tile"
#: Units along the side of a tile.
EXTENT = 4096


def shapes(wkb: Any) -> Shapes:
    """The geometries of an Arrow array of well-known binary (little-endian, two-dimensional); null has none."""
    values = wkb.cast(pa.large_binary()) if not pa.types.is_large_binary(wkb.type) else wkb
    offsets, data = _flat(values)
    if values.null_count:
        # what lies between the offsets of a null means nothing
        there = np.asarray(values.is_valid())
        if (np.diff(offsets)[~there] != 0).any():
            offsets, data = _flat(pc.fill_null(values, b""))
    return unpack(offsets, data)


def attribute(name: str, values: Any, distinct: bool = False) -> vectortile.Values:
    """One column of an Arrow table as a property; null and not-a-number are absent.

    Whole numbers, floats and truth stay what they are; times become ISO 8601, lists and records JSON. `distinct` says of
    texts that none is there twice.
    """
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    kind = values.type
    if pa.types.is_boolean(kind):
        codes = np.asarray(pc.fill_null(values.cast(pa.int32()), -1), np.int32)
        return vectortile.booleans(name, codes)
    if pa.types.is_integer(kind) and kind != pa.uint64():
        codes, known = _coded(values.cast(pa.int64()))
        return vectortile.integers(name, codes, np.asarray(known, np.int64))
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind) or kind == pa.uint64():
        numbers = values.cast(pa.float64())
        codes, known = _coded(pc.if_else(pc.is_finite(numbers), numbers, None))
        return vectortile.numbers(name, codes, np.asarray(known, np.float64))
    texts = _texts(values).cast(pa.large_string())
    if distinct and not texts.null_count:
        return vectortile.texts(name, np.arange(len(texts), dtype=np.int32), *_flat(texts))
    codes, known = _coded(texts)
    return vectortile.texts(name, codes, *_flat(known))


def _texts(values: Any) -> Any:
    kind = values.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return values
    if pa.types.is_null(kind):
        return values.cast(pa.large_string())
    if pa.types.is_timestamp(kind):
        return iso(values)
    if pa.types.is_date(kind) or pa.types.is_time(kind):
        return values.cast(pa.large_string())
    return pc.if_else(values.is_valid(), column_json(values), None)


def _coded(values: Any) -> tuple[NDArray[np.int32], Any]:
    """int32 codes, −1 for null, and what they stand for."""
    coded = values.dictionary_encode()
    return np.asarray(pc.fill_null(coded.indices, -1), np.int32), coded.dictionary


def _flat(values: Any) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Offsets int64[n + 1] and bytes of an Arrow array of large strings or binaries, without a copy."""
    _, offsets, data = values.buffers()
    if offsets is None or not len(values):
        return np.zeros(1, np.int64), np.empty(0, np.uint8)
    first = np.frombuffer(offsets, np.int64)[values.offset : values.offset + len(values) + 1]
    return first, np.empty(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)
