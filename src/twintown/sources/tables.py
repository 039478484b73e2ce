"""Tables with or without coordinates: CSV rows into points, or into a plain table (null geometry)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from twintown.ground.errors import BadData, BadSettings
from twintown.ground.features import Features
from twintown.ground.names import Name, check_id

from .gazetteer import Gazetteer
from .points import in_frame
from .rows import chosen, need, numbers, read_rows, typed
from .source import Ask, Option, Shape

Floats = NDArray[np.float64]
OPTIONS: Mapping[str, Option] = {
    "layer": Option((str,), "", "id of the layer that comes of it (needed)"),
    "encoding": Option((str,), "auto", "auto, utf-8, utf-8-sig or cp949"),
    "delimiter": Option((str,), ",", "what separates the fields"),
    "id": Option(
        (str, list), "", "the column, or columns, that make a row's id; without it the row's number"
    ),
    "x": Option((str,), "", "column of longitude or easting; without x and y the layer is a plain table"),
    "y": Option((str,), "", "column of latitude or northing"),
    "crs": Option((str,), "EPSG:4326", "what x and y are in"),
    "clip": Option((bool,), True, "keep only points within the bounds"),
    "without_place": Option((str,), "drop", "rows without coordinates: drop, or keep (null geometry)"),
    "columns": Option(
        (dict,), {}, "new name = old name; only these are kept. Without it all, under their old names"
    ),
    "types": Option((dict,), {}, "new name = text, int, float or bool, where the values do not show it"),
    "units": Option((dict,), {}, "new name = UCUM code"),
    "where": Option((dict,), {}, "old name = value or list of values to keep"),
    "replace": Option((dict,), {}, "new name = table of old value = new value"),
    "constants": Option((dict,), {}, "new name = one value for all rows"),
    "dedupe": Option(
        (list,), [], "old names; of rows that agree in them the first is kept, in the middle of their places"
    ),
    "dedupe_sum": Option(
        (list,), [], "old names of numbers that are summed up over the merged rows (one row a parking bay)"
    ),
    "sum_by": Option(
        (list,), [], "new names; rows that agree in them become one, the other numbers summed up"
    ),
    "address": Option((str,), "", "column with an address, for rows without coordinates"),
    "gazetteer": Option((list,), [], "tables { path, address, x, y } that know addresses and coordinates"),
}


class Tables:
    """The source `tables`: one or several CSV files of the same columns."""

    id = "tables"
    version = "1"
    title = Name("표 (CSV)", "Tables (CSV)")
    options = OPTIONS

    def layers(self, options: Mapping[str, Any]) -> tuple[str, ...]:
        layer = options.get("layer", "")
        if not layer:
            raise BadSettings("the option 'layer' is missing", "sources.options", 'add layer = "…"')
        return (check_id(layer, "options.layer"),)

    def read(self, ask: Ask) -> Iterator[tuple[str, Shape]]:
        """One layer of points, or one plain table.

        Raises:
            BadData: see `rows.read_rows` and `points.in_frame`; repeated ids.
        """
        options = ask.options
        (layer,) = self.layers(options)
        if bool(options["x"]) != bool(options["y"]):
            raise BadSettings("x and y belong together", f"{ask.where}.options", "give both or neither")
        if options["without_place"] not in ("drop", "keep"):
            raise BadSettings(
                f"without_place is {options['without_place']!r}", f"{ask.where}.options", "use drop or keep"
            )
        pieces = [self._one(path, ask) for path in ask.paths]
        table = pd.concat([piece[0] for piece in pieces], ignore_index=True)
        xy = np.concatenate([piece[1] for piece in pieces])
        step: dict[str, Any] = {"rows": sum(piece[2]["rows"] for piece in pieces)}
        for key in ("without_place", "outside", "repeated", "placed_by_address"):
            step[key] = sum(piece[2].get(key, 0) for piece in pieces)
        if options["sum_by"]:
            table, xy = _summed(table, options["sum_by"], ask.where)
        if not table["id"].is_unique:
            twice = table["id"][table["id"].duplicated()].iloc[0]
            raise BadData(
                f"two rows have the id {twice!r}", str(ask.paths[0]), "name more columns in id, or use dedupe"
            )
        drawn = np.isfinite(xy).all(axis=1)
        geometry = np.full(len(table), None, object)
        geometry[drawn] = shapely.points(xy[drawn])
        frame = gpd.GeoDataFrame(
            table, geometry=gpd.GeoSeries(geometry, crs=ask.frame.crs), crs=ask.frame.crs
        )
        if unknown := [name for name in options["units"] if name not in frame.columns]:
            raise BadSettings(
                f"there is no column {unknown[0]!r} to give a unit", f"{ask.where}.options.units"
            )
        provenance = ask.provenance(
            "read a table", f"twintown.sources.tables {self.version}", {k: v for k, v in step.items() if v}
        )
        yield layer, Features(frame.reset_index(drop=True), ask.frame, provenance, dict(options["units"]))

    def _one(self, path: Path, ask: Ask) -> tuple[pd.DataFrame, Floats, dict[str, int]]:
        options = ask.options
        rows = read_rows(path, options["encoding"], options["delimiter"])
        step = {"rows": len(rows)}
        rows = chosen(rows, options["where"], path)
        xy = np.full((len(rows), 2), np.nan)
        how = np.full(len(rows), "", object)
        error = np.full(len(rows), np.nan)
        if options["x"]:
            x, y = (
                numbers(need(rows, options[axis], path, axis), path, options[axis]) for axis in ("x", "y")
            )
            x, y = (
                np.where((x == 0) & (y == 0), np.nan, one) for one in (x, y)
            )  # what portals write for "unknown"
            has = np.isfinite(x) & np.isfinite(y)
            if not has.any() and not options["address"]:
                raise BadData(
                    f"no row has numbers in both {options['x']!r} and {options['y']!r}",
                    str(path),
                    "check the options x and y",
                )
            u, v = in_frame(
                x[has],
                y[has],
                options["crs"],
                ask.frame,
                ask.bounds,
                f"{path} ({options['x']}, {options['y']})",
            )
            xy[has] = np.column_stack([u, v])
            how[has], error[has] = "stated", 0.0
        if options["address"]:
            known = self._gazetteer(ask)
            texts = need(rows, options["address"], path, "address")
            for i in np.flatnonzero(~np.isfinite(xy).all(axis=1)):
                x_m, y_m, off, found = known.find(texts.iloc[i])
                xy[i], error[i], how[i] = (x_m, y_m), off, found
            step["placed_by_address"] = int(np.isin(how, ("address", "neighbourhood")).sum())
        if options["dedupe"]:
            names = [str(need(rows, name, path, "dedupe").name) for name in options["dedupe"]]
            rows = _totals(rows, names, options["dedupe_sum"], path)
            rows, xy, how, error = _merged(rows, xy, how, error, names)
            step["repeated"] = step["rows"] - len(rows)
        if options["x"] or options["address"]:
            keep, missing = self._within(xy, ask)
            step |= missing
            rows, xy, how, error = rows[keep], xy[keep], how[keep], error[keep]
        table = self._columns(rows, path, options)
        if options["address"]:
            table["place_source"] = pd.Series(how, index=table.index).astype("str")
            table["place_error_m"] = error
        return table, xy, step

    def _within(self, xy: Floats, ask: Ask) -> tuple[NDArray[np.bool_], dict[str, int]]:
        box = ask.bounds
        drawn = np.isfinite(xy).all(axis=1)
        with np.errstate(invalid="ignore"):
            inside = ((xy >= (box.xmin, box.ymin)) & (xy <= (box.xmax, box.ymax))).all(axis=1)
        keep = np.asarray(inside if ask.options["clip"] else drawn, bool)
        if ask.options["without_place"] == "keep":
            keep = keep | ~drawn
        return keep, {"without_place": int((~drawn).sum()), "outside": int((drawn & ~keep).sum())}

    def _columns(self, rows: pd.DataFrame, path: Path, options: Mapping[str, Any]) -> pd.DataFrame:
        names = options["columns"] or {name: name for name in rows.columns}
        types, replace = options["types"], options["replace"]
        out: dict[str, Any] = {"id": _ids(rows, path, options["id"])}
        for new, old in names.items():
            if new in ("id", "geometry"):
                continue
            texts = need(rows, old, path, f"columns.{new}")
            if new in replace:
                texts = texts.replace({str(k): str(v) for k, v in replace[new].items()})
            out[new] = typed(texts, types.get(new, "auto"), path, old)
        for new, value in options["constants"].items():
            out[new] = value
        return pd.DataFrame(out, index=rows.index).reset_index(drop=True)

    def _gazetteer(self, ask: Ask) -> Gazetteer:
        addresses: list[pd.Series[str]] = []
        places: list[Floats] = []
        for entry in ask.options["gazetteer"]:
            if (
                not isinstance(entry, Mapping)
                or set(entry) - {"path", "address", "x", "y", "crs", "encoding"}
                or not {"path", "address", "x", "y"} <= set(entry)
            ):
                raise BadSettings(
                    "an entry of gazetteer has path, address, x, y (crs, encoding)",
                    f"{ask.where}.options.gazetteer",
                )
            path = ask.base / entry["path"]
            rows = read_rows(path, entry.get("encoding", "auto"))
            x, y = (
                numbers(need(rows, entry[axis], path, f"gazetteer.{axis}"), path, entry[axis])
                for axis in ("x", "y")
            )
            has = np.isfinite(x) & np.isfinite(y)
            u, v = in_frame(x[has], y[has], entry.get("crs", "EPSG:4326"), ask.frame, ask.bounds, str(path))
            addresses.append(need(rows, entry["address"], path, "gazetteer.address")[has])
            places.append(np.column_stack([u, v]))
        if not addresses:
            raise BadSettings(
                "the option 'address' needs a gazetteer",
                f"{ask.where}.options",
                "name tables that know addresses and coordinates",
            )
        return Gazetteer.of(pd.concat(addresses), np.concatenate(places))


def _ids(rows: pd.DataFrame, path: Path, columns: str | list[str]) -> pd.Series[str]:
    names = [columns] if isinstance(columns, str) else columns
    if not names or names == [""]:
        return pd.Series((rows.index.to_numpy() + 1).astype(str), index=rows.index).astype("str")
    ids = need(rows, names[0], path, "id")
    for name in names[1:]:
        ids = ids + "-" + need(rows, name, path, "id")
    if (ids == "").any():
        row = int(rows.index[np.flatnonzero((ids == "").to_numpy())[0]]) + 2
        raise BadData(f"the id is empty in row {row}", str(path), "name another column in id")
    return ids


def _totals(rows: pd.DataFrame, names: list[str], summed: list[str], path: Path) -> pd.DataFrame:
    """The rows with the sums of some columns, as text, in each of the rows that agree."""
    for column in summed:
        total = (
            pd.Series(numbers(need(rows, column, path, "dedupe_sum"), path, column), index=rows.index)
            .groupby([rows[name] for name in names])
            .transform("sum")
        )
        rows = rows.assign(**{column: total.map("{:g}".format).astype("str")})
    return rows


def _merged(
    rows: pd.DataFrame, xy: Floats, how: NDArray[np.object_], error: Floats, names: list[str]
) -> tuple[pd.DataFrame, Floats, NDArray[np.object_], Floats]:
    """The first of the rows that agree, in the middle of their places; the error tells how far these lie apart."""
    group = rows.groupby(names, sort=False).ngroup().to_numpy()
    first = np.unique(group, return_index=True)[1]
    middle = pd.DataFrame(xy).groupby(group, sort=True).mean().to_numpy()
    spread = pd.Series(np.hypot(*(xy - middle[group]).T)).groupby(group, sort=True).max().to_numpy()
    return rows.iloc[first], middle, how[first], np.maximum(np.nan_to_num(error[first]), spread)


def _summed(table: pd.DataFrame, by: list[str], where: str) -> tuple[pd.DataFrame, Floats]:
    if missing := [name for name in by if name not in table.columns]:
        raise BadSettings(f"there is no column {missing[0]!r} to sum by", f"{where}.options.sum_by")
    numeric = [
        name for name in table.columns if name not in by and pd.api.types.is_numeric_dtype(table[name])
    ]
    out = table.groupby(by, sort=True, as_index=False, dropna=False)[numeric].sum()
    ids = out[by[0]].astype("str")
    for name in by[1:]:
        ids = ids + "-" + out[name].astype("str")
    out.insert(0, "id", ids)
    return out, np.full((len(out), 2), np.nan)


SOURCE = Tables()
