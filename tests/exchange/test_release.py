"""The release gate: what it finds, who decides, and what is kept of it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from tests.exchange.synthetic import (
    NOW,
    ODBL,
    OSM,
    PEER,
    blocks,
    granted,
    made,
    put,
    small_twin,
    source,
    terms,
    terrain,
)

from twintown.exchange import gate
from twintown.exchange.release_rows import Releases
from twintown.ground.errors import BadInput, Conflict, Denied, NotFound, Unauthenticated
from twintown.ground.provenance import Licence
from twintown.store.engine import reading
from twintown.trust.grades import Grade
from twintown.trust.grant import Access
from twintown.trust.identity import ANYONE, Subject
from twintown.trust.ledger import entries_in
from twintown.trust.policy import Resource, decide
from twintown.twin.layers import Twin

CREDIT = "© OpenStreetMap contributors"


@pytest.fixture
def twin(tmp_path: Path) -> Twin:
    nobody = made(source("found", Licence("found-somewhere", "Found somewhere")))
    closed = made(source("osm", ODBL, "OpenStreetMap"), source("kept", Licence("KOGL-4", "type 4")))
    return small_twin(
        tmp_path / "twin",
        {
            "osm-buildings": (blocks(provenance=OSM), Grade.O),
            "sun": (terrain(100, 5, provenance=OSM), Grade.O),
            "own-blocks": (blocks(), Grade.S),
            "found": (blocks(provenance=nobody), Grade.S),
            "mixed": (blocks(provenance=closed), Grade.S),
        },
    )


def _ledger(twin: Twin) -> list[str]:
    with reading(twin.tables.engine) as connection:
        return [str(one.record["state"]) for one in entries_in(connection, twin.tables, 0, 100)]


def test_no_resharing_of_what_is_made_from_openstreetmap_is_refused_citing_the_odbl(twin: Twin) -> None:
    asked = terms("layer:osm-buildings", no_resharing=True, attribution=CREDIT)
    found = gate.question(twin, granted(twin, "share"), "layer:osm-buildings", PEER, asked, NOW)
    assert found.verdict == "refused"
    first = found.findings[0]
    assert (first.rule, first.severity) == ("licence-no-further-restrictions", "forbids")
    assert (
        first.citation == "ODbL 4.8"
        and "ODbL 4.8" in first.message["en"]
        and "ODbL 4.8" in first.message["ko"]
    )
    assert first.numbers["term"] == "no_resharing" and first.remedies == ("terms",)


def test_deletion_by_a_date_is_a_further_restriction_too(twin: Twin) -> None:
    asked = terms("layer:osm-buildings", delete_by=NOW + timedelta(days=30), attribution=CREDIT)
    found = gate.look(twin, granted(twin), "layer:osm-buildings", PEER, asked, NOW)
    assert [one.numbers["term"] for one in found.findings if one.severity == "forbids"] == ["delete_by"]


def test_a_grid_that_was_computed_from_openstreetmap_is_told_apart_as_a_produced_work(twin: Twin) -> None:
    asked = terms("layer:sun", no_resharing=True, attribution=CREDIT)
    found = {one.rule: one for one in gate.look(twin, granted(twin), "layer:sun", PEER, asked, NOW).findings}
    assert "licence-no-further-restrictions" not in found
    assert found["licence-produced-work"].severity == "decides"
    assert "computed values" in found["licence-produced-work"].message["en"]
    assert "4.3" in found["licence-produced-work-notice"].citation


def test_the_attribution_that_a_licence_asks_for_must_stand_in_the_terms(twin: Twin) -> None:
    bare = gate.look(twin, granted(twin), "layer:osm-buildings", PEER, terms("layer:osm-buildings"), NOW)
    assert [one.rule for one in bare.findings if one.severity == "forbids"] == ["licence-attribution"]
    with_it = terms("layer:osm-buildings", attribution="Map: ©  OpenStreetMap Contributors, ODbL")
    assert "licence-attribution" not in {
        one.rule for one in gate.look(twin, granted(twin), "layer:osm-buildings", PEER, with_it, NOW).findings
    }


def test_what_nobody_knows_the_licence_of_is_refused(twin: Twin) -> None:
    found = gate.look(twin, granted(twin), "layer:found", PEER, None, NOW)
    assert found.verdict == "refused" and found.findings[0].numbers["licence"] == "found-somewhere"


def test_share_alike_and_no_changes_cannot_be_kept_in_one_database(twin: Twin) -> None:
    rules = {
        one.rule
        for one in gate.look(twin, granted(twin), "layer:mixed", PEER, None, NOW).findings
        if one.severity == "forbids"
    }
    assert {"licence-conflict", "licence-no-changes"} <= rules


def test_the_same_matter_is_asked_once_and_keeps_its_answer(twin: Twin) -> None:
    asked = terms("layer:osm-buildings", attribution=CREDIT)
    first, second = (
        gate.question(twin, granted(twin, "share"), "layer:osm-buildings", PEER, asked, at)
        for at in (NOW, NOW + timedelta(hours=1))
    )
    assert first.id and first == second
    assert len(Releases(twin.tables).listed()) == 1


def test_looking_keeps_nothing(twin: Twin) -> None:
    gate.look(twin, granted(twin), "layer:own-blocks", PEER, None, NOW)
    assert Releases(twin.tables).listed() == [] and _ledger(twin) == []


def _waiting(twin: Twin) -> str:
    asked = terms("layer:osm-buildings", purposes=("shade",), attribution=CREDIT)
    found = gate.question(twin, granted(twin, "share"), "layer:osm-buildings", PEER, asked, NOW)
    assert found.verdict == "needs-decision"
    return found.id


def test_a_person_decides_and_the_ledger_holds_it(twin: Twin) -> None:
    id = _waiting(twin)
    assert _ledger(twin) == []
    decided = gate.decide(twin, granted(twin, "release"), id, True, "The purpose binds the access only.", NOW)
    assert decided.verdict == "allowed" and decided.decision is not None
    assert (
        decided.decision["why"] == "The purpose binds the access only."
        and decided.decision["by"]["kind"] == "owner"
    )
    assert Releases(twin.tables).get(id) == decided
    assert _ledger(twin) == ["granted"]


def test_a_decision_stands_and_is_made_once(twin: Twin) -> None:
    id = _waiting(twin)
    gate.decide(twin, granted(twin, "release"), id, False, "Not now.", NOW)
    with pytest.raises(Conflict):
        gate.decide(twin, granted(twin, "release"), id, True, "Now.", NOW)
    assert Releases(twin.tables).get(id).verdict == "refused"
    assert _waiting(twin) != id, "what was denied may be asked again, as a new question"


def test_what_is_forbidden_cannot_be_allowed_by_a_decision(twin: Twin) -> None:
    found = gate.question(twin, granted(twin, "share"), "layer:found", PEER, None, NOW)
    with pytest.raises(Conflict):
        gate.decide(twin, granted(twin, "release"), found.id, True, "I want to.", NOW)


def test_a_decision_needs_its_reason(twin: Twin) -> None:
    with pytest.raises(BadInput):
        gate.decide(twin, granted(twin, "release"), _waiting(twin), True, "  ", NOW)


def test_a_layer_that_changed_after_the_question_is_asked_about_again(twin: Twin) -> None:
    id = _waiting(twin)
    put(twin, {"osm-buildings": (blocks(7, provenance=OSM), Grade.O)})
    with pytest.raises(Conflict):
        gate.decide(twin, granted(twin, "release"), id, True, "As it was.", NOW)


def test_only_whom_release_lets_decides(twin: Twin) -> None:
    id = _waiting(twin)
    resource = Resource(twin.description.id)
    officer = Subject("person", twin.description.id, "Kim", ("security",))
    partner = Subject("person", twin.description.id, "Lee", ("partner",))
    for subject, error in ((partner, Denied), (ANYONE, Unauthenticated)):
        with pytest.raises(error):
            gate.decide(twin, decide(subject, "release", resource), id, True, "Please.", NOW)
    demo = Resource(twin.description.id, access=Access(release="anyone"))
    assert decide(ANYONE, "release", demo).allowed
    decided = gate.decide(twin, decide(officer, "release", resource), id, True, "Seen.", NOW)
    assert decided.decision is not None and decided.decision["by"]["name"] == "Kim"


def test_a_process_is_judged_by_what_it_reads_whoever_asks(tmp_path: Path) -> None:
    layers = {
        "buildings": (blocks(provenance=OSM), Grade.S),
        "building-parts": (blocks(provenance=OSM), Grade.S),
    }
    twin = small_twin(tmp_path / "sunny", layers)
    partner = Subject("person", twin.description.id, "Lee", ("partner",))
    grant = decide(partner, "share", Resource(twin.description.id))
    asked = terms("process:sunlight", no_resharing=True)
    found = {one.rule: one for one in gate.look(twin, grant, "process:sunlight", PEER, asked, NOW).findings}
    assert found["grade"].severity == "decides"
    assert found["licence-no-further-restrictions"].citation == "ODbL 4.8"


def test_a_question_about_what_is_not_there_says_so(twin: Twin) -> None:
    with pytest.raises(NotFound):
        gate.look(twin, granted(twin), "layer:nowhere", PEER, None, NOW)
    for asset in ("playbook:nowhere", "process:nowhere", "scenario:nowhere"):
        with pytest.raises(NotFound):
            gate.look(twin, granted(twin), asset, PEER, None, NOW)
    with pytest.raises(BadInput):
        gate.look(twin, granted(twin), "layer:sun", "somebody", None, NOW)


def test_who_may_not_see_a_layer_cannot_ask_about_it(twin: Twin) -> None:
    with pytest.raises((Denied, Unauthenticated)):
        gate.look(
            twin, decide(ANYONE, "read", Resource(twin.description.id)), "layer:own-blocks", PEER, None, NOW
        )
