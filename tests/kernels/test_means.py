"""Means of cells over coarser cells, against sums written out."""

from __future__ import annotations

import numpy as np
import pytest

from twintown.kernels.means import means


def test_whole_cells_are_averaged_as_blocks() -> None:
    values = np.arange(48, dtype=np.uint16).reshape(1, 6, 8)
    found, area = means(values, np.ones(values.shape, bool), np.arange(0, 7, 3.0), np.arange(0, 9, 4.0))
    assert np.array_equal(found[0], values[0].reshape(2, 3, 2, 4).mean(axis=(1, 3)))
    assert (area == 12).all()


def test_cells_on_a_border_count_by_their_share() -> None:
    values = np.array([[[1.0, 2.0, 4.0]]])
    found, area = means(values, np.ones(values.shape, bool), np.array([0.0, 1.0]), np.array([0.0, 1.5, 3.0]))
    assert found[0, 0].tolist() == [(1 + 0.5 * 2) / 1.5, (0.5 * 2 + 4) / 1.5]
    assert area[0, 0].tolist() == [1.5, 1.5]


def test_what_is_not_known_has_no_weight() -> None:
    values = np.array([[[1.0, np.nan], [5.0, np.nan]]])
    found, area = means(values, np.isfinite(values), np.array([0.0, 2.0]), np.array([0.0, 1.0, 2.0]))
    assert (found[0, 0, 0], area[0, 0].tolist()) == (3.0, [2.0, 0.0])


def test_the_mean_of_everything_stays() -> None:
    values = np.random.default_rng(7).random((2, 37, 53))
    found, area = means(values, np.ones(values.shape, bool), np.linspace(0, 37, 6), np.linspace(0, 53, 8))
    assert area.sum() == pytest.approx(values.size)
    assert (found * area).sum() == pytest.approx(values.sum())
