"""Offers and needs on the wire: what officers send, what answers say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from twintown.api.exchange_models import Who
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


class FindingModel(Model):
    """What is wrong or odd, and what would mend it."""

    code: str
    text: Names
    row: str = Field(description="id of the lot, need or kitchen; empty for the whole")
    level: Literal["bad", "warn", "info"]
    layer: str = Field(default="", description="the layer of the row")
    rows: list[str] = Field(default=[], description="ids of all that it holds for, where they are several")


class BasisModel(Model):
    """One number that a calculation stands on."""

    code: str
    text: Names
    source: str = Field(description="measured, stated, assumed or computed")


def findings(found: Iterable[Finding]) -> list[FindingModel]:
    """As they are sent."""
    return [FindingModel.model_validate(one.to_dict()) for one in found]


def bases(found: Iterable[Basis]) -> list[BasisModel]:
    """As they are sent."""
    return [BasisModel.model_validate(one.to_dict()) for one in found]


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

    findings: list[FindingModel]


class Lots(Model):
    """All lots."""

    desk: bool
    lots: list[Lot]
    findings: list[FindingModel]


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

    needs: list[NewNeedModel] = Field(min_length=1, max_length=10_000)
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
    findings: list[FindingModel]


class NeedsMade(Model):
    """What was made, on which assumptions, and what nobody can meet of it."""

    made: int
    removed: int = Field(description="rows of the same event or kitchens and days that were there before")
    sums: list[NeedSum]
    basis: list[BasisModel]
    findings: list[FindingModel]


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
