"""A job through all that can happen to it, in any order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twintown.jobs.job import (
    ATTEMPTS,
    Beat,
    Claimed,
    Dismissed,
    Event,
    Failed,
    Job,
    Late,
    Lost,
    Reused,
    Succeeded,
    remaining,
    step,
)

NOW = datetime(2026, 11, 22, tzinfo=UTC)
NEW = Job("J", "process", "count", "sha256:q", {}, {"kind": "anyone"}, NOW, NOW)

attempts = st.integers(0, ATTEMPTS + 1)
events: st.SearchStrategy[Event] = st.one_of(
    st.builds(Claimed, st.sampled_from(["a", "b"]), st.floats(1, 60)),
    st.builds(Beat, attempts, st.sampled_from(["", "reading"]), st.floats(-1, 2), st.floats(1, 60)),
    st.builds(Succeeded, attempts, st.just({"outputs": {}})),
    st.builds(Failed, attempts, st.just({"title": "broke"})),
    st.builds(Lost, attempts, st.just({"title": "lost"})),
    st.just(Reused({"outputs": {}})),
    st.just(Dismissed()),
)


@given(st.lists(events, max_size=25))
def test_whatever_happens_a_job_ends_once_and_keeps_its_word(story: list[Event]) -> None:
    job, at, ends = NEW, NOW, 0
    for event in story:
        at += timedelta(seconds=1)
        try:
            after = step(job, event, at)
        except Late:
            continue
        assert after.attempt in (job.attempt, job.attempt + 1)
        assert after.attempt <= ATTEMPTS
        assert (after.lease_until is not None) == (after.state == "running")
        assert (after.results is not None) == (after.state == "successful")
        assert (after.finished is not None) == after.over
        assert 0 <= after.progress <= 1
        if isinstance(event, Beat | Succeeded | Failed | Lost):
            assert (job.state, event.attempt) == ("running", job.attempt)
        if job.over:
            assert after.state == "dismissed"
        if after.state in ("successful", "failed") and not job.over:
            ends += 1
        assert (after.id, after.request, after.created, after.seq) == (job.id, job.request, job.created, 0)
        job = after
    assert ends <= 1


@settings(max_examples=30)
@given(st.lists(st.floats(-1, 2), min_size=1, max_size=10))
def test_progress_never_goes_back(fractions: list[float]) -> None:
    job = step(NEW, Claimed("a", 10), NOW)
    for fraction in fractions:
        after = step(job, Beat(1, "reading", fraction, 10), NOW + timedelta(seconds=5))
        assert job.progress <= after.progress <= 1
        job = after


def test_a_worker_that_was_given_up_comes_too_late() -> None:
    first = step(NEW, Claimed("a", 10), NOW)
    again = step(step(first, Lost(1), NOW), Claimed("b", 10), NOW)
    assert (again.attempt, again.worker, again.progress) == (2, "b", 0.0)
    for word in (Beat(1, "", 0.5, 10), Succeeded(1), Failed(1), Lost(1)):
        with pytest.raises(Late, match="running"):
            step(again, word, NOW)


def test_a_job_whose_workers_are_lost_again_and_again_fails_by_name() -> None:
    job = NEW
    for attempt in range(1, ATTEMPTS + 1):
        job = step(job, Claimed("a", 10), NOW)
        job = step(job, Lost(attempt, {"title": "worker lost"}), NOW)
    assert (job.state, job.attempt, job.problem) == ("failed", ATTEMPTS, {"title": "worker lost"})


def test_the_time_that_remains_follows_from_the_progress() -> None:
    running = step(NEW, Claimed("a", 10), NOW)
    assert step(running, Beat(1, "", 0.25, 10), NOW + timedelta(seconds=5)).remaining_s == 15.0
    assert remaining(3.0, 0.0) is None
    assert remaining(3.0, 1.0) == 0.0
