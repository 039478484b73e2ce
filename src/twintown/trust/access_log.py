"""The access log of a twin: who that is known asked for what, kept here and for a limited time; an hourly salted root goes into the ledger.

    access/2026-11-22T10.jsonl     one JSON object a line: at, caller, action, path, status (and agreement, code)
    access/2026-11-22T10.salt      32 random bytes, in hexadecimal; without them nobody learns from the root what a line says

The root is that of an RFC 6962 tree over `salt || line`, so that one line can be proved to somebody without showing the others, and none
can be changed or taken out later without being found out. Who does not say who they are leaves no line here.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from twintown.ground.errors import StorageFailed
from twintown.store.engine import reading, writing
from twintown.store.schema_shared import ledger_entries
from twintown.store.tables import Tables
from twintown.trust.ledger import record_in
from twintown.trust.refusals import hour_of
from twintown.trust.tlog import leaf_hash, reader_of, root

FOLDER = "access"
#: How long lines are kept unless the installation says otherwise, days.
DAYS = 30
#: After an hour is over, how long its lines may still come in.
_LATE = timedelta(minutes=2)
_HOUR = re.compile(r"(\d{4}-\d\d-\d\dT\d\d)\.(?:jsonl|salt)")


def append(directory: Path, lines: Iterable[Mapping[str, Any]], now: datetime) -> None:
    """Write lines down. Raises StorageFailed."""
    text = "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)
    folder = directory / FOLDER
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        flags = (
            os.O_WRONLY | os.O_CREAT | os.O_APPEND
        )  # whole lines in one write: several processes write into one file
        opened = os.open(folder / f"{hour_of(now)}.jsonl", flags, 0o600)
        try:
            os.write(opened, text.encode())
        finally:
            os.close(opened)
    except OSError as error:
        raise StorageFailed(f"the access log cannot be written: {error.strerror}", str(folder)) from error


def root_of(file: Path, salt: bytes) -> tuple[bytes, int]:
    """The root over the lines of a file, and how many there are. Raises OSError."""
    lines = [line for line in file.read_bytes().split(b"\n") if line]
    return root(len(lines), reader_of([proves(line, salt) for line in lines])), len(lines)


def proves(line: bytes, salt: bytes) -> bytes:
    """The hash of one line in the tree."""
    return leaf_hash(salt + line)


def close(directory: Path, tables: Tables, now: datetime) -> int:
    """Enter the roots of the hours that are over; how many those were. Once more changes nothing. Raises StorageFailed."""
    folder = directory / FOLDER
    if not folder.is_dir():
        return 0
    latest = hour_of(now - timedelta(hours=1) - _LATE)
    hours = sorted(
        file.stem for file in folder.glob("*.jsonl") if _HOUR.fullmatch(file.name) and file.stem <= latest
    )
    if not hours:
        return 0
    done = _closed(tables, hours)
    for hour in (one for one in hours if one not in done):
        try:
            salt = _salt(folder / f"{hour}.salt")
            found, count = root_of(folder / f"{hour}.jsonl", salt)
        except OSError as error:
            raise StorageFailed(f"the access log cannot be read: {error.strerror}", str(folder)) from error
        with writing(tables.engine) as connection:
            record_in(connection, tables, "access", {"hour": hour, "root": found.hex(), "lines": count}, now)
    return len(hours) - len(done)


def prune(directory: Path, days: int, now: datetime) -> int:
    """Remove the hours that are older than `days`; how many files those were."""
    last, gone = hour_of(now - timedelta(days=days)), 0
    for file in (directory / FOLDER).glob("*"):
        found = _HOUR.fullmatch(file.name)
        if found and found[1] < last:
            file.unlink(missing_ok=True)
            gone += 1
    return gone


def _closed(tables: Tables, hours: list[str]) -> set[str]:
    said = ledger_entries.c.record["hour"].as_string()
    query = select(said).where(
        ledger_entries.c.twin == tables.twin, ledger_entries.c.kind == "access", said.in_(hours)
    )
    with reading(tables.engine) as connection:
        return set(connection.execute(query).scalars())


def _salt(file: Path) -> bytes:
    """The salt of an hour, made once: the same root comes out again after a crash."""
    if not file.exists():
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(opened, "w", encoding="ascii") as out:
            out.write(secrets.token_hex(32))
            out.flush()
            os.fsync(out.fileno())
    return bytes.fromhex(file.read_text(encoding="ascii").strip())


def line_of(at: datetime, caller: str, action: str, path: str, status: int, **more: str) -> dict[str, Any]:
    """One line; what is empty is left out."""
    said = {
        "at": f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z",
        "caller": caller,
        "action": action,
        "path": path,
        "status": status,
    }
    return said | {name: value for name, value in more.items() if value}
