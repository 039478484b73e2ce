"""The City shape: buildings, the parts they are built of, and what was found about them.

A source gives `Drawn`: what was drawn, nothing assumed. `assembly.assemble` makes the `City` of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd

from twintown.ground.errors import BadInput
from twintown.ground.features import Features
from twintown.ground.frames import Frame
from twintown.ground.provenance import Provenance

#: Columns of `Drawn.table` beside `id` and `geometry`: what is unknown is NaN or an empty text.
DRAWN: dict[str, str] = {
    "is_building": "bool", "is_part": "bool", "owner": "str", "kind": "str", "name": "str", "name_ko": "str", "name_en": "str",
    "function": "str", "height_m": "float64", "min_height_m": "float64", "levels": "float64", "min_level": "float64",
    "roof_shape": "str", "roof_height_m": "float64", "roof_levels": "float64", "roof_direction_deg": "float64", "roof_across": "bool",
    "year": "float64", "tags": "str",
}  # fmt: skip

BUILDING_UNITS = {
    "height_m": "m", "height_error_m": "m", "levels": "{storey}", "storey_m": "m", "min_height_m": "m", "parts": "1",
    "area_m2": "m2", "height_tagged_m": "m",
}  # fmt: skip
PART_UNITS = {"base_m": "m", "eave_m": "m", "top_m": "m", "roof_height_m": "m", "roof_direction_deg": "deg"}


@dataclass(frozen=True)
class Drawn:
    """Buildings and parts as a source has them: one row an element, areas in the frame.

    Args:
        table: columns `id`, `geometry` (Polygon or MultiPolygon) and those of `DRAWN`. `owner` is the id of the building that a
            relation names for a part, else empty. `roof_across`: the ridge runs across the longer side.
        frame: of the coordinates.
        provenance: of all rows.

    Raises:
        BadInput: a column is missing.
    """

    table: gpd.GeoDataFrame
    frame: Frame
    provenance: Provenance

    def __post_init__(self) -> None:
        if missing := [name for name in ("id", *DRAWN) if name not in self.table.columns]:
            raise BadInput(
                f"drawn buildings lack the column {missing[0]!r}", "city", "see twintown.city.model.DRAWN"
            )


@dataclass(frozen=True)
class City:
    """Buildings (what is clicked), parts (what is built, tiled and shadowed) and findings (what is wrong or doubtful).

    Every building has at least one part; a part's `building` names its owner. Heights are metres above the declared ground.
    """

    buildings: Features
    parts: Features
    findings: Features
