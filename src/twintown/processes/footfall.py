"""The process `footfall`: passers-by of every street by hour, from the flows of stations on the street graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np

from twintown.ground.errors import BadInput
from twintown.ground.features import Features
from twintown.ground.frames import Frame
from twintown.ground.names import Name
from twintown.ground.provenance import Provenance, Step
from twintown.jobs.process import Ask, Input, Output, Process, Shape

from .footfall_assumed import inputs, values
from .footfall_model import Footfall, attraction_of, footfall_of
from .footfall_stations import DAY_TYPES, HOURS, Stations, stations_of
from .footfall_streets import Streets, streets_of

VERSION = "1"
_NEEDS = ("roads", "stations", "metro-congestion")
_TAKES = ("buildings", "landmarks")
#: The columns without which a layer says nothing of who walks.
COLUMNS = {
    "stations": ("name_ko", "line"),
    "metro-congestion": ("station", "line", "day_type", "direction", "time", "congestion"),
}


@dataclass(frozen=True)
class Passers:
    """The streets with their passers-by, and the stations that they come from."""

    streets: Streets
    flow: Footfall
    stations: Stations


def passers(layers: Mapping[str, Features], options: Mapping[str, Any]) -> Passers:
    """Passers-by from layers (`roads`, `stations`, `metro-congestion`; `buildings`, `landmarks` where they are there).

    Raises:
        BadInput: a layer lacks a column.
    """

    def table(name: str) -> gpd.GeoDataFrame | None:
        return layers[name].table if name in layers else None

    for name, columns in COLUMNS.items():
        missing = [one for one in columns if one not in layers[name].table]
        if missing:
            raise BadInput(
                f"the layer {name!r} has no column {missing[0]!r}", "process footfall", f"it needs {', '.join(columns)}"
            )  # fmt: skip
    day_type = str(options.get("day_type", "weekday"))
    streets = streets_of(layers["roads"].table, table("landmarks"))
    stations = stations_of(layers["stations"].table, layers["metro-congestion"].table, day_type)
    attraction = attraction_of(streets, table("buildings"), table("landmarks"))
    flow = footfall_of(
        streets, stations, attraction, values(options), day_type,
        int(options.get("draws", 64)), int(options.get("seed", 1)),
    )  # fmt: skip
    return Passers(streets, flow, stations)


def _table(found: Passers, frame: Frame, day_type: str) -> gpd.GeoDataFrame:
    streets, flow = found.streets, found.flow
    columns: dict[str, Any] = {"id": streets.ids, **streets.labels}
    columns |= {f"h{h:02d}": np.round(flow.people[:, k], 1) for k, h in enumerate(HOURS)}
    columns |= {
        "day": np.round(flow.people.sum(axis=1), 0), "low_factor": np.round(flow.low, 3),
        "high_factor": np.round(flow.high, 3), "length_m": np.round(streets.lengths, 2),
        "day_type": [day_type] * len(streets.ids),
    }  # fmt: skip
    return gpd.GeoDataFrame(columns, geometry=list(streets.shapes), crs=frame.crs)


def _run(ask: Ask) -> Iterator[tuple[str, Shape]]:
    layers: dict[str, Features] = {}
    for name in (*_NEEDS, *_TAKES):
        shape = ask.layers.get(name)
        if shape is None:
            continue
        if not isinstance(shape, Features):
            raise BadInput(
                f"the layer {name!r} holds no features", "process footfall", "name a layer of features"
            )
        layers[name] = shape
    ask.progress("streets, stations and where people go", 0.1)
    found = passers(layers, ask.options)
    step = Step(
        "gravity model from stations on shortest paths", f"twintown.processes.footfall {VERSION}",
        {**values(ask.options), "day_type": ask.options["day_type"], "draws": ask.options["draws"],
         "seed": ask.options["seed"], "stations": list(found.stations.names),
         "without_congestion": list(found.stations.silent), "calibrated": False},
    )  # fmt: skip
    provenance = Provenance.of((one.provenance for one in layers.values()), step)
    units = {f"h{h:02d}": "{person}/h" for h in HOURS}
    units |= {"day": "{person}/d", "low_factor": "1", "high_factor": "1", "length_m": "m"}
    table = _table(found, ask.frame, str(ask.options["day_type"]))
    yield "footfall", Features(table, ask.frame, provenance, units)
    ask.progress("done", 1.0)


PROCESS = Process(
    id="footfall",
    title=Name("거리의 보행량", "Passers-by in the streets"),
    version=VERSION,
    needs=_NEEDS,
    takes=_TAKES,
    inputs=(
        Input(
            "day_type", Name("날의 종류", "Kind of day"), "1", "weekday", (str,), choices=DAY_TYPES,
            about=Name("평일, 토요일, 휴일", "weekday, Saturday or holiday, as the congestion is told"),
        ),
        *inputs(),
        Input(
            "draws", Name("추출 횟수", "Draws"), "1", 64, (int,), minimum=0, maximum=1000,
            about=Name("가정을 범위에서 뽑는 횟수(오차용)", "how often the assumptions are drawn from their ranges, for the error"),
        ),
        Input(
            "seed", Name("난수 씨앗", "Seed"), "1", 1, (int,), minimum=0, maximum=2**31 - 1,
            about=Name("같은 씨앗은 같은 답을 냅니다.", "the same seed gives the same answer"),
        ),
    ),
    outputs=(Output("footfall", Name("시간별 보행량", "Passers-by by hour"), "{person}/h", "features", error=0.1),),
    citations=("huff1963", "wilson1971", "dijkstra1959"),
    validation=("footfall_two_stations",),
    run=_run,
    about=Name(
        "지하철역에서 걸어 나오고 들어가는 사람을 시간별로, 건물 연면적과 명소로 가는 가장 짧은 길에 나눕니다(양방향). "
        "역 혼잡도(연월 미상)와 가정에서 나온 값이며 센 값이 아닙니다. 차로만 있고 보도 자료가 없습니다. "
        "버스·주차장·이웃에서 오는 사람은 세지 않습니다.",
        "Who walks out of and into underground stations by the hour, spread over the shortest ways to floor area and landmarks, both ways. "
        "It comes from the congestion of trains (undated) and assumptions, not from counts. The data hold car roads, no footways. "
        "Who comes by bus, by car or from next door is not counted.",
    ),
    error=Name(
        "보정할 보행 조사가 없어 보정하지 않았습니다. low_factor·high_factor는 가정의 범위와 역 위치 오차에서 뽑은 80 % 구간이며, "
        "모형 자체가 틀린 정도는 들어 있지 않습니다.",
        "Not calibrated: no counts of pedestrians exist in the data. low_factor and high_factor hold 80 % of the draws over the ranges "
        "of the assumptions and of the stations' places; how wrong the model itself is, they do not tell.",
    ),
)  # fmt: skip
