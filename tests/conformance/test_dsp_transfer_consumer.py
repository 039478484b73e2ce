"""Dataspace Protocol 2025-1, sections 9 and 10: we consume in a transfer (TP_C)."""

from __future__ import annotations

import pytest
from tests.conformance.dsp_kit import Kit

pytestmark = pytest.mark.slow

#: What the kit calls the scenario, the agreement that plays it here, and its steps.
SCENARIOS = [
    ("TP_C:01-01", "ATPC0101", "<request =REQUESTED >start =STARTED >termination =TERMINATED"),
    ("TP_C:01-02", "ATPC0102", "<request >start =STARTED >completion =COMPLETED"),
    ("TP_C:01-03", "ATPC0103", "<request >start >suspension =SUSPENDED >termination =TERMINATED"),
    (
        "TP_C:01-04",
        "ATPC0104",
        "<request >start >suspension =SUSPENDED >start =STARTED >completion =COMPLETED",
    ),
    ("TP_C:01-05", "ATPC0105", "<request >termination =TERMINATED"),
    ("TP_C:02-01", "ATPC0201", "<request >start <termination =TERMINATED"),
    ("TP_C:02-02", "ATPC0202", "<request >start <completion =COMPLETED"),
    ("TP_C:02-03", "ATPC0203", "<request >start <suspension =SUSPENDED <termination =TERMINATED"),
    (
        "TP_C:02-04",
        "ATPC0204",
        "<request >start <suspension =SUSPENDED <start =STARTED <completion =COMPLETED",
    ),
    ("TP_C:02-05", "ATPC0205", "<request <termination =TERMINATED"),
    ("TP_C:03-01", "ATPC0301", "<request !completion =REQUESTED"),
    ("TP_C:03-02", "ATPC0302", "<request !suspension =REQUESTED"),
    ("TP_C:03-03", "ATPC0303", "<request >start >suspension =SUSPENDED !completion =SUSPENDED"),
    ("TP_C:03-04", "ATPC0304", "<request >start >termination =TERMINATED !start =TERMINATED"),
    ("TP_C:03-05", "ATPC0305", "<request >start >termination =TERMINATED !suspension =TERMINATED"),
    ("TP_C:03-06", "ATPC0306", "<request >start >termination =TERMINATED !completion =TERMINATED"),
]


@pytest.mark.parametrize(("id", "name", "steps"), SCENARIOS, ids=[one[0] for one in SCENARIOS])
def test_the_consumer_goes_through_the_scenario(kit: Kit, id: str, name: str, steps: str) -> None:
    kit.begin("transfers", name, "provider").initiate().play(steps)
