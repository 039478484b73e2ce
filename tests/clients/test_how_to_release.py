"""The how-to about the release gate, run as it is written: every block, against a served twin."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from tests.api.conftest import DESCRIPTION, write_twin
from tests.clients.served import server
from tests.clients.test_how_to import PAGES, WRITTEN
from tests.clients.test_how_to_share import command

from twintown.exchange.rules_pack import rules_of
from twintown.trust.identity import make_token
from twintown.twin.description import Description

PAGE = (PAGES / "release-a-layer.md").read_text(encoding="utf-8")


def test_the_rules_on_the_page_can_be_used() -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    about = Description.parse(tomllib.loads(DESCRIPTION.format(id="small") + block), Path(), "sha256:page")
    rules = rules_of(about.release, Path(), about.time_zone)
    assert rules.rules["terrain-cell"].limit == 30
    assert rules.sites[0].buffer_m == 20
    assert rules.about("residents").withheld == ("tenant",)


@pytest.mark.slow
def test_a_layer_goes_out_as_the_page_says(tmp_path: Path) -> None:
    city = write_twin(tmp_path / "cities" / "jamsil", "jamsil")
    make_token(city)
    path = {**os.environ, "PATH": f"{command(tmp_path)}:{os.environ['PATH']}"}
    told = ""
    with server(city) as address:
        for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL):
            run = ["sh", "-ec", block.replace(WRITTEN, address)]
            done = subprocess.run(run, cwd=tmp_path, env=path, capture_output=True, text=True, timeout=120)
            assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
            told += done.stdout
    assert "ODbL 4.8" in told
    assert "person-k" in told
    assert "→ aggregate" in told
    decided = json.loads((tmp_path / "decided.json").read_text(encoding="utf-8"))
    assert (decided["verdict"], decided["decision"]["grade"]) == ("allowed", "O")
    assert '"persons"' in told
    assert "granted" in told
