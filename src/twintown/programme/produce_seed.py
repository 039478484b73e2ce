"""The first rows of the layers of offers and needs, from the CSV files of a folder; a layer that is there already stays as it is.

One file a layer (`lots.csv`, …), UTF-8, first line the names of the columns: `id`, those of `produce_layers`, and `lon`, `lat`
(degrees) where its rows have a place. A layer without a file is made empty.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import shapely

from twintown.ground.columns import Column
from twintown.ground.errors import BadData, BadInput, BadParameter, NotFound, UnknownFormat
from twintown.ground.frames import Frame
from twintown.ground.provenance import Licence, Source
from twintown.programme import lot, need
from twintown.programme.produce_layers import DESK, Desk
from twintown.programme.product import allergens_of, product
from twintown.trust.grades import Grade
from twintown.trust.policy import Grant
from twintown.twin import add, edits
from twintown.twin.edits import Change, Draft, Present
from twintown.twin.layers import Twin

#: Metres from the origin of the twin's plane, east or north.
FARTHEST = 3_000_000.0
_TRUTH = {"true": True, "false": False, "1": True, "0": False, "": False}


@dataclass(frozen=True)
class Seeded:
    """One layer that was made, and with how many rows."""

    layer: str
    count: int


def seed(twin: Twin, folder: Path, grant: Grant, licence: Licence, publisher: str) -> list[Seeded]:
    """Make the layers that are absent. All files are read before any layer is made.

    Args:
        grant: for writing.
        licence: of the files.
        publisher: whose they are.

    Raises:
        NotFound: there is no such folder.
        BadData: a file cannot be used; names the line and the column.
        Busy: a build is at work.
        StorageFailed: they could not be kept.
    """
    if not folder.is_dir():
        raise NotFound("there is no such folder", str(folder), "name the folder of the CSV files")
    known = {version.layer for version in twin.layers(grant)}
    absent = [one for one in DESK.values() if one.id not in known]
    rows = {
        one.id: list(read(folder / f"{one.id}.csv", one))
        for one in absent
        if (folder / f"{one.id}.csv").exists()
    }
    made = []
    for one in absent:
        source = Source(one.id, one.title.en, publisher, licence, note=one.assumed.en)
        about = add.About(
            one.id, one.title, source, Grade.O, editable=True, locking=False, assumed=(one.assumed,)
        )
        add.add_empty(twin, about, one.geometry, one.columns, grant)
        drafts = rows.get(one.id, [])
        if drafts:
            frame = twin.description.frame
            edits.write(
                twin,
                one.id,
                grant,
                [Change(str(row["id"]), _new(draft_of(row, one, frame))) for row in drafts],
            )
            edits.fold(twin, one.id, grant)
        made.append(Seeded(one.id, len(drafts)))
    return made


def _new(draft: Draft) -> Callable[[Present | None], Draft]:
    return lambda present: draft


def draft_of(row: Mapping[str, Any], desk: Desk, frame: Frame) -> Draft:
    """A row with `lon` and `lat` as the journal takes it; without them it has no place."""
    properties = {name: row.get(name) for name in desk.names}
    lon, lat = row.get("lon"), row.get("lat")
    if not desk.geometry or lon is None or lat is None:
        return Draft(properties, None)
    x, y = frame.from_lonlat(float(lon), float(lat))
    check_near(float(x), float(y))
    return Draft(properties, bytes(shapely.to_wkb(shapely.Point(float(x), float(y)))))


def check_near(x: float, y: float) -> None:
    """Raises BadParameter: a place so far away that the plane of the twin does not reach it."""
    if not (abs(x) < FARTHEST and abs(y) < FARTHEST):
        raise BadParameter(
            "lon", "the place is out of reach of this twin's plane", remedy="give degrees, longitude first"
        )


def read(path: Path, desk: Desk) -> Iterator[dict[str, Any]]:
    """The rows of a file, with values of the columns' types. Raises BadData, UnknownFormat: see `seed`."""
    types = {column.name: column for column in desk.columns}
    seen: set[str] = set()
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file)
            strange = set(table.fieldnames or ()) - {"id", "lon", "lat", *types}
            if strange or "id" not in (table.fieldnames or ()):
                what = f"{desk.id} has no column {min(strange)!r}" if strange else "it has no column id"
                raise BadData(what, str(path), f"columns are id, {', '.join(types)}, lon, lat")
            for number, said in enumerate(table, 2):
                where = f"{path}:{number}"
                if None in said or None in said.values():
                    raise BadData(
                        "it has not as many values as there are columns", where, "quote what holds commas"
                    )
                id = said["id"].strip()
                if not id or id in seen:
                    raise BadData(
                        f"the id {id!r} stands twice" if id else "it has no id",
                        where,
                        "give it one of its own",
                    )
                seen.add(id)
                row: dict[str, Any] = {"id": id}
                row |= {name: _value(said[name], types[name], where) for name in said if name in types}
                row |= {name: _number(said[name], name, where) for name in ("lon", "lat") if said.get(name)}
                if not (-180 <= row.get("lon", 0) <= 180 and -90 <= row.get("lat", 0) <= 90):
                    raise BadData(
                        "it lies nowhere on earth", f"{where} lon, lat", "give degrees, longitude first"
                    )
                yield _checked(row, desk, where)
    except UnicodeDecodeError as error:
        raise UnknownFormat("it is not UTF-8", str(path), "write it again as UTF-8") from error


def _value(text: str, column: Column, where: str) -> Any:
    text = text.strip()
    if column.type == "boolean":
        if text.lower() not in _TRUTH:
            raise BadData(
                f"{text!r} is neither true nor false", f"{where} {column.name}", "write true or false"
            )
        return _TRUTH[text.lower()]
    if column.type in ("number", "integer"):
        if not text:
            return None
        number = _number(text, column.name, where)
        return int(number) if column.type == "integer" else number
    return text or None


def _number(text: str, name: str, where: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise BadData(f"{text[:40]!r} is no number", f"{where} {name}", "write it with a point") from error


def _checked(row: dict[str, Any], desk: Desk, where: str) -> dict[str, Any]:
    try:
        if desk.id == "lots":
            return lot.checked(row)
        if desk.id == "needs":
            return need.checked(row)
        if desk.id == "recipes":
            product(str(row.get("product") or ""))
        allergens_of(str(row.get("allergens") or row.get("allergens_not") or ""))
    except BadInput as error:
        raise BadData(error.what, f"{where} {error.where}", error.remedy) from error
    return row
