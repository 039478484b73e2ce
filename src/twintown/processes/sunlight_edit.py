"""Height edits as people send them: checked, and each object once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twintown.ground.errors import BadParameter, NotFound

from .facades import HIGHEST_M

MOST = 200  # edits of one question


@dataclass(frozen=True)
class Edit:
    """Set the height of one building, metres; its parts' heights follow in proportion."""

    object: str
    height_m: float


def parse_edits(edits: object, number: Mapping[str, int], heights_m: NDArray[np.float64]) -> tuple[Edit, ...]:
    """The edits in their order, each object once with its last height (then at the place of that last edit).

    Raises:
        BadParameter: not a list of {"op": "set", "object", "height_m"}, a height outside 0 to 1000 m.
        NotFound: there is no such building.
    """
    if edits is None:
        return ()
    if not isinstance(edits, list | tuple) or len(edits) > MOST:
        raise BadParameter(
            "edits",
            f"must be a list of at most {MOST} edits",
            remedy='write [{"op": "set", "object": …, "height_m": …}]',
        )
    found: dict[str, Edit] = {}
    for index, entry in enumerate(edits):
        where = f"edits[{index}]"
        if isinstance(entry, Edit):
            entry = {"op": "set", "object": entry.object, "height_m": entry.height_m}
        if not isinstance(entry, Mapping):
            raise BadParameter(
                where, "is not an object", remedy='write {"op": "set", "object": …, "height_m": …}'
            )
        if entry.get("op", "set") != "set":
            raise BadParameter(
                f"{where}.op", f"{entry.get('op')!r} is not an edit that is known", remedy='use "set"'
            )
        name, height = entry.get("object"), entry.get("height_m")
        if not isinstance(name, str):
            raise BadParameter(
                f"{where}.object", "the building's id is missing", remedy="give the id of a building"
            )
        if name not in number:
            raise NotFound(
                f"there is no building {name!r}", f"{where}.object", "take an id of the layer buildings"
            )
        if (
            isinstance(height, bool)
            or not isinstance(height, int | float)
            or not 0.0 <= float(height) <= HIGHEST_M
        ):
            raise BadParameter(f"{where}.height_m", f"{height!r} is not a height from 0 to {HIGHEST_M:g} m")
        if not heights_m[number[name]] > 0.0:
            raise BadParameter(
                f"{where}.object", f"{name!r} has no height to scale", remedy="choose another building"
            )
        found.pop(name, None)
        found[name] = Edit(name, float(height))
    return tuple(found.values())
