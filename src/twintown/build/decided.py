"""The edits of approved scenarios, made to the layers that a source gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from twintown.city import edits as city
from twintown.city.edits import Edit
from twintown.ground.features import Features
from twintown.ground.provenance import Step, digest_of
from twintown.scenario.plans import Plans
from twintown.scenario.scenario import BASE, Scenario
from twintown.twin.layers import Twin

Approved = Sequence[tuple[Scenario, tuple[Edit, ...]]]
#: The layer of findings about a city, where its source gives one.
FINDINGS = "findings"
TOUCHED = (*BASE, FINDINGS)


def approved(twin: Twin, gives: Sequence[str]) -> Approved:
    """The approved scenarios, first approved first; none for a source that gives no buildings."""
    return Plans(twin.tables).approved() if set(BASE) <= set(gives) else ()


def mark(plans: Approved) -> list[Any]:
    """What of approved scenarios makes a source's step stale."""
    return [[one.id, digest_of(list(edits))] for one, edits in plans]


def edited(
    shapes: Mapping[str, Any], plans: Approved
) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """The layers with the edits made, and what the buildings say of it.

    Args:
        shapes: buildings, parts and, where there are any, findings.

    Returns:
        the shapes by layer; `approved` (which scenarios, who, when, why) and `findings` (what could not be made).
    """
    buildings, parts = (shapes[layer] for layer in BASE)
    said: dict[str, list[dict[str, Any]]] = {"approved": [], "findings": []}
    for scenario, edits in plans:
        decision = scenario.decision or {}
        houses, solids, found = city.apply(buildings, parts, edits)
        step = Step("plan approved", "twintown.city.edits", {
            "scenario": scenario.id, "name": scenario.name, "edits": len(edits), "digest": digest_of(list(edits)),
        })  # fmt: skip
        buildings = _as_of(houses, buildings, step)
        parts = _as_of(solids, parts, step)
        why = {name: decision.get(name) for name in ("who", "at", "why", "revision")}
        said["approved"].append({"id": scenario.id, "name": scenario.name, **why})
        said["findings"] += [
            {"scenario": scenario.id, "name": scenario.name, **one.to_dict()} for one in found
        ]
    done = {**shapes, **dict(zip(BASE, (buildings, parts), strict=True))}
    if said["findings"] and FINDINGS in shapes:
        done[FINDINGS] = _told(shapes[FINDINGS], said["findings"])
    return done, said


def _as_of(made: Features, before: Features, step: Step) -> Features:
    return Features(made.table, made.frame, before.provenance.then(step), made.units)


def _told(findings: Features, said: Sequence[Mapping[str, Any]]) -> Features:
    """The layer of findings with those of approved scenarios behind it; what is gone has no place."""
    import geopandas as gpd
    import pandas as pd

    table = findings.table
    rows = [
        {
            "id": f"{one['object']}:{one['code']}:{one['scenario']}", "object": one["object"], "code": one["code"],
            "severity": one["severity"], "message_ko": f"승인된 계획 ‘{one['name']}’: {one['message']['ko']}",
            "message_en": f"approved plan “{one['name']}”: {one['message']['en']}", "value": one["value"], "unit": one["unit"],
        }
        for one in said
    ]  # fmt: skip
    behind = (
        pd.DataFrame(rows)
        .drop_duplicates("id")
        .reindex(columns=[c for c in table.columns if c != table.geometry.name])
    )
    behind = behind.astype({name: table[name].dtype for name in behind.columns})
    more = gpd.GeoDataFrame(behind, geometry=[None] * len(behind), crs=table.crs)
    return findings.with_table(gpd.GeoDataFrame(pd.concat([table, more], ignore_index=True), crs=table.crs))
