"""Layers that a twin owns by itself: read from a file, or made empty to be drawn into. A build leaves them alone.

There is no layer without provenance: who adds one says whose it is and under which licence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from twintown.formats.format import Finding, Format, Into, Read
from twintown.ground.bounds import Bounds
from twintown.ground.columns import TYPES, Column
from twintown.ground.errors import BadData, BadSettings, Conflict, NotFound, NotPossible
from twintown.ground.features import Features
from twintown.ground.names import Name, check_id
from twintown.ground.provenance import Licence, Provenance, Source, Step, digest_file
from twintown.ground.units import check_unit
from twintown.store.lock import locked
from twintown.store.tables import ADDED
from twintown.trust.grades import Grade
from twintown.trust.policy import Grant
from twintown.twin.description import Column as Said
from twintown.twin.description import LayerEntry
from twintown.twin.edits import features_of
from twintown.twin.layers import LayerVersion, Twin

#: Ids that mean something else at the same address.
RESERVED = ("catalogue",)
GEOMETRIES = ("Point", "LineString", "Polygon", "GeometryCollection")
_ARROW = {
    "string": pa.string(), "integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_(),
    "datetime": pa.timestamp("ms", "UTC"),
}  # fmt: skip


@dataclass(frozen=True)
class About:
    """What is said of a layer that is added.

    Args:
        layer: its id.
        title: what people call it.
        source: whose it is, under which licence.
        grade: how secret it is.
        editable: whether single features can be written later.
        locking: whether a writer must say which state of a feature it means (`If-Match`).
        replace: take the place of a layer of this id that was added before.
        columns: what columns are called, and their units.
        assumed: what is not known of it but supposed; one line each, shown wherever it is.
    """

    layer: str
    title: Name
    source: Source
    grade: Grade
    editable: bool = False
    locking: bool = True
    replace: bool = False
    columns: Mapping[str, Said] = field(default_factory=dict)
    assumed: tuple[Name, ...] = ()


@dataclass(frozen=True)
class Added:
    """What was added: its version, whether the layer is new, and what was odd in the file."""

    version: LayerVersion
    created: bool
    findings: tuple[Finding, ...] = ()
    beside: tuple[str, ...] = ()


#: Licences that cities give their data under, by SPDX identifier (KOGL: Korea Open Government Licence).
LICENCES = {
    one.id: one
    for one in (
        Licence("CC0-1.0", "Creative Commons Zero 1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
        Licence("CC-BY-4.0", "Creative Commons Attribution 4.0", "https://creativecommons.org/licenses/by/4.0/"),
        Licence("CC-BY-SA-4.0", "Creative Commons Attribution-ShareAlike 4.0",
                "https://creativecommons.org/licenses/by-sa/4.0/", "", True),
        Licence("ODbL-1.0", "Open Database License 1.0", "https://opendatacommons.org/licenses/odbl/1-0/", "", True),
        Licence("PDDL-1.0", "Public Domain Dedication and License 1.0", "https://opendatacommons.org/licenses/pddl/1-0/"),
        Licence("KOGL-1", "공공누리 제1유형 (Korea Open Government License, type 1)", "https://www.kogl.or.kr/info/license.do"),
    )
}  # fmt: skip


def licence_of(twin: Twin, name: str, title: str = "", url: str = "", attribution: str = "") -> Licence:
    """A licence by its identifier, as the twin describes it or as it is known; what is said beside counts more.

    Raises:
        BadSettings: no licence is said.
    """
    if not name.strip():
        raise BadSettings("the licence is not said", "licence", "give its SPDX identifier, such as CC-BY-4.0")
    described = {entry.origin.licence.id: entry.origin.licence for entry in twin.description.sources}
    known = described.get(name) or LICENCES.get(name) or Licence(name, name)
    return Licence(
        name, title or known.title, url or known.url, attribution or known.attribution, known.share_alike
    )


def add_file(
    twin: Twin, about: About, kind: Format, path: Path, grant: Grant, *, crs: str = "", id_column: str = ""
) -> Added:
    """Read a file as a layer and switch to it; other layers stay as they are.

    Args:
        kind: the format of the file.
        crs: of its coordinates, where the file does not say.
        id_column: the column that makes the ids.

    Raises:
        BadInput: the file, or what is said of it, cannot be used.
        Conflict: the layer is there already.
        Busy: a build is at work.
        StorageFailed: it could not be kept; nothing has changed.
    """
    before = check(twin, about, grant)
    frame, ground = twin.description.frame, twin.description.ground.height_m
    box = frame.lonlat_bounds(_around(twin.description.bounds)).as_tuple()
    read = kind.read(path, Into(frame, crs, id_column, ground, box))
    step = Step("added", "twintown", {"format": kind.id, "file": digest_file(path)})
    provenance = Provenance((about.source,), (step,))
    shape = _features(read, about, provenance)
    if about.editable and read.beside:
        raise BadData(
            "a layer with parts beside it cannot be edited", about.layer, "add it without --editable"
        )
    beside = {_beside(about.layer, name): one for name, one in read.beside.items()}
    parts = {name: _features(one, about, provenance) for name, one in beside.items()}
    version = _keep(twin, about, grant, shape, parts, {})
    return Added(version, before is None, tuple(read.findings), tuple(parts))


def add_empty(twin: Twin, about: About, geometry: str, columns: Sequence[Column], grant: Grant) -> Added:
    """Make an editable layer without features.

    Args:
        geometry: the type of its geometries, one of `GEOMETRIES`; empty for a plain table.

    Raises:
        BadSettings: a column or the geometry cannot be.
        Conflict, Busy, StorageFailed: as `add_file`.
    """
    before = check(twin, about, grant)
    if geometry and geometry not in GEOMETRIES:
        raise BadSettings(
            f"{geometry!r} is no type of geometry", about.layer, f"use one of {', '.join(GEOMETRIES)}"
        )
    names = [column.name for column in columns]
    for column in columns:
        if column.type not in TYPES:
            raise BadSettings(
                f"{column.type!r} is no type of a column", column.name, f"use one of {', '.join(TYPES)}"
            )
        if not column.name or column.name in ("id", "geometry", "bbox") or names.count(column.name) > 1:
            raise BadSettings(
                f"a column cannot be called {column.name!r}", about.layer, "give each a name of its own"
            )
        if column.unit:
            check_unit(column.unit, column.name)
    said = {column.name: Said(column.title, column.unit) for column in columns}
    named = About(**{**about.__dict__, "editable": True, "columns": {**said, **about.columns}})
    schema = pa.schema(
        [("id", pa.string()), *((c.name, _ARROW[c.type]) for c in columns), ("geometry", pa.binary())]
    )
    step = Step(
        "added", "twintown", {"format": "none", "at": datetime.now(UTC).isoformat(timespec="seconds")}
    )
    provenance = Provenance((about.source,), (step,))
    units = {column.name: column.unit for column in columns if column.unit}
    shape = features_of(iter(()), schema, twin.description.frame, provenance, units)
    listed = (Column("id", "string", "", Name("id", "id")), *columns)
    words = [{"name": c.name, "type": c.type, "unit": c.unit, "title": c.title.to_dict()} for c in listed]
    meta = {"geometry": geometry, "columns": words}
    return Added(
        _keep(twin, named, grant, shape, {}, meta, "features" if geometry else "table"), before is None
    )


def remove(twin: Twin, layer: str, grant: Grant) -> None:
    """Take away a layer that was added; its files stay for an hour, for who reads them now.

    Raises:
        NotFound: there is none.
        NotPossible: it was not added, but is built.
        Busy: a build is at work.
    """
    grant.require(Grade.O, layer)
    writer = twin.writing()
    version = writer.version(layer, grant)
    if version.meta.get("origin") != ADDED:
        raise NotPossible(
            f"{layer} is built from its sources", layer, "take its source out of twintown.toml and build again",
            ("GET", "HEAD", "OPTIONS"),
        )  # fmt: skip
    with locked(twin.directory):
        writer.tables.retire(layer)


def check(twin: Twin, about: About, grant: Grant) -> LayerVersion | None:
    """The version that this would replace. Raises BadSettings, Conflict."""
    check_id(about.layer, "layer")
    grant.require(Grade.O, about.layer)
    if about.layer in RESERVED:
        raise BadSettings(f"the id {about.layer!r} is taken by the system", "layer", "choose another one")
    if not about.source.licence.id or not about.source.title:
        raise BadSettings("whose data it is and its licence are not said", about.layer, "say both")
    try:
        before = twin.version(about.layer, grant)
    except NotFound:
        return None
    if before.meta.get("origin") != ADDED:
        raise Conflict(
            f"the layer {about.layer} is built from its sources", about.layer, "choose another id for yours"
        )
    if not about.replace:
        raise Conflict(
            f"the layer {about.layer} is there already", about.layer, "say that it shall be replaced"
        )
    return before


def _features(read: Read, about: About, provenance: Provenance) -> Features:
    schema = pa.schema(
        [("id", pa.string()), *((c.name, _ARROW[c.type]) for c in read.columns), ("geometry", pa.binary())]
    )
    said = {column.name: column.unit for column in read.columns if column.unit}
    said |= {name: one.unit for name, one in about.columns.items() if one.unit and name in schema.names}
    return features_of(read.batches, schema, read.frame, provenance, said)


def _keep(
    twin: Twin, about: About, grant: Grant, shape: Features, beside: Mapping[str, Features],
    meta: Mapping[str, Any], kind: str = "",
) -> LayerVersion:  # fmt: skip
    said = {"origin": ADDED, "editable": about.editable, "locking": about.locking, **meta}
    entry = LayerEntry(about.layer, about.title, None, about.assumed, about.columns)
    with locked(twin.directory):
        writer = twin.writing()
        staged = {}
        for name, one in beside.items():
            part = {"origin": ADDED, "editable": False}
            staged[name] = writer.stage(
                name, one, about.grade, part, entry=LayerEntry(name, about.title)
            ).version
        version = writer.stage(about.layer, shape, about.grade, said, entry=entry, kind=kind)
        check(twin, about, grant)  # somebody may have been quicker
        writer.index(version)
        writer.tables.switch({**staged, about.layer: version.version})
    return version


def _beside(layer: str, name: str) -> str:
    return name if layer == "buildings" else f"{layer}-{name.rpartition('-')[2]}"


def _around(bounds: Bounds) -> Bounds:
    return bounds.buffer(max(bounds.width, bounds.height))
