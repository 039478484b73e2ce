"""Styles of a layer: colour ramps with legends for grids; for features a MapLibre style that draws the layer's own vector tiles.

The stylesheet (`f=mapbox`) is a MapLibre style, version 8, that MapLibre and QGIS take as it is; nothing in it leads elsewhere.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field
from starlette.responses import Response

from twintown.api import answers, problems, ramps, tile_vectors
from twintown.api.guard import Asked, LayerId, Reading
from twintown.api.landing import REL, base
from twintown.api.represent import (
    JSON,
    OFFERS,
    Form,
    Lang,
    Shown,
    absolute,
    language,
    negotiate,
    represent,
    word,
)
from twintown.api.schemas import Link, LonLatBox, Model
from twintown.ground.errors import NotFound
from twintown.ground.names import Name
from twintown.twin.layers import LayerVersion
from twintown.twin.told import as_told

router = APIRouter(tags=["layers"])
MAPBOX, PNG = "application/vnd.mapbox.style+json", "image/png"
VECTOR = "default"
_VECTOR_TITLE = Name("기본 모양", "Default")
StyleId = Annotated[
    str,
    Path(alias="styleId", description="id of the style", max_length=64, examples=[ramps.DEFAULT.id]),
]
StyleForm = Annotated[
    Literal["json", "html", "mapbox"] | None,
    Query(description="what is said of the style, or the style itself; without it the header Accept decides"),
]

_PAPER = "#f3f1ec"
#: Fill and edge of areas, lines with their casing, points; in the tones of the base map.
_BUILDING, _WALL = "#e4e0d8", "#b9b1a2"
_AREA, _EDGE = "#b9d3c9", "#4d8577"
_LINE, _CASING = "#8a7a55", "#faf9f6"
_POINT, _RIM = "#2b607d", "#faf9f6"


class Legend(Model):
    """What colour means which value."""

    unit: str = Field(description="UCUM code")
    low: float
    high: float
    entries: list[dict[str, Any]] = Field(description="`value` or `from` and `to`, and `colour` (sRGB)")


class StyleItem(Model):
    """A style in a list."""

    id: str
    title: str
    links: list[Link]


class Styles(Model):
    """The styles of a layer."""

    default: str
    styles: list[StyleItem]
    links: list[Link]


class StyleAbout(StyleItem):
    """What is said of one style."""

    description: str
    legend: Legend | None


def _names(version: LayerVersion) -> dict[str, Name]:
    if version.kind == "grid":
        return {ramp.id: ramp.title for ramp in ramps.RAMPS.values()}
    if version.kind == "features":
        return {VECTOR: _VECTOR_TITLE}
    raise NotFound(f"{version.layer} is a {version.kind} and is not drawn", version.layer)


def _found(asked: Asked, layer: str, style: str) -> tuple[LayerVersion, Name]:
    version = asked.served.twin.version(layer, asked.grant)
    names = _names(version)
    if style not in names:
        raise NotFound(f"there is no style {style[:64]!r}", version.layer, f"known: {', '.join(names)}")
    return version, names[style]


def _links(request: Request, asked: Asked, version: LayerVersion, style: str) -> list[Link]:
    layer = absolute(request, f"{base(asked.served.id)}/collections/{version.layer}")
    here = f"{layer}/styles/{style}"
    links = [
        Link(href=f"{here}?f=mapbox", rel="stylesheet", type=MAPBOX, title="MapLibre style"),
        Link(href=here, rel="describedby", type=JSON, title="what is said of it"),
    ]
    if version.kind == "grid":
        links += [
            Link(href=f"{here}/legend?f=png", rel=f"{REL}legend", type=PNG, title="legend"),
            Link(href=f"{here}/legend?f=json", rel=f"{REL}legend", type=JSON, title="legend as values"),
            Link(href=f"{here}/map", rel=f"{REL}map", type=PNG, title="map"),
            Link(href=f"{here}/map/tiles", rel=f"{REL}tilesets-map", type=JSON, title="map tiles"),
        ]
    else:
        links.append(
            Link(href=f"{layer}/tiles", rel=f"{REL}tilesets-vector", type=JSON, title="vector tiles")
        )
    return links


@router.get(
    "/twins/{twin}/collections/{layer}/styles",
    operation_id="getStyles",
    response_model=Styles,
    responses=problems.responses(400, 401, 403, 404, 406),
)
def list_styles(request: Request, asked: Reading, form: Shown, layer: LayerId) -> Response:
    """The styles in which a layer can be drawn."""
    version = asked.served.twin.version(layer, asked.grant)
    names = _names(version)
    items = [
        StyleItem(id=name, title=word(title, form.lang), links=_links(request, asked, version, name))
        for name, title in names.items()
    ]
    return represent(request, Styles(default=next(iter(names)), styles=items, links=[]), form, "styles")


@router.get(
    "/twins/{twin}/collections/{layer}/styles/{styleId}",
    operation_id="getStyle",
    response_model=StyleAbout,
    responses={
        200: {"content": {MAPBOX: {"schema": {"$ref": "#/components/schemas/Style"}}}},
        **problems.responses(400, 401, 403, 404, 406),
    },
)
def get_style(
    request: Request, asked: Reading, layer: LayerId, style: StyleId, f: StyleForm = None, lang: Lang = None
) -> Response:
    """One style: what is said of it with its legend, or as a MapLibre style (`f=mapbox`)."""
    version, title = _found(asked, layer, style)
    chosen = negotiate(request, {**OFFERS, "mapbox": MAPBOX}, f)
    form = Form("html" if chosen == "html" else "json", language(request, lang))
    if chosen == "mapbox":
        document = stylesheet(request, asked, version, style, form)
        return represent(request, document, form, "style", media_type=MAPBOX)
    value = StyleAbout(
        id=style,
        title=word(title, form.lang),
        links=_links(request, asked, version, style),
        description=_said(version, style, form),
        legend=_legend(asked, version, style) if version.kind == "grid" else None,
    )
    return represent(request, value, form, "style")


def _said(version: LayerVersion, style: str, form: Form) -> str:
    korean = form.lang == "ko"
    if version.kind != "grid":
        return "이 자료층의 벡터 타일을 그립니다." if korean else "Draws the layer's own vector tiles."
    ramp = ramps.RAMPS[style]
    text = (
        "가장 작은 값에서 가장 큰 값까지; 모르는 곳은 투명합니다."
        if korean
        else "From the least to the greatest value; what is not known is transparent."
    )
    if ramp.classes:
        text += f" 폭이 같은 등급 {ramp.classes}개." if korean else f" {ramp.classes} classes of equal width."
    return f"{text} {ramp.source}".strip()


def _legend(asked: Asked, version: LayerVersion, style: str) -> Legend:
    from twintown.api.maps import cells_of, value_span

    cells = cells_of(asked, version.layer)
    said = ramps.legend(ramps.RAMPS[style], *value_span(asked, cells), cells.fields[0].unit)
    return Legend(**said)  # type: ignore[arg-type]


@router.get(
    "/twins/{twin}/collections/{layer}/styles/{styleId}/legend",
    operation_id="getLegend",
    response_model=Legend,
    responses={
        200: {"content": {PNG: {"schema": {"type": "string", "format": "binary"}}}},
        **problems.responses(400, 401, 403, 404, 406),
    },
)
def get_legend(
    request: Request,
    asked: Reading,
    layer: LayerId,
    style: StyleId,
    f: Annotated[Literal["png", "json"] | None, Query(description="a picture, or values and colours")] = None,
) -> Response:
    """What the colours of a grid mean: a bar from the least to the greatest value, or values with their colours."""
    version, _ = _found(asked, layer, style)
    if version.kind != "grid":
        raise NotFound(f"{version.layer} is drawn in one colour and has no legend", version.layer)
    if negotiate(request, {"json": JSON, "png": PNG}, f) == "json":
        return answers.answer_json(request, _legend(asked, version, style))
    return answers.answer(request, ramps.legend_png(ramps.RAMPS[style]), PNG)


def stylesheet(
    request: Request, asked: Asked, version: LayerVersion, style: str, form: Form
) -> dict[str, Any]:
    """The MapLibre style of a layer: its own tiles on paper."""
    layer = version.layer
    here = absolute(request, f"{base(asked.served.id)}/collections/{layer}")
    box = as_told(asked.served.twin, version, asked.grant).bbox_lonlat
    attribution = " · ".join(
        dict.fromkeys(licence.attribution or licence.title for licence in version.provenance.licences)
    )
    source: dict[str, Any] = {"attribution": attribution, "minzoom": 0}
    if box is not None:
        source["bounds"] = [round(side, 7) for side in box]
    if version.kind == "grid":
        address = (
            f"{here}/styles/{style}/map/tiles/WebMercatorQuad/{{z}}/{{y}}/{{x}}?f=png&v={version.version}"
        )
        source |= {"type": "raster", "tiles": [address], "tileSize": 256, "maxzoom": 22}
        drawn: list[dict[str, Any]] = [{"id": layer, "type": "raster", "source": layer}]
    else:
        token = asked.served.view(version, asked.grant).token
        address = f"{here}/tiles/WebMercatorQuad/{{z}}/{{y}}/{{x}}?f=mvt&v={token}"
        source |= {"type": "vector", "tiles": [address], "maxzoom": tile_vectors.LAST}
        drawn = _drawn(layer, version.meta.get("geometry") or "GeometryCollection")
    paper = {"id": "paper", "type": "background", "paint": {"background-color": _PAPER}}
    sheet = {
        "version": 8,
        "name": word(version.title, form.lang),
        "sources": {layer: source},
        "layers": [paper, *drawn],
    }
    return {**sheet, **_view(box)}


def _view(box: LonLatBox | None) -> dict[str, Any]:
    if box is None:
        return {}
    return {"center": [round((box[0] + box[2]) / 2, 6), round((box[1] + box[3]) / 2, 6)], "zoom": 13}


def _drawn(layer: str, geometry: str) -> list[dict[str, Any]]:
    """Fills under lines under points; a layer of one kind needs no filter."""

    def part(kind: str, name: str, paint: dict[str, Any], shape: str) -> dict[str, Any]:
        made: dict[str, Any] = {
            "id": name,
            "type": kind,
            "source": layer,
            "source-layer": layer,
            "paint": paint,
        }
        return made if geometry == shape else {**made, "filter": ["==", ["geometry-type"], shape]}

    wide = ["interpolate", ["exponential", 1.6], ["zoom"], 8, 0.5, 14, 1.6, 18, 6]
    dots = ["interpolate", ["exponential", 1.4], ["zoom"], 8, 1.5, 14, 4, 18, 8]
    built = layer.startswith("building")
    areas = {"fill-color": _BUILDING if built else _AREA, "fill-opacity": 1.0 if built else 0.7}
    edges = {"line-color": _WALL if built else _EDGE, "line-width": 0.8}
    points = {
        "circle-color": _POINT, "circle-radius": dots, "circle-stroke-color": _RIM, "circle-stroke-width": 1,
    }  # fmt: skip
    every = geometry not in ("Polygon", "LineString", "Point")
    made = []
    if every or geometry == "Polygon":
        made += [
            part("fill", f"{layer}-areas", areas, "Polygon"),
            part("line", f"{layer}-edges", edges, "Polygon"),
        ]
    if every or geometry == "LineString":
        made.append(part("line", f"{layer}-lines", {"line-color": _LINE, "line-width": wide}, "LineString"))
    if every or geometry == "Point":
        made.append(part("circle", f"{layer}-points", points, "Point"))
    return made
