"""The queue: who gets which job, who is too late, and what everybody hears of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from twintown.ground.errors import NotFound, TooMany
from twintown.jobs.job import Job, Late
from twintown.jobs.queue import Queue, new_job
from twintown.twin.layers import Twin

ANY = {"kind": "anyone"}


def asked(question: str = "", subject: dict[str, str] | None = None) -> Job:
    return new_job("process", {"times": 1}, subject or ANY, process="count", question=question)


@pytest.fixture
def queue(twin: Twin) -> Queue:
    return Queue(twin.tables)


def test_a_job_comes_back_as_it_was_put(queue: Queue) -> None:
    job = queue.put(asked("sha256:a"))
    assert queue.get(job.id) == job
    assert job.seq == 1
    with pytest.raises(NotFound, match="no job"):
        queue.get("nowhere")


def test_the_oldest_job_is_claimed_first_and_only_once(queue: Queue) -> None:
    first, second = queue.put(asked()), queue.put(asked())
    with ThreadPoolExecutor(4) as people:
        got = [job for job in people.map(lambda n: queue.claim(f"w{n}", 10), range(4)) if job]
    assert sorted(job.id for job in got) == [first.id, second.id]
    assert queue.claim("w", 10) is None


def test_a_question_that_somebody_works_on_is_not_worked_on_twice(queue: Queue) -> None:
    queue.put(asked("sha256:a"))
    twin = queue.put(asked("sha256:a"))
    other = queue.put(asked("sha256:b"))
    running, beside = queue.claim("w", 10), queue.claim("v", 10)
    assert running
    assert beside
    assert beside.id == other.id
    assert queue.claim("u", 10) is None
    queue.finish(running, {"outputs": {}})
    assert (queue.claim("u", 10) or other).id == twin.id


def test_who_was_given_up_changes_nothing(queue: Queue) -> None:
    queue.put(asked())
    first = queue.claim("a", 10)
    assert first
    queue.lose(first, {"title": "lost"})
    second = queue.claim("b", 10)
    assert second
    for late in (
        lambda: queue.finish(first, {}),
        lambda: queue.fail(first, {}),
        lambda: queue.beat(first, "s", 0.5, 10),
        lambda: queue.alive(first, 10),
    ):
        with pytest.raises(Late):
            late()
    assert queue.finish(second, {"outputs": {}}).state == "successful"
    assert queue.get(first.id).results == {"outputs": {}}


def test_whoever_watches_reads_each_change_once_and_in_order(queue: Queue) -> None:
    one, two = queue.put(asked()), queue.put(asked())
    seen = queue.last()
    assert [job.id for job in queue.changes()] == [one.id, two.id]
    running = queue.claim("w", 10)
    assert running
    queue.beat(running, "reading", 0.5, 10)
    news = queue.changes(seen)
    assert [(job.id, job.stage, job.progress) for job in news] == [(one.id, "reading", 0.5)]
    queue.alive(running, 100)
    assert not queue.changes(news[-1].seq)


def test_a_job_without_a_sign_of_life_is_told(queue: Queue) -> None:
    queue.put(asked())
    job = queue.claim("w", 10)
    assert job
    assert not queue.expired()
    assert [one.id for one in queue.expired(datetime.now(UTC) + timedelta(seconds=11))] == [job.id]
    queue.alive(job, 60)
    assert not queue.expired(datetime.now(UTC) + timedelta(seconds=11))


def test_anyone_may_have_sixteen_jobs_waiting_and_the_owner_more(queue: Queue) -> None:
    for _ in range(16):
        queue.put(asked())
    with pytest.raises(TooMany, match="16 jobs"):
        queue.put(asked())
    queue.put(asked(subject={"kind": "owner"}))
    queue.claim("w", 10)
    queue.put(asked())


def test_jobs_are_listed_newest_first_by_what_they_are(queue: Queue) -> None:
    ids = [queue.put(asked(subject={"kind": kind})).id for kind in ("anyone", "owner", "anyone")]
    queue.claim("w", 10)
    assert [job.id for job in queue.list()] == ids[::-1]
    assert [job.id for job in queue.list(subject={"kind": "owner"})] == [ids[1]]
    assert [job.id for job in queue.list(states=("accepted",), before=ids[2])] == [ids[1]]
    assert not queue.list(processes=("view",))


def test_the_numbers_of_changes_go_on_after_old_jobs_are_forgotten(queue: Queue) -> None:
    jobs = [queue.put(asked()) for _ in range(2)]
    for job in jobs:
        with queue.writing() as connection:
            queue.dismiss_in(connection, job.id)
    last = queue.last()
    assert queue.forget(datetime.now(UTC) + timedelta(days=1)) == 1
    assert queue.put(asked()).seq == last + 1
