"""Offers and needs on the wire: what officers send, what answers say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from twintown.api.schemas import Model, Names
from twintown.programme.produce_finding import Basis, Finding
from twintown.programme.produce_layers import DESK

Kilograms = Annotated[float, Field(ge=-1e9, le=1e9, allow_inf_nan=False, description="kilograms")]
Price = Annotated[float, Field(ge=-1e9, le=1e9, allow_inf_nan=False, description="won a kilogram")]
Hour = Annotated[
    float, Field(ge=0, le=24, allow_inf_nan=False, description="hour of the day, the city's time")
]
Day = Annotated[str, Field(max_length=10, description="ISO 8601: 2027-09-18")]
Text = Annotated[str, Field(max_length=1000)]
Short = Annotated[str, Field(max_length=200)]
#: As it can stand in an address.
RowId = Annotated[str, Field(max_length=120, pattern=r"^[A-Za-z0-9][A-Za-z0-9._~-]*$")]
GradeWord = Literal["special", "upper", "middle"]
KnownWord = Annotated[
    str, Field(pattern="^(measured|stated|assumed|computed)$", description="how the numbers are known")
]


class DeskFinding(Model):
    """What is wrong or odd, and what would mend it."""

    code: str
    text: Names
    row: str = Field(description="id of the lot, need or kitchen; empty for the whole")
    level: Literal["bad", "warn", "info"]
    layer: str = Field(default="", description="the layer of the row")
    rows: list[str] = Field(default=[], description="ids of all that it holds for, where they are several")


class DeskBasis(Model):
    """One number that a calculation stands on."""

    code: str
    text: Names
    source: str = Field(description="measured, stated, assumed or computed")


def findings(found: Iterable[Finding]) -> list[DeskFinding]:
    """As they are sent."""
    return [DeskFinding.model_validate(one.to_dict()) for one in found]


def bases(found: Iterable[Basis]) -> list[DeskBasis]:
    """As they are sent."""
    return [DeskBasis.model_validate(one.to_dict()) for one in found]


class PriceModel(Model):
    """The last wholesale price."""

    krw_kg: float
    date: str
    unit: str
    source: str = Field(description="stated: by KAMIS, a day's price of the upper grade in the whole country")


class SubstituteModel(Model):
    """What can take a product's place, kilograms for each kilogram (assumed)."""

    product: str
    factor: float


class ProductModel(Model):
    """A product, how it is packed, what it cost last."""

    code: str
    names: Names
    unit: str = "kg"
    kg_per_unit: float
    shelf_life_d: int = Field(description="assumed; a lot says its own")
    allergens: list[str] = Field(description="numbers of the list of allergens")
    gtin: str = Field(description="of one unit, of a prefix for restricted circulation")
    substitutes: list[SubstituteModel]
    column: str = Field(description="of the layer `prices`; empty where the data has no price")
    price: PriceModel | None
    forecast: str = Field(description="layer of the newest price forecast that is here; empty for none")
    share: float = Field(description="of a stand's buyers who take it, assumed")
    kg: float = Field(description="that each of them takes, assumed")


class Produce(Model):
    """What is offered and needed here."""

    desk: bool = Field(description="whether this twin has the layers of offers and needs")
    products: list[ProductModel]
    grades: dict[str, Names]
    allergens: dict[str, Names]


_NUMBERS = {
    one.name: 0 if one.type == "integer" else 0.0
    for desk in DESK.values()
    for one in desk.columns
    if one.type in ("number", "integer")
}


def plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row without nulls, as the models say it: "" for text that is absent, 0 for a number, false."""
    out: dict[str, Any] = {}
    for name, value in row.items():
        if name in ("lon", "lat"):
            out[name] = None if value is None or value != value else value
        elif value is None:
            out[name] = _NUMBERS.get(name, False if name == "substitute" else "")
        else:
            out[name] = value.isoformat().replace("+00:00", "Z") if hasattr(value, "isoformat") else value
    return out
