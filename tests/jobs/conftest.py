"""A twin without sources and a process that counts: enough to ask questions in milliseconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from shapely.geometry import box
from tests.jobs.place import X, Y, described

from twintown.ground.errors import BadParameter
from twintown.ground.features import Features
from twintown.ground.frames import Frame
from twintown.ground.grid import Grid
from twintown.ground.names import Name
from twintown.ground.provenance import Licence, Provenance, Source, Step
from twintown.jobs import process as processes
from twintown.jobs.process import Ask, Input, Output, Process, Processes, Shape
from twintown.trust.grades import Grade
from twintown.trust.identity import ANYONE, LOCAL_OWNER
from twintown.trust.policy import Grant, Resource, decide
from twintown.twin.layers import Twin

FRAME = Frame("EPSG:5186", undulation_m=23.3, undulation_source="test")
FROM = Provenance((Source("drawn", "Drawn", "A test", Licence("CC0-1.0", "CC0")),), (Step("drawn", "test"),))
DESCRIPTION = described("count", "셈", "Count", 100, 100)


def _run(ask: Ask) -> Iterator[tuple[str, Shape]]:
    buildings = ask.layers["buildings"]
    assert isinstance(buildings, Features)
    if ask.options["broken"]:
        raise ZeroDivisionError("nothing to divide by")
    ask.progress("counting", 0.5)
    values = ask.room((4, 5), np.uint16)
    values += np.uint16(len(buildings) * ask.options["times"])
    yield "counts", Grid(values, X, Y + 4, 1.0, "1", ask.frame, FROM, None, {"origin": [X, Y + 4]})
    ask.progress("marking", 0.9)
    table = buildings.table[["id", "geometry"]].assign(count=np.arange(len(buildings)))
    yield "marks", Features(table, ask.frame, FROM, {"count": "1"})


def _accept(ask: Ask) -> None:
    if ask.options["times"] == 13:
        raise BadParameter("times", "13 is not taken", remedy="take another number")


COUNT = Process(
    "count", Name("셈", "Count"), "1", ("buildings",),
    (
        Input("times", Name("배수", "Times"), "1", 1, (int,)),
        Input("broken", Name("고장", "Broken"), "1", False, (bool,)),
        Input("share", Name("몫", "Share"), "1", 1.0, (int, float)),
    ),
    (Output("counts", Name("셈", "Counts"), "1", "grid"), Output("marks", Name("표", "Marks"), "1", "features")),
    ("x",), ("y",), _run, takes=("trees", "vaults"), accept=_accept,
)  # fmt: skip


def buildings(count: int = 3) -> Features:
    """So many boxes in a row."""
    rows = [{"id": f"way/{n}", "geometry": box(X + 10 * n, Y, X + 10 * n + 5, Y + 5)} for n in range(count)]
    return Features(gpd.GeoDataFrame(rows, geometry="geometry", crs=FRAME.crs), FRAME, FROM)


def publish(twin: Twin, layer: str, shape: Shape, grade: Grade = Grade.O) -> str:
    """Make a shape the current version of a layer; the version."""
    version = twin.stage(layer, shape, grade).version
    twin.tables.switch({layer: version})
    twin.watch.touch()
    return version


def write_twin(directory: Path, database: str = "") -> Twin:
    """A twin with three buildings, and a layer that is nobody's business."""
    directory.mkdir(parents=True)
    (directory / "twintown.toml").write_text(DESCRIPTION, encoding="utf-8")
    twin = Twin.open(directory, database=database, read_only=False)
    publish(twin, "buildings", buildings())
    publish(twin, "vaults", buildings(1), Grade.C)
    return twin


@pytest.fixture
def twin(tmp_path: Path, count: Callable[..., None]) -> Twin:
    return write_twin(tmp_path / "count")


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """The process `count` is installed; call it to install it with other members."""

    def install(**members: object) -> None:
        found = Processes({"count": replace(COUNT, **members)}, {})  # type: ignore[arg-type]
        for module in ("process", "question", "results"):
            monkeypatch.setattr(f"twintown.jobs.{module}.processes", lambda: found)

    processes.processes()
    install()
    return install


@pytest.fixture
def grant() -> Grant:
    return decide(ANYONE, "run", Resource("count"))


@pytest.fixture
def owner() -> Grant:
    return decide(LOCAL_OWNER, "run", Resource("count"))
