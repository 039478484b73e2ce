"""A plan made by hand in the page: drawn, pulled, dragged, taken back, talked about; by one person and by two at once."""

from __future__ import annotations

import json
import os
import re
import shutil
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.scenario.test_files import box, glb

from .conftest import CITIES, PATIENCE_MS, REPOSITORY, Visit, serving

#: An open lawn by the lake, looked at from the south.
VIEW = "twin=jamsil&lang=ko&t=14:30&cam=127.1012,37.5050,420,12,-33"
RING = [[209019.4, 545554.5], [209097.3, 545542.6], [209100.9, 545564.4], [209023.5, 545576.9]]
#: Where the pictures on the scene are: the grip on the roof, the knob of the ring.
GRIPS = """() => {
  const scene = twintown.viewer.scene, found = {};
  for (let i = 0; i < scene.primitives.length; i++) {
    const all = scene.primitives.get(i);
    for (let k = 0; k < (all.length ?? 0); k++) {
      const one = all.get(k), at = one.show && one.image && one.computeScreenSpacePosition(scene);
      if (at) found[one.image] = [at.x, at.y];
    }
  }
  return found;
}"""
SLAB = {"op": "add", "object": "new/9550f376", "outline": RING, "height_m": 45, "name": "판상형 101동"}


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the demo city, because plans are written into it."""
    if not (REPOSITORY / "web" / "dist" / "index.html").exists() and "TWINTOWN_WEB" not in os.environ:
        pytest.skip("the page is not built: make web")
    source = CITIES[0]
    if not (source / "state.db").exists():
        pytest.skip("the demo twins are not built: make demo-build")
    city = tmp_path_factory.mktemp("cities") / source.name

    def place(src: str, dst: str) -> str:
        name = Path(src).name
        if "state.db" in name or name.endswith((".toml", ".token")):
            return shutil.copy2(src, dst)
        try:
            os.link(src, dst)  # layers and tiles are never written over
        except OSError:
            shutil.copy2(src, dst)
        return dst

    shutil.copytree(source, city, copy_function=place)
    about = city / "twintown.toml"
    if "[access]" not in about.read_text(encoding="utf-8"):
        about.write_text(
            about.read_text(encoding="utf-8") + '\n[access]\nplan = "anyone"\n', encoding="utf-8"
        )
    return city


@pytest.fixture(scope="module")
def address(city: Path) -> Iterator[str]:
    """A server of the copy."""
    with serving(city) as address:
        yield address


def ask(address: str, path: str, body: Any = None) -> Any:
    """One question of the server, as another program would put it."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        f"{address}/twins/jamsil{path}", data, {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.load(answer)


def scenario_with_a_slab(address: str, name: str) -> dict[str, Any]:
    made: dict[str, Any] = ask(address, "/scenarios", {"name": name, "author": "김도현"})
    body = {"edits": [SLAB], "seen": made["revision"], "client": "other", "author": "김도현"}
    ask(address, f"/scenarios/{made['id']}/edits", body)
    return made


def until(one: Visit, expression: str) -> None:
    one.page.wait_for_function(f"() => {expression}", timeout=PATIENCE_MS)


def planned(one: Visit) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = one.value("twintown.state.plan.current?.edits.map((e) => e.edit) ?? []")
    return found


def open_plan(visit: Callable[..., Visit], scenario: str, **options: Any) -> Visit:
    one = visit(f"?{VIEW}&plan={scenario}", **options)
    one.ready()
    until(one, "twintown.state.plan.current")
    one.page.wait_for_selector(".tools")
    return one


def test_a_building_is_drawn_by_clicks_raised_by_number_and_answers_with_its_sun(
    visit: Callable[..., Visit], address: str
) -> None:
    one = visit(f"?{VIEW}&plan=", width=1440, height=900)
    one.ready()
    page = one.page
    page.fill("#plan-new", "송파대로 1안")
    page.click("form.new button")
    page.wait_for_selector(".tools")
    page.click(".tools button:nth-of-type(2)")
    for x, y in [(700, 500), (820, 520), (790, 590), (660, 565)]:
        page.mouse.move(x, y)
        page.mouse.click(x, y)
    assert "m²" in page.inner_text(".plan-card .facts")
    page.keyboard.press("Enter") if page.evaluate(
        "document.activeElement?.tagName"
    ) == "CANVAS" else page.click(".plan-card .plan-do")
    until(one, "document.querySelectorAll('.plan-card input[type=number]').length === 3")
    storeys = page.locator(".plan-card input[type=number]").first
    storeys.fill("15")
    storeys.press("Enter")
    one.shot("plan-raised")
    page.click(".plan-card .plan-do")
    until(one, "twintown.state.plan.current.edits.length === 1")
    (edit,) = planned(one)
    assert edit["op"] == "add"
    assert edit["height_m"] == 45
    assert len(edit["parts"][0]["outline"]) == 4
    until(one, "twintown.sunlight.now.edits && !twintown.sunlight.now.busy")
    assert one.value("twintown.sunlight.now.affected_km2") > 0
    one.shot("plan-built")
    assert not one.faults()
    assert not one.complaints


def test_a_footprint_that_crosses_itself_is_refused_where_it_crosses(
    visit: Callable[..., Visit], address: str
) -> None:
    made = scenario_with_a_slab(address, "엇갈린 윤곽")
    one = open_plan(visit, made["id"], width=1440, height=900)
    page = one.page
    page.click(".tools button:nth-of-type(2)")
    for x, y in [(560, 420), (700, 460), (690, 420), (570, 470)]:
        page.mouse.move(x, y)
        page.mouse.click(x, y)
    page.wait_for_selector(".plan-card [role=alert]")
    assert one.value("document.querySelector('.tag.trouble') !== null")
    assert len(planned(one)) == 1


def test_a_hand_turns_and_raises_by_keys_and_takes_it_back(visit: Callable[..., Visit], address: str) -> None:
    made = scenario_with_a_slab(address, "글쇠로")
    one = open_plan(visit, made["id"], width=1440, height=900)
    page = one.page
    page.click(".edits .what")
    page.wait_for_selector(".plan-card .plan-big")
    page.focus("#scene canvas")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Alt+ArrowLeft")
    until(one, "twintown.state.plan.current.edits.length === 2")
    said = planned(one)[-1]
    assert (said["height_m"], said["turn_deg"], said["move"]) == (46, 5, [-1, 0])
    page.keyboard.press("Control+z")
    until(one, "twintown.state.plan.current.edits.length === 1")
    page.keyboard.press("Control+y")
    until(one, "twintown.state.plan.current.edits.length === 2")


def test_two_editors_see_each_other_and_choose_when_they_meet(
    visit: Callable[..., Visit], address: str
) -> None:
    made = scenario_with_a_slab(address, "둘이서")
    path = f"/scenarios/{made['id']}"
    one = open_plan(visit, made["id"], width=1440, height=900)
    page = one.page
    ask(address, f"{path}/presence", {"client": "other", "author": "이수민", "object": SLAB["object"]})
    until(one, "document.querySelector('.people')?.innerText.includes('이수민')")
    seen = ask(address, f"{path}/edits")["revision"]
    change = {
        "edits": [{"op": "set", "object": SLAB["object"], "height_m": 60}],
        "seen": seen,
        "client": "other",
        "author": "이수민",
    }
    ask(address, f"{path}/edits", change)
    until(one, "twintown.state.plan.current.edits.length === 2")
    # the line breaks; meanwhile the other writes again, and the hand here does not know
    page.click(".edits .what")
    page.wait_for_selector(".plan-card .plan-big")
    page.route("**/events*", lambda route: route.abort())
    seen = ask(address, f"{path}/edits")["revision"]
    page.evaluate("globalThis.seen = null")
    page.route(
        "**/edits",
        lambda route: (
            route.continue_(post_data=json.dumps({**route.request.post_data_json, "seen": seen}))
            if route.request.method == "POST"
            else route.continue_()
        ),
    )
    ask(address, f"{path}/edits", {**change, "edits": [{**change["edits"][0], "height_m": 72}], "seen": seen})  # type: ignore[index]
    height = page.locator(".plan-card input[type=number]").nth(2)
    height.fill("51")
    height.press("Enter")
    page.wait_for_selector(".plan-dialog")
    told = page.inner_text(".plan-dialog")
    assert "이수민" in told and "72.0 m" in told and "51.0 m" in told
    one.shot("plan-conflict")
    page.unroute("**/edits")
    page.click(".plan-dialog .mine .plan-do")
    until(one, "twintown.state.plan.current.edits.at(-1).edit.height_m === 51")
    heights = [e["edit"]["height_m"] for e in ask(address, f"{path}/edits")["entries"] if e["kind"] == "edit"]
    assert heights == [45, 60, 72, 51]  # nothing is lost


def test_a_plan_is_worked_on_a_narrow_screen_and_by_everybody(
    visit: Callable[..., Visit], address: str
) -> None:
    made = scenario_with_a_slab(address, "작은 화면")
    one = open_plan(visit, made["id"], width=390, height=844, has_touch=True)
    page = one.page
    page.click("#plan-tab-comments")
    page.fill("#plan-comment", "북측 동의 오전 햇빛을 더 보아야 합니다.")
    page.click(".talk .plan-do")
    page.wait_for_selector(".talk li")
    (said,) = ask(address, f"/scenarios/{made['id']}/comments")["comments"]
    assert said["text"].startswith("북측")
    one.shot("plan-narrow")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert not one.faults()
    assert not one.complaints


def test_the_first_view_brings_nothing_of_the_plan(visit: Callable[..., Visit], address: str) -> None:
    one = visit(f"?{VIEW}")
    one.ready()
    loaded = [name for name, _ in one.requests if re.search(r"PlanDock|scenario|stage-|plan\.(ko|en)", name)]
    assert not loaded


def pulled(page: Any, at: list[float], east: int, down: int) -> None:
    """The mouse takes what is there and pulls it, in small steps."""
    page.mouse.move(*at)
    page.mouse.down()
    for step in range(1, 7):
        page.mouse.move(at[0] + east * step / 6, at[1] + down * step / 6)
    page.mouse.up()


def test_a_hand_pulls_the_height_and_turns_the_ring_and_a_typed_number_is_written_once(
    visit: Callable[..., Visit], address: str
) -> None:
    made = scenario_with_a_slab(address, "손으로")
    one = open_plan(visit, made["id"], width=1440, height=900)
    page = one.page
    page.click(".edits .what")
    page.wait_for_selector(".plan-card .plan-big")
    page.wait_for_timeout(1500)  # the camera flies there
    pulled(page, page.evaluate(GRIPS)["grip"], 0, -60)
    until(one, "twintown.state.plan.current.edits.length === 2")
    assert planned(one)[-1]["height_m"] > 50
    pulled(page, page.evaluate(GRIPS)["plan-turn"], -50, 12)
    until(one, "twintown.state.plan.current.edits.length === 3")
    assert abs(planned(one)[-1]["turn_deg"]) > 5
    height = page.locator(".plan-card input[type=number]").nth(2)
    height.fill("51")
    height.press("Enter")
    until(one, "twintown.state.plan.current.edits.length === 4")
    page.click("#plan-tab-findings")
    page.wait_for_selector(".findings")
    entries = ask(address, f"/scenarios/{made['id']}/edits")["entries"]
    assert [e["edit"].get("height_m") for e in entries if e["kind"] == "edit"].count(51) == 1
    assert not one.complaints


def test_a_file_without_a_place_asks_for_it_and_stands_where_it_was_set(
    visit: Callable[..., Visit], address: str
) -> None:
    made = scenario_with_a_slab(address, "파일로")
    one = open_plan(visit, made["id"], width=1440, height=900)
    page = one.page
    model = glb(box(-30, -7, 0, 60, 14, 12), box(-8, -7, 12, 16, 14, 45))
    file = {"name": "tower.glb", "mimeType": "model/gltf-binary", "buffer": model}
    page.set_input_files(".tools input[type=file]", file)
    page.click(".plan-card .plan-do")
    assert "땅에서 설 곳" in page.inner_text(".plan-card [role=alert]")
    page.mouse.click(620, 480)
    page.wait_for_selector(".plan-card [role=alert]", state="detached")
    turn = page.locator(".plan-card input[type=number]")
    turn.fill("90")
    turn.press("Tab")
    one.shot("plan-file")
    page.click(".plan-card .plan-do")
    until(one, "twintown.state.plan.current.edits.length === 2")
    (low, high) = planned(one)[-1]["parts"]
    assert (low["top_m"], high["top_m"]) == (12, 57)
    wide, deep = ([max(v) - min(v) for v in zip(*low["outline"], strict=True)][i] for i in (0, 1))
    assert wide == pytest.approx(14, abs=0.5) and deep == pytest.approx(60, abs=0.5)
    assert "tower.glb" in page.inner_text(".imported")
    # a building of the city goes, and is brought back
    (there, *_) = ask(
        address, "/collections/buildings/items?bbox=127.1045,37.5145,127.1075,37.5165&limit=1&f=json"
    )["features"]
    page.evaluate(
        "id => { twintown.state.pick.selection = { id, layer: 'buildings', lon: 127.106, lat: 37.5155, feature: null } }",
        there["id"],
    )
    page.click(".plan-card .plan-quiet.bad")
    page.wait_for_selector(".plan-card .chip.removed")
    assert planned(one)[-1] == {"op": "remove", "object": there["id"]}
    page.click(".plan-card .plan-do")
    until(one, "twintown.state.plan.current.edits.length === 2")
    page.wait_for_selector(".plan-card .chip.present")


def test_two_pages_edit_one_plan_and_findings_of_its_zone_have_their_numbers(
    visit: Callable[..., Visit], address: str
) -> None:
    made = ask(address, "/scenarios", {"name": "두 화면", "author": "김도현"})
    corners = [
        [127.1060, 37.5156],
        [127.1064, 37.5156],
        [127.1064, 37.5160],
        [127.1060, 37.5160],
        [127.1060, 37.5156],
    ]
    tower = {
        "op": "add", "object": "new/00000abc", "outline": {"type": "Polygon", "coordinates": [corners]}, "height_m": 240, "name": "타워",
    }  # fmt: skip
    path = f"/scenarios/{made['id']}"
    ask(
        address,
        f"{path}/edits",
        {"edits": [tower], "seen": made["revision"], "client": "other", "author": "김도현"},
    )
    one, two = (open_plan(visit, made["id"], width=1280, height=800) for _ in range(2))
    for page, name in ((one.page, "이수민"), (two.page, "박지호")):
        page.click(".who")
        page.fill(".plan-pop input[autocomplete=name]", name)
        page.press(".plan-pop input[autocomplete=name]", "Enter")
        page.wait_for_selector(".plan-pop", state="detached")
    one.page.click(".edits .what")
    one.page.wait_for_selector(".plan-card .plan-big")
    until(two, "document.querySelector('.people')?.innerText.includes('이수민')")
    height = one.page.locator(".plan-card input[type=number]").nth(2)
    height.fill("130")
    height.press("Enter")
    until(two, "twintown.state.plan.current.edits.length === 2")
    two.page.click("#plan-tab-findings")
    until(two, "document.querySelector('.findings li.warning')?.innerText.includes('130.0 m')")
    told = two.page.inner_text(".findings li.warning:has(.by)")
    assert "130.0 m" in told and "120.0 m" in told and "+10.0 m" in told and "예시 구역" in told
    two.shot("plan-zone")
    assert not one.complaints and not two.complaints


def test_the_owner_approves_and_the_next_version_of_the_city_holds_it(
    visit: Callable[..., Visit], address: str, city: Path
) -> None:
    made = ask(address, "/scenarios", {"name": "승인할 안", "author": "김도현"})
    slab = {**SLAB, "object": "new/0badcafe"}
    ask(
        address,
        f"/scenarios/{made['id']}/edits",
        {"edits": [slab], "seen": made["revision"], "client": "other", "author": "김도현"},
    )
    one = open_plan(visit, made["id"], width=1280, height=800)
    page = one.page
    page.click("footer .wide")
    assert page.is_disabled(".plan-dialog .plan-do")
    page.keyboard.press("Escape")
    page.click(".who")
    page.fill(".plan-pop input[type=password]", (city / "owner.token").read_text(encoding="utf-8").strip())
    page.click(".sign .plan-do")
    page.wait_for_selector(".who svg")
    page.click("footer .wide")
    page.fill(".plan-dialog textarea", "위원회 심의 통과")
    page.click(".plan-dialog .plan-do")
    page.wait_for_selector(".plan-dialog .successful")
    one.shot("plan-approved")
    page.click(".plan-dialog .plan-do")
    one.ready()
    approved = ask(address, f"/scenarios/{made['id']}")
    assert approved["state"] == "approved" and approved["decision"]["why"] == "위원회 심의 통과"
    assert ask(address, "/objects/new/0badcafe")["building"]["height"]["value_m"] == 45
