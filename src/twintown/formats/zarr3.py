"""Zarr 3 stores (zarr-specs v3, core): metadata documents and chunks as bytes, made from arrays piece by piece.

The variables follow CF-1.11: x and y with standard names, the CRS in `spatial_ref`, one data variable a field.
"""

from __future__ import annotations

import gzip
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

#: Rows and columns of a chunk of cells.
CHUNK = 512
_TYPES = frozenset("bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64".split())


@dataclass(frozen=True)
class Variable:
    """One array of a store.

    Args:
        shape, dims: of the array; no dimension is a single value.
        read: the values of the chunk whose first element is at these indices; smaller at the ends of the array.
        fill: the value where nothing is known.
    """

    shape: tuple[int, ...]
    dims: tuple[str, ...]
    dtype: str
    read: Callable[[tuple[int, ...]], NDArray[Any]]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    fill: float | int | bool = 0

    @property
    def chunk(self) -> tuple[int, ...]:
        return tuple(CHUNK if len(self.shape) > 1 else max(1, side) for side in self.shape)

    @property
    def chunks(self) -> tuple[int, ...]:
        """How many chunks there are along each dimension."""
        return tuple(math.ceil(side / part) for side, part in zip(self.shape, self.chunk, strict=True))


class Store:
    """A group of variables as keys and bytes."""

    def __init__(self, variables: Mapping[str, Variable], attributes: Mapping[str, Any]) -> None:
        self.variables = variables
        self.attributes = attributes

    def keys(self) -> Iterator[str]:
        """Every key of the store; the metadata of the whole first."""
        yield "zarr.json"
        for name, variable in self.variables.items():
            yield f"{name}/zarr.json"
            for at in np.ndindex(variable.chunks):
                yield "/".join([name, "c", *map(str, at)])

    def get(self, key: str) -> bytes | None:
        """The bytes of a key; None where the store has no such key."""
        if key == "zarr.json":
            return _json(self._group())
        name, _, rest = key.partition("/")
        variable = self.variables.get(name)
        if variable is None:
            return None
        if rest == "zarr.json":
            return _json(_array(variable))
        head, *digits = rest.split("/")
        if head != "c" or len(digits) != len(variable.shape) or not all(_is_index(part) for part in digits):
            return None
        at = tuple(int(part) for part in digits)
        if any(index >= count for index, count in zip(at, variable.chunks, strict=True)):
            return None
        return _chunk(variable, at)

    def _group(self) -> dict[str, Any]:
        members = {name: _array(variable) for name, variable in self.variables.items()}
        consolidated = {"kind": "inline", "must_understand": False, "metadata": members}
        return {
            "zarr_format": 3,
            "node_type": "group",
            "attributes": dict(self.attributes),
            "consolidated_metadata": consolidated,
        }


def _is_index(text: str) -> bool:
    return text.isdigit() and len(text) < 9 and (text == "0" or not text.startswith("0"))


def _json(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)


def _array(variable: Variable) -> dict[str, Any]:
    kind = variable.dtype if variable.dtype in _TYPES else "float64"
    return {
        "zarr_format": 3,
        "node_type": "array",
        "shape": list(variable.shape),
        "data_type": kind,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(variable.chunk)}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": _fill(variable.fill, kind),
        "codecs": [
            {"name": "bytes", "configuration": {"endian": "little"}},
            {"name": "gzip", "configuration": {"level": 1}},
        ],
        "attributes": dict(variable.attributes),
        "dimension_names": list(variable.dims),
    }


def _fill(value: float | int | bool, kind: str) -> object:
    if kind.startswith("float"):
        return "NaN" if math.isnan(value) else float(value)
    return bool(value) if kind == "bool" else int(value)


def _chunk(variable: Variable, at: Sequence[int]) -> bytes:
    first = tuple(index * part for index, part in zip(at, variable.chunk, strict=True))
    values = variable.read(first)
    whole = np.full(variable.chunk, variable.fill, np.dtype(variable.dtype).newbyteorder("<"))
    whole[tuple(slice(0, side) for side in values.shape)] = values
    return gzip.compress(whole.tobytes(), 1, mtime=0)


def fixed(values: Any, dims: tuple[str, ...], attributes: Mapping[str, Any]) -> Variable:
    """A small variable whose values are here already, in one chunk."""
    array = np.asarray(values)
    fill = math.nan if array.dtype.kind == "f" else 0
    return Variable(array.shape, dims, str(array.dtype), lambda _: array, attributes, fill)
