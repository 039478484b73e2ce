"""What a layer's page offers to take away: its files, and lines for the tools that people use, with the real address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

from twintown.api.items_query import MAX_LIMIT

#: Formats by the id that `f` takes, as people call them, in the order in which they are shown.
FORMATS: Mapping[str, str] = {
    "geojson": "GeoJSON", "parquet": "GeoParquet", "fgb": "FlatGeobuf", "csv": "CSV", "jsonfg": "JSON-FG", "cityjson": "CityJSON",
    "cityjsonseq": "CityJSONSeq", "cog": "Cloud-Optimized GeoTIFF", "tif": "GeoTIFF", "zarr": "Zarr", "covjson": "CoverageJSON",
    "png": "PNG", "json": "JSON",
}  # fmt: skip
#: Documents that come in pages; the others are files of everything.
_PAGED = {"geojson", "jsonfg", "cityjson"}
_RELATIONS = {"items", "enclosure", "data", "coverage", "preview"}
_OPERATED = {
    "number": "{name} > {low}",
    "integer": "{name} >= 1",
    "boolean": "{name} = true",
    "string": "{name} LIKE '%a%'",
}


@dataclass(frozen=True)
class File:
    """One way to take a layer away: the id of a format, what people call it, its address and media type."""

    id: str
    label: str
    href: str
    type: str


@dataclass(frozen=True)
class Snippet:
    """Lines to copy: for which tool, a word of `words.toml` that says what to do with them, the lines themselves."""

    title: str
    text: str
    said: str = ""
    wrap: bool = False


def files(collection: Any) -> list[File]:
    """What the links of a collection offer for download, each format once, best known first."""
    found: dict[str, File] = {}
    for link in collection.get("links", []) if isinstance(collection, Mapping) else []:
        if str(link.get("rel", "")).rpartition("/")[2] not in _RELATIONS:
            continue
        known = _format(str(link.get("href", "")), str(link.get("type", "")))
        if known and "/collections/catalogue/" not in str(
            link.get("href", "")
        ):  # the record of a grid is not the grid
            found.setdefault(known, File(known, FORMATS[known], link["href"], link.get("type", "")))
    if isinstance(collection, Mapping) and collection.get("kind") != "features" and "parquet" in found:
        found["parquet"] = replace(found["parquet"], label="Parquet")
    for known in _PAGED.intersection(found):  # these come in pages: the largest one
        one = found[known]
        if "/items" in one.href and "limit=" not in one.href:
            found[known] = replace(one, href=f"{one.href}&limit={MAX_LIMIT}")
    return [found[known] for known in FORMATS if known in found]


def form_label(link: Mapping[str, Any]) -> str:
    """What people call the form that a link leads to: the known name of its `f`, else its title."""
    asked = parse_qs(urlsplit(str(link.get("href", ""))).query).get("f", [""])[0]
    return FORMATS.get(asked) or str(link.get("title") or link.get("type", ""))


def _format(href: str, media_type: str) -> str:
    split = urlsplit(href)
    asked = parse_qs(split.query).get("f", [""])[0]
    if asked:
        return asked if asked in FORMATS else ""
    if "zarr" in split.path:
        return "zarr"
    if media_type.startswith("application/json") and split.path.endswith("/series"):
        return "json"
    return "geojson" if media_type == "application/geo+json" and split.path.endswith("/items") else ""


def snippets(collection: Mapping[str, Any], root: str, lang: str) -> list[Snippet]:
    """Lines for QGIS, curl, Python and DuckDB, for this layer at this address."""
    layer, kind = collection["id"], collection.get("kind")
    here = f"{root}/collections/{layer}"
    python = f'from twintown import Twin\n\nlayer = Twin("{root}")["{layer}"]\n'
    if kind == "grid":
        return [
            Snippet("QGIS", f"{here}/coverage?f=cog", "use_qgis_grid", True),
            Snippet("curl", f"curl -o {layer}.tif '{here}/coverage?f=tif'", "", True),
            Snippet("Python", f"{python}layer.xarray()"),
            Snippet("GDAL", f"gdalinfo '/vsicurl/{here}/coverage?f=cog'", "", True),
        ]
    if kind in ("table", "series"):
        method = "arrow().to_pandas()" if kind == "table" else "xarray()"
        return [
            Snippet("curl", f"curl -o {layer}.csv '{here}/items?f=csv'", "", True),
            Snippet("Python", f"{python}layer.{method}"),
            Snippet("pandas", f'import pandas as pd\n\npd.read_csv("{here}/items?f=csv")'),
            Snippet("DuckDB", _duckdb(here, layer, f"SELECT * FROM '{layer}.parquet' LIMIT 5"), "", True),
        ]
    box = _middle(collection)
    bbox, within = (f"bbox=({', '.join(box)}), ", f"&bbox={','.join(box)}") if box else ("", "")
    return [
        Snippet("QGIS", root, "use_qgis", True),
        Snippet("curl", f"curl -o {layer}.geojson '{here}/items?f=geojson{within}&limit=100'", "", True),
        Snippet("Python", f'{python}layer.geodataframe({bbox}filter="{example_filter(collection)}")'),
        Snippet("DuckDB", _duckdb(here, layer, f"LOAD spatial; SELECT * FROM '{layer}.parquet' LIMIT 5", spatial=True), "", True),
        Snippet("GDAL / ogr2ogr", f"ogr2ogr {layer}.gpkg 'OAPIF:{root}' {layer}", "", True),
    ]  # fmt: skip


def _duckdb(here: str, layer: str, question: str, *, spatial: bool = False) -> str:
    install = "INSTALL spatial; " if spatial else ""
    return f"curl -o {layer}.parquet '{here}/items?f=parquet'\nduckdb -c \"{install}{question}\""


def _middle(collection: Mapping[str, Any]) -> list[str]:
    """A box about the middle of a layer, half as wide and high, four decimals."""
    try:
        west, south, east, north = (float(n) for n in collection["extent"]["spatial"]["bbox"][0])
    except (KeyError, TypeError, ValueError, IndexError):
        return []
    width, height = (east - west) / 4, (north - south) / 4
    return [f"{n:.4f}" for n in (west + width, south + height, east - width, north - height)]


def example_filter(collection: Any) -> str:
    """A condition in CQL2 text that this layer understands; a general one where its columns are not known."""
    columns = collection.get("columns", []) if isinstance(collection, Mapping) else []
    for wanted in ("number", "integer", "boolean", "string"):
        for column in columns:
            if column["type"] == wanted and column["name"] != "id" and "error" not in column["name"]:
                low = {"m": "20", "{person}": "1000", "Cel": "0"}.get(column.get("unit", ""), "0")
                return _OPERATED[wanted].format(name=column["name"], low=low)
    return "id LIKE '%1%'"
