"""A real server with the demo twins, and a Chromium that draws in software: what `make test-all` runs the page in."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

playwright = pytest.importorskip("playwright.sync_api")

REPOSITORY = Path(__file__).parents[2]
#: Where the built demo twins are; CITIES names another folder.
CITIES = [Path(os.environ.get("CITIES", REPOSITORY / "cities")) / name for name in ("jamsil", "icheon")]
FLAGS = [
    "--headless", "--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-quic",
    "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
#: Software rendering on a busy machine: nothing here is a measurement, so waits are generous.
PATIENCE_MS = 300_000


@pytest.hookimpl(tryfirst=True)  # before the groups are read
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One browser at a time: all of these tests go to one worker, and only `make test-all` runs them."""
    for item in items:
        if Path(item.path).parent == Path(__file__).parent:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))


@contextmanager
def serving(
    *twins: Path, options: Sequence[str] = (), settings: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Address of `twintown serve` of these twins.

    Args:
        options: of the command line, besides. settings: environment, besides.
    """
    command = [
        str(Path(sys.executable).parent / "twintown"),
        "serve",
        *map(str, twins),
        "--port",
        "0",
        *options,
    ]
    env = {**os.environ, **(settings or {})}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=REPOSITORY, env=env
    ) as server:
        assert server.stdout is not None
        try:
            for line in server.stdout:
                if found := re.search(r"http://[\w.:]+", line):
                    yield found[0]
                    break
            else:
                pytest.fail("the server ended before it told its address")
        finally:
            server.terminate()


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """Address of a server of the two demo twins with the built page."""
    if not (REPOSITORY / "web" / "dist" / "index.html").exists():
        pytest.skip("the page is not built: make web")
    if not all((city / "state.db").exists() for city in CITIES):
        pytest.skip("the demo twins are not built: make demo-build")
    with serving(*CITIES) as address:
        yield address


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A headless Chromium without a GPU."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not path:
        pytest.skip("no Chromium: sh scripts/browser.sh names the line that brings it")
    with playwright.sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Visit:
    """An open page with what it asked for and what it complained about."""

    page: Any
    address: str
    requests: list[tuple[str, int]] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def ready(self) -> None:
        """Until the city stands and its ground is drawn."""
        self.page.wait_for_function("() => globalThis.twintown?.state.status.ready", timeout=PATIENCE_MS)
        self.settled()

    def settled(self) -> None:
        """Until nothing more is being loaded or drawn coarsely."""
        self.page.wait_for_function(
            "() => twintown.viewer.scene.globe.tilesLoaded && !twintown.sunlight.now.busy",
            timeout=PATIENCE_MS,
        )

    def value(self, expression: str) -> Any:
        """What an expression is in the page."""
        return self.page.evaluate(f"() => {expression}")

    def shot(self, name: str) -> None:
        """A picture for a person to judge, where SHOTS names a folder."""
        if folder := os.environ.get("SHOTS"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.page.wait_for_timeout(1500)
            self.page.screenshot(path=str(Path(folder) / f"{name}.png"), timeout=PATIENCE_MS)

    def faults(self) -> list[str]:
        """What axe finds wrong for people who cannot see or point (WCAG 2.1 A and AA)."""
        self.page.evaluate((REPOSITORY / "web/node_modules/axe-core/axe.min.js").read_text(encoding="utf-8"))
        found = self.page.evaluate(
            "() => axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']})"
            ".then(r => r.violations.map(v => `${v.id}: ${v.nodes.map(n => n.target.join(' ')).slice(0, 4).join(', ')}`))"
        )
        return [str(one) for one in found]


def said(message: Any) -> str:
    """A complaint with the address it is about, without which a refused request names nothing."""
    return f"{message.text} <{message.location.get('url', '')}>"


@pytest.fixture
def visit(chromium: Any, address: str) -> Iterator[Callable[..., Visit]]:
    """Opens the page at a query string."""
    contexts = []

    def open_page(query: str, width: int = 1280, height: int = 720, **options: Any) -> Visit:
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        one = Visit(page, address)
        page.on("pageerror", lambda error: one.complaints.append(f"{error}"))
        page.on("console", lambda m: one.complaints.append(said(m)) if m.type == "error" else None)
        network = context.new_cdp_session(page)
        network.send("Network.enable")
        names: dict[str, str] = {}
        network.on(
            "Network.requestWillBeSent", lambda e: names.setdefault(e["requestId"], e["request"]["url"])
        )
        network.on(
            "Network.loadingFinished",
            lambda e: one.requests.append((names.get(e["requestId"], "?"), int(e["encodedDataLength"]))),
        )
        page.goto(f"{address}/{query}", wait_until="load")
        return one

    yield open_page
    for context in contexts:
        context.close()
