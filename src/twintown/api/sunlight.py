"""The sun of a day, and what an edit of heights does to it: parse, ask the process, send its bytes."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter

from twintown.api.guard import Decide
from twintown.api.shelf import Shelf

router = APIRouter(tags=["sunlight"])
ARRAYS = "application/vnd.twintown.arrays"
Basis = Literal["solar", "civil"]


def warm(shelf: Shelf, decide: Decide) -> None:
    """Load what the first click needs, twin by twin."""
    for served in shelf.twins.values():
        served.warm.set()
