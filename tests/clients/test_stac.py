"""STAC clients against a live server: pystac-client searches, stac-api-validator reports nothing."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.api.conftest import write_twin
from tests.clients.served import server

pytestmark = pytest.mark.slow
#: stac-api-validator reads its schemas from the net; those of the standard lie in pystac, and those of extensions lie nowhere here.
#: So the standard's are given from there and an extension's forbids nothing.
VALIDATE = """
import json, pathlib, sys
import pystac.validation, requests

schemas = pathlib.Path(pystac.validation.__file__).parent / "jsonschemas"
real = requests.Session.send

def send(self, request, **more):
    url = request.url.partition("#")[0]
    if url.startswith("http://127.0.0.1:"):
        return real(self, request, **more)
    answer = requests.Response()
    answer.url, answer.request, answer.status_code = url, request, 200
    answer.headers["content-type"] = "application/json"
    if url.startswith("https://schemas.stacspec.org/v1.1.0/"):
        answer._content = (schemas / "stac-spec" / "v1.1.0" / url.rsplit("/", 1)[1]).read_bytes()
    elif url.startswith("https://geojson.org/schema/"):
        answer._content = (schemas / "geojson" / url.rsplit("/", 1)[1]).read_bytes()
    elif url.startswith("https://stac-extensions.github.io/"):
        answer._content = json.dumps({"$schema": "http://json-schema.org/draft-07/schema#"}).encode()
    else:
        answer.status_code = 599
    return answer

requests.Session.send = send
from stac_api_validator.__main__ import main
main()
"""


@pytest.fixture(scope="module")
def stac(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory = write_twin(tmp_path_factory.mktemp("stac") / "small")
    with server(directory) as address:
        yield f"{address}/twins/small/stac"


def test_pystac_client_opens_the_catalogue_and_searches_it(stac: str) -> None:
    from pystac_client import Client

    client = Client.open(stac)
    assert client.id == "small"
    assert {one.id for one in client.get_collections()} == {"features", "table", "series", "grid"}
    found = list(client.search(bbox=[127, 37, 128, 38], max_items=100).items())
    assert {item.properties["twintown:layer"] for item in found} == {
        "buildings", "building-parts", "findings", "roads", "shade",
    }  # fmt: skip
    paged = list(client.search(limit=2).items())
    assert len({item.id for item in paged}) == 7
    by_get = list(client.search(method="GET", limit=3, collections=["features"]).items())
    assert {item.collection_id for item in by_get} == {"features"}
    weather = list(client.search(datetime="2021-01-01/2021-01-02").items())
    assert [item.properties["twintown:layer"] for item in weather] == ["weather"]
    shapes = list(client.search(intersects={"type": "Point", "coordinates": [0, 0]}).items())
    assert not shapes


def test_an_asset_that_a_client_finds_opens_as_what_it_says(stac: str, tmp_path: Path) -> None:
    import urllib.request

    import pyarrow.parquet as pq
    import rasterio
    from pystac_client import Client

    client = Client.open(stac)
    by_layer = {item.properties["twintown:layer"]: item for item in client.search(limit=100).items()}
    (tmp_path / "b.parquet").write_bytes(
        urllib.request.urlopen(by_layer["buildings"].assets["data"].href).read()
    )
    assert pq.read_table(tmp_path / "b.parquet").num_rows == 2
    (tmp_path / "s.tif").write_bytes(urllib.request.urlopen(by_layer["shade"].assets["data"].href).read())
    with rasterio.open(tmp_path / "s.tif") as grid:
        assert grid.shape == (20, 20)


def test_stac_api_validator_finds_no_error(stac: str) -> None:
    """Its exit status says nothing: the report is read, and must have come to its end."""
    area = '{"type":"Polygon","coordinates":[[[127,37],[128,37],[128,38],[127,38],[127,37]]]}'
    classes = [
        word
        for name in ("core", "collections", "features", "item-search")
        for word in ("--conformance", name)
    ]
    done = subprocess.run(
        [sys.executable, "-c", VALIDATE, "--root-url", stac, *classes, "--collection", "features", "--geometry", area],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    report = done.stdout + done.stderr
    for part in ("Core", "Collections", "Features", "Item Search"):
        assert f"Validating STAC API - {part} conformance class" in report, report[-3000:]
    errors = re.search(r"^Errors: ?(.*)$", report, re.MULTILINE)
    assert errors is not None, report[-3000:]
    assert errors[1].strip() == "none", report[-6000:]
