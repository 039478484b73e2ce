"""Stamps: a step is done when the digest of what it reads is the one that was written after its last success."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
SKIPPED = {"node_modules", "dist", "__pycache__", ".vite", "test-results", "coverage"}


def files_below(*paths: Path) -> list[Path]:
    """The files at or below the paths, sorted, without what tools leave behind."""
    found: list[Path] = []
    for path in paths:
        if path.is_file():
            found.append(path)
        for folder, names, files in os.walk(path):
            names[:] = sorted(set(names) - SKIPPED)
            found += [Path(folder, name) for name in files if not name.endswith((".tsbuildinfo", ".pyc"))]
    return sorted(found)


def digest(paths: Iterable[Path], *words: str) -> str:
    """SHA-256 over names and bytes of the files, and the words."""
    total = hashlib.sha256()
    for path in paths:
        name = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path.name
        total.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    for word in words:
        total.update(f"{word}\n".encode())
    return total.hexdigest()


def fresh(stamp: Path, mark: str) -> bool:
    """Whether the step was last done for this digest."""
    return stamp.is_file() and stamp.read_text() == mark


def done(stamp: Path, mark: str) -> None:
    """Record that the step is done."""
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(mark)


def stop(line: str) -> NoReturn:
    """One line, and the end."""
    print(f"make: {line}", file=sys.stderr)
    raise SystemExit(1)


def say(line: str) -> None:
    """What happens now; it takes a while. A progress line that stands there gives way."""
    clear = "\r\x1b[K" if sys.stdout.isatty() else ""
    print(f"{clear}· {line}", flush=True)
