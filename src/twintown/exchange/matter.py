"""What a question to the release gate is about: the asset as it would leave under its terms, read through the asker's Grant."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
from twintown.trust.peers import peers_of
from twintown.trust.terms import Asset, Terms
from twintown.twin.layers import LayerVersion, Twin
from twintown.twin.versions import layer_version

from .content import Content, OfLayer
from .playbooks import find
from .release import ANYONE, PEERS
from .rules import Reach, Rules
from .rules_licence import Work
from .rules_pack import rules_of


@dataclass(frozen=True)
class Matter:
    """One asset before the gate.

    Attributes:
        grant: of who asks, narrowed to what the terms let out; reader: the same as it came.
        audience, reach: to whom, and what that means to the rules.
        parts: the layers that leave, or that what leaves is made from.
        content: what leaves, where it is there to be looked into (a layer); none for what is computed when it is asked for.
        made: True for what a remedy has made.
        known: what the audience has already; `released.known_to` looks it up where it is not said.
    """

    twin: Twin
    grant: Grant
    reader: Grant
    asset: Asset
    audience: str
    reach: Reach
    terms: Terms
    rules: Rules
    parts: tuple[LayerVersion, ...]
    work: Work
    content: Content | None = None
    made: bool = False
    known: tuple[Content, ...] | None = None

    @property
    def version(self) -> str:
        """The version that is looked at; "" where something is made from several."""
        return self.parts[0].version if self.asset.kind == "layer" and self.parts else ""

    @property
    def provenance(self) -> Provenance:
        """All sources of all parts, however many steps ago."""
        return (
            self.content.provenance if self.content else Provenance.of(part.provenance for part in self.parts)
        )

    @property
    def grade(self) -> Grade:
        """The highest grade of the parts."""
        return mix(part.grade for part in self.parts) if self.parts else Grade.O

    @property
    def open(self) -> bool:
        """Whether anyone may read it already: then it gives a peer nothing that it has not."""
        return self.audience != ANYONE and bool(self.parts) and self.grade is Grade.O


def matter_of(twin: Twin, grant: Grant, asset: Asset, audience: str, terms: Terms) -> Matter:
    """The matter of a question. Raises NotFound, Unauthenticated, Denied, BadInput, BadSettings."""
    about = twin.description
    rules = rules_of(about.release, twin.directory, about.time_zone)
    narrowed = replace(
        grant, area=_area(twin, grant.area, terms), finest_m=max(grant.finest_m, terms.finest_m)
    )
    reach = reach_of(twin, audience, rules.country)
    if asset.kind == "layer":
        part = twin.version(asset.id, grant)
        work = Work.of(part.kind, str(part.meta.get("unit", "")), part.count)
        content, made = OfLayer(twin, part, narrowed), "release" in part.meta
        return Matter(
            twin, narrowed, grant, asset, audience, reach, terms, rules, (part,), work, content, made
        )
    if asset.kind == "process":
        parts, work = _process(twin, asset)
    elif asset.kind == "scenario":
        parts, work = _scenario(twin, asset), Work.of("features")
    else:  # a playbook holds no data
        find(twin, asset.id)
        parts, work = (), Work.of("series")
    return Matter(twin, narrowed, grant, asset, audience, reach, terms, rules, parts, work)


def reach_of(twin: Twin, audience: str, country: str) -> Reach:
    """Anyone, peers of the same country, or abroad; a peer whose country nobody has said counts as abroad."""
    if audience == ANYONE:
        return "anyone"
    peers = [one for one in peers_of(twin) if audience == PEERS or one.did == audience]
    at_home = bool(peers) and all(one.country == country for one in peers)
    return "peers" if at_home else "abroad"


def _process(twin: Twin, asset: Asset) -> tuple[tuple[LayerVersion, ...], Work]:
    """The result is what leaves; it is made from the layers that the process reads."""
    kinds = {entry.id: entry.kind for entry in twin.description.processes}
    promise = processes().find(kinds.get(asset.id, asset.id))
    parts = _named(twin, (*promise.needs, *promise.takes))
    return parts, Work.of("features" if "features" in {one.shape for one in promise.outputs} else "grid")


def _scenario(twin: Twin, asset: Asset) -> tuple[LayerVersion, ...]:
    """A plan holds the buildings that it changes, so it is made from the layers that it rests on."""
    mine = and_(scenarios.c.twin == twin.tables.twin, scenarios.c.id == asset.id.partition("@")[0])
    with reading(twin.tables.engine) as connection:
        row: Any = connection.execute(select(scenarios.c.base).where(mine)).first()
    if row is None:
        raise NotFound(f"there is no scenario {asset.id[:60]!r}", twin.description.id)
    return _named(twin, tuple(row.base))


def _named(twin: Twin, layers: tuple[str, ...]) -> tuple[LayerVersion, ...]:
    """What the catalogue says of some layers, whoever asks: a grade or a licence must count though the asker may not read the layer.

    Nothing of what is in them is looked at.
    """
    there = twin.tables.layers()
    return tuple(layer_version(there[name]) for name in layers if name in there)


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
