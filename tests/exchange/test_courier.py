"""The one file that asks other servers: where it goes, and what it takes."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from twintown.exchange.courier import Courier, under
from twintown.ground.errors import Denied, StorageFailed, TooLarge

PINNED = "https://b.example/twins/b"


@pytest.mark.parametrize(
    ("url", "good"),
    [
        (PINNED, True), (f"{PINNED}/dsp/negotiations/urn:uuid:1/events", True), (f"{PINNED}/collections?f=json", True),
        (f"{PINNED}x/dsp", False), ("https://b.example/twins/c", False), ("https://b.example.evil/twins/b", False),
        ("http://b.example/twins/b", False), ("https://b.example:444/twins/b", False), (f"{PINNED}/../../admin", False),
        (f"{PINNED}/%2e%2E/c", False), (f"{PINNED}/..%2fc", False), (f"{PINNED}/\\..\\c", False),
        ("https://b.example@evil.example/twins/b", False), ("https://user@b.example/twins/b", False), ("file:///etc/passwd", False),
        ("https://b.example:x/twins/b", False), ("", False), ("//b.example/twins/b", False),
    ],
)  # fmt: skip
def test_only_what_lies_under_the_pinned_address_is_asked(url: str, good: bool) -> None:
    assert under(PINNED, url) is good
    if not good:
        with pytest.raises(Denied):
            Courier().ask(PINNED, "GET", url)


def leading_to(monkeypatch: pytest.MonkeyPatch, number: str) -> None:
    """Every name leads there."""
    family = socket.AF_INET6 if ":" in number else socket.AF_INET
    found = [(family, socket.SOCK_STREAM, 6, "", (number, 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)


@pytest.mark.parametrize("number", ["169.254.169.254", "224.0.0.1", "0.0.0.0", "fe80::1", "240.0.0.1"])
def test_a_name_that_leads_to_no_server_is_not_followed(monkeypatch: pytest.MonkeyPatch, number: str) -> None:
    leading_to(monkeypatch, number)
    with pytest.raises(Denied, match="nobody's server"):
        Courier().ask(PINNED, "GET", PINNED)


@pytest.mark.parametrize("number", ["192.0.2.1", "10.0.0.1", "2001:db8::1"])
def test_plain_http_goes_to_this_machine_only(monkeypatch: pytest.MonkeyPatch, number: str) -> None:
    leading_to(monkeypatch, number)
    with pytest.raises(Denied, match="https"):
        Courier().ask("http://b.example/twins/b", "GET", "http://b.example/twins/b")


def test_a_name_that_nobody_knows_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror("no such name")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(StorageFailed, match="not known"):
        Courier().ask(PINNED, "GET", PINNED)


class Talk(BaseHTTPRequestHandler):
    """A server that says where it was asked, much, or to go elsewhere."""

    def do_GET(self) -> None:
        if self.path.endswith("/elsewhere"):
            self.send_response(307)
            self.send_header("Location", "/twins/c")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = (
            b"x" * 2_000_000 if self.path.endswith("/much") else f"{self.headers['Host']}{self.path}".encode()
        )
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def talking() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Talk)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://localhost:{server.server_port}/twins/b"
    server.shutdown()
    server.server_close()


def test_the_answer_comes_with_its_type_and_the_name_goes_along(talking: str) -> None:
    answer = Courier().ask(talking, "GET", f"{talking}/dsp?x=1")
    assert (answer.status, answer.type, answer.good) == (200, "text/plain", True)
    assert answer.body.decode() == f"{talking.removeprefix('http://')}/dsp?x=1"


def test_a_redirection_is_an_answer_and_not_followed(talking: str) -> None:
    assert Courier().ask(talking, "GET", f"{talking}/elsewhere").status == 307


def test_an_answer_without_end_is_not_taken(talking: str) -> None:
    with pytest.raises(TooLarge):
        Courier().ask(talking, "GET", f"{talking}/much")
    assert len(Courier().ask(talking, "GET", f"{talking}/much", most=3_000_000).body) == 2_000_000


def test_nobody_there_is_said_without_the_query(talking: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(StorageFailed) as refused:
        Courier().ask(f"http://127.0.0.1:{port}/twins/b", "GET", f"http://127.0.0.1:{port}/twins/b?secret=1")
    assert "secret" not in str(refused.value)
