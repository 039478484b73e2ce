"""A question to the rows of a layer: where, when, which, and under which condition. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

#: west, south, east, north in degrees (CRS84).
LonLat = tuple[float, float, float, float]
#: A CQL2 expression as CQL2 JSON (OGC 21-065r2, clause 7), checked and with every geometry literal in CRS84.
Expression = Mapping[str, Any]
#: Both ends belong to it; None is open.
Interval = tuple[datetime | None, datetime | None]


@dataclass(frozen=True)
class Query:
    """All conditions hold together; a query without any keeps every row.

    Args:
        boxes: rows whose geometry meets any of them (two where a bbox crosses the antimeridian).
        where: rows for which the expression is true.
        during: rows whose time meets the interval; rows of a layer without a time all do.
        ids: only these rows, where given.
    """

    boxes: tuple[LonLat, ...] = ()
    where: Expression | None = None
    during: Interval | None = None
    ids: tuple[str, ...] | None = None

    @property
    def everything(self) -> bool:
        """True where no row can fail."""
        return not self.boxes and self.where is None and self.during is None and self.ids is None
