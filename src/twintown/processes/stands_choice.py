"""Which places are chosen: the greatest sum of scores without two that conflict, as an integer programme proven by HiGHS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from twintown.ground.errors import BadInput

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
#: The choice is proven to this share of the best sum.
GAP = 1e-6


@dataclass(frozen=True)
class Choice:
    """The rows that are chosen, the best first, int64[k]; the sum of their scores, and the bound that none exceeds."""

    rows: Ints
    total: float
    bound: float


def conflicts(served: NDArray[Any], cleared: NDArray[Any], spacing_m: float) -> Ints:
    """Pairs of places that cannot both be taken, int64[k, 2].

    Args:
        served: polygons[n], each stand with the queue before it.
        cleared: with what must stay clear before the queue.
        spacing_m: between two stands with their queues.
    """
    pairs = shapely.STRtree(served).query(served, predicate="dwithin", distance=spacing_m)
    fronts = shapely.STRtree(served).query(cleared, predicate="intersects")
    both = np.concatenate([pairs, fronts, fronts[::-1]], axis=1).T
    both = both[both[:, 0] < both[:, 1]]
    return np.unique(both, axis=0).astype(np.int64).reshape(-1, 2)


def cliques(pairs: Ints, count: int) -> list[Ints]:
    """Sets of places of which one at most can be taken, which cover all pairs; found greedily.

    One row of a set of k says what k·(k − 1)/2 pairs say, and says it more sharply.
    """
    near: list[set[int]] = [set() for _ in range(count)]
    for a, b in pairs.tolist():
        near[a].add(b)
        near[b].add(a)
    left = {(a, b) for a, b in pairs.tolist()}
    found = []
    for a, b in pairs.tolist():
        if (a, b) not in left:
            continue
        members, shared = [a, b], near[a] & near[b]
        while shared:
            c = min(shared, key=lambda one: (-len(near[one] & shared), one))
            members.append(c)
            shared = shared & near[c]
        members.sort()
        left -= {(p, q) for k, p in enumerate(members) for q in members[k + 1 :]}
        found.append(np.array(members, np.int64))
    return found


def chosen(scores: Floats, pairs: Ints, most: int, seconds: float = 20.0) -> Choice:
    """At most `most` places with the greatest sum of scores float64[n], no two of them a pair of `pairs` int64[k, 2].

    Raises:
        BadInput: no answer within the time.
    """
    n = len(scores)
    if not n or most <= 0:
        return Choice(np.zeros(0, np.int64), 0.0, 0.0)
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array

    sets = [np.arange(n), *cliques(pairs, n)]
    first = np.concatenate([[0], np.cumsum([len(one) for one in sets])])
    matrix = csr_array((np.ones(first[-1]), np.concatenate(sets), first), shape=(len(sets), n))
    limit = np.ones(len(sets))
    limit[0] = most
    found = milp(
        -scores, integrality=np.ones(n), bounds=Bounds(0, 1), constraints=LinearConstraint(matrix, -np.inf, limit),
        options={"mip_rel_gap": GAP, "time_limit": seconds},
    )  # fmt: skip
    if found.x is None:
        raise BadInput(
            f"no choice of {most} among {n} places was found in {seconds:g} s", "process stands",
            "make the lattice coarser or the circle smaller",
        )  # fmt: skip
    rows = np.flatnonzero(found.x > 0.5)
    rows = rows[np.argsort(-scores[rows], kind="stable")]
    return Choice(rows.astype(np.int64), float(scores[rows].sum()), float(-found.mip_dual_bound))
