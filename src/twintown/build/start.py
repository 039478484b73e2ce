"""The first description of a twin: a copy of a city that exists, or a rectangle with everything unknown marked so."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from twintown.build.mark import FILE as BUILT
from twintown.ground.errors import BadParameter, BadSettings, Conflict, NotFound
from twintown.ground.names import check_id
from twintown.store.blobs import storage_failed
from twintown.twin.description import FILE, Description

#: What a build leaves in a twin's directory; a copy starts without it.
_MADE = (
    "layers",
    "tiles",
    "index",
    "ledger",
    "catalog.json",
    ".staging",
    ".lock",
    BUILT,
    "state.db*",
    "observations.db*",
    "owner.token",
    "people.toml",
    "signing.key",
    ".signing.key*",
    "retired.*.key",
    "totp.key",
)


def from_city(directory: Path, city: str) -> Path:
    """Copy the description and the data of a city. Raises NotFound, Conflict, StorageFailed."""
    source = _city(city)
    _refuse_existing(directory)
    try:
        shutil.copytree(source, directory, ignore=shutil.ignore_patterns(*_MADE), dirs_exist_ok=True)
    except shutil.Error as error:
        raise storage_failed(OSError(str(error.args[0][0][2])), str(directory)) from error
    except OSError as error:
        raise storage_failed(error, str(directory)) from error
    Description.load(directory)
    return directory / FILE


def from_bounds(
    directory: Path,
    bounds: str,
    *,
    twin: str | None = None,
    name: str | None = None,
    time_zone: str = "Asia/Seoul",
    osm: Path | None = None,
    undulation: float | None = None,
) -> Path:
    """Write a description for a rectangle in degrees. Raises BadParameter, Conflict, StorageFailed."""
    west, south, east, north = _degrees(bounds)
    _refuse_existing(directory)
    identifier = twin or re.sub(r"[^a-z0-9]+", "-", directory.resolve().name.lower()).strip("-")
    check_id(identifier, "--id")
    crs, vertical = _frame(west, south, east, north)
    text = _TEXT.format(
        id=identifier,
        name=(name or identifier).replace('"', "'"),
        time_zone=time_zone,
        crs=crs,
        vertical=vertical,
        undulation=0.0 if undulation is None else undulation,
        undulation_source="given at init" if undulation is not None else "assumed: not known; look it up and replace it",
        west=west, south=south, east=east, north=north,
        lon=(west + east) / 2, lat=(south + north) / 2,
        range_m=round(max((north - south) * 111_000, 500)),
    )  # fmt: skip
    if osm is not None:
        inside = osm.resolve().is_relative_to(directory.resolve())
        text += _OSM.format(path=osm.resolve().relative_to(directory.resolve()) if inside else osm.resolve())
    try:
        directory.mkdir(parents=True, exist_ok=True)
        (directory / FILE).write_text(text, encoding="utf-8")
    except OSError as error:
        raise storage_failed(error, str(directory)) from error
    try:
        Description.load(directory)
    except BadSettings:
        (directory / FILE).unlink()
        raise
    return directory / FILE


def _city(city: str) -> Path:
    cities = Path(__file__).resolve().parents[3] / "cities"
    for folder in (cities / city, Path(city)):
        if (folder / FILE).is_file():
            return folder
    known = sorted(path.parent.name for path in cities.glob(f"*/{FILE}"))
    raise NotFound(
        f"there is no city {city!r}", "--city", f"give {', '.join(known) or 'a folder'}, or use --bounds"
    )


def _refuse_existing(directory: Path) -> None:
    if (directory / FILE).exists():
        raise Conflict(
            "there is a twin already", str(directory), "choose another directory, or edit its twintown.toml"
        )


def _degrees(text: str) -> tuple[float, float, float, float]:
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError as error:
        raise BadParameter(
            "bounds", f"{text!r} is not west,south,east,north", remedy="give four numbers"
        ) from error
    if abs(south) > 90 or abs(north) > 90:
        raise BadParameter("bounds", f"{text!r} has a latitude beyond 90°", remedy="longitude comes first")
    if not (-180 <= west < east <= 180 and south < north):
        raise BadParameter(
            "bounds", f"{text!r} is empty or turned round", remedy="give west < east and south < north"
        )
    if (east - west) * (north - south) > 4:
        raise BadParameter("bounds", "is larger than a city", remedy="give at most 2° by 2°")
    return west, south, east, north


def _frame(west: float, south: float, east: float, north: float) -> tuple[str, str]:
    """Korea's own frame inside Korea; elsewhere the UTM zone of the middle, heights above EGM2008."""
    lon, lat = (west + east) / 2, (south + north) / 2
    if 124 < lon < 132 and 33 < lat < 39:
        return "EPSG:5186", "EPSG:5193"
    zone = int((lon + 180) // 6) + 1
    return f"EPSG:{(32600 if lat >= 0 else 32700) + zone}", "EPSG:3855"


_TEXT = """\
# What this city is. See HOUSE.md and the cities in the repository for all that can stand here.
[twin]
id = "{id}"
names = {{ ko = "{name}", en = "{name}" }}
kind = "city3d"
time_zone = "{time_zone}"
day = "2026-12-22"

[frame]
crs = "{crs}"
vertical = "{vertical}"

[frame.geoid]
undulation_m = {undulation}
source = "{undulation_source}"

[bounds]
crs = "EPSG:4326"
xmin = {west}
ymin = {south}
xmax = {east}
ymax = {north}

[ground]
kind = "flat"
height_m = 0.0
assumed = true
note = {{ ko = "평탄하다고 가정한 지면", en = "Ground assumed flat" }}

[home]
lon = {lon:.6f}
lat = {lat:.6f}
heading_deg = 0
pitch_deg = -45
range_m = {range_m}
"""

_OSM = """
[licences.odbl]
title = "Open Database Licence 1.0"
url = "https://opendatacommons.org/licenses/odbl/1-0/"
attribution = "© OpenStreetMap contributors"
share_alike = true

[[sources]]
id = "osm"
source = "osm"
paths = ["{path}"]
title = "OpenStreetMap"
publisher = "OpenStreetMap contributors"
licence = "odbl"
grade = "O"
"""
