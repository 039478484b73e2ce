"""The rows of the layers of offers and needs, as a Grant lets them out; and how the desk writes them.

Who may plan need not own the twin: what the desk has checked is written under a Grant that is made for that step, for that one layer.
Nobody else gets it, and no other layer can be written by it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import shapely

from twintown.ground.errors import NotFound, NotPossible
from twintown.programme.produce_layers import DESK
from twintown.trust.policy import Action, Grant
from twintown.twin import edits
from twintown.twin.edits import Change, Written
from twintown.twin.layers import Twin

#: Who may have the desk write: officers who plan, and those who recall or certify.
_MAY: tuple[Action, ...] = ("plan", "share", "write")


def there(twin: Twin, layer: str, grant: Grant) -> bool:
    """Whether the twin has this layer of the desk's."""
    try:
        twin.version(layer, grant)
    except NotFound:
        return False
    return True


def table(twin: Twin, layer: str, grant: Grant) -> pa.Table:
    """All rows of a layer: `id`, the desk's columns (null where the layer has none of that name), and `lon`, `lat` in degrees.

    Raises NotFound: the twin has no such layer; says how it gets one.
    """
    desk = DESK[layer]
    if not there(twin, layer, grant):
        raise NotFound(
            f"this twin has no layer {layer}", twin.description.id, "add the layers with `twintown produce`"
        )
    view = twin.view(layer, grant)
    names = [column.name for column in view.columns if column.name in desk.names]
    batch = view.take(view.positions(), names, geometry=False, lonlat=bool(desk.geometry))
    rows = pa.Table.from_batches([batch])
    for name in desk.names:
        if name not in names:
            rows = rows.append_column(name, pa.nulls(len(rows)))
    if not desk.geometry:
        return rows
    points = shapely.from_wkb(rows.column("lonlat").combine_chunks().to_numpy(zero_copy_only=False))
    rows = rows.drop_columns(["lonlat"])
    for name, values in (("lon", shapely.get_x(points)), ("lat", shapely.get_y(points))):
        rows = rows.append_column(name, pa.array(values, pa.float64(), from_pandas=True))
    return rows


def rows(twin: Twin, layer: str, grant: Grant) -> list[dict[str, Any]]:
    """The same as dictionaries, by id. None where there is no such layer in the twin: an empty list."""
    if not there(twin, layer, grant):
        return []
    found: list[dict[str, Any]] = table(twin, layer, grant).to_pylist()
    return sorted(found, key=lambda row: str(row["id"]))


def writing(grant: Grant, layer: str) -> Grant:
    """A Grant for the one step in which the desk writes what it has checked: to this layer only, on behalf of the same subject.

    Raises Unauthenticated, Denied: the Grant is not one to plan by.
    """
    if layer not in DESK:
        raise ValueError(f"the desk does not write {layer}")  # a slip of ours
    grant.require(what=layer)
    if grant.action not in _MAY:
        grant.refuse("offers and needs are written by who plans", "no-rule", layer)
    layers = (layer,) if grant.layers is None or layer in grant.layers else ()
    return replace(
        grant,
        action="write",
        layers=layers,
        code="desk",
        reason="the desk of offers and needs writes what it has checked",
    )


def write(twin: Twin, layer: str, grant: Grant, changes: Sequence[Change]) -> Written:
    """Write rows of a layer of the desk, all or none; raises like `twin.edits.write`.

    Args:
        grant: of who plans.
    """
    desk, own = DESK[layer], writing(grant, layer)
    version = twin.version(layer, own)
    has = {column["name"] for column in version.meta.get("columns", [])}
    if lacking := [name for name in desk.names if name not in has]:
        raise NotPossible(
            f"the layer {layer} is not one of the desk of offers and needs: it has no column {lacking[0]}", layer,
            "take it away and add the layers with `twintown produce`", ("GET", "HEAD", "OPTIONS"),
        )  # fmt: skip
    done = edits.write(twin, layer, own, changes)
    twin.watch.touch()
    return done


def fold(twin: Twin, layer: str, grant: Grant) -> None:
    """Fold many edits into a new version, as who writes features does; raises like `twin.edits.fold`."""
    edits.fold(twin, layer, writing(grant, layer), edits.FOLD)


def stamped(row: Mapping[str, Any], author: Mapping[str, Any]) -> dict[str, Any]:
    """A row with who wrote it, and when."""
    return {
        **row,
        "author": str(author.get("name") or ""),
        "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
    }
