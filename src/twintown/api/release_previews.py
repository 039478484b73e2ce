"""What a remedy would make, to look at: its features as GeoJSON, its cells as a small picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from twintown.ground.errors import BadParameter

if TYPE_CHECKING:
    from twintown.twin.layers import Shape

#: Features of a preview, and the longer side of a picture in pixels.
MOST, SIDE = 2000, 256


def features(shape: Shape) -> bytes:
    """The first features in CRS84, six decimals; `numberMatched` says how many there are. Raises BadParameter."""
    import orjson
    import shapely

    from twintown.ground.features import Features

    if not isinstance(shape, Features):
        raise BadParameter("f", "a grid has no features", remedy="ask for f=png")
    part = shape.table.head(MOST)
    drawn = shape.frame
    there = [
        None if one is None or one.is_empty else shapely.transform(one, lambda xy: np.column_stack(drawn.to_lonlat(*xy.T)).round(6))
        for one in shapely.force_2d(part.geometry.to_numpy())
    ]  # fmt: skip
    rows = orjson.loads(part.drop(columns=part.geometry.name).to_json(orient="records", date_format="iso"))
    found = [
        {
            "type": "Feature", "id": row.pop("id"), "properties": row,
            "geometry": None if one is None else orjson.loads(shapely.to_geojson(one)),
        }
        for row, one in zip(rows, there, strict=True)
    ]  # fmt: skip
    return orjson.dumps(
        {
            "type": "FeatureCollection",
            "features": found,
            "numberMatched": len(shape),
            "numberReturned": len(found),
        }
    )


def picture(shape: Shape) -> bytes:
    """A PNG of the cells, every so many where there are more than pixels; what is not known is transparent. Raises BadParameter."""
    from twintown.api.ramps import png, shades
    from twintown.exchange.content import known
    from twintown.ground.grid import Grid

    if not isinstance(shape, Grid):
        raise BadParameter("f", "only cells make a picture", remedy="ask for f=geojson")
    values = shape.values if shape.values.ndim == 2 else shape.values[0]
    step = max(1, -(-max(values.shape) // SIDE))
    part = values[::step, ::step]
    return png(shades(part.astype(np.float32), known(part, shape.nodata)))
