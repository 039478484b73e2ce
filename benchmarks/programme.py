"""The numbers of the stand and the stage: plan, prices, certificates, places. `make bench-programme`.

One row a figure: what, value, unit, target, ok or short. What cannot be measured is said so and counts as short. Results also go to
`build/bench-programme.json`. `python benchmarks/programme.py programme_plan` measures one part.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib import import_module

from table import Row, keep, show

#: Each file measures a part, by its function `rows`.
PARTS = ("programme_plan", "programme_prices", "programme_proof", "programme_place")


def main(parts: list[str]) -> int:
    """The rows of these parts (of all where none is named); exit status 1 where one is short."""
    rows: list[Row] = []
    for part in parts or PARTS:
        found: Iterable[Row] = import_module(part).rows()
        for row in found:
            show([row])
            rows.append(row)
    return keep(rows, "programme")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
