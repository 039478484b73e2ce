"""A recall between two cities: told in one transaction, heard once, seen, and told back; lost, repeated and forged notices."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from tests.exchange.two_cities import URL, Two, agreed, two_cities
from tests.programme.lots import MAKER, lots, put, with_desk

from twintown.trust.assertions import assert_
from twintown.trust.keys import signing_key

pytestmark = pytest.mark.slow
NEED = {"place": "st-1", "place_kind": "stand", "event": "", "name_ko": "쌀 판매대", "name_en": "Rice stand", "product": "rice",
        "quantity_kg": 80.0, "date": "2027-09-18"}  # fmt: skip


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    with two_cities(tmp_path_factory.mktemp("recall")) as both:
        agreed(both)
        twin = with_desk(both.taker.directory, "lots", "producers", "needs")
        put(twin, "producers", {"p-1": MAKER})
        put(twin, "needs", {"need-1": NEED})
        lots(twin, 4)
        both.taker.ask("POST", "/certificates", {"lots": "all", "author": "Kim"}, 201)
        yield both


@pytest.fixture(autouse=True)
def nobody_is_away(two: Two) -> None:
    two.courier.away.clear()


def recall(two: Two, lot: str, status: int = 201, **more: Any) -> Any:
    return two.taker.ask("POST", f"/lots/{lot}/recall", {"why": "잔류 농약", "author": "Kim", **more}, status)


def told(two: Two, id: str) -> Any:
    found = two.giver.ask("GET", "/recalls")["recalls"]
    return next((one for one in found if one["id"] == id), None)


def test_a_recall_ends_the_certificate_marks_the_lot_and_tells_the_partner(two: Two) -> None:
    made = recall(two, "icn-rice-00000")
    certificate = two.taker.ask("GET", "/certificates?lot=icn-rice-00000")["certificates"][0]
    assert (certificate["state"], certificate["why"]) == ("revoked", "잔류 농약")
    checked = two.taker.ask("GET", f"/certificates/{certificate['id']}/status")
    assert next(one for one in checked["checks"] if one["of"] == "status")["why"] == "revoked"
    lot = two.taker.ask("GET", "/collections/lots/items/icn-rice-00000")["properties"]
    assert (lot["state"], lot["why"]) == ("recalled", "잔류 농약")
    assert [one["state"] for one in made["reach"]] == ["waiting"]
    assert told(two, made["id"]) is None
    two.deliver()
    there = told(two, made["id"])
    assert (there["way"], there["lot"], there["batch"], there["why"]) == (
        "told",
        "icn-rice-00000",
        "ICN-00000",
        "잔류 농약",
    )
    assert there["certificates"] == [f"{URL}/twins/other/certificates/{certificate['id']}"]
    ours = next(one for one in two.taker.ask("GET", "/recalls")["recalls"] if one["id"] == made["id"])
    assert [one["state"] for one in ours["reach"]] == ["heard"]
    assert two.taker.records("recall")[-1][1]["lot"] == "icn-rice-00000"
    assert two.giver.records("notice")[-1][1]["about"] == "icn-rice-00000"


def test_what_a_person_has_seen_there_is_seen_here(two: Two) -> None:
    made = recall(two, "icn-rice-00001")
    two.deliver()
    assert two.giver.ask("GET", "/recalls")["waiting"] >= 1
    seen = two.giver.ask("POST", f"/recalls/{made['id']}/seen", {"author": "Park"})
    assert seen["seen"] and seen["author"]
    two.giver.ask("POST", f"/recalls/{made['id']}/seen", {"author": "Lee"})  # once is enough
    two.deliver()
    ours = next(one for one in two.taker.ask("GET", "/recalls")["recalls"] if one["id"] == made["id"])
    assert [one["state"] for one in ours["reach"]] == ["seen"]
    two.giver.ask("POST", "/recalls/urn:uuid:0/seen", {"author": "Park"}, 404)


def test_a_lot_is_recalled_once_with_a_reason_and_gets_no_certificate_again(two: Two) -> None:
    recall(two, "icn-rice-00001", 409)
    recall(two, "icn-rice-00002", 400, why=" ")
    recall(two, "nothing", 404)
    again = two.taker.ask("POST", "/certificates", {"lots": ["icn-rice-00001"], "author": "Kim"}, 201)
    assert again["issued"] == [] and "recalled" in again["refused"][0]["why"]


def test_a_partner_that_is_away_hears_it_when_it_is_there_again(two: Two) -> None:
    from twintown.exchange.delivery import deliver

    two.courier.away.add(f"{URL}/twins/small")
    made = recall(two, "icn-rice-00002")
    two.deliver()
    assert made["reach"][0]["state"] == "waiting" and told(two, made["id"]) is None
    late = datetime.now(UTC) + timedelta(days=9)  # longer than other messages are tried
    deliver(two.taker.party, two.courier, clock=lambda: late)  # type: ignore[arg-type]
    two.courier.away.clear()
    deliver(two.taker.party, two.courier, clock=lambda: late + timedelta(hours=1))  # type: ignore[arg-type]
    assert told(two, made["id"])["lot"] == "icn-rice-00002"


def notice(**other: Any) -> dict[str, Any]:
    place = {
        "place": "st-1",
        "kind": "stand",
        "name": {"ko": "쌀", "en": "Rice"},
        "kg": 20.5,
        "date": "2027-09-18",
    }
    body = {
        "lot": "x-1", "batch": "B1", "gtin": "02900000000018", "product": "rice", "why": "곰팡이", "certificates": [], "places": [place],
    }  # fmt: skip
    return {
        "type": "CityNotice",
        "id": f"urn:uuid:{uuid4()}",
        "kind": "recall",
        "at": "2026-11-22T10:00:00Z",
        "body": body,
        **other,
    }


def tell(two: Two, message: Any, **other: Any) -> Any:
    """A notice of the taker's to the giver, signed as it should be or otherwise."""
    raw = json.dumps(message).encode()
    url = f"{URL}/twins/{two.giver.id}/notices"
    said = {
        "key": signing_key(two.taker.directory), "issuer": two.taker.did, "audience": two.giver.did, "method": "POST", "url": url,
        "body": raw, "now": datetime.now(UTC), **other,
    }  # fmt: skip
    return two.giver.client.post(url, content=raw, headers={"Authorization": f"Bearer {assert_(**said)}"})


def test_the_same_notice_again_is_answered_as_before_and_another_of_its_name_is_not(two: Two) -> None:
    said = notice()
    first = tell(two, said)
    assert first.status_code == 200 and first.json()["type"] == "CityNoticeReceipt"
    assert tell(two, said).json()["digest"] == first.json()["digest"]
    assert len([one for one in two.giver.ask("GET", "/recalls")["recalls"] if one["id"] == said["id"]]) == 1
    other = {**said, "body": {**said["body"], "why": "다른 까닭"}}
    assert tell(two, other).status_code == 400


@pytest.mark.parametrize(
    "message",
    [
        notice(kind="gossip"),
        notice(id="urn:uuid:1"),
        notice(at="yesterday"),
        notice(at="2126-11-22T10:00:00Z"),
        notice(more=1),
        notice(body={}),
        notice(body={**notice()["body"], "why": ""}),
        notice(body={**notice()["body"], "places": [{"place": "st-1", "kg": -1}]}),
        notice(body={**notice()["body"], "gtin": 1}),
    ],
)
def test_a_notice_that_cannot_be_read_is_refused(two: Two, message: dict[str, Any]) -> None:
    assert tell(two, message).status_code == 400


def test_a_notice_that_its_sender_did_not_sign_is_refused(two: Two) -> None:
    from twintown.trust.keys import new_key

    assert tell(two, notice(), key=new_key()).status_code == 401
    assert tell(two, notice(), audience="did:web:somebody.example").status_code == 401
    assert two.giver.client.post(f"{URL}/twins/small/notices", json=notice()).status_code == 401


def test_that_a_recall_was_seen_is_believed_only_of_who_was_told_of_it(two: Two) -> None:
    seen = notice(kind="recall-seen", body={"recall": f"urn:uuid:{uuid4()}", "by": "Park"})
    assert tell(two, seen).status_code == 404


def test_that_a_recall_was_seen_is_written_down_once_however_often_it_is_said(two: Two) -> None:
    made = two.giver.directory  # the giver tells nothing here: it asks what the taker keeps
    lots(with_desk(made, "lots", "producers"), 1)
    told_ = two.giver.ask("POST", "/lots/icn-rice-00000/recall", {"why": "곰팡이", "author": "Lee"}, 201)
    said = [notice(kind="recall-seen", body={"recall": told_["id"], "by": "Park"}) for _ in range(3)]
    before = len(two.giver.records("notice"))
    assert [tell(two, one).status_code for one in said] == [200, 200, 200]
    assert len(two.giver.records("notice")) == before + 1


def test_a_city_that_recalls_without_end_talks_no_other_city_out_of_the_list(two: Two) -> None:
    from twintown.exchange import notice_rows
    from twintown.exchange.notice_message import read
    from twintown.store.engine import writing

    tables, now = two.giver.twin.writing().tables, datetime.now(UTC)
    with writing(tables.engine) as connection:
        for number in range(206):
            peer = "did:web:loud.example" if number else "did:web:quiet.example"
            kept = notice_rows.Kept(read(notice()), "in", peer, "x-1", {}, 0, now + timedelta(seconds=number))
            notice_rows.add_in(connection, tables, kept)
    peers = [one.peer for one in notice_rows.listed(tables, "recall", "in")]
    assert peers.count("did:web:quiet.example") == 1 and peers.count("did:web:loud.example") == 200
    assert peers[0] == "did:web:loud.example"
