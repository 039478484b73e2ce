"""A recall of two servers that are killed (SIGKILL) after what they acknowledged: lot, certificate, list and notice stand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.api.conftest import write_twin
from tests.flows.cities import acquainted
from tests.flows.test_work_plan import ICHEON, SEOUL, Killable, again
from tests.programme.lots import MAKER, lots, put, with_desk

from twintown.trust.credential import read
from twintown.trust.identity import make_token
from twintown.trust.status_list import bits_of, is_set, place_of

pytestmark = pytest.mark.slow
LOT = "icn-rice-00000"
#: A festival in Seoul, whose host is to hear of a recall.
EVENT: dict[str, Any] = {
    "kind": "festival", "title": {"ko": "거북놀이와 햅쌀 마당", "en": "Geobuknori and new rice"},
    "place": {"name": {"ko": "서울놀이마당", "en": "Seoul Nori Madang"}, "venue": "", "lon": 127.0982, "lat": 37.5094},
    "organiser": {"name": "Icheon Cultural Foundation", "department": "Performances"},
    "visitors": {"expected": 4000, "error": 800, "source": "assumed", "note": ""},
    "start": "2027-09-18T11:00:00+09:00", "end": "2027-09-18T19:00:00+09:00",
}  # fmt: skip


@pytest.fixture
def both(tmp_path: Path) -> Iterator[tuple[Killable, Killable]]:
    found = []
    for id in (SEOUL, ICHEON):
        make_token(write_twin(tmp_path / id, id))
        found.append(Killable(tmp_path / id, id))
    twin = with_desk(tmp_path / ICHEON)
    put(twin, "producers", {"p-1": MAKER})
    lots(twin, 2)
    twin.tables.engine.dispose()
    acquainted([one.city for one in found], {SEOUL: "KR", ICHEON: "KR"})
    for one in found:
        one.start()
    try:
        for one in found:
            one.stands()
        yield found[0], found[1]
    finally:
        for one in found:
            one.kill()


def test_what_was_recalled_is_recalled_whoever_is_killed(both: tuple[Killable, Killable]) -> None:
    seoul, icheon = both
    event = {**EVENT, "host": seoul.city.did}
    icheon.city.ask("POST", "/events", 201, json={"event": event, "author": "test"})
    issued = icheon.city.ask("POST", "/certificates", 201, json={"lots": "all", "author": "test"})["issued"]
    again(icheon)
    id = next(one["id"] for one in issued if one["lot"] == LOT)
    jwt = icheon.city.ask("GET", f"/certificates/{id}")
    icheon.city.wait(f"/certificates/{id}/status", lambda found: found["state"] == "good", 60)

    seoul.kill()  # it is away while its partner recalls
    made = icheon.city.ask("POST", f"/lots/{LOT}/recall", 201, json={"why": "residue", "author": "test"})
    assert [one["peer"] for one in made["reach"]] == [seoul.city.did]
    again(icheon)
    status = icheon.city.ask("GET", f"/certificates/{id}/status")
    assert (status["state"], status["why"]) == ("bad", "revoked")
    url, place = place_of(read(jwt).body)
    listed = icheon.city.ask("GET", url.removeprefix(icheon.city.address))
    assert is_set(bits_of(read(listed), url), place)
    assert icheon.city.ask("GET", f"/collections/lots/items/{LOT}")["properties"]["state"] == "recalled"

    seoul.start()
    seoul.stands()
    told = seoul.city.wait("/recalls", lambda found: bool(found["recalls"]), 90)["recalls"][0]
    assert (told["id"], told["way"], told["lot"]) == (made["id"], "told", LOT)
    again(seoul)
    seoul.city.ask("POST", f"/recalls/{made['id']}/seen", json={"author": "test"})
    again(seoul)
    ours = icheon.city.wait("/recalls", lambda found: found["recalls"][0]["reach"][0]["state"] == "seen", 90)
    assert len(ours["recalls"]) == 1
    kinds = {one["kind"] for one in icheon.city.ask("GET", "/ledger/entries?limit=50")["entries"]}
    assert {"certificate", "recall", "notice"} <= kinds
    assert len(seoul.city.ask("GET", "/recalls")["recalls"]) == 1
