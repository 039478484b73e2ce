"""The thread that brings messages as soon as they are committed; when what waits is tried again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Event

import pytest
from sqlalchemy import select

from twintown.exchange import outbox
from twintown.exchange.handshake import Bringing
from twintown.ground.errors import BadSettings, StorageFailed
from twintown.settings import read_settings
from twintown.store.engine import open_engine, writing
from twintown.store.schema import metadata
from twintown.store.schema_shared import outbox as table

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


def test_a_thread_brings_when_it_is_woken_and_goes_on_after_trouble() -> None:
    calls, seen = list[int](), [Event(), Event(), Event()]

    def bring() -> None:
        calls.append(1)
        seen[len(calls) - 1].set()
        if len(calls) == 1:
            raise StorageFailed("the database is away")
        if len(calls) == 2:
            raise ValueError("a slip of ours")

    one = Bringing(bring)
    for event in seen:
        one.wake()
        assert event.wait(20)


def test_a_thread_comes_back_by_itself_while_something_waits() -> None:
    calls, done = list[int](), Event()

    def bring() -> float | None:
        calls.append(1)
        if len(calls) < 3:
            return 0.001
        done.set()
        return None

    Bringing(bring).wake()
    assert done.wait(20)


def put(
    connection: object, of: str, seq: int, mark: str, at: datetime = NOW, peer: str = "did:web:b"
) -> None:
    outbox.put(connection, "a", of, seq, peer, "https://b/x", {"@type": "X"}, mark, at)  # type: ignore[arg-type]


def test_messages_of_one_conversation_go_one_after_the_other_and_others_do_not_wait() -> None:
    engine = open_engine("sqlite://")
    metadata.create_all(engine)
    with writing(engine) as connection:
        for of, seq, mark in (("n1", 0, "1"), ("n1", 1, "2"), ("n2", 0, "3")):
            put(connection, of, seq, mark)
        first, other = outbox.claim(connection, "a", NOW), outbox.claim(connection, "a", NOW)
        assert first and other and {first.id, other.id} == {"1", "3"}
        assert outbox.claim(connection, "a", NOW) is None
        outbox.heard(connection, "a", first if first.id == "1" else other, "answered 200", NOW)
        second = outbox.claim(connection, "a", NOW)
        assert second and second.id == "2" and second.attempts == 1


def test_whoever_took_a_message_and_died_holds_it_for_seconds_only() -> None:
    engine = open_engine("sqlite://")
    metadata.create_all(engine)
    with writing(engine) as connection:
        put(connection, "n", 0, "1")
        assert outbox.claim(connection, "a", NOW)
        assert outbox.claim(connection, "a", NOW + outbox.LEASE / 2) is None
        again = outbox.claim(connection, "a", NOW + outbox.LEASE)
        assert again and again.attempts == 2


def test_pauses_grow_and_after_days_a_message_is_given_up() -> None:
    engine = open_engine("sqlite://")
    metadata.create_all(engine)
    with writing(engine) as connection:
        put(connection, "n", 0, "1")
        now, pauses = NOW, list[timedelta]()
        while True:
            one = outbox.claim(connection, "a", now)
            assert one
            if not outbox.later(connection, "a", one, "nobody there", now):
                break
            due = outbox.due(connection, "a")
            assert due
            pauses.append(due - now)
            now = due
        assert pauses == sorted(pauses) and pauses[0] <= timedelta(seconds=1)
        assert now - NOW > outbox.PATIENCE and outbox.due(connection, "a") is None
        assert connection.execute(select(table.c.body)).scalar() == {"@type": "X", "@id": "1"}


def test_a_peer_that_speaks_hears_at_once_what_waited_for_it() -> None:
    engine = open_engine("sqlite://")
    metadata.create_all(engine)
    with writing(engine) as connection:
        put(connection, "n", 0, "1", NOW + timedelta(hours=1))
        put(connection, "m", 0, "2", NOW + timedelta(hours=1), peer="did:web:c")
        outbox.alive(connection, "a", "did:web:b", NOW)
        one = outbox.claim(connection, "a", NOW)
        assert one and one.id == "1" and outbox.claim(connection, "a", NOW) is None


def test_the_test_profile_is_for_this_machine_unless_somebody_says_otherwise() -> None:
    assert read_settings({"TWINTOWN_DSP_TEST": "on"}).dsp_test
    assert not read_settings({}).dsp_test
    assert read_settings({"TWINTOWN_DSP_TEST": "anywhere", "TWINTOWN_HOST": "0.0.0.0"}).dsp_test
    with pytest.raises(BadSettings, match="any caller"):
        read_settings({"TWINTOWN_DSP_TEST": "on", "TWINTOWN_HOST": "0.0.0.0"})
    with pytest.raises(BadSettings):
        read_settings({"TWINTOWN_DSP_TEST": "yes"})
