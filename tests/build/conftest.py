from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from twintown.build import start

TOWER = Path(__file__).parents[1] / "hamlet" / "jamsil" / "data" / "odbl" / "tower.osm"


@pytest.fixture
def town(tmp_path: Path) -> Path:
    """A twin of the tower's block, described and not built."""
    directory = tmp_path / "town"
    (directory / "data").mkdir(parents=True)
    shutil.copy(TOWER, directory / "data" / "tower.osm")
    start.from_bounds(
        directory, "127.099,37.511,127.106,37.515", osm=directory / "data" / "tower.osm", undulation=23.5
    )
    return directory
