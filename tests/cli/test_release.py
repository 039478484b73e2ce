"""`twintown release` from a terminal: the gate's answer as a status, in words, and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.exchange.synthetic import NOW, OSM, PEER, blocks, granted, small_twin, terrain

from twintown.cli import cli
from twintown.exchange import gate
from twintown.trust.grades import Grade


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("release") / "twin"
    more = f'[peers.icheon]\naddress = "https://twin.icheon.example/twins/icheon"\ndid = "{PEER}"\ncountry = "KR"\n'
    layers = {
        "osm-buildings": (blocks(provenance=OSM), Grade.O), "own-blocks": (blocks(), Grade.S),
        "synthetic-terrain": (terrain(5, 60), Grade.S),
    }  # fmt: skip
    small_twin(where, layers, more)
    return where


def run(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["release", *(str(one) for one in arguments)])
    return done.exit_code, done.output


def test_the_status_says_whether_it_may_go(directory: Path) -> None:
    credit = '{"attribution": "© OpenStreetMap contributors"}'
    assert run("check", directory, "osm-buildings", "--to", "icheon", "--terms", credit)[0] == 0
    assert run("check", directory, "own-blocks", "--to", "icheon")[0] == 3
    assert run("check", directory, "own-blocks", "--to", PEER)[0] == 3
    assert run("check", directory, "synthetic-terrain", "--to", "anyone")[0] == 4


def test_findings_remedies_and_their_sources_are_told_in_both_languages(directory: Path) -> None:
    _, told = run("check", directory, "layer:synthetic-terrain", "--to", "anyone")
    assert "✗ terrain-cell: cells of 5 m" in told
    assert '→ coarsen {"cell_m": 90.0}' in told
    assert "to be confirmed by the security officer" in told
    assert (
        "격자 간격 5 m" in run("check", directory, "synthetic-terrain", "--to", "anyone", "--lang", "ko")[1]
    )


def test_programs_get_all_of_it(directory: Path, tmp_path: Path) -> None:
    terms = tmp_path / "terms.json"
    terms.write_text('{"no_resharing": true}', encoding="utf-8")
    code, told = run("check", directory, "osm-buildings", "--to", "peers", "--terms", f"@{terms}", "--json")
    said = json.loads(told)
    assert (code, said["verdict"]) == (4, "refused")
    assert "ODbL 4.8" in {one["citation"] for one in said["findings"]}


def test_terms_that_are_none_are_named(directory: Path) -> None:
    assert run("check", directory, "osm-buildings", "--to", "peers", "--terms", "no")[0] != 0
    assert run("check", directory, "osm-buildings", "--to", "peers", "--terms", '{"sharing": 1}')[0] != 0


def test_what_was_asked_and_decided_is_listed(directory: Path) -> None:
    from twintown.twin.layers import Twin

    assert "nothing yet" in run("list", directory)[1]
    twin = Twin.open(directory, read_only=False)
    asked = gate.question(twin, granted(twin, "share"), "layer:own-blocks", PEER, None, NOW)
    gate.decide(twin, granted(twin, "release"), asked.id, True, "They may.", NOW)
    assert "granted" in run("list", directory)[1]
    assert json.loads(run("list", directory, "--json")[1])[0]["decision"]["why"] == "They may."
