"""The packed tree against asking every row."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from twintown.kernels.boxes import NODE, count, levels, pack, search

NOWHERE = (np.inf, np.inf, -np.inf, -np.inf)
#: Few whole numbers, so that edges touch.
SMALL = st.integers(0, 12).map(float)


@st.composite
def rows(draw: st.DrawFn) -> np.ndarray:
    n = draw(st.sampled_from([0, 1, 2, 15, 16, 17, 40, 256, 257, 300]))
    corners = draw(arrays.arrays(np.float64, (n, 4), elements=SMALL))
    boxes = np.column_stack(
        [np.minimum(corners[:, :2], corners[:, 2:]), np.maximum(corners[:, :2], corners[:, 2:])]
    )
    boxes[draw(arrays.arrays(np.bool_, n)) & draw(arrays.arrays(np.bool_, n))] = NOWHERE
    return boxes


@st.composite
def questions(draw: st.DrawFn) -> np.ndarray:
    corners = draw(arrays.arrays(np.float64, (draw(st.integers(1, 3)), 4), elements=SMALL))
    return np.column_stack(
        [np.minimum(corners[:, :2], corners[:, 2:]), np.maximum(corners[:, :2], corners[:, 2:])]
    )


def tree(boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    starts = levels(len(boxes))
    whole = np.empty((int(starts[-1]), 4))
    whole[: len(boxes)] = boxes
    drawn = np.zeros(-(-len(boxes) // NODE) + 1, np.int64)
    pack(whole, starts, drawn)
    return whole, starts, drawn


def brute(boxes: np.ndarray, asked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    own = boxes[:, None, :]
    drawn = own[..., 0] <= own[..., 2]
    meets = drawn & (own[..., 0] <= asked[:, 2]) & (own[..., 2] >= asked[:, 0]) & (own[..., 1] <= asked[:, 3])
    meets &= own[..., 3] >= asked[:, 1]
    inside = (
        drawn & (own[..., 0] >= asked[:, 0]) & (own[..., 2] <= asked[:, 2]) & (own[..., 1] >= asked[:, 1])
    )
    inside &= own[..., 3] <= asked[:, 3]
    return meets.any(axis=1), inside.any(axis=1)


@pytest.mark.slow
@settings(deadline=None, max_examples=150)
@given(rows(), questions(), st.integers(-3, 320), st.sampled_from([1, 7, 1000]))
def test_search_gives_the_first_rows_that_asking_each_one_gives(
    boxes: np.ndarray, asked: np.ndarray, after: int, most: int
) -> None:
    whole, starts, _ = tree(boxes)
    found, inside = np.empty(most, np.int64), np.empty(most, np.bool_)
    n = search(whole, starts, asked, after, found, inside)
    meets, within = brute(boxes, asked)
    want = np.flatnonzero(meets)
    want = want[want >= after][:most]
    assert found[:n].tolist() == want.tolist()
    assert inside[:n].tolist() == within[want].tolist()


@pytest.mark.slow
@settings(deadline=None, max_examples=150)
@given(rows(), questions())
def test_count_tells_the_sure_from_the_rim(boxes: np.ndarray, asked: np.ndarray) -> None:
    whole, starts, drawn = tree(boxes)
    rim = np.empty(400, np.int64)
    sure, touching = count(whole, starts, drawn, asked, rim)
    meets, within = brute(boxes, asked)
    assert sure == within.sum()
    assert sorted(rim[:touching]) == np.flatnonzero(meets & ~within).tolist()


def test_a_rim_that_does_not_fit_is_still_counted() -> None:
    boxes = np.tile([0.0, 0.0, 2.0, 2.0], (50, 1))
    whole, starts, drawn = tree(boxes)
    rim = np.empty(4, np.int64)
    assert count(whole, starts, drawn, np.array([[1.0, 1.0, 3.0, 3.0]]), rim) == (0, 50)


@pytest.mark.parametrize(
    ("n", "want"),
    [
        (0, [0, 0]),
        (1, [0, 1]),
        (16, [0, 16, 17]),
        (17, [0, 17, 19, 20]),
        (4097, [0, 4097, 4354, 4371, 4373, 4374]),
    ],
)
def test_levels_shrink_by_sixteen_up_to_one(n: int, want: list[int]) -> None:
    assert levels(n).tolist() == want
