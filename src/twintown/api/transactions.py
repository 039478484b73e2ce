"""Writing features: create, replace, update, delete, with optimistic locking (OGC API - Features Part 4, draft 20-002r1).

A write is acknowledged once it is on the disk. Who changes a feature says by `If-Match` which state of it is meant, so
that nobody's change is lost unseen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any
from urllib.parse import quote

import orjson
from fastapi import APIRouter, Depends, Header, Path, Request
from pydantic import BaseModel, Field
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from twintown.api import answers, guard, problems
from twintown.api.guard import Asked, LayerId, TwinId
from twintown.api.items_body import PATCH, SENT, Body, document, feature_id, merged
from twintown.api.items_condition import Condition
from twintown.api.landing import base
from twintown.api.problems import Place
from twintown.api.represent import absolute
from twintown.ground.errors import (
    BadParameter,
    Busy,
    Conflict,
    NotFound,
    StorageFailed,
)
from twintown.store.tables import new_version
from twintown.twin import edits
from twintown.twin.edits import Change, Draft, Present, Written

router = APIRouter(tags=["transactions"])
_PART = "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf"
CONFORMANCE = (
    f"{_PART}/create-replace-delete", f"{_PART}/update", f"{_PART}/optimistic-locking-etags", f"{_PART}/features",
)  # fmt: skip
#: Features in one body.
MAX_FEATURES = 10_000


class Receipt(BaseModel):
    """What was written."""

    ids: list[str] = Field(description="of the features, in the order in which they were sent")
    revision: str = Field(description="names the state of the layer with this write in it")
    warnings: list[Place] = Field(description="what was odd and was taken all the same")


def may_write(request: Request, twin: TwinId) -> Asked:
    """The dependency of every route that changes one twin."""
    return guard.enter(request, twin, "write")


Writing = Annotated[Asked, Depends(may_write)]
ItemId = Annotated[str, Path(description="id of the feature; slashes in it stay", examples=["bench/7"])]
IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", description="the ETag of the state that is meant; * means whichever is there"),
]
IfNoneMatch = Annotated[
    str | None, Header(alias="If-None-Match", description="*: only where there is no such feature yet")
]
ContentCrs = Annotated[
    str | None,
    Header(
        alias="Content-Crs",
        description="URI of the CRS of the coordinates, in the order of its axes; longitude, latitude by default",
    ),
]


def _body(schema: dict[str, Any], *kinds: str) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {kind: {"schema": schema} for kind in kinds}}}


_FEATURE: dict[str, Any] = {
    "type": "object", "required": ["type", "geometry", "properties"],
    "properties": {
        "type": {"const": "Feature"}, "id": {"type": ["string", "number"]},
        "geometry": {"type": ["object", "null"]}, "properties": {"type": ["object", "null"]},
    },
}  # fmt: skip
_COLLECTION: dict[str, Any] = {
    "type": "object", "required": ["type", "features"],
    "properties": {"type": {"const": "FeatureCollection"}, "features": {"type": "array", "items": _FEATURE}},
}  # fmt: skip
_PROBLEMS = problems.responses(400, 401, 403, 404, 405, 409, 412, 413, 415, 428, 503, 507)
_ETAG = {"ETag": {"schema": {"type": "string"}, "description": "of the feature as it is now"}}
_LOCATION = {"Location": {"schema": {"type": "string"}, "description": "address of the new feature"}}


@router.post(
    "/twins/{twin}/collections/{layer}/items",
    operation_id="createItems",
    status_code=201,
    response_model=Receipt,
    responses={**_PROBLEMS, 201: {"headers": {**_ETAG, **_LOCATION}}},
    openapi_extra=_body({"oneOf": [_FEATURE, _COLLECTION]}, *SENT),
)
async def create_items(
    request: Request, asked: Writing, layer: LayerId, content_crs: ContentCrs = None
) -> Response:
    """One feature, or a collection of them of which all are taken or none. An `id` is kept; without, one is given."""
    served = asked.served
    await run_in_threadpool(lambda: edits.check_editable(served.twin.version(layer, asked.grant)))
    raw = await Body.of(request, SENT).read(request)

    def work() -> Response:
        sent = document(raw, served.twin, layer, asked.grant, content_crs)
        if len(sent.drafts) > MAX_FEATURES:
            raise BadParameter(
                "body", f"more than {MAX_FEATURES:,} features", remedy="send them in several bodies"
            )
        ids = [
            _given(feature, path) or new_version()
            for feature, path in zip(sent.features, sent.paths, strict=True)
        ]
        if len(set(ids)) < len(ids):
            twice = next(one for one in ids if ids.count(one) > 1)
            raise BadParameter(
                "id", f"{twice[:80]!r} stands twice among the features", remedy="give each its own"
            )
        changes = [Change(one, _new(layer, one, draft)) for one, draft in zip(ids, sent.drafts, strict=True)]
        done = edits.write(served.twin, layer, asked.grant, changes)
        body = answers.dumps(Receipt(ids=ids, revision=done.token, warnings=sent.warnings))
        headers = {"Cache-Control": answers.PRIVATE}
        if sent.single:
            headers |= _tagged(layer, ids[0], done) | {
                "Location": _address(request, served.id, layer, ids[0])
            }
        return _response(asked, layer, done, 201, headers, body)

    return await run_in_threadpool(work)


@router.put(
    "/twins/{twin}/collections/{layer}/items/{item:path}",
    operation_id="replaceItem",
    status_code=204,
    response_class=Response,
    responses={
        **_PROBLEMS,
        204: {"headers": _ETAG},
        201: {"model": Receipt, "headers": {**_ETAG, **_LOCATION}},
    },
    openapi_extra=_body(_FEATURE, *SENT),
)
async def replace_item(
    request: Request, asked: Writing, layer: LayerId, item: ItemId,
    if_match: IfMatch = None, if_none_match: IfNoneMatch = None, content_crs: ContentCrs = None,
) -> Response:  # fmt: skip
    """A feature as it is sent takes the place of the one with this id, or is the first with it."""
    served = asked.served
    locking = await run_in_threadpool(_writable, asked, layer)
    raw = await Body.of(request, SENT).read(request)

    def work() -> Response:
        feature_id(item)
        sent = document(raw, served.twin, layer, asked.grant, content_crs, single=True)
        said = _given(sent.features[0], ())
        if said not in ("", item):
            raise BadParameter(
                "id", f"the body says {said[:80]!r} and the address {item[:80]!r}", remedy="say the same"
            )
        condition = Condition.of(layer, item, locking, if_match, if_none_match)

        def make(present: Present | None) -> Draft:
            condition.hold(present)
            return sent.drafts[0]

        done = edits.write(served.twin, layer, asked.grant, [Change(item, make)])
        headers = _tagged(layer, item, done)
        if item not in done.created:
            return _response(asked, layer, done, 204, headers)
        headers |= {"Location": _address(request, served.id, layer, item), "Cache-Control": answers.PRIVATE}
        body = answers.dumps(Receipt(ids=[item], revision=done.token, warnings=sent.warnings))
        return _response(asked, layer, done, 201, headers, body)

    return await run_in_threadpool(work)


@router.patch(
    "/twins/{twin}/collections/{layer}/items/{item:path}",
    operation_id="updateItem",
    status_code=204,
    response_class=Response,
    responses={**_PROBLEMS, 204: {"headers": _ETAG}},
    openapi_extra=_body({"type": "object"}, PATCH),
)
async def update_item(
    request: Request, asked: Writing, layer: LayerId, item: ItemId,
    if_match: IfMatch = None, content_crs: ContentCrs = None,
) -> Response:  # fmt: skip
    """A part of a feature: what is sent takes its place, null removes it, what is not sent stays (RFC 7396)."""
    served = asked.served
    locking = await run_in_threadpool(_writable, asked, layer)
    raw = await Body.of(request, (PATCH,)).read(request)

    def work() -> Response:
        condition = Condition.of(layer, item, locking, if_match)

        def make(present: Present | None) -> Draft:
            if present is None:
                raise _absent(layer, item)
            condition.hold(present)
            return merged(raw, present, served.twin, layer, asked.grant, content_crs, item)

        done = edits.write(served.twin, layer, asked.grant, [Change(item, make)])
        return _response(asked, layer, done, 204, _tagged(layer, item, done))

    return await run_in_threadpool(work)


@router.delete(
    "/twins/{twin}/collections/{layer}/items/{item:path}",
    operation_id="deleteItem",
    status_code=204,
    response_class=Response,
    responses=_PROBLEMS,
)
def delete_item(asked: Writing, layer: LayerId, item: ItemId, if_match: IfMatch = None) -> Response:
    """Remove a feature."""
    condition = Condition.of(layer, item, _writable(asked, layer), if_match)

    def make(present: Present | None) -> None:
        if present is None:
            raise _absent(layer, item)
        condition.hold(present)

    done = edits.write(asked.served.twin, layer, asked.grant, [Change(item, make)])
    return _response(asked, layer, done, 204, {})


def _writable(asked: Asked, layer: str) -> bool:
    """Whether writers to the layer must say which state they mean. Raises NotFound, NotPossible."""
    version = asked.served.twin.version(layer, asked.grant)
    edits.check_editable(version)
    return bool(version.meta.get("locking", True))


def _new(layer: str, item: str, draft: Draft) -> Callable[[Present | None], Draft]:
    def make(present: Present | None) -> Draft:
        if present is not None:
            raise Conflict(
                f"there is a feature {item[:80]!r} already",
                layer,
                "replace it with PUT, or leave the id away",
            )
        return draft

    return make


def _absent(layer: str, item: str) -> NotFound:
    return NotFound(f"there is no {item[:80]!r} in {layer}", remedy="see its items for the ids")


def _given(feature: dict[str, Any], path: Sequence[str | int]) -> str:
    """The id that a feature says, empty where it says none."""
    said = feature.get("id", "")
    text = said if isinstance(said, str) else orjson.dumps(said).decode()
    return feature_id(text, path) if text else ""


def _tagged(layer: str, item: str, done: Written) -> dict[str, str]:
    return {"ETag": answers.feature_tag(layer, item, done.features[item])}


def _address(request: Request, twin: str, layer: str, item: str) -> str:
    return absolute(request, f"{base(twin)}/collections/{layer}/items/{quote(item, safe='/')}")


def _response(
    asked: Asked, layer: str, done: Written, status: int, headers: dict[str, str], body: bytes = b""
) -> Response:
    """The answer; a layer with many edits is folded once it is sent."""

    def fold() -> None:
        try:
            edits.fold(asked.served.twin, layer, asked.grant, edits.FOLD)
        except (Busy, StorageFailed) as error:
            problems.LOG.warning("the edits of %s wait: %s", layer, error)

    task = BackgroundTask(fold) if edits.due(done.token) else None
    kind = "application/json" if body else None
    return Response(body or None, status, headers, kind, task)
