from __future__ import annotations

from pathlib import Path

import pytest

from twintown.ground.errors import BadSettings, Unauthenticated
from twintown.trust.grades import Grade
from twintown.trust.identity import ANYONE, LOCAL_OWNER, Subject
from twintown.trust.policy import Resource, decide
from twintown.trust.rules import house, rules_of, schema

ANN = Subject("person", "jamsil", "Ann", ("viewer",))
JAMSIL = Resource("jamsil")


def rules(directory: Path, text: str):  # type: ignore[no-untyped-def]
    (directory / "policies").mkdir()
    (directory / "policies" / "own.cedar").write_text(text, encoding="utf-8")
    return rules_of(directory)


def test_the_policies_of_the_house_fit_their_schema_and_each_has_a_code_and_a_reason() -> None:
    import cedarpy

    text = (Path(__file__).parents[2] / "src/twintown/trust/policies/house.cedar").read_text()
    found = cedarpy.validate_policies(text, schema())
    assert found.validation_passed, found.errors
    notes = {one for said in house().said.values() for one in said.values()}
    assert len(notes) > 20
    assert all(code and code != "policy" and reason for _, code, reason in notes)


def test_the_schema_would_find_a_slip() -> None:
    import cedarpy

    assert not cedarpy.validate_policies(
        'permit (principal is Peer, action, resource) when { context.agreement.area == "x" };', schema()
    ).validation_passed


def test_a_twin_without_policies_decides_by_those_of_the_house(tmp_path: Path) -> None:
    assert rules_of(tmp_path) is house()


def test_a_twin_forbids_what_the_house_permits_with_its_own_reason(tmp_path: Path) -> None:
    own = rules(
        tmp_path,
        '@id("closed") @reason("this twin computes for its people only")\n'
        'forbid (principal is Anyone, action == Action::"run", resource);',
    )
    grant = decide(ANYONE, "run", JAMSIL, rules=own)
    assert (grant.allowed, grant.code, grant.reason) == (
        False,
        "closed",
        "this twin computes for its people only",
    )
    assert decide(ANYONE, "read", JAMSIL, rules=own).allowed
    assert decide(LOCAL_OWNER, "run", JAMSIL, rules=own).allowed


def test_a_layer_that_a_twin_hides_is_hidden_from_those_it_names_and_told_like_any_refusal(
    tmp_path: Path,
) -> None:
    own = rules(tmp_path, '@id("kept") forbid (principal is Anyone, action, resource == Layer::"trees");')
    grant = decide(ANYONE, "read", JAMSIL, rules=own)
    assert grant.hidden == ("trees",)
    assert not grant.covers(Grade.O, "trees")
    assert grant.covers(Grade.O, "roads")
    with pytest.raises(Unauthenticated, match="rule of this twin"):
        grant.require(Grade.O, "trees")
    assert decide(ANN, "read", JAMSIL, rules=own).covers(Grade.O, "trees")


def test_a_twin_permits_its_own_people_more_but_no_grade_more(tmp_path: Path) -> None:
    own = rules(
        tmp_path,
        '@id("ann") permit (principal is Person, action, resource) when { principal.name == "Ann" };',
    )
    grant = decide(ANN, "plan", JAMSIL, rules=own)
    assert (grant.allowed, grant.code, grant.grade) == (True, "ann", Grade.O)
    assert not decide(Subject("person", "icheon", "Ann", ("viewer",)), "plan", JAMSIL, rules=own).allowed
    assert not decide(ANYONE, "plan", JAMSIL, rules=own).allowed


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("permit (", "is not Cedar"),
        ('@id("x") permit (principal, action, resource);', "permits something to others"),
        ('@id("x") permit (principal is Peer, action, resource);', "permits something to others"),
        ('@id("x") permit (principal is Person, action, resource == Layer::"vaults");', "permits one layer"),
        ("forbid (principal, action, resource);", "has no code"),
        ('@id("x") forbid (principal, action, resource) when { context.colour == "red" };', "cannot hold"),
        ('@id("x") forbid (principal == ?principal, action, resource);', "has a slot"),
    ],
)
def test_a_policy_that_cannot_be_used_is_named_and_the_twin_stays_closed(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(BadSettings, match=said) as caught:
        rules(tmp_path, text)
    assert "own.cedar" in caught.value.where
