"""The two tiny twins of the API's tests, asked as the standards have it: `get(path)` below the root of one twin."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from tests.api.conftest import write_twin
from tests.conformance.dsp_kit import Kit

from twintown.app import create_app
from twintown.exchange.handshake import Handshake
from twintown.settings import Settings
from twintown.trust.identity import make_token

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it would like another HTTP client than the one we have
    from starlette.testclient import TestClient

ROOT = "/twins/small"
#: What anyone may see, and what kind it is.
LAYERS = {
    "building-parts": "features",
    "buildings": "features",
    "clinics": "table",
    "findings": "features",
    "roads": "features",
    "shade": "grid",
    "weather": "series",
}
ROWS = [name for name, kind in LAYERS.items() if kind != "grid"]
Get = Callable[..., Any]


@pytest.fixture(scope="session")
def twin_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = write_twin(tmp_path_factory.mktemp("conformance") / "small")
    make_token(directory)
    return directory


@pytest.fixture(scope="session")
def app(twin_dir: Path) -> FastAPI:
    return create_app([twin_dir], Settings(), warm=False)


@pytest.fixture(scope="session")
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as one:
        yield one


@pytest.fixture
def get(client: TestClient) -> Get:
    """GET below the root of the twin; parameters by name, `accept` as the header."""

    def ask(path: str = "", accept: str = "", **parameters: Any) -> Any:
        headers = {"Accept": accept} if accept else {}
        query = {name.replace("_", "-") if name in ("bbox_crs", "filter_lang", "filter_crs") else name: value
                 for name, value in parameters.items()}  # fmt: skip
        return client.get(path if "://" in path else ROOT + path, params=query or None, headers=headers)

    return ask


def links(body: dict[str, Any], rel: str) -> list[dict[str, Any]]:
    """The links of a body with one relation."""
    return [link for link in body["links"] if link["rel"] == rel]


@pytest.fixture(scope="session")
def dsp_app(twin_dir: Path) -> FastAPI:
    """The same twin with the test profile of the Dataspace Protocol."""
    return create_app([twin_dir], Settings(dsp_test=True), warm=False)


@pytest.fixture
def dsp(dsp_app: FastAPI) -> Iterator[TestClient]:
    with TestClient(dsp_app, raise_server_exceptions=False) as one:
        yield one


@pytest.fixture
def kit(dsp_app: FastAPI, dsp: TestClient) -> Kit:
    """The other side of the protocol's scenarios; what we send comes to it without a network."""
    twin = dsp_app.state.open.shelf.get("small").twin
    hand = Handshake("http://127.0.0.1:8000", background=False, test=True)
    dsp_app.state.handshake = lambda: hand
    one = Kit(dsp, hand, twin)
    hand.courier = one  # type: ignore[assignment]
    return one
