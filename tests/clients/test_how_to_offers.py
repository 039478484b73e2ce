"""The how-to about offers and needs, run as it is written: every block, with the demonstration's own files."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from pathlib import Path

import pytest
from tests.api.conftest import write_twin
from tests.clients.conftest import REPOSITORY
from tests.clients.test_how_to import PAGES, WRITTEN
from tests.clients.test_how_to_share import command

from twintown.trust.identity import make_token

pytestmark = pytest.mark.slow


def test_offers_and_needs_are_written_as_the_page_says(tmp_path: Path) -> None:
    make_token(write_twin(tmp_path / "icheon", "icheon"))
    (tmp_path / "cities").symlink_to(REPOSITORY / "cities")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    here = f"http://localhost:{port}"
    path = {**os.environ, "PATH": f"{command(tmp_path)}:{os.environ['PATH']}", "TWINTOWN_PORT": str(port)}
    text = (PAGES / "offers-and-needs.md").read_text(encoding="utf-8").replace(WRITTEN, here)
    add, serve, *blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)

    def ran(block: str) -> list[str]:
        done = subprocess.run(
            ["sh", "-ec", block], cwd=tmp_path, env=path, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
        return done.stdout.splitlines()

    rows = (
        len((REPOSITORY / "cities/icheon/data/programme/lots.csv").read_text(encoding="utf-8").splitlines())
        - 1
    )
    assert f"lots: {rows} rows" in ran(add)
    server = subprocess.Popen(["sh", "-c", f"exec {serve.strip().removesuffix('&')}"], cwd=tmp_path, env=path)
    try:
        ran(f"until curl -sf {here}/health; do sleep 0.2; done")
        told = [ran(block) for block in blocks]
    finally:
        server.terminate()
        server.wait(20)
    assert told[1] == ["promised", "failed", "offered"]
    assert (tmp_path / "lot").read_text().strip() == "rice-2027-01"
    made, removed = told[2]
    assert made == removed and int(made) > 200
    assert "₩/kg" in told[3][0] and "would do at" in told[3][0]
