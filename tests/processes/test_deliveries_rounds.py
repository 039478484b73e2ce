"""The parts of a delivery plan one by one: time along a way, the cut of a way into rounds, and exact sharing."""

from __future__ import annotations

import numpy as np
import pytest
from validation import deliveries_transport

from twintown.processes.deliveries_fit import expand, options
from twintown.processes.deliveries_kept import within
from twintown.processes.deliveries_places import farthest_first, path, two_opt
from twintown.processes.deliveries_read import substitutes
from twintown.processes.deliveries_rounds import Way, cut, hilbert
from twintown.processes.deliveries_rows import words
from twintown.processes.deliveries_share import beside


def one(stay: float, opens: float, closes: float) -> Way:
    """A stop as a way of its own."""
    return Way(np.array([stay]), np.array([opens]), np.array([closes]), np.array([0.0]), np.array([True]))


def forward(starts: float, stops: list[tuple[float, float, float]], hops: list[float]) -> float | None:
    """When the last stop is left, driving on as soon as may be; none where one is missed."""
    clock = starts
    for (stay, opens, closes), hop in zip(stops, [0.0, *hops], strict=True):
        clock = max(clock + hop, opens)
        if clock > closes + 1e-9:
            return None
        clock += stay
    return clock


def test_time_carried_along_a_way_is_what_driving_it_minute_by_minute_gives() -> None:
    rng = np.random.default_rng(4)
    seen = {True: 0, False: 0}
    for _ in range(30):
        opens = rng.uniform(0, 6, 4)
        stops = [(float(rng.uniform(0, 0.5)), float(a), float(a + rng.uniform(0.2, 4))) for a in opens]
        hops = rng.uniform(0.1, 1.0, 3).tolist()
        way = one(*stops[0])
        for stop, hop in zip(stops[1:], hops, strict=True):
            way = way.then(one(*stop), np.array([hop * 50.0]), 50.0)
        starts = np.linspace(stops[0][1], stops[0][2], 1001)
        ends = [(s, e) for s in starts.tolist() if (e := forward(s, stops, hops)) is not None]
        good = bool(way.good[0])
        seen[good] += 1
        assert good == bool(ends)
        if good:
            assert min(e - s for s, e in ends) == pytest.approx(float(way.hours[0]), abs=5e-3)
            end = forward(float(way.early[0]), stops, hops)
            assert end is not None and end - float(way.early[0]) == pytest.approx(
                float(way.hours[0]), abs=1e-9
            )
            late = forward(float(way.late[0]), stops, hops)
            assert late is not None and late - float(way.late[0]) == pytest.approx(
                float(way.hours[0]), abs=1e-9
            )
    assert min(seen.values()) > 2


def test_a_way_is_cut_where_it_costs_least_for_the_vehicles_there_are() -> None:
    inf = np.inf
    costs = [[np.array([10.0, 10.0, 10.0]), np.array([12.0, 30.0])]]
    assert cut(3, costs, np.array([5])) == [(0, 2), (2, 1)]
    assert cut(3, [[np.array([10.0, inf, 10.0])]], np.array([5])) == [(0, 1), (2, 1)]
    assert cut(2, [[np.array([inf, inf])]], np.array([5])) == []


def test_a_kind_of_vehicle_that_is_short_is_spared() -> None:
    large = [np.full(6, 9.0), np.full(5, 10.0), np.full(4, 11.0)]
    small = [np.full(6, 10.0), np.full(5, 11.0)]
    found = cut(6, [large, small], np.array([1, 3]))
    assert sum(length for _, length in found) == 6
    assert sum(length > 2 for _, length in found) <= 1


def test_amounts_laid_beside_each_other_are_cut_exactly() -> None:
    rng = np.random.default_rng(1)
    a_key, b_key = np.sort(rng.integers(0, 5, 12)), np.sort(rng.integers(0, 5, 9))
    a, b = rng.integers(1, 50, 12), rng.integers(1, 50, 9)
    ia, ib, amount = beside(a_key, a, b_key, b)
    assert (amount > 0).all() and (a_key[ia] == b_key[ib]).all()
    assert (np.bincount(ia, amount, 12) <= a).all() and (np.bincount(ib, amount, 9) <= b).all()
    for key in range(5):
        assert amount[a_key[ia] == key].sum() == min(a[a_key == key].sum(), b[b_key == key].sum())


def test_a_limit_is_used_up_in_the_order_of_the_rows() -> None:
    key = np.array([1, 0, 1, 1])
    assert within(key, np.array([5.0, 3.0, 5.0, 5.0]), np.array([2.0, 8.0])).tolist() == [5.0, 2.0, 3.0, 0.0]


def test_a_path_keeps_its_ends_and_is_not_crossed() -> None:
    x, y = np.array([0.0, 3.0, 1.0, 2.0, 4.0]), np.zeros(5)
    assert path(x, y).tolist() == [0, 2, 3, 1, 4]
    rng = np.random.default_rng(2)
    x, y = rng.uniform(0, 1, 30), rng.uniform(0, 1, 30)
    far = np.hypot(x[:, None] - x, y[:, None] - y)
    order = two_opt(np.arange(30), far)
    assert sorted(order.tolist()) == list(range(30)) and (order[0], order[-1]) == (0, 29)
    assert far[order[:-1], order[1:]].sum() < 0.6 * far[np.arange(29), np.arange(1, 30)].sum()


def test_the_curve_goes_to_every_corner_once_and_by_neighbours() -> None:
    x, y = (a.ravel().astype(float) for a in np.meshgrid(np.arange(8), np.arange(8)))
    order = np.argsort(hilbert(x, y, 3))
    steps = np.abs(np.diff(x[order])) + np.abs(np.diff(y[order]))
    assert sorted(hilbert(x, y, 3).tolist()) == sorted(set(hilbert(x, y, 3).tolist()))
    assert steps.max() <= 1.0


def test_points_are_chosen_farthest_first() -> None:
    x, y = np.array([0.0, 1.0, 10.0, 11.0, 5.0]), np.zeros(5)
    assert farthest_first(x, y, np.array([1.0, 9.0, 1.0, 1.0, 1.0]), 3.0, 5).tolist() == [1, 3, 4]
    assert farthest_first(x, y, np.ones(5), 0.0, 2).tolist() == [0, 3]


def test_texts_of_codes_are_read_or_refused() -> None:
    assert words("soy; milk,soy") == ("milk", "soy")
    assert substitutes("barley:1.5,oats") == {"barley": 1.5, "oats": 1.0} and substitutes("") == {}
    assert substitutes("barley:much") is None and substitutes(":2") is None and substitutes("oats:0") is None
    assert options("rice", "rice:3,barley:2") == {"rice": 1.0, "barley": 2.0}


def test_a_textbook_table_is_solved_to_its_known_best() -> None:
    assert [one.what for one in deliveries_transport.measure() if not one.holds] == []


def test_stretches_are_laid_out_one_after_the_other() -> None:
    rows, owner = expand(np.array([4, 9, 2]), np.array([2, 0, 3]))
    assert rows.tolist() == [4, 5, 2, 3, 4] and owner.tolist() == [0, 0, 2, 2, 2]
