"""A joint programme between two cities: proposed, countered, agreed by both, changed, ended; lost, repeated, crossing, forged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from tests.exchange.two_cities import URL, City, Two, agreed
from tests.exchange.two_cities import two as two

from twintown.exchange import programme_message as messages
from twintown.exchange import programme_rows as rows
from twintown.exchange.courier import Answer
from twintown.exchange.delivery import deliver
from twintown.exchange.programme_document import read
from twintown.ground.errors import StorageFailed
from twintown.store.engine import reading
from twintown.trust.assertions import assert_
from twintown.trust.did import method_of
from twintown.trust.keys import signing_key
from twintown.trust.proof import sign

pytestmark = pytest.mark.slow
PROGRAMME: dict[str, Any] = {
    "title": {"ko": "겨울길 함께 살피기", "en": "Winter streets, looked at together"},
    "about": {"ko": "해마다 그늘진 길을 같은 방법으로 찾는다", "en": "Each year shaded streets, found in the same way"},
    "period": "yearly", "currency": "KRW", "start": "2027-01-01", "end": "2027-12-31", "review": "2027-11-30", "status": "planned",
    "ours": {"owner": "김하늘", "department": "도로과", "budget": 12_000_000},
    "theirs": {"owner": "", "department": "", "budget": 8_000_000},
    "notes": [],
}  # fmt: skip


def content(programme: Mapping[str, Any], **other: Any) -> dict[str, Any]:
    """What an officer writes, out of what was read, with something else in it."""
    return {name: programme[name] for name in PROGRAMME} | other


def turned(programme: Mapping[str, Any], **other: Any) -> dict[str, Any]:
    """The same as the other city writes it, with something else in it."""
    return content(programme, ours=programme["theirs"], theirs=programme["ours"]) | other


def begun(two: Two, **other: Any) -> str:
    body = {"peer": two.taker.id, "programme": {**PROGRAMME, **other}, "author": "김하늘"}
    return str(two.giver.ask("POST", "/workplan/joint", body, 201)["id"])


def move(city: City, id: str, what: str, status: int = 200, **body: Any) -> Any:
    return city.ask("POST", f"/workplan/joint/{id}/{what}", {"author": "test", **body}, status)


def see(city: City, id: str) -> Any:
    return city.ask("GET", f"/workplan/joint/{id}")


def filled(two: Two) -> str:
    """A programme that both agreed to: proposed, the partner's part filled in, agreed."""
    id = begun(two)
    two.deliver()
    said = content(see(two.taker, id)["open"])
    said["ours"] = {"owner": "박이천", "department": "스마트도시팀", "budget": 8_000_000}
    move(two.taker, id, "propose", programme=said)
    two.deliver()
    move(two.giver, id, "agree")
    two.deliver()
    return id


def same(two: Two, id: str) -> tuple[Any, Any]:
    """Both cities' views, which tell of the very same moves, documents and signatures."""
    ours, theirs = see(two.giver, id), see(two.taker, id)
    for name in ("state", "id", "agreement"):
        assert ours[name] == theirs[name], name
    for name in ("stands", "open"):
        assert (ours[name] or {}).get("document") == (theirs[name] or {}).get("document"), name
    assert [one["proof"] for one in ours["signatures"]] == [one["proof"] for one in theirs["signatures"]]
    chains = [[m.move for m in rows_of(city, id).moves] for city in (two.giver, two.taker)]
    assert chains[0] == chains[1]
    assert ours["unheard"] == theirs["unheard"] == 0
    return ours, theirs


def rows_of(city: City, id: str) -> rows.Programme:
    with reading(city.twin.tables.engine) as connection:
        return rows.one_in(connection, city.twin.tables.twin, id)


def tell(two: Two, body: Any, **other: Any) -> Any:
    """A message of the taker's to the giver, signed as it should be or otherwise."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    url = f"{URL}/twins/{two.giver.id}/workplan/proposals"
    said = {
        "key": signing_key(two.taker.directory), "issuer": two.taker.did, "audience": two.giver.did, "method": "POST", "url": url,
        "body": raw, "now": datetime.now(UTC), **other,
    }  # fmt: skip
    token = other.get("token") or assert_(**{name: one for name, one in said.items() if name != "token"})
    return two.giver.client.post(url, content=raw, headers={"Authorization": f"Bearer {token}"})


def proposal(two: Two, **other: Any) -> dict[str, Any]:
    """The taker's message that begins a programme."""
    id = f"jp-{uuid4().hex}"
    share = {"owner": "박이천", "department": "스마트도시팀", "budget": 1}
    content = {name: PROGRAMME[name] for name in PROGRAMME if name not in ("ours", "theirs")}
    document = {
        "type": "JointProgramme", "id": id, "revision": 0, "replaces": "", "parties": [two.taker.did, two.giver.did], "agreement": "",
        "shares": {two.taker.did: share, two.giver.did: share}, **content, **other,
    }  # fmt: skip
    key = signing_key(two.taker.directory)
    proof = sign(document, key, method_of(two.taker.did, key.public), datetime.now(UTC))["proof"]
    return messages.write(id, 0, "", "propose", f"urn:uuid:{uuid4()}", document=document, proof=proof)


def test_what_one_city_proposes_the_other_counters_and_both_hold_the_same_signed_document(two: Two) -> None:
    id = begun(two)
    two.deliver()
    waits = two.taker.ask("GET", "/workplan")
    assert waits["waiting"] >= 1 and waits["joint"][0]["turn"] == "ours"
    seen = see(two.taker, id)
    assert (seen["state"], seen["began"], seen["proposer"], seen["peer_id"]) == (
        "proposed",
        "theirs",
        "theirs",
        "small",
    )
    assert seen["may"] == ["agree", "propose", "decline"]
    move(two.taker, id, "agree", 400)  # nobody answers for it there yet
    said = content(seen["open"], review="2027-11-15")
    said["ours"] = {"owner": "박이천", "department": "스마트도시팀", "budget": 6_000_000}
    move(two.taker, id, "propose", programme=said)
    move(two.taker, id, "agree", 409)  # its own proposal
    two.deliver()
    countered = see(two.giver, id)
    assert (countered["turn"], countered["state"]) == ("ours", "proposed")
    assert {(c["field"], c["of"], c["after"]) for c in countered["changes"]} == {
        ("review", "", "2027-11-15"), ("owner", "theirs", "박이천"), ("department", "theirs", "스마트도시팀"),
        ("budget", "theirs", 6_000_000),
    }  # fmt: skip
    move(two.giver, id, "agree", 400, digest="0" * 64)  # another document than the one that waits
    move(two.giver, id, "agree", digest=countered["open"]["digest"])
    two.deliver()
    ours, theirs = same(two, id)
    assert ours["state"] == "agreed" and ours["stands"]["digest"] == theirs["stands"]["digest"]
    assert [(one["by"], one["good"]) for one in ours["signatures"]] == [("ours", True), ("theirs", True)]
    assert [(one["by"], one["good"]) for one in theirs["signatures"]] == [("theirs", True), ("ours", True)]
    assert ours["stands"]["ours"] == theirs["stands"]["theirs"] == PROGRAMME["ours"]
    for city, shown in ((two.giver, ours), (two.taker, theirs)):
        told = [record for _, record in city.records("programme") if record["programme"] == id]
        assert [one["move"] for one in told] == ["propose", "propose", "agree"]
        assert told[2]["document"] == ours["stands"]["digest"] == told[1]["document"]
        assert [m["ledger"] for m in shown["moves"]][2] == shown["ledger"]
    assert [r["message"] for _, r in two.giver.records("programme") if r["programme"] == id] == [
        r["message"] for _, r in two.taker.records("programme") if r["programme"] == id
    ]


def test_what_was_agreed_stands_until_both_agreed_to_the_change_and_either_may_end_it(two: Two) -> None:
    id = filled(two)
    first = see(two.giver, id)["stands"]
    note = {
        "on": "2027-11-30",
        "text": {"ko": "열 곳 가운데 여덟 곳이 맞았다", "en": "eight of ten were right"},
    }
    changed = content(first, notes=[note], status="running")
    move(two.giver, id, "propose", programme=changed)
    two.deliver()
    ours, theirs = same(two, id)
    assert (theirs["state"], theirs["turn"], theirs["stands"]["digest"]) == (
        "changing",
        "ours",
        first["digest"],
    )
    assert {one["field"] for one in theirs["changes"]} == {"notes", "status"}
    assert two.taker.ask("GET", "/workplan")["budget"]["KRW"] >= 8_000_000
    move(two.taker, id, "decline", 400)  # without a reason
    move(two.taker, id, "decline", reason="아직 이르다")
    two.deliver()
    ours, _ = same(two, id)
    assert (ours["state"], ours["stands"]["digest"], ours["moves"][-1]["reason"]) == (
        "agreed",
        first["digest"],
        "아직 이르다",
    )
    move(two.giver, id, "propose", programme=changed)
    two.deliver()
    move(two.taker, id, "agree")
    two.deliver()
    ours, theirs = same(two, id)
    assert ours["stands"]["status"] == "running" and ours["stands"]["document"]["replaces"] == first["digest"]
    assert all(one["good"] for one in ours["signatures"] + theirs["signatures"])
    move(two.taker, id, "end", reason="예산이 없다")
    two.deliver()
    ours, _ = same(two, id)
    assert (ours["state"], ours["may"]) == ("ended", [])
    said = move(two.giver, id, "propose", 409, programme=changed)
    assert said["type"] == "urn:twintown:problem:wrong-state" and "ended" in said["detail"]


def test_a_proposal_may_be_taken_back_and_one_for_an_agreement_names_one_of_that_city(two: Two) -> None:
    agreement = agreed(two)
    body = {"peer": two.taker.id, "programme": PROGRAMME, "agreement": agreement, "author": "Lee"}
    id = two.giver.ask("POST", "/workplan/joint", body, 201)["id"]
    two.deliver()
    assert see(two.taker, id)["agreement"] == agreement
    assert [one["id"] for one in two.taker.ask("GET", f"/workplan?agreement={agreement}")["joint"]] == [id]
    move(two.giver, id, "withdraw")
    two.deliver()
    assert same(two, id)[1]["state"] == "withdrawn"
    two.giver.ask("POST", "/workplan/joint", {**body, "agreement": "urn:uuid:none"}, 404)
    two.giver.ask("POST", "/workplan/joint", {**body, "peer": "nobody"}, 400)
    two.giver.ask("POST", "/workplan/joint", {**body, "programme": {**PROGRAMME, "ours": {}}}, 400)
    two.giver.ask("POST", f"/workplan/joint/{id}/agree", {"programme": PROGRAMME}, 400)
    two.giver.ask("GET", "/workplan/joint/jp-none", status=404)


@pytest.mark.parametrize("heard_first", ["giver", "taker"])
def test_two_changes_at_once_come_to_the_same_in_both_cities(two: Two, heard_first: str) -> None:
    id = filled(two)
    stands = content(see(two.giver, id)["stands"])
    move(two.giver, id, "propose", programme={**stands, "review": "2027-10-01"})
    move(two.taker, id, "propose", programme=turned(stands, review="2027-09-01"))
    order = [two.giver, two.taker] if heard_first == "giver" else [two.taker, two.giver]
    for city in order:
        deliver(city.party, two.courier)  # type: ignore[arg-type]
    two.deliver()
    ours, theirs = same(two, id)
    assert (
        ours["open"]["review"] == "2027-10-01" and theirs["turn"] == "ours"
    )  # the city that began goes first
    (void,) = [one for one in theirs["moves"] if one["void"]]
    assert "at once" in void["void"] and void["said"]["review"] == "2027-09-01"
    assert [r["void"] for _, r in two.taker.records("programme") if r["programme"] == id and "void" in r] == [
        void["void"]
    ]


def test_an_end_goes_before_an_agreement_that_is_under_way(two: Two) -> None:
    id = filled(two)
    stands = content(see(two.giver, id)["stands"])
    move(two.giver, id, "propose", programme={**stands, "status": "running"})
    two.deliver()
    move(two.taker, id, "agree")
    move(two.giver, id, "end", reason="그만둔다")
    two.deliver()
    ours, theirs = same(two, id)
    assert ours["state"] == theirs["state"] == "ended" and theirs["stands"]["status"] == "planned"


def test_a_city_that_is_away_hears_of_it_when_it_is_back_even_after_weeks(two: Two) -> None:
    two.courier.away.add(f"{URL}/twins/{two.taker.id}")
    id = begun(two)
    now = datetime.now(UTC)
    for days in range(12):
        deliver(two.giver.party, two.courier, clock=lambda at=days: now + timedelta(days=at))  # type: ignore[arg-type,misc]
    assert see(two.giver, id)["unheard"] == 1
    two.courier.away.clear()
    deliver(two.giver.party, two.courier, clock=lambda: now + timedelta(days=20))  # type: ignore[arg-type]
    assert see(two.taker, id)["turn"] == "ours"
    same(two, id)


def test_an_answer_that_was_lost_is_asked_for_again_and_nothing_happens_twice(two: Two) -> None:
    class Deaf:
        """Sends, and does not hear the answer."""

        def ask(self, *given: Any, **more: Any) -> Answer:
            two.courier.ask(*given, **more)
            raise StorageFailed("the answer was lost")

    id = begun(two)
    assert deliver(two.giver.party, Deaf()) == 1  # type: ignore[arg-type]
    later = datetime.now(UTC) + timedelta(minutes=1)
    assert deliver(two.giver.party, two.courier, clock=lambda: later) == 1  # type: ignore[arg-type]
    same(two, id)
    assert len(see(two.taker, id)["moves"]) == 1
    assert len([r for _, r in two.taker.records("programme") if r["programme"] == id]) == 1


def test_a_move_that_the_partner_refuses_does_not_count_and_the_officer_reads_why(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    from twintown.exchange import programmes

    monkeypatch.setattr(programmes, "MOST", 0)
    id = begun(two)
    two.deliver()  # too many: it is told to wait, and waits
    assert see(two.giver, id)["unheard"] == 1
    monkeypatch.setattr(programmes, "MOST", 10_000)
    monkeypatch.setattr(programmes, "keys_of", lambda *given: [])
    later = datetime.now(UTC) + timedelta(hours=1)
    deliver(two.giver.party, two.courier, clock=lambda: later)  # type: ignore[arg-type]
    seen = see(two.giver, id)
    assert (seen["state"], seen["may"], seen["error"]["code"]) == ("", ["propose"], "bad-data")
    assert seen["moves"][0]["void"] and seen["last"]["title"] == PROGRAMME["title"]
    monkeypatch.undo()
    move(two.giver, id, "propose", programme=PROGRAMME)  # once more, under the same name
    two.deliver()
    assert same(two, id)[1]["turn"] == "ours"


def test_the_same_message_is_taken_once_a_replayed_token_never(two: Two) -> None:
    body = proposal(two)
    first, again = tell(two, body), tell(two, body)
    assert first.status_code == again.status_code == 200 and first.json() == again.json()
    raw = json.dumps(body).encode()
    url = f"{URL}/twins/{two.giver.id}/workplan/proposals"
    key = signing_key(two.taker.directory)
    token = assert_(key, two.taker.did, two.giver.did, "POST", url, raw, datetime.now(UTC))
    assert tell(two, body, token=token).status_code == 200
    replayed = tell(two, body, token=token)
    assert (replayed.status_code, replayed.json()["code"]) == (401, "replayed")
    changed = {**body, "document": {**body["document"], "review": "2027-12-01"}}
    assert tell(two, changed).status_code == 400
    assert len(see(two.giver, body["programme"])["moves"]) == 1


def test_what_is_forged_or_of_somebody_else_is_refused(two: Two) -> None:
    body = proposal(two)
    stranger, strange = (
        tell(two, body, key=signing_key(two.giver.directory)),
        tell(two, body, audience=two.taker.did),
    )
    assert stranger.status_code == strange.status_code == 401
    assert (
        two.giver.client.post(f"{URL}/twins/{two.giver.id}/workplan/proposals", json=body).status_code == 401
    )
    owner = two.giver.client.post(
        f"{URL}/twins/{two.giver.id}/workplan/proposals", json=body, headers=two.giver.owner
    )
    assert owner.status_code == 401
    forged = {**body, "document": {**body["document"], "review": "2027-12-01"}}
    said = tell(two, forged)
    assert (said.status_code, said.json()["type"]) == (400, "urn:twintown:problem:bad-data")
    two.giver.ask("GET", f"/workplan/joint/{body['programme']}", status=404)


@pytest.mark.parametrize(
    ("other", "word"),
    [
        ({"revision": 3}, "place"), ({"replaces": "0" * 64}, "place"), ({"agreement": "urn:uuid:none"}, "agreement"),
        ({"colour": "red"}, "members"), ({"title": {"ko": "길"}}, "title"), ({"period": "sometimes"}, "period"),
        ({"status": "dreamt"}, "status"), ({"notes": [{}] * 2}, "notes"), ({"start": "2027-13-01"}, "start"),
        ({"currency": "won"}, "currency"), ({"parties": ["did:web:a"]}, "parties"), ({"shares": {}}, "shares"),
    ],
)  # fmt: skip
def test_a_document_that_is_not_whole_is_refused_by_name(two: Two, other: dict[str, Any], word: str) -> None:
    said = tell(two, proposal(two, **other))
    assert said.status_code in (400, 404) and word in said.text


def test_what_is_no_message_is_refused_before_anything_is_made_of_it(two: Two) -> None:
    body = proposal(two)
    bombs = (
        b"",
        b"[]",
        b"{}",
        b"[" * 5000,
        json.dumps({**body, "pad": "x" * 200_000}).encode(),
        b"\xff",
        b'{"type":1,"type":2}',
    )
    for raw in bombs:
        assert tell(two, raw).status_code in (400, 413), raw[:20]
    for name, value in (
        ("seq", -1),
        ("seq", True),
        ("after", "x"),
        ("id", "mine"),
        ("programme", "wp-1"),
        ("move", "accept"),
    ):
        assert tell(two, {**body, name: value}).status_code == 400, name


def test_a_move_out_of_turn_is_answered_by_name_and_one_about_another_citys_programme_by_nothing(
    two: Two,
) -> None:
    body = proposal(two)
    assert tell(two, body).status_code == 200
    digest, after = read(body["document"]).digest, messages.digest_of(body)
    wrong = messages.write(
        body["programme"], 1, after, "agree", f"urn:uuid:{uuid4()}", digest=digest, proof=body["proof"]
    )
    said = tell(two, wrong)
    assert (said.status_code, said.json()["type"]) == (409, "urn:twintown:problem:wrong-state")
    assert "cannot agree" in said.json()["detail"]
    missing = messages.write(f"jp-{uuid4().hex}", 1, after, "end", f"urn:uuid:{uuid4()}", reason="so")
    assert tell(two, missing).status_code == 404


def test_a_programme_of_the_city_itself_goes_nowhere(two: Two) -> None:
    from tests.exchange.test_workplan import PROGRAMME as OWN

    asked = len(two.courier.asked)
    made = two.giver.ask("POST", "/workplan", {"programme": OWN, "author": "Lee"}, 201)
    two.deliver()
    assert len(two.courier.asked) == asked
    assert made["id"] not in {one["id"] for one in two.taker.ask("GET", "/workplan")["joint"]}
