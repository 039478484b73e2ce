"""`make demo`: environment, page, the two demo twins, one address. What is done already is not done again."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import environment
import page
from stamps import ROOT, say, stop

CITIES = ("jamsil", "icheon")


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
