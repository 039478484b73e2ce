"""Views: pages, counts and streams against asking every row; conditions of a Grant hold everywhere."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import geopandas as gpd
import numpy as np
import orjson
import pyarrow as pa
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twintown.ground.bounds import Bounds
from twintown.ground.errors import BadParameter, NotFound, Unauthenticated
from twintown.index import view as views
from twintown.index.rows import GEOMETRY, Rows
from twintown.index.view import Segment, View
from twintown.query.cql2 import parse_text
from twintown.query.query import Query
from twintown.trust.grades import Grade
from twintown.trust.identity import ANYONE
from twintown.trust.policy import Grant, Resource

from .conftest import FRAME, Open, X, Y, table, view_of

BOX = tuple[float, float, float, float]
#: Around the places of `table`, degrees.
WEST, SOUTH, EAST, NORTH = 127.0895, 37.5130, 127.1030, 37.5225


def ids(view: View, positions: np.ndarray) -> list[str]:
    return [str(i) for i in view.take(positions, ()).column(0).to_pylist()]


def pages(view: View, query: Query, limit: int) -> tuple[list[int], set[int | None]]:
    found: list[int] = []
    matched = set()
    after: int | None = 0
    while after is not None:
        page = view.page(query, limit, after)
        assert len(page.positions) <= limit
        found += page.positions.tolist()
        matched.add(page.matched)
        after = page.next
    return found, matched


@pytest.fixture
def view(open_rows: Open) -> View:
    return view_of(Segment(open_rows(table(500))))


def test_all_rows_come_in_pages_of_any_size(view: View) -> None:
    for limit in (1, 7, 499, 500, 501):
        found, matched = pages(view, Query(), limit)
        assert found == list(range(500)) and matched == {500}
    assert view.page(Query(), 10, after=9999).positions.tolist() == []


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.sampled_from([1, 9, 1000]))
def test_a_box_keeps_what_geos_keeps(view: View, a: float, b: float, c: float, d: float, limit: int) -> None:
    (x0, x1), (y0, y1) = sorted((a, b)), sorted((c, d))
    box: BOX = (
        WEST + x0 * (EAST - WEST),
        SOUTH + y0 * (NORTH - SOUTH),
        WEST + x1 * (EAST - WEST),
        SOUTH + y1 * (NORTH - SOUTH),
    )
    shapes = view.lonlat(np.arange(500))
    want = np.flatnonzero(shapely.intersects(shapely.box(*box), shapes)).tolist()
    found, matched = pages(view, Query(boxes=(box,)), limit)
    assert found == want
    assert matched == {len(want)}


def test_two_boxes_where_one_crosses_the_antimeridian_count_no_row_twice(open_rows: Open) -> None:
    view = view_of(Segment(open_rows(table(200))))
    everywhere = Query(boxes=((WEST, -90.0, 180.0, 90.0), (-180.0, -90.0, WEST - 1, 90.0)))
    overlapping = Query(boxes=((WEST, SOUTH, EAST, NORTH), (WEST, SOUTH, EAST - 0.001, NORTH)))
    drawn = int((~shapely.is_missing(view.lonlat(np.arange(200)))).sum())
    for query in (everywhere, overlapping):
        found, matched = pages(view, query, 30)
        assert len(found) == len(set(found)) == drawn
        assert matched == {drawn}
    assert (
        view.page(Query(boxes=((170.0, -90.0, 180.0, 90.0), (-180.0, -90.0, -170.0, 90.0))), 5).matched == 0
    )


def test_a_box_without_an_area_is_a_point_or_a_line(open_rows: Open) -> None:
    view = view_of(Segment(open_rows(table(60))))
    shapes = view.lonlat(np.arange(60))
    at = next(i for i, shape in enumerate(shapes) if shape is not None and shape.geom_type == "Point")
    x, y = shapes[at].x, shapes[at].y
    assert at in view.page(Query(boxes=((x, y, x, y),)), 60).positions
    area = next(i for i, shape in enumerate(shapes) if shape is not None and shape.geom_type == "Polygon")
    x, y = shapes[area].point_on_surface().coords[0]
    assert area in view.page(Query(boxes=((x, y, x, y),)), 60).positions
    assert area in view.page(Query(boxes=((x, y, x, y + 0.01),)), 60).positions


@pytest.mark.parametrize(
    "text",
    [
        "height_m > 100",
        "name LIKE '집%' AND levels < 4",
        "name IS NULL",
        "kept = true OR levels IN (1, 2)",
        f"S_INTERSECTS(geometry, BBOX({WEST}, {SOUTH}, 127.096, 37.518)) AND height_m < 200",
        f"S_INTERSECTS(geometry, BBOX({WEST}, {SOUTH}, 127.096, 37.518)) OR height_m < 20",
        "id = 'way/17'",
        "seen > TIMESTAMP('2026-01-10T00:00:00Z')",
    ],
)
def test_a_filter_keeps_the_same_rows_however_it_is_asked(
    view: View, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = parse_text(text)
    everything = view.take(np.arange(500), lonlat=True)
    from twintown.query.evaluate import mask

    want = np.flatnonzero(mask(where, everything, lambda: view.lonlat(np.arange(500)))).tolist()
    assert 0 < len(want) < 500
    found, matched = pages(view, Query(where=where), 13)
    assert (found, matched) == (want, {len(want)})
    assert [b.num_rows for b in view.batches(Query(where=where), size=1000)] == [len(want)]
    assert view.positions(Query(where=where)).tolist() == want
    monkeypatch.setattr(views, "FULL", 10)  # as for a layer that is too large to be looked through
    monkeypatch.setattr(views, "FEW", 10)
    found, matched = pages(view_of(*view._segments), Query(where=where), 13)
    assert found == want
    assert matched <= {None, len(want)}


def test_a_filter_and_a_box_hold_together(view: View) -> None:
    box: BOX = (WEST, SOUTH, 127.096, 37.518)
    both = view.positions(Query(boxes=(box,), where=parse_text("kept = true"))).tolist()
    one, two = view.positions(Query(boxes=(box,))), view.positions(Query(where=parse_text("kept = true")))
    assert both == np.intersect1d(one, two).tolist()
    assert both


def test_a_filter_on_what_is_not_there_is_named(view: View) -> None:
    with pytest.raises(BadParameter, match="no property 'roof'"):
        view.page(Query(where=parse_text("roof = 'flat'")), 5)


def test_times_meet_an_interval_with_both_its_ends(view: View) -> None:
    day = Query(during=(datetime(2025, 12, 31, 15, tzinfo=UTC), datetime(2026, 1, 1, 15, tzinfo=UTC)))
    assert view.page(day, 5).matched == 25
    assert view.page(Query(during=(None, datetime(2025, 12, 31, 15, tzinfo=UTC))), 5).matched == 1
    assert view.page(Query(during=(datetime(2026, 1, 1, tzinfo=UTC), None)), 5).matched == 500 - 9
    assert view_of(*view._segments, time=()).page(day, 5).matched == 500


def test_days_last_until_the_next_and_spans_are_met_anywhere(open_rows: Open) -> None:
    days = np.array(["2026-01-01", "2026-01-05", "2026-01-02", "2026-01-09"], "datetime64[D]").tolist()
    rows = table(3)[["id", "geometry"]].assign(start=[None, *days[:2]], end=[days[2], days[2], days[3]])
    view = view_of(Segment(open_rows(rows)), time=("start", "end"))
    asked = Query(during=(datetime(2026, 1, 2, 20, tzinfo=UTC), datetime(2026, 1, 4, tzinfo=UTC)))
    assert ids(view, view.positions(asked)) == ["way/1"]


def test_rows_by_id_and_one_that_is_not_there(view: View) -> None:
    some = view.positions(Query(ids=("way/3", "way/400", "nothing", "way/3")))
    assert sorted(ids(view, some)) == ["way/3", "way/400"]
    assert ids(view, np.array([view.position("way/42")])) == ["way/42"]
    with pytest.raises(NotFound, match="'nothing'"):
        view.position("nothing")


def test_chosen_columns_are_encoded_like_the_ready_ones(view: View) -> None:
    positions = np.array([3, 499, 0, 17])
    ready = [orjson.loads(one) for one in view.encoded(positions)]
    again = [orjson.loads(one) for one in view.encoded(positions, [c.name for c in view.columns])]
    assert ready == again
    few = [orjson.loads(one) for one in view.encoded(positions, ["kept"])]
    assert few == [{**one, "properties": {"kept": one["properties"]["kept"]}} for one in ready]
    with pytest.raises(BadParameter, match="'roof'"):
        view.encoded(positions, ["roof"])


def test_a_stream_gives_what_take_gives(view: View) -> None:
    stream = pa.Table.from_batches(view.batches(lonlat=True, size=64))
    assert stream.equals(pa.Table.from_batches([view.take(np.arange(500), lonlat=True)]))
    assert [batch.num_rows for batch in view.batches(size=64)] == [64] * 7 + [52]
    assert stream.schema.names == ["id", *(c.name for c in view.columns), "geometry", "lonlat"]


def test_what_a_grant_keeps_back_leaves_by_no_door(open_rows: Open) -> None:
    whole = view_of(Segment(open_rows(table(300))))
    view = view_of(*whole._segments, columns=("name", "kept"), filter="height_m < 50")
    heights = whole.take(np.arange(300)).column("height_m").to_pylist()
    names = ids(whole, np.arange(300))
    allowed = {i for i, h in zip(names, heights, strict=True) if h is not None and h < 50}
    assert view.count == len(allowed) == view.page(Query(), 5).matched
    assert [c.name for c in view.columns] == ["name", "kept"]
    assert set(ids(view, view.positions())) == allowed
    assert set(pa.Table.from_batches(view.batches()).column("id").to_pylist()) == allowed
    assert orjson.loads(view.encoded(view.page(Query(), 1).positions)[0])["properties"].keys() == {
        "name",
        "kept",
    }
    hidden = next(i for i in names if i not in allowed)
    with pytest.raises(NotFound):
        view.position(hidden)
    assert not len(view.positions(Query(ids=(hidden,))))
    with pytest.raises(BadParameter):  # whoever could ask would know
        view.page(Query(where=parse_text("height_m > 10")), 5)
    with pytest.raises(BadParameter):
        view.take(np.arange(1), ["height_m"])
    assert view.time == ()


def test_an_area_lets_out_what_meets_it_in_the_plane(open_rows: Open) -> None:
    rows = open_rows(table(300))
    area = Bounds(X + 200, Y + 300, X + 600, Y + 500)
    view = view_of(Segment(rows), area=area)
    frame = shapely.from_wkb(rows.take(np.arange(300), (GEOMETRY,)).column(0).to_numpy(zero_copy_only=False))
    want = np.flatnonzero(shapely.intersects(area.polygon(), frame)).tolist()
    assert want
    assert view.positions().tolist() == want
    assert view.count == len(want)
    assert pages(view, Query(boxes=((WEST, SOUTH, EAST, NORTH),)), 10) == (want, {len(want)})


def test_a_grade_that_the_grant_does_not_cover_gives_no_view(open_rows: Open) -> None:
    segment = Segment(open_rows(table(3)))
    with pytest.raises(Unauthenticated):
        View(layer="l", version="1", token="1", grade=Grade.S, frame=FRAME, columns=(), time=(), segments=(segment,),
             grant=Grant(ANYONE, "read", Resource("t"), True, "test"))  # fmt: skip


def _arrow(rows: gpd.GeoDataFrame) -> pa.Table:
    wkb = pa.array(shapely.to_wkb(np.asarray(rows.geometry.array)), pa.binary())
    return pa.table(
        {**{c: pa.array(rows[c], from_pandas=True) for c in rows.columns if c != "geometry"}, "geometry": wkb}
    )


def test_edited_rows_stand_after_the_others_and_replace_them(open_rows: Open) -> None:
    rows = open_rows(table(100))
    gone = np.sort([rows.position("way/3"), rows.position("way/14"), rows.position("way/50")])
    new = table(60, seed=9).iloc[[3, 50, 55]].assign(name="new")
    new.loc[55, "id"] = "own/1"
    edited = Rows.of_table(_arrow(new), FRAME, like=rows)
    view = view_of(Segment(rows, gone), Segment(edited))
    assert view.count == 100 - 3 + 3
    assert {"way/3", "way/50", "own/1"} < set(ids(view, view.positions()))
    assert "way/14" not in ids(view, view.positions())
    with pytest.raises(NotFound):
        view.position("way/14")
    at = view.position("way/3")
    assert at >= 100
    assert orjson.loads(view.encoded(np.array([0, at]))[1])["properties"]["name"] == "new"
    found, matched = pages(view, Query(), 9)
    assert len(found) == 100 and matched == {100} and not set(found) & set(gone.tolist())
    box: BOX = (WEST, SOUTH, 127.097, 37.519)
    shapes = view.lonlat(np.array(found))
    want = np.array(found)[shapely.intersects(shapely.box(*box), shapes)].tolist()
    assert pages(view, Query(boxes=(box,)), 4) == (want, {len(want)})
    assert pages(view, Query(where=parse_text("name = 'new'")), 2)[0] == [100, 101, 102]
    assert pa.Table.from_batches(view.batches()).num_rows == 100


def test_a_layer_without_rows_has_empty_pages(open_rows: Open) -> None:
    view = view_of(Segment(open_rows(table(0))))
    for query in (Query(), Query(boxes=((0.0, 0.0, 1.0, 1.0),)), Query(where=parse_text("kept = true"))):
        page = view.page(query, 10)
        assert (page.positions.tolist(), page.matched, page.next) == ([], 0, None)
    assert (view.count, view.geometry, view.bbox) == (0, "", None)
    assert list(view.batches()) == []


def test_places_of_a_view(view: View) -> None:
    assert view.geometry == "GeometryCollection"
    shapes: Any = view.lonlat(np.arange(500))
    assert view.bbox == pytest.approx(tuple(shapely.total_bounds(shapes)), abs=0)
