"""The page's own numbers: what the first view costs, when it stands, how long a pull takes to be painted, a second `make demo`.

Runs as a part of `make bench-sun`, in a headless Chromium that draws in software (LITE), against the built demo twins.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
FLAGS = [
    "--headless", "--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-quic",
    "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
TOWER = "relation/8824257"
PATIENCE_MS = 120_000
#: Drawn and quiet: the buildings stand, the ground's tiles are there.
STANDS = "() => globalThis.twintown?.state.status.ready"
QUIET = "() => twintown.viewer.scene.globe.tilesLoaded && !twintown.sunlight.now.busy"


def rows() -> Iterator[dict[str, Any]]:
    """The fields of `table.Row`, a row a number."""
    missing = [name for name in ("jamsil", "icheon") if not (ROOT / "cities" / name / "state.db").exists()]
    if missing or not (ROOT / "web" / "dist" / "index.html").exists():
        yield _short("first view", "MB", "≤ 6", "the demo is not built: make demo-build")
        return
    yield from _second_demo()
    browser = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not browser:
        yield _short(
            "first view", "MB", "≤ 6", "no Chromium: sh scripts/browser.sh names the line that brings it"
        )
        return
    with _served() as (address, _):
        yield from _in_browser(address, browser)


def _short(name: str, unit: str, target: str, note: str) -> dict[str, Any]:
    return {"name": name, "value": None, "unit": unit, "target": target, "ok": False, "note": note}


@contextmanager
def _served() -> Iterator[tuple[str, float]]:
    """`make demo` as a person types it; its address, and the seconds until it was printed."""
    begun = time.perf_counter()
    command = ["make", "--silent", "demo"]
    environment = {**os.environ, "PORT": "8960"}
    server = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        assert server.stdout is not None
        for line in server.stdout:
            if found := re.search(r"http://[\w.:]+", line):
                yield found[0], time.perf_counter() - begun
                return
        raise RuntimeError("`make demo` ended before it told its address")
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(20)


def _second_demo() -> Iterator[dict[str, Any]]:
    with _served():
        pass  # whatever was stale is built now
    with _served() as (_, seconds):
        yield {
            "name": "second make demo, to the address",
            "value": seconds,
            "unit": "s",
            "target": "< 5",
            "ok": seconds < 5,
        }


def _in_browser(address: str, path: str) -> Iterator[dict[str, Any]]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=path, args=FLAGS)
        # What a first visitor gets: an empty cache, a few seconds of the day playing.
        page = browser.new_context(viewport={"width": 1280, "height": 720}).new_page()
        spent: list[int] = []
        network = page.context.new_cdp_session(page)
        network.send("Network.enable")
        network.on("Network.loadingFinished", lambda event: spent.append(int(event["encodedDataLength"])))
        begun = time.perf_counter()
        page.goto(f"{address}/?twin=jamsil", wait_until="commit")
        page.wait_for_function(STANDS, timeout=PATIENCE_MS)
        page.evaluate(
            "() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))"
        )  # it is on the screen
        first = time.perf_counter() - begun
        page.wait_for_function(QUIET, timeout=PATIENCE_MS)
        page.wait_for_timeout(3000)
        megabytes = sum(spent) / 1e6
        yield {
            "name": "first view, bytes on the wire",
            "value": megabytes,
            "unit": "MB",
            "target": "≤ 6",
            "ok": megabytes <= 6,
        }
        yield {
            "name": "first view, requests",
            "value": len(spent),
            "unit": "requests",
            "target": "≤ 40",
            "ok": len(spent) <= 40,
        }
        yield {
            "name": "LITE, first picture, headless",
            "value": first,
            "unit": "s",
            "target": "≤ 10",
            "ok": first <= 10,
        }
        page.context.close()
        yield _painted(browser, address)
        browser.close()


def _painted(browser: Any, address: str) -> dict[str, Any]:
    """From the hand's movement to a painted picture in software: reported, no target (a GPU is not here)."""
    page = browser.new_context(viewport={"width": 1280, "height": 720}).new_page()
    page.goto(f"{address}/?twin=jamsil&t=12:00&mode=hours&sel={TOWER}")
    page.wait_for_function(STANDS, timeout=PATIENCE_MS)
    page.wait_for_selector("#pull-number", timeout=PATIENCE_MS)
    answered, painted = [], []
    for height in range(540, 40, -25):
        page.evaluate(f"() => twintown.held.pull({height})")
        page.wait_for_function(
            f"() => twintown.sunlight.now.edits?.[0]?.height_m === {height} && twintown.sunlight.now.paintedMs !== null",
            timeout=PATIENCE_MS,
        )
        now = page.evaluate("() => ({a: twintown.sunlight.now.answerMs, p: twintown.sunlight.now.paintedMs})")
        answered.append(now["a"])
        painted.append(now["p"])
    page.context.close()
    note = f"of these {statistics.median(answered):.0f} ms to the answer; drawn by the processor, which also computes the answer"
    name = "pull to painted, LITE, median of 20"
    return {
        "name": name,
        "value": statistics.median(painted),
        "unit": "ms",
        "target": "reported",
        "ok": True,
        "note": note,
    }


if __name__ == "__main__":
    from table import Row, show

    table = [Row(**row) for row in rows()]
    show(table)
    sys.exit(0 if all(row.ok for row in table) else 1)
