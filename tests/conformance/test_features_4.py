"""OGC API - Features Part 4: Create, Replace, Update and Delete (draft 20-002r1), where a layer allows it.

http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/create-replace-delete
http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/update
http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/optimistic-locking-etags
http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/features
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.api.conftest import ODBL, write_twin

from twintown.app import create_app
from twintown.ground.columns import Column
from twintown.ground.names import Name
from twintown.ground.provenance import Source
from twintown.settings import Settings
from twintown.trust.grades import Grade
from twintown.trust.identity import LOCAL_OWNER, make_token
from twintown.trust.policy import Resource, decide
from twintown.twin.add import About, add_empty
from twintown.twin.layers import Twin

ITEMS = "/twins/small/collections/benches/items"
GEOJSON, PATCH = "application/geo+json", "application/merge-patch+json"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    directory: Path = write_twin(tmp_path_factory.mktemp("part4") / "small")
    make_token(directory)
    about = About("benches", Name("의자", "Benches"), Source("benches", "Survey", "City", ODBL), Grade.O)
    columns = [
        Column("name", "string", "", Name("이름", "name")),
        Column("seats", "integer", "", Name("자리", "seats")),
    ]
    add_empty(Twin.open(directory), about, "Point", columns, decide(LOCAL_OWNER, "write", Resource("small")))
    token = (directory / "owner.token").read_text().strip()
    with TestClient(create_app([directory], Settings(), warm=False), raise_server_exceptions=False) as one:
        one.headers.update({"Authorization": f"Bearer {token}"})
        yield one


def bench(seats: int = 3) -> dict[str, Any]:
    place = {"type": "Point", "coordinates": [127.0963, 37.5129]}
    return {"type": "Feature", "geometry": place, "properties": {"name": "bench", "seats": seats}}


def created(client: TestClient, seats: int = 3) -> str:
    """The address of a new feature."""
    answer = client.post(ITEMS, json=bench(seats), headers={"Content-Type": GEOJSON})
    assert answer.status_code == 201, answer.text
    return str(answer.headers["location"])


def seats(client: TestClient, address: str) -> int:
    return int(client.get(address).json()["properties"]["seats"])


def test_req_create_replace_delete_post_op(client: TestClient) -> None:
    before = client.get(ITEMS).json()["numberMatched"]
    address = created(client, 5)
    assert address.startswith(f"http://testserver{ITEMS}/")
    feature = client.get(address)
    assert feature.status_code == 200
    assert feature.json()["properties"] == {"name": "bench", "seats": 5}
    assert client.get(ITEMS).json()["numberMatched"] == before + 1


def test_req_create_replace_delete_post_what_is_no_feature_is_400(client: TestClient) -> None:
    answer = client.post(ITEMS, json={"type": "Nothing"}, headers={"Content-Type": GEOJSON})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert client.post(ITEMS, content=b"x", headers={"Content-Type": "text/plain"}).status_code == 415


def test_req_create_replace_delete_put_op(client: TestClient) -> None:
    address = created(client)
    tag = client.get(address).headers["etag"]
    answer = client.put(address, json=bench(7), headers={"Content-Type": GEOJSON, "If-Match": tag})
    assert answer.status_code == 204
    assert seats(client, address) == 7
    assert (
        len(client.get(ITEMS, params={"limit": 1000}).json()["features"])
        == client.get(ITEMS).json()["numberMatched"]
    )


def test_req_create_replace_delete_delete_op(client: TestClient) -> None:
    address = created(client)
    tag = client.get(address).headers["etag"]
    assert client.delete(address, headers={"If-Match": tag}).status_code == 204
    assert client.get(address).status_code == 404
    assert client.delete(address, headers={"If-Match": tag}).status_code in (404, 412)


def test_req_update_patch_op(client: TestClient) -> None:
    address = created(client)
    tag = client.get(address).headers["etag"]
    answer = client.patch(
        address, json={"properties": {"seats": 9}}, headers={"Content-Type": PATCH, "If-Match": tag}
    )
    assert answer.status_code == 204
    assert client.get(address).json()["properties"] == {"name": "bench", "seats": 9}


def test_req_update_patch_of_another_type_is_415(client: TestClient) -> None:
    address = created(client)
    tag = client.get(address).headers["etag"]
    answer = client.patch(address, content=b"{}", headers={"Content-Type": "text/plain", "If-Match": tag})
    assert answer.status_code == 415


def test_req_optimistic_locking_etags_a_feature_has_a_strong_tag_that_changes_with_it(
    client: TestClient,
) -> None:
    address = created(client)
    first = client.get(address).headers["etag"]
    assert not first.startswith("W/")
    answer = client.put(address, json=bench(8), headers={"Content-Type": GEOJSON, "If-Match": first})
    assert (
        answer.headers["etag"]
        == client.get(address, headers={"Accept-Encoding": "identity"}).headers["etag"]
        != first
    )


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_req_optimistic_locking_etags_a_stale_tag_is_412_and_none_is_428(
    client: TestClient, method: str
) -> None:
    address = created(client)
    stale = client.get(address).headers["etag"]
    client.put(address, json=bench(8), headers={"Content-Type": GEOJSON, "If-Match": stale})
    kind = {"Content-Type": PATCH if method == "PATCH" else GEOJSON}
    body = None if method == "DELETE" else bench(1)
    assert client.request(method, address, json=body, headers={**kind, "If-Match": stale}).status_code == 412
    assert client.request(method, address, json=body, headers=kind).status_code == 428
    assert seats(client, address) == 8


def test_req_features_content_crs_of_a_body(client: TestClient) -> None:
    body = bench()
    body["geometry"]["coordinates"] = [37.5129, 127.0963]
    headers = {"Content-Type": GEOJSON, "Content-Crs": "<http://www.opengis.net/def/crs/EPSG/0/4326>"}
    answer = client.post(ITEMS, json=body, headers=headers)
    assert answer.status_code == 201
    x, y = client.get(answer.headers["location"]).json()["geometry"]["coordinates"]
    assert (x, y) == pytest.approx((127.0963, 37.5129), abs=1e-7)


def test_what_may_be_done_is_told_by_options(client: TestClient) -> None:
    assert {"GET", "POST"} <= {one.strip() for one in client.options(ITEMS).headers["allow"].split(",")}
    address = created(client)
    allowed = {one.strip() for one in client.options(address).headers["allow"].split(",")}
    assert {"GET", "PUT", "PATCH", "DELETE"} <= allowed
