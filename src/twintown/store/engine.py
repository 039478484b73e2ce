"""The SQL engine of a twin: how a database is opened, read, written and brought up to date.

SQLite by default (write-ahead log, full synchronisation, waiting for a busy writer), PostgreSQL by URL.

Either has one writer at a time. SQLite is made so; on PostgreSQL each transaction that writes takes one lock of the database first, and
then sees what those before it committed. So a row that is read in a transaction is still that row when it is written, places in the
ledger and in journals are dense and in order, and no write fails because of another one; a commit takes a millisecond or two.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import quote
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool, StaticPool

from twintown.ground.errors import BadInput, BadSettings, StorageFailed, StorageFull
from twintown.store.schema import HEAD

#: How long a writer waits for another one.
BUSY_SECONDS = 10.0
#: A connection that holds a transaction and says nothing is given up by PostgreSQL after so long, as is one whose machine is gone.
_SILENT_SECONDS, _GONE_SECONDS = 300, 30
#: The lock that a writer of a PostgreSQL database holds; the first 8 bytes of SHA-256 of "twintown writes".
_WRITES = -7828872054297241478
#: Writers of this process wait here, so that no more than one connection of an engine waits for the lock.
_TURNS: WeakKeyDictionary[Engine, Lock] = WeakKeyDictionary()
_TURNS_LOCK = Lock()


def sqlite_url(path: Path) -> str:
    """URL of the SQLite file at `path`."""
    return f"sqlite:///{path}"


def open_engine(url: str, *, read_only: bool = False) -> Engine:
    """Engine for `url`, configured for durability. `read_only` opens it without the right to write.

    Raises BadSettings when the URL names no database that is installed.
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            return _sqlite_engine(parsed.database, read_only)
        return _server_engine(url, read_only)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise BadSettings(
            f"the database URL cannot be used: {_line(error)}",
            where=_without_password(url),
            remedy="use sqlite:///path or postgresql+psycopg://… (pip install 'twintown[postgres]')",
        ) from error


def _server_engine(url: str, read_only: bool) -> Engine:
    # One connection sees one picture, as in SQLite. A server of 40 threads reads on 25 connections at once, others wait.
    level = "REPEATABLE READ"
    engine = create_engine(
        url, pool_pre_ping=True, pool_use_lifo=True, max_overflow=20, isolation_level=level
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        if engine.dialect.name != "postgresql":
            return
        said = {
            "TimeZone": "UTC", "lock_timeout": f"{BUSY_SECONDS:.0f}s", "idle_in_transaction_session_timeout": f"{_SILENT_SECONDS}s",
            "tcp_keepalives_idle": str(_GONE_SECONDS), "default_transaction_read_only": "on" if read_only else "off",
        }  # fmt: skip
        cursor = connection.cursor()
        for name, value in said.items():
            cursor.execute(f"SET {name} = '{value}'")
        cursor.close()
        connection.commit()

    return engine


def _sqlite_engine(database: str | None, read_only: bool) -> Engine:
    if not database or database == ":memory:":
        engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    else:
        path = Path(database)
        if read_only:
            # Where nothing may be written there is no place for the log's index, so SQLite must be told that
            # the file stands still; that is only true while no log lies beside it.
            log = path.with_name(f"{path.name}-wal")
            still = not os.access(path.parent, os.W_OK) and not (log.exists() and log.stat().st_size)
            url = f"sqlite:///file:{quote(str(path))}?mode=ro{'&immutable=1' if still else ''}&uri=true"
        else:
            url = sqlite_url(path)
        engine = create_engine(
            url, poolclass=NullPool, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False}
        )

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # BEGIN is ours, below: the driver's own comes too late to lock
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute(f"PRAGMA busy_timeout={int(BUSY_SECONDS * 1000)}")
        if not read_only:
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.execute("PRAGMA synchronous=FULL")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # IMMEDIATE: a writer takes its place before it reads, so that no switch fails half-way as "busy".
        writes = connection.get_execution_options().get("twintown_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection for one consistent read. Raises StorageFailed."""
    with _named(engine), engine.connect() as connection:
        yield connection


@contextmanager
def writing(engine: Engine, *, fresh: bool = False) -> Iterator[Connection]:
    """One transaction that commits at the end or leaves no trace; no other one writes meanwhile. Raises StorageFailed.

    Each statement sees what was committed before the transaction began to write. (`fresh` says that a caller counts on it; all may.)
    """
    options: dict[str, Any] = {"twintown_writes": True}
    server = engine.dialect.name != "sqlite"
    if server:
        options["isolation_level"] = "READ COMMITTED"
    with (
        _named(engine),
        _turn(engine) if server else nullcontext(),
        engine.connect().execution_options(**options) as connection,
        connection.begin(),
    ):
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITES})")
        yield connection


@contextmanager
def _turn(engine: Engine) -> Iterator[None]:
    """One writer of this process after the other."""
    with _TURNS_LOCK:
        lock = _TURNS.setdefault(engine, Lock())
    if not lock.acquire(timeout=BUSY_SECONDS):
        raise StorageFailed(
            "another writer of this server holds the database", _without_password(str(engine.url)), "try again in a moment"
        )  # fmt: skip
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _named(engine: Engine) -> Iterator[None]:
    try:
        yield
    except DataError as error:  # too long, out of range, U+0000: PostgreSQL takes what a column's type says
        raise BadInput(
            f"cannot be kept: {_line(error.orig or error)}",
            "the database",
            "write something shorter or plainer",
        ) from error
    except SQLAlchemyError as error:
        reason = _line(error.orig if isinstance(error, DBAPIError) and error.orig else error)
        lowered = reason.lower()
        if "full" in lowered or "disk i/o" in lowered:
            remedy = "free space on the disk, then run the command again; the last good version is kept"
        elif "readonly" in lowered or "read-only" in lowered or "unable to open" in lowered:
            remedy = "check that the directory exists and that you may write to it"
        elif "locked" in lowered or "lock timeout" in lowered:
            remedy = "another program holds the database: wait for it or end it"
        else:
            remedy = "check the database, then run the command again"
        where = _without_password(str(engine.url))
        kind = StorageFull if "disk is full" in lowered or "disk full" in lowered else StorageFailed
        raise kind(f"the database refused: {reason}", where=where, remedy=remedy) from error


def _line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def _without_password(url: str) -> str:
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return url.split("@")[-1]


def revision(engine: Engine) -> str | None:
    """Schema revision of the database, None for an empty one."""
    with reading(engine) as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        value = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if value is None else str(value)


def upgrade(engine: Engine) -> None:
    """Bring the schema to `HEAD` with the packaged Alembic scripts; does nothing when it is there already.

    Raises StorageFailed, BadSettings when the database comes from a newer version of the code.
    """
    found = revision(engine)
    if found == HEAD:
        return
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    if found is not None and found not in {
        s.revision for s in ScriptDirectory.from_config(config).walk_revisions()
    }:
        raise BadSettings(
            f"the database has revision {found}, unknown to this version of twintown",
            where=_without_password(str(engine.url)),
            remedy="install the version of twintown that wrote it, or a newer one",
        )
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
