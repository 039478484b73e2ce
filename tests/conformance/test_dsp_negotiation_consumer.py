"""Dataspace Protocol 2025-1, sections 7 and 8: we consume in a negotiation (CN_C)."""

from __future__ import annotations

import pytest
from tests.conformance.dsp_kit import Kit

pytestmark = pytest.mark.slow

#: What the kit calls the scenario, the data set that plays it here, and its steps.
SCENARIOS = [
    (
        "CN_C:01-01",
        "ACNC0101",
        "<request >offers <accepted =ACCEPTED >agreement <verification =VERIFIED >finalized =FINALIZED",
    ),
    ("CN_C:01-02", "ACNC0102", "<request >offers <request =REQUESTED >termination =TERMINATED"),
    ("CN_C:01-03", "ACNC0103", "<request >offers <termination =TERMINATED"),
    ("CN_C:01-04", "ACNC0104", "<request >agreement <verification =VERIFIED >finalized =FINALIZED"),
    ("CN_C:02-01", "ACNC0201", "<request >termination =TERMINATED"),
    ("CN_C:02-02", "ACNC0202", "<request <termination =TERMINATED"),
    ("CN_C:02-03", "ACNC0203", "<request >agreement <termination =TERMINATED"),
    ("CN_C:02-04", "ACNC0204", "<request >offers =OFFERED >termination =TERMINATED"),
    ("CN_C:02-05", "ACNC0205", "<request >offers <accepted =ACCEPTED >termination =TERMINATED"),
    ("CN_C:02-06", "ACNC0206", "<request >agreement <verification =VERIFIED >termination =TERMINATED"),
    ("CN_C:03-01", "ACNC0301", "<request !finalized =REQUESTED"),
    ("CN_C:03-02", "ACNC0302", "<request >offers =OFFERED !agreement =OFFERED"),
    ("CN_C:03-03", "ACNC0303", "<request >offers !finalized =OFFERED"),
    ("CN_C:03-04", "ACNC0304", "<request >offers <accepted !finalized =ACCEPTED"),
    ("CN_C:03-05", "ACNC0305", "<request >offers <accepted !offers =ACCEPTED"),
    ("CN_C:03-06", "ACNC0306", "<request >offers <accepted >agreement =AGREED !finalized =AGREED"),
]


@pytest.mark.parametrize(("id", "name", "steps"), SCENARIOS, ids=[one[0] for one in SCENARIOS])
def test_the_consumer_goes_through_the_scenario(kit: Kit, id: str, name: str, steps: str) -> None:
    kit.begin("negotiations", name, "provider").initiate().play(steps)
