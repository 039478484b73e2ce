"""Layers come in as files: `PUT` of a collection reads one of the formats that layers leave in, or makes an empty layer.

A body goes to a file of the twin as it arrives and is read from there; the layer is switched to once it is whole.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import orjson
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from twintown.api import answers, problems
from twintown.api.guard import Asked, LayerId
from twintown.api.items_body import Body, refused
from twintown.api.landing import base
from twintown.api.represent import absolute
from twintown.api.transactions import Writing
from twintown.formats.format import FORMATS, by_media_type
from twintown.formats.geojson_check import check, parse
from twintown.ground.columns import Column
from twintown.ground.errors import (
    BadInput,
    BadParameter,
    BadSettings,
    PreconditionFailed,
    TooLarge,
    TwintownError,
)
from twintown.ground.names import Name
from twintown.ground.provenance import Source
from twintown.store.blobs import storage_failed
from twintown.trust.grades import Grade
from twintown.twin import add
from twintown.twin.layers import Twin

router = APIRouter(tags=["transactions"])
SCHEMA = "application/schema+json"
TAKEN = (*(one.media_type for one in FORMATS.values()), SCHEMA)
_ALSO = tuple(kind for one in FORMATS.values() for kind in one.others if "/" in kind)
#: Bytes of a file.
MAX_BYTES = 64_000_000
#: A folder of the twin where bodies lie while they come, and the age at which one was left by a killed server, seconds.
UPLOADS, STALE_S = ".uploads", 6 * 3600.0
#: A document that is refused is looked at place by place up to this size, bytes.
_LOOKED_AT = 16_000_000
_FORMS = {"point": "Point", "linestring": "LineString", "polygon": "Polygon", "any": "GeometryCollection"}


class Finding(BaseModel):
    """What was odd in a file and could be mended or left out."""

    code: str
    where: str
    what: str


class Import(BaseModel):
    """What came in."""

    layer: str
    version: str
    count: int = Field(description="features")
    editable: bool = Field(description="whether single features can be written now")
    beside: list[str] = Field(description="further layers that the file held")
    findings: list[Finding]


def _text(description: str) -> Any:
    return Query(description=description, max_length=500)


def _about(request: Request, twin: Twin, layer: str) -> add.About:
    """What the query parameters say of a layer. Raises BadParameter."""
    said = request.query_params
    titles = {lang: said.get(f"title_{lang}", "") for lang in ("ko", "en")}
    title = Name.of({lang: text for lang, text in titles.items() if text} or said.get("title") or layer)
    try:
        licence = add.licence_of(
            twin, said.get("licence", ""), said.get("licence_title", ""), said.get("licence_url", ""),
            said.get("attribution", ""),
        )  # fmt: skip
        grade = Grade.of(said.get("grade", ""))
    except BadSettings as error:
        raise BadParameter(error.where, error.what, remedy=error.remedy) from error
    if not said.get("publisher"):
        raise BadParameter("publisher", "it is not said whose data it is", remedy="name who publishes it")
    source = Source(
        layer, said.get("source") or title.en, said["publisher"], licence, said.get("url", ""), said.get("date", ""),
        said.get("note", ""),
    )  # fmt: skip
    replace = request.headers.get("if-none-match", "").strip() != "*"
    return add.About(
        layer, title, source, grade, _flag(said, "editable", False), _flag(said, "locking", True), replace
    )


def _flag(said: Mapping[str, str], name: str, default: bool) -> bool:
    text = said.get(name)
    if text not in (None, "true", "false"):
        raise BadParameter(name, f"{text!r} is neither true nor false")
    return default if text is None else text == "true"


@router.put(
    "/twins/{twin}/collections/{layer}",
    operation_id="putCollection",
    response_model=Import,
    responses={
        **problems.responses(400, 401, 403, 404, 409, 412, 413, 415, 503, 507),
        201: {"model": Import, "headers": {"Location": {"schema": {"type": "string"}}}},
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in TAKEN},
        }
    },
)
async def put_collection(
    request: Request, asked: Writing, layer: LayerId,
    licence: Annotated[str, Query(description="SPDX identifier, such as CC-BY-4.0", max_length=100)],
    publisher: Annotated[str, Query(description="whose data it is", max_length=200)],
    grade: Annotated[str, Query(description="O open, S sensitive, C classified", pattern="^[OSCosc]$")],
    title: Annotated[str, _text("its name, in both languages")] = "", title_ko: Annotated[str, _text("its name in Korean")] = "",
    title_en: Annotated[str, _text("its name in English")] = "", source: Annotated[str, _text("the name of the file")] = "",
    attribution: Annotated[str, _text("words to stand beside it")] = "", licence_title: Annotated[str, _text("the licence in words")] = "",
    licence_url: Annotated[str, _text("where the licence stands")] = "", url: Annotated[str, _text("where the file is from")] = "",
    date: Annotated[str, _text("of the data, ISO 8601")] = "", note: Annotated[str, _text("what else is to be known")] = "",
    editable: Annotated[bool, Query(description="single features can be written later")] = False,
    locking: Annotated[bool, Query(description="who writes must say by If-Match which state is meant")] = True,
    crs: Annotated[str, Query(description="of the coordinates, where the file does not say: EPSG:5186", max_length=100)] = "",
    id_column: Annotated[str, Query(description="the column that makes the ids", max_length=100)] = "",
) -> Response:  # fmt: skip
    """Add a layer from a file, or take the place of one that was added. With a JSON Schema as body: an empty layer."""
    served = asked.served
    about = _about(request, served.twin, layer)
    kind = Body.of(request, (*TAKEN, *_ALSO)).kind
    await run_in_threadpool(_checked, served.twin, about, asked)
    folder = served.twin.directory / UPLOADS
    path = await run_in_threadpool(place, folder)
    try:
        await receive(request, path)
        added = await run_in_threadpool(_take, served.twin, about, kind, path, asked, crs, id_column)
    finally:
        await run_in_threadpool(path.unlink, True)
    made, findings = added.version, [Finding(**vars(one)) for one in added.findings[:100]]
    editable, beside = bool(made.meta.get("editable")), list(added.beside)
    body = Import(
        layer=layer, findings=findings, version=made.version, count=made.count, editable=editable, beside=beside
    )  # fmt: skip
    where = {"Location": absolute(request, f"{base(served.id)}/collections/{layer}")} if added.created else {}
    status, headers = 201 if added.created else 200, {"Cache-Control": answers.PRIVATE, **where}
    return Response(answers.dumps(body), status, headers, "application/json")


@router.delete(
    "/twins/{twin}/collections/{layer}",
    operation_id="deleteCollection",
    status_code=204,
    response_class=Response,
    responses=problems.responses(400, 401, 403, 404, 405, 503),
)
def delete_collection(asked: Writing, layer: LayerId) -> Response:
    """Take away a layer that was added."""
    add.remove(asked.served.twin, layer, asked.grant)
    _settle(asked.served.twin)
    return Response(status_code=204)


def _checked(twin: Twin, about: add.About, asked: Asked) -> None:
    """Whether the layer may come at all, before its body is read. Raises BadParameter, Conflict, PreconditionFailed."""
    try:
        before = add.check(twin, replace(about, replace=True), asked.grant)
    except BadSettings as error:
        raise BadParameter(error.where or "layer", error.what, remedy=error.remedy) from error
    if before is not None and not about.replace:
        raise PreconditionFailed(
            "there is such a layer already", about.layer, "leave If-None-Match away to replace it"
        )


def place(folder: Path) -> Path:
    """A new file for a body; what killed servers left is removed. Raises StorageFailed."""
    try:
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            if time.time() - old.stat().st_mtime > STALE_S:
                old.unlink(missing_ok=True)
    except OSError as error:
        raise storage_failed(error, str(folder)) from error
    return folder / uuid4().hex


async def receive(request: Request, path: Path, most: int = 0) -> None:
    """The body into a file, piece by piece, `most` bytes (those of a layer by default). Raises TooLarge, StorageFailed."""
    size, most = 0, most or MAX_BYTES
    try:
        with path.open("xb") as file:
            async for part in request.stream():
                size += len(part)
                if size > most:
                    raise TooLarge(f"a file has at most {most:,} bytes here", remedy="use the command line")
                await run_in_threadpool(file.write, part)
            os.fsync(file.fileno())
    except OSError as error:
        raise storage_failed(error, str(path)) from error
    if not size:
        raise BadInput("the body is empty", "body", "send a file")


def _take(
    twin: Twin, about: add.About, kind: str, path: Path, asked: Asked, crs: str, id_column: str
) -> add.Added:
    try:
        if kind == SCHEMA:
            geometry, columns = declared(path.read_bytes())
            added = add.add_empty(twin, about, geometry, columns, asked.grant)
        else:
            chosen = by_media_type(kind)
            assert chosen is not None  # `Body.of` let it pass
            added = add.add_file(twin, about, chosen, path, asked.grant, crs=crs, id_column=id_column)
    except BadSettings as error:
        raise BadInput(error.what, error.where, error.remedy) from error
    except BadInput as error:
        if kind == FORMATS["geojson"].media_type and path.stat().st_size <= _LOOKED_AT:
            flaws = check(path.read_bytes(), lonlat=not crs).flaws
            if any(flaw.severity == "error" for flaw in flaws):
                raise refused(flaws) from error
        raise _nameless(error, path) from error
    except OSError as error:
        raise storage_failed(error, str(path)) from error
    _settle(twin)
    return added


def _nameless(error: TwintownError, path: Path) -> TwintownError:
    """The same error, without the name that the body had among our files."""
    name = str(path)
    if isinstance(error, BadParameter):
        return error
    where = error.where.replace(name, "the body").replace(path.name, "the body")
    return type(error)(error.what.replace(name, "the body"), where, error.remedy.replace(name, "the body"))


def declared(raw: bytes) -> tuple[str, list[Column]]:
    """Geometry type and columns of a JSON Schema, written as `/collections/{layer}/schema` writes them.

    Raises:
        BadContent, BadInput: it is no such schema.
    """
    document, flaws = parse(raw)
    if flaws:
        raise refused(tuple(flaws))
    properties = document.get("properties") if isinstance(document, dict) else None
    if not isinstance(properties, dict):
        raise BadInput("the schema has no object `properties`", "body", "write one property a column")
    geometry, columns = "", []
    for name, said in properties.items():
        where = f"/properties/{name}"
        if not isinstance(said, dict):
            raise BadInput("a property is an object", where)
        form = str(said.get("format", ""))
        if form.startswith("geometry-") or said.get("x-ogc-role") == "primary-geometry":
            geometry = _FORMS.get(form.removeprefix("geometry-").partition("-or-")[0], "")
            if not geometry:
                remedy = f"use one of {', '.join(f'geometry-{one}' for one in _FORMS)}"
                raise BadInput(f"{form!r} is no type of geometry that a layer can have", where, remedy)
        elif said.get("x-ogc-role") != "id":
            columns.append(_column(name, said, where))
    return geometry, columns


def _column(name: str, said: Mapping[str, Any], where: str) -> Column:
    kind = said.get("type")
    kinds = [one for one in kind if one != "null"] if isinstance(kind, list) else [kind]
    if len(kinds) != 1 or kinds[0] not in ("string", "integer", "number", "boolean"):
        raise BadInput(f"{orjson.dumps(kind).decode()} is no type of a column", where,
                       "use string, integer, number or boolean, and format date-time for times")  # fmt: skip
    timely = kinds[0] == "string" and said.get("format") in ("date-time", "date")
    title = str(said.get("title") or name)
    return Column(
        name, "datetime" if timely else kinds[0], str(said.get("x-ogc-unit", "")), Name(title, title)
    )


def _settle(twin: Twin) -> None:
    from twintown.build.run import settle  # sources and processes with it, which a server starts without

    settle(twin.writing())
