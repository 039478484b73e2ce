"""The how-tos about certificates, run as they are written: a lot is certified, verified by another library, labelled and recalled."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.api.conftest import write_twin
from tests.clients.test_how_to import WRITTEN, blocks
from tests.clients.test_how_to_share import command
from tests.programme.lots import MAKER, lots, put, with_desk

from twintown.trust.identity import make_token

pytestmark = pytest.mark.slow


def test_a_lot_is_certified_verified_and_recalled_as_the_pages_say(tmp_path: Path) -> None:
    for name in ("jamsil", "icheon"):
        make_token(write_twin(tmp_path / name, name))
    twin = with_desk(tmp_path / "icheon")
    put(twin, "producers", {"p-1": MAKER})
    lots(twin, 2)
    twin.tables.engine.dispose()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    here = f"http://localhost:{port}"
    path = {**os.environ, "PATH": f"{command(tmp_path)}:{os.environ['PATH']}", "TWINTOWN_KEEPER_WORKERS": "1"}
    path |= {"TWINTOWN_PORT": str(port), "TWINTOWN_PUBLIC_URL": here}
    serve, *certify = [one.replace(WRITTEN, here) for one in blocks("certify-a-lot.md", "sh")]
    verify = [one.replace(WRITTEN, here) for one in blocks("verify-a-bag.md", "sh")]
    script = blocks("verify-a-bag.md", "python")[0]
    server = subprocess.Popen(["sh", "-c", f"exec {serve.strip().removesuffix('&')}"], cwd=tmp_path, env=path)

    def run(block: str, *how: str) -> str:
        done = subprocess.run(
            [*how, block], cwd=tmp_path, env=path, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    try:
        run(f"until curl -sf {here}/health; do sleep 0.2; done", "sh", "-ec")
        ask, issue, label, recall = certify
        for block in (ask, issue):
            told = run(block, "sh", "-ec")
        assert re.fullmatch(r"icn-rice-\d{5}\nct-[0-9a-f]{24}\n", told), told
        assert run(label, "sh", "-ec") == "1\n"
        for block in verify:
            run(block, "sh", "-ec")
        assert run(script, sys.executable, "-W", "ignore", "-c").endswith("holds\n")
        assert run(recall, "sh", "-ec").splitlines()[-1] == "revoked"
    finally:
        server.terminate()
        server.wait(20)
