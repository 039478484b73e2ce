"""What the process `view` is asked with and what it answers: inputs and outputs with units, for people and as JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twintown.ground.names import Name
from twintown.jobs.process import Input, Output

EYE_M = 1.6
MOST_LANDMARKS, MOST_RIDGES = 16, 16

_LON = {"type": "number", "minimum": -180, "maximum": 180}
_LAT = {"type": "number", "minimum": -90, "maximum": 90}
POINT_SCHEMA: Mapping[str, Any] = {
    "type": "array",
    "items": {
        "type": "object", "required": ["lon", "lat"], "additionalProperties": False,
        "properties": {"lon": _LON, "lat": _LAT, "eye_m": {"type": "number", "minimum": 0.1, "maximum": 1000, "default": EYE_M},
                       "name": {"type": "string"}},
    },
}  # fmt: skip
RIDGE_SCHEMA: Mapping[str, Any] = {
    "type": "array", "maxItems": MOST_RIDGES,
    "items": {
        "type": "object", "required": ["name", "points"], "additionalProperties": False,
        "properties": {
            "name": {"type": "string"},
            "points": {
                "type": "array", "minItems": 2, "maxItems": 2000,
                "items": {"type": "array", "prefixItems": [_LON, _LAT, {"type": "number"}], "minItems": 3, "maxItems": 3},
            },
        },
    },
}  # fmt: skip
IDS_SCHEMA: Mapping[str, Any] = {
    "type": "array", "maxItems": MOST_LANDMARKS, "items": {"type": "string"}, "uniqueItems": True,
}  # fmt: skip

NUMBER = (int, float)

INPUTS = (
    Input(
        "observers", Name("관찰점", "Observers"), "1", [], (list,), schema=POINT_SCHEMA,
        about=Name(
            "가시권을 구하는 눈의 위치. 없으면 가운데의 열린 곳 하나",
            "Eyes whose viewsheds are made; none: one open place in the middle",
        ),
    ),
    Input(
        "points", Name("조망점", "View points"), "1", [], (list,), schema=POINT_SCHEMA,
        about=Name(
            "하늘·건물·녹지의 비율을 재는 곳 (관찰점에 더하여)",
            "Where shares of sky, buildings and green are measured, beside the observers",
        ),
    ),
    Input(
        "points_every_m", Name("조망점 격자 간격 (0: 없음)", "Lattice of view points (0: none)"), "m", 0.0, NUMBER,
        minimum=0, maximum=10_000,
    ),
    Input(
        "landmarks", Name("랜드마크", "Landmarks"), "1", [], (list,), schema=IDS_SCHEMA, rows_of="buildings",
        about=Name("건물 식별자. 없으면 가장 높은 건물", "Ids of buildings; none: the tallest"),
    ),
    Input(
        "ridges", Name("능선", "Ridge lines"), "1", [], (list,), schema=RIDGE_SCHEMA,
        about=Name(
            "이름과 점들 [경도, 위도, 높이 m]. 높이는 건물과 같은 기준 (지형이 없으면 도시의 지면)",
            "Names and points [lon, lat, height m]; heights from the same zero as the buildings' (without terrain the city's ground)",
        ),
    ),
    Input(
        "target", Name("어디서 보이는지 볼 건물", "Building whose visibility is mapped"), "1", "", rows_of="buildings",
        about=Name(
            "건물 또는 계획 건물의 식별자. 없으면 첫 랜드마크", "Id of a building or of one in the plan; none: the first landmark"
        ),
    ),
    Input(
        "eye_m", Name("보는 사람의 눈높이", "Eye height of who sees the target"), "m", EYE_M, NUMBER, minimum=0.1, maximum=1000
    ),
    Input(
        "target_m", Name("보이는 물체의 높이", "Height of what the observers look for"), "m", 0.0, NUMBER, minimum=0, maximum=1000
    ),
    Input("range_m", Name("최대 거리", "Range"), "m", 10_000.0, NUMBER, minimum=10, maximum=100_000),
    Input("cell_m", Name("격자 크기", "Cell"), "m", 2.0, NUMBER, minimum=0.25, maximum=100),
)  # fmt: skip

OUTPUTS = (
    Output("view-seen", Name("보고 있는 관찰점 수", "Observers who see it"), "{observer}", "grid"),
    Output("view-height", Name("보이려면 필요한 높이", "Height needed to be seen"), "m", "grid", 0.5),
    Output(
        "view-tower", Name("보이는 대상 건물의 길이", "Metres of the target that are seen"), "m", "grid", 0.5
    ),
    Output("view-points", Name("조망점", "View points"), "%", "features", 0.05),
    Output(
        "view-sights", Name("보이는 랜드마크와 능선", "Landmarks and ridges in sight"), "m", "features", 0.05
    ),
)
