"""Cities with servers of their own that know each other, for stories between several."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from twintown.trust.keys import signing_key
from twintown.trust.peer_file import pin
from twintown.trust.peers import Peer


@dataclass(frozen=True)
class City:
    """A twin with a server of its own: its id, folder and address; what its owner asks of it goes through `ask`."""

    id: str
    folder: Path
    base: str

    @property
    def address(self) -> str:
        return f"{self.base}/twins/{self.id}"

    @property
    def did(self) -> str:
        return f"did:web:{self.base.removeprefix('http://').replace(':', '%3A')}:twins:{self.id}"

    def ask(self, method: str, path: str, status: int = 200, **more: Any) -> Any:
        """The answer to the owner's question; the test fails where the status is another."""
        answer = self._sent(method, path, status, more)
        return answer.json() if "json" in answer.headers.get("content-type", "") else answer.text

    def raw(self, method: str, path: str, status: int = 200, **more: Any) -> bytes:
        """Its bytes."""
        return self._sent(method, path, status, more).content

    def _sent(self, method: str, path: str, status: int, more: dict[str, Any]) -> httpx.Response:
        token = (self.folder / "owner.token").read_text().strip()
        headers = {"Authorization": f"Bearer {token}", **more.pop("headers", {})}
        answer = httpx.request(method, f"{self.address}{path}", headers=headers, timeout=60, **more)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text[:600]}"
        return answer

    def wait(self, path: str, good: Any, seconds: float = 20.0) -> Any:
        """The answer once it is as it should be."""
        ends = time.monotonic() + seconds
        while True:
            found = self.ask("GET", path)
            if good(found):
                return found
            assert time.monotonic() < ends, f"{path} is still {found}"
            time.sleep(0.05)


def _free() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def acquainted(cities: Sequence[City], countries: Mapping[str, str]) -> None:
    """Each city pins the keys of all others."""
    for one in cities:
        for other in cities:
            if other is not one:
                said = {
                    "address": other.address,
                    "keys": [signing_key(other.folder).public],
                    "country": countries[other.id],
                    "grade": "O",
                }
                pin(one.folder, Peer.of(other.id, said))


@contextmanager
def serving(city: City) -> Iterator[None]:
    """The city's server with its keeper, as `twintown serve` starts them."""
    port = city.base.rpartition(":")[2]
    environment = {**os.environ, "TWINTOWN_PUBLIC_URL": city.base, "TWINTOWN_KEEPER_WORKERS": "1"}
    command = [sys.executable, "-m", "twintown.cli", "serve", str(city.folder), "--port", port]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        ends = time.monotonic() + 60
        while True:
            try:
                httpx.get(f"{city.base}/health", timeout=5)
                break
            except httpx.HTTPError:
                assert process.poll() is None and time.monotonic() < ends, f"{city.id} does not answer"
                time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def towns_of(folders: Mapping[str, Path], countries: Mapping[str, str]) -> Iterator[dict[str, City]]:
    """Cities with servers that know each other, by the ids of their twins."""
    found = {id: City(id, folder, f"http://127.0.0.1:{_free()}") for id, folder in folders.items()}
    acquainted(list(found.values()), countries)
    with ExitStack() as stack:
        for city in found.values():
            stack.enter_context(serving(city))
        yield found
