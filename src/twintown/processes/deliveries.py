"""The process `deliveries`: which lot goes to which need on which day, in which vehicle, at what time; and why a need stays unmet."""

from __future__ import annotations

from collections.abc import Iterator

from twintown.ground.names import Name
from twintown.jobs.process import Ask, Output, Process, Shape

from .deliveries_inputs import INPUTS

VERSION = "1"


def _accept(ask: Ask) -> None:
    from .deliveries_plan import accept

    accept(ask.options)


def _run(ask: Ask) -> Iterator[tuple[str, Shape]]:
    from .deliveries_plan import plan  # a solver: only who plans waits for it

    yield from plan(ask, VERSION)


PROCESS = Process(
    id="deliveries",
    title=Name("배달 계획", "Delivery plan"),
    version=VERSION,
    needs=("lots", "needs", "vehicles"),
    takes=("producers",),
    inputs=INPUTS,
    outputs=(
        Output("deliveries", Name("배달", "Deliveries"), "kg", "features", error=0.01),
        Output("loads", Name("차량의 하루", "Vehicle days"), "kg", "features", error=0.01),
        Output("unmet", Name("채우지 못한 수요", "Unmet needs"), "kg", "features", error=0.01),
        Output("balance", Name("날마다의 수지", "Balance by day"), "kg", "features", error=0.01),
    ),
    citations=("huangfu2018", "beasley1983", "prins2004", "vidal2013", "gonzalez1985", "dantzig1963", "fisher2004", "crouse2016"),
    validation=("deliveries_transport", "deliveries_exact", "deliveries_feasible"),
    run=_run,
    about=Name(
        "여러 산지의 물량을 여러 날의 수요에 차량, 배달 시간대, 보관 기간, 대체 품목, 가격 상한, 등급, 알레르기를 지키며 나눕니다. "
        "배달 경로는 먼저 정해 둔 순회이며, 증명하는 차이는 이 순회 안에서의 것입니다. "
        "도로 데이터가 없어 거리는 직선거리 × 우회 계수(가정)입니다.",
        "Allots lots of several origins to the needs of several days within vehicles, windows, shelf lives, substitutes, price limits, "
        "grades and allergens. Routes are rounds that are fixed first, and the proven gap is the gap among plans of these rounds. "
        "Without a road network distances are straight lines times a declared factor (assumed).",
    ),
    error=Name(
        "물량은 10 g까지 맞습니다. 시각과 거리는 직선거리 × 우회 계수와 일정한 속도에서 나온 추정입니다. "
        "작은 문제 열 개에서 모든 계획을 다 세어 본 최선보다 평균 0.2 %, 가장 많게는 0.9 % 비쌌습니다. "
        "큰 문제에서는 순회를 정한 몫을 재지 못했습니다.",
        "Quantities add up to 10 g. Hours and kilometres are estimates: straight lines times a factor, at one speed a vehicle. "
        "In ten tiny questions plans cost 0.2 % more than the best of all plans, 0.9 % at most; what fixing the rounds costs in large ones "
        "is not measured, only bounded by what plans would cost if driving were free.",
    ),
    accept=_accept,
)  # fmt: skip
