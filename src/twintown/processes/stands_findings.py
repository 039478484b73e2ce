"""What is wrong with where a stand stands, or not known of it, in words."""

from __future__ import annotations

from typing import Any, Literal

from twintown.ground.names import Name

from .stands_ground import Ground
from .stands_place import Stand
from .stands_score import Question, Scored

Level = Literal["bad", "warn", "info"]
#: More sun than this on the produce in an hour is told, minutes.
_SUNNY_MIN = 10.0
#: A range of sun on the produce wider than this is told, minutes an hour.
_UNSURE_MIN = 10.0
#: A lorry farther than this is told, metres.
_FAR_M = 50.0
#: Buildings beyond the edge are not known: nearer than this to it shadows may be missing, metres.
_EDGE_M = 150.0


def finding(code: str, ko: str, en: str, level: Level) -> dict[str, Any]:
    """A finding as it is sent."""
    return {"code": code, "text": Name(ko, en).to_dict(), "level": level}


def findings_of(ground: Ground, stand: Stand, asked: Question, found: Scored) -> list[dict[str, Any]]:
    """All findings, the worst first."""
    told = [
        *_standing(found),
        *_width(found),
        *_sun(found),
        *_lorry(found),
        *_unknown(ground, stand, asked, found),
    ]
    order = {"bad": 0, "warn": 1, "info": 2}
    return sorted(told, key=lambda one: order[one["level"]])


def _standing(found: Scored) -> list[dict[str, Any]]:
    room, told = found.room, []
    if not room.inside:
        told.append(finding("outside", "트윈의 범위 밖입니다.", "It lies outside the twin.", "bad"))
    if room.building is not None and room.venue:
        told.append(
            finding(
                "in-venue", f"야외무대의 무대·객석 자리입니다: {room.building.ko}",
                f"It stands where the stage or the seats of an open-air stage are: {room.building.en}", "warn",
            )
        )  # fmt: skip
    elif room.building is not None:
        ko, en = f"건물 안입니다: {room.building.ko}", f"It stands in a building: {room.building.en}"
        told.append(finding("in-building", ko, en, "bad"))
    if room.road is not None:
        ko, en = f"차도 위입니다: {room.road.ko}", f"It stands in the road: {room.road.en}"
        told.append(finding("in-road", ko, en, "bad"))
    for name in room.overlaps:
        ko, en = (
            ("무대", "the stage") if name == "stage" else (f"다른 판매대 {name}", f"another stand: {name}")
        )
        told.append(
            finding("overlap", f"{ko}와(과) 자리나 줄이 겹칩니다.", f"It or its queue overlaps {en}.", "bad")
        )
    if room.blocks:
        told.append(
            finding(
                "blocks-exit", f"출구 {room.blocks}곳 앞에 {found.needed_m:.1f} m 폭이 남지 않습니다.",
                f"Less than {found.needed_m:.1f} m stays clear before {room.blocks} exit(s).", "bad",
            )
        )  # fmt: skip
    return told


def _width(found: Scored) -> list[dict[str, Any]]:
    clear, room = found.room.clear_m, found.room
    if clear is None or clear >= found.needed_m or room.building or room.road or room.overlaps:
        return []  # known to be enough, or it cannot stand there anyway
    what = {
        "building": ("건물", "a building"),
        "road": ("차도", "the road"),
        "stand": ("판매대", "a stand"),
        "stage": ("무대", "the stage"),
    }
    ko, en = what.get(found.room.stopped_by, ("", ""))
    return [
        finding(
            "narrow", f"줄 앞에 {clear:.1f} m만 남습니다({ko}까지). {found.needed_m:.1f} m가 필요합니다.",
            f"Only {clear:.1f} m stays clear before the queue (up to {en}); {found.needed_m:.1f} m is needed.", "bad",
        )
    ]  # fmt: skip


def _sun(found: Scored) -> list[dict[str, Any]]:
    told = []
    produce = next(one for one in found.parts if one.part.code == "sun_produce")
    if produce.low is not None and produce.high is not None and produce.high - produce.low > _UNSURE_MIN:
        told.append(
            finding(
                "sun-unsure",
                f"둘레 건물의 높이가 추정이거나 오차가 있어 농산물의 햇빛이 시간당 {produce.low:.0f}–{produce.high:.0f}분일 수 있습니다.",
                f"Heights of buildings around are guessed or in error: the produce may have {produce.low:.0f} to {produce.high:.0f} "
                "minutes of sun an hour.", "info",
            )
        )  # fmt: skip
    sunny = [
        one.hour
        for one in found.hours
        if one.sun_produce_min is not None and one.sun_produce_min > _SUNNY_MIN
    ]
    if not sunny:
        return told
    said = ", ".join(f"{h}" for h in sunny)
    return [
        *told,
        finding(
            "produce-in-sun", f"농산물이 햇빛을 받는 시간: {said}시", f"The produce lies in the sun in the hours from {said} h.", "warn"
        )
    ]  # fmt: skip


def _lorry(found: Scored) -> list[dict[str, Any]]:
    room = found.room
    if room.lorry_m is None:
        return []
    if not room.lorry_clear:
        return [
            finding(
                "lorry-narrow", "가장 가까운 차도에서 오는 곧은 길에 건물이 있습니다(폭 3.5 m).",
                "A building stands in the straight way (3.5 m wide) from the nearest car road.", "warn",
            )
        ]  # fmt: skip
    if room.lorry_m > _FAR_M:
        return [
            finding(
                "lorry-far", f"차도에서 {room.lorry_m:.0f} m 떨어져 손으로 날라야 합니다.",
                f"{room.lorry_m:.0f} m from a car road: goods are carried by hand.", "warn",
            )
        ]  # fmt: skip
    return []


def _unknown(ground: Ground, stand: Stand, asked: Question, found: Scored) -> list[dict[str, Any]]:
    told = []
    if ground.streams(asked.day_type) is None:
        told.append(
            finding("footfall-unknown", "보행량을 알 수 없습니다(도로·역·혼잡도 층이 없음).",
                    "Passers-by are not known (no roads, stations or congestion to read).", "warn")
        )  # fmt: skip
    else:
        told.append(
            finding("footfall-assumed", "보행량은 역 혼잡도와 가정에서 계산한 값이며 세거나 보정한 값이 아닙니다.",
                    "Passers-by are computed from trains' congestion and assumptions; nobody has counted them.", "info")
        )  # fmt: skip
    if not ground.knows("buildings"):
        told.append(
            finding(
                "sun-unknown",
                "햇빛을 알 수 없습니다(건물 층이 없음).",
                "Sun is not known (no buildings to read).",
                "warn",
            )
        )
    elif found.room.inside and stand.y - ground.bounds.ymin < _EDGE_M:
        told.append(
            finding("edge", "남쪽 데이터 경계에 가까워, 밖에 있는 건물의 그림자가 빠졌을 수 있습니다.",
                    "Near the southern edge of the data: shadows of buildings beyond it may be missing.", "info")
        )  # fmt: skip
    if ground.near_open_air(stand.x, stand.y, _EDGE_M):
        told.append(
            finding("open-stage", "야외무대로 알려진 건물은 높이가 추정값이라 그림자를 계산하지 않았습니다.",
                    "A building known as an open-air stage has a guessed height; it casts no shadow here.", "info")
        )  # fmt: skip
    if asked.power is None or asked.water is None:
        told.append(
            finding("supply-unknown", "전기와 물이 있는지 데이터에 없습니다. 현장에서 확인하세요.",
                    "Whether there is power and water is not in the data: check on site.", "info")
        )  # fmt: skip
    told.append(
        finding("ground-unknown", "호수·공원·보도·나무는 데이터에 없습니다. 물가와 바닥은 현장에서 확인하세요.",
                "Lakes, parks, footways and trees are not in the data: check the waterside and the ground on site.", "info")
    )  # fmt: skip
    return told
