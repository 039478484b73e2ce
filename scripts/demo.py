"""`make demo`: environment, page, the two demo twins, one address. What is done already is not done again."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import environment
import page
from stamps import ROOT, say, stop

CITIES = ("jamsil", "icheon")
DESK = ("producers", "lots", "kitchens", "recipes", "needs", "vehicles")


def install(twintown: str, twin: str) -> None:
    """The playbooks that come with the project, in a built twin; those of this version are not installed again."""
    for playbook in sorted((ROOT / "playbooks").iterdir()):
        about = (playbook / "playbook.toml").read_bytes()
        mark = ROOT / "build" / f"{Path(twin).name}-{playbook.name}.digest"
        digest = hashlib.sha256(about).hexdigest()
        kept = ROOT / twin / "playbooks" / playbook.name
        if not (ROOT / twin / "state.db").exists() or (kept.exists() and mark.exists() and mark.read_text() == digest):
            continue
        if subprocess.run([twintown, "playbook", "install", twin, str(playbook)], stdout=subprocess.DEVNULL).returncode == 0:
            mark.parent.mkdir(exist_ok=True)
            mark.write_text(digest)


def offer(twintown: str, twin: str) -> None:
    """The layers of offers and needs, where a city has files for them; those that a twin has already stay as officers left them."""
    folder = ROOT / twin / "data" / "programme"
    kept = ROOT / twin / "layers"
    if folder.is_dir() and (ROOT / twin / "state.db").exists() and not all((kept / name).is_dir() for name in DESK):
        command = [twintown, "produce", twin, str(folder), "--publisher", "Twintown (예시 · example)", "--quiet"]
        if subprocess.run(command).returncode:
            say(f"{twin}: the layers of offers and needs were not added")


def main() -> None:
    start = time.monotonic()
    os.chdir(ROOT)
    twins = [str(Path("cities") / city) for city in CITIES]
    for twin in twins:
        if not (ROOT / twin / "twintown.toml").is_file():
            stop(f"{twin}/twintown.toml is not there; is this a whole clone?")
    if page.needs_python():
        environment.make("run")
    # The page and the twins need nothing of each other: the one waits for the network while the other computes.
    builder = subprocess.Popen([sys.executable, str(Path(__file__).with_name("page.py"))])
    try:
        environment.make("run")
        twintown = str(environment.VENV / "bin" / "twintown")
        built = subprocess.run([twintown, "build", *twins]).returncode
        for twin in twins:
            install(twintown, twin)
            offer(twintown, twin)
        paged = builder.wait()
    except BaseException:
        builder.terminate()
        builder.wait()
        raise
    if paged:
        raise SystemExit(paged)
    only_build = "--only-build" in sys.argv or os.environ.get("DEMO") == "build"
    if built and (only_build or not all((ROOT / twin / "state.db").exists() for twin in twins)):
        raise SystemExit(built)
    if only_build:
        return
    if built:
        say("the last good version is served instead")
    say(f"ready after {time.monotonic() - start:.0f} s, starting the server")
    arguments = ["serve", *twins, "--port", os.environ.get("PORT", "8000"), "--next-port", "--partners"]
    os.execv(twintown, [twintown, *arguments])  # so that Ctrl-C and signals reach the server itself


if __name__ == "__main__":
    main()
