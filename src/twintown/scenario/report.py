"""A report of a plan: one sheet that says everything, and the pictures beside it. What is computed was computed before.

The sheet is JSON and the same for the page, the PDF and a program; its numbers come from results, never from pictures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import shapely

from twintown.city.edits import polygon
from twintown.ground.bounds import Bounds
from twintown.ground.features import Features
from twintown.ground.grid import Grid
from twintown.ground.names import Name
from twintown.ground.provenance import Provenance
from twintown.jobs.process import Process, Shape

from . import report_numbers as numbers
from .camera import Camera
from .picture import picture
from .report_colours import Scale, legend_of
from .report_pages import words
from .report_plan import plan, window_of

Sheet = dict[str, Any]
Files = dict[str, bytes]
LETTERS = "ABCDEFGH"
#: Viewpoints of one report: a committee looks at a few, and each is drawn two or three times.
MOST_VIEWS = 6
#: Columns that say where a point is, not what was found there.
WHERE = {"z_m", "normal_deg"}


@dataclass(frozen=True)
class Side:
    """One state of the city: as it is, or as a scenario would have it.

    Args:
        name: for people.
        edits: in force, in their normal form; none for the city as it is.
        results: per process id, its layers by the process's own names.
    """

    name: str
    buildings: Features
    parts: Features
    edits: Sequence[Mapping[str, Any]] = ()
    results: Mapping[str, Mapping[str, Shape]] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """One process as it was asked: the same inputs for every side."""

    process: Process
    inputs: Mapping[str, Any]
    about: str
    citations: Sequence[str]
    validation: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Told:
    """Everything that a report is made from.

    Args:
        sides: one or two scenarios; `base` is the city that they start from.
        layers: streets, water and what else a picture shows, by id.
        viewpoints: a name and a camera each.
        when: the hour whose shadows the pictures show.
        findings: of each side, in order: the side's name and a sentence.
        seal: did, results (title and digest each) and the address that the QR code leads to.
    """

    lang: str
    twin: Name
    zone: str
    title: str
    about: str
    revision: str
    author: str
    made: datetime
    versions: str
    bounds: Bounds
    base: Side
    sides: Sequence[Side]
    layers: Mapping[str, Features]
    asked: Sequence[Asked]
    viewpoints: Sequence[tuple[str, Camera]]
    when: datetime
    findings: Sequence[tuple[str, str]]
    provenance: Provenance
    notices: Sequence[Name]
    seal: Mapping[str, Any]


def sheet(told: Told) -> tuple[Sheet, Files]:
    """The sheet and its pictures by file name. The digest in the seal is left for who signs."""
    w = words(told.lang)
    files: Files = {}
    window = _window(told)
    marks = [
        mark
        for mark in _marks(told)
        if window.xmin < mark[0] < window.xmax and window.ymin < mark[1] < window.ymax
    ]
    plans = []
    for letter, side in zip(LETTERS, told.sides, strict=False):
        planned, gone = _drawn(side, told.base)
        name = f"plan-{letter}.svg"
        drawn = plan(
            window,
            side.buildings,
            told.layers.get("roads"),
            planned,
            gone,
            marks,
            None,
            f"{w['plan']}: {side.name}",
        )
        files[name] = drawn.encode()
        plans.append({"file": name, "caption": side.name})
    views = _views(told, w, files)
    results = [_result(one, told, window, w, files) for one in told.asked]
    return {
        "lang": told.lang, "words": dict(w), "title": told.title, "twin": told.twin[told.lang], "about": told.about,
        "revision": told.revision, "author": told.author, "made": told.made.strftime("%Y-%m-%d %H:%M %Z"), "base": told.versions,
        "plans": plans, "marked": bool(marks),
        "sides": [{"name": side.name, "edits": [_edit(edit, told.base, w) for edit in side.edits]} for side in told.sides],
        "findings": [{"side": side, "text": text} for side, text in told.findings],
        "views": views, "results": results, "affected": _affected(told, w),
        "affected_note": w["affected_note"].format(n=numbers.LISTED),
        "method": [_method(one, told.lang) for one in told.asked],
        "sources": _sources(told.provenance), "notices": [notice[told.lang] for notice in told.notices],
        "seal": {**told.seal, "short": "", "digest": ""},
    }, files  # fmt: skip


def _footprints(edits: Sequence[Mapping[str, Any]], buildings: Features) -> list[Any]:
    """The footprints of what the edits speak of, as a state of the city has them."""
    named = {edit["object"] for edit in edits}
    return list(buildings.table.geometry[buildings.table["id"].isin(named)])


def _drawn(side: Side, base: Side) -> tuple[list[Any], list[Any]]:
    """What a side plans, and what it takes away or changes, as it stood."""
    return _footprints(side.edits, side.buildings), _footprints(side.edits, base.buildings)


def _window(told: Told) -> Bounds:
    shapes = [shape for side in told.sides for some in _drawn(side, told.base) for shape in some]
    return window_of(shapes, told.bounds)


def _marks(told: Told) -> list[tuple[float, float, str]]:
    frame = told.base.buildings.frame
    places = [frame.from_lonlat(camera.lon, camera.lat) for _, camera in told.viewpoints[:MOST_VIEWS]]
    return [(float(x), float(y), letter) for (x, y), letter in zip(places, LETTERS, strict=False)]


def _edit(edit: Mapping[str, Any], base: Side, w: Mapping[str, str]) -> dict[str, str]:
    table = base.buildings.table
    row = table[table["id"] == edit["object"]]
    known = row.iloc[0] if len(row) else None
    name = str(
        edit.get("name")
        or (known["name"] if known is not None and isinstance(known["name"], str) else "")
        or edit["object"]
    )
    said = []
    if edit.get("parts"):
        area = float(shapely.area(shapely.union_all([polygon(part) for part in edit["parts"]])))
        said.append(f"{numbers.number(area, 0)} m²")
    if "height_m" in edit:
        before = f"{numbers.number(float(known['height_m']), 1)} → " if known is not None else ""
        said.append(f"{w['height']} {before}{numbers.number(edit['height_m'], 1)} m")
    if any(edit.get("move") or ()):
        east, north = edit["move"]
        said.append(w["moved"].format(east=numbers.number(east, 1), north=numbers.number(north, 1)))
    if edit.get("turn_deg"):
        said.append(w["turned"].format(deg=numbers.number(edit["turn_deg"], 1)))
    return {"op": w[edit["op"]], "object": name, "text": ", ".join(said)}


def _views(told: Told, w: Mapping[str, str], files: Files) -> list[dict[str, Any]]:
    views = []
    states = [(told.base, w["before"]), *((side, side.name) for side in told.sides)]
    for letter, (name, camera) in zip(LETTERS, told.viewpoints[:MOST_VIEWS], strict=False):
        pictures = []
        for number, (side, caption) in enumerate(states):
            file = f"view-{letter}-{number}.png"
            edited = [edit["object"] for edit in side.edits]
            files[file] = picture(
                side.buildings, side.parts, camera, told.when, edited=edited, layers=told.layers
            )
            pictures.append({"file": file, "caption": caption})
        place = w["camera"].format(
            lon=f"{camera.lon:.5f}", lat=f"{camera.lat:.5f}", height=numbers.number(camera.height_m, 1),
            heading=numbers.number(camera.heading_deg % 360, 0), pitch=numbers.number(camera.pitch_deg, 0),
        )  # fmt: skip
        moment = told.when.strftime("%Y-%m-%d %H:%M %Z")
        views.append({"letter": letter, "name": name, "camera": f"{place} · {moment}", "pictures": pictures})
    return views


def _result(one: Asked, told: Told, window: Bounds, w: Mapping[str, str], files: Files) -> dict[str, Any]:
    process, lang = one.process, told.lang
    before = told.base.results[process.id]
    grids: list[dict[str, Any]] = []
    rows: list[list[str]] = []
    for output in process.outputs:
        shape = before.get(output.layer)
        others = [side.results[process.id].get(output.layer) for side in told.sides]
        title = output.title[lang]
        if isinstance(shape, Grid) and all(isinstance(other, Grid) for other in others):
            start = numbers.Values.of(shape)
            sides = [numbers.Values.of(other) for other in others if isinstance(other, Grid)]
            grids.append(_maps(f"{process.id}-{output.layer}", title, start, sides, told, window, w, files))
            rows += numbers.grid_rows(title, start, sides, w)
        elif isinstance(shape, Features):
            columns = {
                name: f"{title}: {name.replace('_', ' ')}" for name in shape.units if name not in WHERE
            }
            rows += numbers.feature_rows(shape, [o for o in others if isinstance(o, Features)], columns, w)
    return {
        "title": process.title[lang], "about": one.about, "grids": grids, "numbers": rows,
        "columns": [w["before"], *(side.name for side in told.sides)], "error": process.error[lang] if process.error else "–",
    }  # fmt: skip


def _maps(
    name: str, title: str, before: numbers.Values, sides: Sequence[numbers.Values], told: Told, window: Bounds,
    w: Mapping[str, str], files: Files,
) -> dict[str, Any]:  # fmt: skip
    """A map of a grid for every state, and one of each difference."""
    scale = numbers.scale_of([before, *sides])
    changes = [numbers.difference(side, before) for side in sides]
    apart = numbers.scale_of_difference(changes)

    def draw(file: str, side: Side, values: numbers.Values, colours: Scale, caption: str) -> dict[str, Any]:
        planned, gone = _drawn(side, told.base)
        ground = (values.laid(values.values), colours)
        files[file] = plan(
            window, side.buildings, None, planned, gone, (), ground, f"{title}, {caption}"
        ).encode()
        return {"file": file, "caption": caption, "legend": legend_of(colours)}

    states = [draw(f"{name}-0.svg", told.base, before, scale, w["before"])]
    differences = []
    for number, (side, values, change) in enumerate(zip(told.sides, sides, changes, strict=True), 1):
        states.append(draw(f"{name}-{number}.svg", side, values, scale, side.name))
        caption = w["difference"].format(name=side.name)
        differences.append(draw(f"{name}-{number}-difference.svg", side, change, apart, caption))
    return {"title": title, "states": states, "differences": differences}


def _affected(told: Told, w: Mapping[str, str]) -> list[dict[str, Any]] | None:
    """Facade points whose sun changes, by building; none where no process answered with facades."""
    for one in told.asked:
        before = told.base.results[one.process.id].get("facades")
        if isinstance(before, Features):
            sides = []
            names = _names(told.base.buildings)
            for side in told.sides:
                after = side.results[one.process.id]["facades"]
                if not isinstance(after, Features):
                    continue
                rows = [
                    [names.get(c.building) or c.building, f"{c.points:,}", f"{c.newly_fail:,}", f"{c.newly_pass:,}",
                     f"{numbers.number(c.mean_lost_min, 0)} / {numbers.number(c.most_lost_min, 0)}"]
                    for c in numbers.concerned(before, after)
                ]  # fmt: skip
                sides.append({"name": side.name, "rows": rows})
            return sides
    return None


def _names(buildings: Features) -> dict[str, str]:
    table = buildings.table
    return {
        one: f"{name} ({one})"
        for one, name in zip(table["id"], table["name"], strict=True)
        if isinstance(name, str) and name
    }


def _method(one: Asked, lang: str) -> dict[str, Any]:
    process = one.process
    titles = {known.name: (known.title[lang], known.unit) for known in process.inputs}
    inputs = [
        f"{titles[name][0]} {value}{' ' + titles[name][1] if titles[name][1] not in ('', '1') else ''}"
        for name, value in one.inputs.items()
        if name in titles and value not in ("", None, [], {})
    ]
    return {
        "title": process.title[lang], "id": process.id, "version": process.version, "inputs": inputs,
        "about": process.about[lang] if process.about else "", "error": process.error[lang] if process.error else "–",
        "validation": [list(row) for row in one.validation], "citations": list(one.citations),
    }  # fmt: skip


def _sources(provenance: Provenance) -> list[list[str]]:
    return [
        [
            f"{s.title}{' · ' + s.date if s.date else ''}",
            s.publisher,
            f"{s.licence.id} {s.licence.attribution}".strip(),
        ]
        for s in provenance.sources
    ]
