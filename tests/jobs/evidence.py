"""A tiny place, a process of a few lines, and an answered question: what the tests of evidence share."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
from shapely.geometry import Point, box
from tests.jobs.place import X, Y, described

from twintown.ground.errors import BadParameter
from twintown.ground.features import Features
from twintown.ground.frames import Frame
from twintown.ground.grid import Grid
from twintown.ground.names import Name
from twintown.ground.provenance import Licence, Provenance, Source
from twintown.jobs.process import Ask, Input, Output, Process, Processes, Shape
from twintown.jobs.question import ask
from twintown.jobs.results import Answer, answer
from twintown.trust.grades import Grade
from twintown.trust.identity import LOCAL_OWNER
from twintown.trust.policy import Grant, Resource, decide
from twintown.twin.layers import Twin

FRAME = Frame("EPSG:5186", undulation_m=23.3)
FROM = Provenance(
    (
        Source(
            "osm",
            "OpenStreetMap",
            "contributors",
            Licence("ODbL-1.0", "Open Database License"),
            "https://www.openstreetmap.org",
        ),
    )
)
DESCRIPTION = described("tiny", "작은 곳", "Tiny", 40, 30)


def _run(question: Ask) -> Iterator[tuple[str, Shape]]:
    """Distance of every cell to the nearest tree, and the height of each tree, times a factor."""
    trees = question.layers["trees"]
    assert isinstance(trees, Features)
    factor = float(question.options["factor"])
    if factor == 13:
        raise RuntimeError("thirteen")
    question.progress("distances", 0.5)
    place = trees.table.geometry
    x, y = np.meshgrid(X + np.arange(40) + 0.5, Y + 30 - np.arange(30) - 0.5)
    far = np.min([np.hypot(x - p.x, y - p.y) for p in place], axis=0) * factor
    yield "nearness", Grid(np.round(far, 3).astype(np.float32), X, Y + 30, 1.0, "m", question.frame, FROM)
    table = trees.table[["id", "geometry"]].assign(tall_m=trees.table["height_m"] * factor)
    yield "tall", Features(table, question.frame, FROM, {"tall_m": "m"})


def _accept(question: Ask) -> None:
    if question.options["factor"] == 99:
        raise BadParameter("factor", "ninety-nine is refused")


NEAR = Process(
    "near", Name("가까움", "Nearness"), "1", ("trees",), (Input("factor", Name("배", "Factor"), "1", 1.0, (int, float)),),
    (Output("nearness", Name("거리", "Distance"), "m", "grid", 0.05), Output("tall", Name("높이", "Height"), "m", "features", 0.05)),
    ("ratti2004",), ("ground_box",), _run, about=Name("나무까지", "How far the next tree is"),
    error=Name("5 cm", "5 cm"), accept=_accept,
)  # fmt: skip


def install(monkeypatch: Any, *offered: Process, broken: dict[str, str] | None = None) -> None:
    """Let these be all processes that are installed."""
    there = Processes({one.id: one for one in offered}, broken or {})
    for module in ("asking", "question", "results", "verify", "process"):
        monkeypatch.setattr(f"twintown.jobs.{module}.processes", lambda: there)


def trees() -> Features:
    rows = {"id": ["t1", "t2"], "height_m": [12.0, 7.5]}
    return Features(
        gpd.GeoDataFrame(rows, geometry=[Point(X + 5, Y + 5), Point(X + 30, Y + 20)], crs=FRAME.crs),
        FRAME,
        FROM,
        {"height_m": "m"},
    )


def make_twin(directory: Path) -> Twin:
    directory.mkdir()
    (directory / "twintown.toml").write_text(DESCRIPTION, encoding="utf-8")
    twin = Twin.open(directory, read_only=False)
    twin.tables.switch({"trees": twin.stage("trees", trees(), Grade.O).version}, {})
    return twin


def owner(twin: Twin) -> Grant:
    return decide(LOCAL_OWNER, "run", Resource(twin.description.id))


def answered(twin: Twin, **inputs: Any) -> Answer:
    return answer(twin, owner(twin), ask(twin, owner(twin), "near", inputs, fresh=True))


def members(package: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(package) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def repacked(package: Path, change: Callable[[dict[str, bytes]], Any], name: str = "changed.zip") -> Path:
    """The package with its members changed."""
    held = members(package)
    change(held)
    path = package.parent / name
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in held.items():
            archive.writestr(member, data)
    return path


def restated(package: Path, change: Callable[[dict[str, Any]], Any]) -> Path:
    """The package with the manifest's statement changed (and so its signature broken)."""

    def rewrite(held: dict[str, bytes]) -> None:
        manifest = json.loads(held["manifest.json"])
        change(manifest["credentialSubject"])
        held["manifest.json"] = json.dumps(manifest).encode()

    return repacked(package, rewrite)


__all__ = [
    "FRAME",
    "FROM",
    "NEAR",
    "Grid",
    "X",
    "Y",
    "answered",
    "box",
    "install",
    "make_twin",
    "members",
    "owner",
    "repacked",
    "restated",
]
