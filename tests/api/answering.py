"""Processes that exist for tests alone, and somebody who answers the jobs of an app's twins in a thread."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pytest
from fastapi import FastAPI
from shapely.geometry import Point

from twintown.ground.errors import BadParameter
from twintown.ground.features import Features
from twintown.ground.grid import Grid
from twintown.ground.names import Name
from twintown.ground.provenance import Licence, Provenance, Source, Step
from twintown.ground.series import Series
from twintown.jobs import results
from twintown.jobs.process import Ask, Input, Output, Process, Shape, processes
from twintown.jobs.runner import here

FREE = Licence("CC0-1.0", "CC0", "https://creativecommons.org/publicdomain/zero/1.0/", "", False)
FROM = Provenance((Source("test", "Test", "Test", FREE),), (Step("made", "test"),))


def _points(ask: Ask, **columns: object) -> Features:
    x, y = ask.bounds.centre
    row = {"id": "one", **columns, "geometry": Point(x, y)}
    return Features(gpd.GeoDataFrame([row], geometry="geometry", crs=ask.frame.crs), ask.frame, FROM, {})


def _echo(ask: Ask) -> Iterator[tuple[str, Shape]]:
    ends = time.monotonic() + float(ask.options["pause_s"])
    while time.monotonic() < ends:
        ask.progress("waiting", 0.5)
        time.sleep(0.05)
    yield "echo", _points(ask, message=str(ask.options["message"]), numbers=str(ask.options["numbers"]))


def _three(ask: Ask) -> Iterator[tuple[str, Shape]]:
    values = np.arange(12, dtype=np.uint8).reshape(3, 4)
    yield "three-grid", Grid(values, ask.bounds.xmin, ask.bounds.ymax, 1.0, "m", ask.frame, FROM, 255)
    buildings = ask.layers["buildings"]
    assert isinstance(buildings, Features)
    yield "three-points", _points(ask, buildings=len(buildings))
    time_ = pa.array(np.array(["2026-01-01", "2026-01-02"], "datetime64[ms]")).cast(pa.timestamp("ms", "UTC"))
    table = pa.table({"time": time_, "sun": [1.0, 2.0]})
    yield "three-hours", Series(table, {"sun": "h"}, "UTC", "here", FROM, {})


def _broken(ask: Ask) -> Iterator[tuple[str, Shape]]:
    raise ZeroDivisionError("as expected")
    yield "broken", _points(ask)


def _accept(ask: Ask) -> None:
    if ask.options["message"] == "forbidden":
        raise BadParameter("message", "is forbidden")


ECHO = Process(
    "echo", Name("메아리", "Echo"), "1", (),
    (
        Input("message", Name("말", "Message"), "1", "hello", schema={"type": "string", "maxLength": 200}),
        Input("pause_s", Name("쉼", "Pause"), "s", 0.0, (float, int), minimum=0, maximum=60),
        Input("numbers", Name("수", "Numbers"), "1", None, (list, type(None)), schema={"type": "array", "items": {"type": "number"}}),
    ),
    (Output("echo", Name("메아리", "Echo"), "1", "features"),), (), (), _echo, accept=_accept,
)  # fmt: skip
THREE = Process(
    "three", Name("셋", "Three"), "1", ("buildings",), (),
    (
        Output("three-grid", Name("격자", "Grid"), "m", "grid", 0.5),
        Output("three-points", Name("점", "Points"), "1", "features"),
        Output("three-hours", Name("시간", "Hours"), "h", "series"),
    ),
    (), (), _three, takes=("building-parts",), about=Name("셋", "Three shapes"), error=Name("없음", "None"),
)  # fmt: skip
BROKEN = Process(
    "broken", Name("고장", "Broken"), "1", (), (), (Output("broken", Name("고장", "Broken"), "1", "features"),), (), (), _broken
)  # fmt: skip
ABSENT = Process(
    "absent", Name("없음", "Absent"), "1", ("nowhere",), (),
    (Output("absent", Name("없음", "Absent"), "1", "features"),), (), (), _broken,
)  # fmt: skip


@contextmanager
def offering() -> Iterator[None]:
    """While the block runs, these processes are installed."""
    working = processes().working
    assert isinstance(working, dict)
    with pytest.MonkeyPatch.context() as patch:
        for one in (ECHO, THREE, BROKEN, ABSENT):
            patch.setitem(working, one.id, one)
        yield


@contextmanager
def answering(app: FastAPI) -> Iterator[None]:
    """While the block runs, jobs of the app's twins are answered, one after the other."""
    twins = [served.twin for served in app.state.open.shelf.twins.values()]
    with here(twins, {"process": results.task}):
        yield
