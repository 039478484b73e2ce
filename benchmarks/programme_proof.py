"""The numbers of proof: certificates issued, one verified in the browser, and a recall on its way to the other city and to the visitor.

The browser is a headless Chromium that looks at the built page (`web/dist`); the recall goes between two real servers.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from table import ROOT, Row
from trust_handshake import handshake
from two_cities import City, two

COUNT = 10_000
LOOKS = 20
NEED = {"place": "st-1", "place_kind": "stand", "event": "", "name_ko": "쌀 판매대", "name_en": "Rice stand", "product": "rice",
        "quantity_kg": 80.0, "date": "2027-09-18"}  # fmt: skip


def rows() -> Iterator[Row]:
    """Each as it is known."""
    yield issued()
    yield from seen()


def _lots() -> Any:
    """The helper of the tests that makes a twin with lots."""
    sys.path.insert(0, str(ROOT))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tests.programme import lots
    return lots


def issued() -> Row:
    """Ten thousand certificates of ten thousand lots: read, signed, entered, on the disk."""
    from twintown.programme import certificates
    from twintown.trust.did import did_of
    from twintown.trust.identity import LOCAL_OWNER
    from twintown.trust.policy import Resource, decide

    lots = _lots()
    from tests.api.conftest import write_twin

    with tempfile.TemporaryDirectory(prefix="twintown-proof-") as folder:
        twin = lots.with_desk(write_twin(Path(folder) / "icheon", "icheon"))
        lots.put(twin, "producers", {"p-1": lots.MAKER})
        lots.lots(twin, COUNT)
        by = certificates.certifying(twin, did_of("icheon"), "http://127.0.0.1:8000/twins/icheon")
        grant = decide(LOCAL_OWNER, "share", Resource("icheon"))
        begun = time.perf_counter()
        done = certificates.issue(twin, by, grant, None, {"name": "bench"}, datetime.now(UTC))
        took = time.perf_counter() - begun
    good = len(done.made) == COUNT and not done.refused
    note = f"{len(done.made):,} issued, {COUNT / took:,.0f}/s; one transaction, one ledger entry each"
    return Row("certificates: 10,000 issued", took, "s", "< 10", good and took < 10, "", note)


def seen() -> Iterator[Row]:
    """One certificate verified in the browser, and a recall: to the other city's list, and to the page that stands open."""
    browser = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    dist = Path(os.environ.get("TWINTOWN_WEB") or ROOT / "web" / "dist")
    names = (
        ("certificates: one verified in the browser", "ms", "< 100"),
        ("recall: until the visitor's page says it", "s", "< 60"),
    )
    missing = "no Chromium: sh scripts/browser.sh names the line that brings it" if not browser else ""
    if not missing and not (dist / "proof.html").exists():
        missing = "the page is not built: make web"
    with _cities() as (seoul, icheon):
        if missing or not browser:
            yield _told(seoul, icheon, "icn-rice-00000")
            for name, unit, target in names:
                yield Row(name, None, unit, target, False, "", missing)
            return
        from page import FLAGS
        from playwright.sync_api import sync_playwright

        with sync_playwright() as engine:
            chromium = engine.chromium.launch(executable_path=browser, args=FLAGS)
            page = chromium.new_context(viewport={"width": 390, "height": 844}).new_page()
            link = icheon.done("GET", "/certificates?lot=icn-rice-00000")["certificates"][0]["link"]
            took, state = [], ""
            for _ in range(LOOKS):
                page.goto(f"{link}?lang=en")
                page.wait_for_selector("main[data-state=done]", timeout=30_000)
                took.append(float(page.get_attribute("main", "data-took") or "inf"))
                state = page.get_attribute("main", "data-verdict") or ""
            middle, worst = statistics.median(took), max(took)
            name, unit, target = names[0]
            note = f"worst of {LOOKS}: {worst:.1f} ms, the first {took[0]:.1f}; issuer, signature, lot, dates, list, ledger: {state}"
            yield Row(name, middle, unit, target, worst < 100 and state == "good", "", note)
            begun = time.perf_counter()
            yield _told(seoul, icheon, "icn-rice-00000")
            page.wait_for_selector("main[data-why=revoked]", timeout=60_000)
            name, unit, target = names[1]
            waited = time.perf_counter() - begun
            yield Row(
                name, waited, unit, target, waited < 60, "", "the page stood open and nobody touched it"
            )
            chromium.close()


def _told(seoul: City, icheon: City, lot: str) -> Row:
    """From the officer's click until the other city's list shows it, with its stand."""
    begun = time.perf_counter()
    made = icheon.done("POST", f"/lots/{lot}/recall", json={"why": "bench", "author": "bench"})
    while True:
        found = [one for one in seoul.done("GET", "/recalls")["recalls"] if one["id"] == made["id"]]
        took = time.perf_counter() - begun
        if found or took > 60:
            break
        time.sleep(0.02)
    places = [one["name"]["en"] for one in found[0]["places"]] if found else []
    note = f"two servers; it names {', '.join(places)}" if places else "two servers; it names no place"
    return Row(
        "recall: until the other city's list has it",
        took,
        "s",
        "< 60",
        bool(found) and bool(places),
        "",
        note,
    )


@contextmanager
def _cities() -> Iterator[tuple[City, City]]:
    """Seoul, and Icheon with lots, a plan that gives some to a stand in Seoul, certificates, and an agreement between them."""
    lots = _lots()
    with two(start=False) as (seoul, icheon):
        twin = lots.with_desk(icheon.directory, "lots", "producers", "needs")
        lots.put(twin, "producers", {"p-1": lots.MAKER})
        lots.put(twin, "needs", {"need-1": NEED})
        lots.lots(twin, 3)
        lots.deliveries(
            twin,
            [
                {
                    "lot": "icn-rice-00000",
                    "need": "need-1",
                    "place": "st-1",
                    "quantity_kg": 80.0,
                    "date": "2027-09-18",
                }
            ],
        )
        for city in (seoul, icheon):
            city.start()
        handshake(seoul, icheon)
        icheon.done("POST", "/certificates", json={"lots": "all", "author": "bench"})
        _entered(icheon)
        yield seoul, icheon


def _entered(city: City) -> None:
    """Until the keeper has put the certificates into the ledger's tree."""
    id = city.done("GET", "/certificates?limit=1")["certificates"][0]["id"]
    ends = time.monotonic() + 60
    while city.done("GET", f"/certificates/{id}/status")["state"] != "good":
        if time.monotonic() > ends:
            raise RuntimeError("the ledger's tree does not grow")
        time.sleep(0.1)


if __name__ == "__main__":
    from table import show

    for found in rows():
        show([found])
