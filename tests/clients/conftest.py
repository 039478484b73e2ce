"""The tools that people use, against one live server of the tiny twin, and of a demo twin where it is built."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.api.conftest import write_twin
from tests.clients.served import server

REPOSITORY = Path(__file__).parents[2]


@pytest.hookimpl(tryfirst=True)  # before the groups are read
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One worker for all of them: they share a server, and only `make test-all` runs them."""
    for item in items:
        if Path(item.path).parent == Path(__file__).parent:
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.xdist_group("clients"))


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the tiny twin."""
    return write_twin(tmp_path_factory.mktemp("clients") / "small")


@pytest.fixture(scope="session")
def twin(folder: Path) -> Iterator[str]:
    """The address of the tiny twin on a live server."""
    with server(folder) as address:
        yield f"{address}/twins/small"


def demo(name: str) -> Path:
    """The folder of a demo twin; CITIES names another place for them."""
    city = Path(os.environ.get("CITIES", REPOSITORY / "cities")) / name
    if not (city / "state.db").exists():
        pytest.skip("the demo twins are not built: make demo-build")
    return city


@pytest.fixture(scope="session")
def jamsil() -> Iterator[str]:
    """The address of the demo twin of Jamsil on a live server."""
    with server(demo("jamsil")) as address:
        yield f"{address}/twins/jamsil"


@pytest.fixture(scope="session")
def icheon() -> Iterator[str]:
    """The address of the demo twin of Icheon on a live server."""
    with server(demo("icheon")) as address:
        yield f"{address}/twins/icheon"
