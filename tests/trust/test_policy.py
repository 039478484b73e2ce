from __future__ import annotations

import itertools

import pytest

from twintown.ground.errors import BadInput, BadSettings, Denied, Unauthenticated
from twintown.trust.grades import Grade, mix
from twintown.trust.identity import ANYONE, LOCAL_OWNER, Subject
from twintown.trust.policy import ACTIONS, Access, Resource, decide

OWNER = Subject("owner", "jamsil")


def test_grades_are_ordered_open_sensitive_classified() -> None:
    assert Grade.O < Grade.S < Grade.C
    assert sorted([Grade.C, Grade.O, Grade.S]) == [Grade.O, Grade.S, Grade.C]


def test_a_mixture_has_the_highest_grade_of_its_parts() -> None:
    for a, b in itertools.product(Grade, repeat=2):
        assert mix([a, b]) is max(a, b)
    with pytest.raises(BadInput):
        mix([])


def test_an_unknown_grade_never_passes_as_open() -> None:
    assert Grade.of("s") is Grade.S
    for wrong in ("", "open", "OS", None, 0):
        with pytest.raises(BadSettings):
            Grade.of(wrong)


def test_anyone_reads_and_runs_what_is_open() -> None:
    for action in ("read", "run"):
        grant = decide(ANYONE, action, Resource("jamsil", "buildings", Grade.O))  # type: ignore[arg-type]
        assert grant.allowed
        assert grant.reason
        grant.require(Grade.O)


@pytest.mark.parametrize("grade", [Grade.S, Grade.C])
def test_anyone_is_asked_who_they_are_for_what_is_closed(grade: Grade) -> None:
    grant = decide(ANYONE, "read", Resource("jamsil", "vaults", grade))
    assert not grant.allowed
    assert not grant.covers(Grade.O)
    with pytest.raises(Unauthenticated):
        grant.require(Grade.O)


def test_a_grant_for_a_whole_twin_says_how_far_it_goes() -> None:
    grant = decide(ANYONE, "read", Resource("jamsil"))
    assert grant.covers(Grade.O)
    assert not grant.covers(Grade.S)
    assert not grant.covers(Grade.C)


def test_anyone_writes_nothing() -> None:
    assert not decide(ANYONE, "write", Resource("jamsil", "buildings", Grade.O)).allowed


def test_the_owner_may_do_everything_with_the_own_twin_and_nothing_more_with_another() -> None:
    for action, grade in itertools.product(ACTIONS, Grade):
        assert decide(OWNER, action, Resource("jamsil", "vaults", grade)).covers(grade)
        assert decide(LOCAL_OWNER, action, Resource("icheon", "vaults", grade)).covers(grade)
    other = decide(OWNER, "read", Resource("icheon", "vaults", Grade.S))
    with pytest.raises(Denied):
        other.require(Grade.S)


def test_what_no_rule_names_is_denied() -> None:
    assert not decide(OWNER, "burn", Resource("jamsil")).allowed  # type: ignore[arg-type]
    assert not decide(ANYONE, "", Resource("jamsil")).allowed  # type: ignore[arg-type]


PLANNER = Subject("person", "jamsil", "Ann", ("planner",))
APPROVER = Subject("person", "jamsil", "Ben", ("approver",))
STRANGER = Subject("person", "icheon", "Cho", ("approver",))


@pytest.mark.parametrize(
    ("subject", "may"),
    [
        (ANYONE, {"read", "run"}),
        (PLANNER, {"read", "run", "plan"}),
        (APPROVER, {"read", "run", "plan", "approve"}),
        (STRANGER, {"read", "run"}),
        (OWNER, set(ACTIONS)),
    ],
)
def test_people_plan_approvers_approve_and_only_the_owner_writes(subject: Subject, may: set[str]) -> None:
    assert {action for action in ACTIONS if decide(subject, action, Resource("jamsil")).allowed} == may


def test_a_twin_says_whether_anyone_may_plan_and_run() -> None:
    open_plan = Resource("jamsil", access=Access(plan="anyone", run="people"))
    assert decide(ANYONE, "plan", open_plan).allowed
    assert not decide(ANYONE, "run", open_plan).allowed
    assert not decide(ANYONE, "approve", open_plan).allowed
    assert decide(PLANNER, "run", open_plan).allowed
    with pytest.raises(Unauthenticated, match="token"):
        decide(ANYONE, "run", open_plan).require()
    with pytest.raises(Denied):
        decide(PLANNER, "approve", open_plan).require()


@pytest.mark.parametrize("grade", [Grade.S, Grade.C])
def test_people_read_no_more_than_what_is_open(grade: Grade) -> None:
    assert not decide(APPROVER, "read", Resource("jamsil", "vaults", grade)).allowed
    assert not decide(APPROVER, "plan", Resource("jamsil")).covers(grade)
