"""What officers do in a negotiation, and what the other city hears of it."""

from __future__ import annotations

import pytest
from tests.exchange.two_cities import ROADS, Two, offered, requested
from tests.exchange.two_cities import two as two

pytestmark = pytest.mark.slow  # two cities are made for them

AREA = [127.09, 37.5, 127.11, 37.52]


def test_an_offer_is_taken_as_it_is_and_both_sign(two: Two) -> None:
    ours, theirs = requested(two, offered(two, {**ROADS, "purposes": ["research"]}))
    deal = two.giver.ask("GET", f"/negotiations/{ours}")
    assert (deal["turn"], deal["may"]) == ("ours", ["offer", "agree", "terminate"])
    assert deal["messages"][0]["changes"] == []
    two.giver.ask("POST", f"/negotiations/{ours}/agree", {"author": "Lee"})
    two.deliver()
    for city, pid in ((two.giver, ours), (two.taker, theirs)):
        deal = city.ask("GET", f"/negotiations/{pid}")
        assert (deal["state"], deal["turn"], deal["may"]) == ("FINALIZED", "", [])
        signed = [one for one in deal["messages"] if one["key"]]
        assert [one["type"] for one in signed] == [
            "ContractAgreementMessage",
            "ContractAgreementVerificationMessage",
        ]
        assert signed[0]["key"] != signed[1]["key"]
        assert deal["agreement"]


def test_a_counter_offer_says_what_it_changes_and_is_answered_with_another(two: Two) -> None:
    offer = offered(two, {**ROADS, "until": "2031-01-01T00:00:00Z"})
    wanted = {**offer["terms"], "area": AREA, "until": "2030-01-01T00:00:00Z"}
    ours, theirs = requested(two, offer, wanted)
    deal = two.giver.ask("GET", f"/negotiations/{ours}")
    assert deal["terms"]["area"] == AREA
    smaller = {**wanted, "area": [127.09, 37.5, 127.1, 37.51]}
    two.giver.ask("POST", f"/negotiations/{ours}/offer", {"terms": smaller, "author": "Lee"})
    two.deliver()
    deal = two.taker.ask("GET", f"/negotiations/{theirs}")
    assert (deal["state"], deal["turn"], deal["may"]) == (
        "OFFERED",
        "ours",
        ["request", "accept", "terminate"],
    )
    told = deal["messages"][-1]["changes"]
    assert [(one["term"], one["kind"]) for one in told] == [("area", "narrower")]
    two.taker.ask("POST", f"/negotiations/{theirs}/request", {"terms": wanted})
    two.deliver()
    two.giver.ask("POST", f"/negotiations/{ours}/offer", {"terms": smaller})
    two.deliver()
    two.taker.ask("POST", f"/negotiations/{theirs}/accept", {})
    two.deliver()
    two.giver.ask("POST", f"/negotiations/{ours}/agree", {})
    two.deliver()
    deal = two.taker.ask("GET", f"/negotiations/{theirs}")
    agreement = two.taker.ask("GET", f"/agreements/{deal['agreement']}")
    assert agreement["terms"]["area"] == smaller["area"]
    assert agreement["until"].startswith("2030-01-01")


def test_nobody_agrees_to_more_than_the_gate_let_go(two: Two) -> None:
    clinics = {**ROADS, "assets": ["layer:clinics"]}
    offer = offered(two, {**clinics, "area": AREA})
    ours, theirs = requested(two, offer, {**offer["terms"], "area": None})
    for body, move in (({}, "agree"), ({"terms": clinics}, "offer")):
        said = two.giver.ask("POST", f"/negotiations/{ours}/{move}", body, 409 if move == "agree" else 400)
        assert "area" in said["detail"], said
    assert two.giver.ask("GET", f"/negotiations/{ours}")["state"] == "REQUESTED"
    two.giver.ask("POST", f"/negotiations/{ours}/terminate", {"reason": "too wide"})
    two.deliver()
    deal = two.taker.ask("GET", f"/negotiations/{theirs}")
    assert (deal["state"], deal["messages"][-1]["reason"]) == ("TERMINATED", ["too wide"])


def test_what_is_not_offered_cannot_be_asked_for(two: Two) -> None:
    offer = offered(two, ROADS)
    more = {**offer["terms"], "assets": ["layer:roads", "layer:vaults"]}
    body = {"peer": "small", "dataset": offer["dataset"], "offer": offer["id"], "terms": more}
    pid = two.taker.ask("POST", "/negotiations", body, 201)["pid"]
    two.deliver()
    deal = two.taker.ask("GET", f"/negotiations/{pid}")
    assert deal["state"] == "TERMINATED"
    assert "layer:vaults" in str(deal["error"])
    body = {"peer": "small", "dataset": "urn:twintown:small:layer:vaults", "offer": "urn:uuid:0"}
    assert "offers us no" in two.taker.ask("POST", "/negotiations", body, 404)["detail"]


def test_an_offer_that_was_withdrawn_meanwhile_is_not_agreed_on(two: Two) -> None:
    terms = {"assets": ["layer:shade"], "attribution": ROADS["attribution"]}
    offer = offered(two, terms)
    ours, _ = requested(two, offer)
    two.giver.ask("DELETE", f"/offers/{offer['id']}", status=204)
    said = two.giver.ask("POST", f"/negotiations/{ours}/agree", {}, 409)
    assert "offered any more" in said["detail"]


def test_a_step_that_is_not_possible_now_is_refused_and_changes_nothing(two: Two) -> None:
    ours, theirs = requested(two, offered(two, ROADS))
    for city, pid, move in (
        (two.giver, ours, "accept"),
        (two.taker, theirs, "agree"),
        (two.taker, theirs, "accept"),
        (two.giver, ours, "finalize"),
    ):
        city.ask("POST", f"/negotiations/{pid}/{move}", {}, 409)
    assert two.giver.ask("GET", f"/negotiations/{ours}")["state"] == "REQUESTED"
    two.giver.ask("POST", f"/negotiations/{ours}/sell", {}, 400)
    two.giver.ask("POST", f"/negotiations/{ours}/agree", {"terms": dict(ROADS)}, 400)
    two.giver.ask("GET", "/negotiations/urn:uuid:none", status=404)
    two.giver.ask("POST", f"/negotiations/{ours}/terminate", {})


def test_the_terms_read_as_a_contract_before_anybody_signs(two: Two) -> None:
    offer = offered(two, {**ROADS, "area": AREA})
    ours, theirs = requested(two, offer, {**offer["terms"], "area": [127.09, 37.5, 127.1, 37.51]})
    for lang, word in (("ko", "초안"), ("en", "Draft"), ("vi", "Bản dự thảo")):
        page = two.taker.raw("GET", f"/negotiations/{theirs}/contract?lang={lang}")
        assert word in page.text
        assert "127.1" in page.text
        assert page.headers["content-type"].startswith("text/html")
        assert "default-src 'none'" in page.headers["content-security-policy"]
    assert two.giver.ask("GET", f"/negotiations/{ours}/contract?lang=en&f=json")["draft"] is True
    two.giver.ask("GET", f"/negotiations/{ours}/contract?seq=99", status=404)
    two.giver.ask("POST", f"/negotiations/{ours}/terminate", {})
