"""The ledger's numbers: entries a second that are on the disk when they are acknowledged, and a proof among ten million.

Peer of the same run: SQLite alone, one row a commit, the same file system and the same promise (write-ahead log, full synchronisation).
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import numpy as np
from table import Row

SECONDS = 3.0
LEAVES = 10_000_000
PROOFS = 300
RECORD = {"agreement": "urn:uuid:0f6f3f1e-5d0a-4c58-9a67-3c1f2c1f0a10", "by": {"name": "partner officer", "kind": "person"},
          "why": "the area was larger than agreed", "at": "2026-11-22T03:04:05Z"}  # fmt: skip


def rows() -> Iterator[Row]:
    """Each as it is known."""
    with tempfile.TemporaryDirectory(prefix="ledger-", dir=Path(__file__).parents[1] / "build") as folder:
        place = Path(folder)
        yield from entering(place)
        yield killed(place)
        yield from proving(place)


def _tables(place: Path) -> tuple[object, object]:
    from twintown.store.tables import open_tables, sqlite_url
    from twintown.store.watch import Watch

    place.mkdir(parents=True, exist_ok=True)
    tables = open_tables(sqlite_url(place / "state.db"), "seoul")
    watch = Watch(tables.engine)  # a server keeps one connection
    watch.look()
    return tables, watch


def entering(place: Path) -> Iterator[Row]:
    """Durable entries a second: shared transactions, groups, one transaction an entry."""
    from twintown.store.engine import writing
    from twintown.trust.ledger import record_in, record_many_in
    from twintown.trust.ledger_entering import Entering

    tables, _watch = _tables(place / "rates")
    entering_ = Entering(tables)

    def one() -> int:
        with writing(tables.engine) as connection:
            record_in(connection, tables, "refusal", RECORD, datetime.now(UTC))
        return 1

    def group() -> int:
        with writing(tables.engine) as connection:
            return len(record_many_in(connection, tables, [("refusal", RECORD)] * 50, datetime.now(UTC)))

    def shared() -> int:
        entering_.enter("refusal", RECORD, datetime.now(UTC))
        return 1

    alone = _alone(place / "alone.db")
    peer = f"sqlite3 alone, one row a commit: {alone:,.0f}/s"
    for name, what, threads in (("64 callers share transactions", shared, 64), ("groups of 50", group, 1)):
        rate = _rate(what, threads)
        yield Row(
            f"ledger: {name}",
            rate,
            "entries/s",
            "≥ 2,000",
            rate >= 2000,
            peer,
            "on the disk when acknowledged",
        )
        peer = ""
    for threads in (1, 4):
        rate = _rate(one, threads)
        note = "the disk and the driver decide; nothing is promised"
        yield Row(f"ledger: a transaction an entry, {threads} threads", rate, "entries/s", "", True, "", note)


def _rate(what: Callable[[], int], threads: int) -> float:
    done, end = list[int](), time.perf_counter() + SECONDS

    def work() -> None:
        count = 0
        while time.perf_counter() < end:
            count += what()
        done.append(count)

    start = time.perf_counter()
    crew = [Thread(target=work) for _ in range(threads)]
    for one in crew:
        one.start()
    for one in crew:
        one.join()
    return sum(done) / (time.perf_counter() - start)


def _alone(path: Path) -> float:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE entries (seq INTEGER PRIMARY KEY, leaf BLOB)")

        def one() -> int:
            connection.execute("INSERT INTO entries (leaf) VALUES (?)", (b"x" * 150,))
            return 1

        count, start = 0, time.perf_counter()
        while time.perf_counter() - start < 1.0:
            count += one()
        return count / (time.perf_counter() - start)


_WRITER = """
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from twintown.store.tables import open_tables, sqlite_url
from twintown.trust.ledger_entering import Entering
entering = Entering(open_tables(sqlite_url(Path(sys.argv[1]) / "state.db"), "seoul"))
def work():
    while True:
        os.write(1, b"%d\\n" % entering.enter("refusal", {"n": 1}, datetime.now(UTC)))
for _ in range(8):
    Thread(target=work).start()
"""


def killed(place: Path) -> Row:
    """Writers killed at a random moment: each acknowledged entry is there, and places are dense."""
    from twintown.store.engine import reading
    from twintown.trust.ledger import entries_in, size_in

    lost, heard = 0, 0
    tables, _watch = _tables(place / "killed")
    for turn in range(5):
        command = [sys.executable, "-c", _WRITER, str(place / "killed")]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        said = [int(child.stdout.readline())]
        time.sleep(random.Random(turn).uniform(0.05, 0.5))
        os.kill(child.pid, signal.SIGKILL)
        for line in child.stdout.read().splitlines():
            with suppress(ValueError):
                said.append(int(line))
        child.wait()
        with reading(tables.engine) as connection:
            size = size_in(connection, tables)
            places = [entry.seq for entry in entries_in(connection, tables, 0, size)]
        lost += sum(one >= size for one in said) + (places != list(range(size)))
        heard += len(said)
    return Row(
        "ledger: acknowledged entries lost to kill -9",
        lost,
        "entries",
        "0",
        lost == 0,
        "",
        f"{heard:,} acknowledged, 5 kills",
    )


def proving(place: Path) -> Iterator[Row]:
    """A proof, checkpoint and all, in a ledger of ten million entries."""
    from twintown.store.blobs import open_blobs
    from twintown.store.engine import writing
    from twintown.trust.checkpoints import Checkpoint, signed_checkpoint
    from twintown.trust.keys import Key
    from twintown.trust.ledger import leaf_of
    from twintown.trust.ledger_proof import prove
    from twintown.trust.ledger_rows import Kept, keep
    from twintown.trust.ledger_tree import Ledger, fetch_of
    from twintown.trust.tlog import HASH, leaf_hash, root
    from twintown.trust.tlog_tiles import ENTRIES, WIDTH, Tile, above, bundle, reader, width_at

    start = time.perf_counter()
    tables, _watch = _tables(place / "large")
    folder = place / "large" / "ledger"
    pick = random.Random(5)
    asked = [0, LEAVES - 1, *(pick.randrange(LEAVES) for _ in range(PROOFS))]
    level0 = bytearray(np.random.default_rng(5).bytes(LEAVES * HASH))
    for number in sorted({index // WIDTH for index in asked}):  # true entries where they will be asked for
        width = width_at(ENTRIES, number, LEAVES)
        leaves = [leaf_of("refusal", datetime.now(UTC), pick.randbytes(32).hex()) for _ in range(width)]
        level0[number * WIDTH * HASH : (number * WIDTH + width) * HASH] = b"".join(map(leaf_hash, leaves))
        _write(folder / Tile(ENTRIES, number, width).path, bundle(leaves))
    row, level = bytes(level0), 0
    while row:
        for number in range(-(-len(row) // (WIDTH * HASH))):
            part = row[number * WIDTH * HASH : (number + 1) * WIDTH * HASH]
            _write(folder / Tile(level, number, len(part) // HASH).path, part)
        row, level = above(row), level + 1
    key = Key.of(bytes(32))
    ledger = Ledger(tables, open_blobs(place / "large"), "seoul.example/twins/seoul/ledger", lambda: key)
    checkpoint = Checkpoint(ledger.origin, LEAVES, root(LEAVES, reader(fetch_of(ledger.blobs), LEAVES)))
    with writing(tables.engine) as connection:
        keep(
            connection,
            tables,
            Kept(ledger.origin, LEAVES, checkpoint.root, signed_checkpoint(checkpoint, key)),
            datetime.now(UTC),
        )
    built = time.perf_counter() - start
    took = list[float]()
    for index in asked:
        begin = time.perf_counter()
        good = prove(ledger, index).holds()
        took.append((time.perf_counter() - begin) * 1000)
        assert good
    middle, slow = statistics.median(took), sorted(took)[int(len(took) * 0.99)]
    note = f"p99 {slow:.2f} ms, worst {max(took):.1f}; the tiles were made in {built:.0f} s"
    yield Row(
        "ledger: a proof among 10 million entries", middle, "ms", "< 10", middle < 10 and slow < 10, "", note
    )


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


if __name__ == "__main__":
    from table import show

    for found in rows():
        show([found])
