"""Edits of a plan: what they are, in one normal form, and which of many are in force. Pure: values in, values out.

An edit is a JSON object with one of four `op`s; lengths are metres of the twin's frame, rounded to a millimetre, so that the digest
of a question does not hang on a projection library:

    add      a new building: `object` ("new/" and eight hexadecimal digits), `parts`, `height_m`, `storey_m`, `name`, `function`, `from`
    replace  the same for a building that is there; what is not said of it (name, function, storey) stays
    remove   a building goes
    set      of a building: `height_m` (its parts follow in proportion), `storey_m`, `name`, `function`, `move` [east, north] and
             `turn_deg` (clockwise from above, about the centroid of its footprint), both counted from where the building stood

A part has an `outline` (open ring, anticlockwise, from its westernmost and then southernmost corner), `holes`, `base_m`, `eave_m`,
`top_m` above the declared ground, `roof_shape`, `roof_direction_deg` (azimuth from true north, null where it follows the outline).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray

from twintown.ground.bounds import Bounds
from twintown.ground.errors import BadParameter
from twintown.ground.frames import Frame
from twintown.ground.provenance import digest_of

from .kinds import STOREY_M, storey_m
from .roofs import ROOF_SHAPES

if TYPE_CHECKING:
    from twintown.ground.features import Features

    from .finding import Finding

Edit: TypeAlias = dict[str, Any]
Floats = NDArray[np.float64]
#: Of a building that is there: west, south, east, north (m in the frame), height (m).
Extent: TypeAlias = tuple[float, float, float, float, float]

OPS = ("add", "replace", "remove", "set")
#: Buildings higher than this are taken for a slip of the pen; the highest that stands has 828 m.
HIGHEST_M = 1000.0
SMALLEST_M2, LARGEST_M2 = 1.0, 1_000_000.0
MOST_EDITS, MOST_PARTS, MOST_CORNERS = 2_000, 500, 2_000
#: Uses that a building may be planned for.
USES = (*STOREY_M, "other")
_NEW = re.compile(r"new/[0-9a-f]{8}")
_PLACE = re.compile(r"\[(-?[\d.eE+-]+) (-?[\d.eE+-]+)\]")
_FARTHEST_M = 20_000.0
_SHAPED = ("object", "parts", "outline", "height_m", "base_m", "eave_m", "roof_shape", "roof_direction_deg", "storey_m", "name",
           "function", "from")  # fmt: skip
_MEMBERS = {
    "add": _SHAPED, "replace": _SHAPED, "remove": ("object",),
    "set": ("object", "height_m", "storey_m", "name", "function", "move", "turn_deg"),
}  # fmt: skip
_PART = ("outline", "holes", "base_m", "eave_m", "top_m", "roof_shape", "roof_direction_deg")


def parse(value: object, frame: Frame, where: str = "edit") -> Edit:
    """One edit in its normal form. Parsing what was parsed changes nothing.

    Args:
        value: the edit as people send it. An outline is a GeoJSON Polygon (longitude, latitude; CRS84), or a ring of [x, y] in metres
            of the frame. Instead of `parts`, `outline` with `height_m` makes one part.
        frame: of the twin.
        where: how the edit is called in messages.

    Raises:
        BadParameter: names the member: an unknown op or member, a footprint that crosses itself (says where), has no area or too
            much, a height above 1000 m, a number that is none.
    """
    if not isinstance(value, Mapping):
        raise BadParameter(
            where, "is not an object", remedy='write {"op": "set", "object": …, "height_m": …}'
        )
    op = value.get("op")
    if op not in OPS:
        raise BadParameter(
            f"{where}.op", f"{op!r} is not an edit that is known", remedy=f"use one of {', '.join(OPS)}"
        )
    if unknown := sorted(set(map(str, value)) - {"op", *_MEMBERS[op]}):
        raise BadParameter(
            f"{where}.{unknown[0]}", f"is no member of {op!r}", remedy=f"known: {', '.join(_MEMBERS[op])}"
        )
    name = value.get("object")
    if not isinstance(name, str) or not 0 < len(name) <= 200:
        raise BadParameter(
            f"{where}.object", "the building's id is missing", remedy="give the id of a building"
        )
    if op == "add" and not _NEW.fullmatch(name):
        raise BadParameter(
            f"{where}.object",
            f"{name!r} is not the id of a new building",
            remedy="write new/ and eight hexadecimal digits",
        )
    edit: Edit = {"op": op, "object": name}
    if op == "remove":
        return edit
    if op == "set":
        return _set(value, edit, where)
    parts = _parts(value, frame, where)
    height = max(part["top_m"] for part in parts)
    said = value.get("height_m")
    if said is not None and abs(_number(said, f"{where}.height_m", 0.0, HIGHEST_M) - height) > 1e-3:
        raise BadParameter(
            f"{where}.height_m",
            f"is {said} m and its highest part reaches {height} m",
            remedy="let the two agree, or leave height_m away",
        )
    edit |= {"parts": parts, "height_m": height}
    function = _word(value.get("function"), f"{where}.function", USES)
    storey = value.get("storey_m")
    if storey is not None:
        edit["storey_m"] = _number(storey, f"{where}.storey_m", 2.0, 20.0)
    elif op == "add":
        edit["storey_m"] = storey_m(function or "other")
    if op == "add" or function:
        edit["function"] = function or "other"
    if op == "add" or value.get("name") is not None:
        edit["name"] = _text(value.get("name") or "", f"{where}.name")
    if value.get("from"):
        edit["from"] = _text(value["from"], f"{where}.from")
    return edit


def check(edit: Edit, bounds: Bounds, known: Mapping[str, Extent], where: str = "edit") -> None:
    """Whether an edit in its normal form can be made here.

    Args:
        bounds: of the twin, metres.
        known: the buildings that are there (at least the one that the edit speaks of), those that were added before included.

    Raises:
        BadParameter: the building is not there (or is already, for `add`), has no height to scale, or would stand outside.
    """
    name, op = edit["object"], edit["op"]
    if op == "add" and name in known:
        raise BadParameter(
            f"{where}.object", f"there is a {name!r} already", remedy="replace it, or take another id"
        )
    if op != "add" and name not in known:
        raise BadParameter(
            f"{where}.object", f"there is no building {name!r}", remedy="take an id of the layer buildings"
        )
    if op in ("add", "replace"):
        reach = box(edit["parts"])
    elif op == "set":
        extent = known[name]
        if "height_m" in edit and not extent[4] > 0.0:
            raise BadParameter(
                f"{where}.object", f"{name!r} has no height to scale", remedy="replace the building instead"
            )
        if "move" not in edit:
            return
        east, north = edit["move"]
        middle = ((extent[0] + extent[2]) / 2 + east, (extent[1] + extent[3]) / 2 + north)
        reach = (*middle, *middle)  # what already looks over the edge may be moved along it
    else:
        return
    out = max(
        bounds.xmin - reach[0],
        bounds.ymin - reach[1],
        reach[2] - bounds.xmax,
        reach[3] - bounds.ymax,
    )
    if out > 0.0:
        member = "move" if op == "set" else "parts"
        raise BadParameter(
            f"{where}.{member}",
            f"reaches {out:,.1f} m outside the twin's bounds",
            remedy="stay inside: nothing is known of what stands around",
        )


def fold(edits: Iterable[Edit]) -> tuple[Edit, ...]:
    """The edits in force, in order of their objects: of each at most one that makes or takes it, and then one `set`.

    A later `add`, `replace` or `remove` puts everything before it of the same object out of force; later members of a `set` replace
    the same of an earlier one; an added building that is removed was never there; nothing can be set of what is removed.
    """
    made: dict[str, Edit] = {}
    said: dict[str, Edit] = {}
    born: set[str] = set()
    for edit in edits:
        name, op = edit["object"], edit["op"]
        if op == "set":
            if name not in made or made[name]["op"] != "remove":
                said[name] = {**said.get(name, {}), **edit}
            continue
        said.pop(name, None)
        if op == "add":
            born.add(name)
        made[name] = {**edit, "op": "add"} if op == "replace" and name in born else edit
    gone = {name for name in born if made[name]["op"] == "remove"}
    force: list[Edit] = []
    for name in sorted(({*made} | {*said}) - gone):
        force += [one for one in (made.get(name), said.get(name)) if one is not None]
    return tuple(force)


def digest(edits: Iterable[Edit]) -> str:
    """The digest of the edits in force: equal whatever the order of independent ones was."""
    return digest_of(list(fold(edits)))


def apply(
    buildings: Features, parts: Features, edits: Iterable[Edit]
) -> tuple[Features, Features, tuple[Finding, ...]]:
    """The two layers with the edits made, in exactly their columns; what could not be made is told in findings.

    What was added, replaced or set in height has `height_source` "planned". Frame, units and provenance stay (with a step more).
    """
    from .applied import applied  # brings pandas

    return applied(buildings, parts, fold(edits))


def is_new(name: str) -> bool:
    """Whether an id is that of a building that was added in a plan."""
    return _NEW.fullmatch(name) is not None


def polygon(part: Mapping[str, Any]) -> shapely.Polygon:
    """The footprint of a part in its normal form."""
    return shapely.Polygon(part["outline"], part["holes"])


def box(parts: Sequence[Mapping[str, Any]]) -> tuple[float, float, float, float]:
    """West, south, east, north (m) of parts in their normal form."""
    xy = np.concatenate([np.asarray(part["outline"], float) for part in parts])
    return float(xy[:, 0].min()), float(xy[:, 1].min()), float(xy[:, 0].max()), float(xy[:, 1].max())


def _set(value: Mapping[str, Any], edit: Edit, where: str) -> Edit:
    if value.get("height_m") is not None:
        edit["height_m"] = _number(value["height_m"], f"{where}.height_m", 0.0, HIGHEST_M)
        if edit["height_m"] < 0.1:
            raise BadParameter(
                f"{where}.height_m", "is nothing", remedy='remove the building with {"op": "remove"}'
            )
    if value.get("storey_m") is not None:
        edit["storey_m"] = _number(value["storey_m"], f"{where}.storey_m", 2.0, 20.0)
    if value.get("name") is not None:
        edit["name"] = _text(value["name"], f"{where}.name")
    if value.get("function") is not None:
        edit["function"] = _word(value["function"], f"{where}.function", USES)
    if value.get("move") is not None:
        move = value["move"]
        if not isinstance(move, list | tuple) or len(move) != 2:
            raise BadParameter(
                f"{where}.move", f"{move!r} is no step", remedy="write [metres east, metres north]"
            )
        edit["move"] = [_number(one, f"{where}.move", -_FARTHEST_M, _FARTHEST_M) for one in move]
    if value.get("turn_deg") is not None:
        edit["turn_deg"] = _number(value["turn_deg"], f"{where}.turn_deg", -360.0, 360.0, 4)
    if len(edit) == 2:
        raise BadParameter(where, "sets nothing", remedy=f"say one of {', '.join(_MEMBERS['set'][1:])}")
    return edit


def _parts(value: Mapping[str, Any], frame: Frame, where: str) -> list[dict[str, Any]]:
    sent = value.get("parts")
    if sent is None and value.get("outline") is not None:
        one = {name: value[name] for name in _PART if value.get(name) is not None}
        sent = [{**one, "top_m": value.get("height_m")}]
    elif value.get("outline") is not None:
        raise BadParameter(f"{where}.outline", "stands beside parts", remedy="give one of the two")
    if not isinstance(sent, list | tuple) or not 0 < len(sent) <= MOST_PARTS:
        raise BadParameter(
            f"{where}.parts",
            f"must be a list of 1 to {MOST_PARTS} parts",
            remedy="give outline and top_m of each",
        )
    return [_part(part, frame, f"{where}.parts[{index}]") for index, part in enumerate(sent)]


def _part(value: object, frame: Frame, where: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise BadParameter(where, "is not an object", remedy="give outline, base_m and top_m")
    if unknown := sorted(set(map(str, value)) - set(_PART)):
        raise BadParameter(
            f"{where}.{unknown[0]}", "is no member of a part", remedy=f"known: {', '.join(_PART)}"
        )
    outline, holes = _rings(value, frame, where)
    top = _number(value.get("top_m"), f"{where}.top_m", 0.1, HIGHEST_M)
    base = _number(value.get("base_m") or 0.0, f"{where}.base_m", 0.0, HIGHEST_M)
    if base > top - 0.1:
        raise BadParameter(
            f"{where}.base_m",
            f"{base} m is not below the top at {top} m",
            remedy="let a part be 0.1 m high at least",
        )
    shape = _word(value.get("roof_shape") or "flat", f"{where}.roof_shape", ROOF_SHAPES)
    eave = value.get("eave_m")
    if shape == "flat":
        eave = top
    elif eave is None:
        eave = round(top - min(3.0, (top - base) / 3.0), 3)
    else:
        eave = _number(eave, f"{where}.eave_m", base, top)
    direction = value.get("roof_direction_deg")
    if shape == "flat" or eave == top or direction is None:
        direction = None
    else:
        direction = _number(direction, f"{where}.roof_direction_deg", -360.0, 360.0, 4) % 360.0
    return {
        "outline": outline, "holes": holes, "base_m": base, "eave_m": eave, "top_m": top,
        "roof_shape": shape if eave < top else "flat", "roof_direction_deg": direction,
    }  # fmt: skip


def _rings(
    value: Mapping[str, Any], frame: Frame, where: str
) -> tuple[list[list[float]], list[list[list[float]]]]:
    """Outline and holes in metres, in their normal order."""
    sent = value.get("outline")
    name = f"{where}.outline"
    lonlat = isinstance(sent, Mapping)
    if isinstance(sent, Mapping):
        if sent.get("type") != "Polygon" or value.get("holes"):
            raise BadParameter(
                name, "is no GeoJSON Polygon", remedy='write {"type": "Polygon", "coordinates": […]}'
            )
        rings = sent.get("coordinates")
    else:
        rings = [sent, *(value.get("holes") or [])]
    if not isinstance(rings, list | tuple) or not rings:
        raise BadParameter(name, "is missing", remedy="give a GeoJSON Polygon, or a ring of [x, y]")
    if sum(len(ring) if isinstance(ring, list | tuple) else 1 for ring in rings) > MOST_CORNERS:
        raise BadParameter(name, f"has more than {MOST_CORNERS:,} corners", remedy="simplify it")
    xy = [_ring(ring, frame, lonlat, name) for ring in rings]
    drawn = shapely.Polygon(xy[0], xy[1:])
    if not drawn.is_valid:
        reason = shapely.is_valid_reason(drawn)
        at = _PLACE.search(reason)
        said = reason.partition("[")[0].lower()
        crossing = "crosses itself" if "self-intersection" in said else f"cannot be built on ({said})"
        raise BadParameter(name, f"{crossing}{_place(at, frame)}", remedy="draw it anew without the crossing")
    if not SMALLEST_M2 <= drawn.area <= LARGEST_M2:
        raise BadParameter(
            name,
            f"has {drawn.area:,.1f} m²",
            remedy=f"draw between {SMALLEST_M2:g} m² and {LARGEST_M2:,.0f} m²",
        )
    outer, *inner = (_turned(ring, index == 0) for index, ring in enumerate(xy))
    return outer, sorted(inner)


def _place(at: re.Match[str] | None, frame: Frame) -> str:
    if at is None:
        return ""
    x, y = float(at[1]), float(at[2])
    lon, lat = frame.to_lonlat(x, y)
    return f" at {float(lon):.6f}, {float(lat):.6f} (x {x:.2f} m, y {y:.2f} m)"


def _ring(ring: object, frame: Frame, lonlat: bool, where: str) -> Floats:
    """float64[n, 2]: an open ring, whole millimetres, neighbouring corners differ."""
    try:
        corners: Any = ring
        xy: Floats = np.array([[float(c) for c in corner[:2]] for corner in corners], np.float64)
    except (TypeError, ValueError, IndexError, KeyError) as error:
        raise BadParameter(
            where, "has a corner that is no position", remedy="write two numbers each"
        ) from error
    if xy.ndim != 2 or xy.shape[1] != 2 or not np.isfinite(xy).all():
        raise BadParameter(where, "has a corner that is no position", remedy="write two numbers each")
    if lonlat:
        if (np.abs(xy) > (180.0, 90.0)).any():
            raise BadParameter(where, "is not in degrees", remedy="write longitude, latitude (CRS84)")
        xy = np.column_stack(frame.from_lonlat(xy[:, 0], xy[:, 1]))
    if not (np.abs(xy) < 1e8).all():
        raise BadParameter(where, "lies nowhere near the twin", remedy="give positions inside its bounds")
    xy = np.round(xy, 3) + 0.0
    xy = xy[(xy != np.roll(xy, 1, axis=0)).any(axis=1)] if len(xy) > 1 else xy
    if len(xy) < 3:
        raise BadParameter(where, "has no area", remedy="draw at least three corners")
    return xy


def _turned(xy: Floats, anticlockwise: bool) -> list[list[float]]:
    """The ring in its direction, from its westernmost and then southernmost corner."""
    middle = xy - xy[0]
    after = np.roll(middle, -1, axis=0)
    twice = float((middle[:, 0] * after[:, 1] - after[:, 0] * middle[:, 1]).sum())
    if (twice > 0) != anticlockwise:
        xy = xy[::-1]
    first = int(np.lexsort((xy[:, 1], xy[:, 0]))[0])
    rolled: list[list[float]] = np.roll(xy, -first, axis=0).tolist()
    return rolled


def _number(value: object, where: str, low: float, high: float, digits: int = 3) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadParameter(where, f"{value!r} is not a number", remedy=f"give one from {low:g} to {high:g}")
    if not low <= value <= high:
        raise BadParameter(
            where, f"{value:,g} is out of range", remedy=f"give a number from {low:g} to {high:g}"
        )
    return round(float(value), digits) + 0.0


def _text(value: object, where: str) -> str:
    if not isinstance(value, str) or len(value) > 200:
        raise BadParameter(where, "is no text of at most 200 characters", remedy="shorten it")
    return value


def _word(value: object, where: str, known: Sequence[str]) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or value not in known:
        raise BadParameter(where, f"{value!r} is not known", remedy=f"use one of {', '.join(known)}")
    return value
