"""What a report is asked for: checked part by part, and the scenarios frozen at a revision."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from twintown.ground.errors import BadParameter, NotPossible
from twintown.jobs.question import Question
from twintown.jobs.queue import Queue
from twintown.trust.policy import Grant
from twintown.twin.layers import Twin

from .camera import Camera
from .plans import Plans
from .report import MOST_VIEWS

#: Asked where a report names no results: what every committee asks first.
USUAL = "sunlight"
MOST_RESULTS = 4
HOUR = "10:00"


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
        camera_of(view, f"viewpoints[{number}]")
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


def camera_of(view: object, where: str) -> Camera:
    """A viewpoint as a camera. Raises BadParameter: names the member."""
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
