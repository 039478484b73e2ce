"""A visitor scans a bag: its page verifies it in three languages, without a connection too, and names what is forged, foreign, recalled."""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.api.conftest import write_twin
from tests.programme.lots import MAKER, lots, put, with_desk

from twintown.trust.identity import make_token

from .conftest import PATIENCE_MS, REPOSITORY, serving

pytestmark = pytest.mark.slow
#: The built page; read before the tests forget the settings of who runs them.
WEB = Path(os.environ.get("TWINTOWN_WEB", REPOSITORY / "web" / "dist"))
DONE = "main[data-state=done], main[data-state=missing]"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = write_twin(tmp_path / "small")
    make_token(folder)
    twin = with_desk(folder)
    put(twin, "producers", {"p-1": MAKER})
    lots(twin, 3)
    twin.tables.engine.dispose()
    return folder


@pytest.fixture
def address(folder: Path) -> Iterator[str]:
    """Address of a server of a tiny twin with three certified lots."""
    if not (WEB / "proof.html").exists():
        pytest.skip("the page is not built: make web")
    with serving(folder, settings={"TWINTOWN_WEB": str(WEB)}) as address:
        yield address


@pytest.fixture
def officer(address: str, folder: Path) -> Callable[..., Any]:
    """Asks the server as its owner."""
    headers = {"Authorization": f"Bearer {(folder / 'owner.token').read_text().strip()}"}

    def ask(method: str, path: str, **body: Any) -> Any:
        answer = httpx.request(
            method, f"{address}/twins/small{path}", headers=headers, json=body or None, timeout=60
        )
        assert answer.status_code < 300, answer.text
        return answer.json()

    return ask


def verdict(page: Any) -> tuple[str, str]:
    page.wait_for_selector(DONE, timeout=PATIENCE_MS)
    said = page.evaluate("() => ({...document.querySelector('main').dataset})")
    return said["verdict"], said["why"]


def test_a_bag_is_verified_kept_for_later_and_named_when_it_was_recalled(
    visit: Callable[..., Any], address: str, officer: Callable[..., Any]
) -> None:
    done = officer("POST", "/certificates", lots="all", author="Kim")
    bags = {one["lot"]: one for one in officer("GET", "/certificates")["certificates"]}
    id = done["issued"][0]["id"]
    first, other = (bags[f"icn-rice-0000{number}"] for number in (0, 1))
    ends = time.monotonic() + 60  # the keeper puts the entries into the ledger's tree
    while officer("GET", f"/certificates/{id}/status")["state"] != "good":
        assert time.monotonic() < ends
        time.sleep(0.1)
    path = first["link"].removeprefix(address)
    one = visit(path.lstrip("/"), width=390, height=844)
    page = one.page
    for lang, word in (("ko", "진짜입니다"), ("en", "This bag is real"), ("vi", "Túi này là thật")):
        page.goto(f"{address}{path}?lang={lang}")
        assert verdict(page) == ("good", ""), page.inner_text("main")
        assert page.inner_text("h1") == word
        assert page.evaluate("() => document.documentElement.lang") == lang
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    one.shot("bag-good-vi")
    assert one.faults() == []

    # Forged, and another bag's: pasted by somebody who wonders.
    head, body, signature = (httpx.get(f"{address}/twins/small/certificates/{first['id']}").text).split(".")
    said = json.loads(base64.urlsafe_b64decode(body + "==="))
    said["credentialSubject"]["quantity"]["value"] = 1
    changed = base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")
    foreign = httpx.get(f"{address}/twins/small/certificates/{other['id']}").text
    for text, why in ((f"{head}.{changed}.{signature}", "forged"), (foreign, "other-lot")):
        page.evaluate("() => (document.querySelector('details').open = true)")
        page.fill("#paste", text)
        page.click(".paste button")
        page.wait_for_selector(f"main[data-why={why}]", timeout=PATIENCE_MS)
        assert verdict(page) == ("bad", why)
        one.shot(f"bag-{why}")
        page.click(".foreign button")

    # Without a connection: what was kept, and since when nobody was asked.
    page.wait_for_selector("main[data-saved=true]", timeout=PATIENCE_MS)
    page.context.set_offline(True)
    page.reload()
    assert verdict(page) == ("unknown", "status-old")
    checks = {
        one.get_attribute("data-check"): one.get_attribute("data-state")
        for one in page.query_selector_all(".checks li")
    }
    assert checks == {
        "issuer": "good",
        "signature": "good",
        "lot": "good",
        "dates": "good",
        "status": "unknown",
        "ledger": "good",
    }
    one.shot("bag-offline")
    page.context.set_offline(False)
    page.wait_for_selector("main[data-verdict=good]", timeout=PATIENCE_MS)

    # Recalled while the page stands open.
    officer("POST", "/lots/icn-rice-00000/recall", why="residue above the limit", author="Kim")
    page.wait_for_selector("main[data-why=revoked]", timeout=PATIENCE_MS)
    assert "residue above the limit" in page.inner_text("main")
    one.shot("bag-recalled")
    page.goto(f"{address}/twins/small/01/02900000000018/10/FAKE?lang=en")
    assert verdict(page) == ("bad", "no-lot")
