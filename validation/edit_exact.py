"""An edit answered by its own lines and columns equals a full recomputation, cell for cell and point for point."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from twintown.kernels.crossings import Curtains, grab, lit_time, pulled
from twintown.kernels.shadows import Field, edit_counts, lit_counts
from validation.case import Measured, at, box, columns, curtains, solid, solstice, sun


def measure() -> Iterator[Measured]:
    """Random blocks; one of them rises, sinks and goes."""
    rng = np.random.default_rng(5)
    circle = solstice()
    steps = at(circle, 720.0 + (np.arange(69) - 34) * 7.0)
    boxes = [
        (x, y, x + rng.uniform(8, 30), y + rng.uniform(8, 30), float(rng.uniform(5, 60)))
        for x, y in rng.uniform(10, 370, (40, 2))
    ]
    heights = np.zeros((400, 420), np.float32)
    for x0, y0, x1, y1, h in boxes:
        part = heights[int(400 - y1) : int(400 - y0), int(x0) : int(x1)]
        np.maximum(part, np.float32(h), out=part)
    field = Field.of(heights, 1.0)
    before = lit_counts(field, steps)
    worst = 0
    for height in (0.0, 20.0, 150.0):
        new = heights.copy()
        new[150:185, 200:230] = height
        delta, (r, c, rows, cols) = edit_counts(
            field, 150, 200, np.ascontiguousarray(new[150:185, 200:230]), steps
        )
        after = before.astype(np.int64)
        after[r : r + rows, c : c + cols] += delta
        worst = max(worst, int(np.abs(after - lit_counts(Field.of(new, 1.0), steps)).max()))
    yield Measured(
        "shadows.edit_counts",
        "edit_exact",
        "lit steps of all cells against two full sweeps",
        float(worst),
        0.0,
        "steps",
    )
    whole = curtains([solid(box(*b[:4]), b[4]) for b in boxes])
    places = [((b[0] + b[2]) / 2, b[1] - 0.05, 0.0, -1.0) for b in boxes]
    c = columns(places, [list(np.arange(1.5, b[4], 3.0)) for b in boxes])
    held = grab(c, whole, sun(circle), 7, 2.0)
    apart = 0.0
    for factor in (0.0, 0.4, 1.0, 2.0):
        segments, disc = whole.segments.copy(), whole.disc.copy()
        segments[28:32, 4:7] *= factor
        disc[7, 3] *= factor
        total, run = lit_time(c, Curtains(segments, whole.first, disc, whole.owner), sun(circle))
        fast = pulled(c, held, sun(circle), factor / 2.0)
        if len(held.points):
            apart = max(
                apart,
                float(np.abs(fast[0] - total[held.points]).max()),
                float(np.abs(fast[1] - run[held.points]).max()),
            )
    yield Measured(
        "crossings.pulled", "edit_exact", "minutes of all points against a full answer", apart, 0.01, "min"
    )
