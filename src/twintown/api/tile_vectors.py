"""One vector tile of a layer, drawn on request from what the caller may see of its rows.

What is drawn depends on the zoom: lines and outlines are simplified to about half a pixel (of 512 a tile), polygons
too small to see come together into squares of the same area, points that fall into one pixel are one. Of more than
`CANDIDATES` rows an even sample along the layer's order (Hilbert) is looked at, and at most `MOST` features are sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from twintown.api.tile_matrices import Scheme
from twintown.query.query import Query

if TYPE_CHECKING:
    from twintown.index.view import View
    from twintown.kernels.vectortile import Values

EXTENT = 4096
#: What is kept around a tile so that lines meet across its edge, units of the extent (8 of 256 pixels).
MARGIN = 128
#: Rows that are looked at, and features that are sent, at most.
CANDIDATES, MOST = 40_000, 20_000
#: Rows that meet a tile and are counted before the sample is taken; of more, the first in the layer's order.
COUNTED = 5_000_000
#: The last matrix that is drawn; further in, clients enlarge it.
LAST = 18
_PIXEL = EXTENT / 512


@dataclass(frozen=True)
class Detail:
    """How much is left out: `tolerance` and `cell` in units of the tile, `least` in square units."""

    tolerance: float
    least: float
    cell: float


def detail(matrix: int) -> Detail:
    """What is left out at a zoom."""
    if matrix <= 14:
        return Detail(_PIXEL / 2, _PIXEL**2, 2 * _PIXEL if matrix <= 10 else _PIXEL if matrix <= 13 else 0.0)
    return {15: Detail(2.0, 16.0, 0.0), 16: Detail(1.0, 0.0, 0.0), 17: Detail(0.5, 0.0, 0.0)}.get(
        matrix, Detail(0.25, 0.0, 0.0)
    )


def said(lang: str) -> str:
    """What is left out, in words for the description of a tileset."""
    if lang == "ko":
        return (
            f"요청할 때 그립니다. 확대 단계 15까지 선과 윤곽을 반 화소로 단순화하고, 한 화소보다 작은 다각형은 넓이가 같은 "
            f"사각형으로 모으며, 13단계까지 한 화소에 드는 점은 하나만 그립니다. 타일 하나에 행 {CANDIDATES:,}개까지 고르게 뽑아 보고 "
            f"피처 {MOST:,}개까지 보냅니다. 모든 행은 items에 있습니다."
        )
    return (
        f"Drawn on request. Up to zoom 15 lines and outlines are simplified to half a pixel and polygons smaller than a pixel "
        f"come together into squares of the same area; up to zoom 13 of the points in a pixel one is drawn. At most "
        f"{CANDIDATES:,} rows a tile, evenly sampled, are looked at and at most {MOST:,} features are sent. All rows are in items."
    )


def load() -> None:
    """Make ready what the first tile needs: compiled code."""
    import pyarrow as pa
    import shapely

    from twintown.kernels import outlines, vectortile
    from twintown.products import mvt

    wkb = pa.array(shapely.to_wkb([shapely.box(0, 0, 1, 1)]), pa.large_binary())
    placed = outlines.to_tile(mvt.shapes(wkb), 1, 1, 0, 0, EXTENT)
    told = tuple(mvt.attribute("k", pa.array([value])) for value in (True, 1, 0.5, "text"))
    vectortile.layer("", vectortile.draw(placed, EXTENT, MARGIN, 1.0), told, ids=np.zeros(1, np.int64))


def draw(
    view: View, name: str, scheme: Scheme, matrix: int, row: int, column: int, query: Query, columns: Sequence[str] | None
) -> bytes:  # fmt: skip
    """One layer of one tile, MVT 2.1; empty where nothing is drawn.

    Args:
        view: what the caller may see of the layer.
        name: of the layer in the tile.
        scheme, matrix, row, column: the tile.
        query: which rows; its boxes are replaced by the tile.
        columns: the properties that features carry besides `id`; all where not given.

    Raises:
        BadParameter: as `View.page` and `View.take`.
    """
    from twintown.kernels import outlines, vectortile
    from twintown.products import mvt

    box = scheme.bounds(matrix, row, column, MARGIN / EXTENT)
    found = view.page(replace(query, boxes=(box,)), COUNTED, count=False).positions
    weight = 1.0
    if len(found) > CANDIDATES:
        weight = len(found) / CANDIDATES
        found = found[np.linspace(0, len(found) - 1, CANDIDATES).astype(np.int64)]
    if not len(found):
        return b""
    how = detail(matrix)
    lonlat = mvt.shapes(view.take(found, (), geometry=False, lonlat=True).column(1))
    across, down = scheme.size(matrix)
    placed = outlines.to_tile(lonlat, across, down, column, row, EXTENT, scheme.mercator)
    drawn = vectortile.draw(placed, EXTENT, MARGIN, how.tolerance, how.least, weight, how.cell)
    seen = np.flatnonzero(drawn.kind)
    if len(seen) > MOST:
        seen = seen[np.linspace(0, len(seen) - 1, MOST).astype(np.int64)]
    if not len(seen):
        return b""
    whole = len(seen) == len(found)
    batch = view.take(found if whole else found[seen], columns, geometry=False)

    def spread(values: Values) -> Values:
        codes = np.full(len(found), -1, np.int32)
        codes[seen] = values.codes
        return replace(values, codes=codes)

    told = [mvt.attribute(key, batch.column(k), k == 0) for k, key in enumerate(batch.schema.names)]
    properties = tuple(told if whole else [spread(one) for one in told])
    return vectortile.layer(name, drawn, properties, EXTENT, seen, np.asarray(found, np.int64))
