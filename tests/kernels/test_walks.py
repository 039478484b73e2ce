"""Flows on trees, against a tree that a pencil can do."""

from __future__ import annotations

import numpy as np
import pytest

from twintown.kernels.walks import tree_flows

pytestmark = pytest.mark.slow  # it is compiled first


def test_a_node_gets_what_ends_there_and_beyond() -> None:
    # 0 – 1 – 2 and 1 – 3; node 4 is not reached
    before = np.array([[-9999, 0, 1, 1, -9999]], np.int32)
    distance = np.array([[0.0, 5.0, 9.0, 7.0, np.inf]])
    flow = tree_flows(before, distance, np.array([[0.0, 1.0, 2.0, 4.0, 0.0]]))
    assert flow.tolist() == [[7.0, 7.0, 2.0, 4.0, 0.0]]


def test_each_tree_is_for_itself_and_what_came_in_stays_as_it_was() -> None:
    before = np.array([[-1, 0, 1], [1, -1, 1]], np.int32)
    distance = np.array([[0.0, 1.0, 2.0], [1.0, 0.0, 1.0]])
    ending = np.ones((2, 3))
    assert tree_flows(before, distance, ending).tolist() == [[3.0, 2.0, 1.0], [1.0, 3.0, 1.0]]
    assert (ending == 1.0).all()
