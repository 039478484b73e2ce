"""What is doubtful about a plan, and what it comes to in the zones that it touches."""

from __future__ import annotations

from dataclasses import dataclass

from twintown.city import edits as city
from twintown.city import zoning
from twintown.city.finding import Finding
from twintown.ground.features import Features
from twintown.trust.policy import Grant
from twintown.twin.layers import Twin

from .built import read_base
from .plans import Resolved


@dataclass(frozen=True)
class Found:
    """Findings of a plan, the zones that were looked at, and whether the twin has parcels (without them ratios are of the zone)."""

    findings: tuple[Finding, ...]
    zones: tuple[zoning.Zone, ...]
    parcels: bool


def findings_of(twin: Twin, grant: Grant, plan: Resolved) -> Found:
    """All findings of a plan at one revision.

    Raises:
        Gone: a version that it rests on is not kept any more.
        Unauthenticated, Denied: the Grant does not cover a layer.
    """
    base = read_base(twin, grant, plan.base)
    houses, solids, found = city.apply(*base, plan.edits)
    ids = sorted({edit["object"] for edit in plan.edits})
    parcels, layer = _optional(twin, grant, "parcels"), _optional(twin, grant, "zones")
    zones = (*twin.description.zones, *(zoning.zones_of(layer) if layer is not None else ()))
    told = (
        *found,
        *zoning.overlaps(houses, ids),
        *zoning.findings(zones, parcels, base, (houses, solids), ids),
    )
    return Found(told, zones, parcels is not None)


def _optional(twin: Twin, grant: Grant, layer: str) -> Features | None:
    """A layer where the twin has it and the Grant covers it."""
    there = {version.layer: version for version in twin.layers(grant)}
    if layer not in there:
        return None
    shape = twin.read(there[layer], grant)
    return shape if isinstance(shape, Features) else None
