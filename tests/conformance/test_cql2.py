"""OGC 21-065r2, Common Query Language (CQL2) 1.0: one test or more for each conformance class that we state.

The rows stand for every kind of column that a layer has. What is expected was read from the rows by hand.
"""

from __future__ import annotations

import json
from contextlib import nullcontext
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import jsonschema_rs
import numpy as np
import pyarrow as pa
import pytest
from shapely import LineString, Point, box

from twintown.ground.errors import BadParameter
from twintown.query import cql2
from twintown.query.evaluate import mask

CONF = "http://www.opengis.net/spec/cql2/1.0/conf"
EXAMPLES = Path(__file__).parent / "cql2"
TEXTS = sorted((EXAMPLES / "text").glob("*.txt"))
JSONS = sorted((EXAMPLES / "json").glob("*.json"))

TYPES = {
    "name": "string", "latin": "string", "height": "number", "levels": "integer", "least": "integer", "open": "boolean",
    "built": "datetime", "begins": "datetime", "ends": "datetime", "lists": "string", "geometry": "geometry",
}  # fmt: skip


def at(hour: int) -> datetime:
    return datetime(2022, 4, 16, hour, tzinfo=UTC)


ROWS = pa.table(
    {
        "id": ["a", "b", "c", "d", "e"],
        "name": ["København", "Straße", "롯데월드타워", "100%_\\", None],
        "latin": ["Kobenhavn", "STRASSE", "롯데월드타워", "100%_\\", None],
        "height": [3.5, 10.0, 555.0, None, float("nan")],
        "levels": pa.array([1, 2, 123, 4, None], pa.int32()),
        "least": pa.array([1, 3, 100, None, 2], pa.int16()),
        "open": [True, False, True, None, False],
        "built": pa.array([date(2015, 1, 1), date(2017, 4, 3), date(2010, 2, 10), None, date(1851, 4, 29)]),
        "begins": pa.array([at(1), at(2), at(3), None, at(5)], pa.timestamp("us", "Asia/Seoul")),
        "ends": pa.array([at(2), at(4), at(4), at(9), None], pa.timestamp("ns", "UTC")),
        "lists": ['["a","b"]', '["a"]', "[]", "no list", None],
    }
)
PLACES = np.array(
    [Point(127, 37), box(127, 37, 128, 38), LineString([(126, 36), (129, 39)]), None, Point(130, 40)], object
)


def keeps(expression: Any) -> str:
    """The ids of the rows that an expression keeps, joined."""
    parsed = cql2.parse_text(expression) if isinstance(expression, str) else cql2.parse_json(expression)
    cql2.check(parsed, TYPES)
    return "".join(np.array(ROWS["id"].to_pylist())[mask(parsed, ROWS, lambda: PLACES)])


def cases(conformance: str, *rows: tuple[str, str]) -> Any:
    """One test a case, named by its conformance class."""
    assert f"{CONF}/{conformance}" in cql2.CONFORMANCE
    return pytest.mark.parametrize(
        ("text", "expected"), [pytest.param(*row, id=f"{conformance}: {row[0]}") for row in rows]
    )


def proven() -> set[str]:
    """The conformance classes that the tests of this file name."""
    here = Path(__file__).read_text(encoding="utf-8")
    return {uri for uri in cql2.CONFORMANCE if f'"{uri.removeprefix(CONF + "/")}"' in here}


def test_every_stated_class_is_proven_here() -> None:
    assert proven() == set(cql2.CONFORMANCE)


# -- encodings --------------------------------------------------------------------------------------------------------

ENCODINGS = ("cql2-text", "cql2-json")  # both read the examples of the standard


def _twin(text: Path) -> Path | None:
    found = EXAMPLES / "json" / f"{text.stem.removesuffix('-alt01')}.json"
    return found if found.exists() else None


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_every_text_example_of_the_standard_is_its_json_example(path: Path) -> None:
    found = cql2.parse_text(path.read_text(encoding="utf-8"))
    twin = _twin(path)
    if twin is not None:
        assert found == json.loads(twin.read_text(encoding="utf-8"))
    assert cql2.parse_json(json.dumps(found)) == found


@pytest.mark.parametrize("path", JSONS, ids=lambda path: path.stem)
def test_every_json_example_of_the_standard_comes_through_unchanged(path: Path) -> None:
    given = path.read_text(encoding="utf-8")
    assert cql2.parse_json(given) == json.loads(given)


def test_what_a_text_becomes_is_valid_cql2_json() -> None:
    """/req/cql2-json: the schema of the standard accepts it."""
    schema = json.loads((EXAMPLES / "cql2.json").read_text(encoding="utf-8"))
    validator = jsonschema_rs.validator_for(schema)
    for path in TEXTS:
        value = cql2.parse_text(path.read_text(encoding="utf-8"))
        assert validator.is_valid(value), path.name


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_a_second_reader_reads_every_text_as_we_do(path: Path) -> None:
    import cql2 as other

    assert other.parse_text(path.read_text(encoding="utf-8")).to_json() == cql2.parse_text(
        path.read_text(encoding="utf-8")
    )


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_no_example_ends_in_anything_but_an_answer_or_a_named_error(path: Path) -> None:
    expression = cql2.parse_text(path.read_text(encoding="utf-8"))
    known = cql2.properties(expression) <= {*TYPES, "id"}
    with (
        nullcontext()
        if known and "Foo" not in str(expression)
        else pytest.raises(BadParameter, match="there is no")
    ):
        cql2.check(expression, TYPES)
        mask(expression, ROWS, lambda: PLACES)


# -- classes of predicates ---------------------------------------------------------------------------------------------


@cases(
    "basic-cql2",
    ("name = 'Straße'", "b"), ("name <> 'Straße'", "acd"), ("name > 'Straße'", "c"), ("name >= 'Straße'", "bc"),
    ("name < 'Straße'", "ad"), ("name <= 'Straße'", "abd"), ("height = 10", "b"), ("height <> 10", "ac"), ("height > 3.5", "bc"),
    ("levels <= 2", "ab"), ("levels < 2.5", "ab"), ("open = true", "ac"), ("open <> TRUE", "be"), ("open < true", "be"),
    ("open >= true", "ac"), ("built = DATE('2015-01-01')", "a"), ("built > DATE('2012-01-01')", "ab"),
    ("begins >= TIMESTAMP('2022-04-16T02:00:00Z')", "bce"), ("begins = TIMESTAMP('2022-04-16T02:00:00Z')", "b"),
    ("begins = TIMESTAMP('2022-04-16T11:00:00+09:00')", "b"), ("begins < '2022-04-16T02:00:00Z'", "a"),
    ("name IS NULL", "e"), ("name is not null", "abcd"), ("height IS NULL", "de"), ("geometry IS NULL", "d"),
    ("geometry IS NOT NULL", "abce"), ("TRUE", "abcde"), ("false", ""), ("NOT height > 10", "ab"), ("not (height > 10)", "ab"),
    ("height > 3 AND levels > 1", "bc"), ("height > 100 OR open = true", "ac"), ("levels = 4 or height > 0 and open = false", "bd"),
    ("(levels = 4 or height > 0) and levels > 1 and NOT open = false", "c"), ("height > 3 OR levels > 3", "abcd"),
    ("NOT (height > 3 AND levels > 3)", "ab"), ("height = -3.5 OR height = 3.5e0", "a"), ("\"height\" > .5", "abc"),
)  # fmt: skip
def test_comparisons_logic_and_null_keep_the_rows_for_which_they_are_true(text: str, expected: str) -> None:
    assert keeps(text) == expected


@cases(
    "advanced-comparison-operators",
    ("name LIKE 'K_benhavn'", "a"), ("name LIKE '%'", "abcd"), ("name LIKE '%%'", "abcd"), ("name like ''", ""),
    ("name LIKE '_%'", "abcd"), ("name LIKE '롯데%'", "c"), ("name NOT LIKE 'K%'", "bcd"), ("name LIKE '100\\%\\_%'", "d"),
    ("name LIKE '%\\\\'", "d"), ("name LIKE 'k%'", ""), ("name LIKE 'S.*'", ""), ("levels BETWEEN 2 AND 4", "bd"),
    ("levels not between 2 and 4", "ac"), ("height BETWEEN 100.0 AND 1.0", ""), ("levels IN (1, 2.0, 7)", "ab"),
    ("levels NOT IN (1, 2)", "cd"), ("name IN ('Straße', 'x')", "b"), ("name not in ('Straße')", "acd"), ("open IN (true)", "ac"),
    ("built IN (DATE('2015-01-01'), DATE('2000-01-01'))", "a"), ("begins IN ('2022-04-16T02:00:00Z')", "b"),
    ("levels IN (least, 4)", "ad"), ("height IN (3.5)", "a"),
)  # fmt: skip
def test_like_between_and_in(text: str, expected: str) -> None:
    assert keeps(text) == expected


@cases(
    "case-insensitive-comparison",
    ("CASEI(latin) = CASEI('strasse')", "b"), ("CASEI(name) = CASEI('STRASSE')", "b"), ("CASEI(name) LIKE CASEI('KØB%')", "a"),
    ("CASEI(name) IN (CASEI('straße'), CASEI('Οδος'))", "b"), ("casei(name) = casei('롯데월드타워')", "c"),
    ("CASEI(name) <> CASEI(latin)", "a"),
)  # fmt: skip
def test_casei_folds_both_sides(text: str, expected: str) -> None:
    assert keeps(text) == expected


@cases(
    "accent-insensitive-comparison",
    ("ACCENTI('débárquér') = ACCENTI('debarquer')", "abcde"), ("ACCENTI(name) = ACCENTI('Ko\u0308\u0301benhavn')", ""),
    ("ACCENTI(latin) = ACCENTI('Kóbenhavn')", "a"), ("ACCENTI(CASEI(latin)) LIKE ACCENTI(CASEI('KÓB%'))", "a"),
    ("ACCENTI(name) = '롯데월드타워'", "c"),
)  # fmt: skip
def test_accenti_takes_marks_away_on_both_sides_and_leaves_hangul_whole(text: str, expected: str) -> None:
    assert keeps(text) == expected


@cases(
    "basic-spatial-functions",
    ("S_INTERSECTS(geometry, POINT(127.5 37.5))", "bc"), ("S_INTERSECTS(geometry, BBOX(126.5, 36.5, 127, 37))", "abc"),
    ("S_INTERSECTS(geometry, BBOX(129.5, 39.5, -170, 41))", "e"), ("s_intersects(geometry, BBOX(-180,-90,180,90))", "abce"),
    ("S_INTERSECTS(geometry, BBOX(126, 36, 0, 127, 37, 100))", "abc"), ("NOT S_INTERSECTS(geometry, POINT(130 40))", "abc"),
)  # fmt: skip
def test_rows_meet_points_and_boxes(text: str, expected: str) -> None:
    assert keeps(text) == expected


@cases(
    "basic-spatial-functions-plus",
    ("S_INTERSECTS(geometry, POLYGON((126 36, 127.2 36, 127.2 37.2, 126 37.2, 126 36)))", "abc"),
    ("S_INTERSECTS(geometry, LINESTRING(129.5 40, 131 40))", "e"), ("S_INTERSECTS(geometry, MULTIPOINT((130 40),(0 0)))", "e"),
    ("S_INTERSECTS(geometry, MULTIPOINT(130 40,0 0))", "e"), ("S_INTERSECTS(geometry, POINT Z(130 40 5))", "e"),
    ("S_INTERSECTS(geometry, MULTILINESTRING((129.5 40, 131 40),(0 0, 1 1)))", "e"),
    ("S_INTERSECTS(geometry, MULTIPOLYGON(((129 39.5, 131 39.5, 131 41, 129 41, 129 39.5))))", "e"),
    ("S_INTERSECTS(geometry, GEOMETRYCOLLECTION(POINT(130 40), LINESTRING(126.5 36, 126.5 37)))", "ce"),
    ("S_INTERSECTS(geometry, POLYGON((129 39, 131 41, 129 41, 131 39, 129 39)))", "ce"),
)  # fmt: skip
def test_rows_meet_geometries_of_every_type(text: str, expected: str) -> None:
    assert keeps(text) == expected


@cases(
    "spatial-functions",
    ("S_EQUALS(geometry, POINT(127 37))", "a"), ("S_EQUALS(geometry, POLYGON((128 37,128 38,127 38,127 37,128 37)))", "b"),
    ("S_DISJOINT(geometry, POINT(127.5 37.5))", "ae"), ("S_TOUCHES(geometry, POINT(127 37))", "b"),
    ("S_WITHIN(geometry, BBOX(126.9, 36.9, 128.1, 38.1))", "ab"), ("S_CONTAINS(geometry, POINT(127.5 37.4))", "b"),
    ("S_WITHIN(POINT(127.5 37.4), geometry)", "b"), ("S_CONTAINS(BBOX(126.9,36.9,128.1,38.1), geometry)", "ab"),
    ("S_CROSSES(geometry, POLYGON((127 37,128 37,128 38,127 38,127 37)))", "c"), ("S_CROSSES(LINESTRING(126 39,129 36), geometry)", "bc"),
    ("S_OVERLAPS(geometry, POLYGON((127.5 37.5,129 37.5,129 39,127.5 39,127.5 37.5)))", "b"), ("S_INTERSECTS(geometry, POINT(0 0))", ""),
    ("S_EQUALS(geometry, geometry)", "abce"), ("S_DISJOINT(geometry, POLYGON EMPTY)", "abce"),
)  # fmt: skip
def test_the_eight_spatial_relations(text: str, expected: str) -> None:
    assert keeps(text) == expected


def test_spatial_relations_refuse_what_is_not_on_earth() -> None:
    """Conformance test s_intersects: POINT(90 180) is evaluated without success."""
    with pytest.raises(BadParameter, match="latitude beyond 90"):
        keeps("S_INTERSECTS(geometry, POINT(90 180))")


_DAY = "'2022-04-16T{:02}:00:00Z'"
_SPAN = "INTERVAL(begins, ends), INTERVAL(" + _DAY + ", " + _DAY + ")"


@cases(
    "temporal-functions",
    ("T_AFTER(begins, TIMESTAMP('2022-04-16T02:00:00Z'))", "ce"), ("T_BEFORE(begins, TIMESTAMP('2022-04-16T02:00:00Z'))", "a"),
    ("T_DISJOINT(begins, TIMESTAMP('2022-04-16T02:00:00Z'))", "ace"), ("T_EQUALS(begins, TIMESTAMP('2022-04-16T02:00:00Z'))", "b"),
    ("T_INTERSECTS(begins, INTERVAL('2022-04-16T02:00:00Z', '..'))", "bce"), ("T_AFTER(built, INTERVAL('..','2010-02-10'))", "ab"),
    ("T_INTERSECTS(built, INTERVAL('2015-01-01','2016-01-01'))", "a"), ("T_EQUALS(built, DATE('1851-04-29'))", "e"),
    ("T_BEFORE(built, DATE('2015-01-01'))", "ce"), ("T_INTERSECTS(INTERVAL(begins, '..'), INTERVAL('..', '2022-04-16T01:30:00Z'))", "a"),
    (f"T_CONTAINS({_SPAN.format(3, 3)})", "b"), (f"T_DURING({_SPAN.format(1, 5)})", "bc"), (f"T_FINISHES({_SPAN.format(1, 4)})", "bc"),
    (f"T_FINISHEDBY({_SPAN.format(3, 4)})", "b"), (f"T_MEETS({_SPAN.format(2, 3)})", "a"), (f"T_METBY({_SPAN.format(1, 2)})", "b"),
    (f"T_OVERLAPS({_SPAN.format(3, 5)})", "b"), (f"T_OVERLAPPEDBY({_SPAN.format(1, 3)})", "b"), (f"T_STARTS({_SPAN.format(2, 5)})", "b"),
    (f"T_STARTEDBY({_SPAN.format(2, 3)})", "b"), (f"T_EQUALS({_SPAN.format(3, 4)})", "c"), (f"T_BEFORE({_SPAN.format(3, 4)})", "a"),
    (f"T_AFTER({_SPAN.format(0, 2)})", "c"), (f"T_DISJOINT({_SPAN.format(0, 1)})", "bc"), (f"T_INTERSECTS({_SPAN.format(2, 2)})", "ab"),
)  # fmt: skip
def test_the_fifteen_temporal_relations(text: str, expected: str) -> None:
    assert keeps(text) == expected


def test_relations_of_intervals_refuse_instants() -> None:
    """21-065r2, 7.8: using these functions with instants is a client error."""
    with pytest.raises(BadParameter, match="built is an instant"):
        keeps("T_DURING(built, INTERVAL('2015-01-01', '2016-01-01'))")


@cases(
    "array-functions",
    ("A_CONTAINS(lists, ('a'))", "ab"), ("A_CONTAINS(lists, ('b', 'a'))", "a"), ("A_EQUALS(lists, ('a', 'b'))", "a"),
    ("A_EQUALS(('b', 'a'), lists)", ""), ("A_CONTAINEDBY(lists, ('a', 'x'))", "bc"), ("A_OVERLAPS(lists, ('b', 1, TRUE))", "a"),
    ("A_EQUALS(lists, ())", "c"), ("A_CONTAINS((1, 2.0), (2))", "abcde"), ("A_OVERLAPS((TRUE), (1))", ""),
    ("A_OVERLAPS((DATE('2010-02-10')), (DATE('2010-02-10'), FALSE))", "abcde"), ("NOT A_CONTAINS(lists, ('a'))", "c"),
)  # fmt: skip
def test_the_four_array_relations(text: str, expected: str) -> None:
    assert keeps(text) == expected


@cases(
    "property-property",
    ("levels = least", "a"), ("levels > least", "c"), ("'Straße' = name", "b"), ("10 <= height", "bc"), ("name = latin", "cd"),
    ("begins < ends", "abc"), ("true = open", "ac"), ("1 = 1", "abcde"), ("'foo' <> 'foo'", ""), ("true >= true", "abcde"),
    ("DATE('2022-04-14') = DATE('2022-04-14')", "abcde"), ("levels BETWEEN least AND 200", "ac"),
    ("'København' LIKE 'K_benhavn'", "abcde"), ("S_INTERSECTS(POINT(130 40), geometry)", "e"),
    ("T_BEFORE(TIMESTAMP('2022-04-16T02:30:00Z'), begins)", "ce"), ("height = levels", ""),
)  # fmt: skip
def test_literals_and_properties_stand_on_either_side(text: str, expected: str) -> None:
    assert keeps(text) == expected


@cases(
    "arithmetic",
    ("height > levels + 1", "abc"), ("height = 2 * 5", "b"), ("height - 0.5 = 3", "a"), ("levels / 2 = 0.5", "a"),
    ("levels % 2 = 0", "bd"), ("levels div 2 = 61", "c"), ("2 ^ levels = 16", "d"), ("height / 0 > 0 OR height / 0 IS NULL", "abcde"),
    ("height < (levels - 1) * 5", "c"), ("-levels < -3", "cd"), ("levels = 2 * 2 ^ 1", "d"), ("levels = 10 - 5 - 1", "d"),
    ("levels = 123 - 21 div 10 + 2", "c"), ("levels between 1 + 1 and 2 * 2", "bd"), ("levels in (1 + 1, least)", "ab"),
    ("height = -(-3.5)", "a"),
)  # fmt: skip
def test_arithmetic_has_its_precedence_and_what_it_cannot_give_is_not_known(text: str, expected: str) -> None:
    assert keeps(text) == expected


def test_json_and_text_keep_the_same_rows() -> None:
    value = {"op": "and", "args": [{"op": "between", "args": [{"property": "levels"}, 1, 4]}, True]}
    assert keeps(value) == keeps("levels BETWEEN 1 AND 4 AND TRUE") == "abd"
