"""The keeper and its workers: real processes, killed for real."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from tests.jobs.wishes import tasks

from twintown.jobs import results
from twintown.jobs.job import Job, Late
from twintown.jobs.question import ask
from twintown.jobs.queue import Queue, new_job
from twintown.jobs.runner import Keeper, Place, Plan, do, here
from twintown.jobs.work import Done
from twintown.keeper import Beside
from twintown.settings import Settings
from twintown.trust.policy import Grant
from twintown.twin.layers import Twin

ANY = {"kind": "anyone"}


@contextmanager
def keeping(twin: Twin, **members: Any) -> Iterator[Keeper]:
    keeper = Keeper(replace(Plan((Place(twin.directory),), tasks, workers=2), **members))
    stop = Event()
    thread = Thread(target=keeper.run, args=(stop,))
    thread.start()
    try:
        yield keeper
    finally:
        stop.set()
        thread.join()


def wish(twin: Twin, what: str) -> str:
    return Queue(twin.tables).put(new_job("process", {"wish": what}, ANY)).id


def until(true: Callable[[], object], seconds: float = 120.0) -> None:
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends, "it did not come about"
        time.sleep(0.01)


def over(twin: Twin, job: str) -> Job:
    return results.wait(twin, job, 300)


@pytest.mark.slow
def test_jobs_are_done_by_warm_workers_and_their_end_is_told(twin: Twin) -> None:
    heard: list[tuple[str, str]] = []
    with keeping(twin, heard=lambda _, job: heard.append((job.id, job.state))):
        first = over(twin, wish(twin, "work"))
        second = over(twin, wish(twin, "work"))
        failed = over(twin, wish(twin, "raise"))
        until(lambda: (failed.id, "failed") in heard)
    assert first.results
    assert second.results
    assert first.results["pid"] != os.getpid()
    assert first.state == second.state == "successful"
    assert failed.problem
    assert "ValueError: no" in failed.problem["detail"]
    assert (first.id, "successful") in heard


@pytest.mark.slow
def test_the_worker_of_a_dismissed_job_is_ended_and_the_others_go_on(twin: Twin) -> None:
    with keeping(twin):
        sleeping = wish(twin, "sleep")
        until(lambda: Queue(twin.tables).get(sleeping).progress == 0.25)
        worker = int(Queue(twin.tables).get(sleeping).worker.partition("/")[2])
        results.dismiss(twin, sleeping)
        until(lambda: not Path(f"/proc/{worker}").exists() or _zombie(worker))
        assert over(twin, wish(twin, "work")).state == "successful"
    with pytest.raises(Late):
        results.dismiss(twin, sleeping)


def _zombie(process: int) -> bool:
    return ") Z " in Path(f"/proc/{process}/stat").read_text()


@pytest.mark.slow
def test_a_killed_workers_job_is_begun_anew_and_given_up_by_name_in_the_end(twin: Twin) -> None:
    with keeping(twin):
        deadly, unlucky, other = (wish(twin, what) for what in ("die", "die once", "work"))
        assert over(twin, other).state == "successful"
        again = over(twin, unlucky)
        dead = over(twin, deadly)
    assert (again.state, again.attempt) == ("successful", 2)
    assert (dead.state, dead.attempt) == ("failed", 3)
    assert dead.problem
    assert dead.problem["type"] == "urn:twintown:problem:worker-lost"
    assert "SIGKILL" in dead.problem["detail"]
    assert "3 times" in dead.problem["detail"]


@pytest.mark.slow
def test_jobs_of_a_keeper_that_died_are_taken_over_when_their_lease_ends(twin: Twin) -> None:
    code = (
        "import sys; from threading import Event; from pathlib import Path\n"
        "from tests.jobs.wishes import tasks\n"
        "from twintown.jobs.runner import Keeper, Place, Plan\n"
        "if __name__ == '__main__':\n"
        "    Keeper(Plan((Place(Path(sys.argv[1])),), tasks, lease_s=2)).run(Event())\n"
    )
    script = twin.directory / "keep.py"
    script.write_text(code)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    keeper = subprocess.Popen([sys.executable, str(script), str(twin.directory)], env=environment)
    try:
        job = wish(twin, "sleep")
        until(lambda: Queue(twin.tables).get(job).progress == 0.25)
        worker = int(Queue(twin.tables).get(job).worker.partition("/")[2])
    finally:
        keeper.kill()
        keeper.wait()
    until(lambda: not Path(f"/proc/{worker}").exists() or _zombie(worker))  # it died with its keeper
    with keeping(twin, lease_s=2.0):
        until(lambda: Queue(twin.tables).get(job).attempt == 2)
        results.dismiss(twin, job)


@pytest.mark.slow
def test_the_keeper_beside_a_server_answers_and_ends_with_it(twin: Twin) -> None:
    with Beside(Settings(twins=(twin.directory,))) as beside:
        beside.start()
        job = Queue(twin.tables).put(new_job("process", {}, ANY))
        assert over(twin, job.id).state == "failed"  # it is no question
        child = beside._child
        assert child is not None
        child.kill()
        until(lambda: beside._child is not child)
    assert beside._child is not None
    assert beside._child.poll() is not None


def test_no_keeper_is_started_where_the_settings_say_so(twin: Twin) -> None:
    with Beside(Settings(twins=(twin.directory,), keeper=False)) as beside:
        beside.start()
        assert beside._child is None


def test_a_kind_of_job_that_nobody_does_fails_by_name(twin: Twin) -> None:
    queue = Queue(twin.tables)
    queue.put(new_job("dance", {}, ANY))
    job = queue.claim("w", 10)
    assert job
    do(twin, job, {})
    problem = queue.get(job.id).problem
    assert problem
    assert "nothing here does jobs of the kind dance" in problem["detail"]


def test_what_else_belongs_to_a_success_happens_with_it(twin: Twin) -> None:
    queue = Queue(twin.tables)
    other = queue.put(new_job("process", {}, ANY))
    job = queue.put(new_job("approval", {}, ANY))
    claimed = queue.claim("w", 10, job.id)
    assert claimed
    do(
        twin,
        claimed,
        {"approval": lambda _: Done({"ok": 1}, within=lambda c: queue.dismiss_in(c, other.id) and None)},
    )
    assert queue.get(job.id).results == {"ok": 1}
    assert queue.get(other.id).state == "dismissed"


def test_jobs_can_be_done_in_this_process(twin: Twin, grant: Grant) -> None:
    from twintown.jobs.results import task

    with here([twin], {"process": task}):
        job = results.submit(twin, grant, ask(twin, grant, "count", {}))
        assert results.wait(twin, job.id, 20).state == "successful"
