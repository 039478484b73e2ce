"""What the house tests read: every module of the source tree, parsed once."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "twintown"


@dataclass(frozen=True)
class Module:
    """One file: its place in the house (`api/problems`), text and syntax tree."""

    name: str
    path: Path
    text: str
    tree: ast.Module

    @property
    def room(self) -> str:
        return self.name.split("/")[0]

    def imports(self) -> set[str]:
        """Top-level names of everything imported, wherever in the file."""
        found: set[str] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                found.add(node.module.split(".")[0])
        return found

    @property
    def lines(self) -> int:
        return self.text.count("\n")


@lru_cache(maxsize=1)
def modules() -> tuple[Module, ...]:
    """Every module of the package but the empty `__init__` files and the migrations, which Alembic lays out."""
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(SOURCE).with_suffix("").as_posix()
        if "migrations" not in name:
            found.append(Module(name, path, text, ast.parse(text)))
    return tuple(found)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`make check` runs the house's rules, and so does `make test-all`."""
    for item in items:
        if Path(item.path).parent == Path(__file__).parent:
            item.add_marker(pytest.mark.slow)
