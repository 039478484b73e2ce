"""The work plan in the page: Seoul proposes a joint programme, Icheon asks for a change, both sign, one changes it again, one ends it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .test_handshake import address, column, press, see
from .test_result import call

__all__ = ["address"]
pytestmark = pytest.mark.slow
Open = Callable[..., Any]
BIG = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
#: What the page says: whose turn it is, where it stands in the plan, that something is marked, by whom it is, that it is over.
WORDS = {
    "ko": {
        "ours": "우리 차례", "waiting": "우리 답을 기다리는 제안", "marked": "군데를 표시", "by": "의 제안", "ended": "끝남",
    },
    "en": {
        "ours": "our turn", "waiting": "Waiting for our answer", "marked": "are marked", "by": "Proposed by", "ended": "ended",
    },
}  # fmt: skip
FIELDS = {
    "title-ko": "겨울길 함께 살피기", "title-en": "Winter streets, looked at together",
    "about-ko": "해마다 11월에 두 도시가 그늘진 길을 같은 방법으로 찾고 제설 기록과 견줍니다.",
    "about-en": "Each November both cities find shaded streets in the same way and compare them with their clearing records.",
    "ours-owner": "김하늘", "ours-department": "도로과", "ours-budget": "30000000", "theirs-budget": "20000000",
}  # fmt: skip


def state(one: Any, name: str) -> None:
    see(one, f'[data-joint-state][data-state="{name}"]')


def fits(one: Any) -> None:
    """Nothing lies beside the screen, and nothing is wrong with it for whoever cannot see it."""
    assert one.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert one.faults() == []


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_seoul_proposes_icheon_asks_for_a_change_both_sign_and_what_stands_is_the_same(
    visit: Open, address: str, lang: str
) -> None:
    words = WORDS[lang]
    seoul = column(visit, "jamsil", lang, "workplan", **BIG)
    see(seoul, '[data-act="new-joint"]')
    press(seoul, "new-joint")
    see(seoul, "[data-joint-form]")
    for name, value in FIELDS.items():
        seoul.page.fill(f'[data-field="{name}"]', value)
    seoul.page.fill("[data-author]", "김하늘")
    fits(seoul)
    seoul.shot(f"workplan-1-form-{lang}")
    press(seoul, "send-joint")
    state(seoul, "proposed")
    see(seoul, "[data-open]")
    id = seoul.value("twintown.state.exchange.at.id")

    # Icheon finds it first in its plan, by whom it is, and cannot sign before it has said who answers for it there.
    icheon = column(visit, "icheon", lang, **BIG)
    see(icheon, f'[data-joint="{id}"]')  # among what waits for us, on the first page already
    icheon.shot(f"workplan-2-home-{lang}")
    icheon.page.click('[data-room="workplan"]')
    see(icheon, f'[data-section="waiting"] [data-joint="{id}"]')
    first = icheon.page.locator(".ex-page section").first
    assert first.get_attribute("data-section") == "waiting" and words["waiting"] in first.inner_text()
    assert words["by"] in icheon.page.inner_text(f'[data-joint="{id}"]')
    fits(icheon)
    icheon.shot(f"workplan-2-waiting-{lang}")
    icheon.page.click(f'[data-joint="{id}"]')
    state(icheon, "proposed")
    assert words["ours"] in icheon.page.inner_text("[data-joint-state]")
    assert words["by"] in icheon.page.inner_text("[data-open] h3")
    assert icheon.page.locator('[data-act="jp-agree"]').count() == 0
    press(icheon, "jp-propose")
    icheon.page.fill('[data-field="ours-owner"]', "박이천")
    icheon.page.fill('[data-field="ours-department"]', "스마트도시팀")
    icheon.page.fill('[data-field="ours-budget"]', "15000000")
    icheon.page.fill('[data-field="review"]', icheon.page.input_value('[data-field="end"]'))
    fits(icheon)
    press(icheon, "send-joint")
    see(icheon, '[data-joint-state][data-turn="theirs"]')

    # Seoul sees what was changed, marked, and signs.
    see(seoul, '[data-joint-state][data-turn="ours"]')
    assert words["marked"] in seoul.page.inner_text("[data-marked]")
    found = {
        e.get_attribute("data-changed") for e in seoul.page.query_selector_all("[data-open] [data-changed]")
    }
    assert found == {"theirs.owner", "theirs.department", "theirs.budget", "review"}
    assert "20,000,000" in seoul.page.inner_text('[data-changed="theirs.budget"] del')
    fits(seoul)
    seoul.shot(f"workplan-3-countered-{lang}")
    seoul.page.focus('[data-act="jp-agree"]')
    seoul.page.keyboard.press("Enter")
    see(seoul, "[data-joint-say]")
    press(seoul, "jp-say")
    state(seoul, "agreed")
    state(icheon, "agreed")
    for one in (seoul, icheon):
        see(one, '[data-signature="ours"]')
        see(one, '[data-signature="theirs"]')
        see(one, "[data-ledger-entry]")
    assert seoul.page.inner_text("[data-digest]") == icheon.page.inner_text("[data-digest]")
    see(icheon, "[data-joint-ledger]", 30_000)
    assert "45,000,000" in icheon.page.inner_text("[data-stands] [data-together]")
    fits(icheon)
    icheon.page.locator("[data-stands]").scroll_into_view_if_needed()
    icheon.shot(f"workplan-4-agreed-{lang}")
    one, other = (call(address, f"/twins/{twin}/workplan/joint/{id}") for twin in ("jamsil", "icheon"))
    assert one["stands"]["document"] == other["stands"]["document"]
    assert {s["proof"]["proofValue"] for s in one["signatures"]} == {
        s["proof"]["proofValue"] for s in other["signatures"]
    }
    assert all(s["good"] for s in one["signatures"] + other["signatures"])

    # On a phone Icheon adds what the review found: what stands goes on standing until Seoul has agreed.
    small = column(visit, "icheon", lang, f"workplan/{id}", **PHONE)
    state(small, "agreed")
    fits(small)
    small.shot(f"workplan-5-phone-{lang}")
    press(small, "jp-propose")
    small.page.fill('[data-field="note-ko"]', "열 곳 가운데 여덟 곳이 맞았습니다.")
    small.page.select_option('[data-field="status"]', "running")
    press(small, "send-joint")
    state(small, "changing")
    see(seoul, '[data-joint-state][data-state="changing"][data-turn="ours"]')
    assert seoul.page.locator("[data-open] [data-changed='notes']").count() == 1
    fits(seoul)
    seoul.shot(f"workplan-6-changing-{lang}")
    press(seoul, "jp-decline")
    assert seoul.page.locator('[data-act="jp-say"]').is_disabled()  # the partner reads why
    seoul.page.fill("[data-reason]", "기록을 더 모읍시다.")
    press(seoul, "jp-say")
    state(seoul, "agreed")
    state(small, "agreed")
    assert "기록을 더 모읍시다." in small.page.inner_text(".history")
    press(small, "jp-end")
    small.page.fill("[data-reason]", "올해 예산이 없습니다.")
    press(small, "jp-say")
    state(small, "ended")
    state(seoul, "ended")
    assert words["ended"] in seoul.page.inner_text("[data-joint-state]")
    fits(small)
    small.shot(f"workplan-7-phone-ended-{lang}")
    seoul.page.click(".ex-back")
    see(seoul, f'[data-section="over"] [data-joint="{id}"]')
    for one in (seoul, icheon, small):
        assert [c for c in one.complaints if "status of 4" not in c] == []
