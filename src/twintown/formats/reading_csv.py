"""CSV, read in blocks, twice: once to know what type each column is of, once for the rows.

Where a row is: a column of WKT (`geometry`, `geom`, `wkt`, `the_geom`), or two of numbers (`lon` and `lat`, `longitude` and `latitude`,
`lng`, `경도` and `위도`: degrees; `x` and `y`, `easting` and `northing`: metres of the CRS that is stated). WKT without a stated CRS is
in degrees. x is east. A file without either is a table. The separator is the comma, semicolon or tab that the header has most of.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import shapely

from twintown.ground.columns import Column
from twintown.ground.crs import CRS84
from twintown.ground.errors import BadData
from twintown.ground.names import Name

from .format import Finding, Into, Read
from .reading import Rows, begin, crs_from, name_of, renamed
from .rows import ARROW, Wkb
from .values import TIME, Values, times

_WKT = ("geometry", "geom", "wkt", "the_geom")
_DEGREES = (("lon", "lat"), ("longitude", "latitude"), ("lng", "lat"), ("경도", "위도"))
_METRES = (("x", "y"), ("easting", "northing"))
_BLOCK = 4_000_000
#: A quoted text may be this long at most, bytes.
_HEAD = 1_000_000
_WHOLE, _NUMBER = r"^[+-]?\d{1,18}$", r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"


@dataclass(frozen=True)
class _Place:
    """The columns that say where: one of WKT, or two of numbers (degrees or not), or none."""

    columns: tuple[str, ...] = ()
    degrees: bool = True


def read_csv(source: Path | bytes, into: Into) -> Read:
    """Rows of a CSV file.

    Raises:
        BadData: not UTF-8, rows that are longer or shorter than the header, a number or WKT that is none, no CRS for x and y: naming
            line and column.
    """
    where = name_of(source, "CSV")
    begin(source, "CSV")
    _check_text(source, where)
    header, separator = _header(source, where)
    findings: list[Finding] = []
    place = _place(header)
    stated = into.crs
    if place.columns and not place.degrees and not stated:
        raise BadData(
            f"does not say which CRS {place.columns[0]} and {place.columns[1]} are in",
            where,
            "say it, such as EPSG:5186",
        )
    crs = crs_from(stated, where) if stated else CRS84
    if into.id and into.id not in header:
        raise BadData(
            f"has no column {into.id!r} to make ids", f"{where}, line 1", f"it has {', '.join(header[:12])}"
        )
    id_column = into.id or ("id" if "id" in header else "")
    own = [name for name in header if name not in place.columns and (name != id_column or name != "id")]
    values = _look(source, header, separator, own, where)
    names = renamed(own, findings, where)
    columns = tuple(Column(new, values.kind(old), "", Name(old, old)) for old, new in names.items())
    rows = Rows(into, crs, where, findings)

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in _blocks(source, header, separator, where):
            typed = {c.name: _typed(batch.column(old), c.type) for c, old in zip(columns, names, strict=True)}
            ids = batch.column(id_column) if id_column else None
            wkb = _shapes(batch, place, rows.rows, where) if place.columns else None
            yield rows.batch(ids, typed, wkb, lambda k: f"row {k + 1}")
        rows.end()

    return Read(batches(), columns, into.frame, findings)


def _open(source: Path | bytes) -> IO[bytes]:
    return source.open("rb") if isinstance(source, Path) else io.BytesIO(source)


def _check_text(source: Path | bytes, where: str) -> None:
    """All of it is UTF-8 without NUL bytes, and quotes come in pairs; else the line is named."""
    import codecs

    decoder = codecs.getincrementaldecoder("utf-8")()
    line, quotes = 1, 0
    with _open(source) as file:
        while block := file.read(_BLOCK):
            quotes += block.count(b'"')
            if (nul := block.find(b"\0")) >= 0:
                at = line + block.count(b"\n", 0, nul)
                raise BadData("holds a NUL byte", f"{where}, line {at}", "save it as UTF-8")
            try:
                decoder.decode(block)
            except UnicodeDecodeError as error:
                at = line + block.count(b"\n", 0, error.start)
                raise BadData(
                    "is not UTF-8", f"{where}, line {at}", "save it as UTF-8 (it may be CP949)"
                ) from error
            line += block.count(b"\n")
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise BadData("breaks off within a character", f"{where}, line {line}", "fetch it again") from error
    if quotes % 2:
        raise BadData("a quoted text does not end", where, "write a quote within a text twice (RFC 4180)")


def _header(source: Path | bytes, where: str) -> tuple[list[str], str]:
    """Names of the columns and the separator."""
    import csv

    with _open(source) as file:
        head = file.read(_HEAD).decode("utf-8", "ignore").removeprefix("\ufeff")
    first = head.splitlines()[0]
    separator = max(",;\t", key=first.count)
    names = next(csv.reader(io.StringIO(head), delimiter=separator))
    names = [name.strip() for name in names]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise BadData(f"two columns are called {twice[0]!r}", f"{where}, line 1", "give each its own name")
    return names, separator


def _place(header: list[str]) -> _Place:
    lower = {name.lower(): name for name in header}
    for name in _WKT:
        if name in lower:
            return _Place((lower[name],))
    for pairs, degrees in ((_DEGREES, True), (_METRES, False)):
        for x, y in pairs:
            if x in lower and y in lower:
                return _Place((lower[x], lower[y]), degrees)
    return _Place()


def _blocks(source: Path | bytes, header: list[str], separator: str, where: str) -> Iterator[pa.RecordBatch]:
    """All cells as texts; an empty cell without quotes is null."""
    file: Any = str(source) if isinstance(source, Path) else pa.BufferReader(source)
    try:
        with pa.csv.open_csv(
            file,
            pa.csv.ReadOptions(use_threads=False, block_size=_BLOCK, column_names=header, skip_rows=1),
            pa.csv.ParseOptions(delimiter=separator, newlines_in_values=True),
            pa.csv.ConvertOptions(
                column_types={name: pa.string() for name in header}, strings_can_be_null=True,
                quoted_strings_can_be_null=False, null_values=[""],
            ),
        ) as reader:  # fmt: skip
            yield from (batch for batch in reader if batch.num_rows)
    except pa.ArrowException as error:
        if "Empty CSV" in str(error):
            return
        if uneven := re.search(r"Row #(\d+): Expected (\d+) columns, got (\d+)", str(error)):
            line, wanted, got = uneven.groups()
            raise BadData(
                f"has {got} cells where the header has {wanted}", f"{where}, line {line}", "mend that line"
            ) from error
        raise BadData(
            f"cannot be read as CSV ({str(error).splitlines()[0][:160]})", where, "check the quotes in it"
        ) from error


def _look(source: Path | bytes, header: list[str], separator: str, own: list[str], where: str) -> Values:
    values = Values()
    for name in own:
        values.kinds[name] = ""
    for batch in _blocks(source, header, separator, where):
        for name in own:
            if values.kinds[name] != "string":
                kind = _kind(batch.column(name))
                if kind:
                    values.add(name, kind)
    return values


def _kind(texts: pa.Array) -> str:
    """The type that all of these texts can be of; empty where there is none."""
    known = texts.drop_null()
    if not len(known):
        return ""

    def all_are(pattern: str) -> bool:
        return bool(pc.all(pc.match_substring_regex(known, pattern)).as_py())

    if all_are("^(true|false|True|False|TRUE|FALSE)$"):
        return "boolean"
    if all_are(_WHOLE):  # 0123 is a code, not a number
        return "string" if pc.any(pc.match_substring_regex(known, r"^[+-]?0\d")).as_py() else "integer"
    if all_are(_NUMBER):
        return "string" if pc.any(pc.match_substring_regex(known, r"^[+-]?0\d")).as_py() else "number"
    if all_are(TIME):
        try:
            times(known)
        except pa.ArrowException:
            return "string"
        return "datetime"
    return "string"


def _typed(texts: pa.Array, kind: str) -> pa.Array:
    if kind == "boolean":
        return pc.equal(pc.utf8_lower(texts), "true")
    if kind == "datetime":
        return times(texts)
    return texts if kind == "string" else pc.cast(pc.replace_substring_regex(texts, r"^\+", ""), ARROW[kind])


def _shapes(batch: pa.RecordBatch, place: _Place, first: int, where: str) -> Wkb:
    texts = [batch.column(name) for name in place.columns]
    if len(texts) == 1:
        raw = texts[0].to_numpy(zero_copy_only=False)
        try:
            made = shapely.from_wkt(
                np.where(pc.equal(texts[0], "").fill_null(False).to_numpy(zero_copy_only=False), None, raw)
            )
        except (shapely.errors.GEOSException, TypeError, ValueError) as error:
            quiet = shapely.from_wkt(raw, on_invalid="ignore")
            k = int(np.argmax(shapely.is_missing(quiet) & texts[0].is_valid().to_numpy(zero_copy_only=False)))
            raise BadData(f"{str(raw[k])[:60]!r} is no WKT", f"{where}, row {first + k + 1}, column {place.columns[0]}",
                          "write such as POINT (127.1 37.5)") from error  # fmt: skip
        return Wkb.of(
            pa.array(
                shapely.to_wkb(made, byte_order=1, output_dimension=3), pa.large_binary(), from_pandas=True
            )
        )
    numbers = []
    for name, text in zip(place.columns, texts, strict=True):
        trimmed = pc.utf8_trim_whitespace(text)
        bad = pc.fill_null(
            pc.and_(pc.invert(pc.match_substring_regex(trimmed, _NUMBER)), pc.not_equal(trimmed, "")), False
        )
        if pc.any(bad).as_py():
            k = int(np.argmax(bad.to_numpy(zero_copy_only=False)))
            raise BadData(
                f"{text[k].as_py()[:60]!r} is no number",
                f"{where}, row {first + k + 1}, column {name}",
                "mend that cell",
            )
        blank = pc.fill_null(pc.equal(trimmed, ""), True)
        numbers.append(
            pc.cast(pc.if_else(blank, None, pc.replace_substring_regex(trimmed, r"^\+", "")), pa.float64())
        )
    half = pc.xor(numbers[0].is_valid(), numbers[1].is_valid())
    if pc.any(half).as_py():
        k = int(np.argmax(half.to_numpy(zero_copy_only=False)))
        raise BadData(
            "has one of two coordinates",
            f"{where}, row {first + k + 1}",
            f"give {place.columns[0]} and {place.columns[1]}",
        )
    x, y = (one.to_numpy(zero_copy_only=False) for one in numbers)
    points = shapely.points(x, y)
    points[~numbers[0].is_valid().to_numpy(zero_copy_only=False)] = None
    return Wkb.of(pa.array(shapely.to_wkb(points, byte_order=1), pa.large_binary(), from_pandas=True))
