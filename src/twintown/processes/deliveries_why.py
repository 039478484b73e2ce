"""Why a need stays unmet, and what would meet it: each bar is taken away alone, and the lot that then fits is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .deliveries_fit import free_of, options
from .deliveries_read import Lots, Needs
from .deliveries_rows import GRADES, Floats, date_of

#: Less than this is no shortage, kg.
CRUMB_KG = 0.05
#: Each code, in both languages.
REASONS: dict[str, tuple[str, str]] = {
    "outside-days": ("계획 기간 밖의 날입니다", "The day lies outside the days that are planned"),
    "no-lot": ("이 품목의 물량이 없습니다", "There is no lot of this product"),
    "lot-failed": ("있던 물량이 실패했거나 회수되었습니다", "The lots there were have failed or are recalled"),
    "window": ("그날 내줄 수 있는 물량이 없습니다", "No lot is offered on that day"),
    "shelf-life": ("있는 물량은 그날까지 보관할 수 없습니다", "The lots there are do not keep until that day"),
    "grade": ("요구 등급에 맞는 물량이 없습니다", "No lot is of the grade that is asked for"),
    "allergen": ("피해야 할 알레르기 물질이 들어 있습니다", "The lots hold an allergen that is not wanted"),
    "price": ("가격 상한보다 비쌉니다", "The lots cost more than the price limit"),
    "several": ("한 가지 조건만으로는 풀리지 않습니다", "More than one condition stands in the way"),
    "time-window": ("어느 차량도 그 시간대에 닿을 수 없습니다", "No vehicle can be there within the window"),
    "far": ("남은 물량이 있는 산지에는 그 시간 안에 들를 수 없습니다", "The lots that are left lie too far to be collected in time"),
    "vehicle": ("그날 남은 차량이나 적재량이 없습니다", "No vehicle, or no room in one, is left on that day"),
    "shortage": ("물량이 모자라 다른 수요가 먼저입니다", "There is too little of it, and other needs weigh more"),
    "cost": ("배달 비용이 부족의 무게보다 큽니다", "Bringing it costs more than its absence counts"),
}  # fmt: skip
_GRADE_KO = {"special": "특", "upper": "상", "middle": "보통", "lower": "하"}
_GRADE = {rank: word for word, rank in GRADES.items() if word}


@dataclass(frozen=True)
class Why:
    """One reason with its remedy, ko and en."""

    code: str
    remedy_ko: str
    remedy_en: str


def _kg(value: float) -> str:
    return f"{value:,.1f}".removesuffix(".0")


def _up(value: float) -> str:
    """Rounded so that it is enough."""
    return _kg(float(np.ceil(value * 10 - 1e-6)) / 10)


def barred(need: int, kg: float, needs: Needs, lots: Lots) -> Why:
    """Why no lot fits a need at all."""
    wanted = options(str(needs.product[need]), str(needs.substitutes[need]))
    mine = np.flatnonzero(np.isin(lots.product, list(wanted)))
    day = int(needs.day[need])
    bring = Why(
        "no-lot",
        f"{date_of(day)}까지 이 품목 {_up(kg)} kg을 구합니다",
        f"find {_up(kg)} kg of this product by {date_of(day)}",
    )
    if not len(mine):
        return bring
    if not (lots.usable[mine] & (lots.kg[mine] > 0)).any():
        if (~lots.usable[mine]).any():
            return Why("lot-failed", bring.remedy_ko, bring.remedy_en)
        return Why("shortage", bring.remedy_ko, bring.remedy_en)
    mine = mine[lots.usable[mine] & (lots.kg[mine] > 0)]
    unwanted = str(needs.allergens_not[need])
    good = {
        "day": (lots.first[mine] <= day) & (lots.last[mine] >= day),
        "grade": lots.grade[mine] >= needs.grade[need],
        "allergen": np.array([free_of(str(text), unwanted) for text in lots.allergens[mine]], bool),
        "price": lots.krw_kg[mine] <= needs.krw_max[need],
    }
    say: dict[str, Callable[[np.ndarray], Why]] = {
        "price": lambda rows: _price(rows, need, needs, lots),
        "grade": lambda rows: _grade(rows, lots),
        "day": lambda rows: _day(rows, day, bring, lots),
        "allergen": lambda rows: _allergen(rows, unwanted, bring, lots),
    }
    for name, words in say.items():
        alone = np.all([flag for other, flag in good.items() if other != name], axis=0) & ~good[name]
        if alone.any():
            return words(mine[alone])
    bars = [name for name, flag in good.items() if not flag.any()] or list(good)
    ko = {"day": "날짜", "grade": "등급", "allergen": "알레르기", "price": "가격"}
    en = {"day": "day", "grade": "grade", "allergen": "allergen", "price": "price"}
    return Why(
        "several", f"{', '.join(ko[b] for b in bars)} 조건을 함께 풀거나, {bring.remedy_ko}",
        f"ease {', '.join(en[b] for b in bars)} together, or {bring.remedy_en}",
    )  # fmt: skip


def _price(rows: np.ndarray, need: int, needs: Needs, lots: Lots) -> Why:
    best = rows[np.lexsort((rows, lots.krw_kg[rows]))[0]]
    more = float(np.ceil(lots.krw_kg[best] - needs.krw_max[need]))
    name, kg = lots.id[best], _kg(float(lots.kg[best]))
    return Why(
        "price", f"상한을 kg당 {more:,.0f}원 올리면 {name} ({kg} kg)을 받을 수 있습니다",
        f"with a price limit {more:,.0f} KRW/kg higher the lot {name} ({kg} kg) would do",
    )  # fmt: skip


def _grade(rows: np.ndarray, lots: Lots) -> Why:
    best = rows[np.lexsort((rows, -lots.kg[rows], -lots.grade[rows]))[0]]
    word = _GRADE.get(int(lots.grade[best]), "")
    name, kg = lots.id[best], _kg(float(lots.kg[best]))
    return Why(
        "grade", f"'{_GRADE_KO.get(word, '등급 없음')}' 등급도 받으면 {name} ({kg} kg)이 있습니다",
        f"if the grade {word or '(none)'!r} would do, there is the lot {name} ({kg} kg)",
    )  # fmt: skip


def _day(rows: np.ndarray, day: int, bring: Why, lots: Lots) -> Why:
    far = np.where(lots.first[rows] > day, lots.first[rows] - day, day - lots.last[rows])
    best = rows[np.lexsort((rows, far))[0]]
    name, kg = lots.id[best], _kg(float(lots.kg[best]))
    if lots.first[best] > day:
        first = date_of(lots.first[best])
        return Why(
            "window", f"{name} ({kg} kg)은 {first}부터입니다. 날을 미루거나 {bring.remedy_ko}",
            f"the lot {name} ({kg} kg) begins on {first}: move the day, or {bring.remedy_en}",
        )  # fmt: skip
    last, code = date_of(lots.last[best]), "shelf-life" if lots.perishes[best] else "window"
    return Why(
        code, f"{name} ({kg} kg)은 {last}까지입니다. 날을 당기거나 {bring.remedy_ko}",
        f"the lot {name} ({kg} kg) lasts until {last}: bring the day forward, or {bring.remedy_en}",
    )  # fmt: skip


def _allergen(rows: np.ndarray, unwanted: str, bring: Why, lots: Lots) -> Why:
    best = rows[np.lexsort((rows, -lots.kg[rows]))[0]]
    return Why(
        "allergen", f"{lots.id[best]}에는 {lots.allergens[best]}이(가) 있습니다. {unwanted} 없는 물량으로 {bring.remedy_ko}",
        f"the lot {lots.id[best]} holds {lots.allergens[best]}: {bring.remedy_en} without {unwanted}",
    )  # fmt: skip


def held_back(
    need: int,
    kg: float,
    needs: Needs,
    lots: Lots,
    left: Floats,
    ratio: dict[int, float],
    near: set[int],
    reachable: bool,
    spare: bool,
) -> Why:
    """Why a need that lots fit stays unmet.

    Args:
        left: kg that stay free of each lot.
        ratio: kg for one kg of the need, of each lot that fits it on its day.
        near: those of them that a vehicle can collect before it is there.
        reachable: a vehicle could.
        spare: a vehicle stays at home on that day that could.
    """
    day = date_of(int(needs.day[need]))
    opens, closes = float(needs.opens[need]), float(needs.closes[need])
    if not reachable:
        return Why(
            "time-window", f"{opens:g}–{closes:g}시보다 넓은 시간대나 더 일찍 나서는 차량이 필요합니다",
            f"a window wider than {opens:g}–{closes:g} h, or a vehicle that begins earlier",
        )  # fmt: skip
    free = sum(float(left[lot]) / by for lot, by in ratio.items())
    if free < kg - CRUMB_KG:
        more = _up(kg - free)
        return Why(
            "shortage",
            f"{day}에 쓸 수 있는 이 품목 {more} kg이 더 있으면 됩니다",
            f"{more} kg more of this product that can be had on {day}",
        )
    at_hand = sum(float(left[lot]) / ratio[lot] for lot in near)
    if at_hand < kg - CRUMB_KG:
        best = max((lot for lot in ratio if lot not in near), key=lambda lot: (float(left[lot]), -lot))
        return Why(
            "far", f"더 일찍 나서는 차량이 있거나 {lots.id[best]} ({_kg(float(left[best]))} kg)을 가까운 곳으로 미리 옮기면 됩니다",
            f"a vehicle that begins earlier, or the lot {lots.id[best]} ({_kg(float(left[best]))} kg) brought nearer beforehand",
        )  # fmt: skip
    if spare:
        return Why(
            "cost", "부족의 가중치를 높이거나, 다른 배달과 묶이도록 날이나 시간을 옮깁니다",
            "a higher weight of shortage, or a day or window at which a vehicle comes by anyway",
        )  # fmt: skip
    return Why(
        "vehicle", f"{day}에 차량 한 대를 더하면 {_kg(kg)} kg을 나를 수 있습니다",
        f"with one more vehicle on {day} {_kg(kg)} kg could be carried",
    )  # fmt: skip
