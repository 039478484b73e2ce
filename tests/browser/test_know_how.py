"""Know-how and common work in the page: a playbook says what lacks, runs where nothing does; a joint programme keeps all that was said."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import CITIES, REPOSITORY
from .test_handshake import address, column, press, see
from .test_result import call

__all__ = ["address"]
pytestmark = pytest.mark.slow
Open = Callable[..., Any]
BOOK = REPOSITORY / "playbooks" / "street-sun"
BIG = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
WORDS = {
    "ko": ("약속", "부족한 것 3가지", "길을 따라"),
    "en": ("convention", "lacks 3 things", "Along the streets"),
}


def twintown(*arguments: str) -> str:
    """What the command line says; its errors are the test's."""
    command = [str(Path(sys.executable).parent / "twintown"), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout


def package(folder: Path) -> tuple[Path, str]:
    """A package of the playbook, and the key that signed it: of a city that the served twins do not know."""
    twin = folder / "jamsil"
    shutil.copytree(
        CITIES[0],
        twin,
        ignore=shutil.ignore_patterns(".staging", "data", "tiles", "index", "layers", "signing.key"),
    )
    twintown("playbook", "export", str(twin), str(BOOK), "--out", str(folder / "street-sun.zip"))
    (key,) = re.findall(
        r"^key\s+(\S+)$", twintown("playbook", "show", str(folder / "street-sun.zip")), re.MULTILINE
    )
    return folder / "street-sun.zip", key


def complaints(one: Any) -> list[str]:
    """What the page complained of, but for the refusals that a test asks for."""
    return [c for c in one.complaints if "status of 4" not in c]


def test_a_playbook_is_installed_says_what_lacks_and_is_run_where_nothing_does(
    visit: Open, address: str, tmp_path: Path
) -> None:
    zipped, key = package(tmp_path)
    for twin in ("icheon", "jamsil"):  # the second one takes it on a phone
        one = column(visit, twin, "ko", "playbooks", **(BIG if twin == "icheon" else PHONE))
        see(one, "[data-install]").set_input_files(str(zipped))
        # Nobody here knows the signer: it is refused, until a person has compared the key.
        press(one, "install")
        see(one, ".install [role=alert]")
        one.page.fill("[data-accept]", key)
        press(one, "install")
        see(one, '[data-act="run"]')
        assert one.value("twintown.state.exchange.at.id") == "street-sun"
        if twin == "icheon":
            see(one, "[data-lacking]")
            for lang in ("ko", "en"):
                one.page.evaluate(f"() => (twintown.state.looks.lang = '{lang}')")
                one.page.wait_for_function(
                    "(words) => document.querySelector('[data-lacking]').innerText.includes(words)",
                    arg=WORDS[lang][1],
                )
                assert [e.get_attribute("data-lack") for e in one.page.query_selector_all("[data-lack]")] == [
                    "buildings",
                    "building-parts",
                    "roads",
                ]
                assert WORDS[lang][0] in one.page.inner_text('[data-threshold="sun"]')
                assert one.page.locator('[data-act="run"]').is_disabled()
                assert one.faults() == []
                one.shot(f"know-1-lacks-{lang}")
            continue
        see(one, "[data-complete]")
        assert one.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        one.shot("know-2-phone-ko")
        one.page.focus('[data-act="run"]')
        one.page.keyboard.press("Enter")
        see(one, "[data-running] [role=progressbar]")
        see(one, "[data-answer]")
        shaded = one.page.inner_text('[data-number="shaded-m"] dd')
        assert one.faults() == []
        one.shot("know-3-phone-answer-ko")
        assert complaints(one) == []

        # Whoever opens the column later finds the answer, in the other language too, and lays it on the ground.
        big = column(visit, "jamsil", "en", "playbooks/street-sun", **BIG)
        see(big, "[data-answer]")
        assert big.page.inner_text('[data-number="shaded-m"] dd') == shaded
        assert re.fullmatch(r"\d+(\.\d)? km", shaded)
        press(big, "lay-answer")
        see(big, "[data-legend]")
        assert big.value("twintown.state.ground.grid.url").startswith("answer:along-")
        big.settled()
        assert big.faults() == []
        big.shot("know-4-answer-en")
        press(big, "lay-sunlight-solar")
        see(big, '[data-act="lay-sunlight-solar"][aria-pressed="true"]')
        assert big.value("twintown.state.ground.grid.url").startswith("result:sunlight-solar-")
        press(big, "lay-answer")
        see(big, "[data-legend]")
        big.page.click('[data-place="0"]')
        # Without the legend no colours stay behind.
        big.page.click(".ex-back")
        see(big, "[data-playbook]")
        assert big.value("twintown.state.ground.grid") is None
        assert complaints(big) == []


def test_a_joint_programme_is_proposed_changed_agreed_and_reviewed_and_all_of_it_stays(
    visit: Open, address: str
) -> None:
    one = column(visit, "icheon", "ko", "workplan", **BIG)
    see(one, '[data-act="new-programme"]')
    press(one, "new-programme")
    see(one, "[data-programme-form]")
    fields = {
        "title-ko": "겨울길 함께 살피기", "title-en": "Winter streets, looked at together",
        "about-ko": "해마다 11월에 두 도시가 그늘진 길을 같은 방법으로 찾고 제설 기록과 견줍니다.",
        "about-en": "Each November both cities find shaded streets in the same way and compare them with their clearing records.",
        "owner": "김하늘", "department": "도로과", "partner": "송파구 도로과", "budget": "30000000",
    }  # fmt: skip
    for name, value in fields.items():
        one.page.fill(f'[data-field="{name}"]', value)
    one.page.fill("[data-author]", "김하늘")
    one.page.fill('[data-field="review"]', "2020-01-01")
    assert one.page.locator('[data-act="send-programme"]').is_disabled()  # a review before the start
    one.page.fill('[data-field="review"]', f"{one.page.input_value('[data-field=start]')[:4]}-11-30")
    assert one.faults() == []
    one.shot("know-5-form-ko")
    press(one, "send-programme")
    see(one, '[data-programme-state][data-state="proposed"]')

    press(one, "wp-propose")
    one.page.fill('[data-field="budget"]', "24000000")
    press(one, "send-programme")
    see(one, '[data-statement="1"]')
    assert "24,000,000" in one.page.inner_text('[data-statement="1"]')
    press(one, "wp-agree")
    press(one, "wp-say")
    see(one, '[data-programme-state][data-state="agreed"]')
    press(one, "wp-review")
    assert one.page.locator('[data-act="wp-say"]').is_disabled()  # a review says what it found
    one.page.fill("[data-text-ko]", "두 도시의 기록과 열 곳 가운데 여덟 곳이 맞았습니다.")
    press(one, "wp-say")
    see(one, '[data-programme-state][data-state="reviewed"]')
    assert [e.get_attribute("data-statement") for e in one.page.query_selector_all("[data-statement]")] == [
        "3",
        "2",
        "1",
        "0",
    ]
    assert "24,000,000" in one.page.inner_text("[data-sum]")
    assert one.faults() == []
    one.shot("know-6-programme-ko")
    one.page.keyboard.press("Escape")
    see(one, '[data-room="workplan"]').focus()
    one.page.keyboard.press("Enter")
    see(one, '[data-group="yearly"] [data-programme]')
    assert one.faults() == []
    one.shot("know-7-plan-ko")
    (plan,) = call(address, "/twins/icheon/workplan")["programmes"]
    assert [s["step"] for s in plan["statements"]] == ["propose", "propose", "agree", "review"]
    assert plan["statements"][0]["programme"]["budget"] == 30_000_000
    assert plan["statements"][3]["text"]["en"] == plan["statements"][3]["text"]["ko"]
    assert one.complaints == []

    # On a phone, in the other language.
    small = column(visit, "icheon", "en", "workplan", **PHONE)
    see(small, "[data-programme]")
    small.shot("know-8-phone-plan-en")
    small.page.click("[data-programme]")
    see(small, '[data-programme-state][data-state="reviewed"]')
    assert "KRW" in small.page.inner_text("[data-sum]")
    assert small.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert small.faults() == []
    small.shot("know-9-phone-programme-en")
    assert small.complaints == []
