"""The planner's story: two variants of a slab, computed, compared, reported, and verified in the other twin; in both languages.

The server works on copies of the demo twins, because results are layers and would stay in them.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import time
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import CITIES, REPOSITORY, serving

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.slow
BOTH = pytest.mark.parametrize("lang", ["ko", "en"])
Open = Callable[..., Any]
#: Over a street corner west of the tower; the slab casts its shadow on houses to the north.
LON, LAT = 127.0985, 37.5128
VIEW = "cam=127.0985,37.5065,560,0,-38"
WORDS = {
    "ko": {"base": "지금의 도시", "evidence": "근거", "same": "같은 결과", "download": "근거 묶음 받기"},
    "en": {"base": "The city as it is", "evidence": "Evidence", "same": "The same result", "download": "Download the package"},
}  # fmt: skip
#: Coarse enough to be quick, fine enough to show a shadow.
CELL = "4"
MINUTES_MS = 300_000


def _linked(source: str, target: str) -> str:
    """What no process writes into is linked, the rest is copied."""
    if re.search(r"\.(db|db-wal|db-shm|toml|token|key)$|\.built$|\.lock$", source):
        return shutil.copy2(source, target)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
    return target


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server of copies of the two demo twins, where anyone may plan."""
    if not (Path(os.environ.get("TWINTOWN_WEB", REPOSITORY / "web" / "dist")) / "index.html").exists():
        pytest.skip("the page is not built: make web")
    if not all((city / "state.db").exists() for city in CITIES):
        pytest.skip("the demo twins are not built: make demo-build")
    folder = tmp_path_factory.mktemp("cities")
    for city in CITIES:
        shutil.copytree(
            city, folder / city.name, copy_function=_linked, ignore=shutil.ignore_patterns(".staging", "data")
        )
    with serving(*(folder / c.name for c in CITIES)) as address:
        yield address


def call(address: str, path: str, body: object = None, prefer: str = "") -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json"} | ({"prefer": prefer} if prefer else {})
    request = urllib.request.Request(address + path, data=data, headers=headers)
    with urllib.request.urlopen(request, timeout=300) as answer:
        return json.loads(answer.read())


@pytest.fixture(scope="module")
def slabs(address: str) -> tuple[str, str]:
    """Names of two plans with a slab of 60 m; one question of each is answered once, whoever asks it in whichever language."""
    a, b = "slab east-west", "slab north-south"
    slab(address, a, 70, 14)
    slab(address, b, 14, 70)
    return a, b


def slab(address: str, name: str, east_m: float, north_m: float) -> str:
    """A plan with one slab of 60 m; the id of the plan."""
    dx, dy = east_m / 2 / 88_300, north_m / 2 / 111_000
    ring = [[LON - dx, LAT - dy], [LON + dx, LAT - dy], [LON + dx, LAT + dy], [LON - dx, LAT + dy], [LON - dx, LAT - dy]]  # fmt: skip
    made = call(address, "/twins/jamsil/scenarios", {"name": name, "author": "planner"})
    edit = {"op": "add", "name": name, "height_m": 60, "outline": {"type": "Polygon", "coordinates": [ring]}}
    call(
        address,
        f"/twins/jamsil/scenarios/{made['id']}/edits",
        {"edits": [edit], "seen": made["revision"], "author": "planner"},
    )
    return str(made["id"])


def results_of(visit: Open, lang: str, *plans: str, **options: Any) -> Any:
    """The page with the results open and these plans chosen beside the city as it is."""
    one = visit(f"?twin=jamsil&lang={lang}&t=12:00&plan=&{VIEW}", **options)
    one.ready()
    one.page.click("#tab-result")
    one.page.wait_for_selector('[data-process="sunlight"]')
    for name in plans:
        one.page.click(f'.variant:has-text("{name}")')
    return one


def ask_sunlight(one: Any) -> None:
    one.page.click('[data-process="sunlight"]')
    one.page.click(".form details summary")
    one.page.fill("#f-cell_m", CELL)
    one.page.click(".form .go button")
    one.page.wait_for_selector(".opened", state="detached")


def answered(one: Any, count: int) -> None:
    one.page.wait_for_function(
        f"() => document.querySelectorAll('[data-result=sunlight] .behind li').length === {count}"
        " && !document.querySelector('[data-job]')",
        timeout=MINUTES_MS,
    )


def sealed(one: Any) -> str:
    """What the seal is that came last."""
    one.page.wait_for_function("() => document.querySelector('.seal')", timeout=MINUTES_MS)
    return str(one.page.locator(".seal").first.get_attribute("data-seal"))


@BOTH
def test_two_variants_are_computed_compared_reported_and_verified_elsewhere(
    visit: Open, address: str, slabs: tuple[str, str], lang: str
) -> None:
    a, b = slabs
    one = results_of(visit, lang, a, b, width=1440, height=900)
    words = WORDS[lang]

    ask_sunlight(one)
    one.page.wait_for_selector("[data-job], [data-result=sunlight]", timeout=MINUTES_MS)
    one.shot(f"result-1-running-{lang}")
    answered(one, 3)

    # On the ground, with a legend in hours; then what A takes away from the city.
    group = one.page.locator("[data-result=sunlight] .output").filter(has=one.page.locator(".lay")).last
    group.locator(f'.lay[title="{a}"]').click()
    one.page.wait_for_selector(".legend .ramp", timeout=MINUTES_MS)
    legend = one.page.inner_text(".legend")
    assert {"ko": "시간", "en": "h"}[lang] in legend
    assert a in legend
    one.settled()
    one.shot(f"result-2-ground-{lang}")
    group.locator(".lay.change").first.click()
    one.page.wait_for_function("() => /ha/.test(document.querySelector('.legend')?.innerText ?? '')")
    less = float(re.search(r"([\d.]+)\s*ha", one.page.inner_text(".legend"))[1])  # type: ignore[index]
    assert less > 0
    one.settled()
    one.shot(f"result-3-change-{lang}")

    # One table: before, A, B.
    one.page.click(".both button >> nth=0")
    one.page.wait_for_selector(".compare .group >> nth=1")
    one.page.wait_for_selector(".sheet-body p[role=status]", state="detached", timeout=MINUTES_MS)
    heads = one.page.locator(".compare thead th").all_inner_texts()
    assert [text.split("\n")[-1 if i < 3 else 0] for i, text in enumerate(heads)][2] == words["base"]
    assert a in heads[3]
    assert b in heads[4]
    table = one.page.inner_text(".compare")
    assert "60" in table
    assert "980" in table or "979" in table or "981" in table
    assert one.page.locator(".compare .changed").count() > 2
    # Numbers are the server's, and the colours on the ground are of the same cells.
    ids = {plan["name"]: plan["id"] for plan in call(address, "/twins/jamsil/scenarios")["scenarios"]}
    said = call(address, f"/twins/jamsil/scenarios/{ids[a]}/comparison?with=base")["results"][0]["outputs"]
    (solar,) = [output for output in said if output["output"] == "sunlight-solar"]
    assert less == pytest.approx(solar["less_m2"] / 10_000, abs=0.006)
    assert f"{solar['less_m2'] / 10_000:.2f}" in table
    (points,) = [output for output in said if output["output"] == "facades"]
    assert points["both"] == points["before"] < points["after"]
    assert f"{points['after']:,}" in table
    assert one.faults() == []
    one.shot(f"result-4-compare-{lang}")
    one.page.keyboard.press("Escape")

    # What it rests on.
    row = one.page.locator("[data-result=sunlight] .behind li").nth(1)
    row.get_by_text(words["evidence"], exact=True).click()
    one.page.wait_for_selector(".evidence")
    sheet = one.page.inner_text(".evidence")
    for said in ("eddsa-jcs-2022", "did:web:", "doi:10.", "Open Database License", "sha256", "numpy"):
        assert said in sheet, said
    with one.page.expect_download() as download:
        one.page.get_by_text(words["download"]).click()
    with zipfile.ZipFile(download.value.path()) as package:
        assert "manifest.json" in package.namelist()
    assert one.faults() == []
    one.shot(f"result-5-evidence-{lang}")
    one.page.keyboard.press("Escape")

    # The other twin computes it again.
    row.locator('[data-verify="icheon"]').click()
    assert sealed(one) == "same"
    assert words["same"] in one.page.inner_text(".seal")
    assert "did:web:" in one.page.inner_text(".seal")
    one.page.locator(".seal").scroll_into_view_if_needed()
    one.shot(f"result-6-seal-{lang}")

    # The report, from where we look.
    one.page.click(".both button >> nth=1")
    one.page.click(".report .quiet-button")
    one.page.fill("#view-0", "south")
    one.page.click(".report .go")
    one.page.wait_for_selector(".made", timeout=MINUTES_MS)
    one.shot(f"result-7-report-{lang}")
    pages = [link.get_attribute("href") for link in one.page.locator(".made a").all()]
    for page, start in zip(pages, (b"<!", b"%PDF"), strict=True):
        with urllib.request.urlopen(address + page, timeout=300) as answer:
            assert answer.read(40).lstrip().lower().startswith(start.lower()), page
    assert one.complaints == []


def test_a_job_is_cancelled_from_the_page(visit: Open, address: str) -> None:
    one = results_of(visit, "en")
    one.page.click('[data-process="year"]')
    one.page.click(".form .go button")
    job = one.page.wait_for_selector("[data-job]").get_attribute("data-job")
    one.page.click("[data-job] .cancel")
    one.page.wait_for_selector("[data-job]", state="detached")
    assert call(address, f"/twins/jamsil/jobs/{job}")["status"] == "dismissed"


def test_view_and_a_year_come_to_their_end_on_the_ground(visit: Open) -> None:
    one = visit("?twin=jamsil&lang=ko&t=12:00&lite=1&plan=&cam=127.1005,37.5120,260,0,-30")
    one.ready()
    one.page.click("#tab-result")
    for process, units in (("view", ("곳", "m")), ("year", ("시간/년", "", "kWh"))):
        one.page.click(f'[data-process="{process}"]')
        if process == "view":
            one.page.locator(".form .adds").first.locator("button").nth(1).click()  # from where I look
        one.page.click(".form details summary")
        one.page.fill("#f-cell_m", "16")
        one.page.click(".form .go button")
        one.page.wait_for_selector(f"[data-result={process}] .lay", timeout=MINUTES_MS)
        outputs = one.page.locator(f"[data-result={process}] .output")
        assert outputs.count() >= len(units) - 1
        for k in range(outputs.count()):
            outputs.nth(k).locator(".lay").first.click()
            one.page.wait_for_function(
                f"""() => document.querySelectorAll("[data-result={process}] .output")[{k}]
                .querySelector('.lay[aria-pressed="true"]') && document.querySelector(".legend .ramp")"""
            )
            unit = outputs.nth(k).locator(".unit")
            if unit.count():
                assert unit.inner_text() in one.page.inner_text(".legend")
            one.shot(f"result-11-{process}-{k}")
        assert one.value("twintown.state.ground.grid.url").startswith(f"result:{process}-")
    assert one.complaints == []


def package_of(address: str) -> bytes:
    """The evidence of an answer about the city as it is."""
    asked = {
        "inputs": {"cell_m": int(CELL)},
        "outputs": {"sunlight-solar": {"transmissionMode": "reference"}},
        "response": "document",
    }
    job = call(address, "/twins/jamsil/processes/sunlight/execution", asked, prefer="respond-async")["jobID"]
    until = time.monotonic() + MINUTES_MS / 1000
    while (status := call(address, f"/twins/jamsil/jobs/{job}")["status"]) != "successful":
        assert status in ("accepted", "running"), status
        assert time.monotonic() < until, "the job took too long"
        time.sleep(0.5)
    with urllib.request.urlopen(f"{address}/twins/jamsil/jobs/{job}/evidence", timeout=300) as answer:
        return bytes(answer.read())


def changed(package: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    """The package with another manifest."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as before, zipfile.ZipFile(out, "w") as after:
        for name in before.namelist():
            data = before.read(name)
            if name == "manifest.json":
                manifest = json.loads(data)
                change(manifest)
                data = json.dumps(manifest).encode()
            after.writestr(name, data)
    return out.getvalue()


def another_name(manifest: dict[str, Any]) -> None:
    manifest["name"] = [{"@value": "better", "@language": "en"}]


def another_result(manifest: dict[str, Any]) -> None:
    for output in manifest["credentialSubject"]["outputs"]:
        output["content"] = "sha256:" + "0" * 64


def test_a_package_is_verified_in_the_atlas_and_told_plainly(visit: Open, address: str) -> None:
    package = package_of(address)
    one = visit("?twin=icheon&lang=ko&plan=", width=1440, height=900)
    one.page.wait_for_selector(".verify .drop")
    assert one.faults() == []
    cases = (
        ("good", package, "same"),
        ("renamed", changed(package, another_name), "doubt"),
        ("forged", changed(package, another_result), "different"),
        ("cut", package[: len(package) // 2], "cannot"),
    )
    for name, data, expected in cases:
        file = {"name": f"{name}.zip", "mimeType": "application/zip", "buffer": data}
        one.page.set_input_files(".verify input[type=file]", file)
        one.page.wait_for_function(
            f"() => document.querySelector('.verify .list li')?.innerText.includes('{name}.zip')"
            " && document.querySelector('.verify .list li:first-child .seal')",
            timeout=MINUTES_MS,
        )
        assert sealed(one) == expected, one.page.inner_text(".verify .list li >> nth=0")
    one.shot("result-8-atlas")
    assert WORDS["ko"]["same"] in one.page.inner_text('.seal[data-seal="same"]')
    assert one.page.locator('.seal[data-seal="same"]').count() == 1
    assert one.complaints == []


def test_an_address_is_taken_by_the_browser_and_what_cannot_be_reached_is_said(
    visit: Open, address: str
) -> None:
    package_of(address)
    job = call(address, "/twins/jamsil/jobs?processID=sunlight&status=successful")["jobs"][0]["jobID"]
    one = visit("?twin=icheon&lang=en&plan=", width=390, height=844)
    one.page.fill("#verify-address", f"{address}/twins/jamsil/jobs/{job}/evidence")
    one.page.press("#verify-address", "Enter")
    assert sealed(one) == "same"
    one.shot("result-9-atlas-phone")
    assert one.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    one.page.fill("#verify-address", "http://127.0.0.1:9/evidence")
    one.page.press("#verify-address", "Enter")
    assert "could not take it" in one.page.inner_text(".verify [role=alert]")


def test_results_are_reached_by_keyboard_on_a_phone(visit: Open) -> None:
    one = results_of(visit, "ko", width=390, height=844)
    one.page.focus('[data-process="sunlight"]')
    one.page.keyboard.press("Enter")
    one.page.wait_for_selector(".form")
    assert one.page.get_attribute('[data-process="sunlight"]', "aria-expanded") == "true"
    assert one.faults() == []
    one.shot("result-10-phone")
    assert one.complaints == []
