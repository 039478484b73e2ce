"""A format: how the rows of a layer leave as bytes, and how bytes come in as rows. Its siblings are the formats.

Out, a format is given what is *told* of the layer and batches of rows, and gives bytes as they are made; nothing is held but the
batch at hand. A batch has `id` (text), the columns of `Told.columns`, `geometry` (WKB in the twin's frame, null where there is
none) and, where the reader has it ready, `lonlat` (the same in degrees, WKB).

In, a format gives batches of the same shape, whatever the file's own CRS, and findings: what was odd and was mended or left out.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from twintown.ground.columns import Column
from twintown.ground.crs import CRS84, Crs
from twintown.ground.errors import BadInput
from twintown.ground.frames import Frame
from twintown.ground.names import Name
from twintown.ground.provenance import Provenance

if TYPE_CHECKING:
    import pyarrow as pa

    from twintown.ground.features import Features

#: Parts of the buildings with these ids: rows of the layer `building-parts` (`id`, `building`, `base_m`, …, `geometry`).
Parts = Callable[[Sequence[str]], "pa.Table"]


@dataclass(frozen=True)
class Told:
    """What a writer is told of the rows that it will get.

    Args:
        layer: id of the layer.
        title: what people call it.
        columns: of the batches, in order, besides `id`, `geometry` and `lonlat`.
        geometry: `Point`, `LineString`, `Polygon` (multi ones count as theirs), `GeometryCollection`; empty for a table.
        frame: of the column `geometry`.
        provenance: of the rows; licence and sources go into the file where it has a place for them.
        crs: of the coordinates in the file, degrees unless asked for another. GeoJSON and JSON-FG keep its axis order; CSV,
            FlatGeobuf and GeoParquet always have x = east; CityJSON is always in the twin's frame.
        count: how many rows will come, none where nobody knows.
        bbox_lonlat: west, south, east, north of all rows in degrees, none where nobody knows.
        ground_m: height of the declared ground in `frame.vertical`, metres; solids stand on it.
        shapes: the exact types of geometry where they are known (`Polygon`, `MultiPolygon`, …): FlatGeobuf states them up front.
            Where nobody knows, its lines and polygons all become multi ones.
        time: names of the columns that say when: none, one instant, or start and end.
        links: of a GeoJSON document, each with `href` and `rel`.
        parts: asks for the parts of buildings, so that solids can be made; none where there is no such layer.
    """

    layer: str
    title: Name
    columns: tuple[Column, ...]
    geometry: str
    frame: Frame
    provenance: Provenance
    crs: Crs = CRS84
    count: int | None = None
    bbox_lonlat: tuple[float, float, float, float] | None = None
    ground_m: float = 0.0
    shapes: tuple[str, ...] = ()
    time: tuple[str, ...] = ()
    links: tuple[Mapping[str, object], ...] = ()
    parts: Parts | None = None


@dataclass(frozen=True)
class Into:
    """Where rows that are read shall go.

    Args:
        frame: coordinates are given in it, whatever the file's.
        crs: what the coordinates of the file are in where it does not say, or says wrongly (`EPSG:5186`, a URI); empty: as it says.
        id: the column or property that makes a row's id; empty: the format's own id, else `id`, where they are unique, else numbers.
        ground_m: height of the declared ground in `frame.vertical`, metres: heights above it are what is kept.
        bounds_lonlat: west, south, east, north in degrees that rows are expected to meet; none of them within is an error
            (swapped axes, wrong CRS), some outside is a finding.
    """

    frame: Frame
    crs: str = ""
    id: str = ""
    ground_m: float = 0.0
    bounds_lonlat: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class Finding:
    """One thing that was odd in a file and could be mended, assumed or left out: data, not an error.

    Args:
        code: a word for what it is (`id-repeated`, `ring-turned`, …).
        where: line, feature, member: what the reader must look at.
        what: one sentence.
    """

    code: str
    where: str
    what: str


@dataclass
class Read:
    """Rows that come in; `findings` is complete once `batches` has been read to its end.

    Args:
        batches: `id` (text, unique), the columns, `geometry` (WKB in the frame).
        columns: what the rows have besides `id` and `geometry`.
        frame: of the geometries.
        findings: grows while the batches are read.
        beside: further layers that the same file holds, by the id that they are called in a twin (`building-parts`).
    """

    batches: Iterator[pa.RecordBatch]
    columns: tuple[Column, ...]
    frame: Frame
    findings: list[Finding] = field(default_factory=list)
    beside: Mapping[str, Read] = field(default_factory=dict)

    def features(self, provenance: Provenance) -> Features:
        """All rows at once, as a shape that a twin can keep.

        Raises:
            BadData: what the batches raise while they are read.
        """
        from .rows import as_features

        return as_features(self, provenance)


class _Sibling(Protocol):
    def write(self, told: Told, batches: Iterator[pa.RecordBatch]) -> Iterator[bytes]: ...

    def read(self, source: Path | bytes, into: Into) -> Read: ...


@dataclass(frozen=True)
class Format:
    """One way to write rows as bytes and to read them.

    Args:
        id: what `f=` takes.
        media_type: what `Accept` takes and `Content-Type` says.
        suffix: of a file, with its dot.
        title: for people.
        module: the sibling that writes and reads; it is imported on the first use.
        needs: what a layer must have for the format to make sense of it.
        others: further media types and suffixes that it is known by when it comes in.
        crs: the format can be written in any CRS that is asked for.
    """

    id: str
    media_type: str
    suffix: str
    title: Name
    module: str
    needs: Callable[[Told], bool] = lambda told: True
    others: tuple[str, ...] = ()
    crs: bool = True

    def applies(self, told: Told) -> bool:
        """True where rows of this layer can be written in this format."""
        return self.needs(told)

    def write(self, told: Told, batches: Iterator[pa.RecordBatch]) -> Iterator[bytes]:
        """The bytes of a file with these rows, made while the batches come.

        Raises:
            BadInput: the format does not apply to this layer.
        """
        if not self.applies(told):
            raise BadInput(
                f"cannot be written as {self.title.en}",
                told.layer,
                f"use one of {', '.join(one.id for one in FORMATS.values() if one.applies(told))}",
            )
        return self._sibling().write(told, batches)

    def read(self, source: Path | bytes, into: Into) -> Read:
        """Rows of a file, or of the bytes of one.

        Raises:
            BadData: empty, truncated, wrongly encoded, misplaced, …: naming line, feature or column. The rest of a large file is
                read only while the batches are taken, and may raise then.
        """
        return self._sibling().read(source, into)

    def _sibling(self) -> _Sibling:
        return cast(_Sibling, importlib.import_module(f"{__package__}.{self.module}"))


def _drawn(told: Told) -> bool:
    return told.geometry != ""


def _city(told: Told) -> bool:
    return told.geometry in ("Point", "LineString", "Polygon")


FORMATS: dict[str, Format] = {
    one.id: one
    for one in (
        Format("geojson", "application/geo+json", ".geojson", Name("GeoJSON", "GeoJSON"), "geojson",
               others=(".json", "application/json", "application/vnd.geo+json", ".geojsonl", ".geojsons",
                       "application/geo+json-seq")),
        Format("jsonfg", "application/vnd.ogc.fg+json", ".fg.json", Name("JSON-FG", "JSON-FG"), "jsonfg",
               others=("application/fg+json", ".fgjson")),
        Format("cityjson", "application/city+json", ".city.json", Name("CityJSON", "CityJSON"), "cityjson", _city, crs=False),
        Format("cityjsonseq", "application/city+json-seq", ".city.jsonl", Name("CityJSONSeq", "CityJSONSeq"), "cityjsonseq",
               _city, (".jsonl",), crs=False),
        Format("fgb", "application/flatgeobuf", ".fgb", Name("FlatGeobuf", "FlatGeobuf"), "flatgeobuf", _drawn,
               ("application/vnd.flatgeobuf",)),
        Format("parquet", "application/vnd.apache.parquet", ".parquet", Name("GeoParquet", "GeoParquet"), "geoparquet",
               others=(".geoparquet", "application/x-parquet")),
        Format("csv", "text/csv", ".csv", Name("CSV", "CSV"), "csv"),
    )
}  # fmt: skip


def by_media_type(media_type: str) -> Format | None:
    """The format of a `Content-Type` (parameters are passed over), none where it is none of ours."""
    wanted = media_type.partition(";")[0].strip().lower()
    exact = (one for one in FORMATS.values() if one.media_type == wanted)
    return next(exact, None) or next((one for one in FORMATS.values() if wanted in one.others), None)


def by_name(name: str) -> Format | None:
    """The format of a file's name by the longest suffix that fits, none where it is none of ours."""
    fitting: list[tuple[int, Format]] = [
        (len(suffix), one)
        for one in FORMATS.values()
        for suffix in (one.suffix, *one.others)
        if suffix.startswith(".") and name.lower().endswith(suffix)
    ]
    return max(fitting, key=lambda pair: pair[0])[1] if fitting else None


def parts_of(view: Any) -> Parts:
    """Asks a view of the layer `building-parts` for the parts of buildings.

    The owners of all parts are read once (a text each); the parts themselves only when they are asked for.

    Args:
        view: an `index` View (`page`, `take`), or what has the same two methods.
    """
    owners: list[pa.Array] = []

    def parts(ids: Sequence[str]) -> pa.Table:
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        from twintown.query.query import Query

        if not owners:
            positions = view.page(Query(), limit=max(1, int(view.count)), count=False).positions
            mine = view.take(positions, columns=("building",), geometry=False).column("building")
            owners.extend((pa.array(np.asarray(positions, np.int64)), pc.cast(mine, pa.string())))
        wanted = pc.is_in(owners[1], value_set=pa.array(ids, pa.string()))
        found = owners[0].filter(wanted).to_numpy(zero_copy_only=False)
        return pa.Table.from_batches([view.take(found)])

    return parts
