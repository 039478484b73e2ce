"""What was acknowledged stays, whatever happens to who wrote it; what was not acknowledged leaves no trace."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import orjson
import pytest
import shapely

from twintown.ground.columns import Column
from twintown.ground.errors import BadData, Busy, Gone, NotFound, NotPossible
from twintown.ground.names import Name
from twintown.ground.provenance import Licence, Source
from twintown.query.query import Query
from twintown.store.lock import locked
from twintown.trust.grades import Grade
from twintown.trust.identity import LOCAL_OWNER
from twintown.trust.policy import Resource, decide
from twintown.twin import edits
from twintown.twin.add import About, add_empty, remove
from twintown.twin.edited import PIECE
from twintown.twin.edits import Change, Draft, Present, write
from twintown.twin.layers import Twin

OWNER = decide(LOCAL_OWNER, "write", Resource("hamlet"))
COLUMNS = [
    Column("name", "string", "", Name("이름", "name")),
    Column("seats", "integer", "", Name("자리", "seats")),
    Column("since", "datetime", "", Name("부터", "since")),
]
SPOT = shapely.to_wkb(shapely.Point(208_500.25, 546_000.5), byte_order=1)
WRITER = """
import sys
from pathlib import Path
from tests.twin.test_edits import OWNER, SPOT
from twintown.twin.edits import Change, Draft, write
from twintown.twin.layers import Twin
twin = Twin.open(Path(sys.argv[1]))
for number in range(int(sys.argv[3])):
    if sys.argv[2] == "count":
        def more(present):
            return Draft({"seats": (present.properties["seats"] if present else 0) + 1}, SPOT)
        write(twin, "benches", OWNER, [Change("counter", more)])
    else:
        write(twin, "benches", OWNER, [Change(f"b{number}", lambda _: Draft({"seats": number}, SPOT))])
    print(number, flush=True)
"""
FOLDER = """
import sys, time
from pathlib import Path
from tests.twin.test_edits import OWNER
from twintown.twin.edits import fold
from twintown.twin.layers import Twin
twin = Twin.open(Path(sys.argv[1]))
for _ in range(int(sys.argv[2])):
    fold(twin, "benches", OWNER)
    time.sleep(0.05)
"""
FULL = """
import resource, signal, sys
from pathlib import Path
from tests.twin.test_edits import OWNER, SPOT
from twintown.ground.errors import StorageFailed
from twintown.twin.edits import Change, Draft, write
from twintown.twin.layers import Twin
twin = Twin.open(Path(sys.argv[1]))
write(twin, "benches", OWNER, [Change("before", lambda _: Draft({"seats": 1}, SPOT))])
size = max(path.stat().st_size for path in Path(sys.argv[1]).glob("state.db*"))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 8192, size + 8192))
kept = 1
try:
    for number in range(500):
        write(twin, "benches", OWNER, [Change(f"b{number}", lambda _: Draft({"name": "x" * 2000}, SPOT))])
        kept += 1
except StorageFailed as error:
    print(kept, type(error).__name__, flush=True)
"""


@pytest.fixture
def twin(described: Path) -> Twin:
    Twin.open(described, read_only=False)
    found = Twin.open(described)
    source = Source("benches", "Survey", "Hamlet", Licence("CC0-1.0", "CC0"))
    add_empty(found, About("benches", Name("의자", "Benches"), source, Grade.O), "Point", COLUMNS, OWNER)
    return found


def put(twin: Twin, item: str, seats: int | None) -> edits.Written:
    return write(twin, "benches", OWNER, [Change(item, lambda _: Draft({"seats": seats}, SPOT))])


def take(twin: Twin, item: str) -> None:
    write(twin, "benches", OWNER, [Change(item, lambda _: None)])


def seats(twin: Twin, token: str = "") -> dict[str, int | None]:
    view = twin.view("benches", OWNER, token)
    page = view.page(Query(), 10_000)
    batch = view.take(page.positions, ("seats",), geometry=False)
    return dict(zip(batch.column(0).to_pylist(), batch.column(1).to_pylist(), strict=True))


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=root)


def test_a_write_is_read_at_once_and_by_others(twin: Twin) -> None:
    done = put(twin, "one", 3)
    assert done.created == {"one"}
    assert seats(twin) == {"one": 3}
    assert seats(Twin.open(twin.directory)) == {"one": 3}
    view = twin.view("benches", OWNER)
    assert view.token == done.token
    at = np.array([view.position("one")])
    assert bytes(view.encoded(at)[0]) == done.features["one"]
    assert view.take(at, ()).column("geometry")[0].as_py() == SPOT


def test_the_catalogue_counts_what_was_written_and_shows_where_it_lies(twin: Twin) -> None:
    assert twin.version("benches", OWNER).count == 0
    put(twin, "one", 3)
    told = twin.version("benches", OWNER)
    assert told.count == 1
    assert told.bbox_lonlat is not None
    west, south, east, north = told.bbox_lonlat
    assert 124 < west < east < 132
    assert 33 < south < north < 39


def test_a_token_keeps_its_picture(twin: Twin) -> None:
    first = put(twin, "one", 1).token
    put(twin, "one", 2)
    second = put(twin, "two", 2).token
    take(twin, "one")
    assert seats(twin, first) == {"one": 1}
    assert seats(twin, second) == {"one": 2, "two": 2}
    assert seats(twin) == {"two": 2}
    assert seats(twin, first.partition(".")[0]) == {}
    with pytest.raises(Gone):
        twin.view("benches", OWNER, f"{first.partition('.')[0]}.99")


def test_a_change_sees_what_the_change_before_it_made(twin: Twin) -> None:
    seen: list[Present | None] = []

    def keep(present: Present | None) -> Draft:
        seen.append(present)
        return Draft({"seats": 1 if present is None else present.properties["seats"] + 1}, SPOT)

    write(twin, "benches", OWNER, [Change("one", keep), Change("one", keep)])
    assert seats(twin) == {"one": 2}
    assert seen[0] is None
    assert seen[1] is not None
    assert seen[1].geometry == SPOT


def test_a_change_that_raises_ends_the_whole_write(twin: Twin) -> None:
    def refuse(_: Present | None) -> Draft:
        raise NotPossible("no")

    with pytest.raises(NotPossible):
        write(twin, "benches", OWNER, [Change("one", lambda _: Draft({}, None)), Change("two", refuse)])
    assert seats(twin) == {}


@pytest.mark.slow
def test_a_feature_that_was_written_again_and_again_is_found_by_its_id(twin: Twin) -> None:
    for number in range(2 * PIECE + 10):
        take(twin, "one") if number % 50 == 49 else put(twin, "one", number)
    view = twin.view("benches", OWNER)
    assert view.count == 1
    at = np.array([view.position("one")])
    assert view.take(at, ("seats",), geometry=False).column(1).to_pylist() == [2 * PIECE + 9]
    take(twin, "one")
    assert twin.view("benches", OWNER).count == 0
    with pytest.raises(NotFound):
        twin.view("benches", OWNER).position("one")


def test_a_value_that_its_column_does_not_take_is_never_kept(twin: Twin) -> None:
    with pytest.raises(BadData, match="seats"):
        write(twin, "benches", OWNER, [Change("one", lambda _: Draft({"seats": "many"}, None))])
    assert seats(twin) == {}


def test_folding_keeps_every_feature_and_its_encoding_and_the_pictures_before(twin: Twin) -> None:
    base = twin.version("benches", OWNER)
    put(twin, "one", 1)
    put(twin, "two", 2)
    take(twin, "one")
    time = {"since": "2026-01-02T00:00:00.000Z", "name": '벤치 "x"'}
    before = write(twin, "benches", OWNER, [Change("three", lambda _: Draft(time, None))])
    assert edits.fold(twin, "benches", OWNER) == 4
    after = twin.version("benches", OWNER)
    assert after.version != base.version
    assert seats(twin) == {"two": 2, "three": None}
    assert seats(twin, before.token) == {"two": 2, "three": None}
    view = twin.view("benches", OWNER)
    assert view.token == after.version
    assert bytes(view.encoded(np.array([view.position("three")]))[0]) == before.features["three"]
    assert [(one.name, one.type) for one in view.columns] == [(one.name, one.type) for one in COLUMNS]
    assert edits.fold(twin, "benches", OWNER) == 0


def test_several_foldings_are_one_step_of_the_provenance(twin: Twin) -> None:
    for number in range(3):
        put(twin, f"b{number}", number)
        edits.fold(twin, "benches", OWNER)
    steps = twin.version("benches", OWNER).provenance.steps
    assert [step.what for step in steps] == ["added", "edited"]
    assert steps[1].parameters["edits"] == 3


def test_a_layer_whose_last_feature_was_removed_can_be_drawn_into_again(twin: Twin) -> None:
    put(twin, "one", 1)
    take(twin, "one")
    edits.fold(twin, "benches", OWNER)
    version = twin.version("benches", OWNER)
    assert (version.kind, version.meta["geometry"], version.count) == ("features", "Point", 0)
    put(twin, "two", 2)
    assert seats(twin) == {"two": 2}


def test_nobody_folds_while_a_build_is_at_work(twin: Twin) -> None:
    put(twin, "one", 1)
    with locked(twin.directory), pytest.raises(Busy):
        edits.fold(twin, "benches", OWNER)
    assert seats(twin) == {"one": 1}


def test_a_layer_that_was_removed_is_gone_for_readers_and_writers(twin: Twin) -> None:
    token = put(twin, "one", 1).token
    remove(twin, "benches", OWNER)
    assert [one.layer for one in twin.layers(OWNER)] == []
    with pytest.raises(Exception, match="no layer"):
        put(twin, "two", 2)
    assert seats(twin, token) == {"one": 1}


@pytest.mark.slow
def test_what_was_acknowledged_survives_a_killed_writer(twin: Twin) -> None:
    for _ in range(3):
        with start(WRITER, twin.directory, "many", 5000) as writer:
            assert writer.stdout is not None
            told = [int(writer.stdout.readline()) for _ in range(25)]
            writer.send_signal(signal.SIGKILL)
            told += [int(line) for line in writer.stdout.read().split("\n")[:-1]]
            assert writer.wait() == -signal.SIGKILL
        kept = seats(Twin.open(twin.directory))
        assert {f"b{number}": number for number in told}.items() <= kept.items()
        assert len(kept) <= len(told) + 1
        for number in range(len(kept)):
            take(twin, f"b{number}")
        assert seats(twin) == {}


@pytest.mark.slow
def test_two_writers_and_one_who_folds_lose_nothing(twin: Twin) -> None:
    folder = start(FOLDER, twin.directory, 12)
    both = [start(WRITER, twin.directory, "count", 60) for _ in range(2)]
    for one in (*both, folder):
        one.communicate(timeout=180)
    assert [one.returncode for one in (*both, folder)] == [0, 0, 0]
    assert seats(twin) == {"counter": 120}


@pytest.mark.slow
def test_a_full_disk_ends_a_write_and_not_the_layer(twin: Twin) -> None:
    writer = start(FULL, twin.directory)
    said, _ = writer.communicate(timeout=120)
    assert writer.returncode == 0
    kept, kind = said.split()
    assert kind in ("StorageFull", "StorageFailed")
    assert len(seats(Twin.open(twin.directory))) == int(kept)
    put(twin, "after", 1)
    assert seats(twin)["after"] == 1
    assert orjson.loads(put(twin, "after", 2).features["after"])["properties"]["seats"] == 2


def test_a_position_means_the_same_to_who_followed_every_write_and_to_who_comes_later(twin: Twin) -> None:
    def order(one: Twin, token: str) -> list[str]:
        view = one.view("benches", OWNER, token)
        every = view.page(Query(), 10_000).positions
        return [
            f"{at} {name}" for at, name in zip(every, view.take(every, ()).column(0).to_pylist(), strict=True)
        ]

    tokens = []
    for number in range(12):
        ids = [f"b{(number * 37 + i) % 200}" for i in range(60)]
        drafts = [None if i % 7 == number % 7 else Draft({"seats": number}, SPOT) for i in range(60)]
        changes = [
            Change(one, lambda _, draft=draft: draft)  # type: ignore[misc]
            for one, draft in zip(ids, drafts, strict=True)
        ]
        tokens.append(write(twin, "benches", OWNER, changes).token)
        twin.view("benches", OWNER)
    late = Twin.open(twin.directory)
    assert int(tokens[-1].partition(".")[2]) > 2 * PIECE
    for token in (tokens[-1], tokens[4], tokens[0]):
        assert order(twin, token) == order(late, token)
