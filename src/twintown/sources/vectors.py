"""Vector files through GDAL: GeoPackage, GeoJSON, Shapefile (cp949 names too), FlatGeobuf."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyproj
import shapely
from pyogrio.errors import DataLayerError, DataSourceError

from twintown.ground.errors import BadData, BadSettings, TooLarge
from twintown.ground.features import Features
from twintown.ground.names import Name, check_id

from .geojson import check_document
from .points import in_frame
from .source import Ask, Option, Shape, check_file

LIMIT_BYTES = 8_000_000_000
#: GeoJSON is held whole to be checked.
LIMIT_GEOJSON = 500_000_000
SUFFIXES = (".gpkg", ".geojson", ".json", ".shp", ".fgb", ".gdb", ".gml", ".kml")
OPTIONS: Mapping[str, Option] = {
    "layer": Option((str,), "", "id of the layer that comes of it (needed)"),
    "file_layer": Option((str,), "", "which layer of the file, where it has several"),
    "encoding": Option((str,), "", "of a Shapefile's .dbf, where no .cpg says it (cp949)"),
    "crs": Option((str,), "", "what the coordinates are in, where the file does not say or is wrong"),
    "id": Option((str, list), "", "the column, or columns, that make a feature's id; without it its number"),
    "clip": Option(
        (str,),
        "touch",
        "touch: keep whole what touches the bounds; cut: cut at them; centre: keep whole what has its middle within; none",
    ),
    "columns": Option(
        (dict,), {}, "new name = old name; only these are kept. Without it all, under their old names"
    ),
    "types": Option((dict,), {}, "new name = text, int or float"),
    "units": Option((dict,), {}, "new name = UCUM code"),
    "where": Option((dict,), {}, "old name = value or list of values to keep"),
    "replace": Option((dict,), {}, "new name = table of old value = new value, of a text column"),
    "constants": Option((dict,), {}, "new name = one value for all features"),
}
_CASTS = {"text": "str", "int": "Int64", "float": "float64"}


class Vectors:
    """The source `vectors`: one vector file, or several with the same columns."""

    id = "vectors"
    version = "1"
    title = Name("벡터 파일", "Vector files")
    options = OPTIONS

    def layers(self, options: Mapping[str, Any]) -> tuple[str, ...]:
        layer = options.get("layer", "")
        if not layer:
            raise BadSettings("the option 'layer' is missing", "sources.options", 'add layer = "…"')
        return (check_id(layer, "options.layer"),)

    def read(self, ask: Ask) -> Iterator[tuple[str, Shape]]:
        """One layer.

        Raises:
            BadData: damaged, of unknown kind or CRS, misplaced, without geometry, with repeated ids.
        """
        (layer,) = self.layers(ask.options)
        table = pd.concat([self._one(path, ask) for path in ask.paths], ignore_index=True)
        if not table["id"].is_unique:
            twice = table["id"][table["id"].duplicated()].iloc[0]
            raise BadData(f"two features have the id {twice!r}", str(ask.paths[0]), "name more columns in id")
        for name, value in ask.options["constants"].items():
            table[name] = value
        frame = gpd.GeoDataFrame(table, geometry="geometry", crs=ask.frame.crs)
        provenance = ask.provenance(
            "read a vector file", f"twintown.sources.vectors {self.version}", {"features": len(frame)}
        )
        yield layer, Features(frame, ask.frame, provenance, dict(ask.options["units"]))

    def _one(self, path: Path, ask: Ask) -> gpd.GeoDataFrame:
        options = ask.options
        raw = read_vectors(path, options["file_layer"], options["encoding"])
        crs = options["crs"] or (raw.crs.to_string() if raw.crs else "")
        if not crs:
            raise BadData(
                "does not say which CRS it is in",
                str(path),
                'set crs = "EPSG:…"' + (" (the .prj is missing)" if path.suffix == ".shp" else ""),
            )
        for column, wanted in options["where"].items():
            values = [str(one) for one in (wanted if isinstance(wanted, list) else [wanted])]
            raw = raw[_column(raw, column, path, "where").astype("str").isin(values)]
            if raw.empty:
                raise BadData(f"no feature has {' or '.join(values)} in {column!r}", str(path), "check where")
        number = np.arange(1, len(raw) + 1).astype(str)
        geometry = shapely.force_2d(raw.geometry.to_numpy())
        drawn = ~(shapely.is_missing(geometry) | shapely.is_empty(geometry))
        if not drawn.any():
            raise BadData(
                "holds no geometry", str(path), "a table without geometry is read by the source 'tables'"
            )
        geometry = _in_frame(geometry[drawn], crs, ask, path)
        names = options["columns"] or {name: name for name in raw.columns if name != raw.geometry.name}
        kept = raw[drawn]
        out: dict[str, Any] = {"id": _ids(kept, options["id"], number[drawn], path)}
        for new, old in names.items():
            if new in ("id", "geometry"):
                continue
            column = _column(kept, old, path, f"columns.{new}").reset_index(drop=True)
            if new in options["replace"]:
                column = column.astype("str").replace(
                    {str(k): str(v) for k, v in options["replace"][new].items()}
                )
            kind = options["types"].get(new)
            if kind is not None and kind not in _CASTS:
                raise BadSettings(
                    f"unknown type {kind!r}", f"{ask.where}.options.types", f"use {', '.join(_CASTS)}"
                )
            try:
                out[new] = column.astype(_CASTS[kind]) if kind else column
            except (ValueError, TypeError) as error:
                raise BadData(
                    f"{old!r} cannot be read as {kind} ({error})", str(path), "check types"
                ) from error
        table = gpd.GeoDataFrame(pd.DataFrame(out), geometry=geometry, crs=ask.frame.crs)
        return _clipped(table, options["clip"], ask)


def read_vectors(path: Path, layer: str = "", encoding: str = "") -> gpd.GeoDataFrame:
    """A layer of a vector file, as it stands.

    Raises:
        BadData: not there, empty, damaged, of an unknown kind; several layers and none named; wrongly encoded names.
        TooLarge: more than 8 GB.
    """
    check_file(path, LIMIT_BYTES)
    if path.suffix.lower() not in SUFFIXES:
        raise BadData(
            f"{path.suffix or 'no suffix'} is not a vector file that is read here",
            str(path),
            f"give one of {', '.join(SUFFIXES)}",
        )
    if path.suffix.lower() in (".geojson", ".json"):
        check_geojson(path)
    if path.suffix.lower() == ".shp" and (
        missing := [
            one
            for one in (".shx", ".dbf")
            if not path.with_suffix(one).exists() and not path.with_suffix(one.upper()).exists()
        ]
    ):
        raise BadData(
            f"the Shapefile lacks its {missing[0]}", str(path), "copy all files of the same name together"
        )
    try:
        layers = [str(one) for one in pyogrio.list_layers(path)[:, 0]]
        if layer and layer not in layers:
            raise BadData(f"has no layer {layer!r}", str(path), f"it has {', '.join(layers)}")
        if len(layers) > 1 and not layer:
            raise BadData(
                f"has {len(layers)} layers", str(path), f"set file_layer to one of {', '.join(layers)}"
            )
        frame = pyogrio.read_dataframe(path, layer=layer or None, encoding=encoding or None)
    except (DataSourceError, DataLayerError, ValueError, RuntimeError, IndexError) as error:
        if isinstance(error, UnicodeDecodeError):
            raise BadData(
                f"its names are not {error.encoding} (byte {error.start})",
                str(path),
                'set encoding = "cp949"',
            ) from error
        raise BadData(
            f"damaged, truncated or of an unknown kind ({str(error).splitlines()[0][:160]})",
            str(path),
            "fetch it again",
        ) from error
    if not isinstance(frame, gpd.GeoDataFrame):
        raise BadData(
            "holds no geometry", str(path), "a table without geometry is read by the source 'tables'"
        )
    if not len(frame):
        raise BadData("holds no feature", str(path), "fetch it again")
    texts = [name for name in frame.columns if pd.api.types.is_string_dtype(frame[name])]
    if path.suffix.lower() == ".shp" and not encoding and any(_garbled(frame[name]) for name in texts):
        raise BadData(
            "its texts are not in the encoding that is assumed", str(path), 'set encoding = "cp949"'
        )
    return frame


def _garbled(texts: pd.Series[Any]) -> bool:
    """CP949 read as Latin-1 gives runs of À–ÿ, never Hangul."""
    return bool(
        texts.dropna().astype("str").head(1000).str.contains("[\u0080-\u00bf\u00c0-\u00ff]{3}|\ufffd").any()
    )


def check_geojson(path: Path) -> None:
    """What GDAL forgives or turns into something else, said instead.

    Raises:
        BadData: not JSON, not GeoJSON, or a geometry that is none.
    """
    try:
        check_file(path, LIMIT_GEOJSON)
        document = json.loads(path.read_bytes())
    except UnicodeDecodeError as error:
        raise BadData(
            f"is not UTF-8 (byte {error.start})", str(path), "save it as UTF-8, which GeoJSON is always in"
        ) from error
    except TooLarge as error:
        raise TooLarge(error.what, error.where, "convert it to FlatGeobuf or GeoPackage first") from None
    except RecursionError as error:
        raise BadData("is nested too deeply", str(path), "check what it is") from error
    except json.JSONDecodeError as error:
        raise BadData(
            f"is not JSON, or breaks off: {error.msg} (line {error.lineno}, column {error.colno})",
            str(path),
            "fetch it again",
        ) from error
    check_document(document, str(path))


def _column(table: gpd.GeoDataFrame, name: str, path: Path, option: str) -> pd.Series[Any]:
    if name not in table.columns:
        raise BadData(
            f"has no column {name!r} (option {option})",
            str(path),
            f"it has {', '.join(map(repr, list(table.columns)[:12]))}",
        )
    column: pd.Series[Any] = table[name]
    return column


def _ids(
    table: gpd.GeoDataFrame, columns: str | list[str], number: np.ndarray[Any, Any], path: Path
) -> pd.Series[str]:
    names = [name for name in ([columns] if isinstance(columns, str) else columns) if name]
    if not names:
        return pd.Series(number).astype("str")
    texts = []
    for name in names:
        column = _column(table, name, path, "id")
        if column.isna().any():
            raise BadData(
                f"the id {name!r} is empty in some features", str(path), "name another column in id"
            )
        whole = pd.api.types.is_float_dtype(column) and bool((column % 1 == 0).all())
        texts.append((column.astype("int64") if whole else column).astype("str").reset_index(drop=True))
    ids = texts[0]
    for text in texts[1:]:
        ids = ids + "-" + text
    return ids


def _in_frame(geometry: np.ndarray[Any, Any], crs: str, ask: Ask, path: Path) -> np.ndarray[Any, Any]:
    """All vertices in the frame; misplaced ones are an error (see `points`)."""
    if pyproj.CRS.from_user_input(crs) == pyproj.CRS.from_user_input(ask.frame.crs):
        crs = ask.frame.crs
    xy = shapely.get_coordinates(geometry)
    u, v = in_frame(xy[:, 0], xy[:, 1], crs, ask.frame, ask.bounds, str(path))
    return np.asarray(shapely.set_coordinates(geometry.copy(), np.column_stack([u, v])))


def _clipped(table: gpd.GeoDataFrame, how: str, ask: Ask) -> gpd.GeoDataFrame:
    """
    Raises:
        BadSettings: an unknown way to clip.
    """
    box = ask.bounds.polygon()
    shapes = table.geometry.to_numpy()
    if how == "none":
        return table
    if how == "touch":
        return table[shapely.intersects(shapes, box)].reset_index(drop=True)
    if how == "centre":
        return table[shapely.intersects(shapely.centroid(shapes), box)].reset_index(drop=True)
    if how == "cut":
        valid = np.where(shapely.is_valid(shapes), shapes, shapely.make_valid(shapes))
        cut = shapely.intersection(valid, box)
        same = ~shapely.is_empty(cut) & (shapely.get_dimensions(cut) == shapely.get_dimensions(shapes))
        return table.set_geometry(gpd.GeoSeries(cut, index=table.index, crs=table.crs))[same].reset_index(
            drop=True
        )
    raise BadSettings(f"clip is {how!r}", f"{ask.where}.options", "use touch, cut, centre or none")


SOURCE = Vectors()
