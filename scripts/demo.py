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
    environment.make("run")
    page.build()
    twintown = str(environment.VENV / "bin" / "twintown")
    twins = [str(Path("cities") / city) for city in CITIES]
    os.chdir(ROOT)
    for twin in twins:
        if not (ROOT / twin / "twintown.toml").is_file():
            stop(f"{twin}/twintown.toml is not there; is this a whole clone?")
    if "--only-build" in sys.argv or os.environ.get("DEMO") == "build":
        raise SystemExit(subprocess.run([twintown, "build", *twins]).returncode)
    built = subprocess.run([twintown, "build", *twins]).returncode
    if built and not all((ROOT / twin / "state.db").exists() for twin in twins):
        raise SystemExit(built)
    if built:
        say("the last good version is served instead")
    say(f"ready in {time.monotonic() - start:.1f} s, starting the server")
    arguments = ["serve", *twins, "--port", os.environ.get("PORT", "8000"), "--next-port"]
    os.execv(twintown, [twintown, *arguments])  # so that Ctrl-C and signals reach the server itself


if __name__ == "__main__":
    main()
