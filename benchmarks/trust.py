"""The numbers of the handshake: a Grant, a filtered page, catalogue to first byte, the ledger. `make bench-trust`.

One row a figure: what, value, unit, target, ok or short. What cannot be measured is said so and counts as short. Results also go to
`build/bench-trust.json`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib import import_module

from table import Row, keep, show

#: Each file measures a part, by its function `rows`.
PARTS = ("trust_policy", "trust_handshake", "trust_ledger")


def main() -> int:
    """All rows; exit status 1 where one is short."""
    rows: list[Row] = []
    for part in PARTS:
        found: Iterable[Row] = import_module(part).rows()
        for row in found:
            show([row])
            rows.append(row)
    return keep(rows, "trust")


if __name__ == "__main__":
    sys.exit(main())
