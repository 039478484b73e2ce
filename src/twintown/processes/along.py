"""The process `along`: what a grid is like along lines: the sun of a street, the noise of a path, the heat of a way to school."""

from __future__ import annotations

from collections.abc import Iterator

import geopandas as gpd
import numpy as np

from twintown.ground.errors import BadInput, BadParameter
from twintown.ground.features import Features
from twintown.ground.grid import Grid
from twintown.ground.names import Name
from twintown.ground.provenance import Provenance, Step
from twintown.jobs.process import Ask, Input, Output, Process, Shape
from twintown.kernels.along import ALL, BELOW, KNOWN, LEAST, SUM
from twintown.kernels.along import along as cells_along

from .along_lines import Pieces, chosen, pieces_of

VERSION = "1"
#: How finely answers are written, decimals of the unit; finer than any grid is right.
DECIMALS = 2
#: What is told of a line beside the numbers, where its layer has it.
LABELS = ("name", "name_ko", "name_en", "kind")
_LAYER = {"type": "string", "minLength": 1, "maxLength": 64}


def steps_as_minutes(grid: Grid) -> tuple[float, str]:
    """By what the values are multiplied, and their unit then: counted steps of known length are minutes, all else is as it is."""
    step = grid.attributes.get("step_minutes")
    if grid.unit == "{step}" and isinstance(step, int | float) and not isinstance(step, bool) and step > 0:
        return float(step), "min"
    return 1.0, grid.unit


def _accept(ask: Ask) -> None:
    if ask.options["grid"] == ask.options["lines"]:
        raise BadParameter("lines", "is the layer of the grid", remedy="name a layer of lines, such as roads")
    from twintown.query import cql2

    if ask.options["where"]:
        cql2.parse_text(ask.options["where"])


def _layers(ask: Ask) -> tuple[Grid, Features]:
    grid, lines = ask.layers[ask.options["grid"]], ask.layers[ask.options["lines"]]
    if not isinstance(grid, Grid) or grid.values.ndim != 2:
        raise BadInput(f"the layer {ask.options['grid']!r} is no grid of one band", "process along")
    if not isinstance(lines, Features):
        raise BadInput(f"the layer {ask.options['lines']!r} holds no features", "process along")
    return grid, lines


def _run(ask: Ask) -> Iterator[tuple[str, Shape]]:
    grid, lines = _layers(ask)
    ask.progress("cutting the lines", 0.0)
    pieces = pieces_of(chosen(lines.table, ask.options["where"]), float(ask.options["piece_m"]))
    ask.progress("reading the cells along them", 0.3)
    factor, unit = steps_as_minutes(grid)
    known = (
        np.isfinite(grid.values) if grid.values.dtype.kind == "f" else np.ones(grid.values.shape, np.bool_)
    )
    if grid.nodata is not None:
        known &= grid.values != grid.nodata
    threshold, buffer = float(ask.options["threshold"]), float(ask.options["buffer_m"])
    told = cells_along(
        grid.values, known, pieces.segments(grid.origin_x, grid.origin_y, grid.cell_m), pieces.first,
        buffer / grid.cell_m, threshold / factor,
    )  # fmt: skip
    step = Step(
        "statistics of a grid along lines", f"twintown.processes.along {VERSION}",
        {"grid": ask.options["grid"], "lines": ask.options["lines"], "threshold": threshold, "unit": unit,
         "buffer_m": buffer, "piece_m": float(ask.options["piece_m"]), "where": ask.options["where"]},
    )  # fmt: skip
    table = _table(pieces, told, factor, lines)
    table.crs = ask.frame.crs
    provenance = Provenance.of((grid.provenance, lines.provenance), step)
    units = {
        "mean": unit, "min": unit, "below_pct": "%", "below_m": "m", "known_pct": "%", "length_m": "m", "from_m": "m",
    }  # fmt: skip
    yield "along", Features(table, ask.frame, provenance, units)
    ask.progress("done", 1.0)


def _table(pieces: Pieces, told: np.ndarray, factor: float, lines: Features) -> gpd.GeoDataFrame:
    """One row a piece; what is not known has no number."""
    whole = told[:, ALL] > 0.0
    seen = told[:, KNOWN] > 0.0
    parts = np.where(seen, told[:, KNOWN], 1.0)

    def number(values: np.ndarray, there: np.ndarray) -> np.ndarray:
        return np.where(there, np.round(values, DECIMALS), np.nan)

    share = told[:, BELOW] / parts
    columns: dict[str, object] = {"id": pieces.ids, "line": pieces.lines}
    for label in LABELS:
        if label in lines.table.columns:
            columns[label] = pieces.labels(label)
    columns |= {
        "mean": number(factor * told[:, SUM] / parts, seen),
        "min": number(factor * np.where(seen, told[:, LEAST], 0.0), seen),
        "below_pct": number(100.0 * share, seen),
        "below_m": number(share * pieces.lengths, seen),
        "known_pct": number(100.0 * told[:, KNOWN] / np.where(whole, told[:, ALL], 1.0), whole),
        "from_m": np.round(pieces.begins, DECIMALS),
        "length_m": np.round(pieces.lengths, DECIMALS),
    }
    return gpd.GeoDataFrame(columns, geometry=pieces.shapes)


PROCESS = Process(
    id="along",
    title=Name("선을 따라", "Along lines"),
    version=VERSION,
    needs=(),
    inputs=(
        Input(
            "grid", Name("격자 층", "Layer of the grid"), "1", "", (str,), layer="grid", schema=_LAYER,
            about=Name("값을 읽을 격자. 다른 과정의 결과도 됩니다.", "The grid that is read; the result of another process will do."),
        ),
        Input(
            "lines", Name("선 층", "Layer of the lines"), "1", "roads", (str,), layer="features", schema=_LAYER,
            about=Name("따라갈 선(도로, 산책로…)", "The lines that are followed: roads, paths, …"),
        ),
        Input(
            "threshold", Name("기준값", "Threshold"), "1", 0.0, (int, float), minimum=-1e9, maximum=1e9,
            about=Name(
                "이보다 작은 몫을 셉니다. 격자의 단위로(7분 칸을 센 일조 격자는 분으로).",
                "The share below it is told; in the unit of the grid (minutes for a grid of sun that counts steps).",
            ),
        ),
        Input(
            "buffer_m", Name("선 양쪽의 폭", "Width on either side"), "m", 0.0, (int, float), minimum=0, maximum=200,
            about=Name(
                "0이면 선 바로 아래의 칸을 길이로, 아니면 이 거리 안의 칸을 하나씩 셉니다.",
                "0: the cells right under the line count by the length in them; else every cell whose centre is no further counts once.",
            ),
        ),
        Input(
            "piece_m", Name("토막의 길이", "Length of a piece"), "m", 0.0, (int, float), minimum=0, maximum=100_000,
            about=Name(
                "선을 이보다 길지 않은 같은 토막으로 자릅니다. 0이면 자르지 않습니다.",
                "Lines are cut into equal pieces no longer than this; 0: they stay whole.",
            ),
        ),
        Input(
            "where", Name("조건", "Condition"), "1", "", (str,), schema={"type": "string", "maxLength": 2000},
            about=Name("CQL2. 맞는 선만 봅니다.", "CQL2: only lines that meet it, such as tunnel = FALSE"),
        ),
    ),
    outputs=(Output("along", Name("선을 따라 본 값", "Values along the lines"), "1", "features", error=0.01),),
    citations=("amanatides1987",),
    validation=("along_plane",),
    run=_run,
    about=Name(
        "격자의 값을 선(도로, 산책로)을 따라 읽습니다: 평균, 최소, 기준값보다 작은 몫. 길이로 가중합니다.",
        "Reads a grid along lines (roads, paths): mean, least, and the share below a threshold, by length.",
    ),
    error=Name(
        "선 아래의 칸은 정확합니다(소수 둘째 자리). 폭을 주면 칸의 중심으로 세므로 폭의 가장자리에서 반 칸까지 다릅니다. "
        "격자 자체의 오차는 그대로입니다.",
        "Exact for the cells under a line (two decimals). With a width cells count by their centres, so its edges lie within half a "
        "cell. The grid's own error remains.",
    ),
    accept=_accept,
)  # fmt: skip
