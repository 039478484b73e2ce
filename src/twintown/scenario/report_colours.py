"""Colours of values in a report: classes, a legend, and the picture of a grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Scale:
    """Colours of values: `edges` float[n + 1] rising, `colours` n of them (sRGB), the `unit` and the words of a legend.

    Values outside the edges and no-data are left clear; so is a class whose colour is "".
    """

    edges: tuple[float, ...]
    colours: tuple[str, ...]
    unit: str

    def legend(self) -> list[dict[str, str]]:
        """One entry a class that is drawn: colour and range."""

        def number(value: float) -> str:
            return f"{value:g}".replace("-", "−")

        pairs = zip(self.edges[:-1], self.edges[1:], self.colours, strict=True)
        return [{"colour": c, "label": f"{number(a)} – {number(b)}"} for a, b, c in pairs if c]


def legend_of(scale: Scale) -> dict[str, object]:
    """A legend as the pages take it: entries and unit."""
    return {"entries": scale.legend(), "unit": scale.unit}


def coloured(values: NDArray[np.float64], scale: Scale) -> Bytes:
    """u1[rows, cols, 4]: sRGB and opacity of values; NaN is clear."""
    colours = np.zeros((len(scale.colours) + 2, 4), np.uint8)
    for number, colour in enumerate(scale.colours, 1):
        if colour:
            colours[number] = (*bytes.fromhex(colour.removeprefix("#")), 255)
    edges = np.asarray(scale.edges)
    at = np.searchsorted(edges, values, side="right").astype(np.int64)
    at[values == edges[-1]] = len(scale.colours)
    at[np.isnan(values)] = 0
    found: Bytes = colours[at]
    return found
