"""Two tiny real places; see README.md."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent
JAMSIL = HERE / "jamsil"
ICHEON = HERE / "icheon"
TOWER_OSM = JAMSIL / "data" / "odbl" / "tower.osm"
