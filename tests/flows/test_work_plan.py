"""A joint programme of two servers that are killed (SIGKILL) after what they acknowledged: nothing is lost, both tell the same."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.api.conftest import write_twin
from tests.exchange.test_joint_programmes import PROGRAMME, content
from tests.flows.cities import City, _free, acquainted

from twintown.trust.identity import make_token

pytestmark = pytest.mark.slow
SEOUL, ICHEON = "small", "other"


class Killable:
    """A city whose server can be killed, and stands up again."""

    def __init__(self, folder: Path, id: str) -> None:
        self.city = City(id, folder, f"http://127.0.0.1:{_free()}")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        environment = {**os.environ, "TWINTOWN_PUBLIC_URL": self.city.base, "TWINTOWN_KEEPER_WORKERS": "1"}
        port = self.city.base.rpartition(":")[2]
        command = [sys.executable, "-m", "twintown.cli", "serve", str(self.city.folder), "--port", port]
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)

    def stands(self) -> None:
        ends = time.monotonic() + 120
        while True:
            try:
                httpx.get(f"{self.city.base}/health", timeout=5)
                return
            except httpx.HTTPError:
                assert time.monotonic() < ends, f"{self.city.id} does not answer"
                time.sleep(0.1)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(20)
            self.process = None

    def joint(self, id: str) -> Any:
        return self.city.ask("GET", f"/workplan/joint/{id}")

    def move(self, id: str, what: str, **body: Any) -> None:
        self.city.ask("POST", f"/workplan/joint/{id}/{what}", json={"author": "test", **body})


@pytest.fixture
def both(tmp_path: Path) -> Iterator[tuple[Killable, Killable]]:
    found = []
    for id in (SEOUL, ICHEON):
        make_token(write_twin(tmp_path / id, id))
        found.append(Killable(tmp_path / id, id))
    acquainted([one.city for one in found], {SEOUL: "KR", ICHEON: "KR"})
    for one in found:
        one.start()
    try:
        for one in found:
            one.stands()
        yield found[0], found[1]
    finally:
        for one in found:
            one.kill()


def again(*killed: Killable) -> None:
    """All of them are killed at once, and stand up."""
    for one in killed:
        one.kill()
    for one in killed:
        one.start()
    for one in killed:
        one.stands()


def rest(both: tuple[Killable, Killable], id: str, state: str, open: str | None = None) -> tuple[Any, Any]:
    """Both once they tell the same, in this state."""
    ends = time.monotonic() + 90
    while True:
        told = []
        for one in both:
            try:
                told.append(one.joint(id))
            except (AssertionError, httpx.HTTPError):
                told.append({"state": "unheard"})
        if all(one["state"] == state and not one["unheard"] for one in told) and len(told[0]["moves"]) > 0:
            digests = {(one["open"] or {}).get("digest") for one in told}
            if len(digests) == 1 and (open is None or told[0]["open"]["review"] == open):
                return told[0], told[1]
        assert time.monotonic() < ends, [(one["state"], one.get("unheard"), one.get("error")) for one in told]
        time.sleep(0.1)


def test_what_was_acknowledged_reaches_the_other_city_whoever_is_killed(
    both: tuple[Killable, Killable],
) -> None:
    seoul, icheon = both
    body = {"peer": ICHEON, "programme": PROGRAMME, "author": "test"}
    id = seoul.city.ask("POST", "/workplan/joint", 201, json=body)["id"]
    again(seoul)  # it may not have said it yet
    _, seen = rest(both, id, "proposed")

    said = content(seen["open"], ours={"owner": "Park", "department": "Smart city", "budget": 6_000_000})
    icheon.move(id, "propose", programme=said)
    again(seoul, icheon)
    ours, _ = rest(both, id, "proposed")
    assert ours["turn"] == "ours"

    seoul.move(id, "agree", digest=ours["open"]["digest"])
    again(icheon)  # it may be hearing it at this moment
    ours, theirs = rest(both, id, "agreed")
    assert ours["stands"]["document"] == theirs["stands"]["document"]
    assert {one["proof"]["proofValue"] for one in ours["signatures"]} == {
        one["proof"]["proofValue"] for one in theirs["signatures"]
    }
    assert all(one["good"] for one in ours["signatures"] + theirs["signatures"])

    # Both change it at once, and both are killed: the city that began goes first.
    stands = content(ours["stands"])
    turned = {**stands, "ours": stands["theirs"], "theirs": stands["ours"]}
    icheon.move(id, "propose", programme={**turned, "review": "2027-09-01"})
    try:
        seoul.move(id, "propose", programme={**stands, "review": "2027-10-01"})
        review = None
    except AssertionError:  # it has heard of the other already: then that one waits
        review = "2027-09-01"
    again(icheon, seoul)
    ours, theirs = rest(both, id, "changing", review)

    # One agrees while the other ends it.
    ends, agrees = (seoul, icheon) if ours["turn"] == "theirs" else (icheon, seoul)
    agrees.move(id, "agree")
    ends.move(id, "end", reason="there is no budget")
    again(agrees, ends)
    ours, theirs = rest(both, id, "ended")
    kept = [[one for one in told["moves"] if not one["void"]] for told in (ours, theirs)]
    assert [one["move"] for one in kept[0]] == [one["move"] for one in kept[1]]
    assert (ours["stands"] or {}).get("digest") == (theirs["stands"] or {}).get("digest")
    entered = []
    for one in both:
        found = one.city.ask("GET", "/ledger/entries?limit=200")["entries"]
        entered.append(
            {e["record"]["message"] for e in found if e["kind"] == "programme" and "void" not in e["record"]}
        )
    shared = entered[0] & entered[1]
    assert len(shared) >= len(kept[0])
