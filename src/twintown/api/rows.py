"""Features as they leave: rows encoded to GeoJSON once a version, in blocks when first asked for, so that a page
is a join of bytes.

Nothing here knows HTTP or who asks; the columns and the area of the Grant are applied when the rows are made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from twintown.ground.errors import BadParameter, NotFound
from twintown.ground.features import Features

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

BLOCK = 2048  # rows encoded together; they lie near each other, because layers are in Hilbert order
DIGITS = 8  # of a degree: 1.1 mm
LonLat = tuple[float, float, float, float]


class Rows:
    """The rows of one version of a layer: encoded, indexed by id and by place.

    Args:
        features: the layer; coordinates in its frame, metres.
        layer: its id, for messages.
    """

    def __init__(self, features: Features, layer: str) -> None:
        table = features.table
        self.layer = layer
        self.features = features
        self.columns: tuple[str, ...] = tuple(
            c for c in table.columns if c not in ("id", table.geometry.name)
        )
        self.ids: list[str] = [str(value) for value in table["id"]]
        self.position: dict[str, int] = {value: i for i, value in enumerate(self.ids)}
        self.lonlat: NDArray[Any] = _lonlat(features)
        self._tree = shapely.STRtree(self.lonlat)
        self._blocks: dict[int, list[bytes]] = {}

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def geometry(self) -> str | None:
        """The one type of geometry, `GeometryCollection` where there are several, None for a plain table."""
        kinds = {g.geom_type.removeprefix("Multi") for g in self.lonlat if g is not None}
        return None if not kinds else kinds.pop() if len(kinds) == 1 else "GeometryCollection"

    def encoded(self, position: int) -> bytes:
        """One encoded row by its position."""
        number, within = divmod(position, BLOCK)
        block = self._blocks.get(number)
        if block is None:  # two threads may both do it; they do the same
            rows = slice(number * BLOCK, (number + 1) * BLOCK)
            block = _encode(self.features.table.iloc[rows], self.ids[rows], self.columns, self.lonlat[rows])
            self._blocks[number] = block
        return block[within]

    def one(self, feature_id: str) -> bytes:
        """One encoded row. Raises NotFound."""
        if feature_id not in self.position:
            raise NotFound(f"there is no {feature_id!r} in {self.layer}", remedy="see its items for the ids")
        return self.encoded(self.position[feature_id])

    def select(self, boxes: Sequence[LonLat], where: Mapping[str, str]) -> NDArray[np.int64]:
        """Positions of the rows that meet one of the boxes (all rows where there is none) and every condition.

        Raises:
            BadParameter: an unknown column, or a value that cannot be of its type.
        """
        if boxes:
            areas = shapely.box(*np.array(boxes, float).T)
            found = np.unique(self._tree.query(areas, predicate="intersects")[1])
        else:
            found = np.arange(len(self.ids))
        for column, text in where.items():
            found = found[self._equal(column, text)[found]]
        return found.astype(np.int64)

    def _equal(self, column: str, text: str) -> NDArray[np.bool_]:
        if column not in self.columns:
            known = ", ".join(self.columns)
            raise BadParameter(
                column, f"{self.layer} has no column {column!r}", remedy=f"its columns are {known}"
            )
        import pandas as pd

        values = self.features.table[column]
        if pd.api.types.is_bool_dtype(values):
            if text not in ("true", "false"):
                raise BadParameter(column, f"{text!r} is neither true nor false")
            return np.asarray(values.fillna(False) == (text == "true"), bool)
        if pd.api.types.is_numeric_dtype(values):
            try:
                wanted = float(text)
            except ValueError:
                raise BadParameter(column, f"{text!r} is not a number") from None
            return np.asarray(values.astype("Float64").fillna(np.nan).to_numpy(float) == wanted, bool)
        return np.asarray(values.astype("str").to_numpy(object) == text, bool)


def _lonlat(features: Features) -> NDArray[Any]:
    geometry = np.asarray(features.table.geometry.array, object)
    drawn = np.array([g is not None and not g.is_empty for g in geometry], bool)

    def project(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        lon, lat = features.frame.to_lonlat(xy[:, 0], xy[:, 1])
        return np.asarray(np.round(np.column_stack([lon, lat]), DIGITS), np.float64)

    out = np.full(len(geometry), None, object)
    if drawn.any():
        moved = shapely.transform(shapely.force_2d(geometry[drawn]), project)
        out[drawn] = shapely.orient_polygons(moved)  # RFC 7946, 3.1.6: exterior rings anticlockwise
    return out


def _encode(
    table: gpd.GeoDataFrame, ids: list[str], columns: Sequence[str], lonlat: NDArray[Any]
) -> list[bytes]:
    geometries = shapely.to_geojson(lonlat)
    lists = [plain(table[column]) for column in columns]
    return [
        b'{"type":"Feature","id":%b,"geometry":%b,"properties":%b}'
        % (
            orjson.dumps(ids[i]),
            b"null" if geometries[i] is None else geometries[i].encode(),
            orjson.dumps(dict(zip(columns, (values[i] for values in lists), strict=True))),
        )
        for i in range(len(ids))
    ]


def plain(values: pd.Series) -> list[Any]:
    """A column as JSON values: nothing known becomes null, times become ISO 8601."""
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(values):
        return [None if pd.isna(v) else v.isoformat() for v in values]
    if pd.api.types.is_float_dtype(values):
        return [float(v) if np.isfinite(v) else None for v in values.to_numpy(float, na_value=np.nan)]
    return [_plain(value) for value in values.astype(object).where(values.notna(), None)]


def _plain(value: Any) -> Any:
    if value is None or (isinstance(value, float) and not np.isfinite(value)):
        return None
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, str | int | float | bool):
        return value
    return orjson.dumps(value, default=str, option=orjson.OPT_SERIALIZE_NUMPY).decode()
