"""What all readers share: ids, places and columns of the rows that come in, batch by batch; and reading through GDAL."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from twintown.ground.columns import Column
from twintown.ground.crs import CRS84, Crs, crs_of, of_frame, transform
from twintown.ground.errors import BadData, BadSettings
from twintown.ground.names import Name

from .flatgeobuf import envelope
from .format import Finding, Into, Read
from .rows import ARROW, Wkb, columns_of, plain

BATCH = 8192
#: Names that a column cannot have.
RESERVED = ("id", "geometry", "lonlat", "bbox")
#: Rows that are told of one by one before they are only counted.
_TOLD = 20


def name_of(source: Path | bytes, kind: str) -> str:
    """What a message calls the source."""
    return source.name if isinstance(source, Path) else kind


def begin(source: Path | bytes, kind: str) -> bytes:
    """The first bytes of a source.

    Raises:
        BadData: it is not there, cannot be read, or is empty.
    """
    if isinstance(source, Path):
        try:
            with source.open("rb") as file:
                first = file.read(4096)
        except OSError as error:
            raise BadData(
                f"cannot be read ({error.strerror})", str(source), "check the path and its permissions"
            ) from error
    else:
        first = source[:4096]
    if not first.strip():
        raise BadData("is empty", name_of(source, kind), "check what was written or sent")
    return first


def crs_from(text: str, where: str) -> Crs:
    """A CRS by authority and code, URI or URN (`EPSG:5186`, `http://www.opengis.net/def/crs/EPSG/0/5186`, WKT, PROJJSON).

    Raises:
        BadData: nobody knows it, or it is no CRS of places on a plane or of longitude and latitude.
    """
    import pyproj
    from pyproj.exceptions import CRSError

    try:
        found = pyproj.CRS.from_user_input(text)
    except CRSError as error:
        raise BadData(
            f"its CRS {text[:80]!r} is not known", where, "say the CRS, such as EPSG:5186"
        ) from error
    parts = found.sub_crs_list
    flat = parts[0] if parts else found  # of a compound CRS the horizontal one
    flat = flat.to_2d() if len(flat.axis_info) == 3 else flat
    known = flat.to_authority(min_confidence=70)
    if known is None:
        flat = flat.source_crs if flat.is_bound and flat.source_crs is not None else flat
        known = flat.to_authority(min_confidence=25)
    if known is None or not (flat.is_projected or flat.is_geographic):
        raise BadData(
            f"its CRS {found.name!r} has no code of an authority", where, "say the CRS, such as EPSG:5186"
        )
    code = f"{known[0]}:{known[1]}"
    return CRS84 if code == "OGC:CRS84" else _known(code, where)


def _known(code: str, where: str) -> Crs:
    try:
        return crs_of(code)
    except BadSettings as error:
        raise BadData(error.what, where, error.remedy) from error


@dataclass
class Rows:
    """Makes of what a format gives the rows that a twin takes: one of it a source, so that ids are unique through all batches.

    Args:
        into: where they go.
        crs: of the coordinates that come, x east.
        where: name of the source for messages.
        findings: grows.
    """

    into: Into
    crs: Crs
    where: str
    findings: list[Finding]
    rows: int = 0
    inside: int = 0
    outside: int = 0
    _seen: list[NDArray[np.uint64]] = field(default_factory=list)
    _counts: dict[str, int] = field(default_factory=dict)

    def note(self, code: str, where: str, what: str) -> None:
        """A finding, as long as it is one of the first of its code; then they are counted."""
        self._counts[code] = self._counts.get(code, 0) + 1
        if self._counts[code] <= _TOLD:
            self.findings.append(Finding(code, where, what))

    def batch(
        self, ids: pa.Array | None, columns: dict[str, pa.Array], wkb: Wkb | None, named: Callable[[int], str]
    ) -> pa.RecordBatch:
        """Rows as `Read.batches` has them.

        Args:
            ids: texts, null where there is none; none where nothing makes ids.
            columns: of the types of `rows.ARROW`.
            wkb: geometries as they come; none for a table.
            named: what a message calls the k-th row from the beginning of the source.

        Raises:
            BadData: a geometry that cannot be read or lies nowhere.
        """
        n = (
            len(ids)
            if ids is not None
            else len(next(iter(columns.values())))
            if columns
            else len(wkb.valid)
            if wkb
            else 0
        )
        first = self.rows
        self.rows += n
        geometry = pa.nulls(n, pa.binary()) if wkb is None else self._placed(wkb, first, named)
        made = self._ids(ids, n, first, named)
        return pa.RecordBatch.from_arrays([made, *columns.values(), geometry], ["id", *columns, "geometry"])

    def end(self) -> None:
        """After the last batch.

        Raises:
            BadData: no row lies where the twin is.
        """
        for code, count in self._counts.items():
            if count > _TOLD:
                self.findings.append(Finding(code, self.where, f"and {count - _TOLD:,} more like it"))
        if self.outside and not self.inside:
            raise self._misplaced()
        if self.outside:
            what = f"{self.outside:,} of {self.inside + self.outside:,} geometries lie outside of the twin's bounds"
            self.findings.append(Finding("outside", self.where, what))

    def _misplaced(self, hint: str = "") -> BadData:
        remedy = hint or "check which CRS the coordinates are in, and say it"
        return BadData(f"none of its {self.outside:,} geometries lies where the twin is", self.where, remedy)

    def _ids(self, ids: pa.Array | None, n: int, first: int, named: Callable[[int], str]) -> pa.Array:
        numbers = pa.array(np.arange(first + 1, first + n + 1).astype(str), pa.string())
        if ids is None:
            return numbers
        ids = pc.cast(ids, pa.string())
        missing = pc.or_kleene(ids.is_null(), pc.equal(ids, ""))
        missing = pc.fill_null(missing, True)
        if pc.any(missing).as_py():
            k = first + int(np.argmax(missing.to_numpy(zero_copy_only=False)))
            if self.into.id:
                raise BadData(
                    f"{self.into.id!r} is empty", f"{self.where}, {named(k)}", "name another column as id"
                )
            self.note("id-missing", f"{self.where}, {named(k)}", "rows without an id get their number")
            ids = pc.if_else(missing, numbers, ids)
        again = self._again(ids)
        for attempt in range(2, 100):
            if not again.any():
                return ids
            k = first + int(np.argmax(again))
            text = ids[int(np.argmax(again))].as_py()
            if self.into.id:
                raise BadData(
                    f"{self.into.id!r} is {text!r} twice",
                    f"{self.where}, {named(k)}",
                    "name another column as id",
                )
            self.note(
                "id-repeated",
                f"{self.where}, {named(k)}",
                f"the id {text!r} stands twice; the later ones get a number more",
            )
            changed = pc.binary_join_element_wise(ids, numbers, "." if attempt == 2 else "." * (attempt - 1))
            ids = pc.if_else(pa.array(again), changed, ids)
            self._seen.pop()
            again = self._again(ids)
        raise BadData("its ids cannot be made unique", self.where, "name another column as id")

    def _again(self, ids: pa.Array) -> NDArray[np.bool_]:
        """bool[n]: true where an id was there before; remembers them as 64 bits each."""
        from pandas.util import hash_array

        marks = hash_array(np.asarray(ids.to_numpy(zero_copy_only=False), object), categorize=False).astype(
            np.uint64
        )
        _, index = np.unique(marks, return_index=True)
        again = np.ones(len(marks), bool)
        again[index] = False
        for known in self._seen:
            at = np.minimum(np.searchsorted(known, marks), max(len(known) - 1, 0))
            again |= (known[at] == marks) if len(known) else False
        if len(self._seen) > 32:
            self._seen = [np.unique(np.concatenate(self._seen))]
        self._seen.append(np.unique(marks))
        return again

    def _placed(self, wkb: Wkb, first: int, named: Callable[[int], str]) -> pa.Array:
        """The geometries in the frame, two-dimensional."""
        from twintown.kernels.wkb import any_z, put_xy, take_xy

        try:
            if any_z(wkb.offsets, wkb.data, wkb.valid):
                self.note("heights-left-out", self.where, "heights of vertices are not kept")
                flat = shapely.to_wkb(
                    shapely.from_wkb(wkb.array().to_numpy(zero_copy_only=False)),
                    output_dimension=2,
                    byte_order=1,
                )
                wkb = Wkb.of(pa.array(flat, pa.large_binary(), from_pandas=True))
            xy = take_xy(wkb.offsets, wkb.data, wkb.valid)
        except (ValueError, shapely.errors.GEOSException) as error:
            raise BadData(
                f"{error}", f"{self.where}, near {named(first)}", "convert curves to lines first"
            ) from error
        xy = self._checked(xy, wkb, first, named)
        target = of_frame(self.into.frame)
        there = transform(xy, self.crs, target)
        lost = ~np.isfinite(there).all(axis=1) & np.isfinite(xy).all(axis=1)
        if lost.any():
            self._fail(wkb, xy, lost, first, named, f"lies outside of where {target.code} holds")
        self._count(wkb, xy, there)
        moved = put_xy(wkb.offsets, wkb.data, wkb.valid, there)
        return pc.cast(Wkb(wkb.offsets, moved, wkb.valid).array(), pa.binary())

    def _checked(
        self, xy: NDArray[np.float64], wkb: Wkb, first: int, named: Callable[[int], str]
    ) -> NDArray[np.float64]:
        empty = np.isnan(xy).all(axis=1)  # a point that is empty
        broken = ~np.isfinite(xy).all(axis=1) & ~empty
        if broken.any():
            self._fail(wkb, xy, broken, first, named, "is no pair of finite numbers")
        if self.crs.geographic:
            beyond = (np.abs(xy[:, 0]) > 360.0) | (np.abs(xy[:, 1]) > 90.0)
            if beyond.any():
                k = int(np.argmax(beyond))
                swapped = abs(xy[k, 0]) <= 90.0 and abs(xy[k, 1]) <= 180.0
                hint = "longitude comes first" if swapped else "say the CRS, such as EPSG:5186"
                self._fail(wkb, xy, beyond, first, named, "is no longitude and latitude in degrees", hint)
        elif (np.abs(xy) > 1e9).any():
            self._fail(wkb, xy, (np.abs(xy) > 1e9).any(axis=1), first, named, "lies nowhere on Earth")
        return xy

    def _fail(
        self, wkb: Wkb, xy: NDArray[np.float64], which: Any, first: int, named: Callable[[int], str], what: str,
        hint: str = "check the CRS and the order of its axes",
    ) -> None:  # fmt: skip
        k = int(np.argmax(which))
        row = int(np.searchsorted(np.cumsum(_vertices(wkb)), k, side="right"))
        x, y = xy[k]
        raise BadData(f"the position {x:.10g}, {y:.10g} {what}", f"{self.where}, {named(first + row)}", hint)

    def _count(self, wkb: Wkb, xy: NDArray[np.float64], there: NDArray[np.float64]) -> None:
        """How many rows touch the bounds with a vertex or with their box."""
        if self.into.bounds_lonlat is None or not wkb.valid.any():
            return
        box = envelope(self.into.bounds_lonlat, of_frame(self.into.frame))
        counts = _vertices(wkb)
        row = np.repeat(np.arange(len(counts)), counts)
        hit = _touching(there, row, len(counts), box)
        drawn = counts > 0
        self.inside += int((hit & drawn).sum())
        self.outside += int((~hit & drawn).sum())
        if self.inside or not drawn.any():
            return
        turned = transform(np.ascontiguousarray(xy[:, ::-1]), self.crs, of_frame(self.into.frame))
        if _touching(turned, row, len(counts), box).any():
            raise self._misplaced("x and y, or longitude and latitude, have changed places: turn them round")


def _vertices(wkb: Wkb) -> NDArray[np.int64]:
    """int64[n]: vertices of every row."""
    from twintown.kernels.wkb import counts

    return np.asarray(counts(wkb.offsets, wkb.data, wkb.valid), np.int64)


def _touching(
    xy: NDArray[np.float64], row: NDArray[np.int64], n: int, box: tuple[float, float, float, float]
) -> NDArray[np.bool_]:
    """bool[n]: rows whose own box meets the box."""
    low, high = np.full((n, 2), np.inf), np.full((n, 2), -np.inf)
    np.minimum.at(low, row, xy)
    np.maximum.at(high, row, xy)
    return (low[:, 0] <= box[2]) & (high[:, 0] >= box[0]) & (low[:, 1] <= box[3]) & (high[:, 1] >= box[1])


def renamed(names: Sequence[str], findings: list[Finding], where: str) -> dict[str, str]:
    """The names that columns get, by the names that they have: reserved ones get a line behind them."""
    out: dict[str, str] = {}
    for name in names:
        new = name
        while new in RESERVED or new in out.values() or not new:
            new = f"{new or 'column'}_"
        if new != name:
            findings.append(Finding("column-renamed", where, f"the column {name!r} is called {new!r} here"))
        out[name] = new
    return out


def columns_named(schema: pa.Schema, names: dict[str, str]) -> tuple[Column, ...]:
    """Columns of a schema under their new names, called by the old ones."""
    kinds = {one.name: one.type for one in columns_of(schema)}
    return tuple(Column(new, kinds[old], "", Name(old, old)) for old, new in names.items())


def through_gdal(source: Path | bytes, into: Into, kind: str, magic: bytes) -> Read:
    """Rows through GDAL's Arrow stream.

    Raises:
        BadData: empty, of another kind, truncated, without a CRS, misplaced.
    """
    import pyogrio

    # GDAL 3.12's own Arrow stream of FlatGeobuf overwrites rows where a geometry is null; the stream that all drivers share does not
    pyogrio.set_gdal_config_options({"OGR_FLATGEOBUF_STREAM_BASE_IMPL": "YES"})
    where = name_of(source, kind)
    if not begin(source, kind).startswith(magic):
        raise BadData(f"is no {kind}: its first bytes are others", where, "check the file and its suffix")
    with _gdal_errors(where):
        meta = pyogrio.read_info(source)
    findings: list[Finding] = []
    stated = into.crs or meta["crs"]
    if not stated and meta["geometry_type"] is not None:
        raise BadData("does not say which CRS it is in", where, "say it, such as EPSG:5186")
    rows = Rows(into, crs_from(stated, where) if stated else CRS84, where, findings)
    with _gdal_errors(where), pyogrio.raw.open_arrow(source, use_pyarrow=True, batch_size=1) as (_, reader):
        schema = reader.schema
    names, id_column, geometry = _own(schema, into, findings, where)
    columns = columns_named(schema, names)
    expected = int(meta["features"])

    def batches() -> Iterator[pa.RecordBatch]:
        with (
            _gdal_errors(where),
            pyogrio.raw.open_arrow(source, use_pyarrow=True, batch_size=BATCH) as (_, stream),
        ):
            for batch in stream:
                if not batch.num_rows:
                    continue
                try:
                    batch.validate(full=True)
                except pa.ArrowInvalid as error:
                    raise BadData(
                        f"holds a text that is not UTF-8 ({error})", where, "write the file again as UTF-8"
                    ) from error
                values = {
                    c.name: plain(batch.column(old), c.type) for c, old in zip(columns, names, strict=True)
                }
                values = {c.name: pc.cast(values[c.name], ARROW[c.type]) for c in columns}
                ids = batch.column(id_column) if id_column else None
                wkb = Wkb.of(batch.column(geometry)) if geometry else None
                yield rows.batch(
                    None if ids is None else pc.cast(ids, pa.string()),
                    values,
                    wkb,
                    lambda k: f"feature {k + 1}",
                )
        if 0 < expected != rows.rows:
            raise BadData(
                f"holds {rows.rows:,} of {expected:,} features", where, "fetch it again: it breaks off"
            )
        rows.end()

    return Read(batches(), columns, into.frame, findings)


def _own(
    schema: pa.Schema, into: Into, findings: list[Finding], where: str
) -> tuple[dict[str, str], str, str]:
    """Columns with their new names, the one that makes the ids, and the one with the geometry."""
    geometry = ""
    for one in schema:
        known = (one.metadata or {}).get(b"ARROW:extension:name", b"")
        if known in (b"geoarrow.wkb", b"ogc.wkb") or one.name == "wkb_geometry":
            geometry = one.name
    names = [one.name for one in schema if one.name != geometry and one.name != "OGC_FID"]
    if into.id and into.id not in names:
        raise BadData(f"has no column {into.id!r} to make ids", where, f"it has {', '.join(names[:12])}")
    id_column = into.id or ("id" if "id" in names else "")
    return (
        renamed([one for one in names if one != id_column or one != "id"], findings, where),
        id_column,
        geometry,
    )


@contextmanager
def _gdal_errors(where: str) -> Iterator[None]:
    from pyogrio.errors import DataLayerError, DataSourceError, FeatureError

    try:
        yield
    except (
        DataSourceError,
        DataLayerError,
        FeatureError,
        OSError,
        IndexError,
        pa.ArrowException,
        RuntimeError,
    ) as error:
        said = str(error).splitlines()[0][:160] if str(error) else type(error).__name__
        raise BadData(f"is damaged or breaks off ({said})", where, "fetch it again") from error
