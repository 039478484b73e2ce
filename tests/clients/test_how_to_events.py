"""The how-to about events, run as it is written: every block."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
from pathlib import Path

import pytest
from tests.api.conftest import write_twin
from tests.clients.test_how_to import PAGES, WRITTEN
from tests.clients.test_how_to_share import command

from twintown.trust.identity import make_token

pytestmark = pytest.mark.slow


def test_an_event_is_planned_as_the_page_says(tmp_path: Path) -> None:
    make_token(write_twin(tmp_path / "jamsil", "jamsil"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    here = f"http://localhost:{port}"
    path = {**os.environ, "PATH": f"{command(tmp_path)}:{os.environ['PATH']}", "TWINTOWN_PORT": str(port)}
    text = (PAGES / "plan-an-event.md").read_text(encoding="utf-8").replace(WRITTEN, here)
    serve, *blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)

    def ran(block: str) -> list[str]:
        done = subprocess.run(
            ["sh", "-ec", block], cwd=tmp_path, env=path, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
        return done.stdout.splitlines()

    server = subprocess.Popen(["sh", "-c", f"exec {serve.strip().removesuffix('&')}"], cwd=tmp_path, env=path)
    try:
        ran(f"until curl -sf {here}/health; do sleep 0.2; done")
        told = [ran(block) for block in blocks]
    finally:
        server.terminate()
        server.wait(20)
    assert told[1] == ["draft"] and told[2] == ["2"]
    assert "2400" in told[3][0]  # nothing is known of rain here: the total stays
    assert {line.split()[0] for line in told[4]} == {
        "safety-plan", "performance-plan", "venue-use", "food-business", "temporary-structure",
    }  # fmt: skip
    assert json.loads(told[5][0]) == {"made": ["ev-00000000000000000000beef"], "refused": []}
