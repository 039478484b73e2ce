"""Dataspace Protocol 2025-1, sections 9 and 10: we provide in a transfer (TP)."""

from __future__ import annotations

import pytest
from tests.conformance.dsp_kit import Kit

pytestmark = pytest.mark.slow

#: What the kit calls the scenario, the agreement that plays it here, and its steps.
SCENARIOS = [
    ("TP:01-01", "ATP0101", ">request =REQUESTED <start =STARTED <termination =TERMINATED"),
    ("TP:01-02", "ATP0102", ">request <start =STARTED <completion =COMPLETED"),
    ("TP:01-03", "ATP0103", ">request <start <suspension =SUSPENDED <termination =TERMINATED"),
    ("TP:01-04", "ATP0104", ">request <start <suspension =SUSPENDED <start =STARTED <completion =COMPLETED"),
    ("TP:01-05", "ATP0105", ">request <termination =TERMINATED"),
    ("TP:02-01", "ATP0201", ">request <start =STARTED >termination =TERMINATED"),
    ("TP:02-02", "ATP0202", ">request <start >completion =COMPLETED"),
    ("TP:02-03", "ATP0203", ">request <start >suspension =SUSPENDED >termination =TERMINATED"),
    ("TP:02-04", "ATP0204", ">request <start >suspension =SUSPENDED >start =STARTED >completion =COMPLETED"),
    ("TP:02-05", "ATP0205", ">request =REQUESTED >termination =TERMINATED"),
    ("TP:03-01", "ATP0301", ">request !completion =REQUESTED"),
    ("TP:03-02", "ATP0302", ">request !suspension =REQUESTED"),
    ("TP:03-03", "ATP0303", ">request <start >suspension =SUSPENDED !completion =SUSPENDED"),
    ("TP:03-04", "ATP0304", ">request <start >termination =TERMINATED !start =TERMINATED"),
    ("TP:03-05", "ATP0305", ">request <start >termination =TERMINATED !suspension =TERMINATED"),
    ("TP:03-06", "ATP0306", ">request <start >termination =TERMINATED !completion =TERMINATED"),
]


@pytest.mark.parametrize(("id", "name", "steps"), SCENARIOS, ids=[one[0] for one in SCENARIOS])
def test_the_provider_goes_through_the_scenario(kit: Kit, id: str, name: str, steps: str) -> None:
    kit.begin("transfers", name, "consumer").play(steps)
