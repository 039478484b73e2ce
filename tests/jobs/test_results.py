"""Answers: published whole or not at all, reused, and gone when nobody is answered by them any more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from twintown.build.run import _sweep, settle
from twintown.ground.errors import Gone, NotFound, PluginFailed, StorageFull
from twintown.ground.grid import Grid
from twintown.jobs import results, work
from twintown.jobs.job import Claimed, Late, step
from twintown.jobs.process import Ask, Shape
from twintown.jobs.question import ask
from twintown.jobs.queue import Queue
from twintown.jobs.work import Work, perform, rooms
from twintown.store.tables import Tables
from twintown.trust.policy import Grant
from twintown.twin.layers import Twin

from .conftest import buildings, publish


def layers(twin: Twin, grant: Grant) -> set[str]:
    return {version.layer for version in twin.layers(grant)}


def test_an_answer_is_layers_and_a_job_that_says_which(twin: Twin, grant: Grant) -> None:
    stages: list[str] = []
    question = ask(twin, grant, "count", {"times": 2}, scenario={"id": "p", "name": "Slab", "revision": 1})
    answer = results.answer(twin, grant, question, lambda stage, _: stages.append(stage))
    assert set(answer.outputs) == {"counts", "marks"}
    assert {f"counts-{question.digest[7:17]}", f"marks-{question.digest[7:17]}"} <= layers(twin, grant)
    grid = twin.read(answer.outputs["counts"], grant)
    assert isinstance(grid, Grid)
    assert (grid.values == 6).all()
    assert answer.job.state == "successful"
    assert answer.job.scenario == "p"
    assert answer.outputs["counts"].title.en == "Counts · Slab"
    said = answer.outputs["counts"].meta["result"]
    assert (said["question"], said["output"], said["inputs"]["times"]) == (question.digest, "counts", 2)
    assert answer.manifest["credentialSubject"]["question"] == question.digest
    assert "counting" in stages


def test_the_same_question_is_answered_by_the_same_result_unless_it_is_asked_afresh(
    twin: Twin, grant: Grant
) -> None:
    first = results.answer(twin, grant, ask(twin, grant, "count", {}))
    again = results.submit(twin, grant, ask(twin, grant, "count", {}))
    assert again.state == "successful"
    assert again.results
    assert again.results["reused"]
    assert results.versions(twin, grant, again) == first.outputs
    fresh = results.answer(twin, grant, ask(twin, grant, "count", {}, fresh=True))
    assert not fresh.reused
    assert fresh.outputs == first.outputs  # the same bytes keep their name


def test_the_grade_of_an_answer_is_the_highest_of_what_it_read(
    twin: Twin, grant: Grant, owner: Grant
) -> None:
    secret = results.answer(twin, owner, ask(twin, owner, "count", {}))
    assert {version.grade.value for version in secret.outputs.values()} == {"C"}
    assert not layers(twin, grant) & {version.layer for version in secret.outputs.values()}


def test_a_process_that_raises_is_a_failed_job_with_a_problem_and_leaves_nothing(
    twin: Twin, grant: Grant
) -> None:
    before = layers(twin, grant)
    with pytest.raises(PluginFailed, match="ZeroDivisionError: nothing to divide by"):
        results.answer(twin, grant, ask(twin, grant, "count", {"broken": True}))
    (job,) = Queue(twin.tables).list()
    assert job.state == "failed"
    assert job.problem
    assert job.problem["type"] == "urn:twintown:problem:plugin-failed"
    assert job.problem["status"] == 500
    assert "nothing to divide by" in job.problem["detail"]
    assert layers(twin, grant) == before


def claimed(twin: Twin, grant: Grant, **inputs: object) -> Work:
    queue = Queue(twin.tables)
    job = queue.put(results.submit(twin, grant, ask(twin, grant, "count", inputs)))
    job = queue.claim("w", 60) or job
    return Work(twin, job, grant, lambda *_: None)


def test_success_and_layers_come_together_or_not_at_all(
    twin: Twin, grant: Grant, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = Queue(twin.tables)
    results.submit(twin, grant, ask(twin, grant, "count", {}))
    job = queue.claim("w", 60)
    assert job
    before = layers(twin, grant)
    switch = Tables.switch_in

    def dismissed_meanwhile(self: Tables, connection: object, *more: object) -> None:
        switch(self, connection, *more)  # type: ignore[arg-type]
        raise Late("it was dismissed")

    monkeypatch.setattr(Tables, "switch_in", dismissed_meanwhile)
    with pytest.raises(Late):
        perform(results.task, Work(twin, job, grant, lambda *_: None))
    assert layers(twin, grant) == before
    assert queue.get(job.id).state == "running"
    assert not twin.tables.unpublished()  # somebody works on the question
    results.dismiss(twin, job.id)
    assert results.sweep(twin) == 2
    assert not twin.tables.unpublished()
    assert not list((twin.directory / "layers").glob("counts-*/*"))


def test_dismissing_a_job_takes_its_layers_unless_another_is_answered_by_them(
    twin: Twin, grant: Grant
) -> None:
    first = results.answer(twin, grant, ask(twin, grant, "count", {}))
    second = results.submit(twin, grant, ask(twin, grant, "count", {}))
    names = {version.layer for version in first.outputs.values()}
    assert results.dismiss(twin, first.job.id).state == "dismissed"
    assert names <= layers(twin, grant)
    assert results.versions(twin, grant, second)
    results.dismiss(twin, second.id)
    assert not names & layers(twin, grant)
    with pytest.raises(NotFound, match="dismissed"):
        results.versions(twin, grant, Queue(twin.tables).get(second.id))
    assert not results.submit(twin, grant, ask(twin, grant, "count", {})).over


def test_pruning_leaves_results_and_what_they_and_plans_rest_on(
    twin: Twin, grant: Grant, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ask(twin, grant, "count", {})
    answer = results.answer(twin, grant, asked)
    unused = [publish(twin, "buildings", buildings(n)) for n in (4, 5, 6, 7)]
    gone = twin.tables.prune(hold=timedelta(0))
    assert sorted(gone) == sorted(f"layers/buildings/{version}" for version in unused[:-2])
    assert input_still_there(twin, grant, asked.layers["buildings"]["version"])
    twin.tables.switch({"buildings": unused[-1]}, only=True)
    assert set(results.versions(twin, grant, answer.job)) == {"counts", "marks"}
    results.dismiss(twin, answer.job.id)
    gone = twin.tables.prune(hold=timedelta(0))
    assert {path.split("/")[1].split("-")[0] for path in gone} == {"counts", "marks", "buildings"}
    with pytest.raises(NotFound):
        twin.tables.layer("buildings", asked.layers["buildings"]["version"])
    settle(twin)


def input_still_there(twin: Twin, grant: Grant, version: str) -> bool:
    return twin.blobs.exists(f"layers/buildings/{version}/data.parquet") and bool(
        twin.tables.layer("buildings", version)
    )


def test_a_result_that_is_gone_is_named(twin: Twin, grant: Grant) -> None:
    answer = results.answer(twin, grant, ask(twin, grant, "count", {}))
    twin.tables.forget([(one.layer, one.version) for one in answer.outputs.values()])
    with pytest.raises(Gone, match="not kept any more"):
        results.versions(twin, grant, answer.job)


def test_waiting_ends_with_the_job_or_with_patience(twin: Twin, grant: Grant) -> None:
    job = results.submit(twin, grant, ask(twin, grant, "count", {}))
    assert results.wait(twin, job.id, 0.01).state == "accepted"
    results.dismiss(twin, job.id)
    assert results.wait(twin, job.id, 10).state == "dismissed"


def test_a_job_of_a_version_of_a_process_that_is_not_here_says_so(
    twin: Twin, grant: Grant, count: Callable[..., None]
) -> None:
    question = ask(twin, grant, "count", {})
    count(version="2")
    with pytest.raises(Exception, match="here in version 2, and 1 was asked"):
        results.answer(twin, grant, question)


def test_large_arrays_lie_on_the_disk_and_are_gone_afterwards(tmp_path: Path) -> None:
    with rooms(tmp_path / "rooms", large=1000) as room:
        small, large = room((10,), np.uint8), room((20, 100), np.float32)
        assert not isinstance(small, np.memmap)
        assert isinstance(large, np.memmap)
        assert not large.any()
        large += 1
        assert large.sum() == 2000
    assert not list((tmp_path / "rooms").iterdir())
    with rooms(tmp_path / "rooms") as room, pytest.raises(StorageFull, match="are free"):
        room((2**45,), np.float64)


def test_an_answer_may_come_in_rooms_on_the_disk(
    twin: Twin, grant: Grant, monkeypatch: pytest.MonkeyPatch, count: Callable[..., None]
) -> None:
    plain = results.answer(twin, grant, ask(twin, grant, "count", {}))
    seen: list[type] = []

    def run(asked: Ask) -> Iterator[tuple[str, Shape]]:
        from .conftest import COUNT

        for name, shape in COUNT.run(asked):
            if isinstance(shape, Grid):
                seen.append(type(shape.values))
            yield name, shape

    count(run=run)
    monkeypatch.setattr(work, "LARGE", 8)
    monkeypatch.setattr(results, "rooms", lambda place: rooms(place, 8))
    fresh = results.answer(twin, grant, ask(twin, grant, "count", {}, fresh=True))
    assert seen == [np.memmap]
    assert fresh.outputs == plain.outputs


def test_an_answer_here_belongs_to_this_process(twin: Twin, grant: Grant) -> None:
    answer = results.answer(twin, grant, ask(twin, grant, "count", {}))
    with pytest.raises(Late):
        step(answer.job, Claimed("w", 1), answer.job.updated)


def test_a_large_grid_goes_to_the_disk_block_by_block_and_is_the_same_file(
    twin: Twin, grant: Grant, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = results.answer(twin, grant, ask(twin, grant, "count", {}))
    monkeypatch.setattr("twintown.twin.layers.LARGE", 8)
    fresh = results.answer(twin, grant, ask(twin, grant, "count", {}, fresh=True))
    assert fresh.outputs == plain.outputs
    assert not list((twin.directory / ".staging" / "beside").iterdir())


def test_a_build_leaves_alone_what_is_staged_for_a_question_that_is_worked_on(
    twin: Twin, grant: Grant
) -> None:
    results.submit(twin, grant, ask(twin, grant, "count", {}))
    job = Queue(twin.tables).claim("w", 60)
    assert job
    done = results.task(Work(twin, job, grant, lambda *_: None))
    _sweep(twin)
    twin.tables.prune(hold=timedelta(0))
    there = {path.parent.parent.name for path in (twin.directory / "layers").glob("*-*/*/data.*")}
    assert set(done.switch) <= there
    results.dismiss(twin, job.id)
    _sweep(twin)
    there = {path.parent.parent.name for path in (twin.directory / "layers").glob("*-*/*/data.*")}
    assert not set(done.switch) & there


@pytest.mark.parametrize("moment", ["before its file", "after its file", "while it is swept"])
def test_what_a_killed_worker_began_is_found_and_swept(
    twin: Twin, grant: Grant, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """A kill is an exception that nothing catches, raised once at that moment."""

    class Killed(BaseException):
        pass

    def once(kind: type, name: str, *, after: bool) -> None:
        real = getattr(kind, name)

        def dies(*args: object, **more: object) -> object:
            monkeypatch.setattr(kind, name, real)
            if after:
                real(*args, **more)
            raise Killed

        monkeypatch.setattr(kind, name, dies)

    results.submit(twin, grant, ask(twin, grant, "count", {}))
    job = Queue(twin.tables).claim("w", 60)
    assert job
    if moment == "while it is swept":
        results.task(Work(twin, job, grant, lambda *_: None))
    else:
        once(type(twin.blobs), "put", after=moment == "after its file")
        with pytest.raises(Killed):
            results.task(Work(twin, job, grant, lambda *_: None))
    results.dismiss(twin, job.id)
    if moment == "while it is swept":
        once(type(twin.blobs), "delete_prefix", after=True)
        with pytest.raises(Killed):
            results.sweep(twin)
    results.sweep(twin)
    assert not twin.tables.unpublished()
    assert not list((twin.directory / "layers").glob("counts-*/*"))
    assert not list((twin.directory / "layers").glob("marks-*/*"))
