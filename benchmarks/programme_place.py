"""The numbers of places: a stand scored while it is dragged, passers-by of a district, places tried and chosen around the stage.

On the built demo twin of Jamsil (a copy of it), at Seoul Nori Madang: what the page asks, at the page's end of the line.
"""

from __future__ import annotations

import http.client
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from table import ROOT, Row

CITY = ROOT / "cities" / "jamsil"
#: Seoul Nori Madang, and the day of the story.
LON, LAT, DAY = 127.0981982, 37.50936664, "2027-09-18"
DRAGS = 50
_LAYERS = ("roads", "stations", "metro-congestion", "buildings", "building-parts", "landmarks")


def rows() -> Iterator[Row]:
    """The score at the client, then the two processes."""
    if not (CITY / "state.db").exists():
        yield Row(
            "stand scored while dragged",
            None,
            "ms",
            "< 200",
            False,
            note="the demo is not built: make demo-build",
        )
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "jamsil"
        shutil.copytree(CITY, copy)
        yield from dragged(copy)
        yield from computed(copy)


def _question(k: int) -> bytes:
    """A stand on its way past the stage, with two others, a stage and an exit."""

    def placed(east: float, north: float) -> dict[str, float]:
        return {"lon": LON + east * 1.13e-5, "lat": LAT + north * 9.0e-6}

    inputs: dict[str, Any] = {
        "day": DAY, "from_h": 11, "to_h": 19, "day_type": "saturday",
        "stand": {**placed(20 + 1.5 * k, 45 - 0.5 * k), "heading_deg": 7 * k % 360, "width_m": 3, "depth_m": 3},
        "others": [{**placed(60, 60), "width_m": 3, "depth_m": 3}, {**placed(75, 60), "width_m": 3, "depth_m": 3}],
        "stage": {**placed(0, 0), "heading_deg": 0, "width_m": 12, "depth_m": 8, "height_m": 6},
        "exits": [list(placed(40, 70).values())],
    }  # fmt: skip
    return json.dumps({"inputs": inputs}).encode()


def dragged(twin: Path) -> Iterator[Row]:
    """Fifty positions one after the other over one connection: from the question's first byte to the answer's last."""
    from api import served

    with served(twin, 1) as (address, _):
        line = http.client.HTTPConnection(address.removeprefix("http://"), timeout=60)

        def ask(k: int) -> float:
            begun = time.perf_counter()
            line.request(
                "POST", "/twins/jamsil/stands/score", _question(k), {"Content-Type": "application/json"}
            )
            answer = line.getresponse()
            body = answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{answer.status}: {body[:200]!r}")
            return (time.perf_counter() - begun) * 1e3

        first = ask(0)
        spent = [ask(k) for k in range(DRAGS)]
    middle, worst = statistics.median(spent), max(spent)
    note = f"at the client; the very first {first / 1e3:.1f} s; sun every 5 min, three heights of buildings"
    yield Row(
        f"stand scored while dragged, median of {DRAGS}", middle, "ms", "< 200", middle < 200, note=note
    )
    yield Row(f"stand scored while dragged, worst of {DRAGS}", worst, "ms", "< 200", worst < 200)


def computed(twin: Path) -> Iterator[Row]:
    """The processes on the layers of the district, in this process, after one call that loads what they need."""
    from twintown.ground.features import Features
    from twintown.jobs.process import Ask, run
    from twintown.processes import footfall, stands
    from twintown.twin.description import Description

    about = Description.load(twin)
    newest = {name: sorted((twin / "layers" / name).glob("*/data.parquet"))[-1] for name in _LAYERS}
    layers = {name: Features.from_parquet(path) for name, path in newest.items()}

    def spent(process: Any, **options: Any) -> tuple[float, Features]:
        ask = Ask(layers, about.frame, about.bounds, about.time_zone, about.day, options)
        begun = time.perf_counter()
        ((_, made),) = run(process, ask)
        assert isinstance(made, Features)
        return time.perf_counter() - begun, made

    spent(footfall.PROCESS, draws=1)
    seconds, streets = spent(footfall.PROCESS, day_type="saturday", draws=64)
    note = f"{len(streets)} pieces of street, 20 hours, 64 draws of the assumptions"
    yield Row("passers-by of the district", seconds, "s", "< 5", seconds < 5, note=note)
    where = {"centre": [LON, LAT], "day": DAY, "day_type": "saturday", "count": 3}
    spent(stands.PROCESS, **where, radius_m=20.0)
    seconds, places = spent(stands.PROCESS, **where, radius_m=120.0)
    told = places.provenance.steps[-1].parameters
    gap = 100 * (told["bound"] - told["total_score"]) / max(1e-9, told["total_score"])
    note = f"{len(places)} places within 120 m, the choice proven to {max(0.0, gap):.4f} %"
    yield Row("places for three stands tried and chosen", seconds, "s", "< 30", seconds < 30, note=note)


if __name__ == "__main__":
    from table import keep, show

    table = list(rows())
    show(table)
    sys.exit(keep(table, "programme-place"))
