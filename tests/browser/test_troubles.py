"""Trouble on the page is one line a person can read."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest


def test_a_twin_that_is_not_there_is_one_line(visit: Callable[..., Any]) -> None:
    one = visit("?twin=atlantis&lang=en")
    alert = one.page.wait_for_selector("[role=alert]")
    assert "atlantis" in alert.inner_text()


def test_a_machine_without_a_gpu_gets_the_light_drawing_by_itself(visit: Callable[..., Any]) -> None:
    one = visit("?twin=jamsil&lang=en&t=12:00")
    one.ready()
    assert one.value("twintown.state.looks.lite") is True


def test_who_asks_for_less_motion_gets_a_day_that_stands_still(visit: Callable[..., Any]) -> None:
    one = visit("?twin=jamsil&lang=en", reduced_motion="reduce")
    one.ready()
    assert one.value("twintown.clock.at.playing") is False


def test_all_browsers_are_one_workers(request: pytest.FixtureRequest) -> None:
    if "PYTEST_XDIST_WORKER" not in os.environ:
        pytest.skip("one worker does everything")
    assert request.node.nodeid.endswith("@browser")  # two browsers that draw in software starve each other
