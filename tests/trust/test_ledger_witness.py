from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from twintown.ground.errors import BadData, Conflict, Denied, StorageFailed
from twintown.store.engine import reading
from twintown.store.schema_shared import ledger_entries
from twintown.trust.checkpoints import Checkpoint, signed_checkpoint
from twintown.trust.keys import Key
from twintown.trust.ledger import size_in
from twintown.trust.ledger_keeping import ask
from twintown.trust.ledger_rows import newest
from twintown.trust.ledger_tree import fetch_of
from twintown.trust.notes import Note, verified
from twintown.trust.peers import Peer
from twintown.trust.tlog import consistency
from twintown.trust.tlog_tiles import reader
from twintown.trust.witness import LONGEST, Ask, Verdict, judge

from .ledgers import City, cities, city


@pytest.fixture
def pair(tmp_path: Path) -> list[City]:
    return cities(tmp_path, "seoul", "icheon")


def question(one: City, old: int) -> bytes:
    kept = one.ledger.newest()
    assert kept is not None
    proof = consistency(old, kept.size, reader(fetch_of(one.ledger.blobs), kept.size))
    return Ask(old, tuple(proof), kept.note).encode()


def test_cities_cosign_each_other_and_the_cosignature_stands_in_the_published_checkpoint(
    pair: list[City],
) -> None:
    seoul, icheon = pair
    for one, other in ((seoul, icheon), (icheon, seoul)):
        for count in (3, 260, 1):
            one.enter(count)
            size = one.grow().size
            assert one.asks(other) == size
            said = Note.parse((one.directory / "ledger" / "checkpoint").read_bytes())
            assert list(verified(said, other.witness_keys)) == other.witness_keys
            assert list(verified(said, one.log_keys)) == one.log_keys


def test_three_cities_stand_side_by_side(tmp_path: Path) -> None:
    seoul, icheon, hcmc = cities(tmp_path, "seoul", "icheon", "hcmc")
    seoul.enter(2)
    seoul.grow()
    assert [seoul.asks(other) for other in (icheon, hcmc)] == [2, 2]
    kept = seoul.ledger.newest()
    assert kept is not None and len(verified(kept.note, icheon.witness_keys + hcmc.witness_keys)) == 2


def test_a_question_is_read_back_and_what_is_none_is_refused() -> None:
    note = signed_checkpoint(Checkpoint("seoul", 3, bytes(32)), Key.of(bytes(32)))
    asked = Ask(2, (b"a" * 32, b"b" * 32), note)
    assert Ask.parse(asked.encode()) == asked
    whole = asked.encode()
    for broken in (
        b"", whole[4:], whole.replace(b"old 2", b"old 02"), whole.replace(b"old 2", b"old -2"), whole.replace(b"YWFh", b"YWF"),
        b"old 2\n" + b"YQ==\n\n" + note.encode().encode(), whole + b"x" * LONGEST, b"old 2\n\n\xff\n", whole.split(b"\n\n")[0],
        Ask(2, (b"a" * 32,) * 64, note).encode(),
    ):  # fmt: skip
        with pytest.raises(BadData):
            Ask.parse(broken)


def answers(witness: City, body: bytes) -> tuple[int, str]:
    status, _, said = witness.post(witness.peer, body)
    return status, said


def test_the_witness_gives_each_answer_of_the_protocol(pair: list[City]) -> None:
    seoul, icheon = pair
    seoul.enter(5)
    seoul.grow()
    first = question(seoul, 0)
    stranger = signed_checkpoint(Checkpoint("else.example/ledger", 5, bytes(32)), seoul.key)
    forged = signed_checkpoint(Checkpoint(seoul.ledger.origin, 5, bytes(32)), icheon.key)
    assert answers(icheon, b"no question")[0] == 400
    assert answers(icheon, Ask(0, (), stranger).encode())[0] == 404
    assert answers(icheon, Ask(0, (), forged).encode())[0] == 403
    assert answers(icheon, first.replace(b"old 0", b"old 6"))[0] == 400
    assert answers(icheon, first.replace(b"old 0", b"old 3")) == (409, "0\n")
    assert (
        answers(
            icheon, first.replace(b"old 0\n", b"old 0\n" + b"YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=\n")
        )[0]
        == 422
    )
    status, line = answers(icheon, first)
    assert status == 200 and line.startswith(f"— {icheon.ledger.origin} ")
    seoul.enter(4)
    seoul.grow()
    assert answers(icheon, question(seoul, 0)) == (409, "5\n")
    wrong = Ask.parse(question(seoul, 5))
    assert answers(icheon, Ask(5, wrong.proof[::-1], wrong.note).encode())[0] == 422
    assert answers(icheon, question(seoul, 5))[0] == 200
    assert answers(icheon, first) == (409, "9\n")  # nothing is rolled back
    with reading(icheon.ledger.tables.engine) as connection:
        kept = newest(connection, icheon.ledger.tables, seoul.ledger.origin)
        assert kept is not None and kept.size == 9
        assert size_in(connection, icheon.ledger.tables) == 0  # none of this was a fork


def test_asked_again_a_witness_gives_the_same_line_for_a_while(pair: list[City]) -> None:
    seoul, icheon = pair
    seoul.enter(5)
    seoul.grow()
    _, line = answers(icheon, question(seoul, 0))
    icheon.now += timedelta(seconds=30)
    assert answers(icheon, question(seoul, 5)) == (200, line)
    icheon.now += timedelta(hours=1)
    status, later = answers(icheon, question(seoul, 5))
    assert status == 200 and later != line


def test_a_fork_is_named_recorded_once_with_both_signatures_and_never_cosigned(
    pair: list[City], tmp_path: Path
) -> None:
    seoul, icheon = pair
    seoul.enter(5)
    seoul.grow()
    seoul.asks(icheon)
    other = city(tmp_path / "forked", "seoul")  # the same key, another history
    other.enter(5, "end")
    other.grow()
    for _ in range(3):
        assert answers(icheon, question(other, 5)) == (409, "5\n")
    assert answers(icheon, question(other, 0)) == (409, "5\n")
    with reading(icheon.ledger.tables.engine) as connection:
        query = select(ledger_entries.c.record).where(ledger_entries.c.kind == "fork")
        (record,) = connection.execute(query).scalars()
    for said in (record["seen"], record["shown"]):
        assert len(verified(Note.parse(said), seoul.log_keys)) == 1
    assert Note.parse(record["seen"]).text != Note.parse(record["shown"]).text
    with pytest.raises(Conflict, match="another tree"):
        other.asks(icheon)
    kept = other.ledger.newest()
    assert kept is not None and not verified(kept.note, icheon.witness_keys)


def test_a_fork_that_grew_is_not_cosigned_either(pair: list[City], tmp_path: Path) -> None:
    seoul, icheon = pair
    seoul.enter(5)
    seoul.grow()
    seoul.asks(icheon)
    other = city(tmp_path / "forked", "seoul")
    other.enter(9, "end")
    other.grow()
    assert answers(icheon, question(other, 5))[0] == 422
    with pytest.raises(StorageFailed, match="422"):
        other.asks(icheon)


def test_a_ledger_that_lost_entries_learns_it_from_its_peer(pair: list[City], tmp_path: Path) -> None:
    seoul, icheon = pair
    seoul.enter(5)
    seoul.grow()
    seoul.asks(icheon)
    restored = city(tmp_path / "restored", "seoul")
    restored.enter(3)
    restored.grow()
    with pytest.raises(Conflict, match="lost or changed"):
        restored.asks(icheon)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ((404, "text/plain", ""), Denied), ((403, "text/plain", ""), Denied), ((500, "text/html", "oh"), StorageFailed),
        ((301, "text/plain", ""), StorageFailed), ((200, "text/plain", "nonsense"), BadData), ((409, "text/html", "5\n"), StorageFailed),
        ((409, "text/x.tlog.size", "five\n"), StorageFailed), ((409, "text/x.tlog.size", "9" * 30), StorageFailed),
        ((409, "text/x.tlog.size", "1\n"), StorageFailed),
    ],
)  # fmt: skip
def test_what_a_peer_answers_is_never_believed(
    pair: list[City], answer: tuple[int, str, str], kind: type[Exception]
) -> None:
    seoul, icheon = pair
    seoul.enter(2)
    before = seoul.grow()
    with pytest.raises(kind):
        ask(seoul.ledger, icheon.peer, [icheon.key.public], 0, lambda *_: answer, seoul.now)
    assert seoul.ledger.newest() == before


def test_a_cosignature_of_another_key_or_another_checkpoint_is_not_taken(pair: list[City]) -> None:
    seoul, icheon = pair
    seoul.enter(2)
    seoul.grow()
    _, line = answers(icheon, question(seoul, 0))

    def said(_: Peer, __: bytes) -> tuple[int, str, str]:
        return 200, "text/plain", line

    seoul.enter()
    seoul.grow()
    with pytest.raises(BadData):  # of the checkpoint before
        ask(seoul.ledger, icheon.peer, [icheon.key.public], 0, said, seoul.now)
    with pytest.raises(BadData):  # by a key that is not the peer's
        ask(seoul.ledger, icheon.peer, [seoul.key.public], 2, icheon.post, seoul.now)


def test_what_was_cosigned_is_judged_by_what_was_seen_and_nothing_else(pair: list[City]) -> None:
    seoul, icheon = pair
    seoul.enter(2)
    kept = seoul.grow()
    asked = Ask(0, (), kept.note)
    logs = {seoul.ledger.origin: seoul.log_keys}
    assert judge(asked, logs, lambda _: None, lambda *_: None).status == 200
    assert judge(asked, {}, lambda _: None, lambda *_: None) == Verdict(404, "this log is not known here")
    assert (
        judge(
            Ask(0, (), Note("no checkpoint\n", kept.note.signatures)), logs, lambda _: None, lambda *_: None
        ).status
        == 400
    )
    assert icheon.knows
