"""How well persons hide among each other in a table. Pure: columns in, numbers out, all rows at once.

k-anonymity: how many rows share the same values of the columns that describe a person to those around [Sweeney 2002]; l-diversity:
how many different sensitive values each such class holds [Machanavajjhala et al. 2007].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Classes:
    """Rows that share values: `of[row]` is the class of a row, `size[class]` how many rows it has."""

    of: Codes
    size: Codes

    @property
    def smallest(self) -> int:
        """k of the table; 0 for a table without rows."""
        return int(self.size.min()) if len(self.size) else 0

    def small(self, k: int) -> Codes:
        """The rows in classes of fewer than `k`."""
        return np.flatnonzero(self.size[self.of] < k) if len(self.of) else np.empty(0, np.int64)


def classes(table: pa.Table, columns: Sequence[str]) -> Classes:
    """The classes of a table by some columns; an absent value is a value like the others. No column: one class."""
    codes = np.zeros(table.num_rows, np.int64)
    for name in columns:
        own = coded(table.column(name))
        _, codes = np.unique(codes * (own.max(initial=0) + 1) + own, return_inverse=True)
    return Classes(
        codes, np.bincount(codes, minlength=0).astype(np.int64) if len(codes) else np.empty(0, np.int64)
    )


def coded(column: pa.ChunkedArray) -> Codes:
    """int64 per row: equal where the values are equal; absent values are 0."""
    encoded = column.combine_chunks().dictionary_encode()
    indices = encoded.indices if isinstance(encoded, pa.DictionaryArray) else encoded.combine_chunks().indices
    return np.asarray(pc.fill_null(indices.cast(pa.int64()), -1).to_numpy(zero_copy_only=False), np.int64) + 1


def diversity(found: Classes, sensitive: pa.ChunkedArray) -> Codes:
    """How many different values of a sensitive column each class holds: int64 per class."""
    values = coded(sensitive)
    pairs = np.unique(found.of * (values.max(initial=0) + 1) + values)
    return np.bincount(pairs // (values.max(initial=0) + 1), minlength=len(found.size)).astype(np.int64)


def numbers(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """A column of numbers with not-a-number where a value is absent or no number."""
    try:
        return np.asarray(column.cast(pa.float64()).to_numpy(), np.float64)
    except pa.ArrowInvalid:
        return np.full(len(column), np.nan)


def few(values: NDArray[np.float64], k: float) -> Codes:
    """Rows whose count is more than none and less than `k`."""
    with np.errstate(invalid="ignore"):
        return np.flatnonzero((values > 0) & (values < k))


def keys(tables: Sequence[pa.Table], columns: Sequence[str]) -> list[Codes]:
    """Codes of the rows of several tables by some columns that all have, comparable between the tables."""
    texts = [pa.table({name: one.column(name).cast(pa.string()) for name in columns}) for one in tables]
    found = classes(pa.concat_tables(texts), columns).of
    ends = np.cumsum([one.num_rows for one in tables])
    return [found[end - one.num_rows : end] for end, one in zip(ends, tables, strict=True)]
