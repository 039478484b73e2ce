"""Being invalid is data: what is wrong or doubtful about a city, as findings rather than as errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from twintown.ground.features import Features
from twintown.ground.frames import Frame
from twintown.ground.provenance import Provenance

#: code: (severity, unit of the value, Korean, English). `{value}` and `{other}` are filled in.
CODES: dict[str, tuple[str, str, str, str]] = {
    "height-disagrees": (
        "warning", "m",
        "건물 외곽선의 높이는 {other} m인데 가장 높은 부분은 {value} m입니다",
        "the outline says {other} m, the highest part {value} m",
    ),
    "storey-implausible": (
        "warning", "m",
        "높이와 층수로 계산한 층고가 {value} m입니다: 둘 중 하나가 틀렸습니다",
        "height and storeys give {value} m a storey: one of them is wrong",
    ),
    "height-by-rule": (
        "info", "m",
        "표시된 높이는 층수 × {value} m와 정확히 같습니다: 측정값이 아닙니다",
        "the stated height is exactly storeys × {value} m: a rule, not a measurement",
    ),
    "missing-height": (
        "info", "m",
        "높이도 층수도 없어 주변 건물로 추정했습니다 (± {value} m)",
        "neither height nor storeys are known: estimated from neighbours (± {value} m)",
    ),
    "part-outside-outline": (
        "warning", "m2",
        "건물 부분이 외곽선 밖으로 {value} m² 나와 있습니다",
        "{value} m² of the part lie outside its building's outline",
    ),
    "part-without-outline": (
        "warning", "1",
        "어느 건물에도 속하지 않는 건물 부분입니다: 독립 건물로 세웠습니다",
        "a part that belongs to no building: it stands as a building of its own",
    ),
    "part-without-height": (
        "warning", "m",
        "부분의 높이를 알 수 없어 {value} m로 가정했습니다",
        "the part's height is unknown: {value} m assumed",
    ),
    "parts-leave-rest": (
        "info", "%",
        "부분들이 외곽선의 {value}%만 덮습니다: 나머지는 따로 세웠습니다",
        "the parts cover {value} % of the outline: the rest stands as a part of its own",
    ),
    "both-building-and-part": (
        "warning", "1",
        "건물이면서 동시에 건물 부분으로 표시되어 있습니다: 독립 건물로 한 번만 세웠습니다",
        "tagged as a building and as a part: it stands once, as a building",
    ),
    "roof-not-built": (
        "info", "1",
        "지붕 모양 ‘{other}’은 세우지 않고 평지붕으로 했습니다",
        "the roof shape “{other}” is not built; the roof is flat",
    ),
    "roof-taller-than-part": (
        "warning", "m",
        "지붕 높이 {value} m가 부분의 높이보다 큽니다: 줄였습니다",
        "the roof's {value} m are more than the part's height: reduced",
    ),
    "base-above-top": (
        "error", "m",
        "바닥 {value} m가 꼭대기보다 높습니다: 세우지 않고 지면에서 시작했습니다",
        "the base at {value} m is above the top: started on the ground",
    ),
    "height-of-nothing": (
        "warning", "m",
        "표시된 높이가 {value} m입니다: 없는 것으로 봅니다",
        "the stated height is {value} m: taken as not stated",
    ),
    "self-intersection": (
        "error", "m2",
        "외곽선이 스스로 교차합니다: 고쳐서 세웠습니다 ({value} m²)",
        "the outline crosses itself: mended ({value} m²)",
    ),
    "zero-area": (
        "error", "m2",
        "넓이가 없어 세우지 않았습니다",
        "without area: not built",
    ),
    "duplicate": (
        "error", "1",
        "‘{other}’와 같은 도형입니다: 한 번만 세웠습니다",
        "the same shape as {other}: built once",
    ),
    "overlap": (
        "warning", "m2",
        "‘{other}’와 {value} m² 겹칩니다",
        "overlaps {other} by {value} m²",
    ),
}  # fmt: skip


@dataclass
class Findings:
    """Gathers findings; `features` turns them into a layer of points."""

    rows: list[tuple[str, str, float, str, float, float]] = field(default_factory=list)

    def add(
        self, code: str, object_id: str, at: tuple[float, float], value: float = float("nan"), other: str = ""
    ) -> None:
        """One finding about an object, at a point in the frame (m)."""
        assert code in CODES, code
        self.rows.append((code, object_id, value, other, at[0], at[1]))

    def features(self, frame: Frame, provenance: Provenance) -> Features:
        """Points with `id`, `object`, `code`, `severity`, `message_ko`, `message_en`, `value`, `unit`; in order of object and code."""
        rows = sorted(set(self.rows), key=lambda row: (row[1], row[0], row[3]))
        count: dict[str, int] = {}
        records: list[Mapping[str, object]] = []
        for code, object_id, value, other, _, _ in rows:
            severity, unit, ko, en = CODES[code]
            key = f"{object_id}:{code}"
            count[key] = count.get(key, 0) + 1
            shown = {
                "value": f"{value:.6g}" if abs(value) < 10 else f"{value:,.1f}".removesuffix(".0"),
                "other": other,
            }
            records.append({
                "id": key if count[key] == 1 else f"{key}.{count[key]}", "object": object_id, "code": code, "severity": severity,
                "message_ko": ko.format(**shown), "message_en": en.format(**shown), "value": round(value, 3), "unit": unit,
            })  # fmt: skip
        columns = ["id", "object", "code", "severity", "message_ko", "message_en", "value", "unit"]
        table = pd.DataFrame(records, columns=columns)
        for name in columns:
            table[name] = table[name].astype("float64" if name == "value" else "str")
        points = shapely.points(np.array([row[4:6] for row in rows], float).reshape(-1, 2))
        return Features(gpd.GeoDataFrame(table, geometry=points, crs=frame.crs), frame, provenance)
