"""The links of a layer: to its items, its schema, its coverage, its tiles, its licence."""

from __future__ import annotations

from collections.abc import Callable

from twintown.api.landing import REL
from twintown.api.represent import GEOJSON, HTML, JSON, OFFERS, Language
from twintown.api.schemas import Link
from twintown.twin.layers import LayerVersion

SCHEMA = "application/schema+json"
PARQUET = "application/vnd.apache.parquet"
COG = "image/tiff; application=geotiff; profile=cloud-optimized"
#: Formats of items that a layer of each kind is offered in: id, media type, title.
_ITEMS = (
    ("jsonfg", "application/fg+json", "JSON-FG"),
    ("fgb", "application/flatgeobuf", "FlatGeobuf"),
    ("parquet", PARQUET, "GeoParquet"),
    ("csv", "text/csv", "CSV"),
)
_WITHOUT_GEOMETRY = ("parquet", "csv")
_Make = Callable[[str, str, str, str], Link]


def formats(version: LayerVersion) -> list[tuple[str, str, str]]:
    """What a layer's rows or cells can be had as: id, media type, title."""
    if version.kind == "grid":
        return [
            ("cog", COG, "cloud-optimised GeoTIFF"),
            ("covjson", "application/prs.coverage+json", "CoverageJSON"),
            ("png", "image/png", "PNG"),
        ]
    held = [one for one in _ITEMS if version.kind == "features" or one[0] in _WITHOUT_GEOMETRY]
    return [("geojson", GEOJSON, "GeoJSON"), *held]


def links(here: str, version: LayerVersion, lang: Language) -> list[Link]:
    """All links of a layer.

    Args:
        here: the absolute address of the layer.
        version: the layer.
        lang: the language of titles.
    """

    def link(rel: str, path: str, media_type: str, title: str) -> Link:
        return Link(href=f"{here}{path}", rel=rel, type=media_type, title=title)

    made = [
        link("self", "", JSON, "this layer"),
        link("alternate", "?f=html", OFFERS["html"], "this layer, for people"),
        link(f"{REL}schema", "/schema", SCHEMA, "schema"),
        link("describedby", "/schema", SCHEMA, "schema"),
    ]
    if version.kind == "grid":
        made += _grid(link, here, version)
    else:
        made += _rows(link, version)
    if version.kind == "series":
        made.append(link("data", "/series", JSON, "the series, column by column"))
    for licence in version.provenance.licences:
        if licence.url:
            made.append(Link(href=licence.url, rel="license", type=HTML, title=licence.title))
    for source in version.provenance.sources:
        if source.url:
            made.append(Link(href=source.url, rel="via", type=HTML, title=source.title))
    return made


def _rows(link: _Make, version: LayerVersion) -> list[Link]:
    made = [
        link("items", "/items?f=geojson", GEOJSON, "items as GeoJSON"),
        link("items", "/items?f=html", HTML, "items, for people"),
        link(f"{REL}queryables", "/queryables", SCHEMA, "what can be asked for"),
    ]
    for name, media_type, title in formats(version)[1:]:
        made.append(link("items", f"/items?f={name}", media_type, f"items as {title}"))
    made.append(link("enclosure", "/items?f=parquet", PARQUET, "all items as a GeoParquet file"))
    if version.kind == "features":
        made.append(link(f"{REL}tilesets-vector", "/tiles", JSON, "vector tiles"))
    return made


def _grid(link: _Make, here: str, version: LayerVersion) -> list[Link]:
    root, layer = here.rsplit("/", 1)
    record = Link(
        href=f"{root}/catalogue/items?ids={layer}",
        rel="items",
        type=GEOJSON,
        title="what the catalogue says of this grid",
    )
    return [
        record,
        link(f"{REL}coverage", "/coverage?f=cog", COG, "the grid as a cloud-optimised GeoTIFF"),
        link("data", "/coverage?f=tif", "image/tiff; application=geotiff", "the grid as a GeoTIFF"),
        link("preview", "/coverage?f=png", "image/png", "a picture of the grid"),
        link(f"{REL}coverage", "/coverage?f=covjson", "application/prs.coverage+json", "as CoverageJSON"),
        link(f"{REL}tilesets-map", "/map/tiles", JSON, "map tiles"),
        link(f"{REL}styles", "/styles", JSON, "styles"),
    ]
