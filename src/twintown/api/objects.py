"""The answer to a click: what it is, how its height is known, what is doubtful, where it is from, and its shape for edits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import shapely
from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from twintown.api import answers, buildings, problems
from twintown.api.buildings import Building, number, text
from twintown.api.guard import Asked, Reading
from twintown.api.schemas import Geometry, LicenceModel, Model, Names, Scalar, SourceModel
from twintown.ground.errors import NotFound
from twintown.query.query import Query

if TYPE_CHECKING:
    from twintown.index.view import View
    from twintown.twin.layers import LayerVersion

router = APIRouter(tags=["objects"])
#: Where an id is looked for first; the rest follow in the order of the catalogue.
_FIRST = ("buildings", "places", "towns", "neighbourhoods", "roads")
_HIDDEN = {"building-parts", "findings", "facades"}


class Property(Model):
    """One property with its words and its unit."""

    name: str
    title: Names
    unit: str
    value: Scalar


class Finding(Model):
    """Something wrong or doubtful about the object."""

    code: str
    severity: str
    message: Names
    value: float | None
    unit: str


class ObjectAnswer(Model):
    """Everything about one thing that was clicked."""

    id: str
    layer: str
    version: str
    names: Names
    kind: str
    function: str | None
    lon: float | None
    lat: float | None
    geometry: Geometry | None
    properties: list[Property]
    building: Building | None
    findings: list[Finding]
    source: SourceModel
    licence: LicenceModel
    assumed: list[Names]


#: Findings about one object that are told.
_MOST_FINDINGS = 1000


def equal(column: str, value: str) -> Query:
    """The rows whose column is this text."""
    return Query(where={"op": "=", "args": [{"property": column}, value]})


def _findings(asked: Asked, object_id: str) -> list[Finding]:
    if not any(layer.layer == "findings" for layer in asked.served.twin.layers(asked.grant)):
        return []
    view = asked.served.view("findings", asked.grant)
    found = view.page(equal("object", object_id), _MOST_FINDINGS, count=False)
    rows = view.take(found.positions, geometry=False).to_pylist()
    return [
        Finding(
            code=str(row["code"]),
            severity=str(row["severity"]),
            message=Names(ko=str(row["message_ko"]), en=str(row["message_en"])),
            value=number(row.get("value")),
            unit=text(row, "unit") or "",
        )
        for row in rows
    ]


def _find(asked: Asked, object_id: str) -> tuple[LayerVersion, View, Any]:
    layers = [one for one in asked.served.twin.layers(asked.grant) if one.kind in ("features", "table")]
    layers = [one for one in layers if one.layer not in _HIDDEN]
    layers.sort(key=lambda one: _FIRST.index(one.layer) if one.layer in _FIRST else len(_FIRST))
    for version in layers:
        view = asked.served.view(version, asked.grant)
        try:
            return version, view, np.array([view.position(object_id)])
        except NotFound:
            continue
    raise NotFound(
        f"nothing here is called {object_id[:80]!r}",
        asked.served.id,
        "search by name, or see the items of a layer",
    )


def describe(asked: Asked, object_id: str) -> ObjectAnswer:
    """Everything about one object. Raises NotFound."""
    version, view, position = _find(asked, object_id)
    encoded = answers.loads(bytes(view.encoded(position)[0]))
    row, shape = encoded["properties"], view.lonlat(position)[0]
    name, where = text(row, "name", "name_ko", "name_en") or object_id, None
    if shape is not None and not shape.is_empty:
        where = shapely.point_on_surface(shape)
    provenance = version.provenance
    return ObjectAnswer(
        id=object_id,
        layer=version.layer,
        version=version.version,
        names=Names(ko=text(row, "name_ko", "name") or name, en=text(row, "name_en", "name") or name),
        kind=text(row, "kind") or version.layer,
        function=text(row, "function"),
        lon=None if where is None else round(float(where.x), 8),
        lat=None if where is None else round(float(where.y), 8),
        geometry=None if encoded["geometry"] is None else Geometry(**encoded["geometry"]),
        properties=[
            Property(name=c.name, title=Names.of(c.title), unit=c.unit, value=row[c.name])
            for c in view.columns
            if c.name != "tags"
        ],
        building=buildings.describe(asked, {"id": object_id, **row})
        if version.layer == "buildings"
        else None,
        findings=_findings(asked, object_id),
        source=SourceModel.of(provenance.sources[0]),
        licence=LicenceModel.of(provenance.sources[0].licence),
        assumed=[Names(**note) for note in version.meta.get("assumed", [])],
    )


@router.get(
    "/twins/{twin}/objects/{object:path}",
    operation_id="getObject",
    response_model=ObjectAnswer,
    responses=problems.responses(400, 401, 404),
)
def get_object(
    request: Request,
    asked: Reading,
    object: Annotated[
        str, Path(description="id of the object; slashes in it stay", examples=["relation/8824257"])
    ],
) -> Response:
    """Everything about one thing that was clicked."""
    return answers.answer_json(request, describe(asked, object))
