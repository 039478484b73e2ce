"""The how-tos about sharing, run as they are written: a playbook from a folder to another city, two cities joined over TLS."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.clients.test_how_to import blocks
from tests.flows.conftest import HAMLET

from twintown.build.run import build

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cities(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two built twins that are called as the pages call them."""
    here = tmp_path_factory.mktemp("cities")
    for name, was in (("jamsil", "tower"), ("icheon", "hamlet")):
        shutil.copytree(HAMLET / name, here / name)
        about = here / name / "twintown.toml"
        text = about.read_text("utf-8")
        assert f'id = "{was}"' in text
        about.write_text(text.replace(f'id = "{was}"', f'id = "{name}"', 1), "utf-8")
        build(here / name, show=False)
    return here


def command(folder: Path) -> Path:
    """A folder with the command `twintown` of this interpreter."""
    place = folder / "bin"
    place.mkdir(exist_ok=True)
    file = place / "twintown"
    file.write_text(f'#!/bin/sh\nexec {sys.executable} -m twintown.cli "$@"\n')
    file.chmod(0o755)
    return place


def test_a_playbook_is_written_run_and_given_on_as_the_page_says(cities: Path) -> None:
    path = {**os.environ, "PATH": f"{command(cities)}:{os.environ['PATH']}"}
    told = []
    for block in blocks("write-a-playbook.md", "sh"):
        done = subprocess.run(
            ["sh", "-ec", block], cwd=cities, env=path, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
        told.append(done.stdout)
    assert (
        "nothing is missing" in told[1] and "200 min (a convention)" in told[1] and "# Cool ways" in told[1]
    )
    assert "my-shade  1.0" in told[2]
    assert "there is no layer buildings" in told[3] and "Icheon lacks something" in told[3]
