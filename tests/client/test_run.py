"""A process asked through the client: over HTTP and from the folder the same answer, the same errors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.api.answering import answering, offering
from tests.api.conftest import write_twin
from tests.clients.served import listening

from twintown import Twin
from twintown.app import create_app
from twintown.client.process import Result
from twintown.ground.errors import BadInput, BadParameter, Denied, NotFound, PluginFailed
from twintown.settings import Settings
from twintown.trust.identity import make_token

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Twin, Twin]]:
    """Over HTTP as anyone, and from the folder."""
    directory = write_twin(tmp_path_factory.mktemp("run") / "small")
    make_token(directory)
    app = create_app([directory], Settings(), warm=False)
    with offering(), answering(app), listening(app) as address:
        yield Twin(f"{address}/twins/small"), Twin(directory)


@pytest.fixture(params=[0, 1], ids=["http", "folder"])
def twin(both: tuple[Twin, Twin], request: pytest.FixtureRequest) -> Twin:
    return both[request.param]


def test_what_can_be_asked_is_the_same_from_both(both: tuple[Twin, Twin]) -> None:
    far, near = (one.processes() for one in both)
    assert list(far) == list(near)
    assert {"echo", "three"} <= set(far)
    assert far["echo"] == near["echo"]
    assert "pause_s: number s = 0.0" in repr(far["echo"])
    assert "Three" in far._repr_html_()
    with pytest.raises(NotFound, match="did you mean 'echo'"):
        far["ecko"]


def test_a_result_is_layers_with_rows_cells_and_a_manifest(twin: Twin) -> None:
    said: list[tuple[str, float]] = []
    result = twin.run("three", progress=lambda stage, share: said.append((stage, share)))
    assert isinstance(result, Result)
    assert (result.status, set(result.layers)) == (
        "successful",
        {"three-grid", "three-points", "three-hours"},
    )
    assert result.layer("three-grid").xarray().values.sum() == 66
    assert list(result.frame("three-points")["buildings"]) == [2]
    assert list(result.frame("three-hours")["sun"]) == [1.0, 2.0]
    assert len(result.frame()) == 1
    assert result.layers["three-grid"] in repr(result)
    with pytest.raises(BadInput, match="has no rows"):
        result.frame("three-grid")
    with pytest.raises(NotFound, match="no output 'four'"):
        result.layer("four")
    assert result.manifest()["credentialSubject"]
    assert result.job in [one.job for one in twin.jobs()]


def test_the_same_question_has_the_same_layers_wherever_it_is_asked(both: tuple[Twin, Twin]) -> None:
    far, near = (one.run("echo", message="both") for one in both)
    assert far.layers == near.layers
    assert near.reused
    assert not both[1].run("echo", message="both", fresh=True).reused


def test_what_cannot_be_is_the_same_error_from_both(twin: Twin) -> None:
    with pytest.raises(BadParameter, match="mesage") as caught:
        twin.run("echo", mesage="a")
    assert caught.value.name == "mesage"
    with pytest.raises(BadParameter, match="forbidden"):
        twin.run("echo", message="forbidden")
    with pytest.raises(NotFound):
        twin.run("nowhere")
    with pytest.raises(NotFound):
        twin.run("three", scenario="01M0000000000000000000NONE")
    with pytest.raises(PluginFailed, match="ZeroDivisionError"):
        twin.run("broken")


def test_evidence_is_a_file_and_a_result_can_be_taken_away(twin: Twin, tmp_path: Path) -> None:
    result = twin.run("echo", message=f"gone {twin.url[:4]}")
    package = result.evidence(tmp_path / "evidence.zip")
    assert package.read_bytes()[:2] == b"PK"
    result.dismiss()
    assert result.status == "dismissed"
    with pytest.raises((NotFound, Denied)):
        result.layer()
