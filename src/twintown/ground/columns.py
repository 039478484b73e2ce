"""Columns: what a property of a feature is called, of which type and in which unit it is."""

from __future__ import annotations

from dataclasses import dataclass

from .names import Name

#: The types that a column is told to be of, in the words of JSON Schema; `datetime` is a string of format date-time.
TYPES = ("string", "integer", "number", "boolean", "datetime")


@dataclass(frozen=True)
class Column:
    """One property of the rows of a layer.

    Args:
        name: its key. `id` and `geometry` are reserved and are no columns.
        type: one of `TYPES`.
        unit: UCUM code, empty where it has none.
        title: what people call it.
    """

    name: str
    type: str
    unit: str
    title: Name
