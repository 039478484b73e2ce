"""What the patterns of the OpenAPI document allow is understood, and what they forbid is refused."""

from __future__ import annotations

import re

import pytest

from twintown.api import patterns
from twintown.api.items_query import interval
from twintown.ground.crs import parse_bbox, parse_crs, supported
from twintown.ground.errors import BadParameter


def fits(said: dict[str, object], text: str) -> bool:
    return re.search(str(said["pattern"]), text) is not None


@pytest.mark.parametrize(
    "text",
    ["2026-01-01", "2024-02-29", "2000-02-29T00:00:00Z", "2026-01-01T23:59:60.123456789+09:00", "0001-01-01T00:00:00+23:59",
     "9999-12-31T23:59:59-23:59", "2026-01-01/..", "../2026-01-01", "/2026-01-01", "2026-01-01/", "2026-01-01/2026-01-02T00:00:00z"],
)  # fmt: skip
def test_a_time_that_the_document_allows_is_read(text: str) -> None:
    assert fits(patterns.DATETIME, text)
    assert interval(text)


@pytest.mark.parametrize(
    "text",
    ["", "2026", "2026-02-29", "1900-02-29", "0000-01-01", "2026-04-31", "2026-01-01T24:00:00Z", "2026-01-01T00:00:00",
     "2026-01-01T00:00:00+24:00", "../..", "/", "..", "2026-01-01/2026-01-02/2026-01-03", "2026-01-01T00:60:00Z"],
)  # fmt: skip
def test_a_time_that_the_document_forbids_is_refused(text: str) -> None:
    assert not fits(patterns.DATETIME, text)
    with pytest.raises(BadParameter):
        interval(text)


def test_a_field_that_is_empty_asks_for_nothing_and_a_moment_has_a_time_of_day() -> None:
    assert fits(patterns.DATETIME_FIELD, "")
    assert fits(patterns.MOMENT_FIELD, "")
    assert fits(patterns.BBOX_FIELD, "")
    assert not fits(patterns.MOMENT_FIELD, "2026-01-01")
    assert fits(patterns.MOMENT_FIELD, "2026-01-01T00:00:00Z/..")


@pytest.mark.parametrize(
    "text", ["-180,-90,180,90", "127.1,37.5,127.2,37.6", "127,37,0,128,38,100", "0,0.5,0,0.5"]
)
def test_a_box_that_the_document_allows_is_read(text: str) -> None:
    assert fits(patterns.BBOX_FIELD, text)
    assert fits(patterns.BBOX, text)
    assert parse_bbox(text)


@pytest.mark.parametrize(
    "text", ["1,2,3", "1,2,3,4,5", "181,0,182,1", "0,91,1,92", "a,b,c,d", "180.1,0,1,1", "1,2,3,4,"]
)
def test_a_box_that_the_document_forbids_is_refused(text: str) -> None:
    assert not fits(patterns.BBOX_FIELD, text)
    with pytest.raises(BadParameter):
        parse_bbox(text)


def test_each_crs_that_is_offered_may_be_asked_for_as_uri_and_as_curie_and_no_other() -> None:
    offered = supported("EPSG:5186")
    said = patterns.crs(one.code for one in offered)
    for one in offered:
        for text in (one.uri, one.curie):
            assert re.search(said, text)
            assert fits(patterns.CRS, text)
            assert parse_crs(text, offered) is one
    other = "http://www.opengis.net/def/crs/EPSG/0/25833"
    assert fits(patterns.CRS, other)
    assert not re.search(said, other)
