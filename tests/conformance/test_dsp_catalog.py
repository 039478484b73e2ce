"""Dataspace Protocol 2025-1, sections 5 and 6: catalogue and datasets (CAT)."""

from __future__ import annotations

from typing import Any

from tests.conformance.dsp_kit import CONTEXT, ROOT

from twintown.exchange import schemas

ASKED = {"@context": CONTEXT, "@type": "CatalogRequestMessage"}


def test_cat_01_01_the_catalogue_holds_the_dataset_with_an_offer_and_a_distribution(dsp: Any) -> None:
    answer = dsp.post(f"{ROOT}/catalog/request", json=ASKED)
    assert answer.status_code == 200
    said = answer.json()
    schemas.check(said, "Catalog")
    [dataset] = [one for one in said["dataset"] if one["@id"] == "CAT0101"]
    assert dataset["hasPolicy"][0]["@type"] == "Offer" and "target" not in dataset["hasPolicy"][0]
    assert dataset["distribution"][0]["format"] == "HttpData-PULL"
    assert dataset["distribution"][0]["accessService"] == said["service"][0]["@id"]


def test_cat_01_02_one_dataset_is_given_by_its_id(dsp: Any) -> None:
    answer = dsp.get(f"{ROOT}/catalog/datasets/CAT0102")
    assert answer.status_code == 200
    schemas.check(answer.json(), "Dataset")
    assert answer.json()["@id"] == "CAT0102"


def test_cat_01_03_a_dataset_that_is_not_there_is_a_catalogue_error(dsp: Any) -> None:
    answer = dsp.get(f"{ROOT}/catalog/datasets/CAT0103")
    assert answer.status_code == 404
    schemas.check(answer.json(), "CatalogError")
    assert answer.json()["code"] == "not-found"


def test_a_filter_picks_one_dataset(dsp: Any) -> None:
    said = dsp.post(f"{ROOT}/catalog/request", json={**ASKED, "filter": [{"@id": "CAT0101"}]}).json()
    assert [one["@id"] for one in said["dataset"]] == ["CAT0101"]


def test_a_filter_that_is_not_known_is_refused_by_name(dsp: Any) -> None:
    answer = dsp.post(f"{ROOT}/catalog/request", json={**ASKED, "filter": [{"keyword": "sun"}]})
    assert answer.status_code == 400
    schemas.check(answer.json(), "CatalogError")
    assert "keyword" in str(answer.json()["reason"]) or answer.json()["code"] == "bad-parameter"


def test_a_catalogue_without_datasets_has_no_empty_list(dsp: Any) -> None:
    said = dsp.post(f"{ROOT}/catalog/request", json={**ASKED, "filter": [{"@id": "none"}]}).json()
    schemas.check(said, "Catalog")
    assert "dataset" not in said
