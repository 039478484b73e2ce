from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from twintown import __version__
from twintown.build import start
from twintown.build.run import build
from twintown.cli import main

TOWER = Path(__file__).parents[1] / "hamlet" / "jamsil" / "data" / "odbl" / "tower.osm"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small built twin that the tests only read."""
    directory = tmp_path_factory.mktemp("twins") / "town"
    start.from_bounds(directory, "127.102,37.511,127.105,37.514", osm=TOWER, undulation=23.5)
    build(directory)
    return directory


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return int(ended.value.code or 0)


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def test_importing_the_package_imports_nothing() -> None:
    code = (
        "import sys; before = set(sys.modules); import twintown; print(*(m for m in set(sys.modules) - before "
        "if not m.startswith('twintown')))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == ""


def test_help_and_version_do_not_wait_for_the_gis() -> None:
    code = (
        "import sys\nfrom twintown.cli import main\n"
        "try: main(['--version'])\n"
        "except SystemExit: print(sorted({'numpy', 'pandas', 'fastapi', 'sqlalchemy'} & set(sys.modules)))"
    )
    said = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert said.splitlines() == [f"twintown, version {__version__}", "[]"]


@pytest.mark.slow
def test_a_second_build_does_not_wait_for_the_gis_either(town: Path) -> None:
    code = (
        "import sys\nfrom twintown.cli import main\n"
        f"try: main(['build', {str(town)!r}])\n"
        "except SystemExit: print(sorted({'numpy', 'pandas', 'sqlalchemy'} & set(sys.modules)))"
    )
    said = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert said.splitlines() == [f"{town}: up to date", "[]"]


def test_init_then_build_then_info(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    town = tmp_path / "my-town"
    assert run("init", str(town), "--bounds", "127.102,37.511,127.105,37.514", "--osm", str(TOWER)) == 0
    assert "twintown build" in capsys.readouterr().out
    assert run("build", str(town)) == 0
    assert re.search(r"3 of 3 steps, 5 layers, 2 products, [\d.]+ s", capsys.readouterr().out)
    assert run("info", str(town)) == 0
    said = capsys.readouterr().out
    assert "buildings-3dtiles" in said
    assert "© OpenStreetMap contributors" in said
    assert run("info", str(town), "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert {layer["layer"] for layer in facts["layers"]} >= {"buildings", "building-parts", "roads"}
    assert all((town / layer["path"]).is_file() for layer in facts["layers"])


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["info", "{dir}/absent"], 2, "there is no description"),
        (["build", "{dir}/absent"], 2, "there is no description"),
        (["init", "{dir}/x"], 2, "either --city or --bounds"),
        (["init", "{dir}/x", "--city", "atlantis"], 2, "no city 'atlantis'"),
        (["init", "{dir}/x", "--bounds", "a,b"], 2, "is not west,south,east,north"),
        (["serve"], 2, "name at least one"),
        (["fly"], 2, "No such command"),
        (["serve", "{dir}", "--port", "70000"], 2, "out of range"),
    ],
)
def test_a_slip_is_one_line_and_status_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, says: str
) -> None:
    assert run(*(argument.format(dir=tmp_path) for argument in arguments)) == status
    assert says in one_line(capsys)


def test_a_twin_that_was_never_built_says_how(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("init", str(tmp_path / "town"), "--bounds", "127,37,127.01,37.01")
    capsys.readouterr()
    assert run("info", str(tmp_path / "town")) == 2
    assert "run `twintown build" in one_line(capsys)


def test_what_nobody_expected_is_one_line_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("first\nsecond")

    monkeypatch.setattr(start, "from_bounds", broken)
    assert run("init", str(tmp_path), "--bounds", "1,2,3,4") == 1
    assert "unexpected RuntimeError: first; run `twintown --debug" in one_line(capsys)


def test_an_unknown_setting_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWINTOWN_PROT", "9000")
    assert run("serve", ".") == 2
    assert "TWINTOWN_PROT: is not a setting" in one_line(capsys)


def serving(*arguments: str | Path) -> tuple[subprocess.Popen[str], str]:
    command = [sys.executable, "-m", "twintown.cli", "serve", *map(str, arguments)]
    server = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert server.stdout is not None
    line = server.stdout.readline()
    if not line:
        raise AssertionError(server.communicate()[1])
    return server, line


def stopped(server: subprocess.Popen[str]) -> int:
    server.send_signal(signal.SIGTERM)
    server.communicate(timeout=30)
    return server.returncode


@pytest.mark.slow
def test_serve_prints_one_address_takes_the_next_free_port_and_ends_when_told(town: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server, line = serving(town, "--port", port, "--next-port")
        try:
            found = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
            assert found is not None, line
            assert int(found[1]) > port
            assert f"(port {port} is taken)" in line
            with urllib.request.urlopen(f"{found[0]}twins", timeout=30) as answer:
                assert [twin["id"] for twin in json.load(answer)["twins"]] == ["town"]
        finally:
            status = stopped(server)
    assert status in (0, -signal.SIGTERM)


def test_a_taken_port_is_one_line(town: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert run("serve", str(town), "--port", str(taken.getsockname()[1])) == 2
    assert "cannot be had" in one_line(capsys)
