"""What is offered and needed: the products, how they are packed, what they cost last."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from twintown.api import answers, problems, produce_desk
from twintown.api.guard import Reading
from twintown.api.produce_models import PriceModel, Produce, ProductModel, SubstituteModel
from twintown.api.schemas import Names
from twintown.programme import produce_rows
from twintown.programme.product import allergens, grades, products

router = APIRouter(tags=["produce"])


@router.get(
    "/twins/{twin}/produce", operation_id="getProduce", response_model=Produce, responses=problems.responses(400, 401, 403, 404)
)  # fmt: skip
def get_produce(request: Request, asked: Reading) -> Response:
    """The products that are known, each with its last wholesale price and the layer of the newest forecast."""
    twin, grant = asked.served.twin, asked.grant
    prices, forecast = produce_desk.prices(twin, grant), produce_desk.forecast(twin, grant)
    listed = [
        ProductModel(
            code=code, names=Names.of(one.name), kg_per_unit=one.unit_kg, shelf_life_d=one.shelf_d,
            allergens=[str(number) for number in one.allergens], gtin=one.gtin,
            substitutes=[SubstituteModel(product=other, factor=ratio) for other, ratio in one.instead.items()],
            column=prices[code].column if code in prices else next(iter(one.prices), ""),
            price=PriceModel(krw_kg=round(price.krw_kg, 1), date=price.date, unit="[KRW]/kg", source="stated")
            if (price := prices.get(code)) is not None else None,
            forecast=forecast if one.prices else "", share=one.share, kg=one.kg,
        )
        for code, one in products().items()
    ]  # fmt: skip
    told = Produce(
        desk=produce_rows.there(twin, "lots", grant), products=listed,
        grades={code: Names.of(name) for code, name in grades().items()},
        allergens={str(number): Names.of(name) for number, name in allergens().items()},
    )  # fmt: skip
    return answers.answer_json(request, told)
