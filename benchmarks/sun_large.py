"""The large numbers of the sun, each in a process of its own so that its peak memory is its own: `python sun_large.py WHAT …`.

    year SIDE STEP…      a year of sun hours (with sky view and energy) of SIDE² cells, once a step length (minutes)
    sky SIDE COUNT       sky view factor of SIDE² cells with COUNT directions
    day FILE OUT         winter-solstice steps of a file of heights, in tiles, one after the other
    dask FILE OUT        the same by a Dask cluster of two processes on this machine
    scale SIDE…          seconds of the winter solstice of fields of SIDE² cells, in tiles as large ones are

Prints one line of JSON. Counted against the machine: a step of the sun reads 4 bytes of height and reads and writes one byte of count a
cell, and does three operations on it. 605 million cells × 69 steps are 42 G cell steps: 250 GB, six seconds at a copy's 42 GB/s, when
every row came from memory; rows of a tile stay in the cache between two steps, and what counts is the instructions: eight cells an AVX2
instruction, some seven instructions, 37 G instructions a day and field, five seconds on two processors at 3.5 GHz. A horizon is
scalar: some twenty instructions with two branches that nobody can foretell, 8–12 ns a cell and direction.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def peak_gb() -> float:
    """Most memory that this process has held, mapped pages included (GB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1.0e9 if sys.platform == "darwin" else 1.0e6)


def blocks(side: int) -> NDArray[np.float32]:
    """The blocks of `sun.city`, as dense, on side² cells."""
    rng = np.random.default_rng(1)
    heights = np.zeros((side, side), np.float32)
    for _ in range(1500 * side * side // 4_000_000):
        r, c = rng.integers(0, side - 60, 2)
        a, b = rng.integers(8, 50, 2)
        heights[r : r + a, c : c + b] = rng.uniform(5, 90)
    return heights


def year(side: int, steps: list[int]) -> dict[str, Any]:
    """Table and horizons together, for each step length."""
    from twintown.kernels.horizon import accumulate
    from twintown.kernels.lines import Field
    from twintown.processes.sunpath import Place
    from twintown.processes.year_sky import clear, sky_of

    place = Place(127.1, 37.51, 0.06, "Asia/Seoul")
    field = Field.of(blocks(side), 1.0)
    small = Field.of(blocks(200), 1.0)
    sky = sky_of(*[clear(2026, place, 60)] * 2, 180, True)
    accumulate(small, sky.directions, sky.table(), 2.0**-5)  # compiled before the clock runs
    found = {}
    for step in steps:
        begun, used = time.perf_counter(), time.process_time()
        samples = clear(2026, place, step)
        sky = sky_of(samples, samples, 180, True)
        told = time.perf_counter() - begun
        cells, _ = accumulate(field, sky.directions, sky.table(), 2.0**-5)
        found[step] = (time.perf_counter() - begun, told, time.process_time() - used)
    return {
        "seconds": {step: one[0] for step, one in found.items()},
        "table": {step: one[1] for step, one in found.items()},
        "processor_s": {step: one[2] for step, one in found.items()},
        "mean_h": cells[:, :, 0].mean() / 57600,
    }


def sky(side: int, count: int) -> dict[str, Any]:
    """Sky view factor by `count` directions, whole field at once."""
    from twintown.kernels.horizon import accumulate, sines
    from twintown.kernels.lines import Field
    from twintown.processes.year_sky import compass

    share = np.rint((1.0 - sines() ** 2) * 65536.0).astype(np.int32)[None, :, None]
    accumulate(Field.of(blocks(200), 1.0), compass(8), share, 2.0**-5)
    heights = blocks(side)
    begun, used = time.perf_counter(), time.process_time()
    cells, _ = accumulate(Field.of(heights, 1.0), compass(count), share, 2.0**-5)
    return {
        "seconds": time.perf_counter() - begun,
        "processor_s": time.process_time() - used,
        "mean": float(cells.mean(dtype=np.float64)) / 65536.0 / count,
    }


def suns() -> NDArray[np.float64]:
    """The 69 positions of 22 December at Jamsil."""
    from twintown.processes.sunlight_day import day_of
    from twintown.processes.sunpath import Place

    return day_of("2026-12-22", "solar", Place(127.1, 37.51, 0.06, "Asia/Seoul")).directions


def counted(tops: Any, out: Path, spread: Callable[..., Any], side: int) -> float:
    """Seconds of the winter solstice's steps into a file."""
    from twintown.processes.sunlight import ground_steps

    def room(shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
        return np.lib.format.open_memmap(out, "w+", dtype, shape)

    begun = time.perf_counter()
    steps = ground_steps(tops, suns(), side, spread, room)
    if isinstance(steps, np.memmap):
        steps.flush()
    return time.perf_counter() - begun


def day(file: Path, out: Path) -> dict[str, Any]:
    """Tiled, here."""
    from capital import HeightsFile

    from twintown.jobs.process import in_order
    from twintown.processes.tops import SIDE

    tops = HeightsFile.of(file, 1.0)
    used = time.process_time()
    seconds = counted(tops, out, in_order, SIDE)
    return {"seconds": seconds, "processor_s": time.process_time() - used, "cells": tops.rows * tops.cols}


def dask(file: Path, out: Path) -> dict[str, Any]:
    """Tiled, by two workers of a cluster."""
    from capital import HeightsFile
    from distributed import LocalCluster

    from twintown.jobs.spread import on_cluster
    from twintown.processes.tops import SIDE

    tops = HeightsFile.of(file, 1.0)
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, memory_limit="3.5GiB"
    ) as cluster, cluster.get_client() as client:  # fmt: skip
        seconds = counted(tops, out, on_cluster(cluster.scheduler_address), SIDE)
        workers = sum(client.run(peak_gb).values())
    return {"seconds": seconds, "workers_gb": workers}


def scale(sides: list[int], folder: Path) -> dict[str, Any]:
    """Seconds and processor seconds of each field, the least of some runs where it is small."""
    from capital import HeightsFile, capital

    from twintown.jobs.process import in_order
    from twintown.processes.tops import SIDE

    found = {}
    for side in sides:
        file = folder / f"capital-{side}.npy"
        if not file.exists():
            capital(file, side)
        tops = HeightsFile.of(file, 1.0)
        tops.highest(_whole(side))
        times, used = [], []
        for _ in range(2 if side > 14000 else 3):
            before = time.process_time()
            times.append(counted(tops, folder / "steps.npy", in_order, SIDE))
            used.append(time.process_time() - before)
        found[side] = (min(times), min(used))
    sizes = np.log([float(side) ** 2 for side in found])
    fits = [float(np.polyfit(sizes, np.log([one[i] for one in found.values()]), 1)[0]) for i in (0, 1)]
    return {
        "seconds": {side: one[0] for side, one in found.items()},
        "processor_s": {side: one[1] for side, one in found.items()},
        "exponent": fits[0],
        "exponent_processor": fits[1],
    }


def _whole(side: int) -> Any:
    from twintown.kernels.lines import Tile

    return Tile(0, side, 0, side)


def main() -> None:
    """One row's numbers as a line of JSON."""
    what, *rest = sys.argv[1:]
    if what == "year":
        told = year(int(rest[0]), [int(one) for one in rest[1:]])
    elif what == "sky":
        told = sky(int(rest[0]), int(rest[1]))
    elif what == "scale":
        told = scale([int(one) for one in rest[1:]], Path(rest[0]))
    else:
        told = {"day": day, "dask": dask}[what](Path(rest[0]), Path(rest[1]))
    print(json.dumps({**told, "peak_gb": round(peak_gb(), 3)}))


if __name__ == "__main__":
    main()
