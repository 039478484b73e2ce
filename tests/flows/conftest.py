"""The tower and its neighbours, built once from the hamlet's files and served by the real app."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from twintown.app import create_app
from twintown.build.run import build
from twintown.settings import Settings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it would like another HTTP client than the one we have
    from starlette.testclient import TestClient

HAMLET = Path(__file__).parents[1] / "hamlet"


@pytest.fixture(scope="session")
def towns(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Both places, built as `twintown build` does it."""
    here = tmp_path_factory.mktemp("towns")
    found = []
    for name in ("jamsil", "icheon"):
        if (HAMLET / name / "twintown.toml").exists():
            shutil.copytree(HAMLET / name, here / name)
            build(here / name, show=False)
            found.append(here / name)
    return found


@pytest.fixture(scope="session")
def client(towns: list[Path]) -> Iterator[TestClient]:
    with TestClient(create_app(towns, Settings(), warm=False)) as one:
        yield one
