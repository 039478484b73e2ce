"""`twintown run` and `twintown verify`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.jobs import evidence

from twintown.cli import main
from twintown.jobs.asking import typed
from twintown.jobs.manifest import identity
from twintown.twin.layers import Twin


@pytest.fixture
def twin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Twin:
    evidence.install(monkeypatch, evidence.NEAR)
    return evidence.make_twin(tmp_path / "tiny")


@pytest.fixture
def package(twin: Twin, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    path = tmp_path / "evidence.zip"
    status, _, _ = told(capsys, "run", str(twin.directory), "near", "--input", "factor=2", "--out", str(path))
    assert status == 0
    return path


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    said = capsys.readouterr()
    return int(end.value.code or 0), said.out, said.err


def test_an_answer_is_layers_and_a_package(
    twin: Twin, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = str(twin.directory)
    status, out, _ = told(
        capsys, "run", where, "near", "--input", "factor=2", "--out", str(tmp_path / "e.zip")
    )
    assert status == 0 and "nearness-" in out and "grid, 1,200" in out and "twintown verify" in out
    status, again, _ = told(capsys, "run", where, "near", "--input", "factor=2.0")
    assert status == 0 and "answered before" in again
    status, quiet, _ = told(capsys, "run", where, "near", "--quiet", "--fresh")
    assert (status, quiet) == (0, "")


@pytest.mark.parametrize(
    ("given", "line"),
    [("factor", "NAME=VALUE"), ("factor=two", "no JSON"), ("factor=99", "ninety-nine"), ("colour=1", "no such input"),
     ("=1", "NAME=VALUE")],
)  # fmt: skip
def test_an_input_that_cannot_be_is_named_in_one_line(
    twin: Twin, given: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _, err = told(capsys, "run", str(twin.directory), "near", "--input", given)
    assert status == 2 and line in err and err.count("\n") == 1


def test_a_process_that_breaks_and_one_that_is_not_there_are_named(
    twin: Twin, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _, err = told(capsys, "run", str(twin.directory), "near", "--input", "factor=13")
    assert status == 1 and "thirteen" in err
    status, _, err = told(capsys, "run", str(twin.directory), "nera")
    assert status == 2 and "did you mean 'near'?" in err


def test_inputs_are_typed_as_the_process_takes_them() -> None:
    assert typed(evidence.NEAR, ["factor=1.5"]) == {"factor": 1.5}


def test_the_same_result_ends_with_0_and_one_line_says_it(
    package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = told(capsys, "verify", str(package))
    assert status == 0
    assert out.splitlines()[0] == "✓ same · signed with the enclosed key · evidence.zip"
    assert "nearness: ✓ same" in out


def test_keys_that_are_known_are_told(
    twin: Twin, package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(capsys, "verify", str(package), "--twin", str(twin.directory))[1].startswith(
        "✓ same · signed · "
    )
    (tmp_path / "did.json").write_text(json.dumps(identity(twin)))
    assert told(capsys, "verify", str(package), "--did", str(tmp_path / "did.json"))[1].startswith(
        "✓ same · signed · "
    )


def test_a_different_result_ends_with_1_and_says_where(
    package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = evidence.restated(package, lambda said: said["parameters"].update(factor=3))
    status, out, _ = told(capsys, "verify", str(changed))
    assert status == 1
    assert (
        out.startswith("✗ different · SIGNATURE BAD")
        and "1,200 of 1,200 values" in out
        and "there 37." in out
        and "id t1" in out
    )


def test_what_cannot_be_repeated_ends_with_2(
    package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cut.zip").write_bytes(package.read_bytes()[:900])
    status, out, _ = told(capsys, "verify", str(tmp_path / "cut.zip"))
    assert status == 2 and "cannot be read" in out
    evidence.install(monkeypatch)
    status, out, _ = told(capsys, "verify", str(package))
    assert status == 2 and "The process is not here" in out and "signed with the enclosed key" in out
    status, _, err = told(capsys, "verify", str(tmp_path / "none.zip"))
    assert status == 2 and "no such file" in err


@pytest.mark.slow
def test_the_verdict_is_there_for_programs(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = told(capsys, "verify", str(package), "--json")
    said = json.loads(out)
    assert status == 0 and said["verdict"] == "same" and said["signature"]["by"] == "enclosed"


def test_nothing_that_a_stranger_wrote_moves_the_cursor(
    package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = evidence.restated(
        package, lambda said: said["city"].update(name={"en": "\x1b[2Jcity\n\x07", "ko": "x"})
    )
    out = told(capsys, "verify", str(evil))[1]
    assert "\x1b[2J" not in out and "\x07" not in out and "city" in out
