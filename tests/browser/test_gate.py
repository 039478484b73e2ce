"""The release gate in the page: what it refuses is remedied, what a remedy would leave is looked at first, and a person decides.

The server works on copies of the demo twins; invented terrain, blocks and people (synthetic, labelled so) are laid into one of them.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.exchange.synthetic import X, Y, blocks, outline, put, rows, terrain

from twintown.trust.grades import Grade
from twintown.twin.layers import Twin

from .conftest import CITIES, PATIENCE_MS, REPOSITORY, serving
from .test_handshake import column, go, press, see
from .test_result import _linked

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.slow
Open = Callable[..., Any]
BIG = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
PASSWORD = "a-long-one-for-the-test"
SITE = f"""
[[release.sites]]
id = "invented-depot"
title = {{ ko = "지어낸 창고 (합성)", en = "Invented depot (synthetic)" }}
outline = {outline(X + 118, Y + 498, X + 152, Y + 512)}
example = true
"""
WORDS = {
    "ko": {
        "depot": "지어낸 창고", "none": "남는 것이 없습니다", "rule": "개인을 바로 알아보는 값", "others": "보안 담당이 합니다",
    },
    "en": {
        "depot": "Invented depot", "none": "Nothing would be left", "rule": "Direct identifiers", "others": "security officer applies",
    },
}  # fmt: skip
BOTH = pytest.mark.parametrize("lang", ["ko", "en"])


def people() -> Any:
    """Forty invented people with invented names, each of them one of ten."""
    return rows(
        {
            "full_name": [f"Invented Person {n}" for n in range(40)], "age_group": [("30s", "60s")[n % 2] for n in range(40)],
            "sex": [("f", "m")[n // 2 % 2] for n in range(40)], "trips": [n % 7 for n in range(40)],
        }
    )  # fmt: skip


@pytest.fixture
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server of copies of the demo twins, where people have their roles, with layers that the gate has words about."""
    if not (Path(os.environ.get("TWINTOWN_WEB", REPOSITORY / "web" / "dist")) / "index.html").exists():
        pytest.skip("the page is not built: make web")
    if not all((city / "state.db").exists() for city in CITIES):
        pytest.skip("the demo twins are not built: make demo-build")
    folder = tmp_path_factory.mktemp("gate")
    apart = shutil.ignore_patterns(".staging", "data", "peers.toml")
    for city in CITIES:
        shutil.copytree(city, folder / city.name, copy_function=_linked, ignore=apart)
    settings = folder / "jamsil" / "twintown.toml"
    said = settings.read_text(encoding="utf-8")
    said = re.sub(r'^(share|release) = "anyone"', r'\1 = "people"', said, flags=re.MULTILINE)
    settings.write_text(said + SITE, encoding="utf-8")
    twin = Twin.open(folder / "jamsil", read_only=False)
    put(
        twin,
        {
            "synthetic-terrain": (terrain(5, 120, 300), Grade.S), "synthetic-blocks": (blocks(12), Grade.S),
            "synthetic-people": (people(), Grade.S),
        },
    )  # fmt: skip
    twin.tables.engine.dispose()
    program = str(Path(sys.executable).parent / "twintown")
    for name, *roles in (("Kim", "partner", "engineer"), ("Lee", "partner", "security")):
        account = [program, "account", "add", str(folder / "jamsil"), "--name", name]
        account += [part for role in roles for part in ("--role", role)]
        subprocess.run(account, input=PASSWORD, text=True, check=True, capture_output=True)
    with serving(*(folder / c.name for c in CITIES), options=["--partners"]) as address:
        yield address


def as_officer(visit: Open, name: str, lang: str, spot: str, **options: Any) -> Any:
    """The column of partners of Jamsil, for somebody who has signed in."""
    one = column(visit, "jamsil", lang, spot, **options)
    said = one.page.request.post(
        f"{one.address}/twins/jamsil/session", data={"name": name, "password": PASSWORD}
    )
    assert said.ok, said.text()
    one.page.reload(wait_until="load")
    one.page.wait_for_selector("#exchange-dock .ex-page")
    one.ready()
    return one


def ask(one: Any, layer: str, audience: str) -> Any:
    """A question to the gate, asked by whoever is signed in to the page."""
    me = one.page.request.get(f"{one.address}/twins/jamsil/session").json()
    made = one.page.request.post(
        f"{one.address}/twins/jamsil/releases",
        data={"asset": f"layer:{layer}", "audience": audience},
        headers={"twintown-csrf": me.get("csrf") or ""},
        timeout=PATIENCE_MS,
    )
    assert made.ok, made.text()
    return made.json()


def card(one: Any, layer: str) -> Any:
    """The card of a layer's question."""
    see(one, f'[data-release="layer:{layer}"]')
    return one.page.locator(f'[data-release="layer:{layer}"]').last


def previewed(inside: Any) -> None:
    inside.locator("[data-preview]:not(.stale)").first.wait_for()


def decide(one: Any, layer: str) -> None:
    """A person lets it go, with a reason."""
    inside = card(one, layer)
    inside.locator("[data-gate-why]").fill("The invented data is for a demonstration.")
    inside.locator('[data-act="grant"]').click()
    see(one, f'[data-release="layer:{layer}"][data-state="granted"]')


@BOTH
def test_what_the_gate_refuses_is_made_coarse_looked_at_first_and_decided_about(
    visit: Open, address: str, lang: str
) -> None:
    words = WORDS[lang]
    # Who shares looks at what a remedy would leave, and cannot apply it.
    kim = as_officer(visit, "Kim", lang, "gate", **PHONE)
    assert ask(kim, "synthetic-terrain", "anyone")["state"] == "refused"
    kim.page.reload(wait_until="load")
    inside = card(kim, "synthetic-terrain")
    inside.locator('[data-remedy="coarsen"] [data-act="preview"]').click()
    previewed(inside)
    assert words["others"] in inside.locator("[data-not-mine]").inner_text()
    assert inside.locator('[data-act="apply-remedy"]').count() == 0
    inside.locator("[data-sketch]").scroll_into_view_if_needed()
    assert kim.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert kim.faults() == []
    kim.shot(f"gate-1-phone-{lang}")

    # Who releases sees before and after, in numbers and drawn in one box, and may ask for more.
    lee = as_officer(visit, "Lee", lang, "gate", **BIG)
    inside = card(lee, "synthetic-terrain")
    preview = inside.locator('[data-remedy="coarsen"] [data-act="preview"]')
    preview.focus()
    lee.page.keyboard.press("Enter")
    previewed(inside)
    assert preview.get_attribute("aria-expanded") == "true"
    line = inside.locator('[data-number="cell"] td')
    assert [one.strip() for one in line.all_inner_texts()] == ["5 m", "90 m"]
    assert inside.locator("[data-verdict]").get_attribute("data-verdict") == "needs-decision"
    for side in ("before", "after"):
        href = inside.locator(f'[data-side="{side}"] image').get_attribute("href")
        assert href and href.startswith("data:image/png;base64,")
    inside.locator("[data-sketch]").scroll_into_view_if_needed()
    assert lee.faults() == []
    lee.shot(f"gate-2-coarsen-{lang}")
    # What cannot be is said before it is asked, what leaves nothing is said in words of the page.
    cell = inside.locator('[data-parameter="cell_m"]')
    cell.fill("4")
    assert inside.locator('[data-act="look-again"]').is_disabled()
    assert inside.locator('[data-act="apply-remedy"]').is_disabled()
    cell.fill("5000")
    inside.locator('[data-act="look-again"]').click()
    inside.locator("[data-remedy-trouble]").wait_for()
    assert words["none"] in inside.locator("[data-remedy-trouble]").inner_text()
    assert lee.faults() == []
    lee.shot(f"gate-3-trouble-{lang}")
    cell.fill("150")
    inside.locator('[data-act="look-again"]').click()
    previewed(inside)
    assert inside.locator('[data-number="cell"] td').last.inner_text() == "150 m"
    inside.locator('[data-act="apply-remedy"]').click()
    # The new layer is a question of its own, to which the page leads.
    new = "synthetic-terrain-release-1"
    see(lee, f'[data-release="layer:{new}"][data-state="waiting"]:focus')
    assert see(lee, "[data-made]")
    lee.shot(f"gate-4-applied-{lang}")
    decide(lee, new)
    assert card(lee, "synthetic-terrain").get_attribute("data-state") == "refused"
    assert lee.faults() == []
    lee.shot(f"gate-5-decided-{lang}")
    told = lee.page.request.get(f"{address}/twins/jamsil/collections/{new}").json()
    assert told["id"] == new
    assert [c for c in lee.complaints if "status of 4" not in c] == []


@BOTH
def test_what_an_offer_may_not_hold_is_replaced_by_what_a_remedy_made_of_it(
    visit: Open, address: str, lang: str
) -> None:
    words = WORDS[lang]
    one = as_officer(visit, "Lee", lang, "offer", **BIG)
    one.page.locator('input[name="offer-to"]').first.check()
    see(one, '[data-asset="layer:synthetic-people"]').click()
    press(one, "gate")
    inside = card(one, "synthetic-people")
    assert inside.get_attribute("data-state") == "refused"
    assert words["rule"] in inside.inner_text()
    inside.locator('[data-remedy="withhold"] [data-act="preview"]').first.click()
    previewed(inside)
    assert inside.locator("[data-gone] s").inner_text() == "full_name"
    inside.locator("[data-preview]").scroll_into_view_if_needed()
    assert one.faults() == []
    one.shot(f"gate-6-offer-{lang}")
    inside.locator('[data-act="apply-remedy"]').click()
    made = "synthetic-people-release-1"
    see(one, f'[data-release="layer:{made}"][data-state="waiting"]')
    one.page.locator('[data-act="replace-asset"]').scroll_into_view_if_needed()
    one.shot(f"gate-7-made-{lang}")
    press(one, "replace-asset")
    one.page.wait_for_function(
        "(made) => [...document.querySelectorAll('.gate > [data-release]')].map(c => c.dataset.release).join() === made",
        arg=f"layer:{made}",
    )
    assert one.page.locator(f'[data-asset="layer:{made}"]').is_checked()
    assert not one.page.locator('[data-asset="layer:synthetic-people"]').is_checked()
    assert one.faults() == []
    one.page.locator('[data-asset="layer:synthetic-blocks"]').check()
    press(one, "send-offer")

    # The offer waits. What it holds of a restricted site is masked, and the offer is made again without it.
    see(one, '[data-offer-state="waiting"]')
    inside = card(one, "synthetic-blocks")
    assert words["depot"] in inside.inner_text()
    inside.locator('[data-remedy="mask"] [data-act="preview"]').click()
    previewed(inside)
    told = [one.strip() for one in inside.locator('[data-number="rows"] td').all_inner_texts()]
    assert told == ["12", "10"]
    assert (
        inside.locator('[data-side="before"] path').count()
        > inside.locator('[data-side="after"] path').count()
    )
    inside.locator("[data-sketch]").scroll_into_view_if_needed()
    assert one.faults() == []
    one.shot(f"gate-8-mask-{lang}")
    inside.locator('[data-act="apply-remedy"]').click()
    press(one, "replace-asset")
    masked = "synthetic-blocks-release-1"
    see(one, f'.ex-page > [data-release="layer:{masked}"]')
    for layer in (made, masked):
        decide(one, layer)
    see(one, '[data-offer-state="offered"]')
    assert one.faults() == []
    one.shot(f"gate-9-offered-{lang}")
    offers = one.page.request.get(f"{address}/twins/jamsil/offers").json()["offers"]
    assert sorted(o["state"] for o in offers) == ["offered", "withdrawn"]
    assert offers[0]["terms"]["assets"] == [f"layer:{made}", f"layer:{masked}"]
    go(one, "home")
    assert [c for c in one.complaints if "status of 4" not in c] == []
