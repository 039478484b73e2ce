"""The how-to about the work plan, run as it is written: every block, against two served twins that know each other."""

from __future__ import annotations

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


def test_two_cities_plan_work_together_as_the_page_says(tmp_path: Path) -> None:
    for name in ("jamsil", "icheon"):
        make_token(write_twin(tmp_path / name, name))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    here = f"http://localhost:{port}"
    path = {**os.environ, "PATH": f"{command(tmp_path)}:{os.environ['PATH']}", "TWINTOWN_KEEPER_WORKERS": "1"}
    path |= {"TWINTOWN_PORT": str(port), "TWINTOWN_PUBLIC_URL": here}
    text = (PAGES / "work-plan.md").read_text(encoding="utf-8").replace(WRITTEN, here)
    serve, *blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    told = []
    server = subprocess.Popen(["sh", "-c", f"exec {serve.strip().removesuffix('&')}"], cwd=tmp_path, env=path)
    try:
        until = f"until curl -sf {here}/health; do sleep 0.2; done"
        subprocess.run(["sh", "-ec", until], check=True, timeout=60, capture_output=True)
        for block in blocks:
            done = subprocess.run(
                ["sh", "-ec", block], cwd=tmp_path, env=path, capture_output=True, text=True, timeout=120
            )
            assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
            told.append(done.stdout.split())
    finally:
        server.terminate()
        server.wait(20)
    assert told[2] == ["theirs"] and told[3][-1] == "agreed"
    assert told[4][0] == told[4][1] and len(told[4][0]) == 64 and told[4][2] == "True"
    assert told[5] == ["changing", "agreed"] and told[6] == ["ended"]
