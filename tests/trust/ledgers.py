"""Ledgers of two small cities for the tests, with the peers' witness in memory instead of behind a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from twintown.store.blobs import open_blobs
from twintown.store.engine import writing
from twintown.store.tables import open_tables, sqlite_url
from twintown.store.watch import Watch
from twintown.trust.checkpoints import log_keys, witness_keys
from twintown.trust.keys import Key
from twintown.trust.ledger import record_many_in
from twintown.trust.ledger_keeping import ask
from twintown.trust.ledger_rows import Kept
from twintown.trust.ledger_tree import Ledger, grow
from twintown.trust.ledger_witness import add_checkpoint
from twintown.trust.notes import Verifier
from twintown.trust.peers import Peer

NOW = datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC)


@dataclass
class City:
    """A city with a ledger. `knows`: the keys of the ledgers that it cosigns."""

    name: str
    directory: Path
    ledger: Ledger
    key: Key
    knows: dict[str, Sequence[Verifier]] = field(default_factory=dict)
    now: datetime = NOW
    #: As in a server: one connection stays, or every other one would empty the write-ahead log as it closes.
    watch: Watch | None = None

    def __post_init__(self) -> None:
        self.watch = Watch(self.ledger.tables.engine)
        self.watch.look()

    @property
    def log_keys(self) -> list[Verifier]:
        return log_keys(self.ledger.origin, [self.key.public])

    @property
    def witness_keys(self) -> list[Verifier]:
        return witness_keys(self.ledger.origin, [self.key.public])

    @property
    def peer(self) -> Peer:
        address = f"https://{self.ledger.origin.removesuffix('/ledger')}"
        return Peer(self.name, address, f"did:web:{self.name}.example", (self.key.public,))

    def enter(self, count: int = 1, kind: str = "offer") -> None:
        """Accept entries; nothing is signed yet."""
        self.now += timedelta(seconds=1)
        with writing(self.ledger.tables.engine) as connection:
            records = [(kind, {"n": number}) for number in range(count)]
            record_many_in(connection, self.ledger.tables, records, self.now)

    def grow(self) -> Kept:
        """What the keeper does."""
        kept = grow(self.ledger, self.now)
        assert kept is not None
        return kept

    def post(self, _: Peer, body: bytes) -> tuple[int, str, str]:
        """This city's witness, asked."""
        answer = add_checkpoint(self.ledger, self.knows, body, self.now)
        return answer.status, answer.media_type.partition(";")[0], answer.body

    def asks(self, witness: City, old: int = 0) -> int:
        """Have another city cosign what is newest."""
        return ask(self.ledger, witness.peer, [witness.key.public], old, witness.post, self.now)


@cache
def empty_database() -> bytes:
    """A database with its tables; making one takes longer than most tests."""
    with TemporaryDirectory() as folder:
        tables = open_tables(sqlite_url(Path(folder) / "state.db"), "template")
        if tables.engine.dialect.name == "sqlite":
            with tables.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        tables.engine.dispose()
        return (Path(folder) / "state.db").read_bytes()


def city(directory: Path, name: str) -> City:
    """A city without entries."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "state.db").write_bytes(empty_database())
    key = Key.of(name.encode().ljust(32, b"."))
    tables = open_tables(sqlite_url(directory / "state.db"), name)
    ledger = Ledger(tables, open_blobs(directory), f"{name}.example/twins/{name}/ledger", lambda: key)
    return City(name, directory, ledger, key)


def cities(directory: Path, *names: str) -> list[City]:
    """Cities that cosign each other."""
    found = [city(directory / name, name) for name in names]
    for one in found:
        one.knows = {other.ledger.origin: other.log_keys for other in found if other is not one}
    return found
