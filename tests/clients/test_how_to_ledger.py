"""The how-to about the ledger, run as it is written: every block, against two served twins."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from pathlib import Path

import pytest
from tests.api.conftest import DESCRIPTION
from tests.clients.test_how_to import PAGES, WRITTEN
from tests.clients.test_how_to_share import command

from twintown.twin.layers import Twin

pytestmark = pytest.mark.slow


def test_a_ledger_is_verified_as_the_page_says(tmp_path: Path) -> None:
    for name in ("jamsil", "icheon"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "twintown.toml").write_text(DESCRIPTION.format(id=name), encoding="utf-8")
        Twin.open(tmp_path / name, read_only=False)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    here = f"http://localhost:{port}"
    path = {**os.environ, "PATH": f"{command(tmp_path)}:{os.environ['PATH']}", "TWINTOWN_KEEPER_WORKERS": "1"}
    path |= {"TWINTOWN_PORT": str(port), "TWINTOWN_PUBLIC_URL": here}
    text = (PAGES / "verify-the-ledger.md").read_text(encoding="utf-8").replace(WRITTEN, here)
    (serve, *_), found = re.findall(r"```sh\n(.*?)```", text, re.DOTALL), list[str]()
    server = subprocess.Popen(["sh", "-c", f"exec {serve.strip().removesuffix('&')}"], cwd=tmp_path, env=path)
    try:
        until = f"until curl -sf {here}/health; do sleep 0.2; done"
        subprocess.run(["sh", "-ec", until], check=True, timeout=60, capture_output=True)
        for language, block in re.findall(r"```(sh|python)\n(.*?)```", text, re.DOTALL):
            if block == serve:
                continue
            run = ["sh", "-ec", block] if language == "sh" else ["python3", "-c", block]
            if "ledger verify jamsil" in block:  # the keeper needs a moment
                run[-1] = f"until {block.strip()}; do sleep 0.5; done"
            done = subprocess.run(run, cwd=tmp_path, env=path, capture_output=True, text=True, timeout=120)
            assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
            found.append(done.stdout)
    finally:
        server.terminate()
        server.wait(20)
    told = "\n".join(found)
    assert "cosigned by localhost" in told
    assert "has seen the same log" in told
    assert "the yearly change" in told
    assert f"entry 0 of 1 in localhost:{port}/twins/jamsil/ledger: rotation" in told
    assert '"cosignatures":[{"witness"' in told
