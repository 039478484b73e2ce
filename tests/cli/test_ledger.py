from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import delete, update
from tests.api.conftest import DESCRIPTION
from tests.trust.ledgers import City, cities, city

from twintown.cli import cli
from twintown.ground.errors import TwintownError
from twintown.store.engine import open_engine, sqlite_url, writing
from twintown.store.schema_shared import ledger_entries
from twintown.trust.keys import write_key


def verify(*arguments: object) -> tuple[int, str]:
    """Exit status and words; a refusal is its words."""
    done = CliRunner().invoke(cli, ["ledger", "verify", *map(str, arguments)])
    if isinstance(done.exception, TwintownError):
        return 2, str(done.exception)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout


def described(one: City, *peers: City) -> None:
    (one.directory / "twintown.toml").write_text(DESCRIPTION.format(id=one.name), encoding="utf-8")
    write_key(one.directory / "signing.key", one.key)
    text = "".join(
        f'[peers.{peer.name}]\naddress = "{peer.peer.address}"\nkeys = ["{peer.key.public}"]\n'
        for peer in peers
    )
    (one.directory / "peers.toml").write_text(text)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[City, City]:
    """Two cities that have cosigned each other: 300 entries and 2."""
    seoul, icheon = cities(tmp_path_factory.mktemp("pair"), "seoul", "icheon")
    for one, other, count in ((seoul, icheon, 290), (icheon, seoul, 2)):
        one.enter(count)
        one.grow()
        one.asks(other)
        described(one, other)
    seoul.enter(10)
    seoul.grow()
    seoul.asks(icheon, 290)
    return seoul, icheon


@pytest.fixture
def copy(pair: tuple[City, City], tmp_path: Path) -> Path:
    """The ledger of Seoul, for a test to spoil."""
    shutil.copytree(pair[0].directory / "ledger", tmp_path / "ledger")
    return tmp_path / "ledger"


def test_a_good_ledger_holds_and_says_who_has_cosigned_it(pair: tuple[City, City]) -> None:
    seoul, icheon = pair
    status, said = verify(seoul.directory, "--against", icheon.directory, "--cosigned", 1)
    assert status == 0, said
    assert "300 entries" in said
    assert f"cosigned by {icheon.ledger.origin}" in said
    assert "has seen the same log, up to 300 entries" in said


def test_a_folder_alone_needs_the_key_of_its_city(pair: tuple[City, City], copy: Path) -> None:
    seoul, icheon = pair
    assert verify(copy, "--key", seoul.key.public)[0] == 0
    assert verify(copy.parent, "--as", icheon.directory)[0] == 0
    status, said = verify(copy)
    assert (status, "no key of this log is known" in said) == (1, True)
    status, said = verify(copy, "--key", icheon.key.public)
    assert (status, "is not signed by a key of" in said) == (1, True)


FILES = [
    "checkpoint", "tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/44",
]  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_one_byte_that_was_changed_anywhere_is_found(pair: tuple[City, City], copy: Path, name: str) -> None:
    asked = (copy, "--key", pair[0].key.public, "--as", pair[0].directory, "--cosigned", 1)
    path, whole = copy / name, (copy / name).read_bytes()
    for at in (0, 5, len(whole) // 2, len(whole) - 6):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        status, said = verify(*asked)
        assert status != 0, (at, said)
    path.write_bytes(whole)
    assert verify(*asked)[0] == 0


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_gone_is_named(pair: tuple[City, City], copy: Path, name: str) -> None:
    (copy / name).unlink()
    status, said = verify(copy, "--key", pair[0].key.public)
    assert status != 0
    assert name in said or name.partition("/")[0] in said


def test_an_entry_that_was_changed_is_named_by_its_number(pair: tuple[City, City], copy: Path) -> None:
    path = copy / "tile" / "entries" / "001.p" / "44"
    raw = path.read_bytes()
    at = raw.rindex(b'"kind":"offer"')
    path.write_bytes(raw[:at] + b'"kind":"ofter"' + raw[at + 14 :])
    status, said = verify(copy, "--key", pair[0].key.public)
    assert (status, "entry 299: not what was signed" in said) == (1, True)


def test_entries_that_changed_places_are_named(pair: tuple[City, City], copy: Path) -> None:
    path = copy / "tile" / "entries" / "000"
    raw = path.read_bytes()
    step = 2 + int.from_bytes(raw[:2], "big")
    path.write_bytes(raw[step : 2 * step] + raw[:step] + raw[2 * step :])
    status, said = verify(copy, "--key", pair[0].key.public)
    assert (status, "entries 0, 1: not what was signed" in said) == (1, True)


def test_a_cosignature_that_was_changed_is_found(pair: tuple[City, City], copy: Path) -> None:
    text = (copy / "checkpoint").read_text(encoding="utf-8")
    for old, new in (("AA", "AB"), ("\n— icheon", "\n— icheom")):
        at = text.index("— icheon")
        place = text.index(old, at + 30) if old == "AA" else at - 1
        (copy / "checkpoint").write_text(text[:place] + new + text[place + len(old) :], encoding="utf-8")
        status, said = verify(copy, "--as", pair[0].directory, "--key", pair[0].key.public, "--cosigned", 1)
        assert status == 1, said


def test_a_ledger_whose_newest_entries_were_taken_away_is_found_by_its_peer(
    pair: tuple[City, City], tmp_path: Path
) -> None:
    _, icheon = pair
    shorter = city(tmp_path / "seoul", "seoul")
    shorter.enter(7)
    shorter.grow()
    described(shorter)
    assert verify(shorter.directory)[0] == 0  # alone it looks good
    status, said = verify(shorter.directory, "--against", icheon.directory)
    assert (status, "the newest were taken away" in said) == (1, True)


def test_a_fork_is_found_by_the_peer_and_a_true_copy_says_which_entries_differ(
    pair: tuple[City, City], tmp_path: Path
) -> None:
    seoul, icheon = pair
    fork = city(tmp_path / "seoul", "seoul")
    fork.enter(350)
    fork.grow()
    described(fork)
    status, said = verify(fork.directory, "--against", icheon.directory)
    assert (status, "FORK" in said, "among the entries from 0 up to 289" in said) == (1, True, True)
    status, said = verify(fork.directory, "--against", seoul.directory)
    assert (status, "differ in entries 0, 1" in said) == (1, True)


def test_an_older_copy_is_no_fork(pair: tuple[City, City], copy: Path, tmp_path: Path) -> None:
    seoul, icheon = pair
    more = tmp_path / "more"
    shutil.copytree(seoul.directory, more)
    assert verify(copy, "--key", seoul.key.public, "--against", more)[0] == 0
    kept = tmp_path / "checkpoint"
    assert verify(copy, "--key", seoul.key.public, "--remember", kept)[0] == 0
    assert kept.read_bytes() == (copy / "checkpoint").read_bytes()
    assert verify(copy, "--key", seoul.key.public, "--remember", kept)[0] == 0
    assert "2 entries" in verify(icheon.directory)[1]


def test_a_checkpoint_that_was_remembered_finds_a_fork(pair: tuple[City, City], tmp_path: Path) -> None:
    seoul, _ = pair
    kept = tmp_path / "kept"
    assert verify(seoul.directory, "--remember", kept)[0] == 0
    fork = city(tmp_path / "seoul", "seoul")
    fork.enter(300)
    fork.grow()
    described(fork)
    before = kept.read_bytes()
    status, said = verify(fork.directory, "--remember", kept)
    assert (status, "FORK" in said, kept.read_bytes() == before) == (1, True, True)


def test_an_opened_entry_is_checked_by_a_stranger_and_a_changed_one_is_not(
    pair: tuple[City, City], tmp_path: Path
) -> None:
    seoul, _ = pair
    out = tmp_path / "entry.json"
    done = CliRunner().invoke(cli, ["ledger", "open", str(seoul.directory), "295", "--out", str(out)])
    assert done.exit_code == 0, done.output
    key = ("--key", seoul.key.public)
    assert verify("--record", out, *key)[0] == 0
    status, said = verify(seoul.directory, "--record", out)
    assert (status, "the record is entry 295 of seoul.example" in said) == (0, True)
    assert verify("--record", out)[0] == 2  # whose key?
    whole = json.loads(out.read_text(encoding="utf-8"))
    changes: dict[str, Callable[[dict[str, object]], object]] = {
        "record": lambda said: {"n": 99}, "salt": lambda said: "AAAAAAAAAAAAAAAAAAAAAA==", "entry": lambda said: 294,
        "proof": lambda said: whole["proof"][:-1], "leaf": lambda said: whole["leaf"].replace("offer", "agree"),
        "checkpoint": lambda said: whole["checkpoint"].replace("300", "301"),
    }  # fmt: skip
    for name, change in changes.items():
        out.write_text(json.dumps({**whole, name: change(whole)}), encoding="utf-8")
        assert verify("--record", out, *key)[0] == 1, name
    out.write_text("{}", encoding="utf-8")
    assert verify("--record", out, *key)[0] == 2


def test_the_report_is_there_for_programs_and_the_entries_for_people(pair: tuple[City, City]) -> None:
    seoul, _ = pair
    status, said = verify(seoul.directory, "--json")
    report = json.loads(said)
    assert (status, report["holds"], report["size"], report["findings"]) == (0, True, 300, [])
    shown = CliRunner().invoke(cli, ["ledger", "show", str(seoul.directory), "--limit", "2"])
    assert shown.exit_code == 0
    assert '{"n": 9}' in shown.output


def test_what_is_no_ledger_is_named(tmp_path: Path) -> None:
    status, said = verify(tmp_path)
    assert (status, "checkpoint is not there" in said) == (2, True)
    assert verify()[0] == 2


def test_a_database_that_says_something_else_is_found(pair: tuple[City, City], tmp_path: Path) -> None:
    directory = tmp_path / "seoul"
    shutil.copytree(pair[0].directory, directory)
    assert "the database says what was entered, 300 entries" in verify(directory)[1]
    with writing(open_engine(sqlite_url(directory / "state.db"))) as rows:
        rows.execute(update(ledger_entries).where(ledger_entries.c.seq == 5).values(record={}))
        rows.execute(update(ledger_entries).where(ledger_entries.c.seq == 7).values(leaf=b"\0"))
        rows.execute(delete(ledger_entries).where(ledger_entries.c.seq == 299))
    status, said = verify(directory)
    assert status == 1
    assert "something else than was entered in entry 5" in said
    assert "other rows than the tree for entry 7" in said
    assert "the database has 299 entries, and 300 are in the tree" in said
