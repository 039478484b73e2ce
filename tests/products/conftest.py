"""The hamlet's tower block as layers, read once."""

from __future__ import annotations

import pytest
from tests.hamlet import TOWER_OSM
from tests.products.scene import FRAME, PROVENANCE

from twintown.ground.bounds import Bounds
from twintown.ground.features import Features
from twintown.sources.osm import OpenStreetMap
from twintown.sources.source import Ask


@pytest.fixture(scope="session")
def tower_block() -> dict[str, Features]:
    """buildings, building-parts, roads and places around Lotte World Tower."""
    x, y = FRAME.from_lonlat([127.095, 127.110], [37.507, 37.518])
    ask = Ask(
        (TOWER_OSM,), FRAME, Bounds(float(x[0]), float(y[0]), float(x[1]), float(y[1])), PROVENANCE.sources[0]
    )
    return {layer: shape for layer, shape in OpenStreetMap().read(ask) if isinstance(shape, Features)}
