"""The headline numbers of views and pictures; `benchmarks/sun.py` prints them with its own: rows()."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from table import Row

ROOT = Path(__file__).parents[1]
SIDE, THREADS = 5000, 2


def _median_s(work: Callable[[], object], times: int = 3) -> tuple[float, float]:
    """Median seconds by the clock and of the processors (both together), after a call to warm up."""
    work()
    found, used = [], []
    for _ in range(times):
        begun, spent = time.perf_counter(), time.process_time()
        work()
        found.append(time.perf_counter() - begun)
        used.append(time.process_time() - spent)
    return statistics.median(found), statistics.median(used)


def viewsheds() -> Iterator[Row]:
    """One eye, and one tower, in the middle of a seeded city of 9,000 blocks on 25 million cells."""
    from twintown.kernels.viewshed import needed_heights, tower_metres

    rng = np.random.default_rng(1)
    heights = np.zeros((SIDE, SIDE), np.float32)
    for _ in range(9000):
        r, c = rng.integers(0, SIDE - 60, 2)
        a, b = rng.integers(8, 50, 2)
        heights[r : r + a, c : c + b] = rng.uniform(5, 90)
    middle = SIDE // 2
    heights[middle - 20 : middle + 20, middle - 20 : middle + 20] = 0.0
    there = np.empty_like(heights)
    copy, _ = _median_s(lambda: np.copyto(there, heights))
    seen, used = _median_s(lambda: needed_heights(heights, 1.0, middle, middle, 1.6, threads=THREADS))
    note = f"2 rays a cell of the border; {seen / copy:.0f} copies of the field ({copy * 1e3:.0f} ms each); {used:.2f} processor s"
    yield Row(
        f"viewshed over {SIDE * SIDE / 1e6:.0f} million cells, {THREADS} threads",
        seen,
        "s",
        "< 2",
        seen < 2,
        note=note,
    )
    tower, used = _median_s(
        lambda: tower_metres(heights, 1.0, middle, middle, 0.0, 300.0, 1.6, threads=THREADS)
    )
    yield Row(
        "metres of a tower seen from every one of them",
        tower,
        "s",
        "reported",
        True,
        note=f"one sweep for all eyes; {used:.2f} processor s",
    )


def _jamsil() -> tuple[object, object, object] | None:
    from twintown.ground.features import Features

    found = []
    for name in ("buildings", "building-parts", "roads"):
        files = sorted((ROOT / "cities" / "jamsil" / "layers" / name).glob("*/data.parquet"))
        if not files:
            return None
        found.append(Features.from_parquet(files[-1]))
    return found[0], found[1], found[2]


def pictures() -> Iterator[Row]:
    """One picture for a report, and one panorama, on the demo twin."""
    name = "picture of 1,600 × 900 of the demo city"
    city = _jamsil()
    if city is None:
        yield Row(
            name, None, "s", "< 3", False, note="the demo twin is not built: run `make demo-build` first"
        )
        return
    from twintown.city.solids import parts_mesh
    from twintown.kernels.panorama import shares
    from twintown.scenario.picture import Camera, picture

    buildings, parts, roads = city
    when = datetime(2026, 12, 22, 14, tzinfo=ZoneInfo("Asia/Seoul"))
    camera = Camera(127.108, 37.5027, 620, 345, -24, 60)
    spent, used = _median_s(lambda: picture(buildings, parts, camera, when, layers={"roads": roads}))
    yield Row(
        name,
        spent,
        "s",
        "< 3",
        spent < 3,
        note=f"2 × 2 samples a pixel, sun's shadows, light of 128 parts of the sky; {used:.2f} processor s",
    )
    mesh = parts_mesh(parts.table, parts.frame)
    corners = mesh.vertices[mesh.triangles]
    eyes = np.array([[209_100.0 + 40 * i, 546_620.0, 1.6] for i in range(16)])
    whole, _ = _median_s(lambda: shares(corners, mesh.feature, len(parts.table), eyes, threads=THREADS))
    each = whole / len(eyes)
    yield Row(
        "panorama of one view point",
        each * 1e3,
        "ms",
        "reported",
        True,
        note="6 faces of 512², every triangle of the city",
    )


def rows() -> list[Row]:
    """All of them."""
    return [*viewsheds(), *pictures()]


if __name__ == "__main__":
    from table import show

    show(rows())
