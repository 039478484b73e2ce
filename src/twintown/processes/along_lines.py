"""Lines cut into pieces, and the segments of the pieces as a kernel takes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from twintown.ground.errors import BadParameter

if TYPE_CHECKING:
    import geopandas as gpd

Floats = NDArray[np.float64]
#: More pieces than these are refused.
MOST = 2_000_000


@dataclass(frozen=True)
class Pieces:
    """Pieces of lines, in the order of the lines' ids and along each.

    Args:
        table: the rows that they are of; `rows` int64[n]: which of them each piece is of.
        shapes: LineString[n], metres of the frame.
        ids: of the pieces; `begins` float64[n]: where each begins, metres along its line.
    """

    table: gpd.GeoDataFrame
    rows: NDArray[np.int64]
    shapes: NDArray[Any]
    ids: list[str]
    begins: Floats

    @property
    def lines(self) -> list[str]:
        """The ids of the lines that the pieces are of."""
        return [str(one) for one in self.table["id"].to_numpy()[self.rows]]

    @property
    def lengths(self) -> Floats:
        """Metres of each."""
        return np.asarray(shapely.length(self.shapes), np.float64)

    def labels(self, column: str) -> list[str]:
        """What a column of the lines says of each piece; "" where it says nothing."""
        found = self.table[column].to_numpy(object)[self.rows]
        return ["" if one is None or one != one else str(one) for one in found]

    @property
    def first(self) -> NDArray[np.int64]:
        """Where the segments of each piece begin, int64[n + 1]."""
        points = shapely.get_num_points(self.shapes)
        return np.concatenate([[0], np.cumsum(np.maximum(points - 1, 0))]).astype(np.int64)

    def segments(self, x: float, y: float, cell_m: float) -> Floats:
        """x0, y0, x1, y1 float64[m, 4] in cells from an upper left corner at x, y (m), y southward; to a 4096th of a cell."""
        if not len(self.shapes):
            return np.zeros((0, 4))
        xy, of = shapely.get_coordinates(self.shapes, return_index=True)
        at = np.column_stack([(xy[:, 0] - x) / cell_m, (y - xy[:, 1]) / cell_m])
        at = np.round(at * 4096.0) / 4096.0
        same = of[1:] == of[:-1]
        return np.ascontiguousarray(np.hstack([at[:-1], at[1:]])[same])


def chosen(table: gpd.GeoDataFrame, where: str) -> gpd.GeoDataFrame:
    """The rows that are lines and meet a CQL2 condition, by their ids.

    Raises:
        BadParameter: the condition is none, or names a column that is not there.
    """
    kinds = table.geometry.geom_type.isin(("LineString", "MultiLineString")).to_numpy()
    if where:
        kinds = kinds & _meets(table, where)
    found = table[kinds & ~table.geometry.is_empty.to_numpy()]
    return found.iloc[np.argsort(found["id"].to_numpy(str), kind="stable")]


def _meets(table: gpd.GeoDataFrame, where: str) -> NDArray[np.bool_]:
    import pyarrow as pa

    from twintown.query import cql2
    from twintown.query.evaluate import mask

    expression = cql2.parse_text(where)
    plain = table.drop(columns=table.geometry.name)
    for name in sorted(cql2.properties(expression)):
        if name not in plain.columns:
            raise BadParameter(
                "where", f"the lines have no column {name!r}", remedy=f"they have {', '.join(plain.columns)}"
            )

    def nowhere(*_: Any) -> Any:
        raise BadParameter("where", "asks for places", remedy="ask for columns only")

    return np.asarray(mask(expression, pa.Table.from_pandas(plain, preserve_index=False), nowhere), np.bool_)


def pieces_of(table: gpd.GeoDataFrame, piece_m: float) -> Pieces:
    """Each line in equal pieces no longer than `piece_m` (0: whole).

    Raises:
        BadParameter: that would be more pieces than are taken.
    """
    parts, rows = shapely.get_parts(shapely.force_2d(table.geometry.to_numpy()), return_index=True)
    lengths = shapely.length(parts)
    parts, rows, lengths = parts[lengths > 0], rows[lengths > 0], lengths[lengths > 0]
    counts = (
        np.maximum(1, np.ceil(lengths / piece_m - 1e-9)).astype(np.int64)
        if piece_m > 0
        else np.ones(len(parts), np.int64)
    )
    if counts.sum() > MOST:
        raise BadParameter(
            "piece_m", f"makes {int(counts.sum()):,} pieces; {MOST:,} are taken", remedy="make them longer"
        )
    ids = table["id"].to_numpy(str)
    shapes: list[Any] = []
    names: list[str] = []
    begins: list[float] = []
    owners: list[int] = []
    gone: dict[int, tuple[int, float]] = {}  # of each row: pieces and metres so far
    alone = np.bincount(rows, weights=counts, minlength=len(table)) == 1
    for part, row, length, count in zip(parts, rows.tolist(), lengths.tolist(), counts.tolist(), strict=True):
        number, before = gone.get(row, (0, 0.0))
        for k, shape in enumerate(_cut(part, length, count)):
            shapes.append(shape)
            names.append(ids[row] if alone[row] else f"{ids[row]}:{number + k + 1}")
            begins.append(before + length * k / count)
            owners.append(row)
        gone[row] = (number + count, before + length)
    held = np.empty(len(shapes), object)
    held[:] = shapes
    return Pieces(table, np.array(owners, np.int64), held, names, np.array(begins, np.float64))


def _cut(line: shapely.LineString, length: float, count: int) -> list[Any]:
    """A line in so many pieces of one length."""
    if count == 1:
        return [line]
    from shapely.ops import substring

    edges = [length * k / count for k in range(count)] + [length]
    return [substring(line, a, b) for a, b in zip(edges[:-1], edges[1:], strict=True)]
