"""What a product promises before and while it is made."""

from __future__ import annotations

import pytest
from tests.products.scene import FRAME, PLACE, block

from twintown.ground.errors import BadInput, NotFound
from twintown.ground.frames import Frame
from twintown.products.built_ins import BUILT_INS
from twintown.products.product import Place
from twintown.products.tiles3d import BUILDINGS
from twintown.products.vectors import BASE

DIGESTS = {"buildings": "sha256:a", "building-parts": "sha256:b", "roads": "sha256:c"}


def test_a_product_applies_where_what_it_needs_is_there():
    assert BUILDINGS.applies({"buildings", "building-parts", "roads"})
    assert not BUILDINGS.applies({"buildings"})
    assert BASE.applies({"towns"})
    assert not BASE.applies({"prices"})


def test_the_digest_changes_with_a_layer_that_is_read_and_with_no_other():
    before = BUILDINGS.digest(DIGESTS, PLACE)
    assert BUILDINGS.digest(DIGESTS | {"roads": "sha256:d"}, PLACE) == before
    assert BUILDINGS.digest(DIGESTS | {"buildings": "sha256:d"}, PLACE) != before
    assert BUILDINGS.digest(DIGESTS, Place(FRAME, 15.0)) != before
    assert BASE.digest(DIGESTS | {"roads": "sha256:d"}, PLACE) != BASE.digest(DIGESTS, PLACE)


def test_a_missing_layer_is_named():
    with pytest.raises(NotFound, match="building-parts"):
        BUILDINGS.digest({"buildings": "sha256:a"}, PLACE)
    with pytest.raises(NotFound, match="building-parts"):
        BUILDINGS.build({"buildings": block()["buildings"]}, PLACE, lambda path, data: None)


def test_a_layer_in_another_frame_is_refused():
    with pytest.raises(BadInput, match="EPSG:5186"):
        BUILDINGS.build(block(), Place(Frame("EPSG:5187")), lambda path, data: None)


@pytest.mark.parametrize("product", BUILT_INS, ids=lambda product: product.id)
def test_progress_rises_from_nothing_to_all(product):
    heard: list[float] = []
    product.build(block(), PLACE, lambda path, data: None, heard.append)
    assert heard == sorted(heard)
    assert (heard[0], heard[-1]) == (0.0, 1.0)


def test_ids_are_their_own():
    assert len({product.id for product in BUILT_INS}) == len(BUILT_INS)
