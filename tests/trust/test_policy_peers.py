from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twintown.ground.bounds import Bounds
from twintown.ground.errors import BadInput, Denied
from twintown.trust.grades import Grade
from twintown.trust.identity import SCOPES, Subject
from twintown.trust.policy import ACTIONS, Access, Duties, Resource, decide
from twintown.trust.terms import Asset, Standing, Terms, terms_from_json, terms_to_json

DID = "did:web:icheon.example:twins:icheon"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TERMS = Terms(
    (Asset("layer", "roads"), Asset("process", "sunlight"), Asset("scenario", "01jabc0000000000000tower12"), Asset("playbook", "sun")),
    ("planning", "research"), None, NOW - timedelta(days=1), NOW + timedelta(days=1), 5.0, True, NOW + timedelta(days=9), "© Seoul",
)  # fmt: skip
STANDING = Standing("a1", DID, TERMS, "active", Grade.S)
PEER = Subject("peer", "jamsil", DID, agreement="a1")
JAMSIL = Resource("jamsil")


def asked(standing: Standing | None = STANDING, action: str = "read", resource: Resource = JAMSIL, now: datetime | None = NOW,
          purpose: str = "planning", subject: Subject = PEER):  # type: ignore[no-untyped-def]  # fmt: skip
    return decide(subject, action, resource, now=now, standing=standing, purpose=purpose)  # type: ignore[arg-type]


def test_a_partner_gets_what_its_agreement_says_and_the_duties_with_it() -> None:
    grant = asked()
    assert (grant.allowed, grant.code, grant.agreement, grant.purpose) == (
        True,
        "agreement",
        "a1",
        "planning",
    )
    assert grant.layers == ("roads", "plan-0tower12")
    assert (grant.processes, grant.playbooks) == (("sunlight",), ("sun",))
    assert (grant.finest_m, grant.expires, grant.grade) == (5.0, TERMS.until, Grade.S)
    assert grant.duties == Duties("© Seoul", TERMS.delete_by, True)


def test_layers_outside_the_agreement_are_refused_alike_whether_they_exist_or_not() -> None:
    said = set()
    for name in ("vaults", "no-such-layer", "buildings-3dtiles", ""):
        with pytest.raises(Denied) as caught:
            asked().require(Grade.O, name or "jamsil")
        said.add((caught.value.what, caught.value.code))
    assert said == {("this is not part of the agreement", "not-in-agreement")}
    assert asked().covers(Grade.O, "roads")
    assert not asked().covers(Grade.O)


@pytest.mark.parametrize(
    ("standing", "now", "purpose", "code"),
    [
        (None, NOW, "planning", "no-agreement"),
        (replace(STANDING, id="a2"), NOW, "planning", "no-agreement"),
        (replace(STANDING, assignee="did:web:other"), NOW, "planning", "no-agreement"),
        (replace(STANDING, state="suspended"), NOW, "planning", "agreement-suspended"),
        (replace(STANDING, state="ended"), NOW, "planning", "agreement-ended"),
        (STANDING, NOW + timedelta(days=1), "planning", "expired"),
        (STANDING, NOW - timedelta(days=2), "planning", "not-yet"),
        (STANDING, None, "planning", "expired"),
        (STANDING, NOW, "", "purpose"),
        (STANDING, NOW, "advertising", "purpose"),
        (
            replace(STANDING, terms=replace(TERMS, area=(127.0, 37.0, 127.1, 37.1))),
            NOW,
            "planning",
            "outside-area",
        ),
    ],
)
def test_an_agreement_that_does_not_hold_lets_nothing_out_and_says_why(
    standing: Standing | None, now: datetime | None, purpose: str, code: str
) -> None:
    for action in ACTIONS:
        grant = asked(standing, action, now=now, purpose=purpose)
        assert not grant.allowed
        assert grant.reason
    assert asked(standing, now=now, purpose=purpose).code == code


def test_to_the_second_an_agreement_begins_and_ends() -> None:
    assert TERMS.since is not None and TERMS.until is not None
    tick = timedelta(milliseconds=1)
    assert asked(now=TERMS.since).allowed
    assert not asked(now=TERMS.since - tick).allowed
    assert asked(now=TERMS.until - tick).allowed
    assert not asked(now=TERMS.until).allowed


def test_one_agreed_purpose_goes_without_saying() -> None:
    one = replace(STANDING, terms=replace(TERMS, purposes=("research",)))
    assert asked(one, purpose="").purpose == "research"
    assert not asked(one, purpose="planning").allowed


@pytest.mark.parametrize("action", [one for one in ACTIONS if one not in ("read", "run")])
def test_no_agreement_lets_a_partner_do_more_than_read_and_run(action: str) -> None:
    open_twin = Resource("jamsil", access=Access("anyone", "anyone", "anyone", "anyone"))
    assert asked(action=action, resource=open_twin).code == "not-in-agreement"


def test_a_partner_runs_the_processes_of_its_agreement_only() -> None:
    assert asked(action="run", resource=Resource("jamsil", kind="process", id="sunlight")).allowed
    other = asked(action="run", resource=Resource("jamsil", kind="process", id="view"))
    assert (other.allowed, other.code) == (False, "not-in-agreement")
    assert not asked().may_run("view")


def test_the_grade_of_what_may_go_to_the_partner_bounds_the_grant() -> None:
    assert asked(replace(STANDING, grade=Grade.O)).grade is Grade.O
    assert asked(resource=Resource("jamsil", "roads", Grade.C)).code == "grade"
    assert asked(resource=Resource("jamsil", "roads", Grade.S)).allowed


def test_the_area_of_the_grant_is_the_one_in_the_plane() -> None:
    plane = Bounds(0.0, 0.0, 10.0, 10.0)
    boxed = replace(STANDING, terms=replace(TERMS, area=(127.0, 37.0, 127.1, 37.1)), plane=plane)
    assert asked(boxed).area == plane
    assert asked(boxed).narrows


def test_a_service_does_what_its_token_is_for_and_nothing_else() -> None:
    reader = Subject("service", "jamsil", "robot", scopes=("read",))
    assert decide(reader, "read", JAMSIL).covers(Grade.O)
    assert not decide(reader, "read", JAMSIL).covers(Grade.S)
    assert decide(reader, "run", JAMSIL).code == "scope"
    sensitive = Subject("service", "jamsil", "robot", scopes=("read", "sensitive"))
    assert decide(sensitive, "read", JAMSIL).grade is Grade.S
    assert not decide(reader, "read", Resource("icheon")).allowed
    every = Subject("service", "jamsil", "robot", scopes=SCOPES)
    assert {one for one in ACTIONS if decide(every, one, JAMSIL).allowed} == {
        "read",
        "run",
        "plan",
        "write",
        "share",
    }


def test_people_do_what_their_roles_say_and_read_up_to_their_grade() -> None:
    def may(*roles: str) -> tuple[set[str], Grade]:
        one = Subject("person", "jamsil", "Ann", roles)  # type: ignore[arg-type]
        found = {action for action in ACTIONS if decide(one, action, JAMSIL).allowed}
        return found, decide(one, "read", JAMSIL).grade

    assert may("viewer") == ({"read", "run"}, Grade.O)
    assert may("engineer") == ({"read", "run", "write"}, Grade.S)
    assert may("partner") == ({"read", "run", "share"}, Grade.O)
    assert may("security") == ({"read", "run", "release"}, Grade.C)
    assert may("planner", "partner") == ({"read", "run", "plan", "share"}, Grade.O)


def test_a_token_of_a_person_narrows_that_person() -> None:
    planner = Subject("person", "jamsil", "Ann", ("planner",), scopes=("read",))
    assert decide(planner, "read", JAMSIL).allowed
    assert decide(planner, "plan", JAMSIL).code == "scope"


def test_a_demonstration_lets_anyone_share_and_release_but_never_govern() -> None:
    anyone = Subject("anyone")
    demo = Resource("jamsil", access=Access("anyone", "anyone", "anyone", "anyone"))
    assert {one for one in ACTIONS if decide(anyone, one, demo).allowed} == {
        "read",
        "run",
        "plan",
        "share",
        "release",
    }


ROLES = st.lists(
    st.sampled_from(["viewer", "planner", "approver", "engineer", "partner", "security"]), unique=True
)
SUBJECTS = st.one_of(
    st.just(Subject("anyone")),
    st.builds(Subject, st.just("owner"), st.sampled_from(["jamsil", "icheon", ""])),
    st.builds(Subject, st.just("person"), st.sampled_from(["jamsil", "icheon"]), st.just("Ann"), ROLES.map(tuple)),
    st.builds(Subject, st.just("service"), st.just("jamsil"), st.just("robot"), scopes=st.lists(st.sampled_from(SCOPES)).map(tuple)),
    st.just(PEER),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(SUBJECTS, st.sampled_from(ACTIONS), st.sampled_from(list(Grade)), st.booleans())
def test_what_a_grant_of_the_whole_twin_covers_the_layer_alone_is_allowed_too(
    subject: Subject, action: str, grade: Grade, holds: bool
) -> None:
    standing = STANDING if holds else replace(STANDING, state="suspended")
    whole = asked(standing, action, JAMSIL, subject=subject)
    alone = asked(standing, action, Resource("jamsil", "roads", grade), subject=subject)
    assert whole.covers(grade, "roads") == alone.allowed


def test_terms_come_back_as_they_were_written() -> None:
    assert terms_from_json(terms_to_json(TERMS)) == TERMS
    assert terms_from_json(terms_to_json(Terms((Asset("layer", "roads"),)))) == Terms(
        (Asset("layer", "roads"),)
    )


@pytest.mark.parametrize(
    "said",
    [
        [], {}, {"assets": "layer:roads"}, {"assets": ["roads"]}, {"assets": [], "surprise": 1}, {"assets": [], "area": [1, 2, 3]},
        {"assets": [], "area": [127, 37, 126, 38]}, {"assets": [], "area": [0, 0, float("nan"), 1]}, {"assets": [], "finest_m": -1},
        {"assets": [], "finest_m": True}, {"assets": [], "until": "2027-01-01T00:00:00"}, {"assets": [], "until": 5},
        {"assets": [], "no_resharing": "yes"}, {"assets": [], "attribution": 3}, {"assets": [], "purposes": "planning"},
    ],
)  # fmt: skip
def test_a_limit_that_is_not_understood_never_passes_as_none(said: object) -> None:
    with pytest.raises(BadInput):
        terms_from_json(said)
