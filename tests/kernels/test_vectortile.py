"""Vector tiles against an independent decoder and GDAL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mapbox_vector_tile
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from twintown.kernels import outlines, vectortile

EXTENT = 4096


def _wkb(geometries: Any) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    written = [b"" if g is None else shapely.to_wkb(g, byte_order=1) for g in geometries]
    return np.concatenate([[0], np.cumsum([len(w) for w in written])]), np.frombuffer(
        b"".join(written), np.uint8
    )


def _shapes(*geometries: Any) -> outlines.Shapes:
    return outlines.unpack(*_wkb(geometries))


def _texts(key: str, values: list[str | None]) -> vectortile.Values:
    known = list(dict.fromkeys(v for v in values if v is not None))
    data = [v.encode() for v in known]
    codes = np.array([-1 if v is None else known.index(v) for v in values], np.int32)
    offsets = np.concatenate([[0], np.cumsum([len(d) for d in data])]).astype(np.int64)
    return vectortile.texts(key, codes, offsets, np.frombuffer(b"".join(data), np.uint8))


def _decode(data: bytes, name: str = "layer") -> list[dict[str, Any]]:
    tile = mapbox_vector_tile.decode(data, default_options={"y_coord_down": True, "geojson": True})
    return list(tile[name]["features"]) if tile else []


def _geometry(*geometries: Any, **how: Any) -> list[Any]:
    data = vectortile.layer("layer", vectortile.draw(_shapes(*geometries), EXTENT, **how), extent=EXTENT)
    return [shapely.geometry.shape(feature["geometry"]) for feature in _decode(data)]


def _rings(drawn: vectortile.Drawn, k: int) -> list[list[tuple[int, int]]]:
    """The rings of a geometry as its commands say them, before any library turns them."""
    integers, value, shift = [], 0, 0
    for byte in drawn.data[drawn.first[k] : drawn.first[k + 1]].tolist():
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            integers.append(value)
            value, shift = 0, 0
    rings: list[list[tuple[int, int]]] = []
    x = y = at = 0
    while at < len(integers):
        command, count = integers[at] & 7, integers[at] >> 3
        at += 1
        for _ in range(count if command != 7 else 0):
            if command == 1:
                rings.append([])
            x += (integers[at] >> 1) ^ -(integers[at] & 1)
            y += (integers[at + 1] >> 1) ^ -(integers[at + 1] & 1)
            rings[-1].append((x, y))
            at += 2
    return rings


def _area(ring: list[tuple[int, int]]) -> float:
    """By the surveyor's formula."""
    x, y = np.array(ring, float).T
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum() / 2)


POINT, LINE = shapely.Point(25, 17), shapely.LineString([(2, 2), (2, 10), (10, 10)])
RING = shapely.Polygon([(0, 0), (100, 0), (100, 100), (0, 100)], [[(10, 10), (40, 10), (40, 40), (10, 40)]])


@pytest.mark.parametrize(
    ("geometry", "commands"),
    [
        # the examples of the specification, 4.3.5
        (POINT, [9, 50, 34]),
        (shapely.MultiPoint([(5, 7), (3, 2)]), [17, 10, 14, 3, 9]),
        (LINE, [9, 4, 4, 18, 0, 16, 16, 0]),
        (
            shapely.MultiLineString([[(2, 2), (2, 10), (10, 10)], [(1, 1), (3, 5)]]),
            [9, 4, 4, 18, 0, 16, 16, 0, 9, 17, 17, 10, 4, 8],
        ),
        (shapely.Polygon([(3, 6), (8, 12), (20, 34)]), [9, 6, 12, 18, 10, 12, 24, 44, 15]),
    ],
)
def test_geometries_become_the_commands_that_the_specification_gives(
    geometry: Any, commands: list[int]
) -> None:
    drawn = vectortile.draw(_shapes(geometry))
    assert drawn.data.tolist() == commands  # each fits a byte


def test_every_kind_of_geometry_comes_back_whole() -> None:
    given = [
        POINT,
        LINE,
        RING,
        shapely.MultiPolygon([RING, shapely.box(200, 200, 300, 300)]),
        shapely.MultiPoint([(1, 1), (5, 5)]),
    ]
    for geometry, found in zip(given, _geometry(*given), strict=True):
        assert shapely.equals(geometry, found)


def test_nothing_and_empty_geometries_leave_no_feature() -> None:
    assert _geometry(None, shapely.Polygon(), shapely.Point(), POINT) == [POINT]
    assert vectortile.layer("layer", vectortile.draw(_shapes(None, shapely.MultiPolygon()))) == b""


def test_a_collection_keeps_its_parts_of_the_highest_dimension() -> None:
    (found,) = _geometry(shapely.GeometryCollection([POINT, LINE, RING]))
    assert shapely.equals(found, RING)


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x00\x00\x00\x01" + bytes(16),
        b"\x01\x09\x00\x00\x00" + bytes(8),
        b"\x01\x02\x00\x00\x00\xff\xff\x00\x00",
    ],
)
def test_other_bytes_than_little_endian_wkb_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="well-known binary"):
        outlines.unpack(np.array([0, len(data)]), np.frombuffer(data, np.uint8))


def test_outer_rings_are_positive_and_holes_negative_whichever_way_they_came() -> None:
    for geometry in (RING, shapely.reverse(RING), shapely.orient_polygons(RING)):
        outer, hole = _rings(vectortile.draw(_shapes(geometry)), 0)
        assert _area(outer) == 10_000
        assert _area(hole) == -900


def test_rings_that_fall_together_on_whole_units_are_dropped_with_their_holes() -> None:
    thin = shapely.Polygon([(0, 0), (50, 0.1), (100, 0), (50, 0.2)])
    small = shapely.Polygon([(0.1, 0.1), (0.4, 0.1), (0.4, 0.4)])
    assert _geometry(thin, small) == []


def test_straight_and_doubled_back_vertices_go_and_the_outline_stays() -> None:
    spiked = shapely.Polygon([(0, 0), (50, 0), (100, 0), (150, 0), (100, 0), (100, 100), (0, 100), (0, 50)])
    (found,) = _geometry(spiked)
    assert shapely.equals(found, shapely.box(0, 0, 100, 100))
    assert len(found.exterior.coords) == 5


def test_polygons_are_cut_at_the_margin() -> None:
    star = shapely.Polygon(
        [(-500, 2000), (2000, -700), (5000, 2000), (2000, 6000)], [[(1500, 1500), (2500, 1500), (2000, 2500)]]
    )
    (found,) = _geometry(star, margin=128)
    wanted = shapely.intersection(star, shapely.box(-128, -128, EXTENT + 128, EXTENT + 128))
    assert shapely.hausdorff_distance(found, wanted) < 1.5
    assert found.area == pytest.approx(wanted.area, rel=1e-3)


def test_lines_that_leave_and_return_become_several() -> None:
    line = shapely.LineString([(100, 100), (-500, 200), (100, 300), (9000, 300), (9000, 5000), (100, 4000)])
    (found,) = _geometry(line, margin=128)
    wanted = shapely.intersection(line, shapely.box(-128, -128, EXTENT + 128, EXTENT + 128))
    assert found.geom_type == "MultiLineString"
    assert shapely.hausdorff_distance(found, wanted) < 1.5


def test_what_lies_outside_is_left_out() -> None:
    far = shapely.box(5000, 5000, 6000, 6000)
    around = shapely.Polygon(
        shapely.box(-9000, -9000, 9000, 9000).exterior, [shapely.box(-5000, -5000, 6000, 6000).exterior]
    )
    assert (
        _geometry(
            far, around, shapely.Point(-500, 5), shapely.LineString([(-500, -500), (-200, 9000)]), margin=128
        )
        == []
    )


def test_simplified_lines_stay_within_the_tolerance_and_lose_vertices() -> None:
    x = np.linspace(0, 4000, 2000)
    wave = shapely.LineString(np.column_stack([x, 2000 + 300 * np.sin(x / 200) + np.sin(x)]))
    (found,) = _geometry(wave, margin=128, tolerance=4.0)
    assert shapely.hausdorff_distance(found, wave) < 4.0 + 1.0
    assert len(found.coords) < 200


def test_polygons_too_small_to_see_come_together_into_squares_of_their_area() -> None:
    rng = np.random.default_rng(1)
    at = rng.uniform(100, 4000, (4000, 2))
    houses = shapely.box(at[:, 0], at[:, 1], at[:, 0] + 3, at[:, 1] + 3)
    found = _geometry(*houses, margin=128, least=64.0)
    assert {one.area for one in found} == {64.0}
    assert sum(one.area for one in found) == pytest.approx(4000 * 9, abs=64)


def test_of_points_in_one_cell_the_first_is_drawn() -> None:
    points = [shapely.Point(10, 10), shapely.Point(11, 11), shapely.Point(300, 10)]
    assert _geometry(*points, margin=0, cell=16.0) == [points[0], points[2]]


def test_properties_keep_their_types_and_what_is_missing_does_not_travel() -> None:
    codes = np.arange(3, dtype=np.int32)
    told = (
        _texts("name", ["롯데월드타워", None, "house"]),
        vectortile.numbers("height_m", codes, np.array([555.7, -1.25, 1e300])),
        vectortile.integers("n", codes, np.array([-(2**62), 0, 2**62])),
        vectortile.booleans("open", np.array([1, 0, -1], np.int32)),
    )
    data = vectortile.layer("층", vectortile.draw(_shapes(POINT, LINE, RING)), told)
    first, second, third = (feature["properties"] for feature in _decode(data, "층"))
    assert first == {"name": "롯데월드타워", "height_m": 555.7, "n": -(2**62), "open": True}
    assert second == {"height_m": -1.25, "n": 0, "open": False}
    assert third == {"name": "house", "height_m": 1e300, "n": 2**62}


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=20))
@settings(max_examples=60, deadline=None)
def test_every_whole_number_comes_back(values: list[int]) -> None:
    n = len(values)
    told = vectortile.integers("v", np.arange(n, dtype=np.int32), np.array(values, np.int64))
    data = vectortile.layer("layer", vectortile.draw(_shapes(*[POINT] * n)), (told,))
    assert [feature["properties"]["v"] for feature in _decode(data)] == values


def test_rows_choose_features_and_only_their_values_travel() -> None:
    told = (_texts("id", ["first", "second", "third"]),)
    drawn = vectortile.draw(_shapes(POINT, LINE, RING))
    data = vectortile.layer("layer", drawn, told, rows=np.array([2, 0]), ids=np.array([7, 8, 9]))
    assert [(f["id"], f["properties"]["id"]) for f in _decode(data)] == [(9, "third"), (7, "first")]
    assert b"second" not in data


_coordinate = st.integers(-6000, 10_000)
_ring = st.lists(st.tuples(_coordinate, _coordinate), min_size=3, max_size=12)


@given(st.lists(_ring, min_size=1, max_size=5))
@settings(max_examples=150, deadline=None)
def test_any_polygon_is_cut_to_what_shapely_cuts(rings: list[list[tuple[int, int]]]) -> None:
    polygons = [p for p in (shapely.Polygon(r) for r in rings) if p.is_valid]
    window = shapely.box(-128, -128, EXTENT + 128, EXTENT + 128)
    drawn = vectortile.draw(_shapes(*polygons), EXTENT, margin=128)
    for k, polygon in enumerate(polygons):
        rings_seen = _rings(drawn, k)
        wanted = shapely.intersection(polygon, window)
        signed = sum(_area(ring) for ring in rings_seen)
        assert signed == pytest.approx(wanted.area, abs=wanted.length + 2)  # half a unit along the outline
        for ring in rings_seen:
            assert np.min(ring) >= -128 and np.max(ring) <= EXTENT + 128


@given(st.floats(-179, 179), st.floats(-84, 84), st.integers(0, 18))
@settings(max_examples=100, deadline=None)
def test_places_on_a_tile_are_those_of_web_mercator(lon: float, lat: float, zoom: int) -> None:
    import pyproj

    x, y = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:3857", always_xy=True).transform(lon, lat)
    half, n = 20037508.342789244, 2**zoom
    across, down = (x + half) / (2 * half) * n, (half - y) / (2 * half) * n
    column, row = int(across), int(down)
    placed = outlines.to_tile(_shapes(shapely.Point(lon, lat)), n, n, column, row, EXTENT)
    assert placed.xy[0] == pytest.approx([(across - column) * EXTENT, (down - row) * EXTENT], abs=0.02)


def test_gdal_reads_what_is_written(tmp_path: Path) -> None:
    import pyogrio

    told = (_texts("name", ["a", "b"]), vectortile.numbers("h", np.array([0, -1], np.int32), np.array([3.5])))
    tile = vectortile.layer(
        "areas", vectortile.draw(_shapes(RING, shapely.box(500, 500, 900, 900)), EXTENT), told
    )
    tile += vectortile.layer("lines", vectortile.draw(_shapes(LINE), EXTENT))
    (tmp_path / "0.mvt").write_bytes(tile)
    where = str(tmp_path / "0.mvt")
    assert {name for name, _ in pyogrio.list_layers(where)} == {"areas", "lines"}
    areas = pyogrio.read_dataframe(where, layer="areas")
    assert areas["name"].tolist() == ["a", "b"]
    assert areas.geometry.is_valid.all()
    assert areas.geometry.area.tolist() == pytest.approx([10_000 - 900, 160_000], rel=1e-6)
