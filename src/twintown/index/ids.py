"""A segment's rows by id: arrays that lie in memory or are mapped from a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from twintown.index.tree import Positions


@dataclass(frozen=True)
class Ids:
    """Rows by the 64-bit mark of their id, sorted by it; who looks up compares the ids themselves."""

    marks: NDArray[np.uint64]
    rows: Positions

    @classmethod
    def of(cls, marks: NDArray[np.uint64]) -> Ids:
        """From the marks in the order of the rows."""
        rows = np.argsort(marks, kind="stable")
        return cls(marks[rows], rows)

    def candidates(self, text: str) -> list[int]:
        """The rows whose id may be this one, in their order."""
        mark = marks_of(pa.array([text], pa.large_string()))
        low, high = np.searchsorted(self.marks, mark[0]), np.searchsorted(self.marks, mark[0], "right")
        return [int(row) for row in self.rows[low:high]]


def marks_of(texts: Any) -> NDArray[np.uint64]:
    """The 64-bit mark of each of an Arrow array of texts."""
    from twintown.kernels.marks import marks

    whole = texts.cast(pa.large_string())
    offsets = np.frombuffer(whole.buffers()[1], np.int64)[whole.offset : whole.offset + len(whole) + 1]
    data = whole.buffers()[2]
    return np.asarray(marks(np.frombuffer(data, np.uint8) if data else np.empty(0, np.uint8), offsets))
