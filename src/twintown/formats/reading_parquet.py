"""GeoParquet, read batch by batch: WKB as it stands; GeoArrow's own encodings through GeoPandas, whole. Plain Parquet is a table.

A column that is a list or a record becomes text of JSON. The bbox covering is left out: it is made anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from twintown.ground.crs import CRS84, Crs
from twintown.ground.errors import BadData

from .format import Finding, Into, Read
from .reading import BATCH, Rows, begin, columns_named, crs_from, name_of, renamed
from .rows import ARROW, Wkb, plain

_MAGIC = b"PAR1"
_AGAIN = "write it again with GeoPandas or GDAL"


def read_parquet(source: Path | bytes, into: Into) -> Read:
    """Rows of a GeoParquet or Parquet file.

    Raises:
        BadData: truncated, damaged, of metadata or a CRS that is not understood, misplaced.
    """
    where = name_of(source, "GeoParquet")
    if not begin(source, "GeoParquet").startswith(_MAGIC):
        raise BadData("is no Parquet: its first bytes are others", where, "check the file and its suffix")
    file = _open(source, where)
    findings: list[Finding] = []
    primary, column = _geo(file.schema_arrow, where)
    if primary and column.get("encoding", "WKB").upper() != "WKB":
        file = _as_wkb(source, where)
    schema = file.schema_arrow
    covering = {path[0] for path in ((column.get("covering") or {}).get("bbox") or {}).values() if path}
    names = [one.name for one in schema if one.name != primary and one.name not in covering]
    if into.id and into.id not in names:
        raise BadData(f"has no column {into.id!r} to make ids", where, f"it has {', '.join(names[:12])}")
    id_column = into.id or ("id" if "id" in names else "")
    kept = renamed([one for one in names if one != id_column or one != "id"], findings, where)
    columns = columns_named(schema, kept)
    rows = Rows(into, _crs(column, into, where), where, findings)

    def batches() -> Iterator[pa.RecordBatch]:
        try:
            for batch in file.iter_batches(
                BATCH, columns=[name for name in schema.names if name not in covering]
            ):
                if not batch.num_rows:
                    continue
                values = {
                    c.name: _value(batch.column(old), c.type) for c, old in zip(columns, kept, strict=True)
                }
                ids = _text(batch.column(id_column)) if id_column else None
                wkb = Wkb.of(batch.column(primary)) if primary else None
                yield rows.batch(ids, values, wkb, lambda k: f"row {k + 1}")
        except (pa.ArrowException, OSError) as error:
            raise _damaged(error, where) from error
        rows.end()

    return Read(batches(), columns, into.frame, findings)


def _damaged(error: Exception, where: str) -> BadData:
    return BadData(f"is damaged or breaks off ({str(error).splitlines()[0][:160]})", where, "fetch it again")


def _open(source: Path | bytes, where: str) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(source if isinstance(source, Path) else pa.BufferReader(source))
    except (pa.ArrowException, OSError) as error:
        raise _damaged(error, where) from error


def _geo(schema: pa.Schema, where: str) -> tuple[str, dict[str, Any]]:
    """The primary column and what the metadata say of it; empty for plain Parquet."""
    raw = (schema.metadata or {}).get(b"geo")
    if raw is None:
        return "", {}
    try:
        meta = orjson.loads(raw)
        primary = str(meta["primary_column"])
        column = dict(meta["columns"][primary])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise BadData(f"its metadata 'geo' are not those of GeoParquet ({error})", where, _AGAIN) from error
    if primary not in schema.names:
        raise BadData(f"its metadata name the geometry {primary!r}, and there is none", where, _AGAIN)
    return primary, column


def _crs(column: dict[str, Any], into: Into, where: str) -> Crs:
    if into.crs:
        return crs_from(into.crs, where)
    if not column or "crs" not in column:
        return CRS84  # what the standard says of a file that does not say it
    if column["crs"] is None:
        raise BadData("says that its CRS is not known", where, "say it, such as EPSG:5186")
    found = column["crs"]
    return crs_from(orjson.dumps(found).decode() if isinstance(found, dict) else str(found), where)


def _as_wkb(source: Path | bytes, where: str) -> pq.ParquetFile:
    """The same file with WKB; whole in memory."""
    import io

    import geopandas as gpd

    try:
        table = gpd.read_parquet(source if isinstance(source, Path) else io.BytesIO(source))
    except (pa.ArrowException, ValueError, OSError, NotImplementedError) as error:
        raise _damaged(error, where) from error
    out = io.BytesIO()
    table.to_parquet(out, index=False)
    return pq.ParquetFile(pa.BufferReader(out.getvalue()))


def _value(array: pa.Array, kind: str) -> pa.Array:
    if kind == "string":
        return _text(array)
    if pa.types.is_decimal(array.type):
        array = pc.cast(array, pa.float64())
    return pc.cast(plain(array, kind), ARROW[kind], safe=False)


def _text(array: pa.Array) -> pa.Array:
    kind = array.type
    if pa.types.is_dictionary(kind):
        array, kind = array.dictionary_decode(), kind.value_type
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return pa.array(
            [None if one is None else orjson.dumps(one, default=str).decode() for one in array.to_pylist()],
            pa.string(),
        )
    return pc.cast(array, pa.string())
