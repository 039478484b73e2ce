"""An empty database, made once by the migrations and copied for each test that asks."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from twintown.store.tables import Tables, open_tables, sqlite_url


@pytest.fixture(scope="session")
def _empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("empty") / "state.db"
    open_tables(sqlite_url(path), "empty", read_only=False).engine.dispose()
    return path


@pytest.fixture
def rows_of(_empty: Path, tmp_path: Path) -> Callable[[str], Tables]:
    """The rows of a twin of that name, none yet, in `state.db` of the test's folder."""

    def made(twin: str) -> Tables:
        path = tmp_path / "state.db"
        if not path.exists():
            shutil.copyfile(_empty, path)
        return open_tables(sqlite_url(path), twin, read_only=False)

    return made
