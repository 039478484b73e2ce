"""Terms become ODRL and come back the same; what the profile does not know is refused by name and place."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twintown.exchange import agreement
from twintown.exchange.changes import changes, values, within
from twintown.ground.errors import BadData
from twintown.trust.terms import KINDS, Asset, Terms

PARTIES = {
    "target": "urn:twintown:jamsil:layer:buildings",
    "assigner": "did:web:jamsil.example",
    "assignee": "did:web:icheon.example",
}
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
FULL = Terms(
    assets=(Asset("layer", "buildings"), Asset("process", "sunlight")),
    purposes=("urban-planning", "research"),
    area=(127.08, 37.5, 127.11, 37.52),
    since=NOW,
    until=datetime(2027, 11, 22, tzinfo=UTC),
    finest_m=2.5,
    no_resharing=True,
    delete_by=datetime(2027, 12, 22, tzinfo=UTC),
    attribution="© 서울특별시 (plan of 2026)",
)

_moments = st.datetimes(
    min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)
)
_ids = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=20)
_texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=60).filter(
    lambda text: not text or bool(text.strip())
)


def _ordered(pair: tuple[float, float]) -> tuple[float, float]:
    return min(pair), max(pair)


def _pairs(limit: float) -> st.SearchStrategy[tuple[float, float]]:
    number = st.floats(-limit, limit).map(lambda x: round(x, 9))
    return st.tuples(number, number).map(_ordered).filter(lambda pair: pair[0] < pair[1])


_areas = st.none() | st.tuples(_pairs(180), _pairs(90)).map(lambda p: (p[0][0], p[1][0], p[0][1], p[1][1]))


@st.composite
def terms(draw: st.DrawFn) -> Terms:
    since, until = draw(st.none() | _moments), draw(st.none() | _moments)
    if since and until and since >= until:
        since, until = (until, since) if since > until else (since, None)
    assets = st.lists(st.builds(Asset, st.sampled_from(KINDS), _ids), min_size=1, max_size=5, unique=True)
    return Terms(
        tuple(draw(assets)),
        tuple(draw(st.lists(st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True), max_size=3, unique=True))),
        draw(_areas),
        since,
        until,
        draw(st.just(0.0) | st.floats(0.001, 1e5)),
        draw(st.booleans()),
        draw(st.none() | _moments),
        draw(_texts),
    )


def _schema(name: str) -> Any:
    import jsonschema_rs

    folder = Path(agreement.__file__).parent / "dsp"
    found = sorted(folder.rglob("contract-schema.json"))
    if not found:
        pytest.fail("the schemas of the protocol are not in the package")
    document = json.loads(found[0].read_text())
    return jsonschema_rs.validator_for(
        {**document, "allOf": [{"$ref": f"#/definitions/{name}"}], "$id": f"urn:test:{name}"}
    )


@settings(max_examples=50, deadline=None)
@given(terms())
def test_terms_come_back_from_an_offer_and_from_an_agreement_as_they_went(one: Terms) -> None:
    assert agreement.read(agreement.offer("urn:uuid:1", one)).terms == one
    document = json.loads(json.dumps(agreement.agreement("urn:uuid:2", one, at=NOW, **PARTIES)))
    deed = agreement.read(document)
    assert (deed.terms, deed.at, deed.kind) == (one, NOW, "Agreement")
    assert (deed.target, deed.assigner, deed.assignee) == tuple(PARTIES.values())


def test_offers_and_agreements_are_what_the_protocols_schema_asks_for() -> None:
    document = agreement.agreement("urn:uuid:2", FULL, at=NOW, **PARTIES)
    assert not list(_schema("Agreement").iter_errors(document))
    assert not list(_schema("Offer").iter_errors(agreement.offer("urn:uuid:1", FULL)))
    sent = agreement.offer("urn:uuid:1", FULL, target=PARTIES["target"])
    assert not list(_schema("MessageOffer").iter_errors(sent))
    assert list(_schema("Offer").iter_errors(sent)), "an offer in a catalogue has no target"


def test_names_of_odrl_may_be_written_as_its_context_allows() -> None:
    document = agreement.offer("urn:uuid:1", FULL)
    text = json.dumps(document).replace('"use"', '"odrl:use"').replace('"odrl:delete"', '"delete"')
    text = text.replace('"odrl:spatial"', '"http://www.w3.org/ns/odrl/2/spatial"')
    assert agreement.read(json.loads(text)).terms == FULL


def _document() -> dict[str, Any]:
    return copy.deepcopy(agreement.offer("urn:uuid:1", FULL))


def _limits(document: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = document["permission"][0]["constraint"]
    return found


def _change(what: str, document: dict[str, Any]) -> None:
    limits = _limits(document)
    match what:
        case "another profile":
            document["profile"] = "urn:other"
        case "no profile":
            del document["profile"]
        case "an unknown action":
            document["permission"][0]["action"] = "sell"
        case "an action under another prefix":
            document["permission"][0]["action"] = "evil:use"
        case "an unknown operand":
            limits[0]["leftOperand"] = "payAmount"
        case "an unknown operator":
            limits[1]["operator"] = "isNoneOf"
        case "another unit":
            limits[-1]["odrl:unit"] = "km"
        case "no unit":
            del limits[-1]["odrl:unit"]
        case "a unit where there is none":
            limits[0]["odrl:unit"] = "m"
        case "a second permission":
            document["permission"].append(document["permission"][0])
        case "no permission":
            del document["permission"]
        case "a nested duty":
            document["permission"][0]["duty"] = [{"action": "compensate"}]
        case "a logical constraint":
            limits.append({"or": [limits[0], limits[1]]})
        case "one limit twice":
            limits.append(limits[1])
        case "a refinement of a prohibition":
            document["prohibition"][0]["constraint"] = [limits[0]]
        case "another prohibition":
            document["prohibition"][0]["action"] = "use"
        case "another duty":
            document["obligation"][0]["action"] = "compensate"
        case "a duty twice":
            document["obligation"][1] = document["obligation"][0]
        case "a duty with a consequence":
            document["obligation"][0]["consequence"] = []
        case "a member of a policy that nobody knows":
            document["inheritFrom"] = "urn:uuid:9"
        case "an asset of no kind":
            limits[0]["rightOperand"] = ["bucket:everything"]
        case "an asset twice":
            limits[0]["rightOperand"] = ["layer:a", "layer:a"]
        case "no asset":
            limits.pop(0)
        case "a circle":
            limits[2]["rightOperand"]["@value"] = "POINT (127 37)"
        case "a box that is turned":
            limits[2]["rightOperand"]["@value"] = "POLYGON ((2 0, 0 0, 0 1, 2 1, 2 0))"
        case "a box elsewhere than on Earth":
            limits[2]["rightOperand"]["@value"] = "POLYGON ((0 0, 200 0, 200 1, 0 1, 0 0))"
        case "another frame":
            limits[2]["rightOperand"]["@value"] = "<EPSG:5186> POLYGON ((0 0, 1 0, 1 1, 0 1, 0 0))"
        case "a time without a zone":
            limits[3]["rightOperand"] = "2026-11-22T09:00:00"
        case "a time that is none":
            limits[3]["rightOperand"] = "2026-02-30T09:00:00Z"
        case "an end before the beginning":
            limits[4]["rightOperand"] = "2020-01-01T00:00:00Z"
        case "a resolution of nothing":
            limits[-1]["rightOperand"] = "0"
        case "not a number":
            limits[-1]["rightOperand"] = "NaN"
        case "an attribution of control characters":
            document["obligation"][1]["constraint"][0]["rightOperand"] = "a\x00b"
        case "an offer of another kind":
            document["@type"] = "Set"
        case "no name":
            del document["@id"]


WRONG = {
    "another profile": "policy.profile",
    "no profile": "policy.profile",
    "an unknown action": "policy.permission[0].action",
    "an action under another prefix": "policy.permission[0].action",
    "an unknown operand": "policy.permission[0].constraint[0].leftOperand",
    "an unknown operator": "policy.permission[0].constraint[1].operator",
    "another unit": "odrl:unit",
    "no unit": "odrl:unit",
    "a unit where there is none": "policy.permission[0].constraint[0].odrl:unit",
    "a second permission": "policy.permission",
    "no permission": "policy.permission",
    "a nested duty": "policy.permission[0].duty",
    "a logical constraint": "policy.permission[0].constraint[6].or",
    "one limit twice": "policy.permission[0].constraint[6]",
    "a refinement of a prohibition": "policy.prohibition[0].constraint",
    "another prohibition": "policy.prohibition[0].action",
    "another duty": "policy.obligation[0].action",
    "a duty twice": "policy.obligation[1]",
    "a duty with a consequence": "policy.obligation[0].consequence",
    "a member of a policy that nobody knows": "policy.inheritFrom",
    "an asset of no kind": "constraint[0].rightOperand",
    "an asset twice": "constraint[0].rightOperand",
    "no asset": "policy.permission[0].constraint",
    "a circle": "constraint[2].rightOperand",
    "a box that is turned": "constraint[2].rightOperand",
    "a box elsewhere than on Earth": "constraint[2].rightOperand",
    "another frame": "constraint[2].rightOperand",
    "a time without a zone": "constraint[3].rightOperand",
    "a time that is none": "constraint[3].rightOperand",
    "an end before the beginning": "policy.permission[0].constraint",
    "a resolution of nothing": "constraint[5].rightOperand",
    "not a number": "constraint[5].rightOperand",
    "an attribution of control characters": "obligation[1].constraint[0].rightOperand",
    "an offer of another kind": "policy.@type",
    "no name": "policy.@id",
}


@pytest.mark.parametrize("what", WRONG)
def test_what_the_profile_does_not_know_is_refused_by_name_and_place(what: str) -> None:
    document = _document()
    assert agreement.read(document).terms == FULL
    _change(what, document)
    with pytest.raises(BadData) as refused:
        agreement.read(document)
    assert WRONG[what] in refused.value.where
    assert refused.value.what


@settings(max_examples=50, deadline=None)
@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.floats(allow_nan=False)
        | st.sampled_from(["use", "Offer", "odrl:dateTime", "isAnyOf", ""]),
        lambda below: (
            st.lists(below, max_size=3)
            | st.dictionaries(
                st.sampled_from(["@id", "@type", "profile", "permission", "constraint", "action"]),
                below,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_whatever_comes_is_read_or_refused_and_never_breaks(document: Any) -> None:
    with pytest.raises(BadData):
        agreement.read(document)


def test_an_agreement_names_both_cities_and_its_time() -> None:
    for name in ("target", "assigner", "assignee", "timestamp"):
        document = agreement.agreement("urn:uuid:2", FULL, at=NOW, **PARTIES)
        del document[name]
        with pytest.raises(BadData, match=name):
            agreement.read(document)


@pytest.mark.parametrize(
    "one",
    [
        Terms(()),
        Terms((Asset("layer", "a"), Asset("layer", "a"))),
        Terms((Asset("layer", "a"),), finest_m=-1.0),
        Terms((Asset("layer", "a"),), since=datetime(2026, 1, 1)),
        Terms((Asset("layer", "a"),), area=(10.0, 0.0, 5.0, 1.0)),
        Terms((Asset("layer", "a"),), purposes=("No Such",)),
        Terms((Asset("layer", "a"),), since=NOW, until=NOW),
    ],
)
def test_terms_that_mean_nothing_are_not_written(one: Terms) -> None:
    with pytest.raises(BadData):
        agreement.offer("urn:uuid:1", one)


def test_a_counter_offer_is_told_by_what_it_changes() -> None:
    from dataclasses import replace

    counter = replace(
        FULL,
        assets=(Asset("layer", "buildings"),),
        area=(127.09, 37.5, 127.1, 37.51),
        until=FULL.until and FULL.until + timedelta(days=30),
        attribution="© 서울",
    )
    told = {change.term: change for change in changes(FULL, counter)}
    assert set(told) == {"assets", "area", "until", "attribution"}
    assert (told["assets"].kind, told["assets"].removed) == ("narrower", ("process:sunlight",))
    assert (told["area"].kind, told["area"].after) == ("narrower", [127.09, 37.5, 127.1, 37.51])
    assert (told["until"].kind, told["attribution"].kind) == ("wider", "other")
    assert not within(counter, FULL)
    assert within(replace(counter, until=FULL.until, attribution=FULL.attribution), FULL)


@settings(max_examples=50, deadline=None)
@given(terms(), terms())
def test_no_change_is_told_only_of_the_same_terms(one: Terms, other: Terms) -> None:
    same = {
        name: sorted(v) if isinstance(v, list) and name != "area" else v for name, v in values(one).items()
    }
    there = {
        name: sorted(v) if isinstance(v, list) and name != "area" else v for name, v in values(other).items()
    }
    assert (changes(one, other) == ()) == (same == there)
    assert changes(one, one) == ()
    mirrored = {"narrower": "wider", "wider": "narrower", "other": "other"}
    back = {change.term: change.kind for change in changes(other, one)}
    assert all(back[change.term] == mirrored[change.kind] for change in changes(one, other))
