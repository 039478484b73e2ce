from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from twintown.ground.errors import Conflict, StorageFull
from twintown.store.blobs import Blobs
from twintown.store.engine import reading, writing
from twintown.store.schema_shared import ledger_entries
from twintown.trust.checkpoints import read_checkpoint
from twintown.trust.ledger import leaves_in
from twintown.trust.ledger_rows import KEPT, newest
from twintown.trust.ledger_tree import fetch_of, grow, mend
from twintown.trust.notes import Note
from twintown.trust.tlog import leaf_hash, reader_of, root
from twintown.trust.tlog_tiles import reader

from .ledgers import City, city


@pytest.fixture
def seoul(tmp_path: Path) -> City:
    return city(tmp_path / "seoul", "seoul")


def files(one: City) -> dict[str, bytes]:
    folder = one.directory / "ledger"
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def true_root(one: City, size: int) -> bytes:
    with reading(one.ledger.tables.engine) as connection:
        leaves = leaves_in(connection, one.ledger.tables, 0, size)
    return root(size, reader_of([leaf_hash(leaf) for leaf in leaves]))


def test_without_entries_nothing_is_signed_and_nothing_is_written(seoul: City) -> None:
    assert grow(seoul.ledger, seoul.now) is None
    assert not (seoul.directory / "ledger").exists()


@pytest.mark.slow
def test_the_tree_grows_to_the_same_files_however_the_entries_came(seoul: City, tmp_path: Path) -> None:
    for count in (1, 3, 251, 1, 1, 300):
        seoul.enter(count)
        kept = seoul.grow()
        assert kept.root == true_root(seoul, kept.size)
        assert read_checkpoint(kept.note, seoul.log_keys).size == kept.size
    other = city(tmp_path / "other", "seoul")
    with reading(seoul.ledger.tables.engine) as connection:
        rows = connection.execute(ledger_entries.select()).all()
    with writing(other.ledger.tables.engine) as connection:
        connection.execute(ledger_entries.insert(), [dict(row._mapping) for row in rows])
    other.grow()
    assert files(other) == files(seoul)


def test_nothing_new_is_nothing_written(seoul: City) -> None:
    seoul.enter(5)
    first = seoul.grow()
    stamps = {path: path.stat().st_mtime_ns for path in (seoul.directory / "ledger").rglob("*")}
    assert seoul.grow() == first
    assert stamps == {path: path.stat().st_mtime_ns for path in (seoul.directory / "ledger").rglob("*")}


def test_a_narrower_tile_of_an_older_checkpoint_is_still_had(seoul: City) -> None:
    seoul.enter(5)
    old = seoul.grow()
    for count in (4, 260):
        seoul.enter(count)
        seoul.grow()
        assert root(5, reader(fetch_of(seoul.ledger.blobs), 5)) == old.root


@pytest.mark.parametrize("calls", range(1, 8))
def test_a_keeper_that_is_killed_leaves_nothing_wrong_and_repeats_to_the_same_bytes(
    seoul: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, calls: int
) -> None:
    seoul.enter(250)
    before = seoul.grow()
    seoul.enter(10)
    left, put = [calls], Blobs.put

    def killed(blobs: Blobs, key: str, data: bytes) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt
        put(blobs, key, data)

    monkeypatch.setattr(Blobs, "put", killed)
    died = True
    try:
        seoul.grow()
        died = False
    except KeyboardInterrupt:
        pass
    monkeypatch.undo()
    said = Note.parse((seoul.directory / "ledger" / "checkpoint").read_bytes())
    shown = read_checkpoint(said, seoul.log_keys)
    made = reader(fetch_of(seoul.ledger.blobs), shown.size)
    assert root(shown.size, made) == shown.root == true_root(seoul, shown.size)
    assert died == (calls < 7) and (shown.size == before.size) == died
    assert seoul.grow().root == true_root(seoul, 260)
    whole = files(seoul)
    assert {name for name in whole if ".p" in name} == {
        "tile/0/001.p/4",
        "tile/entries/001.p/4",
        "tile/1/000.p/1",
    }


def test_a_full_disk_signs_nothing_and_the_next_turn_goes_on(
    seoul: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    seoul.enter(3)
    before = seoul.grow()
    seoul.enter(3)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageFull):
        seoul.grow()
    monkeypatch.undo()
    assert seoul.ledger.newest() == before
    assert seoul.grow().size == 6


def test_two_keepers_at_once_sign_one_log(seoul: City) -> None:
    def turn(_: int) -> None:
        seoul.enter(7)
        grow(seoul.ledger, seoul.now)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(turn, range(12)))
    kept = seoul.grow()
    assert (kept.size, kept.root) == (84, true_root(seoul, 84))
    assert root(84, reader(fetch_of(seoul.ledger.blobs), 84)) == kept.root


def test_entries_that_were_deleted_are_noticed_and_nothing_is_signed(seoul: City) -> None:
    seoul.enter(10)
    before = seoul.grow()
    with writing(seoul.ledger.tables.engine) as connection:
        connection.execute(delete(ledger_entries).where(ledger_entries.c.seq >= 7))
    with pytest.raises(Conflict, match="3 entries are gone"):
        seoul.grow()
    seoul.enter(9)  # others in their place
    with pytest.raises(Conflict, match="others than those"):
        seoul.grow()
    assert seoul.ledger.newest() == before


def test_an_entry_that_was_changed_is_noticed_even_where_the_tiles_are_gone(seoul: City) -> None:
    seoul.enter(300)
    before = seoul.grow()
    with writing(seoul.ledger.tables.engine) as connection:
        row = ledger_entries.c.seq == 17
        connection.execute(update(ledger_entries).where(row).values(leaf=b"another"))
    seoul.ledger.blobs.delete_prefix("ledger/tile")
    seoul.enter()
    with pytest.raises(Conflict, match="others than those"):
        seoul.grow()
    assert seoul.ledger.newest() == before


def test_tiles_that_were_lost_or_broken_are_made_again_from_the_rows(seoul: City) -> None:
    seoul.enter(300)
    kept = seoul.grow()
    whole = files(seoul)
    (seoul.directory / "ledger" / "tile" / "0" / "000").write_bytes(b"x" * 8192)
    (seoul.directory / "ledger" / "tile" / "entries" / "000").unlink()
    (seoul.directory / "ledger" / "checkpoint").unlink()
    assert mend(seoul.ledger) == kept
    assert files(seoul) == whole
    seoul.ledger.blobs.delete_prefix("ledger/tile")
    seoul.enter()
    seoul.grow()  # the keeper misses the newest tiles by itself
    assert files(seoul)["tile/0/000"] == whole["tile/0/000"]


def test_nothing_is_mended_out_of_rows_that_are_others(seoul: City) -> None:
    assert mend(seoul.ledger) is None
    seoul.enter(3)
    seoul.grow()
    whole = files(seoul)
    with writing(seoul.ledger.tables.engine) as connection:
        connection.execute(update(ledger_entries).where(ledger_entries.c.seq == 1).values(leaf=b"another"))
    with pytest.raises(Conflict, match="others than those"):
        mend(seoul.ledger)
    assert files(seoul) == whole


def test_old_checkpoints_are_forgotten_and_the_newest_stay(
    seoul: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twintown.trust.ledger_rows.KEPT", 3)
    for _ in range(6):
        seoul.enter()
        seoul.grow()
    with reading(seoul.ledger.tables.engine) as connection:
        from twintown.trust.ledger_rows import seen

        notes = seen(connection, seoul.ledger.tables, seoul.ledger.origin)
        last = newest(connection, seoul.ledger.tables, seoul.ledger.origin)
    assert [note.text.split("\n")[1] for note in notes] == ["6", "5", "4"] and last is not None
    assert KEPT > 100
