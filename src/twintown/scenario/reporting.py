"""The shell of reports: what is asked is checked, results are asked for, and the pages are kept, signed by the city.

A report lies at `reports/<id>/` of its twin: `sheet.json` (everything it says), `report.html`, `report.pdf`, and `report.json`, a
Verifiable Credential over the digests of the others. It is never changed; whether its plan has moved on is told when it is shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from twintown.ground.errors import BadData, NotPossible
from twintown.ground.provenance import Provenance, digest
from twintown.jobs import manifest
from twintown.jobs.process import processes
from twintown.jobs.work import Work

from . import report_pages
from .camera import Camera
from .plans import Plans
from .report import Side, Told, sheet
from .report_gathered import Gathered
from .report_plan import window_of
from .report_request import camera_of
from .report_signed import credential

#: From where a plan is looked at where nobody says: from the south-west, above the roofs.
AWAY_M, ABOVE_M, DOWN_DEG = 400.0, 320.0, -36.0


@dataclass(frozen=True)
class Place:
    """What an installation gives: where it is to the world, and where the fonts for print lie (none: no PDF)."""

    public_url: str
    fonts: Path | None


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
    made = Gathered(work, resolved[0], [processes().find(one["process"]) for one in asked["asked"]])
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
        credential(twin, work.job.id, did, address, mark, digests, resolved, made.seals, at)
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
            (str(view.get("name") or f"{n + 1}"), camera_of(view, f"viewpoints[{n}]"))
            for n, view in enumerate(views)
        ]
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
