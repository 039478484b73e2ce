"""What a report gathers on its way: states of the city with their results, provenance, grades, seals, findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from twintown.ground.errors import BadData
from twintown.ground.features import Features
from twintown.ground.provenance import Provenance, digest
from twintown.jobs import manifest, results
from twintown.jobs.process import Process, Shape
from twintown.jobs.question import ask, found
from twintown.jobs.warrants import citations, measurements
from twintown.jobs.work import Work
from twintown.trust.grades import Grade, mix

from . import report_pages
from .findings import findings_of
from .plans import Resolved
from .report import Asked, Side

LAYERS = ("roads", "water", "parks", "green")


class Gathered:
    """Shapes, provenance, grades and seals, gathered side by side."""

    def __init__(self, work: Work, first: Resolved, known: Sequence[Process]) -> None:
        self.work, self.first, self.known = work, first, {one.id: one for one in known}
        self.provenances: list[Provenance] = []
        self.seals: list[list[str]] = []
        self.grade = Grade.O

    def base_name(self, lang: str) -> str:
        return report_pages.words(lang)["before"]

    def side(
        self, name: str, plan: Resolved | None, asked: Sequence[Mapping[str, Any]], begun: float
    ) -> Side:
        """One state of the city with its results; asked of the queue's memory first, so that nothing is computed twice."""
        twin, grant, edits = self.work.twin, self.work.grant, plan.edits if plan else ()
        base = plan.base if plan else self.first.base
        outputs: dict[str, dict[str, Shape]] = {}
        shapes: dict[str, Shape] = {}
        for one in asked:
            process = self.known[one["process"]]
            question = ask(
                twin, grant, process, one["inputs"], edits, plan.scenario if plan else None, base=base
            )
            self.work.progress(f"{process.title.en}: {name}", 0.75 * begun)
            answer = results.answer(twin, grant, question, spread=self.work.spread)
            outputs[process.id] = {
                output: twin.read(version, grant) for output, version in answer.outputs.items()
            }
            self.provenances += [shape.provenance for shape in outputs[process.id].values()]
            self.grade = mix([self.grade, question.grade])
            mark = digest(manifest.to_bytes(answer.manifest)) if answer.manifest else "–"
            self.seals.append([f"{process.title[self.work.job.request['lang']]} · {name}", mark])
            shapes = {layer: twin.read(found(twin, grant, layer, known), grant) for layer, known in question.layers.items()
                      if layer in ("buildings", "building-parts")}  # fmt: skip
        buildings, parts = shapes["buildings"], shapes["building-parts"]
        if not isinstance(buildings, Features) or not isinstance(parts, Features):
            raise BadData("buildings and their parts are no features", "buildings", "build the twin again")
        if edits:
            from twintown.city import edits as city

            buildings, parts, _ = city.apply(buildings, parts, [dict(edit) for edit in edits])
        return Side(name, buildings, parts, edits, outputs)

    def layers(self) -> dict[str, Features]:
        """What a picture shows besides buildings, where the twin has it and the Grant covers it."""
        there = {version.layer: version for version in self.work.twin.layers(self.work.grant)}
        shapes = {
            layer: self.work.twin.read(there[layer], self.work.grant) for layer in LAYERS if layer in there
        }
        return {layer: shape for layer, shape in shapes.items() if isinstance(shape, Features)}

    def asked(self, asked: Sequence[Mapping[str, Any]]) -> list[Asked]:
        """The processes as the report explains them."""
        lang = self.work.job.request["lang"]
        w = report_pages.words(lang)
        told = []
        for one in asked:
            process = self.known[one["process"]]
            rows = [
                [
                    m.what,
                    f"{m.error:g} {m.unit}".removesuffix(" 1"),
                    f"{m.tolerance:g} {m.unit}".removesuffix(" 1"),
                    w["holds"] if m.holds else w["fails"],
                ]
                for m in measurements(process.validation)
            ]
            papers = [f"{c.text}{' doi:' + c.doi if c.doi else ''}" for c in citations(process.citations)]
            told.append(
                Asked(
                    process,
                    process.check(one["inputs"]),
                    process.about[lang] if process.about else "",
                    papers,
                    rows,
                )
            )
        return told

    def findings(self, resolved: Sequence[Resolved], lang: str) -> list[tuple[str, str]]:
        """Validity and zoning of each plan, as sentences."""
        found = []
        for plan in resolved:
            for finding in findings_of(self.work.twin, self.work.grant, plan).findings:
                found.append((str(plan.scenario["name"]), finding.message[lang]))
        return found
