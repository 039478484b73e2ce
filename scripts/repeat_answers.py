"""What `repeat.py` runs in each environment: build the hamlet's twins, ask every process, write the digests of all that came out.

repeat_answers.py FOLDER             builds and asks in FOLDER, writes FOLDER/answers.json and an evidence package a question
repeat_answers.py FOLDER PACKAGE…    verifies packages that another environment made, writes FOLDER/verdicts.json

Of every process each question is asked of the city as it is, and of a plan in which a building goes and another one comes.
"""

from __future__ import annotations

import json
import platform
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from twintown.build.run import build
from twintown.city.edits import parse
from twintown.ground.content import content_digest
from twintown.ground.series import Series
from twintown.jobs.asking import owner
from twintown.jobs.code import environment
from twintown.jobs.package import keep, pack
from twintown.jobs.process import Process, processes
from twintown.jobs.question import ask
from twintown.jobs.results import answer
from twintown.jobs.verify import verify
from twintown.twin.layers import Twin

HAMLET = Path(__file__).resolve().parents[1] / "tests" / "hamlet"


def questions(process: Process, twin: Twin) -> dict[str, dict[str, Any]]:
    """What a process is asked, by a name of ours; a process that is not known here is asked with its defaults."""
    about = twin.description
    x, y = about.bounds.centre
    high = {"eye_m": 150.0}
    corners = [(x - 200, y - 200), (x + 200, y - 200)]
    points = [[round(float(one), 6) for one in about.frame.to_lonlat(*corner)] for corner in corners]
    first, second = ({"lon": lon, "lat": lat, **high} for lon, lat in points)
    known: dict[str, dict[str, dict[str, Any]]] = {
        "sunlight": {"day": {}, "coarse in tiles": {"date": "2026-06-21", "cell_m": 2.0, "tile_cells": 64}},
        "year": {"year": {"cell_m": 4.0, "directions": 36}, "clear sky in tiles": {
            "sky": "clear", "diffuse": "isotropic", "cell_m": 5.0, "directions": 36, "tile_cells": 32}},
        "view": {"defaults": {"cell_m": 4.0}, "from two points": {
            "observers": [first, second], "points": [second], "points_every_m": 150.0, "cell_m": 4.0}},
    }  # fmt: skip
    return known.get(process.id, {"defaults": {}})


def weather(twin: Twin) -> None:
    """A year of made-up weather in whole numbers, in place of the hamlet's three days: the process `year` asks for one."""
    version = twin.version("weather", owner(twin))
    here: Any = twin.read(version, owner(twin))
    hour = np.arange(8760)
    day, light = hour // 24, np.clip(12 - 2 * np.abs(hour % 24 - 12), 0, 12)
    times = pd.date_range("2021-01-01", periods=len(hour), freq="h", tz=here.zone)
    table = pa.table({
        "time": times, "direct_normal": light * (20.0 + day * 37 % 50), "diffuse_horizontal": light * (5.0 + day * 11 % 20)
    })  # fmt: skip
    units = {"direct_normal": "W.h/m2", "diffuse_horizontal": "W.h/m2"}
    writer = twin.writing()
    made = writer.stage(
        "weather", Series(table, units, here.zone, here.place, here.provenance), version.grade
    )
    writer.tables.switch({"weather": made.version}, {})


def edits(twin: Twin) -> list[dict[str, Any]]:
    """A plan: the first building goes, a block of 60 m comes to the middle."""
    x, y = (round(one) for one in twin.description.bounds.centre)
    buildings: Any = twin.read("buildings", owner(twin))
    gone = min(buildings.table["id"])
    outline = [[x - 20, y - 8], [x + 20, y - 8], [x + 20, y + 8], [x - 20, y + 8]]
    new = {"op": "add", "object": "new/00000001", "outline": outline, "height_m": 60.0}
    return [parse(one, twin.description.frame) for one in ({"op": "remove", "object": str(gone)}, new)]


def answers(folder: Path) -> dict[str, Any]:
    """The digests of the contents of all layers, and of all outputs by question."""
    layers: dict[str, str] = {}
    results: dict[str, str] = {}
    for place in sorted(one for one in HAMLET.iterdir() if (one / "twintown.toml").is_file()):
        directory = folder / place.name
        shutil.copytree(place, directory)
        build(directory)
        twin = Twin.open(directory)
        grant = owner(twin)
        if {"buildings", "weather"} <= {one.layer for one in twin.layers(grant)}:
            weather(twin)
        there = {version.layer: version for version in twin.layers(grant)}
        layers |= {
            f"{place.name}/{name}": content_digest(twin.read(one, grant))
            for name, one in sorted(there.items())
        }
        for process in processes().working.values():
            if not set(process.needs) <= set(there):
                continue
            for name, inputs in questions(process, twin).items():
                plans: list[tuple[str, list[dict[str, Any]]]] = [("", [])]
                plans += [(" of a plan", edits(twin))] if "buildings" in process.needs else []
                for plan, changed in plans:
                    made = answer(twin, grant, ask(twin, grant, process, inputs, changed))
                    title = f"{place.name}/{process.id} {process.version}, {name}{plan}"
                    said = (made.job.results or {})["outputs"]
                    results |= {f"{title}: {output}": one["content"] for output, one in said.items()}
                    number = len(list(folder.glob("*.zip")))
                    keep(pack(twin, grant, made.job), folder / f"{number:02d}-{process.id}.zip")
    return {
        "python": platform.python_version(), "environment": environment(), "broken": dict(processes().broken),
        "layers": layers, "results": results,
    }  # fmt: skip


def main(arguments: list[str]) -> int:
    folder = Path(arguments[0])
    if len(arguments) > 1:
        told = {Path(one).name: verify(Path(one)).to_dict() for one in arguments[1:]}
        (folder / "verdicts.json").write_text(
            json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8"
        )
        return 0
    (folder / "answers.json").write_text(
        json.dumps(answers(folder), ensure_ascii=False, indent=1), encoding="utf-8"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
