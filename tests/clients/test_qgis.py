"""QGIS without a window (Debian's): features, vector tiles and a grid over HTTP."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from twintown import Twin

PYTHON = "/usr/bin/python3"
LAYERS = ("building-parts", "buildings", "findings", "roads")


def has_qgis() -> bool:
    """Whether the system's Python has QGIS."""
    if not Path(PYTHON).exists():
        return False
    return (
        subprocess.run([PYTHON, "-c", "import qgis.core"], capture_output=True, timeout=120).returncode == 0
    )


def in_qgis(folder: Path, *command: str) -> str:
    """What a script says that runs in QGIS's Python, with a profile of its own and no window."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "QT_QPA_PLATFORM": "offscreen",
        "XDG_RUNTIME_DIR": str(folder),
    }
    told = subprocess.run([PYTHON, *command], capture_output=True, text=True, timeout=300, env=environment)
    assert told.returncode == 0, told.stdout + told.stderr
    return told.stdout


@pytest.fixture(scope="module")
def seen(twin: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    if not has_qgis():
        pytest.skip("no python3-qgis: sh scripts/clients.sh names the line that brings it")
    script = str(Path(__file__).with_name("qgis_reads.py"))
    told: dict[str, Any] = json.loads(
        in_qgis(tmp_path_factory.mktemp("qgis"), script, twin, *LAYERS).strip().splitlines()[-1]
    )
    return told


@pytest.mark.parametrize("layer", LAYERS)
def test_qgis_reads_every_feature_of_a_layer_in_its_place(
    twin: str, seen: dict[str, Any], layer: str
) -> None:
    expected = Twin(twin)[layer].geodataframe()
    assert seen[layer]["valid"], seen[layer]
    assert seen[layer]["count"] == len(expected)
    assert seen[layer]["bounds"] == pytest.approx(list(expected.total_bounds[:2]), abs=1e-7)
    known = {
        one.name for one in Twin(twin)[layer].schema if one.name != "id" and expected[one.name].notna().any()
    }
    assert known <= set(seen[layer]["fields"])


def test_qgis_asks_for_the_part_that_it_shows(seen: dict[str, Any]) -> None:
    assert seen["buildings"]["half"] == 1


def test_qgis_reads_vector_tiles_of_a_layer(seen: dict[str, Any]) -> None:
    assert seen["tiles"]["valid"]
    assert seen["tiles"]["drawn"] > 500


def test_qgis_opens_a_grid_over_http(seen: dict[str, Any]) -> None:
    assert seen["grid"] == {"valid": True, "crs": "EPSG:5186", "size": [20, 20]}
