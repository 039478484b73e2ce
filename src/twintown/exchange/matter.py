"""What a question to the release gate is about: the asset as it would leave under its terms, read through the asker's Grant."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from sqlalchemy import and_, select

from twintown.ground.bounds import Bounds
from twintown.ground.errors import NotFound
from twintown.ground.provenance import Provenance
from twintown.jobs.process import processes
from twintown.store.engine import reading
from twintown.store.schema import scenarios
from twintown.trust.grades import Grade, mix
from twintown.trust.grant import Grant
from twintown.trust.terms import Asset, Terms
from twintown.twin.layers import LayerVersion, Shape, Twin

from .rules_licence import Work


@dataclass(frozen=True)
class Matter:
    """One asset before the gate.

    Attributes:
        grant: of who asks, narrowed to what the terms let out.
        parts: the layers that leave, or that what leaves is made from.
        whole: True where the one part is what leaves; False where something is made from the parts (a process, a plan).
    """

    twin: Twin
    grant: Grant
    asset: Asset
    audience: str
    terms: Terms
    parts: tuple[LayerVersion, ...]
    work: Work
    whole: bool = True

    @property
    def version(self) -> str:
        """The version that is looked at; of several parts, one mark of all."""
        return self.parts[0].version if self.whole and self.parts else ""

    @property
    def provenance(self) -> Provenance:
        """All sources of all parts, however many steps ago."""
        return Provenance.of(part.provenance for part in self.parts)

    @property
    def grade(self) -> Grade:
        """The highest grade of the parts."""
        return mix(part.grade for part in self.parts) if self.parts else Grade.O

    @cached_property
    def shape(self) -> Shape:
        """What leaves, as far as the terms let it. Raises like `Twin.read`."""
        return self.twin.read(self.parts[0], self.grant)


def matter_of(twin: Twin, grant: Grant, asset: Asset, audience: str, terms: Terms) -> Matter:
    """The matter of a question. Raises NotFound, Unauthenticated, Denied, BadInput."""
    narrowed = replace(
        grant, area=_area(twin, grant.area, terms), finest_m=max(grant.finest_m, terms.finest_m)
    )
    if asset.kind == "layer":
        part = twin.version(asset.id, grant)
        work = Work.of(part.kind, str(part.meta.get("unit", "")), part.count)
        return Matter(twin, narrowed, asset, audience, terms, (part,), work)
    if asset.kind == "process":
        return _process(twin, narrowed, asset, audience, terms)
    if asset.kind == "scenario":
        return _scenario(twin, narrowed, asset, audience, terms)
    return Matter(twin, narrowed, asset, audience, terms, (), Work.of("series"), False)


def _process(twin: Twin, grant: Grant, asset: Asset, audience: str, terms: Terms) -> Matter:
    """The result is what leaves; it is made from the layers that the process reads."""
    kinds = {entry.id: entry.kind for entry in twin.description.processes}
    promise = processes().find(kinds.get(asset.id, asset.id))
    there = {one.layer: one for one in twin.layers(grant)}
    parts = tuple(there[name] for name in (*promise.needs, *promise.takes) if name in there)
    shapes = {one.shape for one in promise.outputs}
    work = Work.of("features" if "features" in shapes else "grid")
    return Matter(twin, grant, asset, audience, terms, parts, work, False)


def _scenario(twin: Twin, grant: Grant, asset: Asset, audience: str, terms: Terms) -> Matter:
    """A plan holds the buildings that it changes, so it is made from the layers that it rests on."""
    mine = and_(scenarios.c.twin == twin.tables.twin, scenarios.c.id == asset.id.partition("@")[0])
    with reading(twin.tables.engine) as connection:
        row: Any = connection.execute(select(scenarios.c.base).where(mine)).first()
    if row is None:
        raise NotFound(f"there is no scenario {asset.id[:60]!r}", twin.description.id)
    there = {one.layer: one for one in twin.layers(grant)}
    parts = tuple(there[name] for name in row.base if name in there)
    return Matter(twin, grant, asset, audience, terms, parts, Work.of("features"), False)


def _area(twin: Twin, area: Bounds | None, terms: Terms) -> Bounds | None:
    """The part of the plane that leaves: around the box of the terms, so that nothing that leaves goes unseen (metres)."""
    if terms.area is None:
        return area
    x, y = twin.description.frame.from_lonlat(*Bounds(*terms.area).ring().T)
    box = Bounds(float(x.min()), float(y.min()), float(x.max()), float(y.max()))
    if area is None or not area.intersects(box):
        return area or box
    return Bounds(
        max(area.xmin, box.xmin), max(area.ymin, box.ymin), min(area.xmax, box.xmax), min(area.ymax, box.ymax)
    )
