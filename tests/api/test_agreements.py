"""Agreements: what both hold is the same, the red button works from either side and at once, and the ledgers tell of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from tests.exchange.two_cities import ROADS, City, Two, agreed, draft
from tests.exchange.two_cities import two as two

from twintown.exchange import button
from twintown.exchange.partner_access import address
from twintown.store.engine import reading, writing
from twintown.store.schema_shared import agreements, tokens, transfers

pytestmark = pytest.mark.slow  # two cities are made for them


def _items(two: Two, id: str) -> tuple[int, str]:
    """What the taker gets through its door: the status, and the code of a refusal."""
    said = two.taker.raw("GET", f"/partners/{id}/collections/roads/items")
    return said.status_code, said.json().get("code", "") if said.status_code != 200 else ""


def test_both_cities_keep_the_same_agreement_with_both_signatures(two: Two) -> None:
    id = agreed(two, {**ROADS, "purposes": ["research"]})
    ours, theirs = (city.ask("GET", f"/agreements/{id}") for city in (two.giver, two.taker))
    assert (ours["role"], theirs["role"]) == ("provider", "consumer")
    for name in ("digest", "policy", "terms", "dataset", "signatures"):
        assert ours[name] == theirs[name], name
    assert [(one["role"], one["did"], one["good"]) for one in ours["signatures"]] == [
        ("provider", two.giver.did, True), ("consumer", two.taker.did, True),
    ]  # fmt: skip
    for city in (two.giver, two.taker):
        told = [record for kind, record in city.records("agreement") if record.get("agreement") == id]
        assert told[0]["digest"] == ours["digest"]
        assert len(told[0]["signatures"]) == 2


def test_the_red_button_refuses_the_next_request_and_the_partner_hears_why(two: Two) -> None:
    id = agreed(two)
    assert _items(two, id) == (200, "")
    two.giver.ask("POST", f"/agreements/{id}/suspension", {"why": "a leak is looked into", "author": "Lee"})
    assert _items(two, id) == (403, "agreement-suspended"), "before the partner has heard of it"
    two.deliver()
    theirs = two.taker.ask("GET", f"/agreements/{id}")
    assert (theirs["state"], theirs["change"]["why"], theirs["change"]["ours"]) == (
        "suspended",
        "a leak is looked into",
        False,
    )
    said = two.taker.raw("GET", f"/partners/{id}/collections/roads/items").json()
    assert "a leak is looked into" in said["detail"]
    two.taker.ask("DELETE", f"/agreements/{id}/suspension", status=409)
    two.giver.ask("DELETE", f"/agreements/{id}/suspension")
    two.deliver()
    assert two.taker.ask("GET", f"/agreements/{id}")["state"] == "active"
    assert _items(two, id) == (200, "")
    for city in (two.giver, two.taker):
        kinds = [
            kind for kind, record in city.records("suspension", "resumption") if record["agreement"] == id
        ]
        assert kinds == ["suspension", "resumption"]


def test_the_receiving_city_can_press_it_too(two: Two) -> None:
    id = agreed(two)
    two.taker.ask("POST", f"/agreements/{id}/suspension", {"why": "our budget"})
    assert _items(two, id) == (403, "agreement-suspended")
    two.deliver()
    assert two.giver.ask("GET", f"/agreements/{id}")["change"]["why"] == "our budget"
    two.giver.ask("DELETE", f"/agreements/{id}/suspension", status=409)
    two.taker.ask("DELETE", f"/agreements/{id}/suspension")
    two.deliver()
    assert two.giver.ask("GET", f"/agreements/{id}")["state"] == "active"
    assert _items(two, id) == (200, ""), "with a token that it has asked for anew"


@pytest.mark.parametrize("presser", ["giver", "taker"])
def test_an_end_is_for_good_and_both_ledgers_recall_the_copies(two: Two, presser: str) -> None:
    at = (0, 160) if presser == "giver" else (140, 160)
    id = agreed(two, {"assets": [f"scenario:{draft(two.giver, at)}"], "delete_by": "2035-01-01T00:00:00Z"})
    ours = two.giver.ask("GET", f"/agreements/{id}")["terms"]["assets"]
    city = getattr(two, presser)
    city.ask("POST", f"/agreements/{id}/end", {"why": "the project is over"})
    assert _items(two, id) == (403, "agreement-ended")
    two.deliver()
    for one in (two.giver, two.taker):
        assert one.ask("GET", f"/agreements/{id}")["state"] == "ended"
        recalls = [record for _, record in one.records("recall") if record["agreement"] == id]
        assert [(recall["delete_by"][:10], recall["assets"]) for recall in recalls] == [("2035-01-01", ours)]
        one.ask("DELETE", f"/agreements/{id}/suspension", status=409)
        one.ask("POST", f"/agreements/{id}/suspension", {"why": "again"}, 409)
        one.ask("POST", f"/agreements/{id}/end", {"why": "twice is once"})
    assert {
        one["state"] for one in two.taker.ask("GET", "/transfers")["transfers"] if one["agreement"] == id
    } == {"TERMINATED"}


def test_both_may_press_at_the_same_moment(two: Two) -> None:
    id = agreed(two)
    two.giver.ask("POST", f"/agreements/{id}/suspension", {"why": "ours"})
    two.taker.ask("POST", f"/agreements/{id}/suspension", {"why": "theirs"})
    two.deliver()
    assert _items(two, id) == (403, "agreement-suspended")
    two.giver.ask("DELETE", f"/agreements/{id}/suspension")
    two.deliver()
    assert _items(two, id) == (403, "agreement-suspended"), "the other one still holds it"
    two.taker.ask("DELETE", f"/agreements/{id}/suspension")
    two.deliver()
    assert _items(two, id) == (200, "")


def test_tokens_die_with_the_agreement(two: Two) -> None:
    id = agreed(two)

    def alive() -> list[bool]:
        with reading(two.giver.twin.tables.engine) as connection:
            query = select(tokens.c.revoked).where(tokens.c.agreement == id)
            return [row.revoked is None for row in connection.execute(query)]

    assert alive() == [True]
    two.giver.ask("POST", f"/agreements/{id}/end", {"why": "over"})
    assert alive() == [False]


def _over(city: City, id: str) -> None:
    """As if its time had just run out."""
    past = datetime.now(UTC) - timedelta(seconds=1)
    mine = (agreements.c.twin == city.id) & (agreements.c.id == id)
    with writing(city.twin.writing().tables.engine) as connection:
        connection.execute(update(agreements).where(mine).values(until=past))


def test_an_agreement_whose_time_is_over_ends_by_itself(two: Two) -> None:
    id = agreed(two, {**ROADS, "until": "2035-01-01T00:00:00Z"})
    assert button.expire(two.giver.party, datetime.now(UTC)) == ()
    _over(two.giver, id)
    assert button.expire(two.giver.party, datetime.now(UTC)) == (id,)
    assert two.giver.ask("GET", f"/agreements/{id}")["change"]["did"] == ""
    two.deliver()
    assert two.taker.ask("GET", f"/agreements/{id}")["state"] == "ended"
    for city in (two.giver, two.taker):
        kinds = [kind for kind, record in city.records("end", "recall") if record["agreement"] == id]
        assert kinds == ["end", "recall"]


def test_the_clock_counts_before_anybody_has_written_the_end_down(two: Two) -> None:
    id = agreed(two, {**ROADS, "until": "2035-01-01T00:00:00Z"})
    _over(two.giver, id)
    assert _items(two, id)[0] == 403, "the giver refuses"
    _over(two.taker, id)
    assert _items(two, id) == (403, "agreement-ended"), "the taker's door is shut"
    assert two.giver.ask("GET", f"/agreements/{id}")["state"] == "ended"


def test_a_token_is_renewed_through_the_transfer_before_it_expires(two: Two) -> None:
    id = agreed(two)
    party, courier, now = two.taker.party, two.courier, datetime.now(UTC)
    from twintown.exchange.agreements import agreement_of

    found = agreement_of(party.twin.tables, id)
    first = address(party, courier, found, now)  # type: ignore[arg-type]
    assert address(party, courier, found, now) == first  # type: ignore[arg-type]
    later = address(party, courier, found, first.expires - timedelta(minutes=1))  # type: ignore[arg-type]
    assert later.token != first.token
    with reading(two.giver.twin.tables.engine) as connection:
        query = select(tokens.c.revoked).where(tokens.c.agreement == id).order_by(tokens.c.created)
        assert [row.revoked is None for row in connection.execute(query)] == [False, True]
    assert _items(two, id) == (200, "")


def test_a_token_that_was_taken_back_early_is_asked_for_anew(two: Two) -> None:
    id = agreed(two)
    with writing(two.giver.twin.writing().tables.engine) as connection:
        connection.execute(update(tokens).where(tokens.c.agreement == id).values(revoked=datetime.now(UTC)))
    two.giver.twin.watch.touch()
    assert _items(two, id) == (200, "")


def test_no_token_is_given_while_the_agreement_is_suspended(two: Two) -> None:
    id = agreed(two)
    two.giver.ask("POST", f"/agreements/{id}/suspension", {"why": "wait"})
    with reading(two.taker.twin.tables.engine) as connection:
        pid = connection.execute(
            select(transfers.c.peer_pid).where(transfers.c.twin == "other", transfers.c.agreement == id)
        ).scalar()
    from twintown.exchange.delivery import ask

    said = ask(two.taker.party, two.courier, "small", "POST", f"/transfers/{pid}/token")  # type: ignore[arg-type]
    assert said.status == 403
    assert b"agreement-suspended" in said.body


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("ko", ["제1조", "제12조", "효력이 있음"]),
        ("en", ["Article 1", "in force"]),
        ("vi", ["Điều 1", "đang có hiệu lực"]),
    ],
)
def test_an_agreement_reads_as_a_contract(two: Two, lang: str, words: list[str]) -> None:
    id = agreed(two, {**ROADS, "purposes": ["urban-planning"], "finest_m": 2})
    said = two.giver.raw("GET", f"/agreements/{id}/contract?lang={lang}")
    assert said.headers["content-language"] == lang
    full = two.giver.ask("GET", f"/agreements/{id}")
    for word in (
        *words,
        full["digest"],
        id,
        two.giver.did,
        two.taker.did,
        "2 m",
        *(one["key"] for one in full["signatures"]),
    ):
        assert word in said.text, word
    plain = two.taker.raw("GET", f"/agreements/{id}/contract?lang={lang}&f=text")
    assert plain.headers["content-type"].startswith("text/plain")
    assert full["digest"] in plain.text
    assert two.taker.ask("GET", f"/agreements/{id}/contract?lang={lang}&f=json")["draft"] is False
    two.taker.ask("GET", f"/agreements/{id}/contract?lang=fr", status=400)


def test_the_red_button_wants_a_reason_and_an_agreement(two: Two) -> None:
    id = agreed(two)
    for body in ({}, {"why": ""}, {"why": "  "}, {"why": "x" * 1001}):
        two.giver.ask("POST", f"/agreements/{id}/suspension", body, 400)
    two.giver.ask("POST", "/agreements/urn:uuid:none/end", {"why": "x"}, 404)
    two.giver.ask("GET", "/agreements/urn:uuid:none", status=404)
    two.giver.ask("DELETE", f"/agreements/{id}/suspension", status=409)
    assert (
        two.giver.client.post(
            f"http://127.0.0.1:8000/twins/small/agreements/{id}/end", json={"why": "x"}
        ).status_code
        == 401
    )
    assert two.giver.ask("GET", f"/agreements/{id}")["state"] == "active"
