"""STAC items that pystac itself validates without the network."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from pystac.validation import stac_validator, validate_dict
from tests.products.scene import FRAME, LICENCE, PROVENANCE

from twintown.ground.names import Name
from twintown.ground.provenance import Licence, Provenance, Source
from twintown.products import catalogue
from twintown.trust.grades import Grade
from twintown.twin.layers import LayerVersion

BUILT = datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC)


def _version(kind="features", bbox=(127.09, 37.50, 127.12, 37.53), provenance=PROVENANCE, **meta):
    return LayerVersion(
        "buildings", "20261122-1", kind, Name("건물", "Buildings"), Grade.of("O"), 1358, "sha256:" + "ab" * 32, BUILT,
        bbox, "layers/buildings/20261122-1", {"provenance": provenance.to_dict(), "bytes": 4321, **meta},
    )  # fmt: skip


class _Core(stac_validator.JsonSchemaSTACValidator):
    """Core schemas are in pystac; those of the extensions would need the network and are checked by hand below."""

    def validate_extension(self, *args, **kwargs):
        return None


def _checked(version):
    found = json.loads(catalogue.item_bytes(version, FRAME, "jamsil"))
    validate_dict(found, validator=_Core())
    return found


def test_an_item_is_valid_and_says_whose_the_data_is():
    found = _checked(_version())
    assert found["properties"]["license"] == "ODbL-1.0"
    assert found["properties"]["providers"][0]["name"] == "OpenStreetMap contributors"
    assert found["properties"]["datetime"] == "2024-11-01T00:00:00Z"
    assert found["properties"]["created"] == "2026-11-22T03:04:05Z"
    assert [link["href"] for link in found["links"] if link["rel"] == "license"] == [LICENCE.url]


def test_the_asset_lies_beside_the_item_with_its_checksum_and_size():
    asset = _checked(_version())["assets"]["data"]
    assert asset["href"] == "./data.parquet"
    assert asset["file:checksum"] == "1220" + "ab" * 32
    assert asset["file:size"] == 4321
    assert asset["roles"] == ["data"]


def test_the_projection_is_told_in_the_frame():
    told = _checked(_version())
    assert told["properties"]["proj:code"] == "EPSG:5186"
    assert 200_000 < told["properties"]["proj:bbox"][0] < 220_000
    grid = _checked(_version("grid", shape=[2200, 2300], cell_m=1.0, origin=[208000.0, 547000.0]))
    assert grid["properties"]["proj:shape"] == [2200, 2300]
    assert grid["properties"]["proj:transform"] == [1.0, 0.0, 208000.0, 0.0, -1.0, 547000.0]
    assert grid["assets"]["data"]["href"] == "./data.tif"


def test_a_table_lies_nowhere_and_is_still_an_item():
    found = _checked(_version("table", None))
    assert found["geometry"] is None
    assert "bbox" not in found
    assert "proj:code" not in found["properties"]


def test_a_licence_without_spdx_identifier_or_several_are_other():
    kogl = Licence("KOGL-1", "공공누리 1유형", "https://www.kogl.or.kr/info/licenseType1.do")
    korean = Provenance((Source("x", "x", "송파구", kogl),))
    assert _checked(_version(provenance=korean))["properties"]["license"] == "other"
    both = Provenance.of([PROVENANCE, korean])
    found = _checked(_version(provenance=both))
    assert found["properties"]["license"] == "other"
    assert len([link for link in found["links"] if link["rel"] == "license"]) == 2


def test_without_a_date_of_its_own_data_is_as_old_as_its_build():
    undated = Provenance((Source("x", "x", "x", LICENCE, date="2022/2023"),))
    assert _checked(_version(provenance=undated))["properties"]["datetime"] == "2026-11-22T03:04:05Z"


def test_the_catalog_names_the_current_version_of_each_layer():
    found = json.loads(catalogue.catalog("jamsil", Name("잠실", "Jamsil"), [_version()]))
    assert found["type"] == "Catalog"
    assert [link["href"] for link in found["links"] if link["rel"] == "item"] == [
        "./layers/buildings/20261122-1/item.json"
    ]


@pytest.mark.parametrize("kind", ["features", "grid", "series", "table"])
def test_every_kind_of_shape_has_a_media_type(kind):
    extra = {"shape": [1, 1], "cell_m": 1.0, "origin": [0, 0]} if kind == "grid" else {}
    assert _checked(_version(kind, **extra))["assets"]["data"]["type"]
