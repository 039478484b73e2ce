"""A PostgreSQL of a test's own: made with initdb in a folder that goes with it, on a socket in that folder and nowhere else."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

PORT = 54321  # names the socket; nothing listens on the network


def programs() -> Path | None:
    """The folder of initdb and pg_ctl; Debian keeps them off the PATH."""
    places = [Path(found).parent] if (found := shutil.which("initdb")) else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((one for one in places if (one / "initdb").exists() and (one / "pg_ctl").exists()), None)


def missing() -> str:
    """Why no PostgreSQL can be brought up here; "" where it can."""
    if find_spec("psycopg") is None:
        return "needs psycopg (pip install 'twintown[postgres]')"
    return "" if programs() else "needs PostgreSQL's initdb (Debian: apt-get install postgresql)"


@contextmanager
def private(*, durable: bool = True) -> Iterator[str]:
    """The URL of its database `postgres`, for a superuser without a password.

    Args:
        durable: False forgets what was committed as the machine dies, and is faster.
    """
    bin = programs()
    assert bin is not None
    place = Path(tempfile.mkdtemp(prefix="twintown-pg-", dir="/tmp"))  # a socket's path is 107 bytes at most
    who: dict[str, Any] = {}
    if os.geteuid() == 0:  # PostgreSQL never runs as root
        nobody = pwd.getpwnam("nobody")
        os.chown(place, nobody.pw_uid, nobody.pw_gid)
        who = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    settings = f"-c listen_addresses='' -k {place} -p {PORT} -c max_connections=200"
    if not durable:
        settings += " -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
    control = [bin / "pg_ctl", "-D", place / "data", "-w"]

    def run(*command: Any) -> None:
        with (place.parent / f"{place.name}.log").open("ab") as log:
            subprocess.run(command, check=True, stdout=log, stderr=log, cwd=place, **who)

    try:
        run(
            bin / "initdb", "-D", place / "data", "-A", "trust", "-U", "twintown", "--no-locale", "-E", "UTF8"
        )
        run(*control, "-l", place / "log", "-o", settings, "start")
        try:
            yield f"postgresql+psycopg://twintown@/postgres?host={place}&port={PORT}"
        finally:
            run(*control, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(place, ignore_errors=True)
        (place.parent / f"{place.name}.log").unlink(missing_ok=True)
