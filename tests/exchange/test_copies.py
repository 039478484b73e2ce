"""What is kept of a partner's says whose it is, is for the city only, and goes away when it was agreed to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.api.conftest import ODBL, X, Y
from tests.exchange.two_cities import ROADS, URL, Two, agreed
from tests.exchange.two_cities import two as two

from twintown.exchange import copies, partners
from twintown.ground.grid import Grid
from twintown.trust.grades import Grade

pytestmark = pytest.mark.slow  # two cities are made for them

WHEN = "2035-01-01T00:00:00+00:00"


@pytest.fixture
def result(two: Two, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A partner's job that has one output, a grid: what its address answers."""
    shown = two.giver.twin.local(two.giver.twin.version("shade", _all(two.giver))).read_bytes()

    class Came:
        status = 200

        def __iter__(self) -> Any:
            yield shown

        def close(self) -> None:
            pass

    def through(_p: Any, _c: Any, found: Any, asked: partners.Question, _d: str, now: datetime) -> Came:
        partners.in_force(_p, found, now)
        assert (asked.path, asked.query) == ("jobs/J/results/hours", "f=cog")
        return Came()

    monkeypatch.setattr(partners, "through", through)
    return bytes(shown)


def _all(city: Any) -> Any:
    from twintown.trust.identity import Subject
    from twintown.trust.policy import Resource, decide

    return decide(Subject("owner", city.id), "read", Resource(city.id))


def _body(layer: str) -> dict[str, Any]:
    return {
        "path": "jobs/J/results/hours",
        "layer": layer,
        "title": {"ko": "잠실의 그늘", "en": "Shade of Jamsil"},
    }


def test_a_result_is_kept_as_theirs_and_goes_away_on_its_day(two: Two, result: bytes) -> None:
    id = agreed(two, {**ROADS, "until": "2034-01-01T00:00:00Z"})
    made = two.taker.ask("POST", f"/partners/{id}/copies", _body("shade-there"), 201)
    assert (made["layer"], made["attribution"], made["delete_by"]) == (
        "shade-there",
        ROADS["attribution"],
        None,
    )
    version = two.taker.twin.version("shade-there", _all(two.taker))
    assert version.grade is Grade.S
    assert version.meta["partner"]["did"] == two.giver.did
    assert {one.id for one in version.provenance.sources} >= {"partner", "osm"}
    assert ODBL.id in {one.licence.id for one in version.provenance.sources}, "whose it was before stays"
    kept = two.taker.twin.read("shade-there", _all(two.taker))
    assert isinstance(kept, Grid)
    assert (kept.values == Grid.from_cog(result).values).all()
    assert (kept.origin_x, kept.origin_y) == (X, Y + 20)
    open_ = two.taker.client.get(f"{URL}/twins/other/collections/shade-there")
    assert open_.status_code == 401, "it was given to the city, not to everybody"
    door = next(one for one in two.taker.ask("GET", "/partners")["partners"] if one["agreement"] == id)
    assert door["copies"] == ["shade-there"]
    assert copies.delete_due(two.taker.twin, datetime(2040, 1, 1, tzinfo=UTC)) == (), "no day was agreed"


def test_a_copy_with_a_day_is_deleted_by_itself_and_the_ledger_says_so(two: Two, result: bytes) -> None:
    from sqlalchemy import update

    from twintown.store.engine import writing
    from twintown.store.schema_shared import agreements

    id = agreed(two)
    tables = two.taker.twin.writing().tables
    with writing(tables.engine) as connection:
        mine = (agreements.c.twin == "other") & (agreements.c.id == id)
        terms = {"assets": ["layer:roads"], "delete_by": WHEN, "attribution": "©"}
        connection.execute(update(agreements).where(mine).values(terms=terms))
    two.taker.ask("POST", f"/partners/{id}/copies", _body("shade-until"), 201)
    assert copies.delete_due(two.taker.twin, datetime(2034, 12, 31, tzinfo=UTC)) == ()
    assert copies.delete_due(two.taker.twin, datetime(2035, 1, 1, tzinfo=UTC)) == ("shade-until",)
    assert "shade-until" not in two.taker.twin.tables.layers()
    told = [record for _, record in two.taker.records("recall") if record["agreement"] == id]
    assert [(one["layer"], one["state"]) for one in told] == [("shade-until", "deleted")]


def test_what_is_no_result_or_not_ours_to_overwrite_is_refused(two: Two, result: bytes) -> None:
    id = agreed(two)
    for path in ("collections/roads", "jobs/J", "jobs/J/results/a/b", "../x/results/y"):
        two.taker.ask("POST", f"/partners/{id}/copies", {**_body("copy"), "path": path}, 400)
    two.taker.ask("POST", f"/partners/{id}/copies", _body("roads"), 409)
    two.taker.ask("POST", f"/partners/{id}/copies", _body("No Id"), 400)
    two.giver.ask("POST", f"/agreements/{id}/end", {"why": "over"})
    two.deliver()
    two.taker.ask("POST", f"/partners/{id}/copies", _body("late"), 403)
