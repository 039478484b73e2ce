"""The choice of places against every subset there is."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from twintown.processes.stands_choice import chosen, cliques
from validation.case import Measured


def brute(scores: np.ndarray, pairs: set[tuple[int, int]], most: int) -> float:
    """The greatest sum over all sets of at most `most` places without a pair in conflict."""
    best = 0.0
    for size in range(1, most + 1):
        for some in combinations(range(len(scores)), size):
            if not any(pair in pairs for pair in combinations(some, 2)):
                best = max(best, float(scores[list(some)].sum()))
    return best


def measure() -> Iterator[Measured]:
    """Forty seeded layouts of a dozen places."""
    rng = np.random.default_rng(6)
    worst, broken, uncovered = 0.0, 0, 0
    for _ in range(40):
        n, most = int(rng.integers(8, 13)), int(rng.integers(2, 5))
        xy, scores = rng.uniform(0, 30, (n, 2)), rng.uniform(20, 90, n)
        gap = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
        pairs = np.argwhere(np.triu(gap < 12.0, 1)).astype(np.int64)
        said = {(int(a), int(b)) for a, b in pairs}
        found = chosen(scores, pairs, most)
        worst = max(worst, abs(brute(scores, said, most) - found.total))
        rows = sorted(found.rows.tolist())
        broken += sum(pair in said for pair in combinations(rows, 2)) + max(0, len(rows) - most)
        covered = {pair for one in cliques(pairs, n) for pair in combinations(one.tolist(), 2)}
        uncovered += len(said ^ covered)
    yield Measured(
        "stands_choice.chosen",
        "stand_choice",
        "sum of scores against all subsets, 40 layouts",
        worst,
        1e-4,
        "1",
    )
    yield Measured(
        "stands_choice.chosen",
        "stand_choice",
        "conflicts and places too many in the choice",
        float(broken),
        0.0,
        "pairs",
    )
    yield Measured(
        "stands_choice.cliques",
        "stand_choice",
        "pairs that the sets leave out or add",
        float(uncovered),
        0.0,
        "pairs",
    )
