"""The twin's own base map: a style and a TileJSON around the vector tiles.

The style is MapLibre's (style specification version 8), but only this part of it, which the page, QGIS and
MapLibre all draw:

    layers   background, fill, line, symbol; `source-layer`, `minzoom`, `maxzoom`
    filters  ["==", ["get", p], v], ["!=", …], ["in", ["get", p], ["literal", […]]], ["all", …], ["any", …],
             ["!", …], ["has", p]
    values   constants; ["interpolate", ["exponential", b], ["zoom"], z, v, …]; ["get", p]; ["coalesce", …]
    paint    background-color, fill-color, fill-opacity, fill-outline-color, line-color, line-width,
             line-opacity, line-dasharray, text-color, text-halo-color, text-halo-width
    layout   line-cap, line-join, symbol-placement (point, line), text-field, text-size, text-font,
             text-padding

Quiet and light: the city on top is what one looks at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from twintown.ground.errors import BadParameter

Language = Literal["ko", "en"]

_PAPER, _AREA, _EDGE, _BUILDING, _WALL = "#f3f1ec", "#f0eee8", "#cfc8ba", "#e4e0d8", "#d3cdc2"
_ROAD, _CASING, _MAJOR, _MAJOR_CASING = "#ffffff", "#dcd7cc", "#fdf3d8", "#dccfae"
_TEXT, _QUIET_TEXT, _HALO = "#4a4740", "#7d786d", "#faf9f6"
_FONT = ["Noto Sans Regular"]

_MAJOR_KINDS = ["motorway", "trunk", "primary", "motorway_link", "trunk_link", "primary_link"]
_MIDDLE_KINDS = ["secondary", "tertiary", "secondary_link", "tertiary_link"]


def tilejson(made: Mapping[str, Any], tiles: str, name: str = "") -> dict[str, Any]:
    """TileJSON 3.0.0.

    Args:
        made: the product's `tilejson.json`.
        tiles: address of the tiles with {z}, {x}, {y}.
        name: what people call the map.
    """
    return {**made, "tiles": [tiles], **({"name": name} if name else {})}


def style(made: Mapping[str, Any], source: str, language: Language = "ko", name: str = "") -> dict[str, Any]:
    """The style for what this twin's vector tiles hold.

    Args:
        made: the product's `tilejson.json`: a layer that is not there is not styled.
        source: address of the TileJSON.
        language: whose names stand on the map; the other language, then the name on the spot, fill in.
        name: what people call the map.

    Raises:
        BadParameter: another language.
    """
    if language not in ("ko", "en"):
        raise BadParameter("language", f"there are no labels in {language!r}", remedy="use ko or en")
    there = {layer["id"] for layer in made["vector_layers"]}
    layers = [
        layer
        for layer in _layers(language)
        if layer["type"] == "background" or layer["source-layer"] in there
    ]
    return {
        "version": 8,
        "name": name or "Twintown",
        "metadata": {"twintown:subset": "background, fill, line, symbol; see twintown.products.basemap"},
        "sources": {"base": {"type": "vector", "url": source}},
        "layers": layers,
    }


def _layers(language: Language) -> list[dict[str, Any]]:
    other = "en" if language == "ko" else "ko"
    label = ["coalesce", ["get", f"name_{language}"], ["get", "name"], ["get", f"name_{other}"]]
    minor = ["!", ["in", ["get", "kind"], ["literal", _MAJOR_KINDS + _MIDDLE_KINDS]]]
    middle = ["in", ["get", "kind"], ["literal", _MIDDLE_KINDS]]
    major = ["in", ["get", "kind"], ["literal", _MAJOR_KINDS]]
    return [
        {"id": "paper", "type": "background", "paint": {"background-color": _PAPER}},
        *(_area(layer) for layer in ("towns", "neighbourhoods")),
        {
            "id": "buildings",
            "type": "fill",
            "source": "base",
            "source-layer": "buildings",
            "minzoom": 14,
            "paint": {"fill-color": _BUILDING, "fill-outline-color": _WALL},
        },
        *_road("minor", minor, (13, 0.4), (17, 7.0), _ROAD, _CASING),
        *_road("middle", middle, (11, 0.5), (17, 12.0), _ROAD, _CASING),
        *_road("major", major, (10, 0.8), (17, 18.0), _MAJOR, _MAJOR_CASING),
        *(_area_edge(layer) for layer in ("towns", "neighbourhoods")),
        {
            "id": "road-names",
            "type": "symbol",
            "source": "base",
            "source-layer": "roads",
            "minzoom": 14,
            "filter": ["any", ["has", "name"], ["has", f"name_{language}"], ["has", f"name_{other}"]],
            "layout": {"symbol-placement": "line", "text-field": label, "text-font": _FONT, "text-size": 11},
            "paint": {"text-color": _QUIET_TEXT, "text-halo-color": _HALO, "text-halo-width": 1.4},
        },
        *_names(label),
    ]


def _area(layer: str) -> dict[str, Any]:
    return {
        "id": layer,
        "type": "fill",
        "source": "base",
        "source-layer": layer,
        "paint": {"fill-color": _AREA},
    }


def _area_edge(layer: str) -> dict[str, Any]:
    return {
        "id": f"{layer}-edge",
        "type": "line",
        "source": "base",
        "source-layer": layer,
        "paint": {"line-color": _EDGE, "line-width": 1.0, "line-dasharray": [4, 3]},
    }


def _road(
    name: str, kinds: list[Any], first: tuple[int, float], last: tuple[int, float], fill: str, casing: str
) -> list[dict[str, Any]]:
    """A road is its casing and, on top, its surface; widths grow with the zoom (pixels of 512 a tile)."""

    def line(part: str, colour: str, wider: float) -> dict[str, Any]:
        width = [
            "interpolate",
            ["exponential", 1.6],
            ["zoom"],
            first[0],
            first[1] + wider / 2,
            last[0],
            last[1] + wider,
        ]
        return {
            "id": f"road-{name}-{part}",
            "type": "line",
            "source": "base",
            "source-layer": "roads",
            "minzoom": first[0],
            "filter": kinds,
            "layout": {"line-cap": "round", "line-join": "round"},
            "paint": {"line-color": colour, "line-width": width},
        }

    return [line("casing", casing, 2.0), line("surface", fill, 0.0)]


def _names(label: list[Any]) -> list[dict[str, Any]]:
    area = ["in", ["get", "kind"], ["literal", ["town", "neighbourhood"]]]

    def symbol(name: str, kinds: list[Any], size: float, colour: str, first: int) -> dict[str, Any]:
        return {
            "id": name,
            "type": "symbol",
            "source": "base",
            "source-layer": "places",
            "minzoom": first,
            "filter": kinds,
            "layout": {
                "symbol-placement": "point",
                "text-field": label,
                "text-font": _FONT,
                "text-size": size,
                "text-padding": 4,
            },
            "paint": {"text-color": colour, "text-halo-color": _HALO, "text-halo-width": 1.6},
        }

    return [
        symbol("place-names", ["!", area], 12.0, _TEXT, 11),
        symbol("area-names", area, 13.0, _QUIET_TEXT, 10),
    ]
