"""The scripts that bring what a machine lacks, as far as they can be tested without bringing anything."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHELL = [ROOT / ".ci" / "run", *sorted((ROOT / "scripts").glob("*.sh"))]
#: Words of GNU that macOS does not know.
GNU = re.compile(
    r"readlink -f|sed -i|\bflock\b|sort -V|grep -P|\bsha256sum\b|mktemp --|date -d|cp -a\b|xargs -r|\brealpath\b"
)


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> object:
    """The module scripts/page.py."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import page as module

    return module


@pytest.mark.parametrize("script", SHELL, ids=lambda path: path.name)
def test_a_shell_script_parses_and_knows_no_gnu_words(script: Path) -> None:
    shell = "bash" if script.name == "run" else "sh"
    assert subprocess.run([shell, "-n", str(script)]).returncode == 0
    assert GNU.findall(script.read_text()) == []


def test_the_makefile_knows_no_gnu_words_of_the_shell() -> None:
    assert GNU.findall((ROOT / "Makefile").read_text()) == []


@pytest.mark.parametrize(
    ("version", "good"),
    [("v20.18.3", False), ("v20.19.0", True), ("v21.7.0", False), ("v22.11.0", False), ("v22.12.0", True),
     ("v24.19.0", True), ("v18.20.0", False), ("", False), ("command not found", False)],
)  # fmt: skip
def test_node_is_taken_where_vite_runs_on_it(page: object, version: str, good: bool) -> None:
    assert page.good(version) is good  # type: ignore[attr-defined]


def test_preflight_names_what_is_missing_in_one_line_each(tmp_path: Path) -> None:
    for name in ("sh", "id", "uname"):
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    ended = subprocess.run(
        [str(tmp_path / "sh"), str(ROOT / "scripts" / "preflight.sh"), "never-run.py"],
        env={"PATH": str(tmp_path)}, cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert ended.returncode == 3
    lines = ended.stderr.splitlines()
    assert [line for line in lines if "Python 3.11 or newer is missing" in line]
    assert [line for line in lines if "make is missing" in line]


def test_preflight_runs_what_it_is_given_with_the_python_it_found() -> None:
    script = [
        "sh",
        str(ROOT / "scripts" / "preflight.sh"),
        "-c",
        "import sys; print(sys.version_info >= (3, 11))",
    ]
    if shutil.which("make") is None:
        pytest.fail("make is missing, and so is everything else that a Makefile promises")
    said = subprocess.run(
        script, env={"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}, capture_output=True, text=True
    )
    assert said.stdout.strip() == "True", said.stderr
