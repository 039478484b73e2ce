"""A server of its own for clients that want a real one: the tiny twin of the API's tests on a free port."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import uvicorn
from fastapi import FastAPI

SERVE = """
import sys, uvicorn
from pathlib import Path
from twintown.app import create_app
from twintown.settings import Settings
uvicorn.run(create_app([Path(one) for one in sys.argv[2:]], Settings(), warm=False), fd=int(sys.argv[1]), log_level="critical")
"""


@contextmanager
def server(*directories: Path) -> Iterator[str]:
    """The address of a server that shows these twins, while the block runs."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        bound.listen(64)
        port = bound.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(bound.fileno()), *map(str, directories)],
            pass_fds=[bound.fileno()],
        )
        try:
            address = f"http://127.0.0.1:{port}"
            for _ in range(100):  # the socket listens already: the first answer comes when the server is up
                try:
                    urllib.request.urlopen(f"{address}/health", timeout=30).close()
                    break
                except OSError:
                    time.sleep(0.1)
            yield address
        finally:
            process.terminate()
            process.wait(10)


@contextmanager
def listening(app: FastAPI) -> Iterator[str]:
    """The address of a server in a thread of this process, while the block runs: what is patched here is patched there."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        bound.listen(64)
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical"))
        thread = Thread(target=server.run, args=([bound],), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)
