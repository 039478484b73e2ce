"""Anything that the OpenAPI document allows or forbids, generated: nothing may end in a 5xx or an undocumented answer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SERVE = """
import socket, sys, uvicorn
from pathlib import Path
from twintown.api import execution, sunlight, wire
from twintown.app import create_app
from twintown.settings import Settings
execution.WAIT_S = execution.LONGEST_S = 0.2  # nobody answers jobs here
app = create_app([Path(sys.argv[1])], Settings(), warm=False)
sunlight.warm(app.state.open.shelf, app.state.open.decide)  # the compiler's first seconds are not what is asked here
app.openapi()
listening = socket.socket(fileno=int(sys.argv[2]))  # as what it is, so that answers leave without Nagle's delay
uvicorn.Server(uvicorn.Config(app, http=wire.PROTOCOL, log_level="critical")).run(sockets=[listening])
"""


#: What no schema can say is in it, and is refused all the same.
CONFIG = Path(__file__).parents[2] / "schemathesis.toml"


@pytest.mark.slow
@pytest.mark.parametrize(("document", "examples"), [("openapi.json", 3), ("twins/small/api", 3)])
def test_generated_requests_find_no_hole(
    twin_dir: Path, tmp_path: Path, document: str, examples: int
) -> None:
    import socket

    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        bound.listen(64)
        port = bound.getsockname()[1]
        server = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(twin_dir), str(bound.fileno())], pass_fds=[bound.fileno()]
        )
        try:
            st = Path(sys.executable).with_name("st")
            command = f"""{st} --config-file {CONFIG} run http://127.0.0.1:{port}/{document}
                --checks all --seed 1 --max-examples {examples} --phases coverage,fuzzing --workers 1 --no-color
                --wait-for-schema 60 --generation-database none --request-timeout 20""".split()
            quiet = {**os.environ, "HYPOTHESIS_STORAGE_DIRECTORY": str(tmp_path), "SCHEMATHESIS_HOOKS": ""}
            done = subprocess.run(
                command, capture_output=True, text=True, cwd=tmp_path, env=quiet, timeout=540
            )
        finally:
            server.terminate()
            server.wait(10)
    found = done.stdout.partition("= FAILURES =")[2].partition("= WARNINGS =")[
        0
    ]  # the warnings behind are long
    assert done.returncode == 0, found[:8000] + done.stdout[-1000:] + done.stderr[-2000:]
