"""What a job came to: each output by value (GeoTIFF, GeoJSON, CoverageJSON, Parquet, CSV) or as a link to its layer.

A result is a layer of the twin, so that by reference is the usual way: its items, its map, its tiles and its style are where those of
every other layer are.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote
from uuid import uuid4

from fastapi import Request
from starlette.responses import Response

from twintown.api import answers, coverage_bodies, items_files, problems, series
from twintown.api.guard import Asked
from twintown.api.items_query import Question
from twintown.api.landing import base
from twintown.api.processes import FORMATS
from twintown.api.represent import absolute
from twintown.formats.format import FORMATS as WRITTEN
from twintown.ground.errors import BadParameter, NotReady, TooLarge
from twintown.jobs import results
from twintown.jobs.job import Job
from twintown.twin.layers import LayerVersion

#: Bytes that come by value at most, in one answer.
MOST = 256_000_000
#: The short names of media types, as `f` has them.
SHORT = {
    "image/tiff; application=geotiff": "cog", "application/prs.coverage+json": "covjson", "application/geo+json": "geojson",
    "application/vnd.apache.parquet": "parquet", "text/csv": "csv", "application/json": "json",
}  # fmt: skip


@dataclass(frozen=True)
class Wanted:
    """How one output is to be sent: by `value` or by `reference`, and as which media type ("" is its first)."""

    transmission: Literal["value", "reference"] = "value"
    media_type: str = ""


@dataclass(frozen=True)
class Value:
    """One output by value."""

    media_type: str
    body: bytes


def shape_of(version: LayerVersion) -> str:
    """Which of the three shapes of outputs a layer is."""
    return "features" if version.kind == "table" else version.kind


def offered(shape: str, media_type: str, name: str) -> str:
    """The media type that is sent for the one that is wanted ("" is the first).

    Raises:
        BadParameter: the output does not leave as that.
    """
    kinds = FORMATS[shape]
    if not media_type:
        return kinds[0]
    bare = media_type.partition(";")[0].strip().lower()
    for kind in kinds:
        if bare in (kind, kind.partition(";")[0], SHORT[kind]):
            return kind
    raise BadParameter(
        "outputs", f"{name} does not leave as {media_type[:80]!r}", remedy=f"use one of {', '.join(kinds)}"
    )


def value_of(
    request: Request, asked: Asked, version: LayerVersion, media_type: str = "", name: str = ""
) -> Value:
    """A result by value, as far as the Grant lets it out.

    Raises:
        BadParameter: see `offered`; TooLarge: it comes by reference only.
        NotFound, Gone, Denied: see `Twin.read`.
    """
    shape = shape_of(version)
    kind = offered(shape, media_type, name or version.layer)
    if int(version.meta.get("bytes") or 0) > MOST:
        raise TooLarge("the result is too large to come by value", name or version.layer, "ask by reference")
    if shape == "grid":
        body = _grid(asked, version, kind)
    elif shape == "series":
        body = _series(request, asked, version, kind)
    else:
        body = _rows(asked, version, kind)
    return Value(kind, body)


def _grid(asked: Asked, version: LayerVersion, kind: str) -> bytes:
    from twintown.api.coverage import MAX_CELLS
    from twintown.twin.cells import Cells

    cells = Cells(asked.served.twin, version, asked.grant)
    if SHORT[kind] == "covjson":
        lattice = cells.lattice
        if lattice.rows * lattice.cols * len(cells.fields) > MAX_CELLS["covjson"]:
            raise TooLarge(
                f"more than {MAX_CELLS['covjson']:,} cells", version.layer, "ask for GeoTIFF, or by reference"
            )
        return coverage_bodies.covjson(cells, lattice)
    if cells.open:
        return asked.served.twin.blobs.get(version.key)
    return coverage_bodies.tiff(cells, cells.lattice)


def _series(request: Request, asked: Asked, version: LayerVersion, kind: str) -> bytes:
    found = asked.served.series(version, asked.grant)
    names = tuple(series.chosen(found, None, asked.grant.columns))
    said = series.render(found, series.Cut(names, "none", "mean", None))
    return series.written(said, version, SHORT[kind])


def _rows(asked: Asked, version: LayerVersion, kind: str) -> bytes:
    view = asked.served.view(version, asked.grant)
    about = items_files.told(asked.served, asked.grant, version, view)
    form = WRITTEN[SHORT[kind]]
    parts, size = [], 0
    for part in items_files.pieces(form, about, view, Question()):
        size += len(part)
        if size > MOST:
            raise TooLarge("the result is too large to come by value", version.layer, "ask by reference")
        parts.append(part)
    return b"".join(parts)


def reference(request: Request, asked: Asked, version: LayerVersion) -> dict[str, str]:
    """A result as a link to the collection that it is."""
    path = f"{base(asked.served.id)}/collections/{quote(version.layer, safe='')}"
    return {
        "href": absolute(request, path), "rel": "item", "type": "application/json",
        "title": version.title.en,
    }  # fmt: skip


def wanted_of(job: Job) -> dict[str, Wanted]:
    """How each output was asked for when the job was made; all by value where nothing was said."""
    said = (job.request.get("respond") or {}).get("outputs") or {}
    return {
        name: Wanted(one.get("transmission", "value"), one.get("media_type", ""))
        for name, one in said.items()
    }


def made(asked: Asked, job: Job) -> dict[str, LayerVersion]:
    """The layers of a job that is done, those that were asked for, by output.

    Raises:
        NotReady: it is not done.
        Gone, Unauthenticated, Denied: see `results.versions`.
    """
    if not job.over:
        raise NotReady(f"the job is {job.state}", job.id, "ask again when its status is successful")
    versions = results.versions(asked.served.twin, asked.grant, job)
    chosen = wanted_of(job)
    return {name: one for name, one in versions.items() if not chosen or name in chosen}


def respond(request: Request, asked: Asked, job: Job, headers: Mapping[str, str] | None = None) -> Response:
    """The results of a successful job as they were asked for: as a document, or raw (18-062r2, tables 11 and 12)."""
    sent = {"Cache-Control": "no-store", "Vary": "Accept, Authorization, Cookie", **(headers or {})}
    versions, wanted = made(asked, job), wanted_of(job)
    by = {name: wanted.get(name, Wanted()) for name in versions}
    if (job.request.get("respond") or {}).get("response") == "raw":
        return _raw(request, asked, job, versions, by, sent)
    document = {name: _inline(request, asked, one, by[name], name) for name, one in versions.items()}
    return answers.answer(request, answers.dumps(document), cache="no-store", headers=sent)


def _inline(request: Request, asked: Asked, version: LayerVersion, how: Wanted, name: str) -> dict[str, Any]:
    if how.transmission == "reference":
        return reference(request, asked, version)
    value = value_of(request, asked, version, how.media_type, name)
    if "json" in value.media_type:
        return {"value": answers.loads(value.body), "mediaType": value.media_type}
    if value.media_type.startswith("text/"):
        return {"value": value.body.decode(), "mediaType": value.media_type}
    return {
        "value": base64.b64encode(value.body).decode(),
        "mediaType": value.media_type,
        "encoding": "base64",
    }


def _raw(
    request: Request, asked: Asked, job: Job, versions: Mapping[str, LayerVersion], by: Mapping[str, Wanted],
    sent: Mapping[str, str],
) -> Response:  # fmt: skip
    here = absolute(request, f"{base(asked.served.id)}/jobs/{quote(job.id, safe='')}/results")
    links = [
        f'<{reference(request, asked, one)["href"]}>; rel="item"; title="{name}"'
        for name, one in versions.items()
        if by[name].transmission == "reference"
    ]
    if len(links) == len(versions):  # nothing by value: the headers say where
        joined = ", ".join([*([sent["Link"]] if "Link" in sent else []), *links])
        return Response(status_code=204, headers={**sent, "Link": joined})
    if len(versions) == 1:
        ((name, version),) = versions.items()
        value = value_of(request, asked, version, by[name].media_type, name)
        return Response(value.body, media_type=value.media_type, headers=dict(sent))
    boundary = f"twintown-{uuid4().hex}"
    parts = []
    for name, version in versions.items():
        if by[name].transmission == "reference":
            where = reference(request, asked, version)["href"]
            parts.append(_part(boundary, name, "", b"", where))
        else:
            value = value_of(request, asked, version, by[name].media_type, name)
            parts.append(
                _part(boundary, name, value.media_type, value.body, f"{here}/{quote(name, safe='')}")
            )
    body = b"".join(parts) + f"--{boundary}--\r\n".encode()
    return Response(body, media_type=f"multipart/related; boundary={boundary}", headers=dict(sent))


def _part(boundary: str, name: str, media_type: str, body: bytes, where: str) -> bytes:
    head = [f"--{boundary}", f"Content-ID: <{name}>", f"Content-Location: {where}"]
    if media_type:
        head.append(f"Content-Type: {media_type}")
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body + b"\r\n"


def refused(request: Request, job: Job) -> Response:
    """The answer where there are no results and never will be: why the job failed, as a problem."""
    said = dict(job.problem or {})
    status = int(said.get("status") or 500)
    return problems.problem(
        request,
        status if 400 <= status < 600 else 500,
        str(said.get("detail") or "the job failed"),
        kind=str(said.get("type") or "about:blank"),
        parameter=said.get("parameter"),
    )
