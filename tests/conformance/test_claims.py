"""Nothing is claimed in `/conformance` that no test in this folder names."""

from __future__ import annotations

import re
from pathlib import Path

from tests.conformance.conftest import Get

HERE = Path(__file__).parent


def _named() -> set[str]:
    """Every URI of a conformance class in the tests, those written as prefix and names included."""
    found: set[str] = set()
    for file in HERE.glob("test_*.py"):
        if file.name != Path(__file__).name:
            text = file.read_text(encoding="utf-8")
            found |= set(re.findall(r"https?://[\w./-]+/(?:conf|v1\.0\.0)/[\w./#-]+", text))
            for prefix in re.findall(r'"(https?://[\w./-]+/conf)"', text):
                found |= {f"{prefix}/{name}" for name in re.findall(r'"([a-z0-9-]+)"', text)}
    return found


def test_every_class_that_is_claimed_is_named_by_a_test(get: Get) -> None:
    claimed = set(get("/conformance").json()["conformsTo"])
    assert claimed
    assert sorted(claimed - _named()) == []


def test_a_class_is_claimed_once_and_by_its_uri(get: Get) -> None:
    claimed = get("/conformance").json()["conformsTo"]
    assert len(set(claimed)) == len(claimed)
    assert all(re.fullmatch(r"https?://\S+", uri) for uri in claimed)
