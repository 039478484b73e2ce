"""Remedies of the release gate: after each of them the finding is gone, and stays gone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point, box
from tests.exchange.synthetic import (
    NOW,
    PEER,
    Paper,
    X,
    Y,
    blocks,
    granted,
    outline,
    put,
    rows,
    small_twin,
    terrain,
)

from twintown.exchange import gate
from twintown.exchange.anonymity import classes
from twintown.exchange.content import OfShape
from twintown.exchange.lattices import together
from twintown.exchange.release_rows import Releases
from twintown.exchange.remedies import Applied, apply
from twintown.exchange.remedy_aggregate import halved
from twintown.exchange.remedy_withhold import hidden_with
from twintown.ground.errors import BadParameter, Conflict, Denied
from twintown.ground.features import Features
from twintown.ground.grid import Grid
from twintown.trust.grades import Grade
from twintown.twin.layers import Twin

SITE = f"""
[[release.sites]]
id = "invented-depot"
title = {{ ko = "지어낸 창고 (합성)", en = "Invented depot (synthetic)" }}
outline = {outline(X + 118, Y + 498, X + 152, Y + 512)}
example = true
"""


def _apply(paper: Paper, layer: str, kind: str, to: str = "anyone", **said: Any) -> Applied:
    matter = paper.matter(layer, to)
    return apply(matter, gate.examine(matter), kind, said, gate.examine, paper.layers[layer][0])


def _rules(made: Applied) -> set[str]:
    return {one.rule for one in made.findings if one.severity != "notes"}


# -- coarsen -----------------------------------------------------------------------------------------------


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 40), st.integers(0, 40), st.sampled_from([5.0, 7.0, 10.0]))
def test_coarse_terrain_has_no_finding_wherever_its_corner_was(dx: int, dy: int, cell: float) -> None:
    paper = Paper({"synthetic-terrain": (terrain(cell, int(400 / cell), dx, dy), Grade.S)})
    made = _apply(paper, "synthetic-terrain", "coarsen", cell_m=90)
    assert made.remedy.clears == ("terrain-cell",) and "terrain-cell" not in _rules(made)
    assert isinstance(made.shape, Grid) and made.shape.cell_m == 90
    assert made.shape.provenance.steps[-1].what == "release remedy: coarsen"


def test_what_is_made_coarse_twice_at_different_times_has_its_lines_in_the_same_places() -> None:
    paper = Paper(
        {"synthetic-terrain": (terrain(5, 90), Grade.S), "synthetic-dem": (terrain(5, 90, 33, 12), Grade.S)}
    )
    one, other = (
        _apply(paper, layer, "coarsen", cell_m=90).shape for layer in ("synthetic-terrain", "synthetic-dem")
    )
    assert together([OfShape("a", one).lattice, OfShape("b", other).lattice]) == pytest.approx((90, 90))


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 89), st.integers(1, 89))
def test_a_remedy_lies_on_the_lines_of_what_is_open_already(dx: int, dy: int) -> None:
    paper = Paper({
        "synthetic-terrain": (terrain(5, 100), Grade.S), "open-dem": (terrain(90, 6, dx, -dy), Grade.O),
    })  # fmt: skip
    made = _apply(paper, "synthetic-terrain", "coarsen", cell_m=90)
    assert "terrain-cell" not in _rules(made), made.remedy.numbers


def test_a_coarse_cell_is_told_only_where_all_of_it_is_known() -> None:
    grid = terrain(5, 54)
    values = grid.values.copy()
    values[0, 0] = np.nan
    paper = Paper({"synthetic-terrain": (Grid(**{**grid.__dict__, "values": values}), Grade.S)})
    made = _apply(paper, "synthetic-terrain", "coarsen", cell_m=90).shape
    assert isinstance(made, Grid)
    lattice, own = OfShape("a", made).lattice, OfShape("b", grid).lattice
    assert own.bounds.xmin <= lattice.bounds.xmin and lattice.bounds.ymax <= own.bounds.ymax
    whole = [[float(v) for v in row] for row in made.values]
    for row, line in enumerate(whole):
        for col, value in enumerate(line):
            left, top = round((lattice.x - own.x) / 5) + col * 18, round((own.y - lattice.y) / 5) + row * 18
            part = values[top : top + 18, left : left + 18]
            assert np.isnan(value) if np.isnan(part).any() else value == pytest.approx(part.mean(), rel=1e-4)


def test_coordinates_go_to_a_mesh_that_a_map_of_the_scale_could_draw() -> None:
    from tests.exchange.synthetic import made as said
    from tests.exchange.synthetic import source

    survey = said(source("survey", title="Synthetic 수치지형도 (invented)"))
    paper = Paper({"surveyed": (blocks(provenance=survey), Grade.S)})
    made = _apply(paper, "surveyed", "coarsen", to="did:web:abroad.example", mesh_m=12.5)
    assert made.remedy.clears == ("export-scale",)
    assert isinstance(made.shape, Features) and len(made.shape) == 6
    points = shapely.get_coordinates(made.shape.table.geometry.to_numpy())
    assert np.allclose(points / 12.5, np.round(points / 12.5))


# -- mask --------------------------------------------------------------------------------------------------


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 30), st.integers(3, 19))
def test_nothing_shows_within_a_site_that_is_masked(margin: int, step: int) -> None:
    paper = Paper({"own-blocks": (blocks(8, step), Grade.S)}, SITE)
    try:
        made = _apply(paper, "own-blocks", "mask", margin_m=margin)
    except BadParameter:
        return  # nothing would be left
    assert made.remedy.clears == ("site-objects",) and "site-objects" not in _rules(made)
    assert isinstance(made.shape, Features) and 0 < len(made.shape) < 8
    assert set(made.shape.table["id"]) < set(paper.layers["own-blocks"][0].table["id"])  # type: ignore[union-attr]


@pytest.mark.parametrize("how", ["remove", "blur"])
def test_cells_within_a_site_say_nothing_any_more(how: str) -> None:
    grid = terrain(5, 120)
    paper = Paper({"sun": (Grid(**{**grid.__dict__, "attributes": {}, "unit": "h"}), Grade.S)}, SITE)
    made = _apply(paper, "sun", "mask", how=how)
    assert made.remedy.clears == ("site-cells",) and "site-cells" not in _rules(made)
    assert isinstance(made.shape, Grid)
    hidden = made.shape.values != grid.values
    inside = made.shape.values[hidden]
    assert hidden.sum() >= 8 * 4 and (
        np.isnan(inside).all() if how == "remove" else len(np.unique(inside)) == 1
    )
    assert (grid.values == terrain(5, 120).values).all(), "the source is not changed"


# -- withhold ----------------------------------------------------------------------------------------------

_PEOPLE = st.lists(
    st.tuples(st.integers(20, 24), st.sampled_from(["x", "y"]), st.sampled_from(["flu", "cold"])),
    min_size=30,
    max_size=80,
)


def _people(people: list[tuple[int, str, str]]) -> Features:
    shapes = [Point(X + 37 * (n % 9), Y + 53 * (n % 7)) for n in range(len(people))]
    ages, sexes, illnesses = zip(*people, strict=True)
    table = {
        "id": [f"synthetic-person/{n}" for n in range(len(people))],
        "age": ages,
        "sex": sexes,
        "illness": illnesses,
    }
    return rows(table, shapes)


@settings(max_examples=25, deadline=None)
@given(_PEOPLE, st.integers(2, 6))
def test_rows_of_those_who_stand_out_stay_here_and_k_is_kept(
    people: list[tuple[int, str, str]], k: int
) -> None:
    paper = Paper({"residents": (_people(people), Grade.S)})
    try:
        made = _apply(paper, "residents", "withhold", k=k)
    except BadParameter:
        return  # nothing would be left
    assert isinstance(made.shape, Features)
    left = classes(OfShape("", made.shape).table(["age", "sex"]), ["age", "sex"])
    assert left.smallest >= k
    gone = len(people) - len(made.shape)
    assert gone == 0 or gone >= min(k, len(people)), (
        "fewer than k that are missing would stand out by being missing"
    )


def test_columns_that_stay_here_are_gone_and_watched_from_then_on() -> None:
    paper = Paper({
        "residents": (_people([(20, "x", "flu"), (20, "x", "cold")] * 5), Grade.S),
        "clinic": (rows({"id": [f"synthetic-person/{n}" for n in range(10)], "illness": ["flu"] * 10}), Grade.O),
    })  # fmt: skip
    made = _apply(paper, "residents", "withhold", columns=["illness"])
    assert isinstance(made.shape, Features) and "illness" not in made.shape.table.columns
    assert "linked-columns" in _rules(made), "an open layer gives it back"


_COUNTS = st.lists(st.one_of(st.none(), st.integers(0, 40)), min_size=6, max_size=24)


@settings(max_examples=60, deadline=None)
@given(_COUNTS, st.integers(2, 8))
def test_no_total_of_a_margin_gives_a_withheld_count_back(counts: list[int | None], k: int) -> None:
    values = np.array([np.nan if one is None else one for one in counts], float)
    margins = [np.arange(len(values)) % 3, np.arange(len(values)) // 4]
    hide = hidden_with(values, margins, k)
    assert hide[(values > 0) & (values < k)].all()
    for codes in margins:
        for group in np.unique(codes):
            own = (codes == group) & hide
            others = (codes == group) & ~hide & (values > 0)
            if own.any() and others.any():
                assert own.sum() >= 2 and np.nan_to_num(values[own]).sum() >= k


def test_counts_of_few_are_withheld_with_another_beside_them() -> None:
    table = {
        "town": ["a"] * 3 + ["b"] * 3,
        "group": ["young", "old", "older"] * 2,
        "n": [3, 20, 30, 10, 20, 30],
    }
    totals = rows({"id": ["t/a", "t/b"], "town": ["a", "b"], "all": [53, 60]}, None, all="{person}")
    paper = Paper({"counted": (rows(table, None, n="{person}"), Grade.S), "totals": (totals, Grade.O)})
    made = _apply(paper, "counted", "withhold", counts=["n"], k=5)
    assert "small-counts" in made.remedy.clears and not {"small-counts", "complement"} & _rules(made)
    assert isinstance(made.shape, Features) and made.shape.table["n"].isna().sum() >= 2


# -- aggregate ---------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 5000), st.floats(0, 5000)), min_size=5, max_size=120), st.integers(2, 5)
)
def test_squares_hold_k_persons_each_and_lose_none(places: list[tuple[float, float]], k: int) -> None:
    x, y = (X + np.array([one[0] for one in places]), Y + np.array([one[1] for one in places]))
    squares = halved(x, y, np.ones(len(x)), k, 100.0)
    assert squares[:, 3].sum() == len(places) and squares[:, 3].min() >= k
    for at, (west, south, side, count) in enumerate(squares):
        assert ((west <= x) & (x < west + side) & (south <= y) & (y < south + side)).sum() == count
        assert west % side == 0 and south % side == 0
        others = np.delete(squares, at, axis=0)
        assert not any(
            box(west, south, west + side, south + side).buffer(-1e-6).intersects(box(a, b, a + c, b + c))
            for a, b, c, _ in others
        )


def test_people_become_squares_of_at_least_k() -> None:
    paper = Paper({"residents": (_people([(20 + n % 5, "xy"[n % 2], "flu") for n in range(40)]), Grade.S)})
    made = _apply(paper, "residents", "aggregate", k=5)
    assert "person-k" in made.remedy.clears and not _rules(made) - {"grade"}
    assert isinstance(made.shape, Features) and set(made.shape.table.columns) == {"id", "persons", "geometry"}


def test_a_table_of_people_becomes_groups_by_the_columns_that_leave_k_together() -> None:
    table = {"age": [20] * 9 + [21], "sex": ["x"] * 5 + ["y"] * 5}
    paper = Paper({"residents": (rows(table), Grade.S)})
    made = _apply(paper, "residents", "aggregate", k=5)
    assert made.remedy.numbers["by"] == ["sex"] and made.remedy.numbers["k_after"] == 5


# -- parameters --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("burn", {}), ("mask", {"sites": ["elsewhere"]}), ("mask", {"margin_m": -1}), ("mask", {"how": "paint"}), ("coarsen", {}),
        ("coarsen", {"mesh_m": "x"}), ("withhold", {}), ("withhold", {"columns": ["nothing"]}), ("withhold", {"k": 1}),
        ("aggregate", {"k": 1}), ("aggregate", {"k": 5, "finest_m": 0}), ("aggregate", {"by": ["nothing"]}), ("withhold", {"x": 1}),
    ],
)  # fmt: skip
def test_a_parameter_that_is_none_is_named(kind: str, said: dict[str, Any]) -> None:
    paper = Paper({"own-blocks": (blocks(8), Grade.S)}, SITE)
    with pytest.raises(BadParameter):
        _apply(paper, "own-blocks", kind, **said)


# -- as layers ---------------------------------------------------------------------------------------------


@pytest.fixture
def twin(tmp_path: Path) -> Twin:
    return small_twin(tmp_path / "twin", {"synthetic-terrain": (terrain(5, 60), Grade.S)})


def test_the_gate_offers_what_it_has_seen_to_clear_something(twin: Twin) -> None:
    found = gate.question(twin, granted(twin, "share"), "layer:synthetic-terrain", "anyone", None, NOW)
    assert [(one.kind, one.clears, one.leaves) for one in found.remedies] == [
        ("coarsen", ("terrain-cell",), "needs-decision")
    ]
    assert found.remedies[0].parameters["cell_m"] == 90
    assert Releases(twin.tables).get(found.id).remedies == found.remedies


def test_from_the_question_through_a_remedy_and_a_decision_to_an_open_layer(twin: Twin) -> None:
    asked = gate.question(twin, granted(twin, "share"), "layer:synthetic-terrain", "anyone", None, NOW)
    assert asked.verdict == "refused"
    again = gate.remedy(twin, granted(twin, "share"), asked.id, "coarsen", {"cell_m": 90}, NOW)
    assert str(again.asset) == "layer:synthetic-terrain-release-1" and again.verdict == "needs-decision"
    made = twin.version("synthetic-terrain-release-1", granted(twin))
    assert made.grade is Grade.S, "as the asset, until somebody decides"
    decided = gate.decide(
        twin, granted(twin, "release"), again.id, True, "90 m is what the rule allows.", NOW
    )
    assert decided.verdict == "allowed" and decided.goes == again.asset
    made = twin.version("synthetic-terrain-release-1", granted(twin))
    assert made.grade is Grade.O and made.meta["cell_m"] == 90
    assert [step.what for step in made.provenance.steps][-2:] == ["release remedy: coarsen", "released"]
    source = twin.version("synthetic-terrain", granted(twin))
    assert source.grade is Grade.S and source.meta["cell_m"] == 5, "nothing is changed in the source"


def test_a_layer_that_needs_no_remedy_goes_out_as_a_copy_and_its_source_stays_closed(tmp_path: Path) -> None:
    twin = small_twin(tmp_path / "twin", {"own-blocks": (blocks(), Grade.S)})
    asked = gate.question(twin, granted(twin, "share"), "layer:own-blocks", "anyone", None, NOW)
    decided = gate.decide(twin, granted(twin, "release"), asked.id, True, "Nothing in it is secret.", NOW)
    assert decided.result == "own-blocks-release-1"
    assert twin.version(decided.result, granted(twin)).grade is Grade.O
    assert twin.version("own-blocks", granted(twin)).grade is Grade.S


def test_a_grade_is_not_lowered_without_a_decision(tmp_path: Path) -> None:
    twin = small_twin(tmp_path / "twin", {"own-blocks": (blocks(), Grade.S)})
    with pytest.raises(Denied, match="release gate"):
        put(twin, {"own-blocks": (blocks(), Grade.O)})
    asked = gate.question(twin, granted(twin, "share"), "layer:own-blocks", "anyone", None, NOW)
    gate.decide(twin, granted(twin, "release"), asked.id, True, "Nothing in it is secret.", NOW)
    put(twin, {"own-blocks": (blocks(), Grade.O)})
    assert twin.version("own-blocks", granted(twin)).grade is Grade.O


def test_a_decision_for_a_peer_leaves_the_layer_sensitive(tmp_path: Path) -> None:
    twin = small_twin(tmp_path / "twin", {"own-blocks": (blocks(), Grade.S)})
    asked = gate.question(twin, granted(twin, "share"), "layer:own-blocks", PEER, None, NOW)
    decided = gate.decide(twin, granted(twin, "release"), asked.id, True, "They may.", NOW)
    assert decided.result == "" and twin.version("own-blocks", granted(twin)).grade is Grade.S


def test_a_preview_keeps_nothing_and_needs_the_layer_as_it_was(twin: Twin) -> None:
    asked = gate.question(twin, granted(twin, "share"), "layer:synthetic-terrain", "anyone", None, NOW)
    made = gate.preview(twin, granted(twin), asked.id, "coarsen", {"cell_m": 100})
    assert (
        isinstance(made.shape, Grid)
        and made.shape.cell_m == 100
        and made.remedy.numbers["cell_before_m"] == 5
    )
    assert list(twin.tables.layers()) == ["synthetic-terrain"]
    put(twin, {"synthetic-terrain": (terrain(5, 61), Grade.S)})
    with pytest.raises(Conflict):
        gate.preview(twin, granted(twin), asked.id, "coarsen", {"cell_m": 100})


def test_what_is_classified_goes_to_a_peer_as_sensitive_once_it_is_masked_and_decided(tmp_path: Path) -> None:
    twin = small_twin(tmp_path / "twin", {"own-blocks": (blocks(8), Grade.C)}, SITE)
    asked = gate.question(twin, granted(twin, "share"), "layer:own-blocks", PEER, None, NOW)
    assert asked.verdict == "refused" and {"site-objects", "grade"} <= {one.rule for one in asked.findings}
    masked = gate.remedy(twin, granted(twin, "share"), asked.id, "mask", {}, NOW)
    assert masked.verdict == "needs-decision"
    decided = gate.decide(twin, granted(twin, "release"), masked.id, True, "Nothing of the depot shows.", NOW)
    assert decided.decision is not None and decided.decision["grade"] == "S"
    made = twin.version("own-blocks-release-1", granted(twin))
    assert (made.grade, made.count) == (Grade.S, 6)
    assert twin.version("own-blocks", granted(twin)).grade is Grade.C
