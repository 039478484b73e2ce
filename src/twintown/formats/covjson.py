"""CoverageJSON 1.0 (OGC 21-069r2): grids and series as JSON that says what its numbers are, in both languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twintown.ground.crs import Crs
from twintown.ground.names import Name
from twintown.ground.units import UNITS

MEDIA_TYPE = "application/prs.coverage+json"
_UCUM = "http://www.opengis.net/def/uom/UCUM/"
GREGORIAN = {"coordinates": ["t"], "system": {"type": "TemporalRS", "calendar": "Gregorian"}}


def parameter(title: Name, unit: str) -> dict[str, Any]:
    """What a range holds: its name in both languages, and its unit (UCUM)."""
    said: dict[str, Any] = {"type": "Parameter", "observedProperty": {"label": title.to_dict()}}
    if unit:
        label = UNITS.get(unit) or unit.strip("{}")
        said["unit"] = {"label": {"en": label}, "symbol": {"value": unit, "type": _UCUM}}
    return said


def referencing(crs: Crs) -> dict[str, Any]:
    """The CRS of x and y; its coordinates stand in the order of its axes, as the standard wants."""
    kind = "GeographicCRS" if crs.geographic else "ProjectedCRS"
    order = ["y", "x"] if crs.north_first else ["x", "y"]
    return {"coordinates": order, "system": {"type": kind, "id": crs.uri}}


def values(array: NDArray[Any], known: NDArray[np.bool_], axes: Sequence[str]) -> dict[str, Any]:
    """An NdArray; null where nothing is known."""
    kind = "integer" if array.dtype.kind in "iub" else "float" if array.dtype.kind == "f" else "string"
    plain = array.astype(object)
    plain[~known] = None
    return {"type": "NdArray", "dataType": kind, "axisNames": list(axes), "shape": list(array.shape),
            "values": plain.ravel().tolist()}  # fmt: skip


def axis(centres: NDArray[np.float64]) -> dict[str, Any]:
    """A regular axis by its ends and its number."""
    return {"start": float(centres[0]), "stop": float(centres[-1]), "num": len(centres)}


def coverage(
    domain: str,
    axes: Mapping[str, Any],
    references: Sequence[Mapping[str, Any]],
    parameters: Mapping[str, Any],
    ranges: Mapping[str, Any],
) -> dict[str, Any]:
    """The whole document; `domain` is its domain type, or empty where none of the standard's fits."""
    said: dict[str, Any] = {"type": "Domain", "axes": dict(axes), "referencing": list(references)}
    if domain:
        said["domainType"] = domain
    return {"type": "Coverage", "domain": said, "parameters": dict(parameters), "ranges": dict(ranges)}
