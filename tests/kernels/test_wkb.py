"""Coordinates taken out of WKB and put back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import shapely

from twintown.kernels import wkb

TEXTS = (
    "POINT (1 2)", None, "LINESTRING (0 0, 1 1, 2 3)", "POLYGON ((0 0, 4 0, 4 4, 0 0), (1 0.5, 2 0.5, 2 1, 1 0.5))",
    "GEOMETRYCOLLECTION (POINT (5 6), GEOMETRYCOLLECTION (MULTIPOINT ((7 8), (9 10))), MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0))))",
    "POINT Z (1 2 3)", "POLYGON EMPTY",
)  # fmt: skip


def _column(texts: Any, **options: Any) -> tuple[Any, Any, Any]:
    array = pa.array(shapely.to_wkb(shapely.from_wkt(list(texts)), **options), pa.large_binary())
    valid = array.is_valid().to_numpy(zero_copy_only=False)
    return (
        np.frombuffer(array.buffers()[1], np.int64, len(array) + 1),
        np.frombuffer(array.buffers()[2], np.uint8),
        valid,
    )


@pytest.mark.parametrize("flavor", ["iso", "extended"])
def test_vertices_come_in_the_order_of_the_geometries(flavor: str) -> None:
    column = _column(TEXTS, flavor=flavor)
    expected = shapely.get_coordinates(shapely.from_wkt([text for text in TEXTS if text]))
    assert wkb.take_xy(*column).tolist() == expected.tolist()
    assert wkb.counts(*column).tolist() == [1, 0, 3, 8, 7, 1, 0]
    assert wkb.any_z(*column)
    assert not wkb.any_z(*_column(TEXTS[:5]))
    assert int(wkb.kinds(*column)) == 0b10001110


def test_changed_vertices_keep_everything_else() -> None:
    offsets, data, valid = _column(TEXTS)
    moved = wkb.put_xy(offsets, data, valid, wkb.take_xy(offsets, data, valid) + 10.0)
    back = shapely.from_wkb(
        [
            bytes(moved[a:b]) if there else None
            for a, b, there in zip(offsets, offsets[1:], valid, strict=False)
        ]
    )
    expected = shapely.transform(
        shapely.from_wkt(list(TEXTS)), lambda xyz: xyz + [10.0, 10.0, 0.0][: xyz.shape[1]], include_z=None
    )
    assert [one and one.wkt for one in back] == [one and one.wkt for one in expected]


def test_what_is_not_little_endian_or_no_simple_feature_is_refused() -> None:
    with pytest.raises(ValueError, match="geometry 0"):
        wkb.take_xy(*_column(["POINT (1 2)"], byte_order=0))
    curve = np.array([1, 8, 0, 0, 0, 0, 0, 0, 0], np.uint8)
    with pytest.raises(ValueError, match="simple features"):
        wkb.take_xy(np.array([0, 9]), curve, np.array([True]))
