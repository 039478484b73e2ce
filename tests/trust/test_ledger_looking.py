from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select

from twintown.ground.errors import BadData, NotFound, StorageFailed
from twintown.store.engine import reading
from twintown.store.schema_shared import ledger_entries
from twintown.trust.keys import write_key
from twintown.trust.ledger_keeping import Witnesses
from twintown.trust.ledger_looking import look
from twintown.trust.ledger_source import Folder
from twintown.trust.notes import Note, verified

from .ledgers import City, cities, city


@pytest.fixture
def pair(tmp_path: Path) -> list[City]:
    """Seoul has 5 entries, which Icheon has cosigned."""
    seoul, icheon = cities(tmp_path, "seoul", "icheon")
    seoul.enter(5)
    seoul.grow()
    seoul.asks(icheon)
    return [seoul, icheon]


def looked(icheon: City, seoul: City) -> str:
    source = Folder(seoul.directory)
    return look(icheon.ledger, seoul.ledger.origin, source, seoul.log_keys, icheon.now)


def forks(one: City) -> list[dict[str, Any]]:
    with reading(one.ledger.tables.engine) as connection:
        query = select(ledger_entries.c.record).where(ledger_entries.c.kind == "fork")
        return list(connection.execute(query).scalars())


def test_a_ledger_that_grew_as_it_should_is_good(pair: list[City]) -> None:
    seoul, icheon = pair
    assert looked(icheon, seoul) == ""
    for count in (1, 300):
        seoul.enter(count)
        seoul.grow()
        assert looked(icheon, seoul) == ""
    assert forks(icheon) == []


@pytest.mark.parametrize("count", [5, 9, 300])
def test_a_history_that_was_never_shown_to_the_witness_is_found(
    pair: list[City], tmp_path: Path, count: int
) -> None:
    seoul, icheon = pair
    other = city(tmp_path / "forked", "seoul")
    other.enter(count, "end")
    other.grow()
    for _ in range(2):
        assert "was forked" in looked(icheon, other)
    (record,) = forks(icheon)
    for said in (record["seen"], record["shown"]):
        assert len(verified(Note.parse(said), seoul.log_keys)) == 1


def test_a_ledger_that_shows_less_than_it_had_is_named(pair: list[City], tmp_path: Path) -> None:
    _, icheon = pair
    shorter = city(tmp_path / "shorter", "seoul")
    shorter.enter(3)
    shorter.grow()
    assert "shows 3 entries, and 5 of it were cosigned here" in looked(icheon, shorter)
    assert forks(icheon) == []


def test_what_is_not_signed_or_not_whole_accuses_nobody(pair: list[City], tmp_path: Path) -> None:
    seoul, icheon = pair
    with pytest.raises(BadData):
        look(icheon.ledger, seoul.ledger.origin, Folder(seoul.directory), icheon.log_keys, icheon.now)
    seoul.enter(4)
    seoul.grow()
    tile = seoul.directory / "ledger" / "tile" / "0" / "000.p" / "9"
    tile.write_bytes(bytes(32) + tile.read_bytes()[32:])
    with pytest.raises(BadData, match="are not those of its checkpoint"):
        looked(icheon, seoul)
    with pytest.raises(NotFound):
        looked(icheon, city(tmp_path / "empty", "seoul"))
    assert forks(icheon) == []


class Wire(Folder):
    """A peer's ledger and witness as if behind an address."""

    def __init__(self, one: City) -> None:
        super().__init__(one.directory)
        self.one = one

    def add_checkpoint(self, body: bytes) -> tuple[int, str, str]:
        if self.one.now.year < 2000:
            raise StorageFailed("does not answer")
        return self.one.post(self.one.peer, body)

    def close(self) -> None:
        """Nothing is open."""


def test_the_keeper_signs_what_is_new_and_has_its_peers_cosign_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twintown.trust.ledger_keeping.FIRST_S", 0.0)
    seoul, icheon = cities(tmp_path, "seoul", "icheon")
    write_key(seoul.directory / "signing.key", seoul.key)
    about = SimpleNamespace(peers={"icheon": icheon.peer})
    twin = SimpleNamespace(
        directory=seoul.directory, description=about, tables=seoul.ledger.tables, blobs=seoul.ledger.blobs
    )
    seoul.enter(2)
    witnesses = Witnesses(lambda *_: Wire(icheon))  # type: ignore[arg-type, return-value]
    icheon.now = icheon.now.replace(year=1999)  # it is away
    until = time.monotonic() + 20
    while time.monotonic() < until:
        witnesses.turn(twin, "https://seoul.example")  # type: ignore[arg-type]
        kept = seoul.ledger.newest()
        assert kept is not None
        if verified(kept.note, icheon.witness_keys):
            break
        icheon.now = icheon.now.replace(year=2026)  # it is back
        time.sleep(0.01)
    assert kept.size == 2
    assert list(verified(kept.note, icheon.witness_keys)) == icheon.witness_keys
