"""The passers-by of a partner's ground by hour, as its own process counts them: the shape of a day where its tables cannot be read.

An agreement with an area lets out no table without places, so the metro's congestion stays there; what the process `stands` says of a
spot may come, and says the same by hour.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

from fastapi import Request

from twintown.api.dsp_entry import handshake_of
from twintown.api.exchange_models import side
from twintown.api.guard import Asked
from twintown.exchange import partners
from twintown.exchange.agreements import agreement_of
from twintown.ground.errors import NotFound, Unreachable
from twintown.ground.names import Name
from twintown.programme.event import Event
from twintown.programme.produce_finding import Basis

#: Metres of the stand that is asked about, hours that are asked for, most bytes of an answer.
_SIZE_M, FIRST_H, LAST_H, _BYTES = 3.0, 5, 24, 2**20
#: Half the width of an 80 % interval of a normal, in standard deviations.
_HALF = 1.2816
BASIS = Basis(
    "passers",
    Name(
        "시간대 모양: 상대 도시의 절차 stands가 계산한 그 자리의 보행량 (그 도시의 가정 포함)",
        "shape over the hours: passers-by of the spot as the partner's process stands computes them, with its assumptions",
    ),
    "computed",
)

OWN_WEATHER = Basis(
    "own-weather",
    Name(
        "비: 행사장 도시의 날씨를 볼 수 없어 우리 도시의 전형 기상년을 씀",
        "rain: of this city's own typical year, because the partner's is not shown",
    ),
    "assumed",
)


def levels(
    request: Request, asked: Asked, event: Event, day: str, day_type: str
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Passers-by of 24 hours, scaled to their own mean, and their relative standard deviations.

    Raises:
        TwintownError: the agreement does not share the process, the partner does not answer, or knows nothing of that spot.
    """
    found, party = agreement_of(asked.served.twin.tables, event.agreement), side(request, asked)
    place = {
        "lon": event.place.lon,
        "lat": event.place.lat,
        "heading_deg": 0.0,
        "width_m": _SIZE_M,
        "depth_m": _SIZE_M,
    }
    inputs = {
        "day": day,
        "from_h": FIRST_H,
        "to_h": LAST_H,
        "day_type": day_type,
        "stand": place,
        "others": [],
    }
    question = partners.Question(
        "POST", "stands/score", "", {"accept": "application/json", "content-type": "application/json"},
        json.dumps({"inputs": inputs}).encode(),
    )  # fmt: skip
    answer = partners.through(party, handshake_of(request).courier, found, question, "", datetime.now(UTC))
    try:
        body = b""
        for part in answer:
            body += part
            if len(body) > _BYTES:
                raise Unreachable("the partner answers with too much", "stands/score", "ask for less")
    finally:
        answer.close()
    if answer.status != 200:
        raise NotFound(
            f"the partner does not score stands there ({answer.status})",
            event.agreement,
            "widen the agreement",
        )
    try:
        hours = {int(one["hour"]): one for one in json.loads(body)["hours"] if one["passers"] is not None}
        level = [float(hours[h]["passers"]) if h in hours else 0.0 for h in range(24)]
        spread = [float(hours[h]["high"]) - float(hours[h]["low"]) if h in hours else 0.0 for h in range(24)]
    except (ValueError, KeyError, TypeError) as error:
        raise Unreachable(
            "the partner answers with something else", "stands/score", "tell its officers"
        ) from error
    known = [one for one in level if one > 0]
    if not known:
        raise NotFound("the partner knows nothing of passers-by there", event.agreement)
    mean = sum(known) / len(known)
    relative = tuple(
        wide / (2 * _HALF * one) if one > 0 else 0.0 for one, wide in zip(level, spread, strict=True)
    )
    return tuple(one / mean for one in level), relative
