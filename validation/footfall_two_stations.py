"""Passers-by of one straight street between two stations, whose split a pencil can do."""

from __future__ import annotations

import math
from collections.abc import Iterator

import geopandas as gpd
import numpy as np
import shapely

from twintown.processes.footfall_assumed import values
from twintown.processes.footfall_model import Footfall, attraction_of, footfall_of
from twintown.processes.footfall_stations import HOURS, stations_of
from twintown.processes.footfall_streets import Streets, streets_of
from validation.case import Measured

CRS = "EPSG:5186"
#: Metres of the street; buildings stand on it at these places with so much floor area (m²).
LONG_M = 960.0
HOUSES = ((240.0, 6000.0), (480.0, 2000.0), (840.0, 9000.0))
#: Congestion (%) at both stations, and trains an hour.
LOAD, TRAINS = (40.0, 25.0), 10.0


def street() -> tuple[Streets, Footfall, float]:
    """The pieces, their passers-by on a Saturday, and the walking distance over which attraction falls to 1/e."""
    roads = gpd.GeoDataFrame(
        {"id": ["way/1"], "name_ko": ["길"], "kind": ["residential"]},
        geometry=[shapely.LineString([(0, 0), (LONG_M, 0)])], crs=CRS,
    )  # fmt: skip
    stations = gpd.GeoDataFrame(
        {"id": ["a", "b"], "name_ko": ["갑(구청)", "을"], "line": ["2호선", "2호선"], "place_error_m": [0.0, 0.0]},
        geometry=[shapely.Point(0, 0), shapely.Point(LONG_M, 0)], crs=CRS,
    )  # fmt: skip
    rows = [
        (f"{name}-{direction}-{h}:{m}", name, "2", "saturday", direction, f"{h}:{m}", load)
        for name, load in zip(("갑", "을"), LOAD, strict=True)
        for direction in ("내선", "외선")
        for h in range(9, 12)
        for m in ("00", "30")
    ]
    names = ["id", "station", "line", "day_type", "direction", "time", "congestion"]
    congestion = gpd.GeoDataFrame(
        dict(zip(names, zip(*rows, strict=True), strict=True)), geometry=[None] * len(rows), crs=CRS
    )
    side = 10.0
    buildings = gpd.GeoDataFrame(
        {"id": [f"house/{k}" for k in range(len(HOUSES))], "levels": [a / side**2 for _, a in HOUSES]},
        geometry=[shapely.box(x - side / 2, -side / 2, x + side / 2, side / 2) for x, _ in HOUSES], crs=CRS,
    )  # fmt: skip
    streets = streets_of(roads)
    assumed = values({})
    flow = footfall_of(
        streets, stations_of(stations, congestion, "saturday"), attraction_of(streets, buildings, None), assumed,
        "saturday", draws=0,
    )  # fmt: skip
    return streets, flow, assumed["decay_m"]


def pencil(x: float, decay_m: float) -> float:
    """People an hour who pass a place of the street between 9 and 12."""
    total = 0.0
    assumed = values({})
    for at, load in zip((0.0, LONG_M), LOAD, strict=True):
        aboard = 2 * load / 100 * TRAINS * 10 * assumed["car_persons"]  # two directions, trains of ten cars
        walkers = 2 * aboard * assumed["alight_single"] * assumed["walk_share"]  # out and in
        pull = [area * math.exp(-abs(house - at) / decay_m) for house, area in HOUSES]
        beyond = [p for p, (house, _) in zip(pull, HOUSES, strict=True) if (house > x) == (at < x)]
        total += walkers * sum(beyond) / sum(pull)
    return total


def measure() -> Iterator[Measured]:
    """Every piece and hour against the pencil; what goes in and what ends."""
    streets, flow, decay = street()
    middle = np.array([one.interpolate(0.5, normalized=True).x for one in streets.shapes])
    exact = np.array([pencil(x, decay) for x in middle])
    nine = flow.people[:, HOURS.index(9)]
    yield Measured(
        "walks.tree_flows", "footfall_two_stations", f"passers-by of {len(middle)} pieces of a street between two stations",
        float(np.abs(nine / exact - 1.0).max()) * 100.0, 1e-9, "%",
    )  # fmt: skip
    night = float(flow.people[:, HOURS.index(13)].max())
    yield Measured(
        "walks.tree_flows",
        "footfall_two_stations",
        "passers-by in an hour without trains",
        night,
        0.0,
        "people/h",
    )
