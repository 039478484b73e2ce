"""The sun of a day, and what an edit of heights does to it: parse, ask the process, send its bytes."""

from __future__ import annotations

from datetime import date as Date
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from twintown.api import answers, problems
from twintown.api.guard import Asked, Decide, Reading, Running
from twintown.api.schemas import Model
from twintown.api.shelf import Shelf

router = APIRouter(tags=["sunlight"])
ARRAYS = "application/vnd.twintown.arrays"
Basis = Literal["solar", "civil"]


def warm(shelf: Shelf, decide: Decide) -> None:
    """Load what the first click needs, twin by twin."""
    for served in shelf.twins.values():
        served.warm.set()
