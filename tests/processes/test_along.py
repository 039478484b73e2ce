"""What the process `along` answers for a street that a pencil can draw, and its words for bad input."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from twintown.ground.bounds import Bounds
from twintown.ground.errors import BadInput, BadParameter, NotFound
from twintown.ground.features import Features
from twintown.ground.frames import Frame
from twintown.ground.grid import Grid
from twintown.ground.provenance import Licence, Provenance, Source
from twintown.jobs.process import Ask, Shape, run
from twintown.processes.along import PROCESS

pytestmark = pytest.mark.slow

FRAME = Frame("EPSG:5186", undulation_m=23.0, undulation_source="declared for the test")
X, Y = 208_000.0, 545_500.0
BOUNDS = Bounds(X, Y, X + 40, Y + 40)
FROM = Provenance((Source("test", "A street", "nobody", Licence("CC0-1.0", "CC0")),))


def sun() -> Grid:
    """Steps of 7 minutes: the western half 10 of them, the eastern 2, and a building (255) in the south-eastern corner."""
    values = np.full((20, 20), 10, np.uint8)
    values[:, 10:] = 2
    values[15:, 15:] = 255
    return Grid(values, X, Y + 40, 2.0, "{step}", FRAME, FROM, 255, {"step_minutes": 7.0})


def streets(*rows: tuple[str, Any], **columns: Any) -> Features:
    table = gpd.GeoDataFrame(
        {"id": [name for name, _ in rows], "name": ["Main street"] * len(rows), **columns},
        geometry=[shapely.transform(shape, lambda xy: xy + np.array([X, Y])) for _, shape in rows], crs=FRAME.crs,
    )  # fmt: skip
    return Features(table, FRAME, FROM)


ACROSS = ("way/1", shapely.LineString([(4, 21), (36, 21)]))
BEHIND = ("way/2", shapely.LineString([(21, 5), (39, 5)]))


def asked(lines: Features | None = None, grid: Shape | None = None, **options: Any) -> dict[str, Any]:
    layers = {"sun": grid or sun(), "roads": lines or streets(ACROSS, BEHIND)}
    ask = Ask(
        layers, FRAME, BOUNDS, "Asia/Seoul", "2026-12-22", {"grid": "sun", "threshold": 60.0, **options}
    )
    ((name, made),) = run(PROCESS, ask)
    assert name == "along" and isinstance(made, Features)
    return {"made": made, **{row["id"]: row for row in made.table.to_dict("records")}}


def test_steps_are_told_in_minutes_and_each_cell_counts_by_the_length_in_it() -> None:
    found = asked()["way/1"]
    assert (found["mean"], found["min"]) == (42.0, 14.0)  # 16 m of 70 min, 16 m of 14 min
    assert (found["below_pct"], found["below_m"], found["known_pct"], found["length_m"]) == (
        50.0,
        16.0,
        100.0,
        32.0,
    )
    assert asked()["made"].units["mean"] == "min"


def test_what_is_not_known_takes_no_part_and_is_said() -> None:
    found = asked()["way/2"]  # 9 m before the building, 9 m in it
    assert (found["mean"], found["below_pct"], found["known_pct"]) == (14.0, 100.0, 50.0)
    away = asked(streets(("out", shapely.LineString([(100, 100), (120, 100)]))))["out"]
    assert np.isnan(away["mean"]) and away["known_pct"] == 0.0


def test_pieces_say_where_along_their_line_they_are() -> None:
    made = asked(piece_m=10.0)["made"].table
    mine = made[made["line"] == "way/1"]
    assert list(mine["id"]) == ["way/1:1", "way/1:2", "way/1:3", "way/1:4"]
    assert list(mine["from_m"]) == [0.0, 8.0, 16.0, 24.0]
    assert list(mine["below_pct"]) == [0.0, 0.0, 100.0, 100.0]
    assert mine["below_m"].sum() == 16.0


def test_a_strip_counts_the_cells_whose_centres_lie_in_it() -> None:
    found = asked(buffer_m=3.0)["way/1"]
    assert found["below_pct"] == 50.0 and found["mean"] == 42.0
    narrow = asked(streets(("way/3", shapely.LineString([(4, 22), (36, 22)]))), buffer_m=0.1)["way/3"]
    assert narrow["known_pct"] == 100.0  # no centre within 10 cm: the cells under the line, then


def test_a_condition_chooses_the_lines() -> None:
    lines = streets(ACROSS, BEHIND, tunnel=[False, True])
    assert list(asked(lines, where="tunnel = FALSE")["made"].table["id"]) == ["way/1"]
    with pytest.raises(BadParameter, match="no column 'bridge'"):
        asked(lines, where="bridge = TRUE")


def test_the_same_question_gives_the_same_bytes_whatever_the_order_of_the_lines() -> None:
    one, other = (
        asked(streets(ACROSS, BEHIND), piece_m=7)["made"],
        asked(streets(BEHIND, ACROSS), piece_m=7)["made"],
    )
    assert one.to_parquet_bytes() == other.to_parquet_bytes()


def test_layers_that_are_none_are_refused_by_name() -> None:
    with pytest.raises(NotFound, match="'shade' is missing"):
        run_with(grid="shade")
    with pytest.raises(BadInput, match="no grid of one band"):
        asked(grid=streets(ACROSS))


def run_with(**options: Any) -> None:
    layers: dict[str, Shape] = {"sun": sun(), "roads": streets(ACROSS)}
    list(run(PROCESS, Ask(layers, FRAME, BOUNDS, "Asia/Seoul", "2026-12-22", options)))


def test_the_process_says_which_layers_its_inputs_name() -> None:
    assert PROCESS.named({"grid": "sun"}) == {"grid": "sun", "lines": "roads"}
    assert PROCESS.reads({"grid": "sun", "lines": "paths"}) == ("sun", "paths")
