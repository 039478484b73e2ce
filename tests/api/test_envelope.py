"""What holds for every answer: the largest body by address, other origins, HEAD, and mistakes of ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from twintown.api.envelope import BODIES, MAX_BODY
from twintown.app import create_app
from twintown.settings import Settings

T = "/twins/small"


@pytest.mark.parametrize(
    ("method", "address", "most"),
    [
        ("POST", f"{T}/sun", MAX_BODY),
        ("POST", f"{T}/collections/buildings/items", BODIES[0][1]),
        ("PUT", f"{T}/collections/anything", BODIES[0][1]),
        ("PUT", f"{T}/collections/buildings/items/way/2", MAX_BODY),
    ],
)
def test_a_body_is_refused_by_its_stated_length_before_it_is_read(
    client: TestClient, method: str, address: str, most: int
) -> None:
    headers = {"Content-Length": str(most + 1), "Content-Type": "application/json"}
    got = client.request(method, address, headers=headers, content=b"")
    assert got.status_code == 413
    assert f"{most:,}" in got.json()["detail"]
    fits = client.request(method, address, headers={**headers, "Content-Length": str(most)}, content=b"")
    assert fits.status_code != 413


def test_a_body_that_does_not_say_its_length_is_counted(client: TestClient) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(30):
            yield b" " * 100_000

    got = client.post(f"{T}/sun", content=endless(), headers={"Content-Type": "application/json"})
    assert got.status_code == 413


def test_a_mistake_of_ours_can_be_read_by_other_origins(twin_dir: Path) -> None:
    mine = create_app([twin_dir], Settings(), warm=False)

    @mine.get("/broken")
    def broken() -> None:
        raise RuntimeError("inside")

    with TestClient(mine, raise_server_exceptions=False) as one:
        got = one.get("/broken")
    assert got.status_code == 500
    assert got.headers["access-control-allow-origin"] == "*"
    assert "inside" not in got.text


def test_every_answer_lets_other_origins_read_its_headers(client: TestClient) -> None:
    for address in ("/twins", f"{T}/nothing", f"{T}/collections/buildings/items?limit=0"):
        got = client.get(address)
        assert got.headers["access-control-allow-origin"] == "*"
        assert {"ETag", "Link", "Content-Crs", "OGC-NumberMatched"} <= set(
            got.headers["access-control-expose-headers"].split(", ")
        )
        assert got.headers["x-content-type-options"] == "nosniff"
