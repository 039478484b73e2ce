"""Two machines in one: network namespaces with a cable between them, and a shell in each that is kept."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from threading import Timer

HOSTS = "127.0.0.1 localhost\n10.77.0.1 seoul.example\n10.77.0.2 icheon.example\n"
_OVER = re.compile(r"^@@(\d+)@@$")


def hindrance() -> str:
    """Why namespaces cannot be made here; "" where they can."""
    for tool in ("ip", "openssl", "curl", "bash"):
        if shutil.which(tool) is None:
            return f"there is no {tool}"
    if os.geteuid() != 0:
        return "only root makes network namespaces"
    name = f"try{token_hex(3)}"
    done = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True)
    if done.returncode:
        return f"no network namespace can be made here: {done.stderr.strip()[:200]}"
    tried = subprocess.run(
        ["ip", "netns", "exec", name, "sh", "-c", "mount --bind /dev/null /etc/hosts"],
        capture_output=True,
        text=True,
    )
    subprocess.run(["ip", "netns", "del", name], capture_output=True)
    return (
        f"nothing can be mounted in a namespace here: {tried.stderr.strip()[:200]}"
        if tried.returncode
        else ""
    )


class Shell:
    """A shell on one of the machines; what is set in one block is there in the next, and a failing block ends it."""

    def __init__(self, command: list[str], folder: Path, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, start_new_session=True,
        )  # fmt: skip
        self.run("set -e -o pipefail")

    def run(self, block: str, seconds: float = 120.0) -> str:
        """What the block says; the test fails where it fails, or takes longer."""
        assert self.process.stdin is not None and self.process.stdout is not None
        stop = Timer(seconds, self.end)
        stop.start()
        said = []
        try:
            self.process.stdin.write(f"{block}\nprintf '\\n@@%s@@\\n' $?\n")
            self.process.stdin.flush()
            for line in self.process.stdout:
                if _OVER.match(line.strip()):
                    return "".join(said)
                said.append(line)
        finally:
            stop.cancel()
        raise AssertionError(f"ended in:\n{block}\n--- and said:\n{''.join(said)[-3000:]}")

    def end(self) -> None:
        """End it with all that it has started."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, 15)
        for _ in range(100):
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, 9)
        self.process.wait(10)
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            with suppress(OSError):
                pipe.close()


@contextmanager
def machines(folders: dict[str, Path], environment: dict[str, str]) -> Iterator[dict[str, Shell]]:
    """A shell for each city on a machine of its own, joined by one cable; `seoul` is 10.77.0.1, `icheon` 10.77.0.2."""
    mark = token_hex(2)
    spaces = {name: f"{name}-{mark}" for name in folders}
    shells: dict[str, Shell] = {}
    with tempfile.TemporaryDirectory() as kept:
        hosts = Path(kept) / "hosts"
        hosts.write_text(HOSTS)
        try:
            for name in spaces.values():
                _ip("netns", "add", name)
                _ip("-n", name, "link", "set", "lo", "up")
            a, b = spaces.values()
            _ip("link", "add", "cable", "netns", a, "type", "veth", "peer", "name", "cable", "netns", b)
            for number, name in enumerate((a, b), 1):
                _ip("-n", name, "addr", "add", f"10.77.0.{number}/24", "dev", "cable")
                _ip("-n", name, "link", "set", "cable", "up")
            for city, folder in folders.items():
                inside = f"mount --bind {hosts} /etc/hosts && exec bash"
                shells[city] = Shell(
                    ["ip", "netns", "exec", spaces[city], "sh", "-c", inside], folder, environment
                )
            yield shells
        finally:
            for shell in shells.values():
                shell.end()
            for name in spaces.values():
                subprocess.run(["ip", "netns", "del", name], capture_output=True)


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True)
    assert done.returncode == 0, f"ip {' '.join(words)}: {done.stderr}"
