"""Writing single features of a layer: every write is a line of the journal on top of the layer's version, until they are folded in.

Only layers that were added may be written to, and only where that was said: a layer that is built from sources is made anew
by the next build, and the edits would be lost.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pyarrow as pa
import shapely
from sqlalchemy import Connection

from twintown.ground.errors import Busy, NotFound, NotPossible
from twintown.ground.features import Features
from twintown.ground.frames import Frame
from twintown.ground.provenance import Provenance, Step
from twintown.index.rows import GEOMETRY, Rows
from twintown.index.view import View
from twintown.store.journal import Edit, Journal, Moved, Writing
from twintown.store.lock import locked
from twintown.store.tables import ADDED
from twintown.trust.policy import Grant
from twintown.twin.description import LayerEntry
from twintown.twin.edited import table_of
from twintown.twin.layers import LayerVersion, Twin

if TYPE_CHECKING:
    import geopandas as gpd

#: More edits than this are folded into a new version by whoever wrote the last one.
FOLD = 5_000
#: What of a version's `meta` a folded version keeps.
KEPT = ("origin", "editable", "locking", "geometry", "columns", "assumed")
READABLE = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Draft:
    """What a feature shall be.

    Args:
        properties: values by column, as JSON has them; columns that are absent are null.
        geometry: WKB in the twin's frame, None where it has no place.
    """

    properties: Mapping[str, Any]
    geometry: bytes | None


@dataclass(frozen=True)
class Present:
    """What a feature is: the same, and as GeoJSON in CRS84 (`View.encoded`), from which its entity tag is made."""

    properties: Mapping[str, Any]
    geometry: bytes | None
    encoded: bytes


@dataclass(frozen=True)
class Change:
    """One feature to write: `make` gets what it is (None where it is not there) and gives what it shall be (None removes it).

    Whatever `make` raises ends the whole write without a trace.
    """

    feature: str
    make: Callable[[Present | None], Draft | None]


@dataclass(frozen=True)
class Written:
    """What a write came to.

    Args:
        token: names the layer with this write in it (`View.token`).
        features: the features that are there now, as GeoJSON, by id.
        created: ids that were not there before.
    """

    token: str
    features: Mapping[str, bytes]
    created: frozenset[str]


def editable(version: LayerVersion) -> bool:
    """Whether single features of the layer can be written."""
    return version.meta.get("origin") == ADDED and bool(version.meta.get("editable"))


def check_editable(version: LayerVersion) -> None:
    """Raises NotPossible: with the reason, and what to do instead."""
    if editable(version):
        return
    if version.meta.get("origin") == ADDED:
        what, remedy = "it was added to be read only", "add it again with --editable --replace"
    else:
        what = "it is built from its sources, and the next build would lose what is edited"
        remedy = "change the source and build again, or add an editable layer of your own (twintown add)"
    raise NotPossible(
        f"features of {version.layer} cannot be edited: {what}", version.layer, remedy, READABLE
    )


def write(
    twin: Twin,
    layer: str,
    grant: Grant,
    changes: Sequence[Change],
    also: Callable[[Connection], None] | None = None,
) -> Written:
    """Write features, all or none; once it returns they are on the disk.

    Args:
        also: what else belongs to it, written in the same transaction: both stand, or neither.

    Raises:
        NotFound: there is no such layer.
        NotPossible: it is not editable.
        Denied, Unauthenticated: the Grant does not allow to write.
        Busy: the layer was replaced again and again meanwhile.
        StorageFailed: the database could not keep it; nothing was written.
        Any of those that the changes raise.
    """
    if grant.action != "write":
        raise ValueError("a Grant to write is needed")  # a slip of ours
    writer = twin.writing()
    for attempt in range(5):
        version = writer.version(layer, grant)
        check_editable(version)
        base = writer.view(version, grant, version.version)
        try:
            with Journal(writer.tables.engine, writer.tables.twin).writing(layer, version.version) as work:
                done = _write(work, base, changes, grant.subject.kind)
                if also is not None:
                    also(work.connection)
                return done
        except Moved:
            time.sleep(0.1 * attempt)
    raise Busy(f"{layer} is replaced again and again", layer, "try again")


def _write(work: Writing, base: View, changes: Sequence[Change], author: str) -> Written:
    schema = base.take(np.empty(0, np.int64)).schema
    known = work.last([change.feature for change in changes])
    edits: dict[str, Edit] = {}
    created = set()
    for change in changes:
        last = edits.get(change.feature) or known.get(change.feature)
        present = _present(base, change.feature) if last is None else _state(last, schema, base.frame)
        draft = change.make(present)
        if draft is None:
            edits[change.feature] = Edit(change.feature, None, None)
            continue
        text = orjson.dumps({name: value for name, value in draft.properties.items() if value is not None})
        edits[change.feature] = Edit(change.feature, text.decode(), draft.geometry)
        if present is None:
            created.add(change.feature)
    there = [edit for edit in edits.values() if edit.properties is not None]
    rows = Rows.of_table(
        table_of(there, schema), base.frame
    )  # what no column takes is refused before it is kept
    encoded = rows.encoded(np.arange(rows.count))
    work.add(list(edits.values()), author)
    features = {edit.feature: bytes(text) for edit, text in zip(there, encoded, strict=True)}
    return Written(f"{work.base}.{work.revision}", features, frozenset(created))


def _present(base: View, feature: str) -> Present | None:
    try:
        at = np.array([base.position(feature)])
    except NotFound:
        return None
    encoded = bytes(base.encoded(at)[0])
    geometry = base.take(at, ()).column(GEOMETRY)[0].as_py()
    return Present(orjson.loads(encoded)["properties"], geometry, encoded)


def _state(edit: Edit, schema: pa.Schema, frame: Frame) -> Present | None:
    if edit.properties is None:
        return None
    rows = Rows.of_table(table_of([edit], schema), frame)
    encoded = bytes(rows.encoded(np.arange(1))[0])
    return Present(orjson.loads(encoded)["properties"], edit.geometry, encoded)


def due(token: str) -> bool:
    """Whether the layer of this token has so many edits that they should be folded in."""
    return int(token.partition(".")[2] or 0) > FOLD


def fold(twin: Twin, layer: str, grant: Grant, least: int = 1) -> int:
    """Make a new version of a layer with its edits in it; readers switch at once, and writers go on meanwhile.

    Args:
        least: do nothing where there are fewer edits.

    Returns:
        how many edits went in.

    Raises:
        Busy: a build, or another fold, is at work on the twin.
        StorageFailed: the new version could not be kept; everything is as before.
    """
    with locked(twin.directory):
        return fold_locked(twin, layer, grant, least)


def fold_locked(twin: Twin, layer: str, grant: Grant, least: int = 1) -> int:
    """The same for who holds the twin's lock already."""
    writer = twin.writing()
    version = writer.version(layer, grant)
    journal = Journal(writer.tables.engine, writer.tables.twin)
    count = journal.revision(layer, version.version)
    if count < least or not count:
        return 0
    view = writer.view(version, grant, f"{version.version}.{count}")
    times = journal.times(layer, version.version)
    until = times[1].isoformat(timespec="seconds") if times else ""
    provenance = _edited(version.provenance, count, until)
    units = {column.name: column.unit for column in view.columns if column.unit}
    shape = features_of(
        view.batches(), view.take(np.empty(0, np.int64)).schema, view.frame, provenance, units
    )
    staged = writer.stage(
        layer, shape, version.grade, {key: version.meta[key] for key in KEPT if key in version.meta},
        entry=LayerEntry(layer, version.title), kind=version.kind,
    )  # fmt: skip
    with journal.writing(layer, version.version) as work:
        work.add(work.since(count), "owner", base=staged.version)
        writer.tables.switch_in(work.connection, {layer: staged.version})
    return count


def _edited(provenance: Provenance, count: int, until: str) -> Provenance:
    """The provenance with the edits as its last step; several foldings are one step."""
    *before, last = provenance.steps or (None,)
    if last is not None and last.what == "edited":
        count += int(last.parameters.get("edits", 0))
        provenance = Provenance(provenance.sources, tuple(step for step in before if step is not None))
    return provenance.then(Step("edited", "twintown", {"edits": count, "until": until}))


def features_of(
    batches: Iterator[pa.RecordBatch], schema: pa.Schema, frame: Frame, provenance: Provenance,
    units: Mapping[str, str] | None = None,
) -> Features:  # fmt: skip
    """Rows (`id`, columns, `geometry` as WKB in the frame) as a shape; columns keep their types, empty ones too."""
    import geopandas as gpd

    table = pa.Table.from_batches([_as(batch, schema) for batch in batches], schema)
    drawn = shapely.from_wkb(table.column(GEOMETRY).combine_chunks().to_numpy(zero_copy_only=False))
    frame_of = table.drop_columns([GEOMETRY]).to_pandas(types_mapper=_nullable())
    geometry: gpd.GeoSeries = gpd.GeoSeries(drawn, index=frame_of.index, crs=frame.crs)
    return Features(gpd.GeoDataFrame(frame_of, geometry=geometry), frame, provenance, dict(units or {}))


def _as(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    there = set(batch.schema.names)
    arrays = [
        batch.column(field.name).cast(field.type)
        if field.name in there
        else pa.nulls(batch.num_rows, field.type)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _nullable() -> Callable[[pa.DataType], Any]:
    """Integers, truth and text that may be missing, as pandas keeps them without changing their type."""
    import pandas as pd

    return {
        pa.int64(): pd.Int64Dtype(), pa.int32(): pd.Int32Dtype(), pa.bool_(): pd.BooleanDtype(),
        pa.string(): pd.StringDtype(),
    }.get  # fmt: skip
