"""One builder at a time: an exclusive lock on the twin's directory that the system drops when its holder dies."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from twintown.ground.errors import Busy
from twintown.store.blobs import storage_failed

FILE = ".lock"


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold the lock of the twin in `directory`.

    Raises:
        Busy: another builder holds it; names its process and host.
        StorageFailed: the directory may not be written to.
    """
    path = directory / FILE
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise storage_failed(error, str(path)) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Busy(
                f"another build is at work ({_holder(handle)})",
                str(directory),
                "wait until it is done, or end it",
            ) from error
        _sign(handle)
        yield
    finally:
        os.close(
            handle
        )  # the file stays: removing it would let a third builder lock a new one beside the second


def _sign(handle: int) -> None:
    line = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    try:
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(line).encode(), 0)
    except OSError:
        pass  # a full disk must not hide behind a lock that is held all the same


def _holder(handle: int) -> str:
    try:
        line = json.loads(os.pread(handle, 1000, 0))
        return f"process {line['pid']} on {line['host']} since {line['since']}"
    except (ValueError, KeyError, TypeError):
        return "its process is not named"
