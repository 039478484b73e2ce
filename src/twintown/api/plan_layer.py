"""A draft scenario as something that can be shared: the buildings that it adds or changes, as a layer of the city's own making.

The layer `plan-<first eight of the scenario's id>` holds footprints with heights; it is graded S, so that nobody but whom it is offered to
sees it. Another revision goes out under another name (`plan-<…>-<revision>`) and through the release gate again: what a partner has
under an agreement never changes behind the gate's back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from twintown.api.guard import Asked
from twintown.ground.errors import BadParameter, Conflict
from twintown.ground.names import Name
from twintown.ground.provenance import Licence, Provenance, Source, Step
from twintown.store.tables import ADDED, LayerRow
from twintown.trust.grades import Grade
from twintown.twin.description import Column, LayerEntry

#: What a city has drawn itself it may share as it likes; the agreement says how.
_OWN = Licence("LicenseRef-own", "the city's own work; its use is as the agreement says", "", "", False)
_COLUMNS = {
    "name": Column(Name("이름", "Name")),
    "state": Column(Name("상태", "State")),
    "height_m": Column(Name("높이", "Height"), "m"),
    "base_m": Column(Name("바닥 높이", "Base above ground"), "m"),
    "storeys": Column(Name("층수", "Storeys"), "{storey}"),
    "function": Column(Name("용도", "Use")),
}


def publish(asked: Asked, scenario: str, now: datetime) -> str:
    """The layer of a scenario as it stands now, made where it is not there yet; its id.

    Raises:
        NotFound: there is no such scenario. Gone: what it rests on is not kept any more.
        BadParameter: it builds nothing.
        Busy: a build is at work. StorageFailed: it could not be kept.
    """
    from twintown.api.scenario_models import plans
    from twintown.scenario.scenario import BUILDING, digest, in_force
    from twintown.store.lock import locked

    one = plans(asked).get(scenario)
    force = in_force(plans(asked).entries(one.id, kinds=BUILDING))
    if not any(edit["op"] != "remove" for edit in force):
        raise BadParameter("terms.assets", f"the scenario {one.name!r} builds nothing", remedy="add a building first")  # fmt: skip
    mark = digest(one.base, force, {})
    layer, there = _name(asked.served.twin.tables.layers(), one.id, one.revision, mark)
    if there:
        return layer
    shape = _shape(asked, one, force)
    meta: dict[str, Any] = {
        "origin": ADDED, "editable": False, "plan": {"scenario": one.id, "revision": one.revision, "digest": mark},
    }  # fmt: skip
    title = Name(f"계획안: {one.name}", f"Plan: {one.name}")
    writer = asked.served.twin.writing()
    with locked(asked.served.twin.directory):
        version = writer.stage(
            layer, shape, Grade.S, meta, entry=LayerEntry(layer, title, None, (), _COLUMNS)
        )
        writer.index(version)
        writer.tables.switch({layer: version.version})
    asked.served.twin.watch.touch()
    return layer


def _name(current: Mapping[str, LayerRow], scenario: str, revision: int, mark: str) -> tuple[str, bool]:
    """What the layer of a plan is called, and whether it is there already; a name is never given to another content."""
    for stem in (f"plan-{scenario[:8].lower()}", f"plan-{scenario[:8].lower()}{scenario[-6:].lower()}"):
        for layer in (stem, f"{stem}-{revision}"):
            row = current.get(layer)
            plan = row.meta.get("plan", {}) if row is not None else {}
            if row is None or plan.get("digest") == mark:
                return layer, row is not None
            if plan.get("scenario") != scenario:
                break
    raise Conflict("the names for its layer are taken", scenario, "remove the layers that hold them")


def _shape(asked: Asked, one: Any, force: Any) -> Any:
    """The footprints of what is added and changed, in the frame of the twin."""
    import geopandas as gpd

    from twintown.api.scenario_models import base_layers
    from twintown.ground.features import Features
    from twintown.scenario import built

    buildings, parts = base_layers(asked, one.versions)
    houses, _, _ = built.touched(buildings, parts, force)
    made = {edit["object"]: edit["op"] for edit in force if edit["op"] in ("add", "replace")}
    table = houses.table
    rows = [
        {
            "id": row["id"], "name": _text(row.get("name")), "state": "new" if made.get(row["id"]) == "add" else "changed",
            "height_m": float(row["height_m"]), "base_m": _number(row.get("min_height_m")), "storeys": _number(row.get("levels")),
            "function": _text(row.get("function")), "geometry": place,
        }
        for row, place in zip(table.drop(columns=table.geometry.name).to_dict("records"), table.geometry, strict=True)
    ]  # fmt: skip
    removed = sorted(edit["object"] for edit in force if edit["op"] == "remove")
    city = asked.served.twin.description.names
    own_work = replace(_OWN, attribution=city.ko)
    source = Source("own", one.name, city.en, own_work, date=f"{one.updated:%Y-%m-%d}", note="drawn by this city")
    step = Step("plan published", "twintown", {"scenario": one.id, "revision": one.revision, "removed": removed})  # fmt: skip
    own = Provenance((source,), (step,))
    # whose outline stays is still theirs who drew it
    derived = any(row["id"] not in made for row in rows)
    provenance = Provenance.of((own, buildings.provenance), step) if derived else own
    units = {name: column.unit for name, column in _COLUMNS.items() if column.unit}
    frame = gpd.GeoDataFrame(rows, geometry="geometry", crs=table.crs)
    return Features(frame, buildings.frame, provenance, units)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return float("nan")
    return number
