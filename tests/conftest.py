"""Fixtures for every test: no network, no user's environment."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import on_postgres

on_postgres.use()  # before anything of the twins' rows is imported
REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests see no setting of the person who runs them."""
    for name in list(os.environ):
        if name.startswith("TWINTOWN_"):
            monkeypatch.delenv(name)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Kernels come first: whichever worker needs one afterwards finds it compiled."""
    items.sort(key=lambda item: "kernels" not in Path(item.path).parts)


def pytest_configure(config: pytest.Config) -> None:
    if on_postgres.URL:  # a thread that still read as its test ended leaves a connection to the collector
        kind = "pytest.PytestUnraisableExceptionWarning"
        config.addinivalue_line(
            "filterwarnings", f"ignore:Exception ignored in. <function BaseConnection:{kind}"
        )


@pytest.fixture(autouse=bool(on_postgres.URL))
def _few_connections() -> Iterator[None]:
    """No test leaves connections to a server behind."""
    yield
    on_postgres.rest()


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
