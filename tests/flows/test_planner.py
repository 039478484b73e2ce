"""planner → edit of a height → process → answer: whose sun does the tower take?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from twintown.processes.arrays import unpack

pytestmark = pytest.mark.slow

TOWER = "relation/8824257"


def ask(client: TestClient, *heights: float, **inputs: Any) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    edits = [{"op": "set", "object": TOWER, "height_m": height} for height in heights]
    answer = client.post("/twins/tower/sun", json={"inputs": {"edits": edits, **inputs}})
    assert answer.status_code == 200, answer.text
    return unpack(answer.content)


def test_the_base_answer_says_how_many_points_pass_and_what_may_be_wrong(client: TestClient) -> None:
    header, arrays = ask(client)
    counts = header["counts"]
    assert (
        counts["points"] == len(arrays["facade_state"]) == counts["pass"] + counts["fail"] + counts["cannot"]
    )
    assert counts["newly_fail"] == counts["newly_pass"] == 0
    assert header["error"]["statement"]["ko"]
    assert header["error"]["statement"]["en"]
    assert (arrays["sun_steps"] == 255).any(), "buildings are not ground"


def test_taking_the_tower_away_takes_sun_from_nobody(client: TestClient) -> None:
    header, arrays = ask(client, 0)
    assert header["counts"]["newly_fail"] == 0
    assert header["affected_km2"] > 0
    _, whole = ask(client)
    row, col, rows, cols = header["grid"]["window"]
    before = whole["sun_steps"][row : row + rows, col : col + cols].astype(int)
    after = arrays["sun_steps"].astype(int)
    ground = (before < 255) & (after < 255)
    assert (after[ground] >= before[ground]).all()


def test_a_tower_put_back_is_as_if_nobody_had_touched_it(client: TestClient) -> None:
    height = client.get(f"/twins/tower/objects/{TOWER}").json()["building"]["height"]["value_m"]
    header, arrays = ask(client, 100, height)
    assert header["counts"]["newly_fail"] == header["counts"]["newly_pass"] == 0
    assert arrays["facade_index"].size == 0


def test_the_clock_and_the_sun_give_two_answers(client: TestClient) -> None:
    solar, civil = ask(client, time_basis="solar")[0], ask(client, time_basis="civil")[0]
    assert (solar["time_basis"], civil["time_basis"]) == ("solar", "civil")
    sun = client.get("/twins/tower/sun?date=2026-12-22&basis=civil").json()
    nine = next(one for one in sun["positions"] if one["time_local"] == "09:00")
    assert nine["time_solar"] == "08:30", "the clock runs half an hour before the sun at Jamsil"
