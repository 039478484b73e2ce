"""GeoJSON, GeoJSON with one Feature a line, and JSON-FG, read.

A document is looked at whole (`geojson_check`): the first thing that is wrong is the error, what is merely odd becomes findings. Text
with a Feature a line (RFC 8142, record separators allowed) is read line by line, twice: once to know the columns, once for the rows.
A document of more than 200 MB is read through GDAL, which says less of what is wrong with it.

GeoJSON is in degrees, longitude first. The member `crs` of 2008 is heeded where it stands, x first as its writers do; `coordRefSys` of
JSON-FG is heeded with `place`, in the order of the CRS's axes. Solids become the footprint that `geometry` has, or else their floors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from twintown.ground.columns import Column
from twintown.ground.crs import CRS84, Crs
from twintown.ground.errors import BadData
from twintown.ground.names import Name

from .format import Finding, Into, Read
from .geojson_check import MAX_POSITIONS, check, parse
from .reading import BATCH, Rows, begin, crs_from, name_of, renamed, through_gdal
from .rows import Wkb
from .values import Values

_WHOLE = 200_000_000
_STRICT = 60_000_000
_SOLIDS = ("Polyhedron", "MultiPolyhedron", "Prism", "MultiPrism")
Feature = dict[str, Any]


def read_geojson(source: Path | bytes, into: Into) -> Read:
    """Rows of a document of GeoJSON or JSON-FG, or of Features line by line.

    Raises:
        BadData: see the head of this file; it names line, pointer and what is wrong.
    """
    where = name_of(source, "GeoJSON")
    first = begin(source, "GeoJSON").lstrip(b"\xef\xbb\xbf \t\r\n\x1e")
    if _by_line(first, source):
        return _lines(source, into, where)
    size = source.stat().st_size if isinstance(source, Path) else len(source)
    if size > _WHOLE:
        return through_gdal(source, into, "GeoJSON", first[:1])
    raw = source.read_bytes() if isinstance(source, Path) else source
    findings: list[Finding] = []
    document = _document(raw, into, where, findings)
    features = _features(document)
    made = _Reader(into, where, findings, _crs_of(document, into, where), document)
    made.look(features)
    return Read(made.batches(iter([features])), made.columns, into.frame, findings)


def _by_line(first: bytes, source: Path | bytes) -> bool:
    """True where the first line is a whole Feature and another follows."""
    if isinstance(source, Path) and source.suffix.lower() in (".geojsonl", ".geojsons", ".ndjson", ".jsonl"):
        return True
    line, _, rest = first.partition(b"\n")
    if not rest.strip(b"\x1e \r\n\t") and len(first) < 4096:
        return False
    try:
        value = orjson.loads(line.strip(b"\x1e \r"))
    except orjson.JSONDecodeError:
        return False
    return isinstance(value, dict) and value.get("type") == "Feature"


def _document(raw: bytes, into: Into, where: str, findings: list[Finding]) -> Any:
    """The value of the bytes, all right as GeoJSON (or, for JSON-FG, as JSON)."""
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    old = b'"crs"' in raw[:100_000]
    special = old or b'"coordRefSys"' in raw[:100_000] or b'"conformsTo"' in raw[:100_000] or bool(into.crs)
    if special or len(raw) > _STRICT or raw.count(b"[") > MAX_POSITIONS:
        document, flaws = parse(raw)
        if not flaws and (found := _shape_of(document)):
            raise BadData(found, where, "mend it there (RFC 7946)")
    else:
        checked = check(raw, bare=True)
        document, flaws = checked.document, list(checked.flaws)
    for flaw in flaws:
        at = ", ".join(filter(None, [f"line {flaw.line}" if flaw.line else "", flaw.pointer]))
        if flaw.severity == "error":
            more = sum(one.severity == "error" for one in flaws) - 1
            also = f" (and {more} more)" if more else ""
            raise BadData(f"{flaw.what}{also}", f"{where}, {at}", "mend it there (RFC 7946)")
        findings.append(Finding("geojson", f"{where}, {at}", flaw.what))
    return document


def _shape_of(document: Any) -> str:
    """What is wrong with the outside of a document that is not looked at more closely, empty where nothing is."""
    if not isinstance(document, dict):
        return "is JSON, but no object"
    kind = document.get("type")
    if kind == "FeatureCollection":
        features = document.get("features")
        if not isinstance(features, list):
            return "a FeatureCollection without an array of features (/features)"
        for i, one in enumerate(features):
            if not isinstance(one, dict) or one.get("type") != "Feature":
                return f"holds something that is no Feature (/features/{i})"
            if not isinstance(one.get("properties"), dict | None):
                return f"properties are no object (/features/{i}/properties)"
        return ""
    if kind == "Feature" or kind in ("Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon",
                                     "GeometryCollection"):  # fmt: skip
        return ""
    return f"its type is {kind!r} instead of FeatureCollection (/type)"


def _features(document: Any) -> list[Feature]:
    if document["type"] == "FeatureCollection":
        return list(document["features"])
    if document["type"] == "Feature":
        return [document]
    return [{"type": "Feature", "geometry": document, "properties": {}}]


def _crs_of(document: Any, into: Into, where: str) -> Crs:
    """The CRS of `geometry`."""
    if into.crs:
        return crs_from(into.crs, where)
    old = document.get("crs") if isinstance(document, dict) else None
    if (
        isinstance(old, dict)
        and isinstance(old.get("properties"), dict)
        and isinstance(old["properties"].get("name"), str)
    ):
        return crs_from(old["properties"]["name"], f"{where}, /crs")
    return CRS84


def _reference(value: Any, where: str) -> Crs | None:
    """The horizontal CRS of a `coordRefSys`: a URI, an object with `href`, or a list of the parts of a compound one."""
    if value is None:
        return None
    first = value[0] if isinstance(value, list) and value else value
    text = first.get("href") if isinstance(first, dict) else first
    if not isinstance(text, str):
        raise BadData("a coordRefSys that is no reference", where, "write the URI of a CRS")
    return crs_from(text.strip("[]") if text.startswith("[") else text, f"{where}, /coordRefSys")


@dataclass
class _Reader:
    """Features to rows; `look` settles the columns."""

    into: Into
    where: str
    findings: list[Finding]
    crs: Crs
    document: Any

    def __post_init__(self) -> None:
        self.values = Values()
        self.names: dict[str, str] = {}
        self.columns: tuple[Column, ...] = ()
        self.place = (
            _reference(self.document.get("coordRefSys"), self.where)
            if isinstance(self.document, dict)
            else None
        )
        if self.place is None and any(key in self.document for key in ("conformsTo", "featureType")):
            self.place = CRS84
        self.placed = False  # whether `place` is what is read

    def look(self, features: Sequence[Feature]) -> None:
        """Learn the columns of these features."""
        self.values.look([one.get("properties") or {} for one in features])
        self.placed |= self.place is not None and any(_simple(one.get("place")) for one in features)
        kept = [
            name
            for name in self.values.kinds
            if name not in ("id", self.into.id) or name == self.into.id != "id"
        ]
        known = set(self.names)
        if set(kept) - known:
            self.names = renamed(kept, [], self.where)
            self.columns = tuple(
                Column(new, self.values.kind(old), "", Name(old, old)) for old, new in self.names.items()
            )
        else:
            self.columns = tuple(
                Column(new, self.values.kind(old), "", Name(old, old)) for old, new in self.names.items()
            )

    def batches(self, several: Iterator[Sequence[Feature]]) -> Iterator[pa.RecordBatch]:
        crs = self.place if self.placed and self.place is not None else self.crs
        rows = Rows(self.into, crs, self.where, self.findings)
        renamed(list(self.names), self.findings, self.where)
        if self.into.id and self.into.id not in self.values.kinds:
            raise BadData(
                f"has no property {self.into.id!r} to make ids",
                self.where,
                f"it has {', '.join(self.values.kinds)}",
            )
        for features in several:
            for start in range(0, len(features), BATCH):
                some = features[start : start + BATCH]
                properties = [one.get("properties") or {} for one in some]
                columns = {new: self.values.array(old, properties) for old, new in self.names.items()}
                wkb = Wkb.of(pa.array(self._shapes(some, rows), pa.large_binary(), from_pandas=True))
                yield rows.batch(
                    self._ids(some, properties), columns, wkb, lambda k: f"feature {k + 1} (/features/{k})"
                )
        rows.end()

    def _ids(self, features: Sequence[Feature], properties: Sequence[dict[str, Any]]) -> pa.Array | None:
        if self.into.id:
            found = [one.get(self.into.id) for one in properties]
        else:
            found = [one.get("id", own.get("id")) for one, own in zip(features, properties, strict=True)]
        if all(one is None for one in found):
            return None
        return pa.array(
            [None if one is None else one if isinstance(one, str) else _plain(one) for one in found],
            pa.string(),
        )

    def _shapes(self, features: Sequence[Feature], rows: Rows) -> NDArray[Any]:
        chosen: list[Any] = []
        for one in features:
            place = one.get("place") if self.placed else None
            if isinstance(place, dict) and place.get("type") in _SOLIDS:
                rows.note(
                    "solid-flattened",
                    f"{self.where}, {one.get('id', '')}",
                    "of a solid only its footprint is kept",
                )
                place = _floor(place)
            chosen.append(
                place
                if place is not None or (self.placed and one.get("geometry") is None)
                else one.get("geometry")
            )
            if self.placed and chosen[-1] is one.get("geometry") and chosen[-1] is not None:
                raise BadData(
                    "some features have a place and some only a geometry",
                    self.where,
                    "give all of them a place",
                )
        texts = np.array([None if one is None else orjson.dumps(one).decode() for one in chosen], object)
        try:
            made = shapely.from_geojson(texts)
        except (shapely.errors.GEOSException, ValueError) as error:
            raise self._unreadable(texts, error) from error
        if self.placed and self.place is not None:
            made = self.place.swap(made)
        return np.asarray(shapely.to_wkb(made, output_dimension=3, byte_order=1))

    def _unreadable(self, texts: NDArray[Any], error: Exception) -> BadData:
        for k, text in enumerate(texts):
            try:
                shapely.from_geojson(text)
            except (shapely.errors.GEOSException, ValueError):
                return BadData(
                    f"a geometry that is none ({str(error).splitlines()[0][:120]})", f"{self.where}, feature {k + 1}",
                    "mend it there (RFC 7946)",
                )  # fmt: skip
        return BadData(f"a geometry that is none ({error})", self.where, "mend it")


def _simple(place: Any) -> bool:
    """True where `place` is a geometry that has no solid."""
    return isinstance(place, dict) and place.get("type") not in _SOLIDS


def _floor(solid: dict[str, Any]) -> dict[str, Any] | None:
    """The lowest faces of a solid as a MultiPolygon, none where it has none."""
    if solid.get("type") == "Prism":
        return solid.get("base")
    coordinates: Any = solid.get("coordinates")
    faces: list[Any] = []
    try:
        for shells in [coordinates] if solid.get("type") == "Polyhedron" else coordinates or []:
            low = min(position[2] for face in shells[0] for position in face[0])
            faces += [face for face in shells[0] if all(position[2] <= low + 1e-3 for position in face[0])]
    except (TypeError, IndexError, ValueError):
        return None
    return {"type": "MultiPolygon", "coordinates": faces} if faces else None


def _plain(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return (
        str(value)
        if isinstance(value, int | float) and not isinstance(value, bool)
        else orjson.dumps(value).decode()
    )


def _lines(source: Path | bytes, into: Into, where: str) -> Read:
    """Features line by line."""
    findings: list[Finding] = []
    made = _Reader(into, where, findings, _crs_of({}, into, where), {})
    for features in _line_batches(source, where):
        made.look(features)
    if not made.names and not any(True for _ in _line_batches(source, where)):
        raise BadData("holds no feature", where, "check what was written")
    return Read(made.batches(_line_batches(source, where)), made.columns, into.frame, findings)


def _line_batches(source: Path | bytes, where: str) -> Iterator[list[Feature]]:
    features: list[Feature] = []
    number = 0
    for raw in _each_line(source):
        number += 1
        text = raw.strip(b"\x1e \r\n\t\xef\xbb\xbf" if number == 1 else b"\x1e \r\n\t")
        if not text:
            continue
        checked = check(text)
        for flaw in checked.errors:
            raise BadData(
                flaw.what,
                f"{where}, line {number}{', ' + flaw.pointer if flaw.pointer else ''}",
                "mend it there (RFC 7946)",
            )
        features.extend(_features(checked.document))
        if len(features) >= BATCH:
            yield features
            features = []
    if features:
        yield features


def _each_line(source: Path | bytes) -> Iterator[bytes]:
    if isinstance(source, bytes):
        yield from source.split(b"\n")
        return
    with source.open("rb") as file:
        yield from file
