"""The quick look: has anything changed at all since the last build?

Standard library only, so that a build with nothing to do costs a blink instead of the imports of a GIS. It may say
"changed" where `plan` then finds that nothing is stale (a touched file); it never says "unchanged" after an edit that
altered a file's size or time.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import tomllib
from collections.abc import Iterator
from contextlib import closing
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

FILE = ".built"
_PACKAGE = Path(__file__).parents[1]


def unchanged(directory: Path) -> bool:
    """Whether description, data, code and what was built are as the last build left them."""
    try:
        kept = json.loads((directory / FILE).read_text())
        return bool(kept["mark"] == inputs(directory) and kept["made"] == _made(directory))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def remember(directory: Path, mark: str) -> None:
    """Keep `mark` (from `inputs`, taken before the build began) beside the twin. A failure only costs time later."""
    try:
        path = directory / FILE
        temporary = path.with_name(f"{FILE}.{os.getpid()}")
        temporary.write_text(json.dumps({"mark": mark, "made": _made(directory)}))
        temporary.replace(path)
    except OSError:
        return


def inputs(directory: Path) -> str:
    """Digest of all that a build reads, by content where it is small and by size and time where it may be large.

    Raises OSError, ValueError: the caller then looks properly.
    """
    total = hashlib.sha256()
    raw = (directory / "twintown.toml").read_bytes()
    total.update(raw)
    for path in sorted(_paths(tomllib.loads(raw.decode()), directory)):
        total.update(f"{path}{_look(path)}".encode())
    total.update(code().encode())
    for group in ("twintown.sources", "twintown.processes"):
        for point in sorted(entry_points(group=group), key=lambda one: one.name):
            total.update(f"{point.name}={point.value}@{point.dist.version if point.dist else ''}".encode())
    return total.hexdigest()


def code(*rooms: str) -> str:
    """Digest of the package's own Python files (of some rooms, by name), so that a change of code is never missed."""
    total = hashlib.sha256()
    for folder in [_PACKAGE / room for room in rooms] or [_PACKAGE]:
        for path in sorted(folder.rglob("*.py")):
            total.update(
                f"{path.relative_to(_PACKAGE).as_posix()}\0".encode()
                + hashlib.sha256(path.read_bytes()).digest()
            )
    return total.hexdigest()


def _paths(document: dict[str, Any], directory: Path) -> Iterator[Path]:
    for entry in document.get("sources", []):
        for name in entry.get("paths", []):
            yield directory / name
        for value in entry.get("options", {}).values():
            if isinstance(value, dict) and isinstance(value.get("path"), str):
                yield directory / value["path"]


def _edits(database: Path) -> int:
    """How many edits of features and approved scenarios the database holds; -1 where it cannot say."""
    said = "SELECT (SELECT count(*) FROM feature_edits) + (SELECT count(*) FROM scenarios WHERE state = 'approved')"
    try:
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return int(connection.execute(said).fetchone()[0])
    except (sqlite3.Error, ValueError):
        return -1


def _look(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns


def _made(directory: Path) -> dict[str, int]:
    """Size of each file below layers/ and tiles/; the database must be there too, with the edits that it had."""
    made = {"state.db": int((directory / "state.db").is_file()), "edits": _edits(directory / "state.db")}
    for top in ("layers", "tiles"):
        for folder, _, files in os.walk(directory / top):
            for name in files:
                path = Path(folder, name)
                made[str(path.relative_to(directory))] = path.stat().st_size
    return made
