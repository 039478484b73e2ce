"""What can be computed about a twin: the list of its processes, and each with its inputs, outputs, papers and measured errors.

OGC API - Processes - Part 1: Core 1.0 (18-062r2); the descriptions follow its OGC Process Description.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field
from starlette.responses import Response

from twintown.api import problems
from twintown.api.guard import Asked, Reading
from twintown.api.landing import REL, base
from twintown.api.openapi30 import schema
from twintown.api.represent import HTML, JSON, Language, Shown, absolute, represent, word
from twintown.api.schemas import Link, Model, Names
from twintown.ground.errors import NoSuchProcess, NotFound
from twintown.ground.names import Name
from twintown.jobs import deputy
from twintown.jobs.process import Input, Output, Process, processes
from twintown.jobs.question import EDITED
from twintown.jobs.warrants import citations, measurements

router = APIRouter(tags=["processes"])
_CONF = "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf"
CALLBACK = f"{_CONF}/callback"
CONFORMANCE = (
    f"{_CONF}/core", f"{_CONF}/ogc-process-description", f"{_CONF}/json", f"{_CONF}/html", f"{_CONF}/oas30",
    f"{_CONF}/job-list", CALLBACK, f"{_CONF}/dismiss",
)  # fmt: skip
CONTROL: tuple[Literal["sync-execute", "async-execute", "dismiss"], ...] = ("sync-execute", "async-execute", "dismiss")  # fmt: skip
TRANSMISSION: tuple[Literal["value", "reference"], ...] = ("value", "reference")
#: As what an output leaves, by its shape: the first is the default.
FORMATS: Mapping[str, tuple[str, ...]] = {
    "grid": ("image/tiff; application=geotiff", "application/prs.coverage+json"),
    "features": ("application/geo+json", "application/vnd.apache.parquet", "text/csv"),
    "series": ("application/prs.coverage+json", "text/csv", "application/json"),
}
_TYPES: Mapping[type, str] = {
    str: "string", bool: "boolean", int: "integer", float: "number", list: "array", tuple: "array", dict: "object",
}  # fmt: skip
ProcessId = Annotated[str, Path(description="id of the process", max_length=64, examples=["sunlight"])]


class Metadata(Model):
    """A document about a process: a paper that it follows, a case that measures its error."""

    title: str
    role: str
    href: str | None = None


class Measured(Model):
    """One measured error of a method."""

    case: str
    kernel: str
    what: str
    error: float
    tolerance: float
    unit: str = Field(description="UCUM")
    holds: bool = Field(description="whether the error is within its tolerance")


class Cited(Model):
    """A publication that a method is taken from."""

    key: str
    text: str
    doi: str


class ProcessSummary(Model):
    """A process in the list."""

    id: str
    title: str = Field(description="in the language of the answer")
    description: str = Field(description="in the language of the answer")
    version: str
    names: Names
    keywords: list[str]
    metadata: list[Metadata] = Field(description="papers and validation cases")
    jobControlOptions: list[Literal["sync-execute", "async-execute", "dismiss"]]
    outputTransmission: list[Literal["value", "reference"]]
    links: list[Link]


class InputModel(Model):
    """One input: its unit is `x-ogc-unit` (UCUM) in the schema."""

    title: str
    description: str
    names: Names
    minOccurs: int
    maxOccurs: int
    schema_: dict[str, Any] = Field(alias="schema", description="JSON Schema, as OpenAPI 3.0 has it")


class OutputModel(Model):
    """One output: a layer of the twin once the job is done."""

    title: str
    description: str
    names: Names
    shape: Literal["features", "grid", "series"]
    unit: str = Field(description="UCUM")
    error: float = Field(description="values that differ by no more are the same within the method's error")
    schema_: dict[str, Any] = Field(alias="schema")


class ProcessModel(ProcessSummary):
    """A process: what it takes, what it gives, and what is known of its error."""

    inputs: dict[str, InputModel]
    outputs: dict[str, OutputModel]
    needs: list[str] = Field(description="layers without which there is no answer")
    takes: list[str] = Field(description="layers that are used where the twin has them")
    error: Names | None = Field(description="how far off it is, in words")
    citations: list[Cited]
    validation: list[Measured]


class ProcessList(Model):
    """The processes that this twin can be asked."""

    processes: list[ProcessSummary]
    links: list[Link]


def load() -> None:
    """Load the installed processes: their compiler takes seconds, and who asks first need not wait."""
    processes()


def edited(process: Process) -> bool:
    """Whether the edits of a scenario change what the process reads."""
    return bool({*process.needs, *process.takes} & set(EDITED))


def offered(asked: Asked) -> list[Process]:
    """The processes whose layers the twin has, as far as the Grant shows them; by id."""
    there = deputy.layers(asked.served.twin, asked.grant)
    working = (one for id, one in sorted(processes().working.items()) if asked.grant.may_run(id))
    return [one for one in working if set(one.needs) <= there]


def find(asked: Asked, process: str) -> Process:
    """One process of a twin.

    Raises:
        NoSuchProcess: there is none, or the twin lacks a layer that it needs.
        PluginFailed: it is broken.
    """
    deputy.may_run(asked.grant, process)
    try:
        found = processes().find(process[:80])
    except NotFound as error:
        raise NoSuchProcess(error.what, asked.served.id, error.remedy) from error
    lacking = [one for one in found.needs if one not in deputy.layers(asked.served.twin, asked.grant)]
    if lacking:
        what = f"{found.id} cannot be asked here: it needs the layer {lacking[0]!r}"
        raise NoSuchProcess(what, asked.served.id, "ask another twin, or add the layer")
    return found


@router.get(
    "/twins/{twin}/processes",
    operation_id="getProcesses",
    response_model=ProcessList,
    responses=problems.responses(400, 401, 404, 406),
)
def get_processes(
    request: Request,
    asked: Reading,
    form: Shown,
    limit: Annotated[int, Query(ge=1, le=1000, description="processes in the answer, at most")] = 100,
) -> Response:
    """What can be computed about this twin."""
    here = absolute(request, f"{base(asked.served.id)}/processes")
    found = [_summary(here, one, form.lang) for one in offered(asked)[:limit]]
    links = [
        Link(
            href=absolute(request, f"{base(asked.served.id)}/jobs"),
            rel=f"{REL}job-list",
            type=JSON,
            title="jobs",
        )
    ]
    return represent(request, ProcessList(processes=found, links=links), form, "processes")


@router.get(
    "/twins/{twin}/processes/{process}",
    operation_id="getProcessDescription",
    response_model=ProcessModel,
    responses=problems.responses(400, 401, 404, 406, 500),
)
def get_process(request: Request, asked: Reading, process: ProcessId, form: Shown) -> Response:
    """One process: its inputs with units and ranges, its outputs, the papers that it follows, its measured errors."""
    here, found = absolute(request, f"{base(asked.served.id)}/processes"), find(asked, process)
    return represent(request, describe(here, found, form.lang), form, "process")


def _summary(here: str, process: Process, lang: Language) -> ProcessSummary:
    address = f"{here}/{quote(process.id, safe='')}"
    papers = [
        Metadata(title=one.text, role="citation", href=f"https://doi.org/{one.doi}" if one.doi else None)
        for one in citations(process.citations)
    ]
    cases = [Metadata(title=f"validation/{case}.py", role="validation") for case in process.validation]
    return ProcessSummary(
        id=process.id, title=word(process.title, lang), description=word(process.about or process.title, lang),
        version=process.version, names=Names.of(process.title), keywords=[*process.needs, *process.takes],
        metadata=[*papers, *cases], jobControlOptions=list(CONTROL), outputTransmission=list(TRANSMISSION),
        links=[
            Link(href=address, rel="self", type=JSON, title=word(process.title, lang)),
            Link(href=f"{address}?f=html", rel="alternate", type=HTML, title=word(process.title, lang)),
            Link(href=f"{address}/execution", rel=f"{REL}execute", type=JSON, title="execute"),
        ],
    )  # fmt: skip


def describe(here: str, process: Process, lang: Language) -> ProcessModel:
    """The description of a process; `here` is the address of the list."""
    summary = _summary(here, process, lang)
    inputs = {one.name: _input(one, lang) for one in process.inputs}
    if edited(process):
        inputs["scenario"] = _SCENARIO[lang]
    return ProcessModel(
        **{name: getattr(summary, name) for name in ProcessSummary.model_fields},
        inputs=inputs, outputs={one.layer: _output(one, lang) for one in process.outputs},
        needs=list(process.needs), takes=list(process.takes),
        error=None if process.error is None else Names.of(process.error),
        citations=[Cited(**one.to_dict()) for one in citations(process.citations)],
        validation=[Measured(**one.to_dict()) for one in measurements(process.validation)],
    )  # fmt: skip


def _input(one: Input, lang: Language) -> InputModel:
    return InputModel(
        title=word(one.title, lang), description=word(one.about or one.title, lang), names=Names.of(one.title),
        minOccurs=0, maxOccurs=1, schema=schema_of(one),
    )  # fmt: skip


def schema_of(one: Input) -> dict[str, Any]:
    """The JSON Schema (OpenAPI 3.0) of an input, with its unit as `x-ogc-unit`."""
    kinds = [_TYPES[kind] for kind in one.types if kind in _TYPES]
    if "number" in kinds:
        kinds = [kind for kind in kinds if kind != "integer"]
    kinds = list(dict.fromkeys(kinds))
    said: dict[str, Any] = (
        {"type": kinds[0]} if len(kinds) == 1 else {"oneOf": [{"type": kind} for kind in kinds]}
    )
    if one.schema is not None:
        said = dict(one.schema)
    if type(None) in one.types:
        said["nullable"] = True
    if one.choices:
        said["enum"] = list(one.choices)
    if one.minimum is not None:
        said["minimum"] = one.minimum
    if one.maximum is not None:
        said["maximum"] = one.maximum
    if one.default is not None:
        said["default"] = one.default
    return {**schema(said), "x-ogc-unit": one.unit, "x-ogc-unitLang": "UCUM"}


def _output(one: Output, lang: Language) -> OutputModel:
    kinds = [
        {"type": "object", "contentMediaType": kind}
        if "json" in kind
        else {"type": "string", "format": "byte", "contentMediaType": kind, "contentEncoding": "base64"}
        for kind in FORMATS[one.shape]
    ]
    return OutputModel(
        title=word(one.title, lang), description=word(one.title, lang), names=Names.of(one.title), shape=one.shape,
        unit=one.unit, error=one.error, schema={"oneOf": kinds, "x-ogc-unit": one.unit, "x-ogc-unitLang": "UCUM"},
    )  # fmt: skip


def _scenario(lang: Language) -> InputModel:
    title = Name("시나리오", "Scenario")
    about = Name(
        "이 시나리오의 편집을 적용한 도시에 묻습니다: id, 또는 id@개정. 없으면 지금의 도시.",
        "Ask of the city with the edits of this scenario: id, or id@revision. Without it, of the city as it is.",
    )
    return InputModel(
        title=word(title, lang), description=word(about, lang), names=Names.of(title), minOccurs=0, maxOccurs=1,
        schema={"type": "string", "maxLength": 80, "pattern": r"^[0-9A-Za-z-]{1,36}(?:@[0-9]{1,9})?$"},
    )  # fmt: skip


_SCENARIO: Mapping[Language, InputModel] = {"en": _scenario("en"), "ko": _scenario("ko")}
