"""Weather of a typical year: EnergyPlus weather files (EPW) into a series of hours.

Source: *Auxiliary Programs*, EnergyPlus documentation, chapter "EnergyPlus Weather File (EPW) Data Dictionary".
An hour's values hold for the hour that ends at the stated time (1 to 24); `time` here is the hour's beginning. EPW time
is standard time all year.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from twintown.ground.errors import BadData, BadSettings
from twintown.ground.names import Name, check_id
from twintown.ground.series import Series

from .source import Ask, Option, Shape, check_file

#: Field of the record (0 is the year): column, unit, the least value that means "missing", factor.
FIELDS: tuple[tuple[int, str, str, float, float], ...] = (
    (6, "temperature_c", "Cel", 99.9, 1.0), (7, "dew_point_c", "Cel", 99.9, 1.0),
    (8, "relative_humidity", "%", 999.0, 1.0), (9, "pressure_pa", "Pa", 999_999.0, 1.0),
    (13, "global_horizontal", "W.h/m2", 9999.0, 1.0), (14, "direct_normal", "W.h/m2", 9999.0, 1.0),
    (15, "diffuse_horizontal", "W.h/m2", 9999.0, 1.0), (20, "wind_direction_deg", "deg", 999.0, 1.0),
    (21, "wind_speed", "m/s", 999.0, 1.0), (22, "cloud_cover", "%", 99.0, 10.0), (33, "precipitation_mm", "mm", 999.0, 1.0),
)  # fmt: skip
_LIMITS = {
    "temperature_c": (-70.0, 70.0),
    "relative_humidity": (0.0, 110.0),
    "global_horizontal": (0.0, 1500.0),
    "wind_speed": (0.0, 40.0),
}
OPTIONS: Mapping[str, Option] = {
    "layer": Option((str,), "weather", "id of the layer"),
    "typical_year": Option((int,), 2023, "the year that a typical year's months are put into; no leap year"),
}  # fmt: skip


class Weather:
    """The source `weather`: one EPW file."""

    id = "weather"
    version = "1"
    title = Name("기상 (EPW)", "Weather (EPW)")
    options = OPTIONS

    def layers(self, options: Mapping[str, Any]) -> tuple[str, ...]:
        return (check_id(options.get("layer", "weather"), "options.layer"),)

    def read(self, ask: Ask) -> Iterator[tuple[str, Shape]]:
        """One series of hours.

        Raises:
            BadData: no EPW, truncated (fewer hours than the head announces), or values that cannot be.
        """
        if len(ask.paths) != 1:
            raise BadData(
                f"{len(ask.paths)} files; weather is read from one", ask.where, "make a source of each"
            )
        year = int(ask.options["typical_year"])
        if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0):
            raise BadSettings(
                f"{year} is a leap year",
                f"{ask.where}.options.typical_year",
                "a typical year has 8,760 hours; use another",
            )
        yield (
            self.layers(ask.options)[0],
            read_epw(ask.paths[0], ask, year, f"twintown.sources.weather {self.version}"),
        )


def read_epw(path: Path, ask: Ask, typical_year: int, by: str) -> Series:
    """See `Weather.read`."""
    check_file(path, 50_000_000)
    with path.open("rb") as file:
        head_bytes = file.read(4096)
    if not head_bytes.startswith(b"LOCATION"):
        raise BadData("does not begin with LOCATION", str(path), "give an EPW file")
    if b"\0" in head_bytes:
        raise BadData("is not text (zero bytes)", str(path), "save it as UTF-8")
    text = path.read_text(
        encoding="latin-1"
    )  # names of stations in any Western encoding; the numbers are ASCII
    lines = list(csv.reader(text.splitlines()))
    head = {line[0].strip().upper(): line[1:] for line in lines[:8] if line}
    if len(lines) < 9 or "DATA PERIODS" not in head:
        raise BadData("has no data after its head of eight lines", str(path), "fetch it again")
    width = max(field[0] for field in FIELDS) + 1
    rows = [line for line in lines[8:] if line]
    for number, line in enumerate(rows, 9):
        if len(line) < width:
            raise BadData(
                f"line {number} has {len(line)} fields instead of {width} or more",
                str(path),
                "the file breaks off: fetch it again",
            )
    try:
        stamp = np.array([line[:4] for line in rows], float).astype(int)
        values = {name: np.array([line[i] for line in rows], float) for i, name, _, _, _ in FIELDS}
    except ValueError as error:
        raise BadData(f"a field is no number ({error})", str(path), "fetch it again") from error
    _check_hours(stamp, head["DATA PERIODS"], path)
    columns: dict[str, Any] = {}
    for _, name, _, missing, factor in FIELDS:
        value = np.where(values[name] >= missing, np.nan, values[name] * factor)
        low, high = _LIMITS.get(name, (-np.inf, np.inf))
        if np.nanmin(value, initial=np.inf) < low or np.nanmax(value, initial=-np.inf) > high:
            raise BadData(
                f"{name} runs from {np.nanmin(value):g} to {np.nanmax(value):g}",
                str(path),
                "check that the columns are those of EPW",
            )
        columns[name] = pa.array(value, from_pandas=True)
    years = sorted(set(stamp[:, 0].tolist()))
    typical = len(years) > 1
    year = typical_year if typical else years[0]
    place = head["LOCATION"]
    offset = float(place[7])
    time = pd.to_datetime({"year": year, "month": stamp[:, 1], "day": stamp[:, 2]}) + pd.to_timedelta(
        stamp[:, 3] - 1, unit="h"
    )
    local = pd.DatetimeIndex(time - pd.Timedelta(hours=offset)).tz_localize("UTC").tz_convert(ask.zone)
    months = {int(m): int(stamp[stamp[:, 1] == m][0, 0]) for m in sorted(set(stamp[:, 1].tolist()))}
    attributes = {
        "typical_year": typical, "years_of_months": {str(m): y for m, y in months.items()}, "shown_as_year": year,
        "station": {
            "name": place[0], "country": place[2], "wmo": place[4],
            "lat": float(place[5]), "lon": float(place[6]), "elevation_m": float(place[8]),
        },
        "utc_offset_h": offset, "comment": " ".join(",".join(head.get(f"COMMENTS {i}", [])) for i in (1, 2)).strip(),
    }  # fmt: skip
    provenance = ask.provenance(
        "read a weather file", by, {"typical_year": typical, "shown_as_year": year, "hours": len(rows)}
    )
    units = {name: unit for _, name, unit, _, _ in FIELDS}
    table = pa.table({"time": pa.array(local.as_unit("ms")), **columns})
    return Series(table, units, ask.zone, f"{place[0]} (WMO {place[4]})", provenance, attributes)


def _check_hours(stamp: np.ndarray[Any, np.dtype[np.int64]], periods: list[str], path: Path) -> None:
    """
    Raises:
        BadData: not the hours that the head announces.
    """
    try:
        first, last = ([int(part) for part in text.strip().split("/")[:2]] for text in periods[4:6])
        begin, end = pd.Timestamp(2023, first[0], first[1]), pd.Timestamp(2023, last[0], last[1])
    except (ValueError, IndexError) as error:
        raise BadData(
            f"DATA PERIODS is not understood ({','.join(periods)})", str(path), "fetch it again"
        ) from error
    expected = ((end - begin).days + 1) * 24
    if len(stamp) not in (expected, expected + 24):
        raise BadData(
            f"has {len(stamp):,} hours; its head announces {expected:,} ({periods[4].strip()} to {periods[5].strip()})",
            str(path),
            "fetch it again",
        )
    if stamp[:, 3].min() < 1 or stamp[:, 3].max() > 24 or stamp[:, 1].min() < 1 or stamp[:, 1].max() > 12:
        raise BadData("has hours beyond 1–24 or months beyond 1–12", str(path), "fetch it again")


SOURCE = Weather()
