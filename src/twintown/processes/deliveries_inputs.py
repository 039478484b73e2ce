"""What the process `deliveries` is asked with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twintown.ground.names import Name
from twintown.jobs.process import Input

NUMBER = (int, float)
_LAYER: Mapping[str, Any] = {"type": "string", "maxLength": 64}


def _weight(name: str, ko: str, en: str, about_ko: str, about_en: str) -> Input:
    return Input(
        name, Name(ko, en), "1", 1.0, NUMBER, minimum=0.0, maximum=1000.0, about=Name(about_ko, about_en)
    )


INPUTS = (
    Input(
        "start", Name("첫날", "First day"), "1", "", (str,), schema={"type": "string", "maxLength": 10},
        about=Name("YYYY-MM-DD. 비우면 수요의 첫날", "YYYY-MM-DD; empty: the first day of the needs"),
    ),
    Input(
        "days", Name("며칠", "Days"), "d", 0, (int,), minimum=0, maximum=400,
        about=Name("0이면 수요의 마지막 날까지", "0: until the last day of the needs"),
    ),
    _weight("cost", "비용의 무게", "Weight of cost", "구매, 운송, 집하의 원", "KRW of buying, driving and gathering"),
    _weight(
        "shortage", "부족의 무게", "Weight of shortage", "채우지 못한 1 kg은 20,000원 × 이 값 × 수요의 가중치 (가정)",
        "a kg that is not met counts 20,000 KRW times this times the need's weight (assumed)",
    ),
    _weight(
        "waste", "폐기의 무게", "Weight of waste", "기간 안에 못 쓰게 되는 물량은 그 가격 × 이 값",
        "what perishes within the days counts its price times this",
    ),
    _weight(
        "emissions", "배출의 무게", "Weight of emissions", "CO₂ 1 kg은 100원 × 이 값 (가정)",
        "a kg of CO₂ counts 100 KRW times this (assumed)",
    ),
    Input(
        "detour", Name("우회 계수", "Detour"), "1", 1.35, NUMBER, minimum=1.0, maximum=4.0,
        about=Name("도로 길이 / 직선거리 (가정)", "Road over straight line (assumed)"),
    ),
    Input("minutes_stop", Name("정차 시간", "Minutes at a stop"), "min", 8.0, NUMBER, minimum=0.0, maximum=240.0),
    Input(
        "gather_km", Name("집하 거리", "Gathering within"), "km", 0.0, NUMBER, minimum=0.0, maximum=100.0,
        about=Name(
            "이 거리 안의 생산자는 전날 집하장으로 직접 가져옵니다. 0이면 차량이 산지마다 들릅니다.",
            "Producers within this of a gathering point bring their lots there on the eve; 0: vehicles call at each origin.",
        ),
    ),
    Input(
        "caution", Name("신중함", "Caution"), "1", 0.0, NUMBER, minimum=0.0, maximum=1.0,
        about=Name("물량에서 오차의 이만큼을 빼고 계획합니다.", "This share of a lot's stated error is held back."),
    ),
    Input(
        "gap", Name("허용하는 차이", "Gap"), "1", 0.02, NUMBER, minimum=0.0, maximum=1.0,
        about=Name(
            "가장 좋은 계획과의 차이가 이보다 작다고 증명되면 멈춥니다.", "Stops once the plan is proven to be this close to the best."
        ),
    ),
    Input(
        "seconds", Name("시간 제한", "Time limit"), "s", 60.0, NUMBER, minimum=1.0, maximum=600.0,
        about=Name(
            "이 시간이 지나면 그때까지의 계획과 증명된 차이로 답합니다. 그때만 기계에 따라 답이 다를 수 있습니다.",
            "After this the plan so far is given with its proven gap; only then may the answer differ between machines.",
        ),
    ),
    Input(
        "keep", Name("지킬 계획", "Plan to keep"), "1", "", (str,), schema=_LAYER, layer="features",
        about=Name(
            "앞선 `deliveries` 층. 바뀌는 것이 되도록 적게 다시 계획합니다.",
            "An earlier layer `deliveries`: planned anew with as little change as possible.",
        ),
    ),
)  # fmt: skip
