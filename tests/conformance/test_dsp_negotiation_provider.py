"""Dataspace Protocol 2025-1, sections 7 and 8: we provide in a negotiation (CN)."""

from __future__ import annotations

import pytest
from tests.conformance.dsp_kit import Kit

pytestmark = pytest.mark.slow

#: What the kit calls the scenario, the data set that plays it here, and its steps.
SCENARIOS = [
    ("CN:01-01", "ACN0101", ">request =REQUESTED <offers =OFFERED >termination =TERMINATED"),
    ("CN:01-02", "ACN0102", ">request <offers =OFFERED >request =REQUESTED <termination =TERMINATED"),
    (
        "CN:01-03",
        "ACN0103",
        ">request <offers >accepted =ACCEPTED <agreement =AGREED >verification =VERIFIED <finalized =FINALIZED",
    ),
    ("CN:01-04", "ACN0104", ">request <agreement =AGREED >verification <finalized =FINALIZED"),
    ("CN:02-01", "ACN0201", ">request <termination =TERMINATED"),
    ("CN:02-02", "ACN0202", ">request >termination =TERMINATED"),
    ("CN:02-03", "ACN0203", ">request <agreement =AGREED >termination =TERMINATED"),
    ("CN:02-04", "ACN0204", ">request <offers =OFFERED >termination =TERMINATED"),
    ("CN:02-05", "ACN0205", ">request <offers =OFFERED <termination =TERMINATED"),
    ("CN:02-06", "ACN0206", ">request <offers >accepted =ACCEPTED <termination =TERMINATED"),
    ("CN:02-07", "ACN0207", ">request <agreement >verification =VERIFIED <termination =TERMINATED"),
    (
        "CN:03-01",
        "ACN0301",
        ">request <agreement >verification <finalized =FINALIZED !termination =FINALIZED",
    ),
    ("CN:03-02", "ACN0302", ">request <offers =OFFERED !verification =OFFERED"),
    ("CN:03-03", "ACN0303", ">request <offers >accepted !verification =ACCEPTED"),
    ("CN:03-04", "ACN0304", ">request <offers >request =REQUESTED !request =REQUESTED"),
]


@pytest.mark.parametrize(("id", "name", "steps"), SCENARIOS, ids=[one[0] for one in SCENARIOS])
def test_the_provider_goes_through_the_scenario(kit: Kit, id: str, name: str, steps: str) -> None:
    kit.begin("negotiations", name, "consumer").play(steps)
