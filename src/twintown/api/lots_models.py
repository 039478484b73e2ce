"""Lots on the wire: what officers send, what answers say."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from twintown.api.exchange_models import Who
from twintown.api.produce_models import (
    Day,
    DeskFinding,
    GradeWord,
    Kilograms,
    KnownWord,
    Price,
    RowId,
    Short,
    Text,
)
from twintown.api.schemas import Model


class LotFields(Model):
    """What can be said of a lot."""

    variety: Short | None = None
    grade: GradeWord | None = None
    quantity_kg: Kilograms | None = None
    error_kg: Kilograms | None = Field(default=None, description="± of the quantity, 80 %")
    from_: Day | None = Field(default=None, alias="from")
    until: Day | None = None
    shelf_life_d: int | None = Field(default=None, ge=0, le=36500)
    price_krw_kg: Price | None = None
    allergens: Short | None = None
    state: Short | None = None
    promised_kg: Kilograms | None = None
    promised_to: Short | None = None
    substitute: bool | None = None
    source: KnownWord | None = None
    note: Text | None = None
    origin_ko: Short | None = None
    origin_en: Short | None = None

    def said(self) -> dict[str, Any]:
        """Only what was sent, by column."""
        return self.model_dump(by_alias=True, exclude_unset=True)


class NewLotModel(LotFields):
    """A lot to offer. Its id, batch, GTIN and place follow from its product and producer where they are not said."""

    id: RowId | None = None
    producer: Short
    product: Short
    batch: Short | None = None
    gtin: Short | None = None
    lon: float | None = Field(default=None, ge=-180, le=180)
    lat: float | None = Field(default=None, ge=-90, le=90)


class NewLot(Model):
    """A lot, and who offers it."""

    lot: NewLotModel
    author: Who


class LotPatch(Model):
    """Fields of a lot that change."""

    fields: LotFields
    author: Who


class LotFailure(Model):
    """Why a lot will not come."""

    why: str = Field(min_length=1, max_length=1000)
    author: Who


class Lot(Model):
    """A lot as it is."""

    id: str
    producer: str
    origin_ko: str
    origin_en: str
    product: str
    variety: str
    grade: str
    quantity_kg: float
    error_kg: float
    from_: str = Field(alias="from")
    until: str
    shelf_life_d: int
    price_krw_kg: float
    allergens: str
    state: str
    promised_kg: float
    promised_to: str
    batch: str
    gtin: str
    substitute: bool
    why: str
    source: str
    note: str
    author: str
    at: str
    lon: float | None
    lat: float | None


class LotTold(Lot):
    """A lot as it is now, and what is odd about it."""

    findings: list[DeskFinding]


class Lots(Model):
    """All lots."""

    desk: bool
    lots: list[Lot]
    findings: list[DeskFinding]
