"""Where a recalled lot went, and that a recall stands whole or not at all."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection
from tests.api.conftest import write_twin
from tests.programme.lots import MAKER, deliveries, lots, put, with_desk

from twintown.ground.errors import BadParameter, NotFound, StorageFailed
from twintown.programme import certificate_rows, certificates, produce_rows, recall, recall_places
from twintown.programme.certificate import Certifying
from twintown.trust.did import did_of
from twintown.trust.identity import LOCAL_OWNER
from twintown.trust.policy import Resource, decide
from twintown.twin.layers import Twin

pytestmark = pytest.mark.slow  # twins and servers: the quick tests have two minutes

URL = "http://127.0.0.1:8000"
GRANT = decide(LOCAL_OWNER, "share", Resource("small"))
BY = Certifying(did_of("small", URL), "본부", f"{URL}/twins/small", ZoneInfo("Asia/Seoul"))
NEED = {"place": "st-1", "place_kind": "stand", "event": "", "name_ko": "쌀 판매대", "name_en": "Rice stand", "product": "rice",
        "quantity_kg": 80.0, "date": "2027-09-18"}  # fmt: skip
KITCHEN = {
    "name_ko": "잠실초 급식실",
    "name_en": "Jamsil school",
    "kind": "school",
    "partner": "jamsil",
    "meals_d": 400,
}


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Twin:
    made = with_desk(
        write_twin(tmp_path_factory.mktemp("recalled") / "small"), "lots", "producers", "needs", "kitchens"
    )
    put(made, "producers", {"p-1": MAKER})
    put(made, "kitchens", {"k-1": KITCHEN})
    put(
        made,
        "needs",
        {"n-1": NEED, "n-2": {**NEED, "place": "k-1", "place_kind": "kitchen", "name_ko": "", "name_en": ""}},
    )
    lots(made, 3)
    certificates.issue(made, BY, GRANT, None, {}, datetime.now(UTC))
    deliveries(made, [
        {"lot": "icn-rice-00000", "need": "n-1", "place": "st-1", "quantity_kg": 30.0, "date": "2027-09-18"},
        {"lot": "icn-rice-00000", "need": "n-1", "place": "st-1", "quantity_kg": 20.5, "date": "2027-09-17"},
        {"lot": "icn-rice-00000", "need": "n-2", "place": "k-1", "quantity_kg": 12.0, "date": "2027-09-20"},
        {"lot": "icn-rice-00001", "need": "n-1", "place": "st-1", "quantity_kg": 99.0, "date": "2027-09-18"},
    ])  # fmt: skip
    return made


def test_the_places_are_those_of_the_plan_with_their_kilograms_and_first_day(twin: Twin) -> None:
    found = recall_places.places_of(twin, GRANT, "icn-rice-00000")
    assert [(one.place, one.kind, one.kg, one.date) for one in found] == [
        ("k-1", "kitchen", 12.0, "2027-09-20"), ("st-1", "stand", 50.5, "2027-09-17"),
    ]  # fmt: skip
    assert [one.name for one in found] == [("잠실초 급식실", "Jamsil school"), ("쌀 판매대", "Rice stand")]
    assert recall_places.places_of(twin, GRANT, "icn-rice-00002") == ()
    with pytest.raises(NotFound):
        recall_places.places_of(twin, GRANT, "icn-rice-00000", "no-such-plan")


def test_a_partner_is_told_of_its_own_places_and_of_those_that_nobody_places(twin: Twin) -> None:
    places = recall_places.places_of(twin, GRANT, "icn-rice-00000")
    one = recall.Recall("x", "B", "02900000000018", "rice", "why", places, ())
    told = {
        whom: [place["place"] for place in one.to_dict(frozenset({whom}))["places"]]
        for whom in ("jamsil", "saigon")
    }
    assert told == {"jamsil": ["k-1", "st-1"], "saigon": ["st-1"]}
    back = recall.told(one.to_dict())
    assert [place.to_dict() for place in back.places] == [place.to_dict() for place in places]


def revoked(twin: Twin, lot: str) -> bool:
    return certificate_rows.listed(twin.tables, lot)[0].revoked is not None


def state(twin: Twin, lot: str) -> Any:
    return next(row["state"] for row in produce_rows.rows(twin, "lots", GRANT) if row["id"] == lot)


def test_a_recall_that_cannot_be_told_has_not_happened(twin: Twin) -> None:
    def broken(connection: Connection, one: recall.Recall, ledger: int) -> None:
        raise StorageFailed("the disk is away", "outbox")

    with pytest.raises(StorageFailed):
        recall.recall(
            twin, BY.address, GRANT, "icn-rice-00001", "why", {"name": "Kim"}, (), broken, datetime.now(UTC)
        )
    assert not revoked(twin, "icn-rice-00001") and state(twin, "icn-rice-00001") == "offered"


def test_lot_certificate_and_notice_change_together(twin: Twin) -> None:
    heard: list[recall.Recall] = []
    done = recall.recall(
        twin,
        BY.address,
        GRANT,
        "icn-rice-00001",
        " why ",
        {"name": "Kim"},
        (),
        lambda _, one, __: heard.append(one),
        datetime.now(UTC),
    )
    assert heard == [done] and done.why == "why" and len(done.certificates) == 1
    assert revoked(twin, "icn-rice-00001") and state(twin, "icn-rice-00001") == "recalled"


@pytest.mark.parametrize("why", ["", "  ", "x" * 1001])
def test_a_recall_has_a_reason(twin: Twin, why: str) -> None:
    with pytest.raises(BadParameter):
        recall.recall(
            twin, BY.address, GRANT, "icn-rice-00002", why, {}, (), lambda *_: None, datetime.now(UTC)
        )
