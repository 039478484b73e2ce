"""The notebook in docs runs from its first cell to its last against the demo twins; Jupyter is not needed for that."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.clients.conftest import REPOSITORY, demo
from tests.clients.served import server
from tests.clients.test_how_to import run

NOTEBOOK = REPOSITORY / "docs" / "notebooks" / "open-door.ipynb"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """One server with both demo twins."""
    with server(demo("jamsil"), demo("icheon")) as one:
        yield one


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::PendingDeprecationWarning", "ignore:Glyph")
def test_every_cell_runs_and_says_what_is_known_of_these_cities(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    monkeypatch.setenv("TWINTOWN", address)
    cells = [
        cell
        for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
        if cell["cell_type"] == "code"
    ]
    assert all(cell["outputs"] == [] for cell in cells), "outputs are made when it runs"
    names: dict[str, Any] = {}
    shown = [run("".join(cell["source"]), names) for cell in cells]
    assert "towns" in shown[0]
    assert shown[1], "what is assumed in the boundaries is said"
    assert shown[2]["height_m"].iloc[0] == pytest.approx(555, abs=1), "the tower"
    assert 1 < shown[3] < 9, "hours of sun on the shortest day"
    assert len(shown[4]) == 12 and min(shown[4]) < 0 < 20 < max(shown[4])
    assert all(shown[5].values())
    assert len(matplotlib.pyplot.get_fignums()) == 4
    for number in matplotlib.pyplot.get_fignums():
        matplotlib.pyplot.figure(number).canvas.draw()
    matplotlib.pyplot.close("all")
