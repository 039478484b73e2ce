"""The answer to a click: what it is, how its height is known, what is doubtful, where it is from, and its shape for edits."""

from __future__ import annotations

from typing import Annotated

import shapely
from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from twintown.api import answers, buildings, problems
from twintown.api.buildings import Building, number, text
from twintown.api.guard import Asked, Reading
from twintown.api.rows import Rows
from twintown.api.schemas import Geometry, LicenceModel, Model, Names, Scalar, SourceModel
from twintown.ground.errors import NotFound
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


def _findings(asked: Asked, object_id: str) -> list[Finding]:
    found = [layer for layer in asked.served.twin.layers(asked.grant) if layer.layer == "findings"]
    if not found:
        return []
    table = asked.served.rows(found[0], asked.grant).features.table
    mine = table[table["object"].astype("str") == object_id]
    return [
        Finding(
            code=str(row["code"]),
            severity=str(row["severity"]),
            message=Names(ko=str(row["message_ko"]), en=str(row["message_en"])),
            value=number(row.get("value")),
            unit=text(row, "unit") or "",
        )
        for _, row in mine.iterrows()
    ]


def _find(asked: Asked, object_id: str) -> tuple[LayerVersion, Rows]:
    layers = [one for one in asked.served.twin.layers(asked.grant) if one.kind in ("features", "table")]
    layers = [one for one in layers if one.layer not in _HIDDEN]
    layers.sort(key=lambda one: _FIRST.index(one.layer) if one.layer in _FIRST else len(_FIRST))
    for version in layers:
        rows = asked.served.rows(version, asked.grant)
        if object_id in rows.position:
            return version, rows
    raise NotFound(
        f"nothing here is called {object_id[:80]!r}",
        asked.served.id,
        "search by name, or see the items of a layer",
    )


def describe(asked: Asked, object_id: str) -> ObjectAnswer:
    """Everything about one object. Raises NotFound."""
    version, rows = _find(asked, object_id)
    i = rows.position[object_id]
    row, shape = rows.features.table.iloc[i], rows.lonlat[i]
    name, where = text(row, "name", "name_ko", "name_en") or object_id, None
    if shape is not None and not shape.is_empty:
        where = shapely.point_on_surface(shape)
    columns = [
        c for c in version.meta.get("columns", []) if c["name"] in rows.columns and c["name"] != "tags"
    ]
    encoded = answers.loads(rows.encoded(i))
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
            Property(
                name=c["name"],
                title=Names(**c["title"]),
                unit=c["unit"],
                value=encoded["properties"][c["name"]],
            )
            for c in columns
        ],
        building=buildings.describe(asked, row) if version.layer == "buildings" else None,
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
