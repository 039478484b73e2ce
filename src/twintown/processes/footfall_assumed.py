"""What the passers-by hang on and nobody has counted: each assumption with its name, value, range and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twintown.ground.names import Name
from twintown.jobs.process import Input

#: Persons in a car that the operator calls 100 % (54 seats and 106 standing): stated by Seoul Metro with its congestion figures.
CAR_PERSONS = 160
#: Cars of a train by line of Seoul's underground; a line that is not here has `OTHER_CARS`.
CARS: Mapping[str, int] = {"1": 10, "2": 10, "3": 10, "4": 10, "5": 8, "6": 8, "7": 8, "8": 6, "9": 6}
OTHER_CARS = 8
#: Trains an hour each way by line, at the peak of a weekday and else: round numbers near the timetables, assumed.
TRAINS: Mapping[str, tuple[float, float]] = {
    "2": (20.0, 10.0),
    "3": (15.0, 8.0),
    "5": (14.0, 8.0),
    "8": (13.0, 7.5),
    "9": (12.0, 8.0),
}
OTHER_TRAINS = (14.0, 8.0)
#: Hours that begin within these are peak hours of a weekday.
PEAKS = (7, 8, 18, 19)
#: Nobody walks on roads of these kinds: car roads without pavements.
NOT_WALKED = ("motorway", "motorway_link", "trunk", "trunk_link")


@dataclass(frozen=True)
class Assumed:
    """One assumption: its value and the range that its error is taken from, both in `unit`."""

    name: str
    title: Name
    unit: str
    value: float
    low: float
    high: float
    why: Name

    def input(self) -> Input:
        """The same as an input of the process."""
        told = f"{self.low:g}–{self.high:g}"
        most = 1.0 if self.unit == "1" else self.high * 10
        return Input(
            self.name, self.title, self.unit, self.value, (int, float), minimum=self.low / 10, maximum=most,
            about=Name(f"{self.why.ko} 가정이며 범위는 {told}.", f"{self.why.en} Assumed; its range is {told}."),
        )  # fmt: skip


ASSUMED = (
    Assumed(
        "car_persons", Name("칸당 100% 인원", "Persons of a car at 100 %"), "{person}", float(CAR_PERSONS), 150.0, 165.0,
        Name("혼잡도 100%의 칸당 인원(서울교통공사: 160명).", "What 100 % congestion means (Seoul Metro states 160 a car)."),
    ),
    Assumed(
        "trains_pct", Name("열차 수", "Trains that run"), "%", 100.0, 80.0, 125.0,
        Name("노선마다 가정한 시간당 열차 수에 대한 비율(2호선 첨두 20, 그 밖 10).",
             "Of the trains an hour that are assumed by line (line 2: 20 at the peak, 10 else)."),
    ),
    Assumed(
        "alight_share", Name("환승역에서 내리는 비율", "Share that alights at an interchange"), "1", 0.35, 0.2, 0.5,
        Name("둘 이상의 노선이 만나는 역에서, 열차에 탄 사람 가운데 내리는 비율. 타는 사람도 같다고 봅니다.",
             "Of those on a train, who alight where two lines meet; as many are taken to board."),
    ),
    Assumed(
        "alight_single", Name("한 노선 역에서 내리는 비율", "Share that alights at a station of one line"), "1", 0.12, 0.06, 0.25,
        Name("노선이 하나인 역에서, 열차에 탄 사람 가운데 내리는 비율.", "Of those on a train, who alight at a station of one line."),
    ),
    Assumed(
        "walk_share", Name("걸어서 나가는 비율", "Share that walks out"), "1", 0.7, 0.5, 0.9,
        Name("내린 사람 가운데 갈아타지 않고 걸어 나가는 비율.", "Of those who alight, who walk out and do not change trains."),
    ),
    Assumed(
        "decay_m", Name("거리 감쇠", "Decay of attraction with distance"), "m", 500.0, 350.0, 800.0,
        Name("이만큼 멀어지면 찾는 사람이 1/e로 줍니다.", "Attraction falls to 1/e over this walking distance."),
    ),
    Assumed(
        "landmark_m2", Name("명소의 끌림", "Attraction of a landmark"), "m2", 5000.0, 1000.0, 20000.0,
        Name("명소 하나가 이만한 연면적처럼 끌어당깁니다.", "A landmark attracts as so much floor area does."),
    ),
)  # fmt: skip


def inputs() -> tuple[Input, ...]:
    """The assumptions as inputs."""
    return tuple(one.input() for one in ASSUMED)


def values(options: Mapping[str, Any]) -> dict[str, float]:
    """The assumptions of one question, by name; what it does not say has its value here."""
    return {one.name: float(options.get(one.name, one.value)) for one in ASSUMED}


def drawn(values: Mapping[str, float], draws: int, seed: int) -> list[dict[str, float]]:
    """Assumptions drawn from triangles over their ranges (moved along with a value that was given), seeded.

    All stations are wrong the same way in a draw: that makes the range as wide as it can be.
    """
    import numpy as np

    rng = np.random.default_rng(seed)
    found = []
    for _ in range(draws):
        one = {}
        for each in ASSUMED:
            share = float(rng.triangular(each.low / each.value, 1.0, each.high / each.value))
            top = 1.0 if each.unit == "1" else np.inf
            one[each.name] = min(top, values[each.name] * share)
        found.append(one)
    return found
