from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from twintown.api import problems
from twintown.app import create_app
from twintown.ground import errors
from twintown.settings import Settings

T = "/twins/small"
BAD = [
    ("/nope", 404, None),
    ("/twins/nowhere", 404, None),
    ("/twins?limit=3", 400, "limit"),
    (f"{T}?x=1", 400, "x"),
    (f"{T}/collections/nowhere", 404, None),
    (f"{T}/collections/vaults", 401, None),
    (f"{T}/collections/vaults/items", 401, None),
    (f"{T}/collections/buildings/items?limit=0", 400, "limit"),
    (f"{T}/collections/buildings/items?limit=ten", 400, "limit"),
    (f"{T}/collections/buildings/items?limit=1&limit=2", 400, "limit"),
    (f"{T}/collections/buildings/items?offset=-1", 400, "offset"),
    (f"{T}/collections/buildings/items?bbox=", 400, "bbox"),
    (f"{T}/collections/buildings/items?bbox=1,2,3", 400, "bbox"),
    (f"{T}/collections/buildings/items?bbox=a,b,c,d", 400, "bbox"),
    (f"{T}/collections/buildings/items?bbox=nan,0,1,1", 400, "bbox"),
    (f"{T}/collections/buildings/items?bbox=37.5,127.0,37.6,127.1", 400, "bbox"),
    (f"{T}/collections/buildings/items?bbox=127,38,128,37", 400, "bbox"),
    (f"{T}/collections/buildings/items?heigth_m=3", 400, "heigth_m"),
    (f"{T}/collections/buildings/items?height_m=tall", 400, "height_m"),
    (f"{T}/collections/roads/items?bridge=perhaps", 400, "bridge"),
    (f"{T}/collections/buildings/items/way/999", 404, None),
    (f"{T}/collections/shade/items", 404, None),
    (f"{T}/collections/weather/coverage", 404, None),
    (f"{T}/collections/buildings/series", 404, None),
    (f"{T}/collections/weather/series?columns=wind", 400, "columns"),
    (f"{T}/collections/weather/series?columns=,", 400, "columns"),
    (f"{T}/collections/weather/series?resample=week", 400, "resample"),
    (f"{T}/collections/shade/coverage?f=gif", 400, "f"),
    (f"{T}/objects/way/999", 404, None),
    (f"{T}/search", 400, "q"),
    (f"{T}/search?q=", 400, "q"),
    (f"{T}/search?q=a&limit=1000", 400, "limit"),
    (f"{T}/search?q={'a' * 101}", 400, "q"),
    (f"{T}/tiles/base/3/9/1", 404, None),
    (f"{T}/tiles/base/99/0/0", 400, "z"),
    (f"{T}/3dtiles/roads/tileset.json", 404, None),
    (f"{T}/3dtiles/buildings/%2e%2e/%2e%2e/twintown.toml", 404, None),
    (f"{T}/3dtiles/buildings/owner.token", 404, None),
]


@pytest.mark.parametrize(("address", "status", "parameter"), BAD)
def test_a_bad_request_is_answered_precisely(
    client: TestClient, address: str, status: int, parameter: str | None
) -> None:
    answer = client.get(address)
    body = answer.json()
    assert answer.status_code == status, body
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["status"] == status
    assert body.get("parameter") == parameter
    assert body["detail"]
    assert body["title"]
    assert body["instance"].startswith("/")


def test_other_methods_are_refused_with_what_is_allowed(client: TestClient) -> None:
    answer = client.delete("/twins")
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]
    assert answer.headers["content-type"] == "application/problem+json"


def test_every_error_of_the_tree_has_a_status() -> None:
    def below(kind: type[Exception]) -> list[type[Exception]]:
        return [kind, *(found for child in kind.__subclasses__() for found in below(child))]

    named = {kind for kind, _ in problems.STATUS}
    for kind in below(errors.TwintownError):
        assert (
            any(issubclass(kind, one) for one in named if one is not errors.TwintownError)
            or kind is errors.TwintownError
        )


def test_a_mistake_of_ours_says_nothing_of_the_inside(app: FastAPI, twin_dir: Path) -> None:
    mine = create_app([twin_dir], Settings(), warm=False)

    @mine.get("/broken")
    def broken() -> None:
        raise RuntimeError("the password is tiger")

    @mine.get("/full")
    def full() -> None:
        raise errors.StorageFailed("the disk is full", where=str(twin_dir))

    with TestClient(mine, raise_server_exceptions=False) as one:
        first, second = one.get("/broken"), one.get("/full")
    assert first.status_code == 500
    assert "tiger" not in first.text
    assert second.status_code == 503
    assert str(twin_dir) not in second.text
    assert second.headers["retry-after"]


def test_a_twin_that_cannot_be_opened_is_named_and_the_rest_is_served(twin_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    with TestClient(create_app([tmp_path / "bad", twin_dir], Settings(), warm=False)) as one:
        assert one.get("/twins/small").status_code == 200
        assert list(one.get("/health").json()["broken"]) == ["bad"]
        assert not re.search(str(tmp_path), one.get("/health").text)


def test_who_hangs_up_in_the_middle_of_a_body_leaves_no_trace_of_a_mistake(
    app: FastAPI, client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    heard = iter(
        [{"type": "http.request", "body": b"half of", "more_body": True}, {"type": "http.disconnect"}]
    )
    said: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return next(heard)

    async def send(message: dict[str, Any]) -> None:
        said.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/twins/small/ledger/add-checkpoint", "raw_path": b"", "query_string": b"",
        "root_path": "", "scheme": "http", "http_version": "1.1", "headers": [(b"host", b"testserver")],
        "server": ("testserver", 80), "client": ("testclient", 1),
    }  # fmt: skip
    assert client.portal is not None
    client.portal.call(app, scope, receive, send)
    assert said[0]["status"] == 400
    assert not caplog.records
