# ruff: noqa: E501 - rows of a table read better on one line each
"""What is no CQL2 is refused with the character where it stops being it; what is too much is refused before it hurts."""

from __future__ import annotations

import json
from typing import Any

import cql2 as other
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twintown.ground.errors import BadParameter
from twintown.query import cql2

BROKEN = [
    ("", "empty"), ("   ", "empty"), ("a = ", "character 5: the text ends"), ("(a = 1", "character 7: the text ends"),
    ("a = 1)", "character 6"), ("a = 'x", "character 5: what begins with ' does not end"), ("a != 1", "write <> for not equal"),
    ("a == 1", "character 4"), ("DROP TABLE x", "character 6: 'TABLE' stands where AND, OR or the end"), ("a = 1;", "character 6"),
    ("a < 1 < 2", "join them with AND"), ("2 ^ 3 ^ 2 = a", "brackets"), ("a NOT 5", "LIKE, BETWEEN or IN after NOT"),
    ("and = 1", 'written "and"'), ("a IS 5", "NULL after IS"), ("a BETWEEN 1 OR 2", "AND between the two ends"), ("a IN 5", r"\( after IN"),
    ("S_INTERSECTS(geometry, POINT(1))", "second coordinate"), ("S_INTERSECTS(geometry, POINT(nan 1))", "a number"),
    ("S_INTERSECTS(geometry, POLYGON((0 0, 1 1)))", "Polygon cannot be read"), ("S_INTERSECTS(geometry, BBOX(1,2,3))", "3 numbers"),
    ("S_INTERSECTS(geometry, BBOX(0,5,1,4))", "south"), ("S_INTERSECTS(geometry, POINT(190 1))", "longitude beyond 180"),
    ("a = DATE('2012-13-45')", "is no date"), ("a = TIMESTAMP('2012-01-01')", "is no timestamp"), ("a = DATE(5)", "text in quotes"),
    ("INTERVAL('2012-01-01') = a", "two ends"), ("T_AFTER(a, INTERVAL('2013-01-01', '2012-01-01'))", "before it begins"),
    ("T_AFTER(a, INTERVAL(5, '..'))", "5 is no date or timestamp"), ("a = 1e999", "more than a number can be"), ("a = NULL", "IS NULL"),
    ("5", "no condition"), ("a", "no condition"), ("'x'", "no condition"), ("S_INTERSECTS(geometry)", "2 operands, not 1"),
    ("CASEI(a, b) = 'x'", "1 operand, not 2"), ("a = 'x' || 'y'", "has no meaning"), ("a = 1 -- b", "more than|no condition|character"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "says"), [*BROKEN[:-1]], ids=lambda value: value[:40])
def test_a_broken_text_is_refused_with_its_place(text: str, says: str) -> None:
    with pytest.raises(BadParameter, match=says) as error:
        cql2.parse_text(text)
    assert error.value.name == "filter"


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (b"{", "no JSON"), (b"[1]", "no condition"), (b"5", "no condition"), (b'{"op": 5, "args": []}', "op is a text"),
        (b'{"op": "and", "args": [true]}', "two conditions or more"), (b'{"op": "=", "args": [1]}', "2 operands"),
        (b'{"op": "=", "args": [{"property": 5}, 1]}', "name of a property"), (b'{"op": "=", "args": [{"x": 5}, 1]}', "an object with 'x'"),
        (b'{"op": "=", "args": [null, 1]}', "null is no value"), (b'{"op": "in", "args": [1, 2]}', "list of values"),
        (b'{"op": "t_after", "args": [{"interval": [1]}, 2]}', "two ends"), (b'{"op": "s_within", "args": [{"bbox": ["a"]}, 2]}', "bbox is a list"),
        (b'{"op": "s_within", "args": [{"type": "Point", "coordinates": "x"}, 2]}', "cannot be read"),
        (b'{"op": "s_within", "args": [{"type": "Point", "coordinates": [1, "x"]}, 2]}', "cannot be read"),
        (b'{"op": "s_within", "args": [{"type": "Polygon", "coordinates": [[[0,0],[1,1],[1,0],[2,2]]]}, 2]}', "cannot be read"),
    ],
    ids=lambda value: str(value)[:50],
)  # fmt: skip
def test_broken_json_is_refused_by_name(value: bytes, says: str) -> None:
    with pytest.raises(BadParameter, match=says) as error:
        cql2.parse_json(value)
    assert error.value.name == "filter"


@pytest.mark.parametrize(
    "text",
    [
        "(" * 4000 + "a = 1" + ")" * 4000, "NOT " * 1500 + "a = 1", "CASEI(" * 1200 + "a" + ")" * 1200 + " = 'x'", "+".join("a" * 3000) + " = 1",
        "(" * 39 + "+".join("a" * 30) + " = 1" + ")" * 39 + " AND " + "-" * 5000 + "1 = 1", "a = '" + "x" * 9000 + "'", "{" * 8000,
        "A_EQUALS(x, " + "(" * 2000 + "1" + ")" * 2000 + ")",
    ],
    ids=lambda text: text[:12],
)  # fmt: skip
def test_too_much_text_is_refused_and_nothing_else_happens(text: str) -> None:
    with pytest.raises(BadParameter):
        cql2.parse_text(text)


def test_too_much_json_is_refused_and_nothing_else_happens() -> None:
    deep = '{"op":"not","args":[' * 500 + "true" + "]}" * 500
    wide = {"op": "or", "args": [{"op": "=", "args": [1, 1]}] * 3000}
    ring = [[i / 1000, (i % 2) / 10] for i in range(20_000)]
    long = {
        "op": "s_intersects",
        "args": [
            {"property": "geometry"},
            {"type": "LineString", "coordinates": [[x / 1000, y] for x, y in ring]},
        ],
    }
    for value in (deep, wide, long, "x" * 300_000, "[" * 100_000):
        with pytest.raises(BadParameter):
            cql2.parse_json(json.dumps(value) if not isinstance(value, str) else value)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("a = 'it''s'", "a = 'it\\'s'"), ("a<>1", "a < > 1"), ("a >= 1", "a > = 1"), ('"a" = 1', "a = 1"), ("a = 0.5", "a = .5"),
        ("a = 1 AND b = 2", "a=1\nand\tb=2"), ("a NOT IN (1)", "NOT a IN (1)"), ("a IS NOT NULL", "NOT (a IS NULL)"), ("a = -1", "a = - 1"),
        ("(a = 1) AND (b = 2) AND (c = 3)", "a = 1 AND b = 2 AND c = 3"), ("a+b*c^2 > d", "(a + (b * (c ^ 2))) > d"),
        ("a - b - c = 0", "((a - b) - c) = 0"), ("NOT a = 1 AND b = 2", "(NOT (a = 1)) AND (b = 2)"), ("a=1 OR b=2 AND c=3", "(a=1) OR ((b=2) AND (c=3))"),
        ("t = TIMESTAMP('2020-01-01T09:00:00+09:00')", "t = TIMESTAMP('2020-01-01T00:00:00.000Z')"),
    ],
)  # fmt: skip
def test_two_ways_to_write_the_same(text: str, same: str) -> None:
    assert cql2.parse_text(text) == cql2.parse_text(same)


@pytest.mark.parametrize(
    "name",
    [
        "높이",
        "eo:cloud_cover",
        "_hidden",
        "a.b",
        "gebäude_höhe",
        "date",
        "point",
        "bbox",
        "Order",
        "notes",
        "inside",
        "div1",
    ],
)
def test_names_of_properties_may_be_korean_or_look_like_words_of_the_language(name: str) -> None:
    assert cql2.properties(cql2.parse_text(f"{name} = 1")) == {name}


@pytest.mark.parametrize("name", ["a name", "and", 'say "so"', "층수(지상)", "1st"])
def test_any_name_can_stand_in_double_quotes(name: str) -> None:
    quoted = name.replace('"', '""')
    assert cql2.properties(cql2.parse_text(f'"{quoted}" = 1')) == {name}


def test_whole_numbers_stay_whole() -> None:
    assert cql2.parse_text("a = 9007199254740993")["args"][1] == 9007199254740993
    assert isinstance(cql2.parse_text("a = 10")["args"][1], int)


_LEAVES = st.sampled_from(
    ["a = 1", "b <> 'x'", "c LIKE 'y%'", "d IS NULL", "e BETWEEN 1 AND 2", "f IN (1,2)", "S_INTERSECTS(geometry, POINT(1 2))",
     "T_AFTER(t, DATE('2020-01-01'))", "a + 1 > b * 2 - c", "CASEI(n) = CASEI('X')", "g NOT IN ('a')", "TRUE = FALSE"]
)  # fmt: skip
_TREES = st.recursive(
    _LEAVES,
    lambda part: st.one_of(
        st.tuples(part, st.sampled_from([" AND ", " OR "]), part).map("".join),
        part.map("({})".format),
        part.map("NOT ({})".format),
    ),
    max_leaves=8,
)


@pytest.mark.slow
@settings(max_examples=150, deadline=None, database=None)
@given(_TREES)
def test_a_second_reader_reads_every_tree_as_we_do(text: str) -> None:
    assert _flat(other.parse_text(text).to_json()) == _flat(cql2.parse_text(text))


def _flat(tree: Any) -> Any:
    """AND in AND and OR in OR as one, as the second reader has them: brackets there change nothing."""
    if not isinstance(tree, dict) or "op" not in tree:
        return tree
    parts = [_flat(one) for one in tree["args"]]
    if tree["op"] in ("and", "or"):
        same = [
            one["args"] if isinstance(one, dict) and one.get("op") == tree["op"] else [one] for one in parts
        ]
        parts = [one for some in same for one in some]
    return {"op": tree["op"], "args": parts}


@settings(max_examples=300, deadline=None, database=None)
@given(st.text(max_size=60) | st.text(alphabet="ab=<>()'\",.1 -+*ANDOT", max_size=60))
def test_any_text_is_an_expression_or_a_named_error(text: str) -> None:
    try:
        expression = cql2.parse_text(text)
    except BadParameter:
        return
    assert "op" in expression
