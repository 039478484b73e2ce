"""An event on a partner's ground: proposed by one city, signed by both, changed, declined; and no further than the agreement reaches."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.exchange.test_joint_programmes import proposal, tell
from tests.exchange.two_cities import City, Two, agreed
from tests.exchange.two_cities import two as two

from twintown.api.event_matter import EventMatters
from twintown.exchange.programme_document import read as read_document
from twintown.ground.errors import BadParameter
from twintown.programme.event import Event
from twintown.programme.event_reading import names
from twintown.store.engine import reading

pytestmark = pytest.mark.slow
AREA = [127.09, 37.50, 127.11, 37.52]
TERMS = {
    "assets": ["layer:roads"], "purposes": ["joint-event"], "area": AREA, "until": "2027-12-31T00:00:00+09:00",
    "attribution": "© OpenStreetMap contributors",
}  # fmt: skip
OURS = {"owner": "박이천", "department": "이천문화재단", "budget": 12_000_000}
THEIRS = {"owner": "김송파", "department": "문화예술과", "budget": 3_000_000}


def event(two: Two, agreement: str, **other: Any) -> dict[str, Any]:
    """Geobuknori on the giver's ground, as the taker's officer writes it."""
    return {
        "kind": "performance", "title": {"ko": "이천 거북놀이", "en": "Icheon Geobuknori"}, "host": two.giver.did, "agreement": agreement,
        "place": {"name": {"ko": "서울놀이마당", "en": "Seoul Nori Madang"}, "venue": "", "lon": 127.0982, "lat": 37.5094},
        "start": "2027-09-18T11:00:00+09:00", "end": "2027-09-18T19:00:00+09:00",
        "organiser": {"name": "이천문화재단", "department": "공연팀"}, **other,
    }  # fmt: skip


def made(two: Two, agreement: str, **other: Any) -> str:
    return str(
        two.taker.ask("POST", "/events", {"event": event(two, agreement, **other), "author": "박"}, 201)["id"]
    )


def proposed(two: Two, agreement: str, **other: Any) -> str:
    id = made(two, agreement, **other)
    two.taker.ask(
        "POST", f"/events/{id}/proposal", {"ours": OURS, "theirs": {"budget": 3_000_000}, "author": "박"}
    )
    two.deliver()
    return id


def see(city: City, id: str) -> Any:
    return city.ask("GET", f"/events/{id}")


def answer(city: City, id: str, move: str, status: int = 200, **body: Any) -> Any:
    return city.ask("POST", f"/events/{id}/answer", {"move": move, "author": "test", **body}, status)


def signed(two: Two, id: str) -> None:
    """The host fills in its part, the organiser signs that."""
    answer(two.giver, id, "agree", ours=THEIRS)
    two.deliver()
    answer(two.taker, id, "agree")
    two.deliver()


def test_an_event_is_the_same_at_both_cities_once_both_have_signed(two: Two) -> None:
    id = proposed(two, agreed(two, TERMS))
    assert [see(city, id)["state"] for city in (two.giver, two.taker)] == ["proposed", "proposed"]
    there = see(two.giver, id)
    assert there["origin"] == "partner" and there["peer"] == two.taker.did
    assert id in [one["id"] for one in two.giver.ask("GET", "/events?origin=partner")["events"]]

    signed(two, id)
    ours, theirs = (city.ask("GET", f"/events/{id}/joint") for city in (two.taker, two.giver))
    assert ours["state"] == theirs["state"] == "agreed"
    assert ours["stands"]["document"] == theirs["stands"]["document"]
    assert ours["stands"]["document"]["matter"]["body"]["title"]["en"] == "Icheon Geobuknori"
    assert len(ours["signatures"]) == 2 and all(
        one["good"] for one in (*ours["signatures"], *theirs["signatures"])
    )
    assert [see(city, id)["state"] for city in (two.giver, two.taker)] == ["agreed", "agreed"]
    said = [
        record["move"] for kind, record in two.giver.records("programme") if record["programme"] == ours["id"]
    ]
    assert said == ["propose", "propose", "agree"]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (
            {"place": {"name": {"ko": "곳", "en": "Place"}, "venue": "", "lon": 127.2, "lat": 37.51}},
            "outside-area",
        ),
        ({"start": "2028-09-18T11:00:00+09:00", "end": "2028-09-18T19:00:00+09:00"}, "outside-time"),
    ],
)
def test_an_event_that_the_agreement_does_not_reach_is_not_proposed_and_the_officer_reads_why(
    two: Two, wrong: dict[str, Any], code: str
) -> None:
    id = made(two, agreed(two, TERMS), **wrong)
    assert code in [one["code"] for one in see(two.taker, id)["findings"]]
    said = two.taker.ask("POST", f"/events/{id}/proposal", {"ours": OURS}, 403)
    assert code in str(said)
    assert see(two.taker, id)["state"] == "draft"


def test_an_agreement_for_another_purpose_reaches_no_event(two: Two) -> None:
    id = made(two, agreed(two, {**TERMS, "purposes": ["research"]}))
    assert "purpose" in str(two.taker.ask("POST", f"/events/{id}/proposal", {"ours": OURS}, 403))


def test_the_host_looks_again_so_that_a_suspended_agreement_lets_no_event_in(two: Two) -> None:
    agreement = agreed(two, TERMS)
    id = made(two, agreement)
    two.giver.ask(
        "POST", f"/agreements/{agreement}/suspension", {"why": "the lake is being drained", "author": "Lee"}
    )
    two.taker.ask("POST", f"/events/{id}/proposal", {"ours": OURS, "author": "박"})
    two.deliver()
    here = see(two.taker, id)
    assert here["state"] == "declined" and "suspended" in here["why"]
    two.giver.ask("GET", f"/events/{id}", status=404)


def test_a_declined_event_says_why_and_can_be_changed_and_proposed_again(two: Two) -> None:
    id = proposed(two, agreed(two, TERMS))
    answer(two.giver, id, "decline", reason="그날은 다른 공연이 있습니다")
    two.deliver()
    here = see(two.taker, id)
    assert (here["state"], here["why"]) == ("declined", "그날은 다른 공연이 있습니다")
    assert see(two.giver, id)["state"] == "declined"
    later = {name: here[name] for name in event(two, "")} | {
        "start": "2027-09-19T11:00:00+09:00", "end": "2027-09-19T19:00:00+09:00"
    }  # fmt: skip
    two.taker.ask(
        "PUT", f"/events/{id}", {"event": later, "author": "박"}, **{"If-Match": f'"{here["revision"]}"'}
    )
    two.taker.ask("POST", f"/events/{id}/proposal", {"ours": OURS, "theirs": THEIRS, "author": "박"})
    two.deliver()
    answer(two.giver, id, "agree")
    two.deliver()
    assert see(two.taker, id)["state"] == see(two.giver, id)["state"] == "agreed"
    assert see(two.giver, id)["start"].startswith("2027-09-19")


def test_what_is_agreed_stands_until_the_host_has_signed_a_change_of_it(two: Two) -> None:
    id = proposed(two, agreed(two, TERMS))
    signed(two, id)
    here = see(two.taker, id)
    more = {name: here[name] for name in event(two, "")} | {
        "visitors": {"expected": 900, "error": 300, "source": "assumed", "note": ""}
    }
    two.taker.ask(
        "PUT", f"/events/{id}", {"event": more, "author": "박"}, **{"If-Match": f'"{here["revision"]}"'}
    )
    two.taker.ask("POST", f"/events/{id}/proposal", {"ours": OURS, "theirs": THEIRS, "author": "박"})
    two.deliver()
    changes = two.giver.ask("GET", f"/events/{id}/joint")["changes"]
    assert "event.visitors" in [one["field"] for one in changes]
    assert see(two.giver, id)["visitors"]["expected"] == 0
    answer(two.giver, id, "agree")
    two.deliver()
    assert see(two.giver, id)["visitors"]["expected"] == 900


def test_nobody_proposes_a_partners_event_nor_one_on_its_own_ground(two: Two) -> None:
    id = proposed(two, agreed(two, TERMS))
    two.giver.ask("POST", f"/events/{id}/proposal", {"ours": THEIRS}, 405)
    x = two.taker.twin.description
    west, south, east, north = x.frame.lonlat_bounds(x.bounds).as_tuple()
    place = {
        "name": {"ko": "곳", "en": "Place"},
        "venue": "",
        "lon": (west + east) / 2,
        "lat": (south + north) / 2,
    }
    home = made(two, "", host="", place=place)
    assert "own ground" in str(two.taker.ask("POST", f"/events/{home}/proposal", {"ours": OURS}, 409))


def test_words_that_are_changed_in_the_work_plan_leave_the_event_as_it_is(two: Two) -> None:
    id = proposed(two, agreed(two, TERMS))
    signed(two, id)
    joint = two.taker.ask("GET", f"/events/{id}/joint")
    names = "title about period currency start end review status ours theirs notes".split()
    said = {name: joint["stands"][name] for name in names}
    said["about"] = {"ko": "더 자세히", "en": "In more detail"}
    two.taker.ask("POST", f"/workplan/joint/{joint['id']}/propose", {"programme": said, "author": "박"})
    two.deliver()
    answer(two.giver, id, "agree")
    two.deliver()
    after = two.giver.ask("GET", f"/events/{id}/joint")["stands"]["document"]
    assert (
        after["matter"] == joint["stands"]["document"]["matter"] and after["about"]["en"] == "In more detail"
    )


SALES = [{"product": "rice", "delivered_kg": 120, "sold_kg": 100, "wasted_kg": 5, "income": 450_000}]
STAND = {
    "id": "s1", "name": {"ko": "쌀", "en": "Rice"}, "lon": 127.0984, "lat": 37.5092, "heading_deg": 90, "width_m": 3, "depth_m": 3,
    "products": ["rice"], "power": None, "water": None,
}  # fmt: skip


def test_the_account_is_one_document_that_both_cities_sign(two: Two) -> None:
    id = proposed(two, agreed(two, TERMS), stands=[STAND])
    signed(two, id)
    draft = two.taker.ask("GET", f"/events/{id}/account")
    assert draft["state"] == "draft" and draft["account"]["spent"]["guest"]["value"] == OURS["budget"]
    assert draft["account"]["promised"]["value"] is None, (
        "there is no plan, so nothing was promised that is known"
    )

    entries = {
        "sales": SALES,
        "came": 640,
        "came_error": 60,
        "spent": {"guest": 11_000_000, "host": 2_500_000},
    }
    said = two.taker.ask(
        "POST", f"/events/{id}/account", {"entries": entries, "propose": True, "author": "박"}
    )
    assert (said["state"], said["turn"], said["ours"]) == ("proposed", "theirs", "guest")
    two.deliver()
    there = two.giver.ask("GET", f"/events/{id}/account")
    assert (there["state"], there["turn"], there["account"]) == ("proposed", "ours", said["account"])
    answer(two.giver, id, "agree", digest=there["digest"])
    two.deliver()
    ours, theirs = (city.ask("GET", f"/events/{id}/account") for city in (two.taker, two.giver))
    assert ours["state"] == theirs["state"] == "signed" and ours["digest"] == theirs["digest"]
    assert [one["good"] for one in (*ours["signatures"], *theirs["signatures"])] == [True] * 4
    assert see(two.giver, id)["state"] == see(two.taker, id)["state"] == "settled"

    whole = two.giver.raw("GET", f"/events/{id}/account/document?f=json").json()
    assert whole["document"]["matter"]["account"]["came"]["value"] == 640 and len(whole["proofs"]) == 2
    for lang, word in (("ko", "두 도시가 서명함"), ("en", "signed by both cities")):
        page = two.taker.raw("GET", f"/events/{id}/account/document?lang={lang}")
        assert word in page.text and "640" in page.text and "script" not in page.text
        assert "120" in two.taker.raw("GET", f"/events/{id}/account/document?lang={lang}&f=text").text


def test_figures_that_contradict_each_other_are_named_and_not_proposed(two: Two) -> None:
    id = proposed(two, agreed(two, TERMS), stands=[STAND])
    signed(two, id)
    entries = {"sales": [{**SALES[0], "sold_kg": 130}]}
    looked = two.taker.ask("POST", f"/events/{id}/account", {"entries": entries})
    assert "sold-more" in [one["code"] for one in looked["findings"]] and looked["state"] == "draft"
    refused = two.taker.ask("POST", f"/events/{id}/account", {"entries": entries, "propose": True}, 400)
    assert "sold" in str(refused)
    assert two.taker.ask("GET", f"/events/{id}/account")["state"] == "draft"


def test_an_account_of_an_event_that_nobody_agreed_to_is_not_proposed(two: Two) -> None:
    id = made(two, agreed(two, TERMS), stands=[STAND])
    two.taker.ask("POST", f"/events/{id}/account", {"entries": {"came": 10}, "propose": True}, 409)


def anyone(city: City, path: str) -> Any:
    """As somebody without a token reads it."""
    return city.client.get(f"/twins/{city.id}{path}")


def test_who_plans_nothing_reads_of_a_partners_event_what_both_have_signed_and_nothing_before(
    two: Two,
) -> None:
    agreement = agreed(two, TERMS)
    id = proposed(two, agreement)
    paths = ("", "?revision=1", "/visitors", "/duties", "/calendar.ics")
    for city in (two.giver, two.taker):
        absent = anyone(city, f"/events/ev-{'0' * 24}").json()
        for path in paths:
            hidden = anyone(city, f"/events/{id}{path}")
            assert hidden.status_code == 404, path
            assert hidden.json()["detail"].replace(id, "?") == absent["detail"].replace(f"ev-{'0' * 24}", "?")
        asked = city.client.post(f"/twins/{city.id}/events/{id}/meetings", json={"slots": [], "rooms": 1})
        assert asked.status_code == 404
        assert id not in anyone(city, "/events").text and id not in anyone(city, "/events.ics").text
        assert id in city.raw("GET", "/events").text and id in city.raw("GET", "/events.ics").text
    signed(two, id)
    first = anyone(two.taker, f"/events/{id}").json()
    assert first["state"] == "agreed" and first["findings"] == []
    two.giver.ask(
        "POST", f"/agreements/{agreement}/suspension", {"why": "the lake is drained", "author": "Lee"}
    )
    assert see(two.giver, id)["findings"] and not anyone(two.giver, f"/events/{id}").json()["findings"]
    more = {name: first[name] for name in event(two, "")} | {"about": {"ko": "몰래", "en": "Not yet said"}}
    two.taker.ask(
        "PUT", f"/events/{id}", {"event": more, "author": "박"}, **{"If-Match": f'"{first["revision"]}"'}
    )
    assert anyone(two.taker, f"/events/{id}").json() == first  # as it was agreed last
    assert "Not yet said" not in anyone(two.taker, "/events.ics").text
    assert [one["state"] for one in anyone(two.taker, "/events").json()["events"] if one["id"] == id] == [
        "agreed"
    ]
    assert anyone(two.taker, f"/events/{id}?revision={first['revision'] + 1}").status_code == 404
    for path in ("/joint", "/account", "/account/document?f=text"):
        assert anyone(two.giver, f"/events/{id}{path}").status_code == 401
    two.taker.ask("DELETE", f"/events/{id}?why=rain")
    assert anyone(two.taker, f"/events/{id}").json()["state"] == "cancelled"


def forged(two: Two, id: str, agreement: str, **other: Any) -> Any:
    """A first move of the taker's about an event, past all that its own server would look at."""
    body = {**see(two.taker, id), "plan": None}
    body = {name: body[name] for name in names(Event)} | other.pop("event", {})
    matter = {"kind": "event", "id": id, "body": body, "account": {}} | other.pop("matter", {})
    return tell(two, proposal(two, agreement=agreement, matter=matter, **other))


def test_a_proposal_about_somebody_elses_event_or_with_somebody_elses_plan_is_refused(two: Two) -> None:
    agreement = agreed(two, TERMS)
    id = made(two, agreement)
    assert forged(two, id, agreement).status_code == 200
    plan = {"job": "j", "made": "2027-09-01T00:00:00Z",
            "layers": {"deliveries": "buildings", "loads": "", "unmet": "", "balance": ""}}  # fmt: skip
    for wrong, word in (
        ({"event": {"plan": plan}}, "plan"),
        ({"event": {"host": "did:web:third.example"}}, "host"),
        ({"event": {"host": ""}}, "host"),
        ({"event": {"agreement": "ag-other"}}, "agreement"),
        ({"event": {"id": f"ev-{'1' * 24}"}}, "matter.id"),
        ({"matter": {"account": {"event": id}}}, "account"),
        ({"event": {"title": {"ko": "\x1b", "en": "x"}}}, "title"),
        (
            {"event": {"visitors": {"expected": 2**53 - 1, "error": 0, "source": "assumed", "note": ""}}},
            "expected",
        ),
    ):
        said = forged(two, made(two, agreement), agreement, **wrong)
        assert said.status_code == 400 and word in said.text, (wrong, said.text)
    # the giver's own event on its own ground, and one of the giver's on the taker's ground
    x = two.giver.twin.description
    west, south, east, north = x.frame.lonlat_bounds(x.bounds).as_tuple()
    at = {
        "name": {"ko": "곳", "en": "Place"},
        "venue": "",
        "lon": (west + east) / 2,
        "lat": (south + north) / 2,
    }
    home = two.giver.ask(
        "POST", "/events", {"event": event(two, "", host="", place=at), "author": "김"}, 201
    )["id"]
    said = forged(two, id, agreement, matter={"id": home}, event={"id": home})
    assert said.status_code == 412 and see(two.giver, home)["revision"] == 1
    back = agreed(Two(two.taker, two.giver, two.courier), TERMS)
    theirs = two.giver.ask(
        "POST", "/events", {"event": event(two, back, host=two.taker.did), "author": "김"}, 201
    )["id"]
    said = forged(
        two, id, back, matter={"id": theirs}, event={"id": theirs, "host": two.taker.did, "agreement": back}
    )
    assert said.status_code == 403 and "other-event" in said.text
    assert (see(two.giver, theirs)["state"], see(two.giver, theirs)["revision"]) == ("draft", 1)


def test_an_account_of_another_event_is_not_taken(two: Two) -> None:
    id = proposed(two, agreed(two, TERMS), stands=[STAND])
    signed(two, id)
    account = two.taker.ask("GET", f"/events/{id}/account")["account"] | {"event": f"ev-{'2' * 24}"}
    stands = two.taker.ask("GET", f"/events/{id}/joint")["stands"]["document"]
    document = {**stands, "matter": {**stands["matter"], "account": account}}
    with (
        reading(two.giver.twin.tables.engine) as connection,
        pytest.raises(BadParameter, match="another event"),
    ):
        EventMatters().check(
            connection, two.giver.party, two.taker.did, read_document(document), datetime.now(UTC)
        )
