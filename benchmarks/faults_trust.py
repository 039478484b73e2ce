"""The handshake under fire: both servers are killed at 100 random moments, and every attack that we know is tried.

    python benchmarks/faults_trust.py [--kills N] [--seed N] [--only kills|attacks]

Two cities negotiate, agree, transfer, suspend, resume and end, over and over, while SIGKILL hits one of the two servers (its keeper's
chores with it) at random moments. What was acknowledged to an officer must stand; at the end both cities must tell the same of every
negotiation, transfer and agreement, and a token of an agreement that was stopped must never have opened anything again. Then the
attacks (`trust_attacks`): each must be refused by name, and recorded.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
from table import Row, keep, show
from two_cities import WHO, City, offer, two

#: How long the cities have to come to rest after the last kill, seconds.
REST_S = 90.0
#: Handshakes at once, so that each shot hits several.
STORIES = 4


def serve(directory: Path, port: int) -> None:
    """A server that is forked anew as often as it is killed: what takes long, reading the code, is done once."""
    import uvicorn

    from twintown.app import create_app
    from twintown.keeper import Chores
    from twintown.settings import Settings

    for name in (
        "twintown.exchange.handshake",
        "cryptography.hazmat.primitives.asymmetric.ed25519",
        "jsonschema_rs",
    ):
        import_module(name)
    settings = Settings(twins=(directory,), port=port, public_url=f"http://127.0.0.1:{port}")
    while True:
        child = os.fork()
        if child == 0:
            Thread(target=Chores(settings).run, args=(Event(),), daemon=True).start()
            uvicorn.run(create_app(settings=settings, warm=False), port=port, log_level="critical")
            os._exit(0)
        print(child, flush=True)
        os.waitpid(child, 0)


class Forked(City):
    """A city whose server stands up again at once."""

    def start(self, *, wait: bool = True) -> None:
        command = [sys.executable, __file__, "--serve", str(self.directory), "--port", str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.children: list[int] = []
        Thread(target=self._count, daemon=True).start()
        self.stands()

    def stands(self) -> None:
        """Wait until it answers."""
        ends = time.monotonic() + 60
        while time.monotonic() < ends:
            with contextlib.suppress(httpx.HTTPError):
                httpx.get(f"{self.address}/me", trust_env=False)
                return
            time.sleep(0.05)
        raise RuntimeError(f"{self.name} does not answer")

    def _count(self) -> None:
        assert self.process is not None and self.process.stdout is not None
        for line in self.process.stdout:
            self.children.append(int(line))

    def hit(self) -> None:
        """SIGKILL the server as it is now."""
        with contextlib.suppress(OSError, IndexError):
            os.kill(self.children[-1], signal.SIGKILL)

    def kill(self) -> None:
        super().kill()
        self.hit()


def patiently(city: City, method: str, path: str, **given: Any) -> httpx.Response:
    """A request that is asked again while the server is down; a repeated step may have been taken already (409)."""
    ends, said = time.monotonic() + 60, ""
    while True:
        try:
            answer = city.ask(method, path, **given)
            if answer.status_code < 500:
                return answer
            said = f"{answer.status_code} {answer.text[:300]}"
        except httpx.HTTPError as error:
            said = repr(error)
        if time.monotonic() > ends:
            raise RuntimeError(f"{city.name} {method} {path}: {said}")
        time.sleep(0.03)


def until(what: Any, seconds: float = 40.0) -> Any:
    """What a question says as soon as it says something; None where it does not in time."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if found := what():
            return found
        time.sleep(0.03)
    return None


@contextmanager
def under_fire(cities: tuple[Forked, Forked], kills: int, chance: random.Random) -> Iterator[Counter[str]]:
    """Kill one of the two every now and then, as long as the block runs, at least so many times."""
    told: Counter[str] = Counter()
    over = Event()

    def fire() -> None:
        while not over.is_set() and told["kills"] < kills:
            city = cities[chance.randrange(2)]
            city.stands()
            time.sleep(chance.uniform(0.0, 2.0))
            city.hit()
            told["kills"] += 1

    shooting = Thread(target=fire, daemon=True)
    shooting.start()
    yield told
    shooting.join()
    over.set()


def one_story(gives: City, gets: City, chance: random.Random, told: Counter[str]) -> None:
    """A handshake from the request on, and what may become of it."""
    dataset = "urn:twintown:seoul:layer:roads"

    def offers() -> Any:
        answer = patiently(gets, "GET", f"/peers/{gives.name}/catalogue")
        found = answer.json().get("datasets", []) if answer.status_code == 200 else []
        return found[0]["offers"][0]["id"] if found else None

    named = until(offers)
    asked = patiently(
        gets, "POST", "/negotiations", json={"peer": gives.name, "dataset": dataset, "offer": named, **WHO}
    )
    if asked.status_code != 201:
        told[f"request {asked.status_code}"] += 1
        return
    pid = asked.json()["pid"]
    told["negotiations"] += 1

    def theirs() -> Any:
        with contextlib.closing(sqlite3.connect(gives.directory / "state.db")) as rows:
            query = "SELECT pid FROM negotiations WHERE peer_pid = ? AND state = 'REQUESTED'"
            return (rows.execute(query, (pid,)).fetchone() or ("",))[0]

    waiting = until(theirs)
    if not waiting:
        told["unheard requests"] += 1
        return
    if chance.random() < 0.2:
        which, name = (gives, waiting) if chance.random() < 0.5 else (gets, pid)
        patiently(which, "POST", f"/negotiations/{name}/terminate", json={"reason": "fire", **WHO})
        told["terminated"] += 1
        return
    patiently(gives, "POST", f"/negotiations/{waiting}/agree", json=WHO)

    def agreed() -> Any:
        return patiently(gets, "GET", f"/negotiations/{pid}").json().get("agreement")

    agreement = until(agreed)
    if not agreement:
        told["not agreed"] += 1
        return

    def given() -> Any:
        found = patiently(gets, "GET", "/partners").json()["partners"]
        return [one for one in found if one["agreement"] == agreement and one["transfer"] == "STARTED"]

    if not until(given):
        told["not started"] += 1
        return
    token = token_of(gets, agreement)
    if opened(gives, token):
        told["readings"] += 1
    stopper = gives if chance.random() < 0.6 else gets
    if chance.random() < 0.5:
        pressed = patiently(
            stopper, "POST", f"/agreements/{agreement}/suspension", json={"why": "fire", **WHO}
        )
        if pressed.status_code == 200 and stopper is gives:
            told["openings after a suspension"] += opened(gives, token)
            told["suspensions"] += 1
        patiently(stopper, "DELETE", f"/agreements/{agreement}/suspension")
    if chance.random() < 0.7:
        pressed = patiently(stopper, "POST", f"/agreements/{agreement}/end", json={"why": "fire", **WHO})
        if pressed.status_code == 200 and stopper is gives:
            told["openings after an end"] += opened(gives, token)
            told["ends"] += 1


def token_of(gets: City, agreement: str) -> str:
    """The token that the consumer's server holds: whoever steals it has no more than it has."""
    import json

    with contextlib.closing(sqlite3.connect(gets.directory / "state.db")) as rows:
        query = "SELECT address FROM transfers WHERE agreement = ? AND address IS NOT NULL"
        for (address,) in rows.execute(query, (agreement,)):
            for one in (json.loads(address) or {}).get("endpointProperties", []):
                if one["name"] == "authorization":
                    return str(one["value"])
    return ""


def opened(gives: City, token: str) -> int:
    """1 where a token opens the layer at its owner's server."""
    if not token:
        return 0
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        try:
            headers = {
                "Authorization": f"Bearer {token.removeprefix('Bearer ')}",
                "Twintown-Purpose": "planning",
            }
            answer = gives.client.get(f"{gives.address}/collections/roads/items?limit=1", headers=headers)
            if answer.status_code < 500:
                return int(answer.status_code == 200)
        except httpx.HTTPError:
            pass
        time.sleep(0.03)
    return 0


def told_by(city: City, table: str, columns: str) -> dict[str, tuple[Any, ...]]:
    """Rows of a table by their first column."""
    with contextlib.closing(sqlite3.connect(city.directory / "state.db")) as rows:
        return {row[0]: row[1:] for row in rows.execute(f"SELECT {columns} FROM {table}")}


def at_rest(*cities: City) -> bool:
    """Whether nobody has anything more to say."""
    open_ = "delivered IS NULL AND given_up IS NULL"
    return all(not told_by(city, f"outbox WHERE {open_}", "id") for city in cities)


def differences(one: City, other: City) -> list[str]:
    """Where two cities tell something else of the same thing."""
    found = []
    for table in ("negotiations", "transfers"):
        ours, theirs = (told_by(city, table, "pid, peer_pid, state") for city in (one, other))
        for pid, (peer_pid, state) in ours.items():
            if not peer_pid:
                if state != "TERMINATED":
                    found.append(f"{table} {pid} is {state} and the other city never heard of it")
            elif peer_pid not in theirs:
                found.append(f"{table} {pid}: the other city has lost it")
            elif theirs[peer_pid][1] != state:
                found.append(f"{table} {pid}: {state} here, {theirs[peer_pid][1]} there")
        found += [f"{table} {pid}: known there only" for pid, (back, _) in theirs.items() if back not in ours]
    here, there = (told_by(city, "agreements", "id, state, policy") for city in (one, other))
    for id in here.keys() | there.keys():
        if here.get(id) != there.get(id):
            found.append(
                f"agreement {id}: {here.get(id, ('none',))[0]} here, {there.get(id, ('none',))[0]} there"
            )
    return found


def kills(count: int, seed: int) -> Iterator[Row]:
    """The rows of the part with the kills."""
    chance = random.Random(seed)
    with two(start=False, kind=Forked) as (gives, gets):
        assert isinstance(gives, Forked) and isinstance(gets, Forked)
        gives.start()
        gets.start()
        offer(gives, gets)
        begun = time.monotonic()
        with under_fire((gives, gets), count, chance) as told:

            def stories() -> None:
                while told["kills"] < count:
                    one_story(gives, gets, chance, told)

            at_once = [Thread(target=stories) for _ in range(STORIES)]
            for thread in at_once:
                thread.start()
            for thread in at_once:
                thread.join()
        for one, other in (
            (gives, gets),
            (gets, gives),
        ):  # a sign of life: who waits for the other tries again at once
            patiently(one, "GET", f"/peers/{other.name}/catalogue")
        resting = until(lambda: at_rest(gives, gets), REST_S)
        apart = until(lambda: not differences(gives, gets) and "none", 10.0)
        found = [] if apart else differences(gives, gets)
        note = f"{told['negotiations']} negotiations, {told['readings']} readings, {told['ends']} ends, {told['suspensions']} suspensions"
        late = told["unheard requests"] + told["not agreed"] + told["not started"]
        note += f", {late} of the steps after the last kill only" if late else ""
        note += f", {time.monotonic() - begun:.0f} s, seed {seed}"
        yield Row(
            "servers killed at random moments",
            told["kills"],
            "kills",
            f"≥ {count}",
            told["kills"] >= count,
            note=note,
        )
        yield Row("undelivered after the last kill", 0 if resting else 1, "messages", "0", bool(resting))
        yield Row(
            "told differently by the two cities",
            len(found),
            "things",
            "0",
            not found,
            note="; ".join(found[:3]),
        )
        outside = told["openings after a suspension"] + told["openings after an end"]
        yield Row("openings outside an agreement", outside, "openings", "0", not outside)


def main() -> int:
    """All rows; exit status 1 where one is short."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--only", choices=("kills", "attacks"))
    parser.add_argument("--serve", type=Path)
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args()
    if given.serve:
        serve(given.serve, given.port)
        return 0
    rows: list[Row] = []
    if given.only != "attacks":
        for row in kills(given.kills, given.seed):
            show([row])
            rows.append(row)
    if given.only != "kills":
        from trust_attacks import rows as attacks

        for row in attacks():
            show([row])
            rows.append(row)
    return keep(rows, "faults-trust")


if __name__ == "__main__":
    sys.exit(main())
