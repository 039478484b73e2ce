"""What the process `stands` is asked with: inputs with units, and the question that they make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from twintown.ground.errors import BadParameter
from twintown.ground.frames import Frame
from twintown.ground.names import Name
from twintown.jobs.process import Ask, Input

from .footfall_stations import DAY_TYPES
from .stands_parts import EGRESS_MIN, PARTS, weights_of
from .stands_place import CANOPY_M, Block, Stand, facing_of
from .stands_score import Question, month_of

NUMBER = (int, float)
_LON = {"type": "number", "minimum": -180, "maximum": 180}
_LAT = {"type": "number", "minimum": -90, "maximum": 90}
_PLACE = {"type": "array", "prefixItems": [_LON, _LAT], "minItems": 2, "maxItems": 2}
_SIZE = {"type": "number", "minimum": 0.5, "maximum": 100}
_SET_UP: dict[str, Any] = {
    "type": "object", "required": ["lon", "lat"],
    "properties": {
        "lon": _LON, "lat": _LAT, "heading_deg": {"type": "number"}, "width_m": _SIZE, "depth_m": _SIZE,
        "height_m": {"type": "number", "minimum": 0, "maximum": 30}, "name": {}, "id": {"type": "string"},
    },
}  # fmt: skip
MOST_SET_UP = 200

INPUTS = (
    Input(
        "centre", Name("가운데", "Middle"), "deg", [], (list,), schema={**_PLACE, "minItems": 0},
        about=Name("[경도, 위도]. 비우면 트윈의 가운데", "[longitude, latitude]; empty: the twin's middle"),
    ),
    Input("radius_m", Name("반지름", "Radius"), "m", 120.0, NUMBER, minimum=5, maximum=400),
    Input(
        "lattice_m", Name("후보 간격", "Lattice of candidates"), "m", 6.0, NUMBER, minimum=1, maximum=50,
        about=Name("후보 자리 사이의 거리", "Between two places that are tried"),
    ),
    Input("count", Name("판매대 수", "Stands"), "1", 3, (int,), minimum=1, maximum=50),
    Input("width_m", Name("너비", "Width"), "m", 3.0, NUMBER, minimum=0.5, maximum=30),
    Input("depth_m", Name("깊이", "Depth"), "m", 3.0, NUMBER, minimum=0.5, maximum=30),
    Input("canopy_m", Name("차양 높이", "Height of the canopy"), "m", CANOPY_M, NUMBER, minimum=0, maximum=10,
          about=Name("0이면 차양 없음", "0: none")),
    Input("spacing_m", Name("판매대 사이", "Between stands"), "m", 3.0, NUMBER, minimum=0, maximum=100,
          about=Name("줄을 포함한 판매대 사이의 거리", "Between two stands with their queues")),
    Input("day", Name("날", "Day"), "1", "", (str,), schema={"type": "string", "maxLength": 40},
          about=Name("ISO 8601. 비우면 트윈의 날", "ISO 8601; empty: the twin's day")),
    Input("footfall", Name("보행량 층", "Layer of passers-by"), "1", "", (str,), layer="features",
          schema={"type": "string", "maxLength": 64},
          about=Name("과정 footfall의 결과나 센 값(h05…h24 열의 선). 비우면 여기서 계산합니다.",
                     "A result of the process footfall, or counts (lines with columns h05 … h24); empty: computed here")),
    Input("from_h", Name("시작 시", "From hour"), "h", 11, (int,), minimum=0, maximum=23),
    Input("to_h", Name("끝 시", "To hour"), "h", 19, (int,), minimum=1, maximum=24),
    Input("day_type", Name("날의 종류", "Kind of day"), "1", "saturday", (str,), choices=DAY_TYPES),
    Input("people", Name("나가야 할 사람", "People who must leave"), "{person}", 0, NUMBER, minimum=0, maximum=1_000_000,
          about=Name("출구로 나가야 할 사람. 0이면 통로 폭 2 m만", "Who must be able to leave by the exits; 0: 2 m of clear way only")),
    Input("egress_min", Name("나가는 시간", "Time to leave"), "min", EGRESS_MIN, NUMBER, minimum=1, maximum=60),
    Input("others", Name("이미 놓인 판매대", "Stands that stand"), "1", [], (list,),
          schema={"type": "array", "items": _SET_UP, "maxItems": MOST_SET_UP}),
    Input("stages", Name("무대", "Stages"), "1", [], (list,),
          schema={"type": "array", "items": _SET_UP, "maxItems": MOST_SET_UP}),
    Input("exits", Name("출구", "Exits"), "deg", [], (list,), schema={"type": "array", "items": _PLACE, "maxItems": 200},
          about=Name("[경도, 위도]의 목록. 막지 않습니다.", "A list of [longitude, latitude] that stay clear")),
    Input("weights", Name("무게", "Weights"), "1", {}, (dict,),
          schema={"type": "object", "additionalProperties": {"type": "number", "minimum": 0},
                  "propertyNames": {"enum": [one.code for one in PARTS]}},
          about=Name("부분마다의 무게. 합은 1로 맞춥니다.", "Of each part; they are made to add up to 1")),
)  # fmt: skip


@dataclass(frozen=True)
class Wish:
    """What is wanted: the middle (m) and radius, the lattice, how many stands, their pattern (at the middle), and for what they count."""

    x: float
    y: float
    radius_m: float
    lattice_m: float
    count: int
    spacing_m: float
    pattern: Stand
    question: Question


def _numbers(value: Any, name: str) -> tuple[float, float]:
    """A longitude and latitude. Raises BadParameter."""
    ok = isinstance(value, list | tuple) and len(value) == 2
    if not ok or any(isinstance(v, bool) or not isinstance(v, int | float) for v in value):
        raise BadParameter(name, f"{str(value)[:80]} is no place", remedy="write [longitude, latitude]")
    lon, lat = float(value[0]), float(value[1])
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise BadParameter(
            name, f"{value} is not on the Earth", remedy="write [longitude, latitude] in degrees"
        )
    return lon, lat


def _stand(value: Any, name: str, frame: Frame, turn: float, stage: bool) -> tuple[Stand, float]:
    """A stand or stage that was set up, and its height. Raises BadParameter."""
    if not isinstance(value, Mapping):
        raise BadParameter(
            name, f"{str(value)[:80]} is no object", remedy="give lon, lat, heading_deg, width_m, depth_m"
        )
    lon, lat = _numbers([value.get("lon"), value.get("lat")], name)
    usual = (
        ("heading_deg", 180.0),
        ("width_m", 10.0 if stage else 3.0),
        ("depth_m", 8.0 if stage else 3.0),
        ("height_m", 1.2),
    )
    found = {}
    for key, default in usual:
        number = value.get(key, default)
        if isinstance(number, bool) or not isinstance(number, int | float) or not -1000 < number < 1000:
            raise BadParameter(
                f"{name}.{key}", f"{number!r} is no number in range", remedy="give metres or degrees"
            )
        found[key] = float(number)
    if found["width_m"] <= 0 or found["depth_m"] <= 0 or found["height_m"] < 0:
        raise BadParameter(name, "has no size", remedy="give width_m and depth_m above 0")
    x, y = (float(v) for v in frame.from_lonlat(lon, lat))
    label = value.get("name") or value.get("id") or ""
    named = str(label.get("ko", "") if isinstance(label, Mapping) else label)[:80]
    canopy = 0.0 if stage else CANOPY_M
    facing = facing_of(found["heading_deg"], turn)
    return Stand(x, y, facing, found["width_m"], found["depth_m"], canopy, named), found["height_m"]


def wish_of(ask: Ask, options: Mapping[str, Any]) -> Wish:
    """The question with everything in its place.

    Raises:
        BadParameter: a bad day, hours, weights or place; too many places to try.
    """
    day = str(options["day"] or ask.day)
    month_of(day)
    from_h, to_h = int(options["from_h"]), int(options["to_h"])
    if to_h <= from_h:
        raise BadParameter("to_h", f"{to_h} is not after {from_h}", remedy="end after the beginning")
    radius, lattice = float(options["radius_m"]), float(options["lattice_m"])
    if radius / lattice > 60:
        raise BadParameter(
            "lattice_m", f"{lattice:g} m makes too many places in {radius:g} m", remedy=f"use at least {radius / 60:.1f} m"
        )  # fmt: skip
    frame = ask.frame
    if options["centre"]:
        x, y = (float(v) for v in frame.from_lonlat(*_numbers(options["centre"], "centre")))
        b = ask.bounds
        if not (b.xmin <= x <= b.xmax and b.ymin <= y <= b.ymax):
            raise BadParameter("centre", "lies outside the twin", remedy="choose a place within its bounds")
    else:
        x, y = ask.bounds.centre
    turn = frame.convergence(*ask.bounds.centre)
    others = [_stand(one, f"others.{k}", frame, turn, False)[0] for k, one in enumerate(options["others"])]
    stages = [
        Block(*_stand(one, f"stages.{k}", frame, turn, True)) for k, one in enumerate(options["stages"])
    ]
    exits = np.array(
        [
            [float(v) for v in frame.from_lonlat(*_numbers(one, f"exits.{k}"))]
            for k, one in enumerate(options["exits"])
        ],
        float,
    ).reshape(-1, 2)
    pattern = Stand(
        x, y, (0.0, 1.0), float(options["width_m"]), float(options["depth_m"]), float(options["canopy_m"])
    )
    question = Question(
        day, from_h, to_h, str(options["day_type"]), weights_of(options["weights"]), tuple(others), tuple(stages), exits,
        people=float(options["people"]), egress_min=float(options["egress_min"]), step_min=10.0, with_error=False,
    )  # fmt: skip
    return Wish(x, y, radius, lattice, int(options["count"]), float(options["spacing_m"]), pattern, question)
