"""The layers of a twin: named, versioned, graded shapes, read only through a Grant.

Whoever writes (`build`) stages versions first, each whole on disk and unseen, then switches all of them in one transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

from twintown.ground.bounds import Bounds
from twintown.ground.errors import Denied, Gone, NotFound
from twintown.ground.features import Features
from twintown.ground.grid import Grid
from twintown.ground.names import Name
from twintown.ground.provenance import digest, digest_file
from twintown.ground.series import Series
from twintown.index.view import View
from twintown.store.blobs import Blobs, open_blobs
from twintown.store.tables import RESULT, LayerRow, Tables, new_version, open_tables, sqlite_url
from twintown.store.watch import Watch
from twintown.trust.grades import Grade, mix
from twintown.trust.policy import Grant

from . import narrowing, placing
from .current import Current
from .description import Description, LayerEntry
from .edited import Edited
from .regrading import check_regrading
from .versions import FILES, layer_version, product_version
from .versions import LayerVersion as LayerVersion
from .versions import ProductVersion as ProductVersion
from .views import KINDS, Edits, Views

Shape = Features | Grid | Series
#: Grids from this size on go to the disk block by block, bytes.
LARGE = 256 * 2**20


class Twin:
    """A twin on disk (or in a bucket), opened for reading or for building."""

    def __init__(self, directory: Path, description: Description, tables: Tables, blobs: Blobs) -> None:
        self.directory = directory
        self.description = description
        self.tables = tables
        self.blobs = blobs
        #: What was written to layers since their versions were made; none where nothing can be written.
        self.edits: Edits | None = None
        self.watch = Watch(tables.engine)
        self._views = Views(self)
        self._current = Current(self)
        self._addresses = ("", "")
        self._writing: Twin | None = None

    @classmethod
    def open(
        cls, directory: Path | str, *, database: str = "", blobs: str = "", read_only: bool = True
    ) -> Twin:
        """Open the twin in `directory`; rows and bytes are there too unless a URL says otherwise.

        Raises:
            BadSettings: no description, or a bad one.
            Denied: opened for writing, and what it speaks of may not lie in these stores (`[cloud]`).
            NotFound: opened for reading and never built.
            StorageFailed: the database or the bucket is away.
        """
        where = Path(directory)
        description = Description.load(where)
        state = where / "state.db"
        if read_only and not database and not state.exists():
            raise NotFound("this twin was never built", str(where), f"run `twintown build {where}`")
        if not read_only:
            placing.check_open(where, description, database, blobs)
        tables = open_tables(database or sqlite_url(state), description.id, read_only=read_only)
        opened = cls(where, description, tables, open_blobs(blobs or where, create=not read_only))
        opened._addresses = (database, blobs)
        opened.edits = Edited(tables, description.frame)
        opened._writing = None if read_only else opened
        return opened

    def writing(self) -> Twin:
        """The same twin, opened for writing; once a process.

        Raises:
            StorageFailed: the database or the bucket is away, or may not be written to.
        """
        if self._writing is None:
            database, blobs = self._addresses
            self._writing = Twin.open(self.directory, database=database, blobs=blobs, read_only=False)
        return self._writing

    @property
    def addresses(self) -> tuple[str, str]:
        """The URLs of the database and of the bytes; empty where they are in the directory."""
        return self._addresses

    # -- reading: always through a Grant -------------------------------------------------------------------

    def layers(self, grant: Grant) -> tuple[LayerVersion, ...]:
        """The current version of every layer that the Grant covers, by id."""
        versions = self._current.known().layers.values()
        seen = (version for version in versions if grant.covers(version.grade, version.layer))
        return tuple(self._counted(version) for version in seen)

    def version(self, layer: str, grant: Grant) -> LayerVersion:
        """The current version of one layer.

        Raises:
            NotFound: there is none.
            Unauthenticated, Denied: the Grant does not cover its grade.
        """
        _named(grant, layer)
        version = self._current.known().layers.get(layer)
        if version is None:
            version = layer_version(self.tables.layer(layer))  # says what is not there
        grant.require(version.grade, layer)
        return self._counted(version)

    def view(self, layer: str | LayerVersion, grant: Grant, token: str = "") -> View:
        """What the Grant lets out of the rows of a layer: of its current version, or of the one that a `token` names.

        Args:
            token: what a cursor remembers (`View.token`): the version, and the revision of its edits.

        Raises:
            NotFound: there is no such layer, or it has no rows.
            Gone: the version of the token is not kept any more.
            Unauthenticated, Denied: the Grant does not cover its grade.
            BadData, StorageFailed: its index is not there and cannot be made.
        """
        if token:
            _named(grant, layer if isinstance(layer, str) else layer.layer)
            version, revision = self._current.remembered(
                layer if isinstance(layer, str) else layer.layer, token
            )
        else:
            version = layer if isinstance(layer, LayerVersion) else self.version(layer, grant)
            revision = self._current.revision(version)
        return self._views.view(version, grant, revision)

    def _counted(self, version: LayerVersion) -> LayerVersion:
        """The version with the rows and the extent that it has by its edits."""
        revision = self._current.revision(version)
        return self._views.told(version, revision) if revision else version

    def index(self, version: LayerVersion) -> None:
        """Make the sidecar of a version that has rows, unless it is there. Raises BadData, StorageFailed."""
        if version.kind in KINDS:
            self._views.rows(version)

    def forget_index(self, path: str) -> None:
        """Remove the sidecar of the version that was kept at `path` (`layers/<layer>/<version>`)."""
        self._views.forget(path)

    def sweep_indexes(self, recorded: Collection[str]) -> None:
        """Remove the sidecars of versions at other paths than these, and what killed builds left of theirs."""
        self._views.sweep(recorded)

    def read(
        self,
        layer: str | LayerVersion,
        grant: Grant,
        columns: Sequence[str] | None = None,
        bbox: Bounds | None = None,
    ) -> Shape:
        """The shape itself, as far as the Grant lets it out.

        Args:
            columns: only these (features).
            bbox: only rows whose bbox meets it, metres of the twin's frame (features).

        Raises:
            NotFound, Unauthenticated, Denied: see `version`.
            BadData: the file was damaged.
        """
        version = layer if isinstance(layer, LayerVersion) else self.version(layer, grant)
        grant.require(version.grade, version.layer)
        data = self.local(version) or self.blobs.get(version.key)
        if version.kind == "grid":
            return narrowing.grid(Grid.from_cog(data), grant, version.layer)
        if version.kind not in ("features", "grid"):
            narrowing.placeless(version, grant)
        if version.kind == "series":
            series = Series.from_parquet(data)
            if grant.filter or grant.columns is not None:
                return narrowing.series(series, self.view(version, grant))
            return series
        if grant.area is not None and bbox is not None:
            _overlap(bbox, grant.area)
        if grant.filter or grant.area is not None or grant.finest_m or self._current.revision(version):
            return narrowing.features(self.view(version, grant), version.provenance, columns, bbox)
        if grant.columns is not None:
            columns = [c for c in (columns or grant.columns) if c in grant.columns]
        return Features.from_parquet(data, columns, bbox if version.kind == "features" else None)

    def local(self, version: LayerVersion) -> Path | None:
        """The file of a version where blobs are files here; none in a bucket."""
        return None if self.blobs.root is None else self.blobs.path(version.key)

    def products(self, grant: Grant) -> tuple[ProductVersion, ...]:
        """The current version of every product that the Grant covers, by id."""
        versions = self._current.known().products.values()
        return tuple(version for version in versions if grant.covers(version.grade, version.product))

    def product(self, product: str, grant: Grant, token: str = "") -> ProductVersion:
        """The current version of one product, or the one that an address named before; raises like `version`, and Gone."""
        _named(grant, product)
        version = self._current.known().products.get(product)
        if version is not None and token not in ("", version.version):
            try:
                version = product_version(self.tables.product(product, token))
            except NotFound as error:
                raise Gone(
                    "these tiles are not kept any more", f"{product} {token[:64]}", "ask without v"
                ) from error
        if version is None:
            version = product_version(self.tables.product(product))  # says what is not there
        grant.require(version.grade, product)
        return version

    def product_file(self, version: ProductVersion, path: str, grant: Grant) -> bytes:
        """One file of a product.

        Raises:
            NotFound: there is no such file in it.
            Unauthenticated, Denied: see `version`.
        """
        grant.require(version.grade, version.product)
        return self.blobs.get(f"{version.path}/{path}")

    # -- writing: staged first, switched together ----------------------------------------------------------

    def stage(
        self, layer: str, shape: Shape, grade: Grade, meta: Mapping[str, Any] | None = None, *,
        entry: LayerEntry | None = None, kind: str = "", decided: str = "",
    ) -> LayerVersion:  # fmt: skip
        """Write a new version of a layer; nobody sees it before `tables.switch` names it.

        The same bytes as the current version give the current version back, so that unchanged layers keep their name.

        Args:
            entry: how the layer is called; as it is described, by default.
            kind: said where the shape cannot say it (features of which none is there yet).
            decided: id of the release that is being decided, where this is what it lets go.

        Raises:
            StorageFailed: it could not be kept.
            Denied: its grade would be lowered, and nobody has decided that; or it may not lie in this twin's stores.
        """
        entry = entry or self.description.layer(layer)
        grade = mix([grade, entry.grade]) if entry.grade else grade
        placing.check_stage(self, layer, grade)
        if not decided:
            check_regrading(self.tables, layer, grade)
        if isinstance(shape, Grid) and shape.values.nbytes > LARGE:
            with self.blobs.beside() as folder:
                path = folder / FILES["grid"]
                shape.to_cog(path)
                return self._stage(layer, shape, grade, meta, entry, kind or "grid", path)
        seen, data = _encode(shape)
        return self._stage(layer, shape, grade, meta, entry, kind or seen, data)

    def _stage(
        self, layer: str, shape: Shape, grade: Grade, meta: Mapping[str, Any] | None, entry: LayerEntry, kind: str,
        data: bytes | Path,
    ) -> LayerVersion:  # fmt: skip
        size = data.stat().st_size if isinstance(data, Path) else len(data)
        said = {**_describe(shape, entry, self.description), "bytes": size, **(meta or {})}
        said = orjson.loads(orjson.dumps(said))  # as the database gives it back, so that the two compare
        mark = digest_file(data) if isinstance(data, Path) else digest(data)
        known = self.tables.layers().get(layer)
        if known is not None and known.digest == mark and known.meta == said and known.grade == grade.value:
            return layer_version(known)
        version = new_version()
        bounds = shape.bounds if not isinstance(shape, Series) else None
        box = self.description.frame.lonlat_bounds(bounds).as_tuple() if bounds is not None else None
        row = LayerRow(
            layer=layer, version=version, kind=kind, digest=mark, count=_count(shape), built_at=datetime.now(UTC),
            path=f"layers/{layer}/{version}", bbox=box, grade=grade.value,
            title_ko=entry.title.ko, title_en=entry.title.en, meta=said,
        )  # fmt: skip
        key = f"{row.path}/{FILES[kind]}"
        # A build sweeps what no row names; a worker that was killed leaves a row by which its file is found.
        first = said.get("role") == RESULT
        if first:
            self.tables.add_layer(row)
        if isinstance(data, Path):
            self.blobs.put_file(key, data)
        else:
            self.blobs.put(key, data)
        if not first:
            self.tables.add_layer(row)
        return layer_version(row)

    def frame_matches(self, shape: Shape) -> bool:
        """True where the shape lies in the twin's frame (series lie nowhere)."""
        return isinstance(shape, Series) or shape.frame == self.description.frame


def _encode(shape: Shape) -> tuple[str, bytes]:
    if isinstance(shape, Grid):
        return "grid", shape.to_cog_bytes()
    if isinstance(shape, Series):
        return "series", shape.to_parquet_bytes()
    return ("features" if shape.bounds is not None else "table"), shape.to_parquet_bytes()


def _count(shape: Shape) -> int:
    return shape.rows * shape.cols if isinstance(shape, Grid) else len(shape)


def _describe(shape: Shape, entry: LayerEntry, description: Description) -> dict[str, Any]:
    said: dict[str, Any] = {
        "provenance": shape.provenance.to_dict(),
        "assumed": [note.to_dict() for note in entry.assumed],
        "geometry": "", "columns": [], "attributes": {}, "unit": "",
    }  # fmt: skip
    if isinstance(shape, Grid):
        said |= {"unit": shape.unit, "attributes": dict(shape.attributes), "nodata": shape.nodata, "shape": list(shape.values.shape),
                 "cell_m": shape.cell_m, "origin": [shape.origin_x, shape.origin_y], "dtype": str(shape.values.dtype)}  # fmt: skip
        return said
    if isinstance(shape, Series):
        types = {field.name: _json_type(field.type) for field in shape.table.schema}
        said |= {"attributes": {**shape.attributes, "zone": shape.zone, "place": shape.place}}
    else:
        schema = pa.Schema.from_pandas(
            shape.table.drop(columns=shape.table.geometry.name), preserve_index=False
        )
        types = {field.name: _json_type(field.type) for field in schema}
        kinds = sorted({str(kind) for kind in shape.table.geometry.dropna().geom_type.unique()})
        said["geometry"] = kinds[0].removeprefix("Multi") if kinds else ""
    for name, kind in types.items():
        column = entry.columns.get(name)
        title = column.title if column else Name(name, name)
        unit = shape.units.get(name) or (column.unit if column else "")
        said["columns"].append({"name": name, "type": kind, "unit": unit, "title": title.to_dict()})
    return said


def _json_type(kind: pa.DataType) -> str:
    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_integer(kind):
        return "integer"
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "number"
    return "datetime" if pa.types.is_temporal(kind) else "string"


def _named(grant: Grant, layer: str) -> None:
    """What a Grant is not about is refused before anybody looks whether it is there. Raises Denied."""
    if not grant.names(layer):
        grant.require(what=layer)


def _overlap(asked: Bounds, granted: Bounds) -> None:
    if not asked.intersects(granted):
        raise Denied("what is asked for lies outside the granted area", code="outside-area")
