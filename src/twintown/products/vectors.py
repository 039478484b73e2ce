"""Vector tiles (MVT 2.1) for the base map: one file a tile, made when the layers are built.

Files rather than encoding on request: API workers stay stateless and hold no index, a cold server answers as
fast as a warm one, the same bytes carry the same ETag, and the price is small (a city of 600 km² is some
13,000 files). A tile without a feature has no file; the API answers 204.

Everything is done for all features of a zoom at once: shapely cuts, so that what was valid stays valid, and
`kernels.vectortile` encodes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import orjson
import pandas as pd
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from twintown.ground.bounds import Bounds
from twintown.ground.features import Features
from twintown.ground.names import Name
from twintown.kernels import vectortile

from . import mvt
from .product import Built, Place, Product, Progress, Write

#: Half the side of the web-mercator square, metres.
_HALF = 20037508.342789244
_EXTENT = 4096
#: What is kept around a tile so that wide lines meet across its edge, in units of the extent (8 of 256
#: pixels).
_MARGIN = 128
_LEAST_ZOOM, _FINE_ZOOM, _COARSE_ZOOM = 10, 17, 13

#: First zoom of each kind of road; what is not here starts at 14.
_ROADS = {
    "motorway": 10,
    "trunk": 10,
    "primary": 10,
    "secondary": 11,
    "motorway_link": 12,
    "trunk_link": 12,
    "tertiary": 12,
    "primary_link": 13,
    "secondary_link": 13,
    "tertiary_link": 13,
    "residential": 13,
    "unclassified": 13,
}
_TYPES = {"polygon": (3, 6), "line": (1, 5), "point": (0, 4)}


@dataclass(frozen=True)
class _Drawn:
    """How a layer of the twin becomes a layer of the tiles."""

    layer: str
    shape: str
    first_zoom: int
    columns: tuple[str, ...]


#: Layers of named points that stand among the places, each telling in `of` which layer it belongs to.
_NAMED = ("parks", "landmarks", "stations")
_NAMES = ("id", "name", "name_ko", "name_en", "kind")
_DRAWN = (
    _Drawn("towns", "polygon", 10, (*_NAMES, "population")),
    _Drawn("neighbourhoods", "polygon", 10, (*_NAMES, "population")),
    _Drawn("roads", "line", 10, (*_NAMES, "width_m", "lanes", "bridge", "layer")),
    _Drawn("buildings", "polygon", 14, ("id", "name", "name_ko", "name_en", "kind", "height_m")),
    _Drawn("places", "point", 10, (*_NAMES, "rank")),
)


def make(layers: Mapping[str, Features], place: Place, write: Write, progress: Progress) -> Built:
    """Write `z/x/y.mvt` and `tilejson.json` (without addresses: `basemap.tilejson` adds them)."""
    prepared = [_prepare(drawn, layers[drawn.layer], place) for drawn in _DRAWN if drawn.layer in layers]
    labels = [_labels(layers[name], place) for name in ("towns", "neighbourhoods") if name in layers]
    labels += [_named(name, layers[name], place) for name in _NAMED if name in layers]
    if labels:
        prepared = _with_labels(prepared, labels)
    prepared = [layer for layer in prepared if len(layer.geometry)]
    fine = any(layer.drawn.layer in ("roads", "buildings") for layer in prepared)
    last = _FINE_ZOOM if fine else _COARSE_ZOOM
    tiles = 0
    for zoom in range(_LEAST_ZOOM, last + 1):
        for path, data in _zoom(prepared, zoom).items():
            write(path, data)
            tiles += 1
        progress((zoom - _LEAST_ZOOM + 1) / (last - _LEAST_ZOOM + 2))
    write("tilejson.json", orjson.dumps(_tilejson(prepared, layers, last), option=orjson.OPT_SORT_KEYS))
    return Built(
        "tilejson.json",
        0,
        0,
        {"tiles": tiles, "layers": [layer.drawn.layer for layer in prepared], "last_zoom": last},
    )


@dataclass(frozen=True)
class _Layer:
    """Features in web mercator, valid and ordered by id, with what they carry and the first zoom of each."""

    drawn: _Drawn
    geometry: NDArray[np.object_]
    properties: list[dict[str, Any]]
    first_zoom: NDArray[np.int64]
    lonlat: Bounds | None

    @cached_property
    def attributes(self) -> tuple[vectortile.Values, ...]:
        """What the features carry, as the tiles say it."""
        keys = dict.fromkeys(key for values in self.properties for key in values)
        return tuple(
            mvt.attribute(key, _column([values.get(key) for values in self.properties])) for key in keys
        )


def _column(values: list[Any]) -> Any:
    """An Arrow array; values of several types become texts."""
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) > 1 and kinds != {int, float}:
        values = [None if value is None else str(value) for value in values]
    return pa.array(values)


def _prepare(drawn: _Drawn, features: Features, place: Place) -> _Layer:
    table = features.table
    table = table[table.geometry.notna() & ~table.geometry.is_empty].sort_values("id", kind="stable")
    first = np.full(len(table), drawn.first_zoom)
    if drawn.layer == "roads" and "kind" in table:
        first = table["kind"].map(_ROADS).fillna(14).to_numpy(np.int64)
    if drawn.layer == "places" and "rank" in table:
        # Rank 1 is seen from afar; each rank below waits one zoom more.
        first = 11 + np.clip(pd.to_numeric(table["rank"]).fillna(5).to_numpy(np.int64), 0, 6)
    geometry = _mercator(table, place)
    if drawn.shape == "polygon":
        geometry = shapely.make_valid(geometry)
    lonlat = features.frame.lonlat_bounds(features.bounds) if features.bounds is not None else None
    return _Layer(drawn, geometry, _properties(table, drawn.columns), first, lonlat)


def _mercator(table: gpd.GeoDataFrame, place: Place) -> NDArray[np.object_]:
    """Geometries in EPSG:3857 by the sphere's formula, through the frame's own longitude and latitude."""

    def project(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        lon, lat = place.frame.to_lonlat(xy[:, 0], xy[:, 1])
        return np.column_stack([lon / 180.0, np.arcsinh(np.tan(np.radians(lat))) / np.pi]) * _HALF

    geometry = shapely.force_2d(table.geometry.to_numpy())
    return np.asarray(shapely.transform(geometry, project), object)


def _properties(table: gpd.GeoDataFrame, columns: tuple[str, ...]) -> list[dict[str, Any]]:
    """What each feature carries: plain values, nothing where there is nothing."""
    there = [column for column in columns if column in table.columns]
    values = [table[column].astype(object).where(table[column].notna(), None).tolist() for column in there]
    return [
        {
            name: _plain(value)
            for name, value in zip(there, row, strict=True)
            if value is not None and value != ""
        }
        for row in zip(*values, strict=True)
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 2)
    return value if isinstance(value, (str, bool, int)) else str(value)


def _labels(features: Features, place: Place) -> _Layer:
    """One named point in each polygon; cut by tiles, a polygon has no place of its own for its name."""
    table = features.table
    table = table[table.geometry.notna() & ~table.geometry.is_empty].sort_values("id", kind="stable")
    points = table.set_geometry(table.geometry.representative_point())
    told = _properties(points, ("id", "name", "name_ko", "name_en"))
    kind = (
        "town"
        if "population" in table.columns and len(table) and table.geometry.area.median() > 5e6
        else "neighbourhood"
    )
    properties = [{**values, "kind": kind, "rank": 1} for values in told]
    return _Layer(_DRAWN[-1], _mercator(points, place), properties, np.full(len(points), 10), None)


def _named(layer: str, features: Features, place: Place) -> _Layer:
    """The points of a layer as places, from the zoom that their rank gives them."""
    points = _prepare(_DRAWN[-1], features, place)
    return replace(points, properties=[{**values, "of": layer} for values in points.properties])


def _with_labels(prepared: list[_Layer], labels: list[_Layer]) -> list[_Layer]:
    """The names of the areas stand among the places."""
    places = [layer for layer in prepared if layer.drawn.layer == "places"]
    joined = [*labels, *places]
    together = _Layer(
        _DRAWN[-1],
        np.concatenate([layer.geometry for layer in joined]),
        [values for layer in joined for values in layer.properties],
        np.concatenate([layer.first_zoom for layer in joined]),
        places[0].lonlat if places else None,
    )
    return [*(layer for layer in prepared if layer.drawn.layer != "places"), together]


def _zoom(layers: list[_Layer], zoom: int) -> dict[str, bytes]:
    """All tiles of one zoom: path → bytes."""
    contents: dict[tuple[int, int], list[bytes]] = {}
    for layer in layers:
        geometry, row, column, line = _cut(layer, zoom)
        if not len(row):
            continue
        drawn = vectortile.draw(mvt.shapes(pa.array(shapely.to_wkb(geometry), pa.large_binary())), _EXTENT)
        told = tuple(_taken(values, row) for values in layer.attributes)
        order = np.lexsort((row, line, column))
        starts = np.flatnonzero(np.diff(column[order], prepend=-1) | np.diff(line[order], prepend=-1))
        for chunk in np.split(order, starts[1:]):
            tile = (int(column[chunk[0]]), int(line[chunk[0]]))
            data = vectortile.layer(layer.drawn.layer, drawn, told, _EXTENT, chunk)
            contents.setdefault(tile, []).append(data)
    whole = {tile: b"".join(parts) for tile, parts in sorted(contents.items())}
    return {f"{zoom}/{x}/{y}.mvt": data for (x, y), data in whole.items() if data}


def _taken(values: vectortile.Values, row: Ints) -> vectortile.Values:
    """The property of these rows."""
    return replace(values, codes=values.codes[row])


Ints = NDArray[np.int64]


def _cut(layer: _Layer, zoom: int) -> tuple[NDArray[np.object_], Ints, Ints, Ints]:
    """Features cut by tile, in whole units of the tile, y down; and of each its row, column x and line y.

    Simplified to half of a 512th of the tile; polygons smaller than one such pixel are left out.
    """
    side = 2.0 * _HALF / 2**zoom
    rows = np.flatnonzero(layer.first_zoom <= zoom)
    if zoom < layer.drawn.first_zoom:
        rows = rows[:0]
    shapes = layer.geometry[rows]
    if layer.drawn.shape != "point":
        if layer.drawn.shape == "polygon":
            seen = shapely.area(shapes) >= (side / 512.0) ** 2
            rows, shapes = rows[seen], shapes[seen]
        shapes = shapely.simplify(shapes, side / 1024.0 if zoom < _FINE_ZOOM else side / _EXTENT)
    margin = 0.0 if layer.drawn.shape == "point" else side * _MARGIN / _EXTENT
    pair, column, line = _tiles(shapely.bounds(shapes), side, margin)
    west, north = column * side - _HALF, _HALF - line * side
    cut = shapes[pair]
    if layer.drawn.shape != "point":
        edges = shapely.box(west - margin, north - side - margin, west + side + margin, north + margin)
        whole = shapely.contains_properly(edges, cut)
        cut[~whole] = shapely.intersection(cut[~whole], edges[~whole])
    xy, index = shapely.get_coordinates(cut, return_index=True)
    scaled = np.column_stack([(xy[:, 0] - west[index]), (north[index] - xy[:, 1])]) * (_EXTENT / side)
    cut = shapely.set_coordinates(cut, np.rint(scaled) if layer.drawn.shape == "point" else scaled)
    if layer.drawn.shape == "polygon":
        cut = shapely.set_precision(shapely.make_valid(cut), 1.0)  # whole numbers and still valid
    elif layer.drawn.shape == "line":
        cut = shapely.set_precision(cut, 1.0)
    cut = _only(cut, layer.drawn.shape)
    kept = ~shapely.is_missing(cut) & ~shapely.is_empty(cut)
    return cut[kept], rows[pair[kept]], column[kept], line[kept]


def _tiles(bounds: NDArray[np.float64], side: float, margin: float) -> tuple[Ints, Ints, Ints]:
    """Every pair of a feature and a tile that its bounds meet: index of the feature, column, line."""
    bounds = bounds + np.array([-margin, -margin, margin, margin])
    x0, x1 = (np.floor((bounds[:, k] + _HALF) / side).astype(np.int64) for k in (0, 2))
    y0, y1 = (np.floor((_HALF - bounds[:, k]) / side).astype(np.int64) for k in (3, 1))
    wide = x1 - x0 + 1
    count = wide * (y1 - y0 + 1)
    pair = np.repeat(np.arange(len(bounds)), count)
    within = np.arange(len(pair)) - np.repeat(np.cumsum(count) - count, count)
    return pair, x0[pair] + within % wide[pair], y0[pair] + within // wide[pair]


def _only(shapes: NDArray[np.object_], wanted: str) -> NDArray[np.object_]:
    """Of each shape the parts of the wanted dimension, polygons turned; missing where none is left."""
    single = _TYPES[wanted][0]
    parts, of = shapely.get_parts(shapes, return_index=True)
    parts, again = shapely.get_parts(parts, return_index=True)  # collections may hold multi-geometries
    of = of[again]
    fit = (shapely.get_type_id(parts) == single) & ~shapely.is_empty(parts)
    parts, of = parts[fit], of[fit]
    if wanted == "polygon":
        parts = shapely.orient_polygons(parts)  # y is down: this is clockwise on the screen
    whole = {
        "polygon": shapely.multipolygons,
        "line": shapely.multilinestrings,
        "point": shapely.multipoints,
    }[wanted]
    out = np.full(len(shapes), None, object)
    if len(parts):
        owners, first, count = np.unique(of, return_index=True, return_counts=True)
        several = np.repeat(count > 1, count)
        out[owners[count == 1]] = parts[first[count == 1]]
        if several.any():
            renumbered = np.repeat(np.arange(int((count > 1).sum())), count[count > 1])
            out[owners[count > 1]] = whole(parts[several], indices=renumbered)
    return out


def _tilejson(prepared: list[_Layer], layers: Mapping[str, Features], last: int) -> dict[str, Any]:
    """TileJSON 3.0 less the addresses."""
    around = [layer.lonlat.as_tuple() for layer in prepared if layer.lonlat is not None]
    box = np.array(around or [(-180.0, -85.0, 180.0, 85.0)])
    words = [
        licence.attribution or licence.title
        for layer in prepared
        if layer.drawn.layer in layers
        for licence in layers[layer.drawn.layer].provenance.licences
    ]
    return {
        "tilejson": "3.0.0",
        "scheme": "xyz",
        "minzoom": _LEAST_ZOOM,
        "maxzoom": last,
        "bounds": [*box[:, :2].min(axis=0).round(6).tolist(), *box[:, 2:].max(axis=0).round(6).tolist()],
        "attribution": "; ".join(dict.fromkeys(word for word in words if word)),
        "vector_layers": [
            {
                "id": layer.drawn.layer,
                "minzoom": int(min(layer.first_zoom.min(), last)),
                "maxzoom": last,
                "fields": _fields(layer),
            }
            for layer in prepared
        ],
    }


def _fields(layer: _Layer) -> dict[str, str]:
    fields: dict[str, str] = {}
    for values in layer.properties:
        for name, value in values.items():
            kind = "Boolean" if isinstance(value, bool) else "String" if isinstance(value, str) else "Number"
            fields.setdefault(name, kind)
    return dict(sorted(fields.items()))


BASE = Product(
    id="base",
    title=Name("바탕 지도", "Base map"),
    needs=(),
    takes=(*(drawn.layer for drawn in _DRAWN), *_NAMED),
    edition=3,
    make=make,
)
