"""Dated rows into a series: one column a property (wide), or one property's values told apart by other columns (long)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from twintown.ground.errors import BadData, BadSettings
from twintown.ground.names import Name, check_id
from twintown.ground.series import Series as SeriesShape

from .rows import chosen, need, numbers, read_rows
from .source import Ask, Option, Shape

SEPARATOR = " | "
OPTIONS: Mapping[str, Option] = {
    "layer": Option((str,), "", "id of the layer that comes of it (needed)"),
    "encoding": Option((str,), "auto", "auto, utf-8, utf-8-sig or cp949"),
    "delimiter": Option((str,), ",", "what separates the fields"),
    "time": Option((str,), "", "column of the date (needed)"),
    "format": Option((str,), "%Y-%m-%d", "how it is written, as strptime has it"),
    "where": Option((dict,), {}, "old name = value or list of values to keep"),
    "columns": Option((dict,), {}, f'new name = old name; with `key`: new name = the key\'s values joined by "{SEPARATOR}"'),
    "key": Option((list,), [], "columns that tell rows of the same date apart"),
    "value": Option((str,), "", "with key: the column of the values"),
    "units": Option((dict,), {}, "new name = UCUM code (or one text for all)"),
    "unit": Option((str,), "", "UCUM code of all columns"),
    "zero_is_missing": Option((bool,), False, "0 means that nothing was measured"),
    "place": Option((str,), "", "what the values are of"),
}  # fmt: skip


class Dated:
    """The source `series`: one CSV of dated rows."""

    id = "series"
    version = "1"
    title = Name("시계열 (CSV)", "Series (CSV)")
    options = OPTIONS

    def layers(self, options: Mapping[str, Any]) -> tuple[str, ...]:
        layer = options.get("layer", "")
        if not layer:
            raise BadSettings("the option 'layer' is missing", "sources.options", 'add layer = "…"')
        return (check_id(layer, "options.layer"),)

    def read(self, ask: Ask) -> Iterator[tuple[str, Shape]]:
        """One series, in order of time; null where the file has nothing.

        Raises:
            BadData: dates that are none, two values for one date, a key that no row has.
        """
        options = ask.options
        (layer,) = self.layers(options)
        if (
            len(ask.paths) != 1
            or not options["time"]
            or not options["columns"]
            or bool(options["key"]) != bool(options["value"])
        ):
            raise BadSettings(
                "one file, and the options time and columns (key and value together) are needed",
                f"{ask.where}.options",
            )
        path = ask.paths[0]
        rows = chosen(read_rows(path, options["encoding"], options["delimiter"]), options["where"], path)
        time = _dates(need(rows, options["time"], path, "time"), options["format"], path)
        table = _long(rows, time, options, path) if options["key"] else _wide(rows, time, options, path)
        if options["zero_is_missing"]:
            table = table.where(table != 0)
        units = {name: options["units"].get(name, options["unit"]) for name in table.columns}
        if missing := [name for name, unit in units.items() if not unit]:
            raise BadSettings(
                f"the column {missing[0]!r} has no unit", f"{ask.where}.options.units", "add it (UCUM)"
            )
        arrays = {name: pa.array(table[name].to_numpy(float), from_pandas=True) for name in table.columns}
        stamps = pa.array(pd.DatetimeIndex(table.index).as_unit("ms"))
        provenance = ask.provenance(
            "read dated rows",
            f"twintown.sources.series {self.version}",
            {"rows": len(rows), "dates": len(table)},
        )
        yield (
            layer,
            SeriesShape(
                pa.table({"time": stamps, **arrays}),
                units,
                ask.zone,
                options["place"] or ask.origin.title,
                provenance,
            ),
        )


def _dates(texts: pd.Series[str], form: str, path: Path) -> pd.Series[Any]:
    time = pd.to_datetime(texts, format=form, errors="coerce")
    if time.isna().any():
        at = int(np.flatnonzero(time.isna().to_numpy())[0])
        raise BadData(
            f"{texts.iloc[at]!r} is no date like {form} (row {int(texts.index[at]) + 2})",
            str(path),
            "set format, or mend the row",
        )
    return time


def _wide(rows: pd.DataFrame, time: pd.Series[Any], options: Mapping[str, Any], path: Path) -> pd.DataFrame:
    if time.duplicated().any():
        raise BadData(
            f"{time[time.duplicated()].iloc[0]:%Y-%m-%d} stands twice",
            str(path),
            "narrow `where`, or use key and value",
        )
    columns = {
        new: numbers(need(rows, old, path, f"columns.{new}"), path, old)
        for new, old in options["columns"].items()
    }
    return pd.DataFrame(columns, index=time.to_numpy()).sort_index()


def _long(rows: pd.DataFrame, time: pd.Series[Any], options: Mapping[str, Any], path: Path) -> pd.DataFrame:
    key = need(rows, options["key"][0], path, "key")
    for name in options["key"][1:]:
        key = key + SEPARATOR + need(rows, name, path, "key")
    values = numbers(need(rows, options["value"], path, "value"), path, options["value"])
    long = pd.DataFrame({"time": time.to_numpy(), "key": key.to_numpy(), "value": values})
    if long.duplicated(["time", "key"]).any():
        twice = long[long.duplicated(["time", "key"])].iloc[0]
        raise BadData(
            f"{twice['key']!r} has two values on {twice['time']:%Y-%m-%d}",
            str(path),
            "name more columns in key",
        )
    table = long.pivot(index="time", columns="key", values="value").sort_index()
    if unknown := [old for old in options["columns"].values() if old not in table.columns]:
        raise BadData(
            f"no row has the key {unknown[0]!r}",
            str(path),
            f"it has {', '.join(map(repr, list(table.columns)[:6]))}",
        )
    return table[list(options["columns"].values())].set_axis(list(options["columns"]), axis=1)


SOURCE = Dated()
