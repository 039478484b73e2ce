"""The shell of reports: what is asked is checked, results are asked for, and the pages are kept, signed by the city.

A report lies at `reports/<id>/` of its twin: `sheet.json` (everything it says), `report.html`, `report.pdf`, and `report.json`, a
Verifiable Credential over the digests of the others. It is never changed; whether its plan has moved on is told when it is shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

import orjson

from twintown.ground.errors import BadData, BadParameter, NotFound, NotPossible
from twintown.ground.features import Features
from twintown.ground.provenance import Provenance, digest
from twintown.jobs import manifest, results
from twintown.jobs.process import Process, Shape, processes
from twintown.jobs.question import Question, ask, found
from twintown.jobs.queue import Queue
from twintown.jobs.warrants import citations, measurements
from twintown.jobs.work import Work
from twintown.trust.grades import Grade, mix
from twintown.trust.keys import signing_key
from twintown.trust.policy import Grant
from twintown.trust.proof import sign
from twintown.twin.layers import Twin

from . import report_pages
from .picture import Camera
from .plans import Plans, Resolved
from .report import MOST_VIEWS, Asked, Side, Told, sheet

KIND = "report"
#: Asked where a report names no results: what every committee asks first.
USUAL = "sunlight"
LAYERS = ("roads", "water", "parks", "green")
MOST_RESULTS = 4
HOUR = "10:00"
#: From where a plan is looked at where nobody says: from the south-west, above the roofs.
AWAY_M, ABOVE_M, DOWN_DEG = 400.0, 320.0, -36.0


@dataclass(frozen=True)
class Place:
    """What an installation gives: where it is to the world, and where the fonts for print lie (none: no PDF)."""

    public_url: str
    fonts: Path | None


def request(twin: Twin, grant: Grant, body: Mapping[str, Any]) -> dict[str, Any]:
    """A report as a job keeps it: every part checked and the scenarios frozen at a revision.

    Args:
        body: `scenario` (id or id@revision), `with` (another, or "base"), `jobs` (ids of results whose process and inputs are asked of
            every state), `viewpoints` ({name, lon, lat, height_m, heading_deg, pitch_deg, fov_deg}), `lang`, `title`, `time` (HH:MM).

    Raises:
        BadParameter: names the part. NotFound: there is no such scenario or job.
        NotPossible: a job is not answered, or is no result.
    """
    plans = Plans(twin.tables)
    scenarios = [_frozen(plans, body.get("scenario"), "scenario")]
    if body.get("with") not in (None, "", "base"):
        scenarios.append(_frozen(plans, body["with"], "with"))
    jobs = body.get("jobs") or []
    if not isinstance(jobs, list) or len(jobs) > MOST_RESULTS:
        raise BadParameter("jobs", f"is a list of at most {MOST_RESULTS} jobs")
    asked = _asked(twin, grant, [str(one) for one in jobs])
    views = body.get("viewpoints") or []
    if not isinstance(views, list) or len(views) > MOST_VIEWS:
        raise BadParameter("viewpoints", f"is a list of at most {MOST_VIEWS} viewpoints")
    for number, view in enumerate(views):
        _camera(view, f"viewpoints[{number}]")
    lang = body.get("lang", "ko")
    if lang not in ("ko", "en"):
        raise BadParameter("lang", f"{lang!r} is not known", remedy="use ko or en")
    hour = body.get("time") or HOUR
    if not isinstance(hour, str) or not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", hour):
        raise BadParameter("time", f"{hour!r} is not a time of day", remedy="write it as 10:00")
    title = body.get("title") or ""
    if not isinstance(title, str) or len(title) > 200:
        raise BadParameter("title", "is a text of at most 200 characters")
    return {
        "scenarios": scenarios,
        "asked": asked,
        "viewpoints": views,
        "lang": lang,
        "title": title.strip(),
        "time": hour,
    }


def _frozen(plans: Plans, name: object, part: str) -> str:
    if not isinstance(name, str) or not name:
        raise BadParameter(part, "names no scenario", remedy="give its id, or id@revision")
    resolved = plans.resolve(name)
    return f"{resolved.scenario['id']}@{resolved.scenario['revision']}"


def _asked(twin: Twin, grant: Grant, jobs: Iterable[str]) -> list[dict[str, Any]]:
    """Process and inputs of each result, each once; the usual one where none is named."""
    found: dict[str, dict[str, Any]] = {}
    for id in jobs:
        job = Queue(twin.tables).get(id)
        if job.kind != "process":
            raise NotPossible(
                "this job is no result of a process", id, "name jobs that were answered by layers"
            )
        question = Question.from_request(job.request)
        grant.require(question.grade, id)
        inputs = dict(question.inputs)
        found[f"{question.process} {orjson.dumps(inputs, option=orjson.OPT_SORT_KEYS)!r}"] = {
            "process": question.process, "inputs": inputs,
        }  # fmt: skip
    by_process = {
        one["process"]: one for one in found.values()
    }  # a report shows each process once: as it was asked last
    return list(by_process.values()) or [{"process": USUAL, "inputs": {}}]


def _camera(view: object, where: str) -> Camera:
    if not isinstance(view, Mapping):
        raise BadParameter(
            where,
            "is not an object",
            remedy='write {"lon": …, "lat": …, "height_m": …, "heading_deg": …, "pitch_deg": …}',
        )
    numbers = {}
    for name in ("lon", "lat", "height_m", "heading_deg", "pitch_deg", "fov_deg"):
        value = view.get(name, 60.0 if name == "fov_deg" else None)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadParameter(f"{where}.{name}", f"{value!r} is not a number")
        numbers[name] = float(value)
    try:
        return Camera(**numbers)
    except BadParameter as error:
        raise BadParameter(f"{where}.{error.name}", error.what, remedy=error.remedy) from error


def make(work: Work, place: Place) -> dict[str, Any]:
    """Make the report of a job: results for the city as it is and for each plan, the sheet, the pages, the signature.

    Returns:
        what the job keeps: report (its id), grade, files and their digests, digest of the sheet, whether there is a PDF.

    Raises:
        Gone: a version that a plan rests on is not kept any more. Any error of a process that it asks.
    """
    twin, asked = work.twin, work.job.request
    plans = Plans(twin.tables)
    resolved = [plans.resolve(name) for name in asked["scenarios"]]
    made = _Made(work, resolved[0], [processes().find(one["process"]) for one in asked["asked"]])
    states = [(made.base_name(asked["lang"]), None), *((str(one.scenario["name"]), one) for one in resolved)]
    sides = [
        made.side(name, plan, asked["asked"], number / len(states))
        for number, (name, plan) in enumerate(states)
    ]
    work.progress("pictures", 0.8)
    about, zone = twin.description, ZoneInfo(twin.description.time_zone)
    did = manifest.identity(twin, place.public_url)["id"]
    address = f"{place.public_url.rstrip('/')}/twins/{about.id}/reports/{work.job.id}"
    scenario = plans.get(str(resolved[0].scenario["id"]))
    at = datetime.now(UTC)
    revision = report_pages.words(asked["lang"])["revision"]
    told = Told(
        lang=asked["lang"], twin=about.names, zone=about.time_zone,
        title=asked["title"] or " · ".join(str(one.scenario["name"]) for one in resolved), about=scenario.about,
        revision=", ".join(f"{one.scenario['name']}: {revision.format(n=one.scenario['revision'])}" for one in resolved),
        author=_author(scenario.author, asked["lang"]), made=at.astimezone(zone),
        versions=", ".join(f"{layer} {version}" for layer, version in sorted(resolved[0].base.items())),
        bounds=about.bounds, base=sides[0], sides=sides[1:], layers=made.layers(), asked=made.asked(asked["asked"]),
        viewpoints=_viewpoints(asked["viewpoints"], sides, asked["lang"]),
        when=datetime.combine(datetime.fromisoformat(about.day).date(), time.fromisoformat(asked["time"]), zone),
        findings=made.findings(resolved, asked["lang"]), provenance=Provenance.of(made.provenances), notices=about.notices,
        seal={"did": did, "results": made.seals, "address": address},
    )  # fmt: skip
    said, files = sheet(told)
    files["qr.svg"] = report_pages.qr(address)
    # what the digest stands for: every word and number of the sheet, and every picture
    marks = {name: digest(data) for name, data in sorted(files.items())}
    mark = digest(orjson.dumps({**said, "pictures": marks}, option=orjson.OPT_SORT_KEYS))
    said["seal"] |= {"digest": mark, "short": " ".join(re.findall("....", mark.partition(":")[2][:16]))}
    work.progress("pages", 0.93)
    pages: dict[str, bytes] = {
        "sheet.json": orjson.dumps({**said, "pictures": marks}),
        "report.html": report_pages.to_html(said, files).encode(),
    }
    why = ""
    try:
        pages["report.pdf"] = report_pages.to_pdf(said, files, place.fonts, told.made)
    except NotPossible as error:
        why = str(error)
    digests = {name: digest(data) for name, data in pages.items()}
    pages["report.json"] = manifest.to_bytes(
        _credential(twin, work.job.id, did, address, mark, digests, resolved, made.seals, at)
    )
    for name, data in pages.items():
        twin.blobs.put(f"reports/{work.job.id}/{name}", data)
    return {
        "report": work.job.id, "grade": made.grade.value, "files": digests, "digest": mark, "title": told.title, "lang": told.lang,
        "scenarios": [dict(one.scenario) for one in resolved], "without_pdf": why,
    }  # fmt: skip


def _author(author: Mapping[str, Any], lang: str) -> str:
    name = str(author.get("name") or "–")
    return name if author.get("verified") else f"{name} ({report_pages.words(lang)['unverified']})"


def _viewpoints(
    views: Sequence[Mapping[str, Any]], sides: Sequence[Side], lang: str
) -> list[tuple[str, Camera]]:
    """The viewpoints that were asked for, or one from the south-west over the roofs."""
    if views:
        return [
            (str(view.get("name") or f"{n + 1}"), _camera(view, f"viewpoints[{n}]"))
            for n, view in enumerate(views)
        ]
    from .report_plan import window_of

    named = [edit["object"] for side in sides for edit in side.edits]
    shapes = [
        shape
        for side in sides
        for shape in side.buildings.table.geometry[side.buildings.table["id"].isin(named)]
    ]
    if not shapes:
        return []
    x, y = window_of(shapes, sides[0].buildings.bounds or _nowhere()).centre
    away = AWAY_M / 2**0.5
    lon, lat = (float(v) for v in sides[0].buildings.frame.to_lonlat(x - away, y - away))
    return [
        (
            {"ko": "남서쪽 위에서", "en": "From above, south-west"}[lang],
            Camera(lon, lat, ABOVE_M, 45.0, DOWN_DEG),
        )
    ]


def _nowhere() -> Any:
    raise BadData("this twin has no buildings", "buildings", "ask for a report of another twin")


class _Made:
    """What a report gathers on its way: shapes, provenance, grades, seals."""

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
                    f"{m.error:g} {m.unit}",
                    f"{m.tolerance:g} {m.unit}",
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
        from .findings import findings_of

        found = []
        for plan in resolved:
            for finding in findings_of(self.work.twin, self.work.grant, plan).findings:
                found.append((str(plan.scenario["name"]), finding.message[lang]))
        return found


def _credential(
    twin: Twin, id: str, did: str, address: str, mark: str, files: Mapping[str, str], resolved: Sequence[Resolved],
    seals: Sequence[Sequence[str]], at: datetime,
) -> dict[str, Any]:  # fmt: skip
    from twintown.trust.did import method_of

    key = signing_key(twin.directory)
    stated = {
        "@context": manifest.CONTEXT, "type": ["VerifiableCredential", "ScenarioReport"],
        "id": f"urn:uuid:{uuid5(NAMESPACE_URL, address)}", "issuer": did, "validFrom": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "credentialSubject": {
            "id": address, "type": "Report", "digest": mark, "files": dict(files),
            "scenarios": [{**one.scenario, "digest": one.digest} for one in resolved],
            "results": [{"title": title, "manifest": digest_} for title, digest_ in seals],
        },
    }  # fmt: skip
    return sign(stated, key, method_of(did, key.public), at.replace(microsecond=0))


@dataclass(frozen=True)
class Shown:
    """A report as it is shown today: its credential, and whether its plans have moved on (`now` none: a plan is gone)."""

    document: Mapping[str, Any]
    grade: Grade
    scenarios: tuple[tuple[str, int, int | None], ...]

    @property
    def changed(self) -> bool:
        """Whether a plan is at another revision than the report, or gone."""
        return any(then != now for _, then, now in self.scenarios)


def show(twin: Twin, id: str) -> Shown:
    """A report by id. Raises NotFound."""
    job = Queue(twin.tables).get(id)
    if job.kind != KIND or job.state != "successful" or not job.results:
        raise NotFound("there is no such report", id, "look at the job, or ask for the report again")
    plans, told = Plans(twin.tables), []
    for one in job.results["scenarios"]:
        now: int | None = None
        with suppress(NotFound):
            known = plans.get(str(one["id"]))
            now = _counted(plans, known.id, int(one["revision"]), known.revision)
        told.append((str(one["name"]), int(one["revision"]), now))
    document = orjson.loads(twin.blobs.get(f"reports/{id}/report.json"))
    return Shown(document, Grade.of(str(job.results["grade"])), tuple(told))


def _counted(plans: Plans, id: str, then: int, now: int) -> int:
    """The revision a plan is at, where something that a report shows has changed since; comments change nothing."""
    later = plans.entries(id, since=then, kinds=("edit", "undo", "parameters", "base", "name", "about"))
    return now if later else then


def page(twin: Twin, id: str, lang: str, links: str) -> bytes:
    """The HTML of a report with what is true today at its top: the same as the plan, or changed since."""
    import markupsafe

    shown, w = show(twin, id), report_pages.words(lang)
    lines = []
    for name, then, now in shown.scenarios:
        words = (
            w["gone"]
            if now is None
            else w["changed" if now != then else "unchanged"].format(then=then, now=now)
        )
        lines.append(f"<p>{markupsafe.escape(name)}: {markupsafe.escape(words)}</p>")
    banner = f'<aside class="state {"changed" if shown.changed else "same"}" role="status">{"".join(lines)}</aside>'
    html = twin.blobs.get(f"reports/{id}/report.html")
    return html.replace(b"<!--state-->", banner.encode()).replace(b"<!--links-->", links.encode())
