"""Makes .venv from the locks: `environment.py run` what the server needs, `environment.py dev` with the tests.

uv, pinned by hash, comes from PyPI into the environment itself; where there is no wheel of it, pip does the same slower.
Whoever has a Twintown environment already pays for one digest.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from stamps import ROOT, digest, done, fresh, say, stop

VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCKS = ROOT / "requirements"


def run(*command: str | Path, quiet: bool = False) -> bool:
    """Run it; its own words go to the terminal unless `quiet`."""
    stream = subprocess.DEVNULL if quiet else None
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    return (
        subprocess.run([str(c) for c in command], stdout=stream, stderr=stream, env=environment).returncode
        == 0
    )


def installer() -> list[str | Path]:
    """`uv pip install`, or pip's own where uv has no wheel."""
    uv = VENV / "bin" / "uv"
    pip: list[str | Path] = [PYTHON, "-m", "pip", "install", "-q"]
    if uv.exists() or run(
        *pip, "--require-hashes", "--only-binary=:all:", "-r", LOCKS / "uv.txt", quiet=True
    ):
        return [uv, "pip", "install", "-q", "--python", PYTHON]
    say("uv cannot be had here, pip is used instead: slower, the same result")
    return pip


def make(kind: str) -> Path:
    """The environment of `kind` ("run" or "dev"), made when its lock changed; the path of its Python."""
    version = ".".join(str(part) for part in sys.version_info[:3])
    marks = {
        name: digest([LOCKS / f"{name}.txt", LOCKS / "uv.txt", ROOT / "pyproject.toml"], version, str(ROOT))
        for name in ("run", "dev")
    }
    # The lock of the tests holds all of the server's, so either will do for running.
    wanted = ("dev",) if kind == "dev" else ("dev", "run")
    if PYTHON.exists() and any(fresh(VENV / f".stamp-{name}", marks[name]) for name in wanted):
        return PYTHON
    if not PYTHON.exists() or not run(PYTHON, "-c", "import pip", quiet=True):
        say("making .venv")
        if not run(sys.executable, "-m", "venv", "--clear", VENV):
            stop("Python's venv failed; on Debian: sudo apt-get install -y python3-venv")
    say("installing the locked packages" + (" and the tests' own" if kind == "dev" else "") + " (once)")
    install = installer()
    if not run(*install, "--require-hashes", "-r", LOCKS / f"{kind}.txt"):
        stop("the packages could not be installed; check the network, then run the same command again")
    if not run(*install, "--require-hashes", "-r", LOCKS / "build.txt"):
        stop("the build tool could not be installed; check the network, then run the same command again")
    if not run(*install, "--no-deps", "--no-build-isolation", "-e", ROOT):
        stop("twintown itself could not be installed; see the lines above")
    done(VENV / f".stamp-{kind}", marks[kind])
    return PYTHON


if __name__ == "__main__":
    make(sys.argv[1] if len(sys.argv) > 1 else "run")
