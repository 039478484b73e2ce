"""What the gate finds: on synthetic terrain, invented sites and people whom nobody has met."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point, box
from tests.exchange.synthetic import (
    NOW,
    OSM,
    PEER,
    Paper,
    X,
    Y,
    blocks,
    granted,
    made,
    outline,
    rows,
    small_twin,
    source,
    terms,
    terrain,
)

from twintown.exchange import gate
from twintown.exchange.anonymity import classes, diversity
from twintown.exchange.findings import Finding
from twintown.exchange.lattices import snapped, together
from twintown.exchange.release import Release
from twintown.exchange.rules_pack import PACKS, rules_of
from twintown.ground.crs import crs_of
from twintown.ground.errors import BadSettings
from twintown.ground.lattice import Lattice
from twintown.trust.grades import Grade
from twintown.twin.layers import Shape, Twin

CRS = crs_of("EPSG:5186")
SITE = f"""
[[release.sites]]
id = "invented-depot"
title = {{ ko = "지어낸 창고 (합성)", en = "Invented depot (synthetic)" }}
outline = {outline(X + 118, Y + 498, X + 132, Y + 512)}
example = true
"""
HOME = (
    f'[peers.icheon]\naddress = "https://twin.icheon.example/twins/icheon"\ndid = "{PEER}"\ncountry = "KR"\n'
)


def _paper(more: str = "", **layers: tuple[Shape, Grade]) -> Paper:
    return Paper({name.replace("_", "-"): one for name, one in layers.items()}, more)


def _twin(tmp_path: Path, more: str = "", **layers: tuple[Shape, Grade]) -> Twin:
    return small_twin(tmp_path / "twin", {name.replace("_", "-"): one for name, one in layers.items()}, more)


def _ask(twin: Twin | Paper, layer: str, to: str = "anyone", **said: Any) -> Release:
    asset = f"layer:{layer}"
    under = terms(asset, **said) if said else None
    return (
        twin.ask(layer, to, under)
        if isinstance(twin, Paper)
        else gate.look(twin, granted(twin), asset, to, under, NOW)
    )


def _rules(release: Release) -> dict[str, Finding]:
    return {one.rule: one for one in release.findings}


# -- packs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pack", PACKS)
def test_every_rule_of_every_pack_says_its_source_its_day_and_that_the_officer_has_to_confirm_it(
    pack: str,
) -> None:
    found = rules_of({"pack": pack}, Path())
    assert found.rules
    for rule in found.rules.values():
        assert rule.source and rule.seen and set(rule.severity) <= {"anyone", "peers", "abroad"}
        assert "to be confirmed by the security officer" in rule.confirmed
        assert rule.verified or "unverified" in rule.confirmed
        assert rule.value is None or rule.unit


def test_korea_limits_terrain_and_export_and_europe_does_not() -> None:
    korea, europe = (rules_of({"pack": pack}, Path()) for pack in ("korea", "europe"))
    assert korea.rules["terrain-cell"].limit == 90 and korea.rules["export-scale"].limit == 25_000
    assert not {"terrain-cell", "export-scale"} & set(europe.rules)


def test_a_twin_changes_a_limit_only_with_its_source() -> None:
    with pytest.raises(BadSettings):
        rules_of({"rules": {"terrain-cell": {"value": 30}}}, Path(), "Asia/Seoul")
    said = {"rules": {"terrain-cell": {"value": 30, "source": "letter of the security officer, 2026-11-20"}}}
    rule = rules_of(said, Path(), "Asia/Seoul").rules["terrain-cell"]
    assert rule.limit == 30 and rule.severity["anyone"] == "forbids" and "letter" in rule.citation


@pytest.mark.parametrize(
    "table",
    [{"pak": "korea"}, {"pack": "atlantis.toml"}, {"sites": [{"id": "x"}]}, {"layers": {"a": {"is": "secret"}}}, {"rules": []}],
)  # fmt: skip
def test_a_slip_in_the_rules_of_a_twin_is_named(table: dict[str, Any]) -> None:
    with pytest.raises(BadSettings):
        rules_of(table, Path(), "Asia/Seoul")


def test_a_licence_of_the_city_can_be_described_for_machines() -> None:
    from twintown.ground.provenance import Licence

    mine = made(source("mine", Licence("city-open", "The city's open licence")))
    more = '[release.licences.city-open]\nshort = "City"\nconditions = { attribution = "§ 2" }\n'
    twin = _paper(more, mine=(blocks(provenance=mine), Grade.O))
    assert _rules(_ask(twin, "mine", PEER))["licence-attribution"].citation == "City § 2"


# -- space -------------------------------------------------------------------------------------------------


def test_terrain_finer_than_the_limit_does_not_go_to_anyone_and_says_what_would_help() -> None:
    twin = _paper(HOME, synthetic_terrain=(terrain(5), Grade.S))
    found = _rules(_ask(twin, "synthetic-terrain"))["terrain-cell"]
    assert found.severity == "forbids" and found.remedies == ("coarsen",)
    assert (found.numbers["cell_m"], found.numbers["limit"]) == (5.0, 90.0)
    assert "90 m" in found.citation and found.confirmed and "lon" in found.places[0]
    assert _rules(_ask(twin, "synthetic-terrain", PEER))["terrain-cell"].severity == "decides", (
        "a peer at home: a person weighs it"
    )


def test_terms_that_make_it_coarse_enough_are_looked_at_as_it_would_leave(tmp_path: Path) -> None:
    twin = _twin(tmp_path, HOME, synthetic_terrain=(terrain(5), Grade.S))
    assert "terrain-cell" in _rules(_ask(twin, "synthetic-terrain", PEER, finest_m=50.0))
    assert "terrain-cell" not in _rules(_ask(twin, "synthetic-terrain", PEER, finest_m=90.0))


def test_a_grid_that_is_no_terrain_has_no_limit_of_terrain() -> None:
    from dataclasses import replace

    sun = replace(terrain(5), attributes={"quantity": "sun-hours"}, unit="h")
    twin = _paper("", sun=(sun, Grade.S))
    assert "terrain-cell" not in _rules(_ask(twin, "sun"))


def test_objects_and_cells_within_a_restricted_site_are_found_with_their_place() -> None:
    twin = _paper(SITE, own_blocks=(blocks(), Grade.S), synthetic_relief=(terrain(5, 200), Grade.S))
    found = _rules(_ask(twin, "own-blocks"))["site-objects"]
    assert found.severity == "forbids" and found.numbers["objects"] == 1
    assert found.places[0]["id"] == "synthetic/1" and found.places[0]["site"] == "invented-depot"
    assert _rules(_ask(twin, "synthetic-relief"))["site-cells"].numbers["cells"] > 4


def test_a_site_may_be_a_layer_and_have_a_margin(tmp_path: Path) -> None:
    more = '[[release.sites]]\nid = "yard"\nlayer = "invented-sites"\nbuffer_m = 15\n'
    sites = rows({"name": ["invented"]}, [box(X + 118, Y + 498, X + 132, Y + 512)])
    twin = _twin(tmp_path, more, own_blocks=(blocks(), Grade.S), invented_sites=(sites, Grade.C))
    assert _rules(_ask(twin, "own-blocks"))["site-objects"].numbers["objects"] == 3


def test_what_lies_outside_the_area_of_the_terms_is_not_held_against_it(tmp_path: Path) -> None:
    twin = _twin(tmp_path, SITE + HOME, own_blocks=(blocks(12), Grade.S))
    west, north = (
        outline(X + 200, Y + 480, X + 400, Y + 540)[0],
        outline(X + 200, Y + 480, X + 400, Y + 540)[2],
    )
    area = (min(west[0], north[0]), min(west[1], north[1]), max(west[0], north[0]), max(west[1], north[1]))
    assert "site-objects" in _rules(_ask(twin, "own-blocks", PEER))
    assert "site-objects" not in _rules(_ask(twin, "own-blocks", PEER, area=area))


def test_the_inside_of_buildings_is_found_by_its_columns() -> None:
    inside = rows({"room_number": ["101", "102"]}, [Point(X, Y), Point(X + 1, Y)])
    twin = _paper("", doors=(inside, Grade.S))
    assert _rules(_ask(twin, "doors"))["interior"].remedies == ("withhold",)


def test_points_with_heights_above_the_sea_are_terrain_by_another_name() -> None:
    spots = [Point(X + 20 * n, Y + 20 * m, 40.0) for n in range(5) for m in range(5)]
    twin = _paper("", spots=(rows({"n": list(range(25))}, spots), Grade.S))
    found = _rules(_ask(twin, "spots"))["heights-spacing"]
    assert found.numbers["spacing_m"] < 20


def test_survey_results_finer_than_the_scale_do_not_go_abroad_and_others_are_noted() -> None:
    survey = made(source("survey", title="Synthetic 수치지형도 1:1,000 (invented)"))
    twin = _paper("", surveyed=(blocks(provenance=survey), Grade.O), drawn=(blocks(), Grade.S))
    abroad = "did:web:city.example:abroad"
    assert _rules(_ask(twin, "drawn", abroad))["export-scale"].severity == "notes"
    found = _rules(_ask(twin, "surveyed", "anyone"))["export-scale"]
    assert found.severity == "decides" and found.numbers["survey_sources"] == 1
    twin.layers["surveyed-closed"] = (blocks(provenance=survey), Grade.S)
    assert _rules(_ask(twin, "surveyed-closed", abroad))["export-scale"].severity == "forbids"


def test_what_is_open_to_anyone_already_is_only_noted_for_a_peer() -> None:
    twin = _paper(SITE, own_blocks=(blocks(), Grade.O))
    assert _ask(twin, "own-blocks", PEER).verdict == "allowed"
    assert _ask(twin, "own-blocks", "anyone").verdict == "refused"


def test_what_is_classified_leaves_by_no_decision() -> None:
    twin = _paper(HOME, closed=(blocks(), Grade.C), sensitive=(blocks(), Grade.S))
    assert _ask(twin, "closed", PEER).verdict == "refused"
    assert _ask(twin, "sensitive", PEER).verdict == "needs-decision"


# -- lattices ----------------------------------------------------------------------------------------------


def _lattice(dx: float, dy: float, cell: float = 90.0, size: int = 8) -> Lattice:
    return Lattice(CRS, X + dx, Y + 1000 + dy, cell, cell, size, size)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 89), st.integers(1, 89))
def test_two_grids_of_one_cell_moved_against_each_other_are_as_fine_as_the_shift(dx: int, dy: int) -> None:
    width, height = together([_lattice(0, 0), _lattice(dx, dy)])
    assert (width, height) == pytest.approx((min(dx, 90 - dx), min(dy, 90 - dy)))


def test_grids_on_the_same_lines_or_apart_are_no_finer_together() -> None:
    assert together([_lattice(0, 0), _lattice(180, -90)]) == (90, 90)
    assert together([_lattice(0, 0), _lattice(0, 0, 30, 24)]) == (30, 30)
    assert together([_lattice(0, 0), _lattice(5000 + 45, 0)]) == (90, 90)


def test_three_grids_cut_finer_than_any_two() -> None:
    assert together([_lattice(0, 0), _lattice(30, 0), _lattice(60, 0)])[0] == pytest.approx(30)
    assert together([_lattice(0, 0), _lattice(40, 0), _lattice(65, 0)])[0] == pytest.approx(25)


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 400), st.floats(0, 400), st.sampled_from([90.0, 100.0, 45.0]))
def test_grids_that_are_snapped_never_cut_each_other(dx: float, dy: float, cell: float) -> None:
    one, other = snapped(_lattice(0, 0, 5, 200), cell), snapped(_lattice(dx, dy, 5, 200), cell)
    assert one.rows and other.rows
    assert together([one, other]) == pytest.approx((cell, cell), rel=1e-6)
    assert together(
        [snapped(_lattice(dx, dy, 5, 200), cell, _lattice(7, 3, cell)), _lattice(7, 3, cell)]
    ) == pytest.approx((cell, cell))


def test_an_open_grid_with_other_lines_makes_a_coarse_release_fine_again(tmp_path: Path) -> None:
    twin = _twin(
        tmp_path, "", synthetic_terrain=(terrain(90, 8), Grade.S),
        open_relief=(terrain(90, 8, dx=30, dy=-45), Grade.O),
    )  # fmt: skip
    found = [one for one in _ask(twin, "synthetic-terrain").findings if one.rule == "terrain-cell"]
    assert len(found) == 1 and found[0].severity == "forbids"
    assert (found[0].numbers["effective_width_m"], found[0].numbers["effective_height_m"]) == (30, 45)
    assert found[0].layers == ("open-relief",)


# -- persons -----------------------------------------------------------------------------------------------

_VALUE = st.sampled_from(["a", "b", "c", None])


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(_VALUE, _VALUE, st.integers(0, 2)), max_size=40))
def test_k_and_l_agree_with_counting_by_hand(people: list[tuple[str | None, str | None, int]]) -> None:
    table = pa.table({
        "age": pa.array([one[0] for one in people], pa.string()), "sex": pa.array([one[1] for one in people], pa.string()),
        "illness": pa.array([one[2] for one in people], pa.int64()),
    })  # fmt: skip
    found = classes(table, ["age", "sex"])
    by_hand = Counter((one[0], one[1]) for one in people)
    assert found.smallest == min(by_hand.values(), default=0)
    assert found.size[found.of].tolist() == [by_hand[one[0], one[1]] for one in people]
    kinds = {key: len({one[2] for one in people if (one[0], one[1]) == key}) for key in by_hand}
    assert diversity(found, table.column("illness"))[found.of].tolist() == [
        kinds[one[0], one[1]] for one in people
    ]
    for k in (1, 2, 5):
        assert len(found.small(k)) == sum(size for size in by_hand.values() if size < k)


def _people(ages: list[int], **more: Any) -> Any:
    count = len(ages)
    table = {"id": [f"synthetic-person/{n}" for n in range(count)], "age": ages, "sex": ["x"] * count, **more}
    return rows(table, [Point(X + n % 40, Y + n // 40) for n in range(count)])


def test_a_table_in_which_few_persons_are_alike_is_found_with_them() -> None:
    twin = _paper(HOME, residents=(_people([30] * 8 + [99] * 2), Grade.S))
    found = _rules(_ask(twin, "residents"))["person-k"]
    assert (found.severity, found.numbers["k"], found.numbers["rows"]) == ("forbids", 2, 2)
    assert {one["id"] for one in found.places} == {"synthetic-person/8", "synthetic-person/9"}
    assert _rules(_ask(twin, "residents", PEER))["person-k"].severity == "decides"


def test_the_columns_that_describe_a_person_are_those_that_the_twin_says() -> None:
    more = '[release.layers.residents]\nis = "persons"\nquasi_identifiers = ["street"]\nsensitive = ["illness"]\n'
    people = _people(
        [30] * 10, street=["a"] * 5 + ["b"] * 5, illness=["flu"] * 5 + ["flu", "cold"] * 2 + ["flu"]
    )
    twin = _paper(more, residents=(people, Grade.S))
    found = _rules(_ask(twin, "residents"))
    assert "person-k" not in found
    assert found["person-l"].numbers == {
        "limit": 2.0,
        "unit": "values",
        "classes": 1,
        "rows": 5,
        "column": "illness",
    }


def test_columns_that_name_persons_never_go() -> None:
    twin = _paper(HOME, residents=(_people([30] * 9, email=["nobody@example.org"] * 9), Grade.S))
    found = _rules(_ask(twin, "residents", PEER))["person-identifiers"]
    assert found.severity == "forbids" and found.numbers["named"] == ["email"]


def test_counts_of_few_are_found() -> None:
    counts = rows({"residents": [3, 0, 12, None]}, None, residents="{person}")
    twin = _paper("", counted=(counts, Grade.S))
    assert _rules(_ask(twin, "counted"))["small-counts"].numbers["cells"] == 1


def test_a_mean_of_persons_is_no_count_of_them() -> None:
    towns = rows(
        {"residents": [300, 400], "per_household": [2.3, 2.1]},
        None,
        residents="{person}",
        per_household="{person}",
    )
    assert "small-counts" not in _rules(_ask(_paper("", towns=(towns, Grade.S)), "towns"))


# -- the combination ---------------------------------------------------------------------------------------


def _shapes(count: int) -> list[Any]:
    return [box(X + 20 * n, Y, X + 20 * n + 10, Y + 10) for n in range(count)]


@pytest.mark.parametrize("by", ["id", "place"])
def test_a_withheld_column_that_an_open_layer_gives_back_by_a_join_is_found(tmp_path: Path, by: str) -> None:
    ids = {"id": [f"synthetic/{n}" if by == "id" else f"other/{n}" for n in range(6)]}
    open_one = rows({**ids, "tenant": ["invented"] * 5 + [None]}, None if by == "id" else _shapes(6))
    more = '[release.layers.houses]\nwithheld = ["tenant"]\n'
    twin = _twin(
        tmp_path, more, houses=(rows({"floors": [2] * 6}, _shapes(6)), Grade.S), notes=(open_one, Grade.O)
    )
    found = _rules(_ask(twin, "houses"))["linked-columns"]
    assert (found.severity, found.numbers["rows"], found.numbers["by"]) == ("forbids", 5, by)
    assert found.layers == ("notes",)


def test_persons_who_are_alike_alone_and_told_apart_by_a_join_are_found() -> None:
    jobs = rows({"id": [f"synthetic-person/{n}" for n in range(10)], "occupation": ["clerk"] * 9 + ["mayor"]})
    twin = _paper("", residents=(_people([30] * 10), Grade.S), jobs=(jobs, Grade.O))
    found = _rules(_ask(twin, "residents"))
    assert "person-k" not in found
    assert (
        found["linked-persons"].places[0]["id"] == "synthetic-person/9"
        and found["linked-persons"].numbers["k_alone"] == 10
    )


def test_a_site_that_is_masked_here_and_shown_by_an_open_layer_is_found() -> None:
    twin = _paper(SITE, masked=(blocks(1), Grade.S), open_blocks=(blocks(provenance=OSM), Grade.O),
    )  # fmt: skip
    found = _rules(_ask(twin, "masked"))["linked-objects"]
    assert found.layers == ("open-blocks",) and found.places[0]["site"] == "invented-depot"


def test_a_site_that_is_masked_here_and_told_by_open_terrain_is_found() -> None:
    paper = _paper(SITE, masked=(blocks(1), Grade.S), open_terrain=(terrain(5, 120), Grade.O))
    assert _rules(_ask(paper, "masked"))["linked-objects"].layers == ("open-terrain",)


def test_what_went_to_one_peer_counts_for_that_peer_only(tmp_path: Path) -> None:
    other = "did:web:elsewhere.example"
    more = (
        HOME
        + f'[peers.elsewhere]\naddress = "https://elsewhere.example/twins/e"\ndid = "{other}"\ncountry = "KR"\n'
    )
    twin = _twin(
        tmp_path, more, terrain_one=(terrain(90, 8), Grade.S), terrain_two=(terrain(90, 8, dx=30, dy=-45), Grade.S),
    )  # fmt: skip
    asked = gate.question(twin, granted(twin, "share"), "layer:terrain-one", PEER, None, NOW)
    assert "terrain-cell" not in _rules(asked)
    assert "terrain-cell" not in _rules(_ask(twin, "terrain-two", PEER))
    gate.decide(twin, granted(twin, "release"), asked.id, True, "They may.", NOW)
    assert _rules(_ask(twin, "terrain-two", PEER))["terrain-cell"].layers == ("terrain-one",)
    assert "terrain-cell" not in _rules(_ask(twin, "terrain-two", other))


def test_the_difference_of_two_releases_that_singles_persons_out_is_found() -> None:
    twin = _paper("", residents=(_people([30] * 18 + [40] * 9), Grade.S), residents_release_1=(_people([30] * 20), Grade.O)
    )  # fmt: skip
    found = _rules(_ask(twin, "residents"))["difference"]
    assert found.severity == "forbids" and found.layers == ("residents-release-1",)
    assert found.numbers["persons"] == 2, (
        "two of the age of 30 are gone; the nine of 40 hide among each other"
    )


def test_counts_that_differ_by_few_from_those_released_before_are_found() -> None:
    old, new = (rows({"n": values}, None, n="{person}") for values in ([50, 60, 70], [50, 58, 90]))
    twin = _paper("", counted=(new, Grade.S), counted_release_1=(old, Grade.O))
    found = _rules(_ask(twin, "counted"))["difference"]
    assert found.numbers["cells"] == 1 and found.places == ({"id": "synthetic/1"},)


def test_an_area_less_the_areas_within_it_that_leaves_few_is_found() -> None:
    whole = rows({"n": [103]}, [box(X, Y, X + 100, Y + 100)], n="{person}")
    part = rows({"n": [100]}, [box(X, Y, X + 90, Y + 100)], n="{person}")
    twin = _paper("", part=(part, Grade.S), whole=(whole, Grade.O))
    assert _rules(_ask(twin, "part"))["difference"].numbers["places"] == 1


def test_a_total_that_gives_the_one_withheld_value_back_is_found() -> None:
    parts = rows({"town": ["a", "a", "a", "b", "b"], "n": [10, None, 20, 30, 40]}, None, n="{person}")
    totals = rows({"id": ["t/a", "t/b"], "town": ["a", "b"], "all": [33, 70]}, None, all="{person}")
    twin = _paper("", parts=(parts, Grade.S), totals=(totals, Grade.O))
    found = _rules(_ask(twin, "parts"))["complement"]
    assert (
        found.severity == "forbids"
        and found.places == ({"id": "synthetic/1"},)
        and found.layers == ("totals",)
    )


def test_totals_of_something_else_give_nothing_back() -> None:
    parts = rows({"town": ["a", "a", "a", "b", "b"], "n": [10, None, 20, 30, 40]}, None, n="{person}")
    totals = rows({"id": ["t/a", "t/b"], "town": ["a", "b"], "all": [33, 999]}, None, all="{person}")
    twin = _paper("", parts=(parts, Grade.S), totals=(totals, Grade.O))
    assert "complement" not in _rules(_ask(twin, "parts"))


def test_numbers_of_findings_are_plain_json(tmp_path: Path) -> None:
    import json

    twin = _twin(tmp_path, SITE, own_blocks=(blocks(), Grade.S), relief=(terrain(5, 200), Grade.S))
    for layer in ("own-blocks", "relief"):
        said = gate.question(twin, granted(twin, "share"), f"layer:{layer}", "anyone", None, NOW)
        assert json.loads(json.dumps(said.to_dict())) == said.to_dict()
        assert not any(
            isinstance(value, np.generic) for one in said.findings for value in one.numbers.values()
        )
