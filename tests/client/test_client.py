"""`Twin` over HTTP and from the folder: the same layers, rows, cells and errors."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.api.conftest import write_twin
from tests.clients.served import server

from twintown import Twin
from twintown.ground.errors import BadInput, BadParameter, NotFound, StorageFailed, Unauthenticated
from twintown.trust.identity import make_token

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = write_twin(tmp_path_factory.mktemp("client") / "small")
    make_token(directory)
    return directory


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with server(folder) as one:
        yield f"{one}/twins/small"


@pytest.fixture(scope="module")
def both(folder: Path, address: str) -> tuple[Twin, Twin]:
    """Over HTTP with the owner's token, and from the folder."""
    return Twin(address, token=(folder / "owner.token").read_text().strip()), Twin(folder)


def test_both_know_the_same_layers(both: tuple[Twin, Twin]) -> None:
    far, near = both
    assert far.names == near.names
    assert list(far.layers) == list(near.layers)
    for layer in far.layers:
        one, other = far[layer], near[layer]
        assert (one.kind, one.geometry, one.count, one.names, one.schema) == (
            other.kind,
            other.geometry,
            other.count,
            other.names,
            other.schema,
        )
        assert one.provenance.sources == other.provenance.sources
        assert [step.what for step in one.provenance.steps] == [step.what for step in other.provenance.steps]
        assert one.about.version == other.about.version
        assert one.about.assumed == other.about.assumed


@pytest.mark.parametrize("layer", ["buildings", "building-parts", "roads", "clinics", "weather", "vaults"])
@pytest.mark.parametrize("limit", [None, 1, 2])
def test_both_read_the_same_rows(both: tuple[Twin, Twin], layer: str, limit: int | None) -> None:
    one, other = (twin[layer].arrow(limit=limit) for twin in both)
    assert one.equals(other)
    assert len(one) == min(limit or 10**6, both[0][layer].count)


def test_both_answer_the_same_question(both: tuple[Twin, Twin]) -> None:
    for question in (
        {"filter": "height_m > 50"},
        {"bbox": both[1]["buildings"].geodataframe().loc[["way/2"]].total_bounds},
        {"columns": ["name", "height_m"], "crs": "EPSG:5186"},
    ):
        one, other = (twin["buildings"].geodataframe(**question) for twin in both)
        assert one.equals(other)
        assert one.crs == other.crs
        assert len(one) == (2 if "columns" in question else 1)
    assert one.crs.to_epsg() == 5186
    assert list(one.columns) == ["name", "height_m", "geometry"]
    assert one.loc["relation/1"].geometry.area == pytest.approx(900)


def test_both_read_the_same_grid_with_what_is_unknown_as_nan(both: tuple[Twin, Twin]) -> None:
    one, other = (twin["shade"].xarray() for twin in both)
    assert one.identical(other)
    assert one.dims == ("y", "x")
    assert (float(one.x[0]), float(one.y[0])) == (208_500.5, 546_019.5)
    assert one.attrs["units"] == "min"
    assert one.values.dtype == np.float32


def test_both_read_the_same_series_on_the_clock_of_its_place(both: tuple[Twin, Twin]) -> None:
    one, other = (twin["weather"].xarray() for twin in both)
    assert one.identical(other)
    assert str(one.time.values[0])[:16] == "2021-01-01T00:00"
    assert one.attrs["zone"] == "Asia/Seoul"
    assert one["temperature"].attrs["units"] == "Cel"


def test_pages_are_followed_when_more_is_wanted_than_one_holds(
    both: tuple[Twin, Twin], monkeypatch: pytest.MonkeyPatch
) -> None:
    from twintown.client import remote

    monkeypatch.setattr(remote, "PAGE", 10)
    one, other = (twin["weather"].arrow(limit=35) for twin in both)
    assert one.equals(other)
    assert len(one) == 35


def test_what_is_closed_needs_the_token(address: str, both: tuple[Twin, Twin]) -> None:
    assert "vaults" not in Twin(address).layers
    assert "vaults" in both[0].layers
    with pytest.raises(Unauthenticated):
        Twin(address, token="x" * 40)


def test_errors_name_what_is_wrong_in_both(both: tuple[Twin, Twin]) -> None:
    for twin in both:
        with pytest.raises(BadParameter) as wrong:
            twin["buildings"].arrow(filter="hight_m > 3")
        assert wrong.value.name == "filter"
        assert "hight_m" in str(wrong.value)
        with pytest.raises(BadParameter) as wrong:
            twin["buildings"].arrow(bbox=(1, 2, 3))
        assert wrong.value.name == "bbox"
        with pytest.raises(BadParameter):
            twin["buildings"].arrow(limit=0)
        with pytest.raises(NotFound, match="did you mean buildings"):
            twin["building"]
        with pytest.raises(BadInput, match="use xarray"):
            twin["shade"].arrow()
        with pytest.raises(BadInput, match="no geometry"):
            twin["clinics"].geodataframe()
        with pytest.raises(BadInput):
            twin["buildings"].xarray()


def test_a_wrong_address_says_what_to_do(address: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="twins/small"):
        Twin(address.rpartition("/")[0])
    with pytest.raises(NotFound):
        Twin(address + "-not")
    with pytest.raises(NotFound, match=r"twintown\.toml"):
        Twin(tmp_path)
    with pytest.raises(BadInput, match="https"):
        Twin("ftp://host/twin")


def test_a_server_that_is_not_there_is_said_after_some_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    from twintown.client import remote

    waited: list[float] = []
    monkeypatch.setattr(remote.time, "sleep", waited.append)
    with pytest.raises(StorageFailed, match="cannot be reached"):
        Twin("http://127.0.0.1:9/twins/small")
    assert len(waited) == remote.TRIES - 1
    assert waited == sorted(waited)


def test_a_notebook_shows_tables_and_a_terminal_shows_lines(both: tuple[Twin, Twin]) -> None:
    for twin in both:
        assert "buildings" in repr(twin) and "Small Jamsil" in repr(twin)
        assert twin._repr_html_().count("<tr>") == len(twin.layers) + 1
        assert "height_m" in repr(twin["buildings"]) and "<td>m</td>" in twin["buildings"]._repr_html_()


def test_importing_the_client_brings_none_of_the_heavy_packages() -> None:
    heavy = ("numpy", "pandas", "pyarrow", "geopandas", "fastapi")
    asked = f"import sys; from twintown import Twin; print([n for n in {heavy} if n in sys.modules])"
    assert (
        subprocess.run(
            [sys.executable, "-c", asked], capture_output=True, text=True, check=True
        ).stdout.strip()
        == "[]"
    )
