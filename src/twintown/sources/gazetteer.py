"""Places for rows that have an address and no coordinates, from other rows that have both.

Korean road addresses number a road in steps of 10 m on alternating sides, so that a neighbour's number on the same road gives a place
within its difference × 10 m. Failing that, the middle of all addresses in the same legal neighbourhood. Either is an assumption,
and is marked as one with its error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_ROAD = re.compile(r"([가-힣0-9]+(?:로|길))\s*(?:지하\s*)?(\d+)")
_DONG = re.compile(r"\(([가-힣0-9]+동)")
#: A neighbour may be this many numbers away (× 10 m); an address itself is uncertain by this (m): an underground station is 200 m long.
REACH, SELF_M = 40, 150.0


@dataclass(frozen=True)
class Gazetteer:
    """Known addresses: road and number, legal neighbourhood, place (m)."""

    by_road: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]
    by_dong: dict[str, NDArray[np.float64]]

    @classmethod
    def of(cls, addresses: pd.Series[str], xy: NDArray[np.float64]) -> Gazetteer:
        """From addresses (text) and their places float64[n, 2]."""
        roads: dict[str, list[tuple[float, float, float]]] = {}
        dongs: dict[str, list[tuple[float, float]]] = {}
        for address, (x, y) in zip(addresses, xy.tolist(), strict=True):
            if match := _ROAD.search(address):
                roads.setdefault(match[1], []).append((float(match[2]), x, y))
            if match := _DONG.search(address):
                dongs.setdefault(match[1], []).append((x, y))
        tables = {road: np.array(sorted(rows)) for road, rows in roads.items()}
        return cls(
            {road: (table[:, 0], table[:, 1:]) for road, table in tables.items()},
            {dong: np.array(rows) for dong, rows in dongs.items()},
        )

    def find(self, address: str) -> tuple[float, float, float, str]:
        """x, y (m), error (m) and how: "address", "neighbourhood" or "" (NaN) for not at all."""
        if (match := _ROAD.search(address)) and match[1] in self.by_road:
            numbers, xy = self.by_road[match[1]]
            away = np.abs(numbers - float(match[2]))
            nearest = away == away.min()
            if away.min() <= REACH:
                x, y = np.median(xy[nearest], axis=0)
                return float(x), float(y), SELF_M + 10.0 * float(away.min()), "address"
        if (match := _DONG.search(address)) and match[1] in self.by_dong:
            xy = self.by_dong[match[1]]
            x, y = np.median(xy, axis=0)
            return float(x), float(y), max(200.0, float(np.hypot(*(xy - (x, y)).T).mean())), "neighbourhood"
        return np.nan, np.nan, np.nan, ""
