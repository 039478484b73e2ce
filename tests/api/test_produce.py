"""Products over HTTP: with the last price by the kilogram, in a twin with prices and in one without."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from starlette.testclient import TestClient
from tests.api.conftest import FROM
from tests.api.desk import write_desk

from twintown.app import create_app
from twintown.ground.series import Series
from twintown.settings import Settings
from twintown.trust.grades import Grade
from twintown.twin.layers import Twin

pytestmark = pytest.mark.slow  # twins and servers: the quick tests have two minutes
T = "/twins/small"


def priced(directory: Path) -> None:
    twin = Twin.open(directory, read_only=False)
    first = datetime(2023, 4, 5)
    table = pa.table(
        {
            "time": pa.array([first + timedelta(days=day) for day in range(4)], pa.timestamp("ms")),
            "rice_20kg": [46_000.0, 46_580.0, None, None],
            "new_rice_20kg": [47_320.0, None, None, None],
            "spinach_4kg": [None, None, 13_060.0, 12_000.0],
        }
    )
    units = dict.fromkeys(table.column_names[1:], "[KRW]")
    shape = Series(table, units, "Asia/Seoul", "전국 도매시장", FROM, {})
    twin.tables.switch({"prices": twin.stage("prices", shape, Grade.O).version})


def test_products_come_with_their_last_price_by_the_kilogram_and_its_day(tmp_path, dist):
    directory = write_desk(tmp_path / "small")
    priced(directory)
    with TestClient(create_app([directory], Settings(web=dist), warm=False)) as client:
        said = client.get(f"{T}/produce").json()
        assert said["desk"] is True
        one = {product["code"]: product for product in said["products"]}
        assert one["rice"]["price"] == {
            "krw_kg": 2329.0,
            "date": "2023-04-06",
            "unit": "[KRW]/kg",
            "source": "stated",
        }
        assert one["rice"]["names"] == {"ko": "쌀", "en": "Rice", "vi": "Gạo"}
        assert (one["spinach"]["price"]["krw_kg"], one["spinach"]["price"]["date"]) == (3000.0, "2023-04-08")
        assert (
            one["peach"]["price"] is None
            and one["peach"]["column"] == ""
            and one["peach"]["allergens"] == ["11"]
        )
        assert one["rice"]["forecast"] == ""
        assert list(said["grades"]) == ["special", "upper", "middle"]
        assert said["allergens"]["11"]["ko"] == "복숭아"
        odd = {item["row"]: item for item in client.get(f"{T}/lots").json()["findings"]}
        assert odd == {}


def test_a_twin_without_prices_still_has_products(tmp_path, dist):
    with TestClient(create_app([write_desk(tmp_path / "small")], Settings(web=dist), warm=False)) as client:
        said = client.get(f"{T}/produce").json()
        assert {product["price"] is None for product in said["products"]} == {True}
