"""The how-tos about sharing, run as they are written: a playbook from a folder to another city, two cities joined over TLS."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.clients.joined import Shell, hindrance, machines
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


def test_two_cities_join_over_tls_between_two_machines_as_the_page_says(cities: Path, tmp_path: Path) -> None:
    if why := hindrance():
        pytest.skip(why)
    desk = tmp_path / "authority"
    folders = {"seoul": tmp_path / "seoul", "icheon": tmp_path / "icheon"}
    desk.mkdir()
    for city, twin in (("seoul", "jamsil"), ("icheon", "icheon")):
        shutil.copytree(cities / twin, folders[city] / twin)
    environment = {
        **os.environ,
        "PATH": f"{command(tmp_path)}:{os.environ['PATH']}",
        "TWINTOWN_KEEPER_WORKERS": "1",
    }
    told: dict[str, list[str]] = {"seoul": [], "icheon": []}
    authority = Shell(["bash"], desk, environment)
    try:
        with machines(folders, environment) as shells:
            for block in blocks("join-a-peer.md", "sh"):
                where = re.match(r"# (?:in|at) (?:the )?(\w+)", block)
                assert where is not None, block
                name = where[1].lower()
                if name == "authority":
                    authority.run(block)
                    for city, folder in folders.items():
                        for file in ("ca.pem", f"{city}.pem", f"{city}.key"):
                            shutil.copy(desk / file, folder / file)
                    continue
                told[name].append(shells[name].run(block))
                if "twintown serve" in block:  # whoever sits there sees the line that says so
                    shells[name].run(
                        "until curl -sf --cacert ca.pem $TWINTOWN_PUBLIC_URL/health; do sleep 0.2; done"
                    )
                if "key list" in block:  # read out over the phone
                    (key,) = re.findall(r"z6Mk\w+", told[name][-1])
                    other = "icheon" if name == "seoul" else "seoul"
                    shells[other].run(f"export {name.upper()}_KEY={key}")
    finally:
        authority.end()
    seoul, icheon = "\n".join(told["seoul"]), "\n".join(told["icheon"])
    assert '"state":"offered"' in seoul
    assert "30 June 2027" in seoul or "1 July 2027" in seoul
    assert "2027년 7월 1일" in icheon
    assert '"type":"FeatureCollection"' in icheon
    assert "refused: the button was pressed" in icheon and "agreement-suspended" in icheon
