"""Reports of plans: asked for as a job, shown as HTML with what is true today, as PDF, and as the signed document behind both."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field
from starlette.responses import Response

from twintown.api import answers, problems
from twintown.api.guard import Asked, Reading, Running
from twintown.api.html import HEADERS
from twintown.api.jobs import StatusInfo, address, body_of, sees, told
from twintown.api.landing import base
from twintown.api.represent import absolute
from twintown.api.schemas import Link, Model
from twintown.ground.errors import NotFound, NotPossible
from twintown.jobs.queue import Queue, new_job
from twintown.jobs.results import subject_to_dict
from twintown.trust.grades import Grade

router = APIRouter(tags=["reports"])
KIND = "report"
VC, PDF = "application/vc", "application/pdf"
#: Nothing from outside and no script: a report is one file with its own style and pictures.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
ReportId = Annotated[
    str, Path(description="id of the report", max_length=64, examples=["01JGFJJZ000000000000000001"])
]


class Viewpoint(Model):
    """Where somebody stands and looks."""

    name: str = Field(default="", max_length=100)
    lon: float = Field(ge=-180, le=180, allow_inf_nan=False, description="degrees")
    lat: float = Field(ge=-90, le=90, allow_inf_nan=False, description="degrees")
    height_m: float = Field(ge=0.5, le=20_000, allow_inf_nan=False, description="above the ground")
    heading_deg: float = Field(ge=-360, le=360, allow_inf_nan=False, description="from true north, clockwise")
    pitch_deg: float = Field(ge=-90, le=90, allow_inf_nan=False, description="above the horizon")
    fov_deg: float = Field(
        default=60, ge=5, le=120, allow_inf_nan=False, description="angle of the longer side"
    )


class ReportRequest(Model):
    """What a report is asked for."""

    scenario: str = Field(min_length=1, max_length=80, description="id, or id@revision")
    with_: str = Field(
        default="base", alias="with", max_length=80, description="another scenario to set beside it, or base"
    )
    jobs: list[Annotated[str, Field(max_length=64)]] = Field(
        default=[],
        max_length=4,
        description="results whose processes and inputs are shown; sunlight by default",
    )
    viewpoints: list[Viewpoint] = Field(
        default=[], max_length=6, description="one from the south-west by default"
    )
    lang: Literal["ko", "en"] = "ko"
    title: str = Field(default="", max_length=200)
    time: str = Field(
        default="10:00",
        pattern=r"^([01]\d|2[0-3]):[0-5]\d$",
        description="whose shadows the pictures show, in the city's zone",
    )


class ReportEntry(Model):
    """A report that was made."""

    id: str
    title: str
    lang: str
    made: str = Field(description="ISO 8601, UTC")
    changed: bool = Field(description="whether a scenario has changed since, or is gone")
    digest: str
    links: list[Link]


class ReportList(Model):
    """The reports of a twin, the newest first."""

    reports: list[ReportEntry]
    links: list[Link]


@router.post(
    "/twins/{twin}/reports", operation_id="makeReport", status_code=201, response_model=StatusInfo,
    responses=problems.responses(400, 401, 404, 413, 429),
)  # fmt: skip
def make_report(request: Request, asked: Running, body: ReportRequest) -> Response:
    """Make a report of a scenario, as a job; what it needs is computed where it was not."""
    from twintown.scenario import report_request  # brings what draws

    twin, grant = asked.served.twin, asked.grant
    frozen = report_request.request(twin, grant, body.model_dump(by_alias=True))
    plan = frozen["scenarios"][0].partition("@")[0]
    job = Queue(twin.writing().tables).put(
        new_job(KIND, frozen, subject_to_dict(grant.subject), scenario=plan)
    )
    where = address(request, asked, job.id)
    answer = answers.answer_json(request, body_of(told(job, where)), cache="no-store")
    answer.status_code, answer.headers["Location"] = 201, where
    return answer


@router.get(
    "/twins/{twin}/reports", operation_id="getReports", response_model=ReportList, responses=problems.responses(400, 401, 404),
)  # fmt: skip
def get_reports(
    request: Request, asked: Reading,
    scenario: Annotated[str | None, Query(max_length=36, description="of this scenario")] = None,
    limit: Annotated[int, Query(ge=1, le=100, description="reports in the answer, at most")] = 20,
) -> Response:  # fmt: skip
    """Reports that you may see, the newest first."""
    from twintown.scenario import report_shown

    found = []
    for job in _made(asked, scenario or "", limit):
        shown = report_shown.show(asked.served.twin, job.id)
        said = job.results or {}
        found.append(
            ReportEntry(
                id=job.id,
                title=str(said["title"]),
                lang=str(said["lang"]),
                changed=shown.changed,
                digest=str(said["digest"]),
                made=job.finished.strftime("%Y-%m-%dT%H:%M:%SZ") if job.finished else "",
                links=_links(request, asked, job.id, said),
            )
        )
    here = absolute(request, f"{base(asked.served.id)}/reports")
    return answers.answer_json(
        request,
        ReportList(
            reports=found, links=[Link(href=here, rel="self", type="application/json", title="reports")]
        ),
        cache="no-store",
    )


def _made(asked: Asked, scenario: str, limit: int) -> list[Any]:
    queue = Queue(asked.served.twin.tables)
    known = queue.list(kinds=(KIND,), states=("successful",), scenario=scenario, limit=limit)
    seen = [job for job in known if sees(asked.grant.subject, job)]
    return [job for job in seen if asked.grant.covers(Grade.of(str((job.results or {}).get("grade", "C"))))]


def _links(request: Request, asked: Asked, id: str, said: Any) -> list[Link]:
    here = absolute(request, f"{base(asked.served.id)}/reports/{id}")
    links = [
        Link(href=here, rel="self", type="text/html", title="report"),
        Link(href=f"{here}?f=json", rel="describedby", type=VC, title="signed document"),
    ]
    if "report.pdf" in said.get("files", {}):
        links.append(Link(href=f"{here}?f=pdf", rel="alternate", type=PDF, title="PDF"))
    return links


@router.get(
    "/twins/{twin}/reports/{report}",
    operation_id="getReport",
    response_class=Response,
    responses={
        200: {
            "description": "The report as HTML, as PDF, or the signed document (W3C Verifiable Credential) over the digests of both",
            "content": {"text/html": {"schema": {"type": "string"}}, VC: {"schema": {"type": "object"}},
                        PDF: {"schema": {"type": "string", "format": "binary"}}},
        },
        **problems.responses(400, 401, 403, 404, 405),
    },
)  # fmt: skip
def get_report(
    request: Request, asked: Reading, report: ReportId,
    f: Annotated[Literal["html", "pdf", "json"], Query(description="html, pdf or json (signed)")] = "html",
) -> Response:  # fmt: skip
    """A report; its page says whether the scenario has changed since."""
    from twintown.scenario import report_shown

    twin = asked.served.twin
    if not sees(asked.grant.subject, Queue(twin.tables).get(report)):
        raise NotFound("there is no such report", report, "look at the list of reports")
    shown = report_shown.show(twin, report)
    asked.grant.require(shown.grade, report)
    if f == "json":
        return answers.answer(request, twin.blobs.get(f"reports/{report}/report.json"), VC, cache="no-store")
    said = Queue(twin.tables).get(report).results or {}
    if f == "pdf":
        if "report.pdf" not in said["files"]:
            raise NotPossible(str(said["without_pdf"]), report, "take the HTML, and print it")
        data = twin.blobs.get(f"reports/{report}/report.pdf")
        answer = answers.answer(request, data, PDF, cache="no-store")
        answer.headers["Content-Disposition"] = (
            f'inline; filename="report-{asked.served.id}-{report[-8:]}.pdf"'
        )
        return answer
    page = report_shown.page(twin, report, str(said["lang"]), _ways(request, asked, report, said))
    answer = answers.answer(request, page, "text/html; charset=utf-8", cache="no-store")
    answer.headers.update({**HEADERS, "Content-Security-Policy": POLICY})
    answer.headers["Content-Language"] = str(said["lang"])
    return answer


def _ways(request: Request, asked: Asked, id: str, said: Any) -> str:
    """The links of a report as HTML; nothing in them comes from outside."""
    words = {"ko": ("PDF 내려받기", "서명된 문서 (JSON)"), "en": ("Download PDF", "Signed document (JSON)")}[
        str(said["lang"])
    ]
    ways = [
        (word, link.href)
        for word, link in zip(reversed(words), _links(request, asked, id, said)[1:], strict=False)
    ]
    return (
        '<p class="quiet">'
        + " · ".join(f'<a href="{href}">{word}</a>' for word, href in reversed(ways))
        + "</p>"
    )
