"""The how-tos about signing in and about the cloud policy, run as they are written: every block, against a served twin."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from sqlalchemy import delete
from tests.api.conftest import DESCRIPTION, write_twin
from tests.clients.served import server
from tests.clients.test_how_to import WRITTEN, blocks
from tests.clients.test_how_to_share import command

from twintown.store.engine import writing
from twintown.store.schema import layer_versions
from twintown.trust.identity import make_token
from twintown.twin.description import Description
from twintown.twin.layers import Twin


def ran(page: str, folder: Path, address: str) -> str:
    """Everything that the blocks of a page print."""
    path = {**os.environ, "PATH": f"{command(folder)}:{Path(sys.executable).parent}:{os.environ['PATH']}"}
    told = ""
    for block in blocks(page, "sh"):
        run = ["sh", "-ec", block.replace(WRITTEN, address)]
        done = subprocess.run(run, cwd=folder, env=path, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
        told += done.stdout
    return told


def test_the_provider_on_the_page_can_be_used() -> None:
    (block,) = blocks("sign-in.md", "toml")
    about = Description.parse(tomllib.loads(DESCRIPTION.format(id="small") + block), Path(), "sha256:page")
    assert about.oidc is not None and about.oidc.mapped({"groups": ["safety"]}) == ("security", "viewer")


@pytest.mark.slow
def test_people_and_programs_get_in_as_the_page_says(tmp_path: Path) -> None:
    city = write_twin(tmp_path / "cities" / "jamsil", "jamsil")
    make_token(city)
    with server(city) as address:
        told = ran("sign-in.md", tmp_path, address)
    assert '"name":"Kim"' in told and "opens nothing any more" in told and "retired" in told
    token = (tmp_path / "display.token").read_text().strip()
    assert token not in told.replace((tmp_path / "display.token").name, "")
    assert json.loads((tmp_path / "refused.json").read_text())["status"] == 401


@pytest.mark.slow
def test_the_cloud_policy_is_kept_as_the_page_says(tmp_path: Path) -> None:
    city = write_twin(tmp_path / "cities" / "jamsil", "jamsil")
    (declared,) = blocks("cloud-policy.md", "toml")
    with (city / "twintown.toml").open("a", encoding="utf-8") as file:
        file.write(declared)
    audit = [sys.executable, "-m", "twintown.cli", "policy", "audit", str(city)]
    told = subprocess.run(audit, capture_output=True, text=True, check=False)
    assert (
        told.returncode == 1 and "vaults" in told.stdout
    )  # the small twin has a classified layer, Jamsil has none
    forget(city, "vaults")
    said = ran("cloud-policy.md", tmp_path, WRITTEN)
    assert "0 of which may not" in said and "to be confirmed by the security officer" in said
    assert "holds up to Sensitive (S)" in (tmp_path / "refused.txt").read_text()
    assert json.loads((tmp_path / "audit.json").read_text())["allowed"] is True
    assert re.search(r"layer +buildings .* demonstration +yes", said)


def forget(city: Path, layer: str) -> None:
    """A layer that never was."""
    shutil.rmtree(city / "layers" / layer)
    with writing(Twin.open(city, read_only=False).tables.engine) as connection:
        connection.execute(delete(layer_versions).where(layer_versions.c.layer == layer))
