from __future__ import annotations

from datetime import UTC, datetime

import pytest

from twintown.build.plan import Planned, fresh, in_order
from twintown.ground.errors import BadSettings
from twintown.store.tables import StepRow

NOW = datetime(2026, 12, 22, tzinfo=UTC)
THERE = {("roads", "1")}


def row(state: str = "finished", inputs: str = "sha256:1", outputs: dict[str, str] | None = None) -> StepRow:
    return StepRow("source/osm", inputs, {"roads": "1"} if outputs is None else outputs, state, NOW, NOW)  # type: ignore[arg-type]


def test_a_step_comes_after_those_whose_layers_it_takes() -> None:
    tiles = Planned("product/base", "product", "base", (), ("roads", "sunlight"))
    sun = Planned("process/sun", "process", "sun", ("sunlight",), ("buildings",))
    osm = Planned("source/osm", "source", "osm", ("buildings", "roads"))
    assert [step.id for step in in_order([tiles, sun, osm])] == ["source/osm", "process/sun", "product/base"]


def test_two_givers_of_one_layer_are_refused() -> None:
    with pytest.raises(BadSettings, match="'roads' comes from both source/a and source/b"):
        in_order(
            [Planned("source/a", "source", "a", ("roads",)), Planned("source/b", "source", "b", ("roads",))]
        )


def test_steps_that_wait_for_one_another_are_refused() -> None:
    a, b = (
        Planned("process/a", "process", "a", ("x",), ("y",)),
        Planned("process/b", "process", "b", ("y",), ("x",)),
    )
    with pytest.raises(BadSettings, match="wait for one another"):
        in_order([a, b])


def test_a_finished_step_under_the_same_inputs_is_fresh() -> None:
    assert fresh(row(), "sha256:1", THERE)


@pytest.mark.parametrize(
    ("known", "inputs"),
    [
        (None, "sha256:1"),
        (row(state="running"), "sha256:1"),
        (row(), "sha256:2"),
        (row(outputs={"roads": "2"}), "sha256:1"),
    ],
    ids=["never ran", "was killed", "other inputs", "what it made is gone"],
)
def test_anything_else_is_stale(known: StepRow | None, inputs: str) -> None:
    assert not fresh(known, inputs, THERE)
