"""Two cities on this machine, each a server of its own with a tiny twin, that have pinned each other: what the measurements shake."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from table import ROOT, free_port

WHO = {"author": "bench"}
#: What the provider offers: roads made from OpenStreetMap, which may be passed on.
TERMS = {"assets": ["layer:roads"], "purposes": ["planning"], "attribution": "© OpenStreetMap contributors"}


@dataclass
class City:
    """One server with one twin."""

    name: str
    directory: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=20, trust_env=False))

    @property
    def address(self) -> str:
        """Of the twin."""
        return f"http://127.0.0.1:{self.port}/twins/{self.name}"

    def start(self, *, wait: bool = True) -> None:
        """Serve it, as `twintown serve` does."""
        environment = {
            **os.environ,
            "TWINTOWN_PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            "TWINTOWN_KEEPER_WORKERS": "1",
        }
        command = [
            sys.executable,
            "-m",
            "twintown.cli",
            "serve",
            str(self.directory),
            "--port",
            str(self.port),
        ]
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen(command, env=environment, stdout=quiet, stderr=quiet)
        ends = time.monotonic() + 60
        while wait:
            with contextlib.suppress(httpx.HTTPError):
                if self.client.get(f"{self.address}/me").status_code:
                    return
            if time.monotonic() > ends:
                raise RuntimeError(f"{self.name} does not answer")
            time.sleep(0.05)

    def kill(self) -> None:
        """SIGKILL; its keeper ends by itself."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def ask(self, method: str, path: str, **given: Any) -> httpx.Response:
        """One request of the owner's."""
        token = (self.directory / "owner.token").read_text().strip()
        return self.client.request(
            method, f"{self.address}{path}", headers={"Authorization": f"Bearer {token}"}, **given
        )

    def done(self, method: str, path: str, **given: Any) -> Any:
        """The same, where it must succeed."""
        answer = self.ask(method, path, **given)
        if answer.status_code >= 400:
            raise RuntimeError(f"{self.name} {method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer.json() if answer.content else None


def offer(gives: City, gets: City) -> str:
    """Offer the roads; where the release gate asks for a person, the security officer lets them go. The dataset's id."""
    from datetime import UTC, datetime

    from twintown.exchange import gate
    from twintown.trust.identity import LOCAL_OWNER
    from twintown.trust.policy import Resource, decide
    from twintown.twin.layers import Twin

    made = gives.done("POST", "/offers", json={"assignee": gets.name, "terms": TERMS, **WHO})
    if made["state"] == "waiting":
        twin = Twin.open(gives.directory, read_only=False)
        grant = decide(LOCAL_OWNER, "release", Resource(gives.name))
        for id in made["releases"]:
            gate.decide(twin, grant, id, True, "measured", datetime.now(UTC))
    return str(made["dataset"])


def build(directory: Path, name: str, kind: type[City] = City) -> City:
    """A tiny twin made by hand, with its owner's token and its key."""
    sys.path.insert(0, str(ROOT))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tests.api.conftest import write_twin
    from twintown.trust.identity import make_token
    from twintown.trust.keys import make_key

    write_twin(directory / name, name)
    make_token(directory / name)
    make_key(directory / name)
    return kind(name, directory / name, free_port())


def pin(*cities: City) -> None:
    """Each pins the others' keys."""
    from twintown.trust.keys import signing_key
    from twintown.trust.peer_file import pin
    from twintown.trust.peers import Peer

    for one in cities:
        others = [city for city in cities if city is not one]
        pin(
            one.directory,
            *(
                Peer.of(
                    city.name,
                    {"address": city.address, "keys": [signing_key(city.directory).public], "country": "KR"},
                )
                for city in others
            ),
        )


@contextmanager
def two(*, start: bool = True, kind: type[City] = City) -> Iterator[tuple[City, City]]:
    """Seoul, which gives, and Icheon, which gets."""
    directory = Path(tempfile.mkdtemp(prefix="twintown-two-"))
    cities = (build(directory, "seoul", kind), build(directory, "icheon", kind))
    pin(*cities)
    try:
        if start:
            for city in cities:
                city.start()
        yield cities
    finally:
        for city in cities:
            city.kill()
        shutil.rmtree(directory, ignore_errors=True)
