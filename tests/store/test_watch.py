"""Watching a database: a commit of anybody is seen at the next look, and nothing else is."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from tests.on_postgres import sqlite_only

from twintown.store.engine import open_engine, sqlite_url, writing
from twintown.store.watch import Watch

pytestmark = sqlite_only


@pytest.fixture
def file(tmp_path: Path) -> Path:
    with writing(open_engine(sqlite_url(tmp_path / "state.db"))) as connection:
        connection.execute(text("CREATE TABLE t (x INTEGER)"))
    return tmp_path / "state.db"


def put(file: Path) -> None:
    with writing(open_engine(sqlite_url(file))) as connection:
        connection.execute(text("INSERT INTO t VALUES (1)"))


def test_a_commit_of_this_process_is_seen_and_reading_is_none(file: Path) -> None:
    watch = Watch(open_engine(sqlite_url(file), read_only=True))
    before = watch.look()
    with open_engine(sqlite_url(file), read_only=True).connect() as connection:
        connection.execute(text("SELECT * FROM t")).all()
    assert watch.look() == before
    put(file)
    after = watch.look()
    assert after != before
    assert watch.look() == after


def test_a_commit_of_another_process_is_seen(file: Path) -> None:
    watch = Watch(open_engine(sqlite_url(file), read_only=True))
    before = watch.look()
    script = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('INSERT INTO t VALUES (2)'); c.commit()"
    subprocess.run([sys.executable, "-c", script, str(file)], check=True)
    assert watch.look() != before


def test_a_write_that_is_rolled_back_changes_nothing(file: Path) -> None:
    watch = Watch(open_engine(sqlite_url(file), read_only=True))
    before = watch.look()
    with suppress(ZeroDivisionError), writing(open_engine(sqlite_url(file))) as connection:
        connection.execute(text("INSERT INTO t VALUES (3)"))
        _ = 1 / 0
    assert watch.look() == before


def test_any_thread_may_look(file: Path) -> None:
    watch = Watch(open_engine(sqlite_url(file), read_only=True))
    seen = [watch.look()]
    threads = [Thread(target=lambda: seen.append(watch.look())) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(seen) == 9 and len(set(seen)) == 1


@pytest.mark.skipif(os.name != "posix", reason="rights of folders")
def test_a_file_that_may_not_be_written_to_is_looked_at_by_its_time(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twintown.store.watch.os.access", lambda *_: False)  # root may write anywhere
    watch = Watch(open_engine(sqlite_url(file), read_only=True))
    before = watch.look()
    assert watch.look() == before
    os.utime(file, (1, 1))
    assert watch.look() != before


def test_a_database_in_memory_is_read_every_time() -> None:
    watch = Watch(open_engine("sqlite://"))
    assert watch.look() != watch.look()


def test_others_are_asked_again_after_a_moment_or_when_this_process_wrote(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [10.0]
    monkeypatch.setattr("twintown.store.watch.time.monotonic", lambda: now[0])
    watch = Watch(SimpleNamespace(url=make_url("mysql://nobody@localhost/x")))  # type: ignore[arg-type]
    before = watch.look()
    assert watch.look() == before
    watch.touch()
    touched = watch.look()
    assert touched != before
    now[0] += 0.25
    assert watch.look() != touched
