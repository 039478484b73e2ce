"""The handshake in the page: Seoul offers a plan and its sun, Icheon asks for less, both sign, Icheon sees and computes, Seoul stops it.

The server works on copies of the demo twins with each other's keys pinned, as `make demo` serves them.
"""

from __future__ import annotations

import os
import re
import shutil
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import CITIES, PATIENCE_MS, REPOSITORY, serving
from .test_result import _linked, call, slab

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.slow
Open = Callable[..., Any]
WORDS = {
    "ko": {"refused": "범위를 벗어납니다", "odbl": "ODbL", "suspended": "정지", "stopped": "협약이 정지"},
    "en": {"refused": "outside the area", "odbl": "ODbL", "suspended": "suspended", "stopped": "is suspended"},
}  # fmt: skip
#: Coarse enough to be quick.
CELL = "8"


@pytest.fixture
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server of copies of the two demo twins, which pin each other's keys."""
    if not (Path(os.environ.get("TWINTOWN_WEB", REPOSITORY / "web" / "dist")) / "index.html").exists():
        pytest.skip("the page is not built: make web")
    if not all((city / "state.db").exists() for city in CITIES):
        pytest.skip("the demo twins are not built: make demo-build")
    folder = tmp_path_factory.mktemp("cities")
    apart = shutil.ignore_patterns(".staging", "data", "peers.toml")
    for city in CITIES:
        shutil.copytree(city, folder / city.name, copy_function=_linked, ignore=apart)
    with serving(*(folder / c.name for c in CITIES), options=["--partners"]) as address:
        yield address


def column(visit: Open, twin: str, lang: str, spot: str = "", **options: Any) -> Any:
    """The page of a twin with the column of partners open."""
    one = visit(f"?twin={twin}&lang={lang}&t=12:00&lite=1&partners={spot}", **options)
    one.page.wait_for_selector("#exchange-dock .ex-page")
    if twin == "jamsil":
        one.ready()
    return one


def go(one: Any, page: str, id: str = "") -> None:
    one.page.evaluate(f"() => (twintown.state.exchange.at = {{page: '{page}', id: '{id}'}})")


def press(one: Any, name: str) -> None:
    one.page.locator(f'#exchange-dock [data-act="{name}"]').first.click()


def see(one: Any, selector: str, timeout: float = PATIENCE_MS) -> Any:
    return one.page.wait_for_selector(selector, timeout=timeout)


def drag(one: Any, selector: str, a: tuple[float, float], b: tuple[float, float]) -> None:
    """A box drawn on a small map, from one share of its sides to another."""
    one.page.locator(selector).scroll_into_view_if_needed()
    box = one.page.locator(selector).bounding_box()
    one.page.mouse.move(box["x"] + a[0] * box["width"], box["y"] + a[1] * box["height"])
    one.page.mouse.down()
    one.page.mouse.move(box["x"] + b[0] * box["width"], box["y"] + b[1] * box["height"], steps=4)
    one.page.mouse.up()


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_seoul_offers_icheon_counters_both_sign_icheon_sees_and_computes_and_seoul_stops_it(
    visit: Open, address: str, lang: str
) -> None:
    words = WORDS[lang]
    big: dict[str, Any] = {"width": 1440, "height": 900}
    plan = slab(address, "Slab by the lake", 70, 14)

    # Seoul offers a plan of its own making, and its sun, for a part of the city.
    seoul = column(visit, "jamsil", lang, **big)
    see(seoul, '[data-peer="icheon"]')
    assert seoul.faults() == []
    seoul.shot(f"handshake-1-home-{lang}")
    press(seoul, "offer")
    see(seoul, f'[data-asset="scenario:{plan}"]').click()
    seoul.page.click('[data-asset="process:sunlight"]')
    # The area: by a hand on the ground, then to scale on the small map.
    press(seoul, "draw")
    seoul.page.wait_for_function("() => twintown.viewer.canvas.style.cursor === 'crosshair'")
    drag(seoul, "#scene canvas", (0.45, 0.5), (0.7, 0.72))
    seoul.page.wait_for_function("() => !twintown.state.exchange.drawing && twintown.state.exchange.box")
    drawn = seoul.value("twintown.state.exchange.box")
    assert drawn[0] < drawn[2] < 127.12
    seoul.shot(f"handshake-1-drawn-{lang}")
    drag(seoul, "svg.map", (0.22, 0.25), (0.8, 0.94))
    assert seoul.value("twintown.state.exchange.box") != drawn
    # What is made from OpenStreetMap may be shared on by whoever gets it: the gate says so, with the clause.
    seoul.page.check('[data-term-field="no_resharing"]')
    press(seoul, "gate")
    see(seoul, '[data-release][data-state="refused"]')
    assert words["odbl"] in seoul.page.inner_text(".gate")
    assert seoul.page.locator('[data-act="send-offer"]').is_disabled()
    seoul.page.locator(".gate").scroll_into_view_if_needed()
    seoul.shot(f"handshake-2-gate-{lang}")
    seoul.page.uncheck('[data-term-field="no_resharing"]')
    assert seoul.faults() == []
    press(seoul, "send-offer")
    # What the gate leaves to a person, a person decides: a purpose limits what ODbL lets go.
    see(seoul, "[data-offer-state]")
    while seoul.page.locator("[data-gate-why]").count():
        seoul.page.locator("[data-gate-why]").first.fill("A demonstration between the two cities.")
        waiting = seoul.page.locator("[data-gate-why]").count()
        press(seoul, "grant")
        seoul.page.wait_for_function(f"() => document.querySelectorAll('[data-gate-why]').length < {waiting}")
    see(seoul, '[data-offer-state="offered"]')
    seoul.shot(f"handshake-2-offered-{lang}")
    (offer,) = call(address, "/twins/jamsil/offers")["offers"]

    # Icheon reads it as a contract, and asks for less.
    icheon = column(visit, "icheon", lang, "peer/jamsil", **big)
    see(icheon, "[data-dataset] .contract")
    icheon.shot(f"handshake-3-offered-{lang}")
    assert icheon.faults() == []
    press(icheon, "counter")
    drag(icheon, "svg.map", (0.2, 0.3), (0.62, 0.96))
    icheon.page.fill('[data-term-field="until"]', "2027-06-30")
    icheon.page.locator('[data-term-field="until"]').dispatch_event("change")
    press(icheon, "send-counter")
    see(icheon, '[data-deal-state][data-state="REQUESTED"]')

    # Seoul sees what changed, marked, and signs.
    go(seoul, "home")
    see(seoul, "[data-deal]").click()
    see(seoul, '[data-term="area"]')
    seoul.shot(f"handshake-4-countered-{lang}")
    asked = call(address, "/twins/jamsil/negotiations")["negotiations"][0]
    assert asked["state"] == "REQUESTED"
    assert asked["terms"]["area"][2] < offer["terms"]["area"][2]
    assert asked["terms"]["until"].startswith("2027-06-30T14:59:59")  # the last second of the day in Korea
    assert seoul.faults() == []
    press(seoul, "agree")
    see(seoul, '[data-deal-state][data-state="FINALIZED"]')
    see(icheon, '[data-deal-state][data-state="FINALIZED"]')
    icheon.shot(f"handshake-5-signed-{lang}")

    # Icheon sees the plan, marked as Seoul's, in Seoul's place.
    press(icheon, "open-agreement")
    see(icheon, '[data-agreement-state][data-state="active"]')
    see(icheon, "[data-their-layer]")
    press(icheon, "show-theirs")
    see(icheon, "[data-theirs]")
    icheon.page.wait_for_function("() => twintown.viewer.scene.globe.tilesLoaded")
    assert icheon.value("twintown.state.exchange.theirs[0].solids.length") >= 1
    assert icheon.value("twintown.state.exchange.away.gone") is True
    assert icheon.faults() == []
    icheon.shot(f"handshake-6-theirs-{lang}")

    # What lies outside the agreement is refused, in words.
    press(icheon, "ask-part")
    drag(icheon, ".part svg.map", (0.70, 0.08), (0.80, 0.25))
    press(icheon, "fetch-part")
    refused = see(icheon, "[data-refused]")
    assert refused.get_attribute("data-refused") == "outside-area"
    assert words["refused"] in refused.inner_text()
    icheon.shot(f"handshake-7-refused-{lang}")

    # The computation goes to the data; its result comes back.
    press(icheon, "open-process")
    see(icheon, "[data-their-process] .form")
    icheon.page.click("[data-their-process] .form details summary")
    icheon.page.fill("#f-cell_m", CELL)
    icheon.page.click("[data-their-process] .form .go button")
    see(icheon, "[data-their-run]")
    see(icheon, '[data-act="show-result"]')
    press(icheon, "show-result")
    see(icheon, "[data-theirs] .ramp")
    icheon.page.wait_for_function("() => twintown.viewer.scene.globe.tilesLoaded")
    icheon.shot(f"handshake-8-result-{lang}")
    press(icheon, "manifest")
    assert "eddsa-jcs-2022" in see(icheon, ".evidence").inner_text()
    assert icheon.faults() == []
    icheon.shot(f"handshake-9-manifest-{lang}")
    icheon.page.keyboard.press("Escape")

    # The red button: asked why, asked once more, and it is stopped on both sides.
    press(seoul, "open-agreement")
    press(seoul, "red")
    seoul.page.fill("[data-red-why]", "A drill: the plan has changed.")
    seoul.shot(f"handshake-10-red-{lang}")
    press(seoul, "red-next")
    press(seoul, "red-sure")
    see(seoul, '[data-stopped="suspended"]')
    assert seoul.faults() == []
    seoul.shot(f"handshake-11-stopped-{lang}")
    see(icheon, '[data-stopped="suspended"]')
    icheon.page.wait_for_selector("[data-theirs]", state="detached")
    assert icheon.value("twintown.state.exchange.theirs.length") == 0
    icheon.shot(f"handshake-12-stopped-there-{lang}")

    # Both ledgers prove it: computed in each page, signed by one city and cosigned by the other.
    for one, name in ((seoul, "seoul"), (icheon, "icheon")):
        for kind in ("agreement", "suspension"):
            see(one, f'[data-proofs] [data-kind="{kind}"]')
        cosigned(one, address, "jamsil" if name == "seoul" else "icheon")
        press(one, "prove-all")
        one.page.wait_for_function(
            "() => { const all = [...document.querySelectorAll('[data-proofs] [data-entry]')];"
            " return all.length > 1 && all.every((e) => e.dataset.proved === 'true'); }"
        )
        one.page.locator("[data-proofs]").scroll_into_view_if_needed()
        assert one.faults() == []
        one.shot(f"handshake-13-ledger-{name}-{lang}")
        # What was refused was meant to be; nothing else may fail.
        assert [c for c in one.complaints if not re.search(r"status of 40[134] ", c)] == []


def cosigned(one: Any, address: str, twin: str) -> None:
    """Until the newest entry of a ledger stands in a checkpoint that the other city has cosigned."""
    one.page.wait_for_function(
        """async (path) => {
          const said = await (await fetch(path + "/entries")).json();
          if (said.in_tree < said.size) return false;
          const proof = await (await fetch(`${path}/proof?entry=${said.size - 1}`)).json();
          return proof.cosignatures?.some((c) => c.good);
        }""",
        arg=f"{address}/twins/{twin}/ledger",
        polling=500,
    )


def test_the_column_is_reached_by_keyboard_on_a_phone_and_says_what_is_not_there(
    visit: Open, address: str
) -> None:
    one = column(visit, "icheon", "ko", width=390, height=844)
    see(one, '[data-peer="jamsil"]')
    one.page.focus('[data-peer="jamsil"]')
    one.page.keyboard.press("Enter")
    see(one, ".ex-head h2")
    assert one.value("document.activeElement.tagName") == "H2"
    one.page.keyboard.press("Escape")
    see(one, '[data-act="offer"]')
    assert one.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert one.faults() == []
    one.shot("handshake-20-phone")
    press(one, "offer")
    see(one, "svg.map").focus()
    one.page.keyboard.press("ArrowLeft")
    assert one.value("twintown.state.exchange.box[2]") < one.value(
        "twintown.state.twins.current.bounds_lonlat[2]"
    )
    assert one.faults() == []
    one.shot("handshake-21-phone-offer")
    with urllib.request.urlopen(f"{address}/twins/icheon/peers", timeout=60) as answer:
        assert answer.status == 200
    assert one.complaints == []
