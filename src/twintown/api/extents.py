"""Where and when a layer is: the extent of OGC API - Common Part 2."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from twintown.api.guard import Asked
from twintown.api.schemas import LonLatBox, Model
from twintown.twin.layers import LayerVersion

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
GREGORIAN = "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: First and last instant (UTC).
Span = tuple[datetime, datetime]


class SpatialExtent(Model):
    """The smallest rectangle that holds everything."""

    bbox: list[LonLatBox] = Field(description="west, south, east, north, degrees; one box", min_length=1)
    crs: str = CRS84


class TemporalExtent(Model):
    """The first and the last instant."""

    interval: list[tuple[str, str]] = Field(description="one interval, RFC 3339", min_length=1)
    trs: str = GREGORIAN


class Extent(Model):
    """Where and when; what is not known is absent."""

    spatial: SpatialExtent | None = None
    temporal: TemporalExtent | None = None

    @model_serializer(mode="wrap")
    def _said(self, full: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in full(self).items() if value is not None}


def time_columns(version: LayerVersion) -> tuple[str, ...]:
    """The columns that hold instants, in order."""
    return tuple(c["name"] for c in version.meta.get("columns", []) if c["type"] == "datetime")


def span(version: LayerVersion, asked: Asked) -> Span | None:
    """The first and the last instant of a layer; none where it has no time. Read once a version."""
    names = [c for c in time_columns(version) if asked.grant.columns is None or c in asked.grant.columns]
    if not names or version.kind == "grid" or not version.count:
        return None
    if asked.grant.filter or asked.grant.area is not None:
        from twintown.twin import told

        return told.span(asked.served.twin, version, asked.grant, names)
    key = ("span", version.layer, version.version, tuple(names))
    found: Span | None = asked.served.bodies.get(key, lambda: _read(version, asked, names))
    return found


def _read(version: LayerVersion, asked: Asked, names: list[str]) -> Span | None:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    twin = asked.served.twin
    where = twin.local(version)
    data = str(where) if where is not None else pa.BufferReader(twin.blobs.get(version.key))
    table = pq.ParquetFile(data).read(columns=names)
    instants: list[datetime] = []
    for name in names:  # as numbers: what pyarrow makes of times with zones would load pandas
        zone = getattr(table[name].type, "tz", None)
        counted = pc.cast(pc.cast(table[name], pa.timestamp("us", zone), safe=False), pa.int64())
        ends = pc.min_max(counted).as_py().values()
        instants += [_EPOCH + timedelta(microseconds=end) for end in ends if end is not None]
    return (min(instants), max(instants)) if instants else None


def _utc(when: datetime) -> datetime:
    return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)


def stamp(when: datetime) -> str:
    """RFC 3339 in UTC, without fractions that say nothing."""
    return _utc(when).isoformat().replace("+00:00", "Z")


def outward(box: LonLatBox) -> LonLatBox:
    """A box in degrees rounded away from its middle to 7 digits (1 cm), so that it still holds everything."""
    west, south, east, north = box
    down, up = (math.floor, math.ceil)
    return (down(west * 1e7) / 1e7, down(south * 1e7) / 1e7, up(east * 1e7) / 1e7, up(north * 1e7) / 1e7)


def of(version: LayerVersion, asked: Asked) -> Extent | None:
    """The extent of a layer; none where it lies nowhere and has no time."""
    box, when = version.bbox_lonlat, span(version, asked)
    if box is None and when is None:
        return None
    return Extent(
        spatial=SpatialExtent(bbox=[outward(box)]) if box is not None else None,
        temporal=TemporalExtent(interval=[(stamp(when[0]), stamp(when[1]))]) if when is not None else None,
    )
