"""The links of a layer: to its items, its schema, its coverage, its tiles, its licence."""

from __future__ import annotations

from collections.abc import Callable

from twintown.api.coverage_about import OFFERS
from twintown.api.landing import REL
from twintown.api.represent import GEOJSON, HTML, JSON
from twintown.api.schemas import Link
from twintown.formats.format import FORMATS, Told
from twintown.ground.frames import Frame
from twintown.twin.layers import LayerVersion

SCHEMA = "application/schema+json"
_Make = Callable[[str, str, str, str], Link]
#: The format that a machine takes first: whole, typed, small.
FIRST = "parquet"
_GRID = {
    "cog": "cloud-optimised GeoTIFF",
    "tif": "GeoTIFF",
    "covjson": "CoverageJSON",
    "zarr": "Zarr in a ZIP file",
    "png": "PNG",
}


def formats(version: LayerVersion, frame: Frame) -> list[tuple[str, str, str]]:
    """What a layer's rows or cells can be had as: id, media type, title; the one to take first stands first."""
    if version.kind == "grid":
        return [(name, OFFERS[name], title) for name, title in _GRID.items()]
    geometry = str(version.meta.get("geometry") or "") if version.kind == "features" else ""
    told = Told(version.layer, version.title, (), geometry, frame, version.provenance)
    found = [(one.id, one.media_type, one.title.en) for one in FORMATS.values() if one.applies(told)]
    return sorted(found, key=lambda one: one[0] != FIRST)


def links(here: str, version: LayerVersion, frame: Frame) -> list[Link]:
    """All links of a layer.

    Args:
        here: the absolute address of the layer.
        version: the layer.
        frame: of the twin.
    """

    def link(rel: str, path: str, media_type: str, title: str) -> Link:
        return Link(href=f"{here}{path}", rel=rel, type=media_type, title=title)

    made = [
        link("self", "", JSON, "this layer"),
        link("alternate", "?f=html", HTML, "this layer, for people"),
        link(f"{REL}schema", "/schema", SCHEMA, "schema"),
        link("describedby", "/schema", SCHEMA, "schema"),
    ]
    held = formats(version, frame)
    made += _cells(link, here, held) if version.kind == "grid" else _rows(link, version.kind, held)
    for licence in version.provenance.licences:
        if licence.url:
            made.append(Link(href=licence.url, rel="license", type=HTML, title=licence.title))
    for source in version.provenance.sources:
        if source.url:
            made.append(Link(href=source.url, rel="via", type=HTML, title=source.title))
    return made


def _rows(link: _Make, kind: str, held: list[tuple[str, str, str]]) -> list[Link]:
    first = held[0]
    made = [
        link("items", "/items?f=geojson", GEOJSON, "items as GeoJSON"),
        link("items", "/items?f=html", HTML, "items, for people"),
        *(
            link("items", f"/items?f={name}", media_type, f"items as {title}")
            for name, media_type, title in held
            if name != "geojson"
        ),
        link("enclosure", f"/items?f={first[0]}", first[1], f"all items as a {first[2]} file"),
        link(f"{REL}queryables", "/queryables", SCHEMA, "what can be asked for"),
    ]
    if kind == "features":
        made.append(link(f"{REL}tilesets-vector", "/tiles", JSON, "vector tiles"))
        made.append(link(f"{REL}styles", "/styles", JSON, "styles"))
    if kind == "series":
        made.append(link("data", "/series", JSON, "the series, column by column"))
    return made


def _cells(link: _Make, here: str, held: list[tuple[str, str, str]]) -> list[Link]:
    root, layer = here.rsplit("/", 1)
    record = Link(
        href=f"{root}/catalogue/items?ids={layer}",
        rel="items",
        type=GEOJSON,
        title="what the catalogue says of it",
    )
    return [
        record,
        link(f"{REL}coverage", "/coverage?f=json", JSON, "what the coverage is"),
        *(
            link(f"{REL}coverage", f"/coverage?f={name}", media_type, f"the grid as {title}")
            for name, media_type, title in held
            if name != "png"
        ),
        link("data", "/coverage?f=cog", held[0][1], "the grid as a cloud-optimised GeoTIFF"),
        link("preview", "/coverage?f=png", "image/png", "a picture of the grid"),
        link(f"{REL}map", "/map", "image/png", "a map of any part"),
        link(f"{REL}tilesets-map", "/map/tiles", JSON, "map tiles"),
        link(f"{REL}styles", "/styles", JSON, "styles"),
    ]
