"""When rows are: their times against an interval."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from twintown.query.query import Interval


def meets(times: pa.RecordBatch, during: Interval) -> NDArray[np.bool_]:
    """Which rows' times meet the interval; a day lasts until the next, a time without a zone counts as UTC."""
    begin, end = times.column(0), times.column(times.num_columns - 1)
    low, high = during
    keep: Any = pc.and_(begin.is_valid(), end.is_valid())
    if low is not None:
        keep = pc.and_(keep, pc.fill_null(pc.greater_equal(_micros(end, last=True), _of(low)), False))
    if high is not None:
        keep = pc.and_(keep, pc.fill_null(pc.less_equal(_micros(begin), _of(high)), False))
    return np.asarray(keep.to_numpy(zero_copy_only=False), bool)


def _micros(values: Any, last: bool = False) -> Any:
    """Microseconds since 1970; of a day its first or its last."""
    if pa.types.is_date(values.type):
        days = values.cast(pa.timestamp("us")).cast(pa.int64())
        return pc.add(days, 86_400_000_000 - 1) if last else days
    return values.cast(pa.timestamp("us", values.type.tz), safe=False).cast(pa.int64())


def _of(moment: datetime) -> int:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    since = aware - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
