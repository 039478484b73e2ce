"""Needs on the wire: what officers send, what answers say."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from twintown.api.exchange_models import Who
from twintown.api.produce_models import (
    Day,
    DeskBasis,
    DeskFinding,
    GradeWord,
    Hour,
    Kilograms,
    KnownWord,
    Price,
    RowId,
    Short,
    Text,
)
from twintown.api.schemas import Model


class NewNeedModel(Model):
    """Something that a place needs."""

    id: RowId | None = None
    place: Short
    place_kind: Literal["stand", "kitchen"] = "stand"
    event: Short = ""
    name_ko: Short = ""
    name_en: Short = ""
    product: Short
    quantity_kg: Kilograms
    error_kg: Kilograms = 0.0
    date: Day
    from_h: Hour = 6.0
    until_h: Hour = 9.0
    price_max_krw_kg: Price = 0.0
    grade_min: GradeWord = "upper"
    allergens_not: Short = ""
    substitutes: Short | None = Field(
        default=None, description="`potato:1.0,…`; what the product allows by default"
    )
    weight: float = Field(default=1.0, ge=-1e6, le=1e6, allow_inf_nan=False)
    source: KnownWord = "assumed"
    note: Text = ""
    lon: float | None = Field(default=None, ge=-180, le=180)
    lat: float | None = Field(default=None, ge=-90, le=90)


class NewNeeds(Model):
    """Needs, and who writes them; those with an id that is there take its place."""

    needs: list[NewNeedModel] = Field(min_length=1, max_length=2_000)
    author: Who


class Need(Model):
    """A need as it is."""

    id: str
    place: str
    place_kind: str
    event: str
    name_ko: str
    name_en: str
    product: str
    quantity_kg: float
    error_kg: float
    date: str
    from_h: float
    until_h: float
    price_max_krw_kg: float
    grade_min: str
    allergens_not: str
    substitutes: str
    weight: float
    source: str
    note: str
    author: str
    at: str
    lon: float | None
    lat: float | None


class NeedSum(Model):
    """What is needed of one product on one day, all places together."""

    date: str
    product: str
    places: int
    kg: float


class Needs(Model):
    """Needs: the first `limit` rows, and all of them summed by day and product."""

    desk: bool
    count: int = Field(description="rows that were asked for, in all")
    needs: list[Need]
    sums: list[NeedSum]
    findings: list[DeskFinding]


class NeedsMade(Model):
    """What was made, on which assumptions, and what nobody can meet of it."""

    made: int
    removed: int = Field(description="rows of the same event or kitchens and days that were there before")
    sums: list[NeedSum]
    basis: list[DeskBasis]
    findings: list[DeskFinding]
