"""The layers of offers and needs: which there are, what their columns are called, and in which units they are.

They are editable layers like any other: every GIS reads them, every write is a line of the journal, and processes take them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from twintown.ground.columns import Column
from twintown.ground.names import Name


@dataclass(frozen=True)
class Desk:
    """One of the layers.

    Args:
        id: of the layer.
        title: what people call it.
        geometry: `Point`, or "" for a plain table.
        columns: without `id` and the place.
        assumed: what is not known of its rows but supposed.
    """

    id: str
    title: Name
    geometry: str
    columns: tuple[Column, ...]
    assumed: Name

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(column.name for column in self.columns)


def _columns(*said: tuple[str, str, str, str, str]) -> tuple[Column, ...]:
    return tuple(Column(name, kind, unit, Name(ko, en)) for name, kind, unit, ko, en in said)


_SOURCE = (
    "source",
    "string",
    "",
    "출처 (measured · stated · assumed · computed)",
    "Source (measured · stated · assumed · computed)",
)
_NOTE = ("note", "string", "", "설명", "Note")
_WRITTEN = (
    ("author", "string", "", "적은 사람", "Written by"),
    ("at", "datetime", "", "적은 때", "Written at"),
)
_NAMES = (
    ("name_ko", "string", "", "이름", "Korean name"),
    ("name_en", "string", "", "영어 이름", "English name"),
)

DESK: Mapping[str, Desk] = {
    one.id: one
    for one in (
        Desk(
            "producers", Name("생산자", "Producers"), "Point",
            _columns(
                *_NAMES,
                ("town_ko", "string", "", "읍면동", "Town (Korean)"),
                ("town_en", "string", "", "읍면동 (영어)", "Town"),
                ("kind", "string", "", "종류 (farm · cooperative · market)", "Kind (farm · cooperative · market)"),
                _SOURCE, _NOTE,
            ),
            Name(
                "생산자는 예시입니다. 이름과 읍면동 안의 위치는 지어냈습니다",
                "Producers are examples: names and places within their town are invented, source = assumed",
            ),
        ),
        Desk(
            "lots", Name("공급 물량", "Lots"), "Point",
            _columns(
                ("producer", "string", "", "생산자", "Producer"),
                ("origin_ko", "string", "", "산지", "Origin (Korean)"),
                ("origin_en", "string", "", "산지 (영어)", "Origin"),
                ("product", "string", "", "품목", "Product"),
                ("variety", "string", "", "품종", "Variety"),
                ("grade", "string", "", "등급 (special · upper · middle)", "Grade (special · upper · middle)"),
                ("quantity_kg", "number", "kg", "수량", "Quantity"),
                ("error_kg", "number", "kg", "수량 오차 (80 %)", "Error of the quantity (80 %)"),
                ("from", "string", "", "출하 시작일", "From"),
                ("until", "string", "", "출하 마감일", "Until"),
                ("shelf_life_d", "integer", "d", "보관 기간 (시작일부터)", "Keeps (from the first day)"),
                ("price_krw_kg", "number", "[KRW]/kg", "가격", "Price"),
                ("allergens", "string", "", "알레르기 유발물질 번호", "Allergens (numbers)"),
                ("state", "string", "", "상태 (offered · promised · failed · recalled)", "State (offered · promised · failed · recalled)"),
                ("promised_kg", "number", "kg", "약속한 양", "Promised"),
                ("promised_to", "string", "", "약속한 곳", "Promised to"),
                ("batch", "string", "", "로트 번호 (GS1 AI 10)", "Batch (GS1 AI 10)"),
                ("gtin", "string", "", "GTIN", "GTIN"),
                ("substitute", "boolean", "", "대체 산지", "Origin of last resort"),
                ("why", "string", "", "실패·회수 사유", "Why it failed or was recalled"),
                _SOURCE, _NOTE, *_WRITTEN,
            ),
            Name(
                "수량·출하 기간·오차는 가정입니다. 가격은 무엇에서 셈했는지 설명에 적었습니다",
                "Quantities, harvest windows and their errors are assumed; a price says in its note what it was derived from",
            ),
        ),
        Desk(
            "kitchens", Name("공공 급식소", "Public kitchens"), "Point",
            _columns(
                *_NAMES, ("kind", "string", "", "종류", "Kind"),
                ("town_ko", "string", "", "행정동", "Town (Korean)"),
                ("partner", "string", "", "상대 도시 (빈칸: 우리 시)", "Partner city (empty: this one)"),
                ("meals_d", "integer", "{meal}/d", "하루 식수", "Meals a day"),
                ("allergens_not", "string", "", "쓰지 않는 알레르기 유발물질", "Allergens that are not served"),
                _SOURCE, _NOTE,
            ),
            Name(
                "학교의 이름과 위치는 실제입니다. 자체 급식 여부와 하루 식수는 가정입니다",
                "Names and places of schools are real; that each has a kitchen of its own, and its meals a day, are assumed",
            ),
        ),
        Desk(
            "recipes", Name("급식 조리법", "Recipes"), "",
            _columns(
                ("recipe", "string", "", "조리법", "Recipe"), *_NAMES, ("product", "string", "", "품목", "Product"),
                ("g_meal", "number", "g/{meal}", "1인 분량", "Grams a meal"),
                ("allergens", "string", "", "알레르기 유발물질 번호", "Allergens (numbers)"),
                ("weekdays", "string", "", "나오는 요일 (1 월 … 5 금)", "Weekdays on which it is served (1 Monday … 5 Friday)"),
                _SOURCE, _NOTE,
            ),
            Name(
                "1인 분량(구입량)은 가정입니다",
                "Grams a meal are as bought, and assumed",
            ),
        ),
        Desk(
            "needs", Name("수요", "Needs"), "Point",
            _columns(
                ("place", "string", "", "판매대 또는 급식소", "Stand or kitchen"),
                ("place_kind", "string", "", "곳의 종류 (stand · kitchen)", "Kind of place (stand · kitchen)"),
                ("event", "string", "", "행사", "Event"), *_NAMES, ("product", "string", "", "품목", "Product"),
                ("quantity_kg", "number", "kg", "수량", "Quantity"),
                ("error_kg", "number", "kg", "수량 오차 (80 %)", "Error of the quantity (80 %)"),
                ("date", "string", "", "날짜", "Day"),
                ("from_h", "number", "h", "배달 시작 시각", "Delivery from"),
                ("until_h", "number", "h", "배달 마감 시각", "Delivery until"),
                ("price_max_krw_kg", "number", "[KRW]/kg", "가격 상한", "Highest price"),
                ("grade_min", "string", "", "최저 등급", "Least grade"),
                ("allergens_not", "string", "", "있어서는 안 되는 알레르기 유발물질", "Allergens that must not be in it"),
                ("substitutes", "string", "", "대체 품목 (품목:kg 당 kg)", "Substitutes (product:kg per kg)"),
                ("weight", "number", "1", "중요도 (1 보통)", "Weight (1 is normal)"),
                _SOURCE, _NOTE, *_WRITTEN,
            ),
            Name(
                "방문객이나 식수에서 설명에 적은 가정으로 셈했거나 담당자가 적었습니다",
                "Computed from visitors or meals by assumptions that their note names, or written by an officer",
            ),
        ),
        Desk(
            "vehicles", Name("배달 차량", "Vehicles"), "Point",
            _columns(
                ("name", "string", "", "이름", "Name"),
                ("capacity_kg", "number", "kg", "적재량", "Load"),
                ("krw_km", "number", "[KRW]/km", "km당 비용", "Cost a kilometre"),
                ("krw_d", "number", "[KRW]/d", "하루 비용", "Cost a day"),
                ("kg_co2_km", "number", "kg/km", "km당 CO₂", "CO₂ a kilometre"),
                ("from_h", "number", "h", "운행 시작 시각", "Runs from"),
                ("until_h", "number", "h", "운행 마감 시각", "Runs until"),
                ("km_h", "number", "km/h", "평균 속도", "Mean speed"),
                ("cooled", "boolean", "", "냉장", "Cooled"),
                _SOURCE, _NOTE,
            ),
            Name(
                "차량은 예시입니다. 적재량·비용·배출·속도는 가정입니다",
                "Vehicles are examples: loads, costs, emissions and speeds are assumed",
            ),
        ),
    )
}  # fmt: skip
