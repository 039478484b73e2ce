"""The stand and the stage in the page, first half: a venue by agreement, Geobuknori placed there by hand, scored, proposed, signed."""

from __future__ import annotations

import os
import re
import shutil
import time
import urllib.error
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import CITIES, PATIENCE_MS, REPOSITORY, serving
from .test_result import _linked, call
from .test_work_plan import BIG, PHONE

pytestmark = pytest.mark.slow
#: The built page; another one where somebody says so.
WEB = Path(os.environ.get("TWINTOWN_WEB", REPOSITORY / "web" / "dist"))
Open = Callable[..., Any]
#: Seoul Nori Madang by Seokchon lake.
LON, LAT = 127.0981982, 37.50936664
VENUE = {"ko": "서울놀이마당", "en": "Seoul Nori Madang (outdoor stage)"}
WORDS = {
    "ko": {"outside": "범위를 벗어납니다", "sun": "해 높이"},
    "en": {"outside": "outside", "sun": "high"},
}
FIELDS = {
    "title-ko": "이천 거북놀이와 햅쌀 마당", "title-en": "Icheon Geobuknori and new rice",
    "about-ko": "거북놀이를 하고 햅쌀을 나눕니다.", "about-en": "The turtle play, and new rice to share.",
    "day": "2027-09-18", "from": "11:00", "to": "19:00", "organiser": "이천문화재단", "department": "공연전시팀",
    "expected": "6000", "error": "2000", "note": "지난 송파 축제를 보고 어림한 값",
}  # fmt: skip
LAYERS = ("buildings", "roads", "landmarks", "stations", "metro-congestion", "weather")
PROCESSES = ("footfall", "stands", "stage", "sunlight")


@pytest.fixture
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server of copies of the two demo twins, which pin each other's keys."""
    if not (WEB / "index.html").exists():
        pytest.skip("the page is not built: make web")
    if not all((city / "state.db").exists() for city in CITIES):
        pytest.skip("the demo twins are not built: make demo-build")
    folder = tmp_path_factory.mktemp("cities")
    apart = shutil.ignore_patterns(".staging", "data", "peers.toml")
    for city in CITIES:
        shutil.copytree(city, folder / city.name, copy_function=_linked, ignore=apart)
    named = {"TWINTOWN_WEB": str(WEB)}
    with serving(*(folder / c.name for c in CITIES), options=["--partners"], settings=named) as address:
        yield address


def column(visit: Open, twin: str, lang: str, spot: str = "", **options: Any) -> Any:
    """The page of a twin with the column of events open."""
    one = visit(f"?twin={twin}&lang={lang}&t=12:00&lite=1&events={spot}", **options)
    see(one, "#events-dock .ex-page")
    return one


def see(one: Any, selector: str, timeout: float = PATIENCE_MS) -> Any:
    return one.page.wait_for_selector(selector, timeout=timeout)


def press(one: Any, name: str) -> None:
    one.page.locator(f'#events-dock [data-act="{name}"]').first.click()


def fits(one: Any) -> None:
    """Nothing lies beside the screen, and nothing is wrong with it for whoever cannot see or point."""
    assert one.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert one.page.evaluate(
        "() => { const b = document.querySelector('#events-dock .body'); return b.scrollWidth <= b.clientWidth; }"
    )
    assert one.faults() == []


def agreed(address: str) -> str:
    """An agreement by which Icheon may plan around the venue in Seoul; its id."""
    west, south, east, north = call(address, "/twins/jamsil")["bounds_lonlat"]
    area = [
        max(west, LON - 0.0051),
        max(south, LAT - 0.004),
        min(east, LON + 0.0051),
        min(north, LAT + 0.004),
    ]
    layers = {one["id"]: one for one in call(address, "/twins/jamsil")["layers"]}
    owed = {layers[id]["licence"]["attribution"] for id in LAYERS}
    terms = {
        "assets": [f"layer:{id}" for id in LAYERS] + [f"process:{id}" for id in PROCESSES], "purposes": ["joint-event"],
        "area": [round(one, 5) for one in area], "since": None, "until": "2027-12-31T14:59:59Z", "finest_m": 0,
        "no_resharing": False, "delete_by": None, "attribution": " · ".join(sorted(owed)),
    }  # fmt: skip
    icheon = call(address, "/twins/icheon/did.json")["id"]
    offer = call(address, "/twins/jamsil/offers", {"assignee": icheon, "terms": terms})
    for one in call(address, "/twins/jamsil/releases")["releases"]:
        if one["state"] == "waiting":
            call(
                address,
                f"/twins/jamsil/releases/{one['id']}/decision",
                {"allow": True, "why": "The venue's department agrees."},
            )
    (dataset,) = (
        one
        for one in call(address, "/twins/icheon/peers/jamsil/catalogue")["datasets"]
        if one["id"] == offer["dataset"]
    )
    call(
        address,
        "/twins/icheon/negotiations",
        {"peer": "jamsil", "dataset": dataset["id"], "offer": dataset["offers"][0]["id"]},
    )
    (deal,) = until(lambda: call(address, "/twins/jamsil/negotiations")["negotiations"])
    call(address, f"/twins/jamsil/negotiations/{deal['pid']}/agree", {})
    (one,) = until(
        lambda: [a for a in call(address, "/twins/icheon/agreements")["agreements"] if a["state"] == "active"]
    )
    return str(one["id"])


def until(ask: Callable[[], Any]) -> Any:
    """What is answered once there is something."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        if found := ask():
            return found
        time.sleep(0.2)
    pytest.fail("nothing came")


def screen(one: Any, east_m: float, north_m: float) -> tuple[float, float]:
    """Where a place near the venue is seen, CSS pixels of the page."""
    lon, lat = LON + east_m / 88_300, LAT + north_m / 111_000
    found = one.page.evaluate(
        """([lon, lat]) => {
          const { scene, canvas } = twintown.viewer;
          const { exchange, twins } = twintown.state;
          const height = exchange.away?.gone ? 0 : twins.current.ground.ellipsoidal_m;
          const place = { longitude: lon * Math.PI / 180, latitude: lat * Math.PI / 180, height };
          const at = scene.cartesianToCanvasCoordinates(scene.globe.ellipsoid.cartographicToCartesian(place));
          const box = canvas.getBoundingClientRect();
          return at && [box.left + at.x, box.top + at.y];
        }""",
        [lon, lat],
    )
    assert found
    return found[0], found[1]


def scored(one: Any, id: str) -> float:
    """The score of a stand that stands still."""
    one.page.wait_for_function(
        "(id) => document.querySelector(`[data-thing='${id}'] [data-score]`)?.dataset.score", arg=id
    )
    return float(one.page.get_attribute(f"[data-thing='{id}'] [data-score]", "data-score"))


def planned(one: Any, address: str) -> dict[str, Any]:
    """The event as the server has it, once nothing waits to be kept."""
    one.page.wait_for_function(
        '() => !document.querySelector(\'[data-saving="dirty"], [data-saving="saving"]\')'
    )
    id = one.value("twintown.state.events.at.id")
    found: dict[str, Any] = call(address, f"/twins/icheon/events/{id}")
    return found


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_icheon_places_a_stage_and_three_stands_beside_the_lake_and_both_cities_sign(
    visit: Open, address: str, lang: str
) -> None:
    words = WORDS[lang]
    agreement = agreed(address)

    # The event, written on Icheon's page, at the partner's venue.
    icheon = column(visit, "icheon", lang, **BIG)
    see(icheon, f'[data-venues] [data-agreement="{agreement}"]')
    icheon.shot(f"festival-1-list-{lang}")
    fits(icheon)
    press(icheon, "new-event")
    icheon.page.wait_for_selector('[data-field="venue"] optgroup option', state="attached")
    for name, value in FIELDS.items():
        icheon.page.fill(f'[data-field="{name}"]', value)
    icheon.page.select_option('[data-field="venue"]', label=VENUE[lang])
    press(icheon, "add-item")
    row = icheon.page.locator('[data-item="0"]')
    for name, value in (
        ("start", "11:30"),
        ("end", "12:10"),
        ("title-ko", "이천 거북놀이"),
        ("performers", "이천 거북놀이 보존회"),
    ):
        row.locator(f'[data-item-field="{name}"]').fill(value)
        row.locator(f'[data-item-field="{name}"]').dispatch_event("change")
    icheon.page.check('[data-works="gas"]')
    fits(icheon)
    icheon.shot(f"festival-2-form-{lang}")
    press(icheon, "save-event")
    see(icheon, "[data-visitors] svg")
    see(icheon, "[data-duty]")
    assert "1,000" in icheon.page.inner_text('[data-duty="safety-plan"]')
    fits(icheon)
    icheon.shot(f"festival-3-event-{lang}")

    # Its ground, through the door; the stage and the first stand by a click, dragged by hand.
    press(icheon, "show-ground")
    icheon.page.wait_for_function("() => twintown.state.exchange.away?.gone")
    see(icheon, '[data-act="add-stage"]')
    icheon.page.wait_for_function("() => twintown.viewer.scene.globe.tilesLoaded")
    icheon.page.click('[data-view="above"]')
    press(icheon, "add-stage")
    icheon.page.mouse.click(*screen(icheon, 60, 40))
    see(icheon, '[data-stage-box] [data-part="sight"]')
    press(icheon, "add-stand")
    icheon.page.mouse.click(*screen(icheon, 45, 75))
    first = scored(icheon, "s1")
    see(icheon, '[data-stand="s1"] [data-part="footfall"]')
    assert (
        icheon.page.locator('[data-stand="s1"] .cells').count() == 2
    )  # the sun on produce and queue by the hour
    was = planned(icheon, address)["stands"][0]
    x, y = screen(icheon, 45, 75)
    icheon.page.mouse.move(x, y)
    icheon.page.mouse.down()
    icheon.page.mouse.move(x - 20, y - 20, steps=2)
    to = screen(icheon, 0, 85)
    icheon.page.mouse.move(*to, steps=6)
    icheon.page.mouse.up()
    icheon.page.wait_for_function(
        "(was) => Number(document.querySelector(\"[data-thing='s1'] [data-score]\").dataset.score) !== was",
        arg=first,
    )
    now = planned(icheon, address)["stands"][0]
    assert (now["lon"] - was["lon"]) * 88_300 == pytest.approx(-45, abs=4)
    assert (now["lat"] - was["lat"]) * 111_000 == pytest.approx(10, abs=4)
    fits(icheon)
    icheon.shot(f"festival-4-dragged-{lang}")

    # The second and the third by keyboard: put beside, moved by metres, turned.
    for id in ("s2", "s3"):
        icheon.page.focus('[data-act="add-stand"]')
        icheon.page.keyboard.press("Enter")
        icheon.page.focus('[data-act="add-here"]')
        icheon.page.keyboard.press("Enter")
        see(icheon, f'[data-stand="{id}"]').focus()
        icheon.page.keyboard.press("Shift+ArrowLeft")
        icheon.page.keyboard.press("Shift+ArrowLeft")
        icheon.page.keyboard.press("]")
        scored(icheon, id)
    icheon.page.wait_for_timeout(600)  # a key's hand rests
    stands = planned(icheon, address)["stands"]
    assert [one["id"] for one in stands] == ["s1", "s2", "s3"]
    assert stands[2]["heading_deg"] == pytest.approx((stands[1]["heading_deg"] + 5) % 360)

    # Outside of the agreement nothing is scored, and the column says whose it is.
    icheon.page.focus('[data-stand="s3"]')
    for _ in range(30):
        icheon.page.keyboard.press("Shift+ArrowDown")
    see(icheon, '[data-refusal][data-code="outside-area"]')
    assert words["outside"] in icheon.page.inner_text("[data-refusal]")
    for _ in range(30):
        icheon.page.keyboard.press("Shift+ArrowUp")
    icheon.page.wait_for_selector("[data-refusal]", state="detached")
    scored(icheon, "s3")

    # Who walks by at the hour, and the shade of it.
    press(icheon, "compute-footfall")
    see(icheon, '[data-act="ways"]')
    icheon.page.locator("[data-hour]").fill("15.5")
    assert words["sun"] in icheon.page.inner_text(".hour")
    assert 20 < icheon.value("twintown.state.events.sun.altitude") < 45
    icheon.page.click('[data-thing="s1"]')
    icheon.page.wait_for_function("() => document.querySelector('[data-stand=\"s1\"] .chart .now .bar')")
    icheon.page.click('[data-view="slant"]')
    fits(icheon)
    icheon.shot(f"festival-5-hour-{lang}")
    assert planned(icheon, address)["findings"] == []

    # Proposed; Seoul sees it on its own ground, fills in its part; Icheon signs.
    press(icheon, "propose")
    for name, value in (("owner", "김이천"), ("department", "공연전시팀"), ("budget", "40000000")):
        icheon.page.fill(f'[data-ours="{name}"]', value)
    fits(icheon)
    press(icheon, "joint-say")
    see(icheon, '[data-event-state][data-state="proposed"]')
    id = icheon.value("twintown.state.events.at.id")
    seoul = column(visit, "jamsil", lang, **BIG)
    seoul.ready()
    see(seoul, f'[data-event="{id}"]').click()
    see(seoul, '[data-act="sign"]')
    fits(seoul)
    seoul.shot(f"festival-6-proposed-{lang}")
    press(seoul, "show-ground")
    see(seoul, '[data-thing="s3"]')
    scored(seoul, "s3")
    assert seoul.value("twintown.state.exchange.away") is None
    assert seoul.page.locator('[data-act="add-stand"]').count() == 0  # it is Icheon's to write
    seoul.page.click('[data-thing="s1"]')
    seoul.page.click('[data-view="slant"]')
    seoul.page.locator("[data-hour]").fill("15.5")
    seoul.page.wait_for_function(
        "() => twintown.clock.at.minute === 930 && twintown.clock.at.date === '2027-09-18'"
    )
    seoul.settled()
    fits(seoul)
    seoul.shot(f"festival-7-own-ground-{lang}")
    press(seoul, "sign")
    for name, value in (("owner", "박서울"), ("department", "행사장 담당"), ("budget", "5000000")):
        seoul.page.fill(f'[data-ours="{name}"]', value)
    press(seoul, "joint-say")
    see(seoul, '[data-joint-box][data-turn="theirs"]')
    see(icheon, '[data-joint-box][data-turn="ours"]')
    press(icheon, "sign")
    press(icheon, "joint-say")
    for one in (icheon, seoul):
        see(one, '[data-event-state][data-state="agreed"]')
        see(one, '[data-signature="ours"]')
        see(one, '[data-signature="theirs"]')
        fits(one)
        one.page.locator("[data-joint-box]").scroll_into_view_if_needed()
    icheon.shot(f"festival-8-signed-{lang}")
    mine, theirs = (call(address, f"/twins/{twin}/events/{id}/joint") for twin in ("icheon", "jamsil"))
    assert mine["stands"]["document"] == theirs["stands"]["document"]
    assert [len(one["stands"]["document"]["matter"]["body"]["stands"]) for one in (mine, theirs)] == [3, 3]
    for one in (icheon, seoul):
        assert [c for c in one.complaints if not re.search(r"status of 4\d\d ", c)] == []

    # The same on a phone.
    small = column(visit, "icheon", lang, f"event/{id}", **PHONE)
    see(small, "[data-visitors] svg")
    fits(small)
    small.shot(f"festival-9-phone-{lang}")
    press(small, "show-ground")
    see(small, '[data-thing="s1"]').click()
    see(small, '[data-stand="s1"] [data-part="footfall"]')
    fits(small)
    small.shot(f"festival-10-phone-ground-{lang}")


@pytest.mark.parametrize("lang", ["ko"])
def test_seoul_offers_the_venue_and_icheon_asks_for_it_in_the_column(
    visit: Open, address: str, lang: str
) -> None:
    seoul = column(visit, "jamsil", lang, **BIG)
    see(seoul, "[data-venues]")
    press(seoul, "offer-venue")
    see(seoul, '[data-field="offer-venue"]')
    seoul.page.select_option('[data-field="offer-venue"]', label=VENUE[lang])
    fits(seoul)
    press(seoul, "send-venue")
    see(seoul, '[data-venue-sent][data-state="waiting"]')
    seoul.page.fill("[data-venue-why]", "행사장 부서에서 검토했습니다.")
    fits(seoul)
    seoul.page.locator("[data-venue-sent]").scroll_into_view_if_needed()
    seoul.shot("festival-20-gate")
    press(seoul, "grant-venue")
    see(seoul, '[data-venue-sent][data-state="offered"]')

    icheon = column(visit, "icheon", lang, **BIG)
    see(icheon, "[data-venue-offer]")
    fits(icheon)
    icheon.shot("festival-21-offered")
    press(icheon, "ask-venue")
    see(icheon, '#exchange-dock [data-deal-state][data-state="REQUESTED"]')
    (deal,) = until(lambda: call(address, "/twins/jamsil/negotiations")["negotiations"])
    assert deal["terms"]["purposes"] == ["joint-event"]
    call(address, f"/twins/jamsil/negotiations/{deal['pid']}/agree", {})
    see(icheon, '#exchange-dock [data-deal-state][data-state="FINALIZED"]')
    icheon.page.locator(".tool.events").click()
    see(icheon, "[data-venues] [data-agreement]")
    assert icheon.page.locator("#exchange-dock").count() == 0  # one column at a time


def test_a_calendar_comes_in_and_goes_out_and_a_listing_is_nobodys_to_change(
    visit: Open, address: str
) -> None:
    one = column(visit, "jamsil", "en", **PHONE)
    see(one, "[data-month]")
    one.page.locator("[data-month]").first.click()
    fits(one)
    one.shot("festival-30-phone-list")
    ics = "\r\n".join(
        ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//y//EN", "BEGIN:VEVENT", "UID:rice@x", "DTSTAMP:20261122T000000Z",
         "DTSTART:20270918T020000Z", "DTEND:20270918T100000Z", "SUMMARY:New rice by the lake", f"GEO:{LAT};{LON}", "END:VEVENT",
         "END:VCALENDAR", ""]
    )  # fmt: skip
    one.page.locator('[data-act="ics-in"]').set_input_files(
        {"name": "rice.ics", "mimeType": "text/calendar", "buffer": ics.encode()}
    )
    see(one, "[data-imported]")
    see(one, '[data-group="coming"] [data-event^="ev-"]')
    one.page.locator('[data-group="listed"] [data-event]').first.click()
    see(one, '[data-event-state][data-state="listed"]')
    assert one.page.locator('[data-act="edit-event"]').count() == 0
    fits(one)
    with pytest.raises(urllib.error.HTTPError) as refused:
        call(address, f"/twins/jamsil/events/{one.value('twintown.state.events.at.id')}/proposal", {})
    assert 400 <= refused.value.code < 500
    one.page.keyboard.press("Escape")
    see(one, "[data-month]")
    assert one.complaints == []
