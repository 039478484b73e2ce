"""Which lot may meet which need: product or a substitute of it, grade, allergens, price; and on which days.

Needs that ask for the same (product, price limit, grade, allergens, substitutes) are one *spec*; a spec on one day is a *wish*. So the
table of what fits is small however many kitchens there are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .deliveries_read import Lots, Needs, substitutes
from .deliveries_rows import Floats, Ints, numbered, words


@dataclass(frozen=True)
class Specs:
    """What is asked for, each combination once.

    Args:
        of: of each need, its spec.
        product, krw_max, grade, allergens_not, substitutes: of each spec; `krw_max` of the least of its needs.
        spec, lot, ratio: the pairs that fit: kg of the lot for one kg of the need.
    """

    of: Ints
    product: list[str]
    krw_max: list[float]
    grade: list[int]
    allergens_not: list[str]
    substitutes: list[str]
    spec: Ints
    lot: Ints
    ratio: Floats

    def __len__(self) -> int:
        return len(self.product)


def free_of(lot_allergens: str, not_wanted: str) -> bool:
    """Whether a lot holds none of the allergens that are not wanted."""
    return not set(words(lot_allergens)) & set(words(not_wanted))


def specs_of(needs: Needs, lots: Lots) -> Specs:
    """The specs of the needs, and the lots that fit each; lots that failed or were recalled fit none."""
    steps = np.unique(lots.krw_kg)
    rank = np.searchsorted(steps, needs.krw_max, side="right")
    frame = pd.DataFrame(
        {"p": needs.product, "r": rank, "g": needs.grade, "a": needs.allergens_not, "s": needs.substitutes}
    )
    of = numbered(frame)
    count = int(of.max()) + 1 if len(of) else 0
    first = np.full(count, len(of), np.int64)
    np.minimum.at(first, of, np.arange(len(of)))
    least = np.full(count, np.inf)
    np.minimum.at(least, of, needs.krw_max)
    by_product = {
        p: np.flatnonzero((lots.product == p) & lots.usable & (lots.kg > 0)) for p in set(lots.product)
    }
    none = np.zeros(0, np.int64)
    clean: dict[str, np.ndarray] = {}
    pairs: list[tuple[Ints, Ints, Floats]] = []
    for one in range(count):
        row = first[one]
        unwanted = str(needs.allergens_not[row])
        if unwanted not in clean:
            told = {text: free_of(text, unwanted) for text in set(lots.allergens.tolist())}
            clean[unwanted] = np.array([told[text] for text in lots.allergens], bool)
        for product, ratio in options(needs.product[row], needs.substitutes[row]).items():
            mine = by_product.get(product, none)
            good = (
                (lots.grade[mine] >= needs.grade[row])
                & (lots.krw_kg[mine] <= least[one])
                & clean[unwanted][mine]
            )
            fits = mine[good]
            pairs.append((np.full(len(fits), one, np.int64), fits, np.full(len(fits), ratio)))
    spec, lot, ratios = (
        (np.concatenate(parts) for parts in zip(*pairs, strict=True)) if pairs else (none, none, np.zeros(0))
    )
    return Specs(
        of, [str(needs.product[r]) for r in first], [float(v) for v in least], [int(needs.grade[r]) for r in first],
        [str(needs.allergens_not[r]) for r in first], [str(needs.substitutes[r]) for r in first], spec, lot, ratios,
    )  # fmt: skip


def options(product: str, text: str) -> dict[str, float]:
    """The product itself and what may stand in for it, with kg for one kg."""
    return {**(substitutes(text) or {}), product: 1.0}


def expand(first: Ints, count: Ints) -> tuple[Ints, Ints]:
    """Row numbers `first[i] … first[i] + count[i] - 1` of all i, one after the other, and the i of each."""
    owner = np.repeat(np.arange(len(count)), count)
    start = np.cumsum(count) - count
    return np.repeat(first - start, count) + np.arange(int(count.sum())), owner


def alive(spec: Ints, day: Ints, specs: Specs, lots: Lots) -> tuple[Ints, Ints, Floats]:
    """Of each wish (spec and day), the lots that fit and may be handed over then: wish, lot, ratio."""
    edge = np.searchsorted(specs.spec, np.arange(len(specs) + 1))
    rows, wish = expand(edge[spec], edge[spec + 1] - edge[spec])
    lot = specs.lot[rows]
    there = (lots.first[lot] <= day[wish]) & (lots.last[lot] >= day[wish])
    return wish[there], lot[there], specs.ratio[rows[there]]
