from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from twintown.store.journal import Edit, Journal, Moved
from twintown.store.tables import LayerRow, Tables, open_tables, sqlite_url

COUNT = """
import sys
from twintown.store.journal import Edit, Journal
from twintown.store.tables import open_tables
tables = open_tables(sys.argv[1], "hamlet")
journal = Journal(tables.engine, "hamlet")
for _ in range(int(sys.argv[2])):
    with journal.writing("benches", "a") as work:
        before = work.last(["counter"]).get("counter")
        work.add([Edit("counter", str(int(before.properties) + 1 if before else 1), None)], "owner")
"""


@pytest.fixture
def url(tmp_path: Path) -> str:
    return sqlite_url(tmp_path / "state.db")


@pytest.fixture
def rows(url: str) -> Iterator[Tables]:
    opened = open_tables(url, "hamlet")
    current(opened, "a")
    yield opened
    opened.engine.dispose()


def current(rows: Tables, version: str) -> None:
    now = datetime.now(UTC)
    rows.add_layer(
        LayerRow("benches", version, "features", "sha256:0", 0, now, f"layers/benches/{version}", None, "O", "의자", "Benches")
    )  # fmt: skip
    rows.switch({"benches": version})


@pytest.fixture
def journal(rows: Tables) -> Journal:
    return Journal(rows.engine, "hamlet")


def add(journal: Journal, *edits: Edit, base: str = "a") -> int:
    with journal.writing("benches", base) as work:
        work.add(edits, "owner")
        return work.revision


def test_the_last_edit_of_each_feature_counts_as_of_any_revision(journal: Journal) -> None:
    assert add(journal, Edit("one", "1", b"\x01"), Edit("two", "2", None)) == 2
    assert add(journal, Edit("one", "3", b"\x02")) == 3
    assert add(journal, Edit("two", None, None)) == 4
    assert journal.edits("benches", "a") == [Edit("one", "3", b"\x02", 3), Edit("two", None, None, 4)]
    assert journal.edits("benches", "a", 2) == [Edit("one", "1", b"\x01", 1), Edit("two", "2", None, 2)]
    assert journal.revision("benches", "a") == 4
    assert journal.revisions() == {"benches": 4}
    first, last = journal.times("benches", "a") or (None, None)
    assert first is not None
    assert last is not None
    assert first <= last <= datetime.now(UTC)


def test_a_layer_that_was_never_edited_has_revision_nought(journal: Journal) -> None:
    assert journal.revision("benches", "a") == 0
    assert journal.revisions() == {}
    assert journal.edits("benches", "a") == []
    assert journal.times("benches", "a") is None


def test_a_write_that_fails_half_way_leaves_no_trace(journal: Journal) -> None:
    def broken() -> None:
        with journal.writing("benches", "a") as work:
            work.add([Edit("one", "1", None)], "owner")
            raise KeyError("half-way")

    with pytest.raises(KeyError):
        broken()
    assert journal.revision("benches", "a") == 0


def test_who_writes_on_a_version_that_was_replaced_is_told(journal: Journal, rows: Tables) -> None:
    add(journal, Edit("one", "1", None))
    current(rows, "b")
    with pytest.raises(Moved):
        add(journal, Edit("one", "2", None))
    assert journal.revision("benches", "a") == 1
    assert journal.revisions() == {}


def test_edits_since_a_revision_go_on_to_the_next_version(journal: Journal, rows: Tables) -> None:
    add(journal, Edit("one", "1", None), Edit("two", "2", None), Edit("one", "3", None))
    rows.add_layer(
        LayerRow("benches", "b", "features", "sha256:1", 0, datetime.now(UTC), "layers/benches/b", None, "O", "의자", "Benches")
    )  # fmt: skip
    with journal.writing("benches", "a") as work:
        work.add(work.since(1), "owner", base="b")
        rows.switch_in(work.connection, {"benches": "b"})
    assert journal.edits("benches", "b") == [Edit("two", "2", None, 1), Edit("one", "3", None, 2)]
    assert journal.revision("benches", "a") == 3


def test_a_thousand_features_in_one_write(journal: Journal) -> None:
    many = [Edit(f"f{number}", str(number), None) for number in range(1200)]
    assert add(journal, *many) == 1200
    with journal.writing("benches", "a") as work:
        assert len(work.last([edit.feature for edit in many])) == 1200


@pytest.mark.slow
def test_two_processes_that_write_at_once_lose_nothing(journal: Journal, url: str) -> None:
    both = [subprocess.Popen([sys.executable, "-c", COUNT, url, "60"]) for _ in range(2)]
    assert [one.wait(timeout=120) for one in both] == [0, 0]
    assert journal.edits("benches", "a") == [Edit("counter", "120", None, 120)]
