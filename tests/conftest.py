"""Fixtures for every test: no network, no user's environment."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests see no setting of the person who runs them."""
    for name in list(os.environ):
        if name.startswith("TWINTOWN_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the working tree."""
    return REPOSITORY


@pytest.fixture
def umask() -> Iterator[None]:
    """Files of this test are readable by their owner only."""
    before = os.umask(0o077)
    yield
    os.umask(before)
