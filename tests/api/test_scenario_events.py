"""Two editors at two server processes: what one does the other hears, and nobody misses what came while they were cut off."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.api.conftest import write_twin

SERVE = """
import sys, uvicorn
from pathlib import Path
from twintown.app import create_app
from twintown.settings import Settings
app = create_app([Path(sys.argv[1])], Settings(), warm=False)
server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical"))
config = server.config
config.load()
import asyncio, socket
listening = socket.socket()
listening.bind(("127.0.0.1", 0))
listening.listen(16)
print(listening.getsockname()[1], flush=True)
asyncio.run(server.serve([listening]))
"""


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Two server processes of one twin."""
    directory = write_twin(tmp_path_factory.mktemp("twins") / "heard", "heard")
    about = directory / "twintown.toml"
    about.write_text(about.read_text("utf-8") + '\n[access]\nplan = "anyone"\n', "utf-8")
    running = [_served(directory) for _ in range(2)]
    try:
        yield [f"http://127.0.0.1:{port}/twins/heard/scenarios" for _, port in running]
    finally:
        for process, _ in running:
            process.kill()
            process.communicate()


def _served(directory: Path) -> tuple[subprocess.Popen[str], int]:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(directory)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def heard(response: httpx.Response) -> Iterator[tuple[str, Any]]:
    """The events of a stream as they come: kind and data."""
    kind = ""
    for line in response.iter_lines():
        if line.startswith("event: "):
            kind = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield kind, json.loads(line.removeprefix("data: "))


@pytest.mark.slow
def test_what_one_editor_does_the_other_hears_through_another_server_process(servers: list[str]) -> None:
    here, there = servers
    plan = httpx.post(here, json={"name": "판상형"}, timeout=60).json()["id"]
    with httpx.stream("GET", f"{there}/{plan}/events?since=1", timeout=60) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        news = heard(stream)
        assert next(news) == ("presence", {"present": []})
        edit = {"op": "set", "object": "way/2", "height_m": 9}
        body = {"edits": [edit], "seen": 1, "author": "수지", "client": "a"}
        assert httpx.post(f"{here}/{plan}/edits", json=body, timeout=60).status_code == 201
        kind, entry = next(news)
        assert (kind, entry["seq"], entry["edit"]["height_m"], entry["author"]["name"]) == (
            "entry",
            2,
            9.0,
            "수지",
        )
        looks = {"client": "a", "object": "way/2", "author": "수지"}
        assert httpx.post(f"{here}/{plan}/presence", json=looks, timeout=60).status_code == 200
        kind, present = next(news)
        assert (kind, present["present"][0]["object"]) == ("presence", "way/2")
        httpx.post(f"{here}/{plan}/presence", json=looks, timeout=60)  # a beat alone is no news
        httpx.post(f"{here}/{plan}/comments", json={"text": "gut"}, timeout=60)
        kind, entry = next(news)
        assert (kind, entry["kind"], entry["text"]) == ("entry", "comment", "gut")
    with httpx.stream("GET", f"{here}/{plan}/events", headers={"Last-Event-ID": "1"}, timeout=60) as stream:
        missed = heard(stream)
        assert [next(missed)[1]["seq"] for _ in range(2)] == [2, 3]
    assert httpx.get(f"{here}/nobody/events", timeout=60).status_code == 404
