from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty
from queue import Queue as Letters
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest

from twintown.ground.errors import BadParameter, StorageFailed
from twintown.jobs import outgoing
from twintown.jobs.callbacks import Callbacks
from twintown.jobs.job import Job
from twintown.jobs.outgoing import Hosts, fetch, hosts_of

TWIN: Any = SimpleNamespace(description=SimpleNamespace(id="small"))
NOW = datetime(2026, 11, 22, tzinfo=UTC)


@contextmanager
def subscriber(*codes: int) -> Iterator[tuple[str, Letters[tuple[str, Any]]]]:
    """Somebody who listens: the address, and what came; answers with these codes, then with 200."""
    letters: Letters[tuple[str, Any]] = Letters()
    left = list(codes)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            code = left.pop(0) if left else 200
            letters.put((self.path, json.loads(body)))
            self.send_response(code)
            self.end_headers()

        def do_GET(self) -> None:
            self.send_response(302 if self.path == "/away" else 200)
            self.send_header("Location", "http://169.254.169.254/")
            self.end_headers()
            self.wfile.write(b'{"a": [1, 2]}')

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", letters
    finally:
        server.shutdown()
        server.server_close()


def job(url: str, **more: Any) -> Job:
    request = {
        "subscriber": {name: f"{url}/{name}" for name in ("successUri", "failedUri", "inProgressUri")},
        "respond": {"base": "https://twin.example", "outputs": {}},
    }
    return replace(
        Job("01J", "process", "sunlight", "sha256:0", request, {"kind": "anyone"}, NOW, NOW), **more
    )


RESULTS = {"outputs": {"hours": {"layer": "hours-0123456789", "version": "01"}}}


def test_success_is_told_with_links_to_the_layers_and_failure_with_the_problem() -> None:
    with subscriber() as (url, letters):
        callbacks = Callbacks(hosts_of("127.0.0.1"), "http://unused")
        callbacks.heard(TWIN, job(url, state="running", stage="sweeping", progress=0.5))
        path, said = letters.get(timeout=5)
        assert (path, said["status"], said["progress"]) == ("/inProgressUri", "running", 50)
        callbacks.heard(
            TWIN, job(url, state="running", progress=0.6)
        )  # so soon after the last one it is not worth a word
        callbacks.heard(TWIN, job(url, state="successful", results=RESULTS))
        path, said = letters.get(timeout=5)
        assert path == "/successUri"
        assert said["hours"]["href"] == "https://twin.example/twins/small/collections/hours-0123456789"
        callbacks.heard(TWIN, job(url, state="failed", problem={"type": "urn:x", "detail": "why"}))
        path, said = letters.get(timeout=5)
        assert (path, said["message"], said["problem"]["type"]) == ("/failedUri", "why", "urn:x")
        assert letters.empty()


def test_what_did_not_arrive_is_sent_again_and_what_was_refused_is_not() -> None:
    with subscriber(503, 500) as (url, letters):
        Callbacks(hosts_of("127.0.0.1"), "", (0.01, 0.01)).heard(
            TWIN, job(url, state="successful", results=RESULTS)
        )
        assert [letters.get(timeout=5)[0] for _ in range(3)] == ["/successUri"] * 3
    with subscriber(410) as (url, letters):
        callbacks = Callbacks(hosts_of("127.0.0.1"), "", (0.01, 0.01))
        callbacks.heard(TWIN, job(url, state="successful", results=RESULTS))
        callbacks.heard(TWIN, job(url, state="failed", problem={}))
        assert sorted(letters.get(timeout=5)[0] for _ in range(2)) == ["/failedUri", "/successUri"]
        with pytest.raises(Empty):
            letters.get(timeout=0.2)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1/a", "file:///etc/passwd", "http://", "http://user:word@127.0.0.1/", "http://[::1", "no address",
        "http://elsewhere.example/", "http://127.0.0.1:99999/",
    ],
)  # fmt: skip
def test_nothing_leaves_to_where_nobody_allowed_it(url: str) -> None:
    with pytest.raises(BadParameter) as caught:
        outgoing.ask(hosts_of("127.0.0.1"), "POST", url, "subscriber.successUri")
    assert caught.value.name == "subscriber.successUri"


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "10.0.0.8",
        "169.254.169.254",
        "192.168.1.1",
        "[::1]",
        "[fe80::1]",
        "0.0.0.0",
        "2130706433",
    ],
)
def test_a_star_means_public_addresses_only(host: str) -> None:
    with pytest.raises((BadParameter, StorageFailed)):
        outgoing.ask(hosts_of("*"), "GET", f"http://{host}:9/", "inputs.a.href")


def test_hosts_are_named_whole_with_their_port_or_by_their_domain() -> None:
    hosts = hosts_of("a.example, b.example:8080 ,*.city.example")
    for good in (
        "http://a.example/",
        "https://A.example:444/",
        "http://b.example:8080/x",
        "https://x.city.example",
    ):
        hosts.check(good, "url")
    for bad in ("http://b.example/", "http://evil-city.example/", "http://a.example.evil.example/"):
        with pytest.raises(BadParameter):
            hosts.check(bad, "url")
    assert not Hosts()


def test_an_input_is_fetched_from_an_allowed_host_or_out_of_the_address_itself_and_no_redirection_is_followed() -> (
    None
):
    assert fetch(Hosts(), "data:application/json,%7B%22a%22%3A1%7D", "inputs.a.href") == {"a": 1}
    assert fetch(Hosts(), "data:application/json;base64,WzFd", "inputs.a.href") == [1]
    with pytest.raises(BadParameter):
        fetch(Hosts(), "data:application/json;base64,*", "inputs.a.href")
    with pytest.raises(BadParameter):
        fetch(Hosts(), "data:,no", "inputs.a.href")
    with subscriber() as (url, _):
        assert fetch(hosts_of("127.0.0.1"), f"{url}/x", "inputs.a.href") == {"a": [1, 2]}
        with pytest.raises(BadParameter, match="302"):
            fetch(hosts_of("127.0.0.1"), f"{url}/away", "inputs.a.href")


def test_nobody_at_home_is_named() -> None:
    with subscriber() as (url, _):
        pass
    with pytest.raises(StorageFailed, match="does not answer"):
        outgoing.ask(hosts_of("127.0.0.1"), "GET", url, "inputs.a.href")
