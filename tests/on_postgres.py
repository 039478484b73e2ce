"""The same tests on PostgreSQL: with TEST_DATABASE_URL set, each `state.db` that a test names is a schema of that database.

The file holds the name of its schema, so that a folder that is copied is a twin of its own: its first use copies the rows too. What opens
the file as SQLite by itself cannot run so, and says `sqlite_only`.
"""

from __future__ import annotations

import atexit
import hashlib
import os
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import Connection, Engine, create_engine, inspect, text

#: The database of the tests; "" where they run on SQLite.
URL = os.environ.get("TEST_DATABASE_URL", "")
sqlite_only = pytest.mark.skipif(
    bool(URL), reason="looks into the SQLite file itself (TEST_DATABASE_URL is set)"
)
_MARK = "schema "
_ENGINES: list[Engine] = []


def use() -> None:
    """From here on, where TEST_DATABASE_URL is set, twins of this process have their rows there."""
    if not URL:
        return
    from twintown.store import engine, tables

    opened = engine.open_engine

    def kept(url: str, *, read_only: bool = False) -> Engine:
        made = opened(url, read_only=read_only)
        _ENGINES.append(made)
        return made

    atexit.register(rest)
    engine.sqlite_url = tables.sqlite_url = url_of
    engine.open_engine = tables.open_engine = kept


def rest() -> None:
    """Close connections that nobody uses now; an engine opens new ones by itself."""
    for one in _ENGINES:
        one.dispose()


def url_of(file: Path) -> str:
    """The address of the schema that stands for a SQLite file, made where there is none, or copied with its folder."""
    place = file.resolve()
    name = f"t_{hashlib.sha256(f'{os.getpid()} {place}'.encode()).hexdigest()[:24]}"
    with suppress(OSError):
        said = file.read_bytes()[:80].decode("ascii", "replace")
        if said == f"{_MARK}{name}":
            return _address(name)
        if said.startswith(_MARK):
            _make(name, said.removeprefix(_MARK))
            file.write_text(f"{_MARK}{name}")
            return _address(name)
    if file.parent.is_dir():
        _make(name, "")
        file.write_text(f"{_MARK}{name}")
    return _address(name)


def _address(schema: str) -> str:
    return f"{URL}{'&' if '?' in URL else '?'}options={quote(f'-csearch_path={schema}')}"


def _make(name: str, source: str) -> None:
    engine = create_engine(URL)
    with engine.begin() as connection:
        connection.execute(text(f'DROP SCHEMA IF EXISTS "{name}" CASCADE'))
        connection.execute(text(f'CREATE SCHEMA "{name}"'))
        if source:
            _copy(connection, source, name)
    engine.dispose()


def _copy(connection: Connection, source: str, name: str) -> None:
    for table in inspect(connection).get_table_names(schema=source):
        connection.execute(text(f'CREATE TABLE "{name}"."{table}" (LIKE "{source}"."{table}" INCLUDING ALL)'))
        connection.execute(text(f'INSERT INTO "{name}"."{table}" SELECT * FROM "{source}"."{table}"'))
