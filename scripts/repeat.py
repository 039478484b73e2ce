"""Results that are the same elsewhere: every process, asked in fresh environments, must give the same digests.

    repeat.py                        the Pythons 3.11 to 3.13 that are on the PATH, in pyenv, or in PYTHONS (separated like PATH)
    PYTHONS=/usr/bin/python3.12 …

The first Python gets two environments from the locks. The second of them pretends to be another machine: another processor for the
compilers (no wide vectors, no fused multiply and add), one thread instead of all, another time zone, another seed for hashes. Every
other version of Python gets one. Each compiles its kernels itself. Then the first verifies the packages of all others.

Ends with 1 where a digest differs, naming it; what was not compared because an interpreter is not here is said.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stamps import BUILD, ROOT, say, stop

LOCKS = ROOT / "requirements"
PLACE = BUILD / "repeat"
VERSIONS = ("3.11", "3.12", "3.13")
#: Another machine, as far as one can be had here: the plainest x86-64 or ARM that the compiler and NumPy know.
ELSEWHERE = {
    "NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "", "NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1",
    "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
    "TZ": "Pacific/Chatham", "PYTHONHASHSEED": "4711", "LC_ALL": "C",
}  # fmt: skip


@dataclass(frozen=True)
class Environment:
    """One environment: its name, the interpreter that it is made with, and what is different in it."""

    name: str
    interpreter: str
    variables: dict[str, str]

    @property
    def folder(self) -> Path:
        return PLACE / self.name

    @property
    def python(self) -> Path:
        return self.folder / "venv" / "bin" / "python"

    def run(self, *arguments: str | Path) -> None:
        """Run the answering script in it. Stops where it fails."""
        given = {
            name: value for name, value in os.environ.items() if not name.startswith(("TWINTOWN_", "PYTHON"))
        }
        given |= {
            "NUMBA_CACHE_DIR": str(self.folder / "kernels"),
            "PYTHONDONTWRITEBYTECODE": "1",
        } | self.variables
        script = ROOT / "scripts" / "repeat_answers.py"
        if subprocess.run([self.python, script, *arguments], env=given, cwd=PLACE).returncode:
            stop(f"{self.name} could not answer; see the lines above")


def interpreters() -> dict[str, str]:
    """Interpreters by version, those named in PYTHONS first; each is asked for its version."""
    named = [one for one in os.environ.get("PYTHONS", "").split(os.pathsep) if one]
    for version in VERSIONS:
        named += [
            str(one)
            for one in sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"), reverse=True)
        ]
        if found := shutil.which(f"python{version}"):
            named.append(found)
    named.append(sys.executable)
    known: dict[str, str] = {}
    for one in named:
        code = "import sys; print('%d.%d' % sys.version_info[:2])"
        asked = subprocess.run([one, "-c", code], capture_output=True, text=True)
        version = asked.stdout.strip()
        if not asked.returncode and version in VERSIONS:
            known.setdefault(version, one)
    return dict(sorted(known.items()))


def make(environment: Environment) -> None:
    """A fresh environment from the locks."""
    shutil.rmtree(environment.folder, ignore_errors=True)
    environment.folder.mkdir(parents=True)
    venv = environment.folder / "venv"
    uv = ROOT / ".venv" / "bin" / "uv"
    if uv.exists():
        begin: list[list[str | Path]] = [[uv, "venv", "-q", "--python", environment.interpreter, venv]]
        install: list[str | Path] = [uv, "pip", "install", "-q", "--python", environment.python]
    else:
        begin = [[environment.interpreter, "-m", "venv", venv]]
        install = [environment.python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    steps = [
        *begin, [*install, "--require-hashes", "-r", LOCKS / "run.txt"], [*install, "--require-hashes", "-r", LOCKS / "build.txt"],
        [*install, "--no-deps", "--no-build-isolation", "-e", ROOT],
    ]  # fmt: skip
    for step in steps:
        if subprocess.run([str(part) for part in step]).returncode:
            stop(f"{environment.name} could not be made; see the lines above")


def told(environment: Environment, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((environment.folder / name).read_text(encoding="utf-8"))
    return found


def compared(environments: list[Environment]) -> int:
    """Print what is equal and what is not; how much is not."""
    first = told(environments[0], "answers.json")
    wrong = 0
    for environment in environments[1:]:
        other = told(environment, "answers.json")
        for part in ("layers", "results"):
            names = sorted({*first[part], *other[part]})
            apart = [name for name in names if first[part].get(name) != other[part].get(name)]
            wrong += len(apart)
            mark = "equal" if not apart else f"{len(apart)} DIFFER"
            print(f"  {environments[0].name} and {environment.name}: {len(names)} digests of {part}: {mark}")
            for name in apart:
                print(f"    {name}\n      {first[part].get(name)}\n      {other[part].get(name)}")
    verdicts = told(environments[0], "verdicts.json")
    for name, verdict in sorted(verdicts.items()):
        if verdict["verdict"] != "same" or not verdict["signature"]["good"]:
            wrong += 1
            print(f"  {name}: {verdict['verdict']}, {verdict['what']['en']}")
    print(f"  {environments[0].name} verified {len(verdicts)} packages of the others")
    if broken := first["broken"]:
        wrong += len(broken)
        print(f"  processes that cannot be loaded: {broken}")
    return wrong


def main() -> int:
    found = interpreters()
    if not found:
        stop(
            f"none of Python {', '.join(VERSIONS)} is here; name one: PYTHONS=/path/to/python3.12 make repeat"
        )
    version, interpreter = next(iter(found.items()))
    environments = [
        Environment(f"{version}-here", interpreter, {}),
        Environment(f"{version}-elsewhere", interpreter, ELSEWHERE),
        *(Environment(one, path, {}) for one, path in list(found.items())[1:]),
    ]
    PLACE.mkdir(parents=True, exist_ok=True)
    packages = []
    for environment in environments:
        began = time.monotonic()
        say(f"{environment.name}: making it from the locks ({environment.interpreter})")
        make(environment)
        say(f"{environment.name}: building the hamlet and asking every process")
        environment.run(environment.folder)
        for one in sorted(environment.folder.glob("*.zip")):
            target = environment.folder / f"{environment.name}-{one.name}"
            one.rename(target)
            packages.append(target)
        say(f"{environment.name}: done in {time.monotonic() - began:.0f} s")
    foreign = [one for one in packages if one.parent != environments[0].folder]
    say(f"{environments[0].name}: verifying {len(foreign)} packages of the others")
    environments[0].run(environments[0].folder, *foreign)
    print()
    wrong = compared(environments)
    missing = [one for one in VERSIONS if one not in found]
    if missing:
        print(f"  not compared, because it is not here: Python {', '.join(missing)} (name it in PYTHONS)")
    print("repeat: every digest is the same" if not wrong else f"repeat: {wrong} digests differ")
    if not os.environ.get("KEEP"):
        shutil.rmtree(PLACE, ignore_errors=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
