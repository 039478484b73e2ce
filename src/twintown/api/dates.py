"""When and where data are of, as far as their sources say: for catalogues."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, datetime, time, timedelta
from typing import Any

from twintown.api.extents import Span
from twintown.query.query import Interval, LonLat
from twintown.twin.layers import LayerVersion

_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")


def of_sources(version: LayerVersion) -> Span | None:
    """From the first day to the last that the sources of a layer state; none where none states any."""
    spans = [span for source in version.provenance.sources for span in _spans(source.date)]
    return (min(a for a, _ in spans), max(b for _, b in spans)) if spans else None


def _spans(text: str) -> list[Span]:
    """`2024`, `2024-06`, `2024-06-01`, or two of them with a slash, as whole years, months or days (UTC)."""
    found = []
    for part in text.split("/"):
        match = _DATE.match(part.strip())
        if match is None:
            continue
        year, month, day = (int(group) if group else 0 for group in match.groups())
        try:
            first = datetime(year, month or 1, day or 1, tzinfo=UTC)
            last = datetime(year, month or 12, day or monthrange(year, month or 12)[1], tzinfo=UTC)
        except ValueError:
            continue
        found.append((first, datetime.combine(last, time(), UTC) + timedelta(days=1) - timedelta(seconds=1)))
    return found


def meets(span: tuple[datetime | None, datetime | None], when: Interval) -> bool:
    """Whether two intervals have an instant in common; an open end is None."""
    (a, b), (start, end) = span, when
    return (start is None or b is None or b >= start) and (end is None or a is None or a <= end)


def overlap(a: LonLat, b: LonLat) -> bool:
    """Whether two boxes (west, south, east, north) touch."""
    return a[0] <= b[2] and b[0] <= a[2] and a[1] <= b[3] and b[1] <= a[3]


def polygon(box: LonLat) -> dict[str, Any]:
    """A box as a GeoJSON polygon, from its south-west corner on, against the clock."""
    west, south, east, north = box
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def now() -> str:
    """This second, RFC 3339."""
    return datetime.now(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
