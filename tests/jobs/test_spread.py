"""Tiles on a cluster of two worker processes: the same result as here, whatever dies on the way."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.api.conftest import write_twin
from tests.jobs import tiles

from twintown.ground.errors import StorageFailed
from twintown.jobs import results
from twintown.jobs.job import Job
from twintown.jobs.process import Spread, in_order
from twintown.jobs.question import ask
from twintown.jobs.queue import Queue
from twintown.jobs.runner import do
from twintown.jobs.spread import on_cluster
from twintown.keeper import tasks
from twintown.trust.identity import LOCAL_OWNER
from twintown.trust.policy import Resource, decide
from twintown.twin.layers import Twin

CLUSTER = """
import sys
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a scheduler with two workers, each a process."""
    script = tmp_path_factory.mktemp("cluster") / "cluster.py"
    script.write_text(CLUSTER)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONWARNINGS": "ignore"}
    process = subprocess.Popen(
        [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True, env=environment, cwd=script.parent,
    )  # fmt: skip
    assert process.stdin
    assert process.stdout
    yield process.stdout.readline().strip()
    process.stdin.close()
    process.wait(20)
    process.stdout.close()


def heights() -> NDArray[np.float64]:
    return np.random.default_rng(1).random((tiles.SIDE, tiles.SIDE))


def whole(spread: Spread, work: Callable[..., Any], context: dict[str, Any]) -> dict[str, NDArray[Any]]:
    size = (tiles.SIDE, tiles.SIDE)
    made = {"mean": np.zeros(size, np.float32), "high": np.zeros(size, bool)}
    seen = []
    for window, arrays in spread(work, context, tiles.windows()):
        seen.append(window)
        for name, values in arrays.items():
            rows, cols = (
                slice(window.row0, window.row0 + window.rows),
                slice(window.col0, window.col0 + window.cols),
            )
            made[name][rows, cols] = values
    assert sorted(seen, key=str) == sorted(tiles.windows(), key=str)
    return made


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_cluster_gives_the_same_bytes_as_this_process(cluster: str) -> None:
    context = {"heights": heights()}
    here = whole(in_order, tiles.smoothed, context)
    there = whole(on_cluster(cluster), tiles.smoothed, context)
    assert {name: values.tobytes() for name, values in there.items()} == {
        name: values.tobytes() for name, values in here.items()
    }


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_tiles_of_a_worker_that_died_are_done_again(cluster: str, tmp_path: Path) -> None:
    context = {"heights": heights(), "mark": str(tmp_path / "killed")}
    there = whole(on_cluster(cluster), tiles.deadly_once, context)
    assert (tmp_path / "killed").exists()
    here = whole(in_order, tiles.smoothed, context)
    assert all((there[name] == here[name]).all() for name in here)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_what_a_tile_raises_reaches_who_asked(cluster: str) -> None:
    with pytest.raises(ValueError, match="no tile at"):
        whole(on_cluster(cluster), tiles.broken, {})
    assert whole(on_cluster(cluster), tiles.smoothed, {"heights": heights()})["mean"].any()


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_that_is_away_is_named() -> None:
    with pytest.raises(StorageFailed, match="does not answer"):
        list(on_cluster("tcp://127.0.0.1:9", connect_s=0.5)(tiles.smoothed, {}, tiles.windows()))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_job_in_tiles_on_a_cluster_is_answered_as_here(cluster: str, tmp_path: Path) -> None:
    twin = Twin.open(write_twin(tmp_path / "small"), read_only=False)
    grant = decide(LOCAL_OWNER, "run", Resource("small"))
    queue = Queue(twin.tables)
    inputs = {"date": "2026-12-22", "cell_m": 2.0}
    here = results.answer(twin, grant, ask(twin, grant, "sunlight", inputs)).job
    there = results.submit(twin, grant, ask(twin, grant, "sunlight", {**inputs, "tile_cells": 64}))
    claimed = queue.claim("w", 600, there.id)
    assert claimed
    do(twin, claimed, tasks(), dask_url=cluster)
    there = queue.get(there.id)
    assert there.state == "successful", there.problem
    assert _content(there) == _content(here)


def _content(job: Job) -> dict[str, str]:
    """The digests of a job's grids, less what is said of the question that they answer."""
    grids = ("sunlight-solar", "sunlight-civil")
    return {name: (job.results or {})["outputs"][name]["content"] for name in grids}
