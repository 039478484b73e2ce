"""Series: values over time at one place, kept as Parquet."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from .errors import BadData, BadInput
from .provenance import Provenance
from .units import check_unit

_KEY = b"twintown"


@dataclass(frozen=True)
class Series:
    """One `time` column and a column a property; null where nothing was observed.

    Args:
        table: Arrow table; `time` is a timestamp, in the city's zone where the data states an hour, plain for whole days.
        units: UCUM code of every numeric column.
        zone: IANA name of the city's time zone.
        place: what the values are of (a station, a market), in words.
        attributes: what a reader must know besides (`typical_year`), JSON values.

    Raises:
        BadInput: no `time` column, or an unknown unit.
    """

    table: pa.Table
    units: Mapping[str, str]
    zone: str
    place: str
    provenance: Provenance
    attributes: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if "time" not in self.table.column_names or not pa.types.is_timestamp(
            self.table.schema.field("time").type
        ):
            raise BadInput("a series needs a `time` column of timestamps")
        for column, unit in self.units.items():
            check_unit(unit, column)

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def to_parquet_bytes(self) -> bytes:
        """Parquet, zstd, with units, zone, place and provenance in the schema."""
        meta = {
            "units": dict(self.units), "zone": self.zone, "place": self.place,
            "provenance": self.provenance.to_dict(), "attributes": dict(self.attributes),
        }  # fmt: skip
        out = io.BytesIO()
        pq.write_table(
            self.table.replace_schema_metadata({_KEY: orjson.dumps(meta, option=orjson.OPT_SORT_KEYS)}),
            out,
            compression="zstd",
        )
        return out.getvalue()

    @classmethod
    def from_parquet(cls, data: bytes | Path) -> Series:
        """Read what `to_parquet_bytes` wrote.

        Raises:
            BadData: not Parquet, or not written by us.
        """
        where = str(data) if isinstance(data, Path) else "Parquet"
        try:
            table = pq.read_table(data if isinstance(data, Path) else pa.BufferReader(data))
        except (pa.ArrowException, OSError) as error:
            raise BadData(
                f"cannot be read as Parquet ({str(error).splitlines()[0]})", where, "build the layer again"
            ) from error
        raw = (table.schema.metadata or {}).get(_KEY)
        if raw is None:
            raise BadData(
                "the file does not carry its units and provenance", where, "add it through a source"
            )
        meta = orjson.loads(raw)
        return cls(
            table,
            meta["units"],
            meta["zone"],
            meta["place"],
            Provenance.from_dict(meta["provenance"]),
            meta["attributes"],
        )
