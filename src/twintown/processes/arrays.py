"""The framing of arrays on the wire, `application/vnd.twintown.arrays`: a JSON header, then the buffers.

u32 little-endian length of the header, the header as UTF-8 JSON, zeros up to a multiple of 8 bytes, then the buffers, each
starting at a multiple of 8 bytes counted from the first one. The header's `buffers` lists name, dtype, shape, offset and unit.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from twintown.ground.errors import BadData

MEDIA_TYPE = "application/vnd.twintown.arrays"
Buffers = Mapping[str, tuple[NDArray[Any], str]]
_TYPES = {"u1", "u2", "u4", "i1", "i2", "i4", "f4", "f8"}


def pack(header: Mapping[str, Any], buffers: Buffers) -> bytes:
    """The framed bytes of a header (JSON values) and named arrays with their units.

    Raises:
        BadData: an array of a type that does not travel.
    """
    entries: list[dict[str, Any]] = []
    chunks: list[NDArray[Any]] = []
    offset = 0
    for name, (array, unit) in buffers.items():
        dtype = array.dtype.str.lstrip("<|=")
        if dtype not in _TYPES:
            raise BadData(f"arrays of {array.dtype} do not travel", name)
        entries.append(
            {"name": name, "dtype": dtype, "shape": list(array.shape), "offset": offset, "unit": unit}
        )
        chunks.append(np.ascontiguousarray(array))
        offset += -(-array.nbytes // 8) * 8
    head = orjson.dumps({**header, "buffers": entries}, option=orjson.OPT_SERIALIZE_NUMPY)
    start = -(-(4 + len(head)) // 8) * 8
    out = bytearray(start + offset)
    out[:4] = struct.pack("<I", len(head))
    out[4 : 4 + len(head)] = head
    view = memoryview(out)
    for entry, chunk in zip(entries, chunks, strict=True):
        at = start + entry["offset"]
        if chunk.nbytes:
            view[at : at + chunk.nbytes] = chunk.tobytes()
    view.release()
    return bytes(out)


def unpack(data: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Header and arrays of framed bytes; the arrays are views into them.

    Raises:
        BadData: truncated, or not framed like this.
    """
    try:
        (length,) = struct.unpack_from("<I", data, 0)
        header = orjson.loads(data[4 : 4 + length])
        start = -(-(4 + length) // 8) * 8
        arrays = {}
        for entry in header["buffers"]:
            count = int(np.prod(entry["shape"], dtype=np.int64))
            arrays[entry["name"]] = np.frombuffer(
                data, "<" + entry["dtype"], count, start + entry["offset"]
            ).reshape(entry["shape"])
    except (struct.error, ValueError, KeyError, TypeError) as error:
        raise BadData(f"is not framed as {MEDIA_TYPE} ({error})", "arrays", "ask for it again") from error
    return header, arrays
