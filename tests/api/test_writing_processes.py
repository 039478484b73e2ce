"""A real server with two workers: killed while it is written to, raced for one feature, and left in the middle of a body."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from tests.api.conftest import write_twin
from tests.api.test_writing import bench
from tests.api.test_writing_layers import GEOJSON, SAID, SCHEMA

from twintown.api import imports
from twintown.trust.identity import make_token

pytestmark = pytest.mark.slow
GEO = {"Content-Type": "application/geo+json"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = write_twin(tmp_path_factory.mktemp("served") / "small")
    make_token(directory)
    return directory


class Server:
    """A running server; `ask` gives status, headers and body of an answer."""

    def __init__(self, process: subprocess.Popen[str], address: str, token: str) -> None:
        self.process, self.address, self.token = process, address, token

    def ask(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> tuple[int, dict[str, str], Any]:
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Authorization": f"Bearer {self.token}", **headers}
        request = urllib.request.Request(f"{self.address}twins/small/{path}", data, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                raw = answer.read()
                return (
                    answer.status,
                    {k.lower(): v for k, v in answer.headers.items()},
                    json.loads(raw or b"null"),
                )
        except urllib.error.HTTPError as error:
            with error:
                return error.code, dict(error.headers.items()), json.loads(error.read() or b"null")

    def kill(self) -> None:
        """End the server and its workers at once."""
        os.killpg(self.process.pid, signal.SIGKILL)


@contextmanager
def serving(place: Path, workers: int) -> Iterator[Server]:
    command = [
        sys.executable,
        "-m",
        "twintown.cli",
        "serve",
        str(place),
        "--port",
        "0",
        "--workers",
        str(workers),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://\S+", process.stdout.readline())
            assert found
            server = Server(process, found[0], (place / "owner.token").read_text().strip())
            for _ in range(200):
                try:
                    server.ask("GET", "collections/buildings")
                    break
                except OSError:
                    time.sleep(0.1)
            yield server
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def said(**more: str) -> str:
    return "&".join(f"{name}={text.replace(' ', '%20')}" for name, text in {**SAID, **more}.items())


def test_what_a_killed_server_acknowledged_is_there_when_it_comes_back(place: Path) -> None:
    told: list[str] = []
    with serving(place, 2) as server:
        kind = {"Content-Type": imports.SCHEMA}
        assert server.ask("PUT", f"collections/trees?{said()}", SCHEMA, **kind)[0] == 201

        def write() -> None:
            body = {**bench(), "properties": {"name": "나무"}}
            try:
                while True:
                    status, _, answer = server.ask("POST", "collections/trees/items", body, **GEO)
                    assert status == 201
                    told.extend(answer["ids"])
            except OSError:
                return

        writers = [threading.Thread(target=write) for _ in range(2)]
        for writer in writers:
            writer.start()
        while len(told) < 40:
            time.sleep(0.01)
        server.kill()
        for writer in writers:
            writer.join(timeout=60)
    with serving(place, 1) as server:
        _, _, page = server.ask("GET", "collections/trees/items?limit=10000")
        there = {one["id"] for one in page["features"]}
        assert set(told) <= there
        assert len(there) <= len(told) + 2
        assert page["numberMatched"] == len(there)


def test_of_two_who_mean_the_same_state_one_wins(place: Path) -> None:
    with serving(place, 2) as server:
        body = json.dumps(
            {"type": "FeatureCollection", "features": [{**bench(), "id": "one", "properties": {"seats": 0}}]}
        )
        address = f"collections/raced?{said(editable='true')}"
        assert server.ask("PUT", address, body.encode(), **GEO)[0] in (200, 201)
        item = "collections/raced/items/one"
        won: list[int] = []

        def add() -> None:
            for _ in range(15):
                while True:
                    _, headers, feature = server.ask("GET", item)
                    patch = {"properties": {"seats": feature["properties"]["seats"] + 1}}
                    kind = {"Content-Type": "application/merge-patch+json", "If-Match": headers["etag"]}
                    status = server.ask("PATCH", item, patch, **kind)[0]
                    assert status in (204, 412)
                    if status == 204:
                        won.append(1)
                        break

        both = [threading.Thread(target=add) for _ in range(2)]
        for one in both:
            one.start()
        for one in both:
            one.join(timeout=120)
        assert len(won) == 30
        assert server.ask("GET", item)[2]["properties"]["seats"] == 30


def test_a_body_that_ends_in_the_middle_leaves_nothing(place: Path) -> None:
    with serving(place, 1) as server:
        host, port = server.address.removeprefix("http://").rstrip("/").split(":")
        head = (
            f"PUT /twins/small/collections/half?{said()} HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {server.token}\r\n"
            f"Content-Type: application/geo+json\r\nContent-Length: {len(GEOJSON)}\r\n\r\n"
        )
        folder = place / imports.UPLOADS
        with socket.create_connection((host, int(port)), timeout=30) as wire:
            wire.sendall(head.encode() + GEOJSON.encode()[:60])
            for _ in range(300):
                if folder.exists() and any(folder.iterdir()):
                    break
                time.sleep(0.02)
            assert any(folder.iterdir())
        for _ in range(300):
            if not any(folder.iterdir()):
                break
            time.sleep(0.02)
        assert list(folder.iterdir()) == []
        assert server.ask("GET", "collections/half")[0] == 404
