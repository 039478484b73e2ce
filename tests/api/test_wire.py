"""What is no HTTP request is answered as everything else that is wrong."""

from __future__ import annotations

import json
import socket
import threading

import uvicorn

from twintown.api.wire import PROTOCOL


async def nothing(scope: object, receive: object, send: object) -> None:
    raise AssertionError("nothing gets here")


def test_an_address_that_is_too_long_is_answered_with_a_problem() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        bound.listen()
        server = uvicorn.Server(uvicorn.Config(nothing, http=PROTOCOL, log_level="critical", lifespan="off"))
        running = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
        running.start()
        with socket.create_connection(bound.getsockname(), timeout=20) as asking:
            asking.sendall(b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\nhost: here\r\n\r\n")
            head, _, body = asking.makefile("rb").read().partition(b"\r\n\r\n")
        server.should_exit = True
        running.join(20)
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"content-type: application/problem+json" in head
    assert json.loads(body)["status"] == 400
