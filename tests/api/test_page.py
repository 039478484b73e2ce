from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient


def test_the_page_allows_nothing_from_outside(client: TestClient) -> None:
    page = client.get("/?twin=small&lang=ko")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "http:" not in policy
    assert "https:" not in policy
    assert "'unsafe-eval'" not in policy
    assert page.headers["cache-control"] == "no-cache"
    assert page.headers["x-content-type-options"] == "nosniff"


def test_bundled_files_are_kept_for_a_year_and_sent_packed(client: TestClient) -> None:
    script = "/assets/index-BxYz12_4.js"
    plain = client.get(script, headers={"Accept-Encoding": "identity"})
    assert "immutable" in plain.headers["cache-control"]
    assert plain.headers["content-type"].startswith("text/javascript")
    assert client.get(script, headers={"If-None-Match": plain.headers["etag"]}).status_code == 304
    with client.stream("GET", script, headers={"Accept-Encoding": "gzip"}) as packed:
        assert packed.headers["content-encoding"] == "gzip"
        assert b"".join(packed.iter_raw()) == b"packed", "the file beside it is sent as it is"


@pytest.mark.parametrize(
    "path",
    ["/../owner.token", "/%2e%2e/%2e%2e/etc/passwd", "/assets/..%2f..%2fx", "/assets/", "/assets", "/a%00b"],
)
def test_nothing_beside_the_built_page_can_be_reached(client: TestClient, dist: Path, path: str) -> None:
    (dist.parent / "owner.token").write_text("secret")
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_an_unknown_address_is_not_the_page(client: TestClient) -> None:
    assert client.get("/some/deep/link").status_code == 404
    assert client.post("/").status_code == 405
    assert client.post("/nowhere").status_code == 404
