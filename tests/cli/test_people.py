from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.api.conftest import DESCRIPTION

from twintown.cli import cli, main
from twintown.trust.people import read_people


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "twintown.toml").write_text(DESCRIPTION.format(id="small"), encoding="utf-8")
    return tmp_path


def run(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(cli, [str(one) for one in arguments])
    return done.exit_code, done.stdout


def test_a_person_is_named_listed_and_taken_out(directory: Path) -> None:
    code, token = run("people", "add", directory, "--name", "김하늘", "--role", "planner")
    assert code == 0
    assert len(token.strip()) >= 40
    assert [(one.name, one.role) for one in read_people(directory)] == [("김하늘", "planner")]
    code, listed = run("people", "list", directory)
    assert "김하늘" in listed
    assert "planner" in listed
    assert token.strip() not in listed
    assert run("people", "remove", directory, "--name", "김하늘")[0] == 0
    assert read_people(directory) == ()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["add", "--name", "Ann", "--role", "king"], "'king' is no role"),
        (["add", "--name", " ", "--role", "planner"], "is no name"),
        (["remove", "--name", "Ann"], "nobody is called 'Ann'"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    directory: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["people", arguments[0], str(directory), *arguments[1:]])
    assert caught.value.code == 2
    assert said in capsys.readouterr().err


def test_a_directory_that_is_no_twin_gets_no_people(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["people", "add", str(tmp_path), "--name", "Ann", "--role", "planner"])
    assert "there is no description of a twin" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
