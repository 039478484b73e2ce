"""OWSLib against a live server: features, records and coverages as its users write them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.api.conftest import write_twin
from tests.clients.served import server

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory = write_twin(tmp_path_factory.mktemp("owslib") / "small")
    with server(directory) as address:
        yield f"{address}/twins/small/"


def test_features_are_listed_described_and_read(root: str) -> None:
    from owslib.ogcapi.features import Features

    api = Features(root)
    assert "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core" in api.conformance()["conformsTo"]
    assert set(api.feature_collections()) >= {"buildings", "roads", "clinics", "weather"}
    assert api.collection("buildings")["title"] == "Buildings"
    assert "height_m" in api.collection_queryables("buildings")["properties"]
    assert "height_m" in api.collection_schema("buildings")["properties"]
    page = api.collection_items("buildings", bbox=[127, 37, 128, 38], limit=1)
    assert (page["numberMatched"], page["numberReturned"]) == (2, 1)
    assert api.collection_items("buildings", filter="height_m > 50")["features"][0]["id"] == "relation/1"
    assert api.collection_items("weather", datetime_="2021-01-01T00:00:00Z")["numberMatched"] == 1
    assert api.collection_item("buildings", "relation/1")["properties"]["name_en"] == "Lotte World Tower"


def test_the_api_definition_is_the_one_of_the_twin(root: str) -> None:
    from owslib.ogcapi.features import Features

    document = Features(root).api()
    assert document["openapi"].startswith("3.")
    assert "/collections/{layer}/items" in document["paths"]


def test_records_are_found_by_words_and_place(root: str) -> None:
    from owslib.ogcapi.records import Records

    api = Records(root)
    assert api.records() == ["catalogue"]
    found = api.collection_items("catalogue", q="buildings")
    assert [one["id"] for one in found["features"]] == ["buildings"]
    assert api.collection_items("catalogue", bbox=[0, 0, 1, 1])["numberMatched"] == 0
    assert api.collection_item("catalogue", "roads")["properties"]["type"] == "dataset"


def test_a_coverage_is_described_by_its_schema(root: str) -> None:
    from owslib.ogcapi.coverages import Coverages

    api = Coverages(root)
    assert "shade" in api.coverages()
    cells = api.coverage("shade", bbox=[127, 37, 128, 38])
    assert cells.read(4)[:2] in (b"II", b"MM")
