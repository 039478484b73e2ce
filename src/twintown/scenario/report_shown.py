"""A report that was made, as it is shown today: its pages are never changed, and whether its plans have moved on is told."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson

from twintown.ground.errors import NotFound
from twintown.jobs.queue import Queue
from twintown.trust.grades import Grade
from twintown.twin.layers import Twin

from . import report_pages
from .plans import Plans

KIND = "report"


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
