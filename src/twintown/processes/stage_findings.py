"""What is wrong with where a stage stands, or only estimated of it, in words."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from twintown.ground.names import Name

from .stage_city import City
from .stage_place import SAID, Stage
from .stage_score import FULL_MIN, Question, Scored
from .stage_sound import BEHIND_DB, ERROR_DB, ERROR_SCREENED_DB, REACH_M

Level = Literal["bad", "warn", "info"]
#: From which share of the audience a thing is told; who sees less than half of the front is told as one who does not see.
_MANY, _HALF = 0.25, 0.5
_HOT_H = 14


def finding(code: str, ko: str, en: str, level: Level) -> dict[str, Any]:
    """A finding as it is sent."""
    return {"code": code, "text": Name(ko, en).to_dict(), "level": level}


def findings_of(
    city: City, stage: Stage, asked: Question, found: Scored, named: bool = True
) -> list[dict[str, Any]]:
    """All findings, the worst first; `named`: whether buildings may be named."""
    told = [
        *_ground(city, found, named),
        *_sight(stage, asked, found),
        *_sun(asked, found),
        *_sound(city, asked, found, named),
    ]
    told += [*_edge(city, stage), *_assumed(stage)]
    order = {"bad": 0, "warn": 1, "info": 2}
    return sorted(told, key=lambda one: order[one["level"]])


def _ground(city: City, found: Scored, named: bool) -> list[dict[str, Any]]:
    told = []
    if found.under:
        names = ", ".join(city.label(one) for one in found.under[:3]) if named else "1"
        told.append(
            finding(
                "stage-in-building",
                f"무대가 건물과 겹칩니다: {names}",
                f"The stage meets a building: {names}",
                "bad",
            )
        )
    whole = len(found.audience.xy) + found.audience.built
    if found.audience.built and whole:
        share = 100.0 * found.audience.built / whole
        told.append(
            finding(
                "audience-in-building", f"관객 자리의 {share:.0f} %가 건물 안이거나 트윈의 범위 밖이라 세지 않았습니다.",
                f"{share:.0f} % of the audience's places lie in buildings or outside the twin and do not count.",
                "warn" if share > 100 * _MANY else "info",
            )
        )  # fmt: skip
    if not len(found.audience.xy):
        told.append(
            finding("no-audience", "관객이 설 자리가 없습니다.", "There is no room for an audience.", "bad")
        )
    return told


def _sight(stage: Stage, asked: Question, found: Scored) -> list[dict[str, Any]]:
    seen, told = found.audience, []
    if not len(seen.xy):
        return []
    hidden = float((seen.by_buildings > _HALF).mean())
    if hidden > 0.0:
        told.append(
            finding(
                "hidden", f"관객 자리의 {100 * hidden:.0f} %에서 건물이 무대의 절반 넘게 가립니다.",
                f"From {100 * hidden:.0f} % of the audience's places buildings hide more than half of the stage.",
                "bad" if hidden > _MANY else "warn",
            )
        )  # fmt: skip
    poor = seen.away_m[(seen.by_heads > _HALF) & (seen.by_buildings <= _HALF)]
    if len(poor):
        near = float(poor.min())
        sits = ("앉은", "seated") if asked.seated else ("선", "standing")
        told.append(
            finding(
                "heads", f"앞에서 {near:.0f} m부터는 {sits[0]} 앞사람 머리가 무대의 절반 넘게 가립니다(바닥이 평평하고 무대 높이가 "
                f"{stage.height_m:g} m일 때). 무대를 높이거나 영상 화면을 두십시오.",
                f"From {near:.0f} m on the heads of {sits[1]} people ahead hide more than half of the stage (flat ground, deck at "
                f"{stage.height_m:g} m). A higher deck or a screen would help.", "info",
            )
        )  # fmt: skip
    return told


def _sun(asked: Question, found: Scored) -> list[dict[str, Any]]:
    if not len(found.sun):
        return []
    told = []
    if asked.from_h <= _HOT_H < asked.to_h:
        full = float((found.sun[:, _HOT_H - asked.from_h] >= FULL_MIN).mean())
        if full >= _HALF:
            told.append(
                finding(
                    "sun-14", f"14시에 관객의 {100 * full:.0f} %가 햇볕 아래 있습니다. 그늘막이 필요합니다.",
                    f"At 14 h {100 * full:.0f} % of the audience stand in full sun. They need shade.", "warn",
                )
            )  # fmt: skip
    return told


def _sound(city: City, asked: Question, found: Scored, named: bool) -> list[dict[str, Any]]:
    windows = found.windows
    if not len(windows.level_db):
        ko, en = (
            f"{REACH_M:.0f} m 안에 알려진 건물이 없습니다.",
            f"No building is known within {REACH_M:.0f} m.",
        )
        return [finding("no-windows", ko, en, "info")]
    limit, hour = asked.limits.strictest(asked.from_h, asked.to_h)
    loudest = int(windows.loudest(1)[0])
    level, error = float(windows.level_db[loudest]), float(windows.error_db[loudest])
    where = city.label(int(windows.building[loudest])) if named else f"{windows.distance_m[loudest]:.0f} m"
    over = len(np.unique(windows.building[windows.level_db > limit]))
    at_ko = f"가장 큰 곳({where})에서 {level:.0f} dB(A) ± {error:.0f} (추정)"
    at_en = f"At the loudest facade ({where}) about {level:.0f} dB(A) ± {error:.0f} (an estimate)"
    source, told = asked.limits.source, []
    if over:
        ko = (
            f"{at_ko}, {hour}시의 기준 {limit:.0f} dB(A)를 넘습니다. 넘는 건물 {over}동. "
            f"{source['title']}: {asked.limits.zone_ko} 기준이며 관할 부서의 확인이 필요합니다."
        )
        en = (
            f"{at_en}, above the limit of {limit:.0f} dB(A) at {hour} h; {over} buildings are above it. {source['title_en']}, "
            f"{asked.limits.zone_en}: to be confirmed by the office."
        )
        told.append(finding("sound-limit", ko, en, "bad" if level - error > limit else "warn"))
    elif level + error > limit:
        ko = f"{at_ko}: 오차 안에서 기준 {limit:.0f} dB(A)를 넘을 수 있습니다."
        en = f"{at_en}: within the error it may be above the limit of {limit:.0f} dB(A)."
        told.append(finding("sound-near-limit", ko, en, "warn"))
    ko = (
        f"소음은 추정값입니다(ISO 9613-2: 거리, 공기, 건물의 차폐). 오차는 트인 곳 ±{ERROR_DB:.0f} dB, "
        f"건물 뒤 ±{ERROR_SCREENED_DB:.0f} dB. 스피커는 뒤로 최대 {BEHIND_DB:.0f} dB 작다고 가정합니다. "
        "반사, 바람, 창문의 실제 위치는 모릅니다."
    )
    en = (
        f"Levels are an estimate (ISO 9613-2: distance, air, screening by buildings), ±{ERROR_DB:.0f} dB in the open and "
        f"±{ERROR_SCREENED_DB:.0f} dB behind buildings. Loudspeakers are taken as up to {BEHIND_DB:.0f} dB less loud behind. "
        "Reflections, wind and where windows really are, are not known."
    )
    told.append(finding("sound-estimate", ko, en, "info"))
    return told


def _edge(city: City, stage: Stage) -> list[dict[str, Any]]:
    x, y = city.local(np.array([stage.x, stage.y]))
    left = float(min(x, y, city.scene.cols * city.scene.cell_m - x, city.scene.height - y))
    if left >= REACH_M:
        return []
    ko = f"트윈의 가장자리까지 {left:.0f} m입니다. 그 너머의 창문, 그늘, 시야는 모릅니다."
    en = f"The twin ends {left:.0f} m away: windows, shade and sight beyond are not known."
    return [finding("edge", ko, en, "info")]


def _assumed(stage: Stage) -> list[dict[str, Any]]:
    if "level_db" not in stage.assumed:
        return []
    usual = SAID["level_db"][2]
    ko = f"음량을 적지 않아 10 m에서 {usual:.0f} dB(A)로 가정했습니다."
    return [
        finding("level-assumed", ko, f"No level was stated: {usual:.0f} dB(A) at 10 m is assumed.", "info")
    ]
