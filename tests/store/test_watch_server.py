"""Watching a database behind a server: as with a file, each commit of anybody is seen at the next look."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.on_postgres import URL

from twintown.store.engine import open_engine, sqlite_url, writing
from twintown.store.watch import FRESH_S, Watch

pytestmark = pytest.mark.skipif(not URL, reason="needs a PostgreSQL (TEST_DATABASE_URL)")


def test_a_commit_of_another_connection_is_seen_and_reading_is_none(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "state.db")
    with writing(open_engine(url)) as connection:
        connection.execute(text("CREATE TABLE t (x INTEGER)"))
    watch = Watch(open_engine(url, read_only=True))
    before = watch.look()
    time.sleep(FRESH_S)
    with open_engine(url).connect() as connection:
        connection.execute(text("SELECT * FROM t")).all()
    assert watch.look() == before
    time.sleep(FRESH_S)
    with writing(open_engine(url)) as connection:
        connection.execute(text("INSERT INTO t VALUES (1)"))
        during = watch.look()
    time.sleep(FRESH_S)
    assert len({before, during, watch.look()}) >= 2 and watch.look() != during


def test_a_connection_that_was_cut_is_made_anew(tmp_path: Path) -> None:
    engine = open_engine(sqlite_url(tmp_path / "state.db"))
    watch = Watch(engine)
    assert isinstance(watch.look()[1], str)  # type: ignore[index]
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": watch._server.info.backend_pid})
    time.sleep(FRESH_S)
    assert isinstance(watch.look()[1], str)  # type: ignore[index]
