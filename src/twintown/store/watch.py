"""Whether anything was committed to a database since the last look, in microseconds.

SQLite says so itself: `PRAGMA data_version`, on a connection that is kept for nothing else, changes with every commit of
another one (sqlite.org/pragma.html#pragma_data_version). A file that may not be written to is looked at by size and time.
PostgreSQL does too: `pg_current_snapshot` names the transactions that are finished and those that are not, and is another one after each
commit (postgresql.org/docs/current/functions-info.html); a fifth of a millisecond on a connection of its own, asked once a millisecond.
Other databases count as changed every fifth of a second. Who writes himself says so with `touch`.
"""

from __future__ import annotations

import os
import sqlite3
import time
import weakref
from collections.abc import Hashable
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import quote

from sqlalchemy import Engine

from twintown.store.engine import BUSY_SECONDS

#: How old an answer of a database that does not say when it changed may be, seconds.
AGE_S = 0.2
#: How old an answer of PostgreSQL may be, seconds: a list that is sent in pieces looks before each.
FRESH_S = 0.001


class Watch:
    """A look at one database; any thread may look."""

    def __init__(self, engine: Engine) -> None:
        self._lock = Lock()
        self._touched = 0
        self._file: Path | None = None
        self._connection: sqlite3.Connection | None = None
        self._none = False
        self._engine = engine
        self._server: Any = None
        self._said: tuple[float, str | float] = (0.0, 0.0)
        if engine.url.get_backend_name() == "sqlite":
            self._file = _file(engine.url.database)
            self._none = self._file is None

    def look(self) -> Hashable:
        """Equal to the last answer as long as nothing was committed."""
        if self._file is None:
            if self._none:  # a database in memory has one connection, which does not see its own commits
                return object()
            if self._engine.url.get_backend_name() == "postgresql":
                return self._touched, self._snapshot()
            return self._touched, int(time.monotonic() / AGE_S)
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = self._opened(self._file)
                version = self._connection.execute("PRAGMA data_version").fetchone()[0]
            except sqlite3.Error:
                self._connection = None
                return self._touched, _stat(self._file), time.monotonic()
        still = _stat(self._file) if self._still else 0
        return self._touched, version, still

    def touch(self) -> None:
        """What was known is old: this process has just written."""
        self._touched += 1

    def _snapshot(self) -> str | float:
        """Which transactions PostgreSQL has finished; the moment where it does not answer, so that its readers say why."""
        with self._lock:
            now = time.monotonic()
            if now - self._said[0] < FRESH_S:
                return self._said[1]
            for _ in range(2):  # a server that was started again has closed the connection
                try:
                    if self._server is None:
                        self._server = self._connected()
                    said = self._server.execute("SELECT pg_current_snapshot()::text").fetchone()
                except Exception:  # the driver's own, whichever it is
                    self._server = None
                    continue
                self._said = (now, str(said[0]))
                return self._said[1]
            return now

    def _connected(self) -> Any:
        """A connection outside of the pool, each statement of which sees what is there now."""
        pooled = self._engine.raw_connection()
        made: Any = pooled.driver_connection
        pooled.detach()
        made.rollback()
        made.autocommit = True
        weakref.finalize(self, made.close)
        return made

    def _opened(self, file: Path) -> sqlite3.Connection:
        self._still = not os.access(file.parent, os.W_OK)
        log = file.with_name(f"{file.name}-wal")
        immutable = self._still and not (log.exists() and log.stat().st_size)
        name = f"file:{quote(str(file))}?mode=ro{'&immutable=1' if immutable else ''}"
        connection = sqlite3.connect(
            name, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA data_version").fetchone()
        return connection

    _still = False


def _file(database: str | None) -> Path | None:
    if not database or database == ":memory:":
        return None
    plain = database.removeprefix("file:").split("?")[0] if database.startswith("file:") else database
    from urllib.parse import unquote

    return Path(unquote(plain) if database.startswith("file:") else plain)


def _stat(file: Path) -> tuple[int, int, int]:
    try:
        said = file.stat()
    except OSError:
        return 0, 0, 0
    return said.st_mtime_ns, said.st_size, said.st_ino
