"""Events as rows: revisions that stay, and nobody overwrites what another one wrote."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.programme.events import HOST, ID, festival

from twintown.ground.errors import Conflict, NotFound, PreconditionFailed
from twintown.programme import event_rows
from twintown.store.engine import reading, writing
from twintown.store.tables import Tables, open_tables, sqlite_url

NOW = datetime(2027, 6, 1, tzinfo=UTC)
KIM = {"name": "김", "kind": "person", "verified": True}


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    return open_tables(sqlite_url(tmp_path / "state.db"), "icheon", read_only=False)


def test_every_revision_stays_and_the_last_one_is_the_event(tables: Tables) -> None:
    with writing(tables.engine) as connection:
        event_rows.add_in(connection, "icheon", festival(), KIM, NOW)
        changed = festival(visitors={"expected": 3000, "error": 900, "source": "tickets", "note": ""})
        event_rows.change_in(connection, "icheon", changed, 1, KIM, NOW)
    with reading(tables.engine) as connection:
        assert event_rows.one_in(connection, "icheon", ID).event == changed
        assert event_rows.one_in(connection, "icheon", ID, 1).event == festival()
        assert [one.revision for one in event_rows.revisions_in(connection, "icheon", ID)] == [1, 2]
        assert event_rows.one_in(connection, "icheon", ID).author == KIM
        with pytest.raises(NotFound):
            event_rows.one_in(connection, "jamsil", ID)


def test_who_comes_second_is_told_so_and_nothing_is_lost(tables: Tables) -> None:
    with writing(tables.engine) as connection:
        event_rows.add_in(connection, "icheon", festival(), KIM, NOW)
        event_rows.change_in(connection, "icheon", festival(agreement="urn:uuid:2"), 1, KIM, NOW)
    with pytest.raises(PreconditionFailed, match="2 is"), writing(tables.engine) as connection:
        event_rows.change_in(connection, "icheon", festival(agreement="urn:uuid:3"), 1, KIM, NOW)
    with reading(tables.engine) as connection:
        assert event_rows.one_in(connection, "icheon", ID).event.agreement == "urn:uuid:2"


def test_a_list_holds_each_event_once_between_two_moments(tables: Tables) -> None:
    with writing(tables.engine) as connection:
        for day in range(3):
            start, end = (f"2027-09-{18 + day}T{hour}:00:00+09:00" for hour in (11, 19))
            one = festival(id=f"ev-{day:024x}", start=start, end=end, programme=[])
            event_rows.add_in(connection, "icheon", one, KIM, NOW)
            event_rows.change_in(connection, "icheon", one, 1, KIM, NOW)
    first = datetime.fromisoformat("2027-09-18T19:00:00+09:00")
    with reading(tables.engine) as connection:
        every = event_rows.all_in(connection, "icheon")
        later = event_rows.all_in(connection, "icheon", since=first, until=first + timedelta(days=1))
    assert [(one.id[-1], one.revision) for one in every] == [("0", 2), ("1", 2), ("2", 2)]
    assert [one.id[-1] for one in later] == ["1"]


def test_a_joint_document_moves_the_event_and_a_wrong_step_is_refused(tables: Tables) -> None:
    with writing(tables.engine) as connection:
        event_rows.add_in(connection, "icheon", festival(agreement=""), KIM, NOW)
        event_rows.step_in(
            connection, "icheon", ID, "proposed", KIM, NOW, joint="jp-1", agreement="urn:uuid:9"
        )
        agreed = event_rows.step_in(connection, "icheon", ID, "agreed", KIM, NOW)
        settled = event_rows.step_in(connection, "icheon", ID, "settled", KIM, NOW)
    assert (agreed.joint, agreed.event.agreement, settled.revision) == ("jp-1", "urn:uuid:9", 4)
    with pytest.raises(Conflict, match="settled"), writing(tables.engine) as connection:
        event_rows.step_in(connection, "icheon", ID, "cancelled", KIM, NOW)


def test_a_partners_event_is_kept_as_it_tells_it_and_no_other_city_may_take_its_name(tables: Tables) -> None:
    other = {"peer": "did:web:icheon.example", "joint": "jp-1"}
    with writing(tables.engine) as connection:
        event_rows.tell_in(connection, "jamsil", festival(), "proposed", {}, NOW, **other)
        told = event_rows.tell_in(connection, "jamsil", festival(), "agreed", {}, NOW, **other)
        assert (told.origin, told.revision, told.state) == ("partner", 2, "agreed")
        with pytest.raises(PreconditionFailed):
            event_rows.tell_in(connection, "jamsil", festival(), "agreed", {}, NOW, peer=HOST, joint="jp-2")
