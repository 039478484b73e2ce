"""Locks carry versions and hashes, and no address: neither of a registry nor of a machine."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = [*sorted((ROOT / "requirements").glob("*.txt")), ROOT / "web" / "package-lock.json"]
ADDRESS = re.compile(
    r"[a-z+]+://[^\s\"']+|--(?:extra-)?index-url|--find-links|-f\s|(?<![\w.@~-])/(?:[\w.-]+/)+[\w.-]+"
)
HASH = re.compile(r"sha\d+[-:][A-Za-z0-9+/=]+")


def addresses(text: str) -> list[str]:
    return [found[0] for line in text.splitlines() for found in ADDRESS.finditer(HASH.sub("", line))]


def content(lock: Path) -> str:
    """The text of a lock, without who is paid for a package: an address that nothing is fetched from."""
    text = lock.read_text(encoding="utf-8")
    if lock.suffix != ".json":
        return text
    document = json.loads(text)
    for package in document["packages"].values():
        package.pop("funding", None)
    return json.dumps(document, indent=1)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_names_no_host_and_no_path_of_a_machine(lock: Path) -> None:
    assert addresses(content(lock)) == []


@pytest.mark.parametrize("lock", LOCKS[:-1], ids=lambda path: path.name)
def test_every_requirement_is_pinned_and_hashed(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert lines
    for line in lines:
        assert re.match(r"[A-Za-z0-9._-]+(\[[a-z,-]+\])?==\S+ ", line), line
        assert "--hash=sha256:" in line, line


def test_every_package_of_the_page_has_its_integrity() -> None:
    packages = json.loads((ROOT / "web" / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    missing = [
        name
        for name, package in packages.items()
        if name and not package.get("link") and "integrity" not in package
    ]
    assert missing == []


@pytest.mark.parametrize(
    "line",
    [
        "--extra-index-url https://mirror.example/simple",
        "numpy @ file:///opt/wheels/numpy.whl",
        "#    via -r /home/somebody/requirements.in",
        '      "resolved": "https://registry.example/x.tgz",',
    ],
)
def test_the_check_itself_sees_an_address(line: str) -> None:
    assert addresses(line)
