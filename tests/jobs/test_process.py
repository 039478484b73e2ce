"""What a process promises, and what happens to one that does not keep it."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint

import pytest

from twintown.ground.bounds import Bounds
from twintown.ground.errors import BadParameter, NotFound, PluginFailed
from twintown.ground.frames import Frame
from twintown.ground.names import Name
from twintown.jobs.process import Ask, Input, Output, Process, Processes, Shape, run

ASK = Ask({}, Frame("EPSG:5186"), Bounds(0, 0, 1, 1), "Asia/Seoul", "2026-12-22")


def silent(_ask: Ask) -> Iterator[tuple[str, Shape]]:
    yield from ()


def process(needs: tuple[str, ...] = ()) -> Process:
    name = Name("시험", "Test")
    inputs = (Input("days", name, "d", 1, (int,)),)
    return Process(
        "test", name, "1", needs, inputs, (Output("shade", name, "1", "grid"),), ("x",), ("y",), silent
    )


def test_a_broken_plug_in_is_named_and_skipped() -> None:
    found = Processes.of(
        [
            EntryPoint("sunlight", "twintown.processes.sunlight:PROCESS", "twintown.processes"),
            EntryPoint("gone", "no.such.package:PROCESS", "twintown.processes"),
        ]
    )
    assert list(found.working) == ["sunlight"]
    assert "ModuleNotFoundError" in found.broken["gone"]
    with pytest.raises(PluginFailed, match="gone"):
        found.find("gone")
    with pytest.raises(NotFound, match="did you mean 'sunlight'"):
        found.find("sunlite")


def test_an_unknown_input_or_one_of_the_wrong_type_is_named() -> None:
    for options, named in (({"dyas": 1}, "dyas"), ({"days": "many"}, "days"), ({"days": True}, "days")):
        with pytest.raises(BadParameter) as caught:
            process().check(options)
        assert caught.value.name == named


def test_a_process_that_leaves_out_a_layer_has_failed() -> None:
    with pytest.raises(PluginFailed, match="shade"):
        list(run(process(), ASK))


def test_a_process_without_its_layers_says_which_is_missing() -> None:
    with pytest.raises(NotFound, match="buildings"):
        list(run(process(("buildings",)), ASK))
