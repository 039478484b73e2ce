"""OGC 21-065r2, annex A: the abstract tests of CQL2, put to every queryable of every layer of a server.

What each test of the annex evaluates and asserts is done as it says, for each queryable by its type.
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from .conftest import ROWS, Get

CONF = "http://www.opengis.net/spec/cql2/1.0/conf"
EXAMPLES = Path(__file__).parent / "cql2"
VALUES = {
    "string": "'foo'",
    "boolean": "true",
    "number": "3.14",
    "integer": "1",
    "datetime": "TIMESTAMP('2022-04-14T14:48:46Z')",
}


@pytest.fixture
def queryables(get: Get) -> list[tuple[str, str, str]]:
    """Layer, name and type of every queryable."""
    found = []
    for layer in ROWS:
        for name, said in get(f"/collections/{layer}/queryables").json()["properties"].items():
            if str(said.get("format", "")).startswith("geometry"):
                kind = "geometry"
            else:
                kind = "datetime" if said.get("format") == "date-time" else said["type"]
            found.append((layer, name, kind))
    return found


@pytest.fixture
def kept(get: Get) -> Any:
    """The ids of the items that a filter keeps; the answer must be one."""

    def ask(layer: str, text: str, **more: str) -> frozenset[str]:
        answer = get(f"/collections/{layer}/items", filter=text, limit="1000", **more)
        assert answer.status_code == 200, (text, answer.text)
        return frozenset(str(feature["id"]) for feature in answer.json()["features"])

    return ask


def test_the_server_states_what_the_other_file_proves(get: Get) -> None:
    from twintown.query.cql2 import CONFORMANCE

    assert set(CONFORMANCE) <= set(get("/conformance").json()["conformsTo"])
    assert f"{CONF}/basic-cql2" in CONFORMANCE


def test_every_layer_has_a_queryable_with_a_type(queryables: list[tuple[str, str, str]]) -> None:
    """/conf/basic-cql2/basic-test"""
    assert {layer for layer, _, _ in queryables} == set(ROWS)
    assert {kind for _, _, kind in queryables} <= {*VALUES, "geometry"}


@pytest.mark.slow
def test_comparisons_and_their_opposites_have_nothing_in_common(
    queryables: list[tuple[str, str, str]], kept: Any
) -> None:
    """/conf/basic-cql2/comparison, /conf/property-property/comparison-value-property"""
    for layer, name, kind in queryables:
        if kind == "geometry":
            continue
        for one, other in (("=", "<>"), (">", "<="), ("<", ">=")):
            assert not kept(layer, f'"{name}" {one} {VALUES[kind]}') & kept(
                layer, f'"{name}" {other} {VALUES[kind]}'
            )
            assert not kept(layer, f'{VALUES[kind]} {one} "{name}"') & kept(
                layer, f'{VALUES[kind]} {other} "{name}"'
            )


@pytest.mark.slow
def test_a_property_equals_itself(queryables: list[tuple[str, str, str]], kept: Any) -> None:
    """/conf/property-property/comparison-property-property"""
    for layer, name, kind in queryables:
        if kind == "geometry":
            continue
        for sign in ("<>", "<", ">"):
            assert not kept(layer, f'"{name}" {sign} "{name}"')
        assert len({kept(layer, f'"{name}" {sign} "{name}"') for sign in ("=", ">=", "<=")}) == 1


def test_literals_compare_with_themselves(kept: Any) -> None:
    """/conf/property-property/comparison-value-value"""
    everything = kept("buildings", "TRUE")
    assert everything
    for value in (*VALUES.values(), "DATE('2022-04-14')"):
        for sign in ("<>", "<", ">"):
            assert not kept("buildings", f"{value} {sign} {value}")
        for sign in ("=", ">=", "<="):
            assert kept("buildings", f"{value} {sign} {value}") == everything


@pytest.mark.slow
def test_null_is_null_or_is_not(queryables: list[tuple[str, str, str]], kept: Any) -> None:
    """/conf/basic-cql2/is-null, /conf/basic-cql2/boolean"""
    for layer, name, _ in queryables:
        unknown, known = kept(layer, f'"{name}" IS NULL'), kept(layer, f'"{name}" is not null')
        assert not unknown & known
        assert unknown | known == kept(layer, "true")
        assert not kept(layer, "false")


def test_like_between_and_in(queryables: list[tuple[str, str, str]], kept: Any) -> None:
    """/conf/advanced-comparison-operators/like, …/between, …/in"""
    for layer, name, kind in queryables:
        if kind == "string":
            assert not kept(layer, f"\"{name}\" like '_%'") & kept(layer, f"\"{name}\" like ''")
            assert kept(layer, f"\"{name}\" LIKE '%'") == kept(layer, f"\"{name}\" like '%%'")
            kept(layer, f"\"{name}\" like '\\%\\_'")
            kept(layer, f"\"{name}\" in ('foo', 'bar')")
        elif kind in ("number", "integer"):
            assert not kept(layer, f'"{name}" between 100.0 and 1.0')
            kept(layer, f'"{name}" BETWEEN 0 AND 100')
            kept(layer, f'"{name}" IN (1, 2, 3)')
            kept(layer, f'"{name}" + 1 > "{name}" * 2 - "{name}" ^ 2 / 3 % 4 div 5')
        elif kind == "boolean":
            assert kept(layer, f'"{name}" in (true)') == kept(layer, f'"{name}" = true')
        elif kind == "datetime":
            kept(layer, f"\"{name}\" in ('2022-04-14T14:52:56Z', '2022-04-14T15:52:56Z')")


def test_spatial_functions(queryables: list[tuple[str, str, str]], kept: Any, get: Get) -> None:
    """/conf/spatial-functions/s_intersects and the seven others"""
    world = "POLYGON((-180 -90,180 -90,180 90,-180 90,-180 -90))"
    seen = [layer for layer, name, kind in queryables if kind == "geometry"]
    assert seen
    for layer in seen:
        box, polygon = (f"(geometry,{shape})" for shape in ("BBOX(-180,-90,180,90)", world))
        assert (
            kept(layer, f"S_INTERSECTS{box}")
            == kept(layer, f"S_INTERSECTS{polygon}")
            == kept(layer, "geometry IS NOT NULL")
        )
        assert not kept(layer, f"S_DISJOINT{box}") | kept(layer, f"S_DISJOINT{polygon}")
        assert kept(layer, f"S_WITHIN{box}") == kept(layer, f"S_WITHIN{polygon}")
        assert kept(layer, f"S_CONTAINS{box}") == kept(layer, f"S_CONTAINS{polygon}")
        for shape in ("LINESTRING(7 50,10 51)", "POINT(7.02 49.92)"):
            assert not kept(layer, f"S_DISJOINT(geometry,{shape})") & kept(
                layer, f"S_INTERSECTS(geometry,{shape})"
            )
        for shape in ("MULTIPOINT(7 50,10 51)", "LINESTRING(7 50,10 51)", world):
            for name in ("EQUALS", "TOUCHES", "CROSSES", "WITHIN", "CONTAINS", "OVERLAPS"):
                kept(layer, f"S_{name}(geometry,{shape})")
        for name in ("S_INTERSECTS", "S_DISJOINT"):
            answer = get(f"/collections/{layer}/items", filter=f"{name}(geometry,POINT(90 180))")
            assert (answer.status_code, answer.json()["parameter"]) == (400, "filter")


def test_temporal_functions(queryables: list[tuple[str, str, str]], kept: Any) -> None:
    """/conf/temporal-functions/temporal-functions-1 and -2"""
    times = [(layer, name) for layer, name, kind in queryables if kind == "datetime"]
    assert times
    for (layer, name), of in itertools.product(
        times,
        ("TIMESTAMP('2021-01-02T00:00:00Z')", "INTERVAL('2021-01-01T00:00:00Z','2021-12-31T23:59:59Z')"),
    ):
        apart, together = kept(layer, f"T_DISJOINT({name},{of})"), kept(layer, f"T_INTERSECTS({name},{of})")
        assert not apart & together
        assert apart | together == kept(layer, f"{name} IS NOT NULL")
        assert kept(layer, f"T_AFTER({name},{of})") | kept(layer, f"T_BEFORE({name},{of})") == apart
        assert kept(layer, f"T_EQUALS({name},{of})") <= together
    for layer, name in times:
        for (
            relation
        ) in "CONTAINS DURING FINISHEDBY FINISHES MEETS METBY OVERLAPPEDBY OVERLAPS STARTEDBY STARTS".split():
            kept(
                layer,
                f"T_{relation}(INTERVAL({name},{name}),INTERVAL('2021-01-01T00:00:00Z','2021-12-31T23:59:59Z'))",
            )


def test_predicates_combine(kept: Any) -> None:
    """/conf/basic-cql2/logical"""
    one, two = "height_m > 50", "S_INTERSECTS(geometry, BBOX(127,37,128,38))"
    three, four = "CASEI(name) LIKE CASEI('롯데%')", "levels IS NULL"
    for p1, p2, p3, p4 in itertools.permutations((one, two, three, four)):
        found = kept("buildings", f"((NOT {p1} AND {p2}) OR ({p3} and NOT {p4}) or not ({p1} AND {p4}))")
        a, b, c, d = (kept("buildings", part) for part in (p1, p2, p3, p4))
        whole = kept("buildings", "TRUE")
        assert (b - a) | (c - d) <= found <= whole


def test_json_says_the_same_as_text(kept: Any) -> None:
    """/conf/cql2-json"""
    text = "height_m > 50 AND S_INTERSECTS(geometry, BBOX(127,37,128,38))"
    box = {"op": "s_intersects", "args": [{"property": "geometry"}, {"bbox": [127, 37, 128, 38]}]}
    value = {"op": "and", "args": [{"op": ">", "args": [{"property": "height_m"}, 50]}, box]}
    same = kept("buildings", json.dumps(value), **{"filter-lang": "cql2-json"})
    assert same == kept("buildings", text) == {"relation/1"}


@pytest.mark.parametrize("path", sorted((EXAMPLES / "text").glob("*.txt")), ids=lambda path: path.stem)
def test_an_example_of_the_standard_is_answered_or_refused_by_name(get: Get, path: Path) -> None:
    """Most of their properties are not ours: 400 that names the filter, and says what is missing."""
    answer = get("/collections/buildings/items", filter=path.read_text(encoding="utf-8"))
    if answer.status_code != 200:
        assert (answer.status_code, answer.json()["parameter"]) == (400, "filter")
        assert "there is no" in answer.json()["detail"]
