"""On what the visitors by hour stand, said for people in both languages with the numbers in it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from twintown.ground.names import Name

from . import calendar_days
from .event import Event
from .produce_finding import Basis
from .visitors import CLOSING, PULL, SHAPE, STAY, Forecast, Rain, loss_of
from .visitors_basis import NEAR_M, WET_MM, Profile

_SOURCES = {
    "assumed": Name("가정", "an assumption"),
    "counted": Name("계수한 값", "counted"),
    "tickets": Name("입장권", "tickets"),
}
_STAY_H = f"{STAY.total_seconds() / 3600:g}"
_TYPES = {
    "weekday": Name("평일", "weekday"),
    "saturday": Name("토요일", "Saturday"),
    "holiday": Name("휴일", "holiday"),
}


def stated(event: Event) -> list[Basis]:
    """What the event says itself, and what is assumed of how people come and stay."""
    said, how = event.visitors, _SOURCES[event.visitors.source]
    note = f": {said.note.strip()}" if said.note.strip() else ""
    source = "assumed" if said.source == "assumed" else "stated"
    found = [
        Basis(
            "expected",
            Name(
                f"모두 {said.expected:,}명 ± {said.error:,}명 (80 %), 근거: {how.ko}{note}",
                f"{said.expected:,} ± {said.error:,} people in all (80 %), {how.en}{note}",
            ),
            source,
        ),
        Basis(
            "stay",
            Name(
                f"한 사람이 {_STAY_H}시간 머물고, 마지막 {CLOSING.seconds // 60}분에는 새로 오지 않는다고 가정",
                f"people stay {_STAY_H} h, and nobody comes in the last {CLOSING.seconds // 60} minutes: assumed",
            ),
            "assumed",
        ),
    ]
    if event.programme:
        found.append(
            Basis(
                "items",
                Name(
                    f"방문의 {PULL:.0%}는 프로그램 {len(event.programme)}개의 시작 무렵에 온다고 가정",
                    f"{PULL:.0%} of them come around the start of items of the programme ({len(event.programme)}): assumed",
                ),
                "assumed",
            )
        )
    return found


def travel(
    profiles: Mapping[calendar_days.DayType, Profile | None], types: Mapping[date, calendar_days.DayType]
) -> list[Basis]:
    """The metro congestion that gives the shape over the hours."""
    found = []
    for kind, profile in profiles.items():
        name = _TYPES[kind]
        if profile is None:
            found.append(even(f"{name.en}: no station with congestion within {NEAR_M / 1000:g} km"))
            continue
        where = ", ".join(f"{one.name} {one.line} ({one.away_m:.0f} m)" for one in profile.stations)
        found.append(
            Basis(
                "metro",
                Name(
                    f"시간별 모양: 가까운 역의 지하철 혼잡도({name.ko}, 곡선 {profile.curves}개): {where}. 사람 수가 아니라 모양만 씁니다",
                    f"shape over the hours: metro congestion of the stations nearby ({name.en}, {profile.curves} curves): {where}. "
                    "It gives the shape only, no number of people",
                ),
                "measured",
            )
        )
        found.append(
            Basis(
                "shape-error",
                Name(
                    f"모양의 오차: 역과 방향 사이의 차이, 적어도 {SHAPE:.0%}",
                    f"error of the shape: how the stations and directions differ, {SHAPE:.0%} at least",
                ),
                "computed",
            )
        )
    if strange := sorted({day.year for day in types} - calendar_days.years()):
        found.append(
            Basis(
                "holidays",
                Name(
                    f"{strange[0]}년의 음력 공휴일은 여기에 없어 요일만 보았습니다",
                    f"the lunar holidays of {strange[0]} are not known here: only the days of the week count",
                ),
                "assumed",
            )
        )
    return found


def even(why: str) -> Basis:
    """Without congestion the hours are alike."""
    return Basis(
        "even",
        Name(
            f"지하철 혼잡도를 쓸 수 없어 시간마다 고르게 온다고 가정 ({why})",
            f"metro congestion cannot be used, so people are assumed to come evenly ({why})",
        ),
        "assumed",
    )


def dry(why: str) -> Basis:
    """Without weather nothing is known of rain."""
    return Basis(
        "no-weather",
        Name(
            f"날씨를 읽을 수 없어 비를 계산하지 않았습니다 ({why})", f"no weather: rain is left out ({why})"
        ),
        "assumed",
    )


def weather(event: Event, found: Forecast, outdoors: bool, rain: Rain) -> list[Basis]:
    """The rain of that month in a typical year, and what it is assumed to do."""
    if not outdoors:
        text = Name(
            "회의는 실내로 보아 비를 계산하지 않았습니다",
            "a conference is taken to be indoors: rain is left out",
        )
        return [Basis("indoors", text, "assumed")]
    if not rain:
        return []
    loss = loss_of(event)
    shares = [one.rain for one in found.hours]
    low, high = min(shares), max(shares)
    measured = Basis(
        "rain",
        Name(
            f"전형 기상년의 그 달, 행사 시간에 비 오는 날의 비율 {low:.0%}–{high:.0%} (시간당 {WET_MM} mm 이상)",
            f"share of days of that month with rain in these hours, typical year: {low:.0%} to {high:.0%} (from {WET_MM} mm an hour)",
        ),
        "measured",
    )
    if not loss:
        text = Name("계수한 값에는 날씨를 더하지 않습니다", "what was counted is not corrected for rain")
        return [Basis("rain-loss", text, "computed")]
    text = Name(
        f"비가 오면 {loss:.0%}가 오지 않는다고 가정: 기댓값을 낮추고 오차를 넓힙니다",
        f"when it rains {loss:.0%} stay away (assumed): lower expectation, wider error",
    )
    return [measured, Basis("rain-loss", text, "assumed")]


def past(event: Event, listed: Sequence[Event], title: str) -> Basis:
    """What past events tell: that there were some, and that nobody counted."""
    same = sum(bool(event.place.venue) and one.place.venue == event.place.venue for one in listed)
    return Basis(
        "no-attendance",
        Name(
            f"지난 행사 {len(listed)}건(같은 장소 {same}건, {title})에는 관람객 수가 없어 쓸 수 없습니다",
            f"none of the {len(listed)} past events ({same} at this venue, {title}) states how many came, so they cannot be used",
        ),
        "stated",
    )


def unknown() -> Basis:
    """Of a listing nobody knows who came."""
    return Basis(
        "no-attendance",
        Name("이 행사의 관람객 수는 자료에 없습니다", "nobody stated how many came to this event"),
        "stated",
    )


def quantiles() -> Basis:
    """By which method the low and high numbers are found."""
    return Basis(
        "quantiles",
        Name(
            "낮음·높음은 맑은 날과 비 오는 날을 섞은 정규분포의 10 %·90 % 분위수입니다",
            "low and high are the 10 % and 90 % quantiles of a mixture of normals: a dry day and a wet one",
        ),
        "computed",
    )
