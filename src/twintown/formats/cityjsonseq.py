"""CityJSONSeq: the header on the first line, then a CityJSONFeature a line, each with its own vertices; nothing is kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from twintown.ground.jsontext import joined, said

from .cityjson import header, metadata, origin_of, vertex_texts
from .cityobjects import city_objects, wrap
from .format import Into, Read, Told
from .rows import tables


def write(told: Told, batches: Iterator[pa.RecordBatch]) -> Iterator[bytes]:
    """The header with the first rows, then a piece a batch; one line a feature.

    Raises:
        BadInput: a roof that cannot be built.
    """
    origin: tuple[float, float, float] | None = None
    for batch in tables(told, batches):
        if origin is None:
            origin = origin_of(told, batch)
            yield _first(told, origin)
        made = city_objects(told, batch, origin, None)
        vertices = wrap(pc.cast(vertex_texts(made.vertices), pa.large_string()), made.starts)
        lines = joined(
            said('{"type":"CityJSONFeature","id":'), made.ids, said(',"CityObjects":{'), made.members,
            said('},"vertices":'), vertices, said("}\n"),
        )  # fmt: skip
        yield b"".join(pc.cast(lines, pa.large_binary()).to_pylist())
    if origin is None:
        yield _first(told, (0.0, 0.0, 0.0))


def _first(told: Told, origin: tuple[float, float, float]) -> bytes:
    whole = {**header(origin), "CityObjects": {}, "vertices": [], "metadata": metadata(told)}
    return orjson.dumps(whole) + b"\n"


def read(source: Path | bytes, into: Into) -> Read:
    """See `cityjson.read`; both kinds are told apart by what they hold."""
    from .cityjson_in import read_cityjson

    return read_cityjson(source, into)
