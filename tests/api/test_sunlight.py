from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from twintown.api import sunlight
from twintown.processes.arrays import MEDIA_TYPE, unpack
from twintown.trust.policy import decide

T = "/twins/small"
RUN = f"{T}/sun"
BAD: list[tuple[Any, int, str | None]] = [
    ({}, 400, "inputs"),
    ([], 400, "body"),
    ({"inputs": {"date": "22.12.2026"}}, 400, "date"),
    ({"inputs": {"date": "2026-13-01"}}, 400, "date"),
    ({"inputs": {"date": "1066-10-14"}}, 400, "date"),
    ({"inputs": {"time_basis": "moon"}}, 400, "inputs.time_basis"),
    ({"inputs": {"colour": "red"}}, 400, "inputs.colour"),
    ({"inputs": {"edits": {"object": "relation/1"}}}, 400, "inputs.edits"),
    ({"inputs": {"edits": [{"object": "relation/1"}]}}, 400, "inputs.edits.0.height_m"),
    ({"inputs": {"edits": [{"object": "relation/1", "height_m": -1}]}}, 400, "inputs.edits.0.height_m"),
    ({"inputs": {"edits": [{"object": "relation/1", "height_m": 1e9}]}}, 400, "inputs.edits.0.height_m"),
    ({"inputs": {"edits": [{"object": "relation/1", "height_m": "tall"}]}}, 400, "inputs.edits.0.height_m"),
    ({"inputs": {"edits": [{"object": "way/404", "height_m": 9}]}}, 404, None),
    (
        {"inputs": {"edits": [{"op": "burn", "object": "relation/1", "height_m": 9}]}},
        400,
        "inputs.edits.0.op",
    ),
    ({"inputs": {"edits": [{"object": "relation/1", "height_m": 9}] * 201}}, 400, "inputs.edits"),
    (
        {"inputs": {"edits": [{"object": "relation/1", "height_m": 9}], "window": [0, 0, 9999, 1]}},
        400,
        "window",
    ),
]


@pytest.mark.parametrize(("body", "status", "parameter"), BAD)
def test_a_bad_question_is_refused_by_name(
    client: TestClient, body: Any, status: int, parameter: str | None
) -> None:
    answer = client.post(RUN, json=body)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json().get("parameter") == parameter


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff\xfe", b'{"inputs": {"edits": [{"object": "a", "height_m": NaN}]}}', b"[" * 5000],
)
def test_a_body_that_is_no_json_is_refused(client: TestClient, body: bytes) -> None:
    assert client.post(RUN, content=body, headers={"Content-Type": "application/json"}).status_code == 400


def test_a_body_over_a_megabyte_is_refused_before_it_is_read(client: TestClient) -> None:
    assert client.post(RUN, content=b" " * 1_100_000).status_code == 413
    assert client.post(RUN, content=(b" " * 50_000 for _ in range(30))).status_code == 413


def test_the_base_answer_is_the_whole_grid_and_every_point_and_is_kept(client: TestClient) -> None:
    answer = client.post(RUN, json={"inputs": {}})
    header, arrays = unpack(answer.content)
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert header["date"] == "2026-12-22"
    assert arrays["sun_steps"].shape == (header["grid"]["rows"], header["grid"]["cols"]) == (400, 400)
    assert len(arrays["facade_xyz"]) == len(arrays["facade_state"]) == header["counts"]["points"] > 0
    again = client.post(RUN, json={"inputs": {}})
    assert again.content == answer.content
    assert again.headers["etag"] == answer.headers["etag"]
    civil, _ = unpack(client.post(RUN, json={"inputs": {"time_basis": "civil"}}).content)
    assert civil["time_basis"] == "civil"


def test_pulling_the_tower_down_gives_sun_to_others_and_putting_it_back_changes_nothing(
    client: TestClient,
) -> None:
    _, whole = unpack(client.post(RUN, json={"inputs": {}}).content)
    down, arrays = unpack(
        client.post(RUN, json={"inputs": {"edits": [{"object": "relation/1", "height_m": 0}]}}).content
    )
    row, col, rows, cols = down["grid"]["window"]
    before = whole["sun_steps"][row : row + rows, col : col + cols].astype(int)
    after = arrays["sun_steps"].astype(int)
    ground = (before < 255) & (after < 255)
    assert (after[ground] >= before[ground]).all()
    assert (after[ground] > before[ground]).any()
    assert down["affected_km2"] > 0
    back, same = unpack(
        client.post(RUN, json={"inputs": {"edits": [{"object": "relation/1", "height_m": 100}]}}).content
    )
    assert back["counts"]["newly_fail"] == back["counts"]["newly_pass"] == 0
    assert same["facade_index"].size == 0
    row, col, rows, cols = back["grid"]["window"]
    assert np.array_equal(same["sun_steps"], whole["sun_steps"][row : row + rows, col : col + cols])


def test_many_hands_at_once_get_each_their_own_answer(client: TestClient) -> None:
    heights = [10.0, 35.0, 60.0, 85.0] * 2

    def ask(height: float) -> tuple[float, dict[str, Any]]:
        body = {"inputs": {"edits": [{"object": "relation/1", "height_m": height}]}}
        header = unpack(client.post(RUN, json=body).content)[0]
        return height, header["counts"]

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(ask, heights))
    for height, counts in found:
        assert counts == next(other for known, other in found if known == height)
    assert len({counts["points"] for _, counts in found}) > 1


def test_the_sun_of_a_day_says_both_clocks(client: TestClient) -> None:
    day = client.get(f"{T}/sun?date=2026-12-22&basis=solar").json()
    sunlight.SunDay.model_validate(day)
    noon = next(position for position in day["positions"] if position["time_solar"] == "12:00")
    assert noon["azimuth_deg"] == pytest.approx(180, abs=0.2)
    assert noon["altitude_deg"] == pytest.approx(90 - 37.51 - 23.43, abs=0.1)
    assert noon["time_local"] == "12:30"
    for wrong in ("date=tomorrow", "date=2026-02-30", "basis=moon", "time=9"):
        assert client.get(f"{T}/sun?{wrong}").status_code == 400


def test_warming_makes_a_twin_ready(app: FastAPI, client: TestClient) -> None:
    opened = app.state.open
    sunlight.warm(opened.shelf, decide)
    assert client.get("/health").json()["ready"]
