"""Does a GeoJSON feature fit a layer? Its properties the columns, its geometry the layer's type, its place the twin's."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from twintown.formats.geojson_check import Path, Severity, word
from twintown.ground.bounds import Bounds
from twintown.ground.crs import Crs, of_frame, reproject
from twintown.ground.frames import Frame
from twintown.twin.edits import Draft

Found = list[tuple[Path, str, Severity]]
_TIME = re.compile(r"\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d))?")
_KINDS = {"string": "a string", "integer": "a whole number", "number": "a number", "boolean": "true or false",
          "datetime": "a time such as 2026-12-22T12:00:00Z"}  # fmt: skip
_INT64 = 2**63


class Column(Protocol):
    """What is asked of a column here."""

    @property
    def name(self) -> str: ...

    @property
    def type(self) -> str: ...


@dataclass(frozen=True)
class Fit:
    """What features of a layer must fit.

    Args:
        layer: its id.
        columns: its columns.
        geometry: `Point`, `LineString`, `Polygon` (each also for its `Multi…`), `GeometryCollection` for any, empty for none.
        frame: the twin's.
        bounds: the twin's, metres.
    """

    layer: str
    columns: Sequence[Column]
    geometry: str
    frame: Frame
    bounds: Bounds

    def drafts(
        self, features: Sequence[Mapping[str, Any]], crs: Crs, paths: Sequence[Path]
    ) -> tuple[list[Draft], Found]:
        """What the features come to, and what does not fit.

        Args:
            features: structurally right ones (`geojson_check`).
            crs: of their coordinates, in the order of its axes.
            paths: where each stands in what was sent.
        """
        found: Found = []
        types = {column.name: column.type for column in self.columns}
        properties = [
            self.properties(feature["properties"] or {}, types, (*path, "properties"), found)
            for feature, path in zip(features, paths, strict=True)
        ]
        shapes = self.shapes([feature["geometry"] for feature in features], crs, paths, found)
        wkb = shapely.to_wkb(shapes, byte_order=1)
        return [Draft(values, one) for values, one in zip(properties, wkb, strict=True)], found

    def properties(
        self, given: Mapping[str, Any], types: Mapping[str, str], path: Path, found: Found
    ) -> dict[str, Any]:
        """The values that a column takes; what does not fit is added to `found`."""
        taken: dict[str, Any] = {}
        for name, value in given.items():
            if name not in types:
                known = ", ".join(types) or "none"
                found.append(
                    ((*path, name), f"{self.layer} has no property {name[:80]!r}; it has {known}", "error")
                )
            elif value is not None:
                kept = _value(value, types[name])
                if kept is None:
                    what = f"{name!r} is {_KINDS[types[name]]}, not {_said(value)}"
                    found.append(((*path, name), what, "error"))
                else:
                    taken[name] = kept
        return taken

    def shapes(
        self, geometries: Sequence[Any], crs: Crs, paths: Sequence[Path], found: Found
    ) -> NDArray[np.object_]:
        """The geometries in the frame, x east, None where there is none; what does not fit is added to `found`."""
        texts = [None if one is None else orjson.dumps(one).decode() for one in geometries]
        shapes = np.asarray(shapely.from_geojson(np.array(texts, object)), object)
        there = ~shapely.is_missing(shapes)

        def say(which: NDArray[np.bool_], what: str, severity: Severity = "error") -> None:
            found.extend(((*paths[i], "geometry"), what, severity) for i in np.flatnonzero(which)[:20])

        wrong = there & ~np.array([self.takes(one) for one in shapes])
        say(
            wrong,
            f"{self.layer} holds {self.geometry} geometries"
            if self.geometry
            else f"{self.layer} has no geometries",
        )
        bad = there & ~shapely.is_valid(shapes)
        for i in np.flatnonzero(bad)[:20]:
            reason = shapely.is_valid_reason(shapes[i])
            found.append(((*paths[i], "geometry"), f"the geometry is not valid: {reason}", "error"))
        moved = np.asarray(reproject(crs.swap(shapes), crs, of_frame(self.frame)), object)
        box = shapely.bounds(moved)
        lost = there & ~np.isfinite(box).all(axis=1)
        say(lost, f"the geometry lies outside of where {crs.code} and {self.frame.crs} hold")
        far = self.bounds.buffer(max(self.bounds.width, self.bounds.height))
        with np.errstate(invalid="ignore"):
            away = there & ~lost & _beyond(box, far)
            near = there & ~lost & ~away & _beyond(box, self.bounds)
        first, second = (axis.lower() for axis in crs.axes)
        say(
            away,
            f"the geometry lies far outside of the twin; coordinates are {first}, {second} in {crs.code}",
        )
        say(near, "the geometry lies outside of the twin's bounds", "warning")
        return moved

    def takes(self, shape: Any) -> bool:
        """Whether the layer holds geometries of this type."""
        return shape is None or self.geometry in ("GeometryCollection", shape.geom_type.removeprefix("Multi"))


def _beyond(box: NDArray[np.float64], bounds: Bounds) -> NDArray[np.bool_]:
    xmin, ymin, xmax, ymax = bounds.as_tuple()
    return np.asarray((box[:, 0] < xmin) | (box[:, 1] < ymin) | (box[:, 2] > xmax) | (box[:, 3] > ymax), bool)


def _value(value: Any, kind: str) -> Any:
    """The value as its column keeps it, None where it is not of its type."""
    if kind == "boolean" or isinstance(value, bool):
        return value if kind == "boolean" and isinstance(value, bool) else None
    if kind == "string":
        return value if isinstance(value, str) else None
    if kind == "datetime":
        return _instant(value) if isinstance(value, str) and _TIME.fullmatch(value) else None
    if not isinstance(value, int | float) or not abs(value) < 1.8e308:
        return None
    if kind == "number":
        return float(value)
    return int(value) if value == int(value) and -_INT64 <= value < _INT64 else None


def _instant(text: str) -> str | None:
    try:
        time = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _said(value: Any) -> str:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return repr(value)[:60]
    return word(value)
