from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from twintown.ground.errors import BadData, StorageFailed, TooLarge
from twintown.store.engine import reading, writing
from twintown.store.tables import Tables, open_tables, sqlite_url
from twintown.trust.ledger import (
    LONGEST,
    entries_in,
    leaves_in,
    moment,
    opens,
    read_leaf,
    record_in,
    record_many_in,
    size_in,
)
from twintown.trust.ledger_entering import Entering

from .ledgers import empty_database

NOW = datetime(2026, 11, 22, 3, 4, 5, 678901, tzinfo=UTC)
RECORD = {"agreement": "urn:uuid:1", "by": {"name": "Kim", "kind": "person"}, "why": "점검", "share": 1.0}


@pytest.fixture
def tables(tmp_path: Path) -> Iterator[Tables]:
    (tmp_path / "state.db").write_bytes(empty_database())
    opened = open_tables(sqlite_url(tmp_path / "state.db"), "seoul")
    yield opened
    opened.engine.dispose()


def test_an_entry_is_read_back_and_opened_by_its_salt_and_record_only(tables: Tables) -> None:
    with writing(tables.engine) as connection:
        assert record_in(connection, tables, "suspension", RECORD, NOW) == 0
    with reading(tables.engine) as connection:
        (entry,) = entries_in(connection, tables, 0, 10)
        assert leaves_in(connection, tables, 0, 10) == [entry.leaf]
    assert (entry.seq, entry.kind, moment(entry.at)) == (0, "suspension", "2026-11-22T03:04:05.678Z")
    assert read_leaf(entry.leaf)[:2] == ("suspension", "2026-11-22T03:04:05.678Z")
    assert opens(entry.leaf, entry.salt, entry.record) and opens(entry.leaf, entry.salt, RECORD)
    assert not opens(entry.leaf, bytes(16), RECORD)
    assert not opens(entry.leaf, entry.salt, {**RECORD, "why": "점심"})


def test_a_leaf_holds_nothing_of_the_record_and_the_same_record_makes_another_leaf(tables: Tables) -> None:
    with writing(tables.engine) as connection:
        record_many_in(connection, tables, [("end", RECORD), ("end", RECORD)], NOW)
        first, second = leaves_in(connection, tables, 0, 2)
    assert b"Kim" not in first and b"urn" not in first and len(first) < 200
    assert first != second


def test_places_are_dense_across_transactions_that_fail_and_twins_that_share_a_database(
    tables: Tables,
) -> None:
    other = Tables(tables.engine, "icheon")
    with writing(tables.engine) as connection:
        assert record_many_in(connection, tables, [("offer", {"n": n}) for n in range(3)], NOW) == range(3)
        assert record_in(connection, other, "offer", {}, NOW) == 0

    def entered_and_failed() -> None:
        with writing(tables.engine) as connection:
            record_in(connection, tables, "offer", {"n": 3}, NOW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        entered_and_failed()
    with writing(tables.engine) as connection:
        assert record_many_in(connection, tables, [], NOW) == range(3, 3)
        assert record_in(connection, tables, "offer", {"n": 4}, NOW) == 3
    with reading(tables.engine) as connection:
        assert size_in(connection, tables) == 4 and size_in(connection, other) == 1
        assert [entry.record["n"] for entry in entries_in(connection, tables, 1, 4)] == [1, 2, 4]


def test_threads_that_write_at_once_get_each_place_once(tables: Tables) -> None:
    def one(number: int) -> int:
        with writing(tables.engine) as connection:
            return record_in(connection, tables, "refusal", {"n": number}, NOW)

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(one, range(24))) == list(range(24))


@pytest.mark.parametrize("kind", ["", "Offer", "a", "x" * 25, 'offer"', "-offer", "offer-"])
def test_a_kind_is_a_short_word(tables: Tables, kind: str) -> None:
    with pytest.raises(BadData), writing(tables.engine) as connection:
        record_in(connection, tables, kind, {}, NOW)


@pytest.mark.parametrize("value", [float("nan"), 2**60, "\ud800"])
def test_what_json_does_not_hold_is_refused(tables: Tables, value: object) -> None:
    with pytest.raises(BadData), writing(tables.engine) as connection:
        record_in(connection, tables, "offer", {"value": value}, NOW)


def test_a_long_record_is_refused(tables: Tables) -> None:
    with pytest.raises(TooLarge), writing(tables.engine) as connection:
        record_in(connection, tables, "offer", {"value": "x" * LONGEST}, NOW)


@pytest.mark.parametrize(
    "leaf",
    [b"", b"{}", b'{"at":"2026-11-22T03:04:05.678Z","digest":"00","kind":"offer"}', b"\xff" * 150],
)
def test_other_bytes_are_no_leaf(leaf: bytes) -> None:
    with pytest.raises(BadData):
        read_leaf(leaf)


def test_callers_that_enter_at_once_share_transactions_and_each_learns_its_own_place(tables: Tables) -> None:
    entering = Entering(tables)

    def one(number: int) -> tuple[int, int]:
        return number, entering.enter("refusal", {"n": number}, NOW)

    with ThreadPoolExecutor(8) as pool:
        places = dict(pool.map(one, range(60)))
    with reading(tables.engine) as connection:
        said = {entry.record["n"]: entry.seq for entry in entries_in(connection, tables, 0, 100)}
    assert said == places
    assert sorted(said.values()) == list(range(60))


def test_who_enters_what_cannot_be_entered_disturbs_nobody_else(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    entering = Entering(tables)
    with pytest.raises(BadData):
        entering.enter("Bad Kind", {}, NOW)
    monkeypatch.setattr(tables, "twin", None)  # a row without a twin is refused by the database
    with pytest.raises(StorageFailed):
        entering.enter("refusal", {}, NOW)
    monkeypatch.undo()
    assert entering.enter("refusal", {}, NOW) == 0
