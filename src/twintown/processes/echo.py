"""The process `echo`: says back what it was told, after a pause. For trying a connection, and for conformance suites.

OGC API - Processes suites ask an echo process for everything that they do not know of a server's own processes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import geopandas as gpd
from shapely.geometry import Point

from twintown.ground.features import Features
from twintown.ground.names import Name
from twintown.ground.provenance import Licence, Provenance, Source, Step
from twintown.jobs.process import Ask, Input, Output, Process, Shape

VERSION = "1"
#: Seconds between two signs of life.
_STEP_S = 0.1


def _run(ask: Ask) -> Iterator[tuple[str, Shape]]:
    message, pause = str(ask.options["message"]), float(ask.options["pause_s"])
    begun = time.monotonic()
    while (gone := time.monotonic() - begun) < pause:
        ask.progress("waiting", gone / pause)
        time.sleep(min(_STEP_S, pause - gone))
    own = Licence("CC0-1.0", "CC0 1.0", "https://creativecommons.org/publicdomain/zero/1.0/")
    made = Provenance(
        (Source("echo", "What was asked", "whoever asked", own),),
        (Step("said back", f"twintown.processes.echo {VERSION}"),),
    )
    x, y = ask.bounds.centre
    row = {"id": "echo", "message": message, "geometry": Point(round(x, 3), round(y, 3))}
    yield "echo", Features(gpd.GeoDataFrame([row], geometry="geometry", crs=ask.frame.crs), ask.frame, made)


PROCESS = Process(
    id="echo",
    title=Name("메아리 (연결 시험)", "Echo (to try a connection)"),
    version=VERSION,
    needs=(),
    inputs=(
        Input(
            "message", Name("말", "Message"), "1", "hello", (str,),
            about=Name("되돌려 받을 말", "what shall be said back"), schema={"type": "string", "maxLength": 2000},
        ),
        Input(
            "pause_s", Name("쉼", "Pause"), "s", 0.0, (int, float), minimum=0, maximum=60,
            about=Name("대답하기 전에 쉬는 시간", "how long it waits before it answers"),
        ),
    ),
    outputs=(Output("echo", Name("메아리", "Echo"), "1", "features"),),
    citations=("ogc18062r2",),
    validation=("echo_same",),
    run=_run,
    about=Name(
        "들은 말을 그대로 되돌려 줍니다. 도시에 대해서는 아무것도 말하지 않습니다.",
        "Says back what it was told. It says nothing about the city.",
    ),
    error=Name("없음: 글자 그대로입니다.", "None: it is the text itself."),
)  # fmt: skip
