"""`twintown account | token | key | peer`: who may sign in, what programs show, which keys count."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.api.conftest import DESCRIPTION

from twintown.cli import cli, main
from twintown.store.tables import open_tables, sqlite_url
from twintown.trust import passwords
from twintown.trust.keys import signing_key
from twintown.trust.peers import read_peers

PASSWORD = "seven tall zelkova trees"
ADDRESS = "https://icheon.example/twins/icheon"


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(passwords, "MEMORY", 8)
    passwords._hasher.cache_clear()
    (tmp_path / "twintown.toml").write_text(DESCRIPTION.format(id="small"), encoding="utf-8")
    open_tables(sqlite_url(tmp_path / "state.db"), "small", read_only=False)
    return tmp_path


def run(*arguments: object, said: str = "") -> str:
    done = CliRunner().invoke(cli, [str(one) for one in arguments], input=said)
    assert done.exit_code == 0, done.output
    return done.stdout


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    with pytest.raises(SystemExit):
        main([str(one) for one in arguments])
    return capsys.readouterr().err


def test_an_account_is_opened_listed_asked_for_codes_and_closed(directory: Path) -> None:
    added = run(
        "account",
        "add",
        directory,
        "--name",
        "Kim",
        "--role",
        "partner",
        "--role",
        "planner",
        said=f"{PASSWORD}\n",
    )
    assert "Kim may sign in as partner, planner" in added and PASSWORD not in added
    address = run("account", "totp", directory, "--name", "Kim")
    assert address.startswith("otpauth://totp/") and "secret=" in address
    listed = run("account", "list", directory)
    assert "partner planner" in listed and "yes" in listed and "argon2" not in listed
    run("account", "totp", directory, "--name", "Kim", "--off")
    run("account", "disable", directory, "--name", "Kim")
    run("account", "disable", directory, "--name", "Kim", "--again")
    run(
        "account",
        "add",
        directory,
        "--name",
        "Kim",
        "--role",
        "viewer",
        "--change",
        said="another long password\n",
    )
    assert "viewer" in run("account", "list", directory)


def test_a_code_can_be_photographed(directory: Path) -> None:
    run("account", "add", directory, "--name", "Kim", "--role", "viewer", said=f"{PASSWORD}\n")
    assert "\u2580" in run("account", "totp", directory, "--name", "Kim", "--qr")


def test_a_token_is_given_listed_and_taken_back(directory: Path) -> None:
    token = run("token", "add", directory, "--name", "display", "--scope", "read:layer:buildings").strip()
    listed = run("token", "list", directory)
    assert token not in listed and "read:layer:buildings" in listed
    id = re.findall(r"\b[0-9a-f]{12}\b", listed)[0]
    assert "opens nothing" in run("token", "revoke", directory, id)


def test_keys_are_rotated_and_revoked(directory: Path) -> None:
    old = signing_key(directory).public
    new = run("key", "rotate", directory, "--why", "yearly").strip()
    assert new == signing_key(directory).public != old
    listed = run("key", "list", directory)
    assert old in listed and "retired" in listed and "yearly" in listed
    run("key", "revoke", directory, old, "--why", "lost", "--yes")
    assert "revoked" in run("key", "list", directory)


def test_a_peer_is_pinned_listed_and_forgotten(directory: Path) -> None:
    key = signing_key(directory).public
    pinned = run("peer", "pin", directory, ADDRESS, "--key", key, "--country", "KR", "--grade", "S")
    assert pinned.strip() == key
    peer = read_peers(directory)["icheon"]
    assert (peer.address, peer.keys, peer.country, peer.grade.value) == (ADDRESS, (key,), "KR", "S")
    assert key in run("peer", "list", directory)
    run("peer", "remove", directory, "icheon")
    assert read_peers(directory) == {}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("peer", "pin", "{}", "https://icheon.example", "--key", "x"), "is no address of a twin"),
        (("peer", "pin", "{}", ADDRESS, "--key", "z6Mk"), "holds a key that is none"),
        (("peer", "remove", "{}", "icheon"), "is not pinned here"),
        (("key", "revoke", "{}", "z6MkOther", "--why", "x", "--yes"), "never signed with"),
        (("token", "add", "{}", "--name", "x", "--scope", "govern"), "is no scope"),
        (("token", "revoke", "{}", "none"), "there is no token"),
        (("account", "disable", "{}", "--name", "Kim"), "has no account"),
        (("account", "totp", "{}", "--name", "Kim"), "has no account"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    directory: Path, arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    told = refused(capsys, *(one.format(directory) for one in arguments))
    assert said in told and told.count("\n") == 1


@pytest.mark.slow
def test_twins_that_are_served_as_partners_know_each_other_at_the_port_that_was_got(tmp_path: Path) -> None:
    for name in ("small", "other"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "twintown.toml").write_text(DESCRIPTION.format(id=name), encoding="utf-8")
        open_tables(sqlite_url(folder / "state.db"), name, read_only=False)
    twins = [str(tmp_path / name) for name in ("small", "other")]
    command = [sys.executable, "-m", "twintown.cli", "serve", *twins, "--port", "0", "--partners"]
    environment = {**os.environ, "TWINTOWN_KEEPER": "off", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as server:
        try:
            assert server.stdout is not None
            address = server.stdout.readline().split()[3].rstrip("/")
        finally:
            server.terminate()
    known = read_peers(tmp_path / "small")["other"]
    assert (known.address, known.grade.value) == (f"{address}/twins/other", "S")
    assert known.keys == (signing_key(tmp_path / "other").public,)
    assert "small" in read_peers(tmp_path / "other")
