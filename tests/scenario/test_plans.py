# ruff: noqa: E501 - rows of a table read better on one line each
"""The journal of a scenario under fire: several writers, killed writers, SQLite or PostgreSQL; and what follows from it alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from tests.city.test_edits import BOUNDS, FRAME

from twintown.city import edits as city
from twintown.ground.errors import BadParameter, NotFound, PreconditionRequired
from twintown.scenario import presence
from twintown.scenario.plans import Plans
from twintown.scenario.scenario import Decided, Draft, Entry, Overtaken, in_force, standing, taken_back
from twintown.store import engine
from twintown.store.tables import Tables, open_tables, sqlite_url

SUJI = {"name": "수지", "kind": "anyone", "verified": False}
BASE = {layer: {"version": "v", "digest": "sha256:0"} for layer in ("buildings", "building-parts")}
KNOWN = dict.fromkeys(("a", "b", "c"), (208500.0, 546000.0, 208510.0, 546010.0, 12.0))
WRITE = """
import sys
from tests.scenario.test_plans import KNOWN, SUJI, FRAME, BOUNDS
from twintown.city import edits as city
from twintown.scenario.plans import Plans
from twintown.scenario.scenario import Overtaken
from twintown.store.tables import open_tables
url, id, client, count = sys.argv[1:]
plans = Plans(open_tables(url, "hamlet"))
seen = overtaken = 0
print("ready", flush=True)
for height in range(1, int(count) + 1):
    edit = city.parse({"op": "set", "object": "a", "height_m": height}, FRAME)
    while True:
        try:
            said, entries = plans.edit(id, [edit], {**SUJI, "name": client}, seen=seen, client=client, bounds=BOUNDS, known=lambda *_: KNOWN)
            break
        except Overtaken as error:
            seen, overtaken = error.revision, overtaken + 1
    print(entries[0].seq, height, flush=True)
    seen = said.revision
print("overtaken", overtaken, flush=True)
"""


@pytest.fixture
def url(tmp_path: Path) -> str:
    """SQLite, or the PostgreSQL of TEST_DATABASE_URL, emptied before each test."""
    found = os.environ.get("TEST_DATABASE_URL", "")
    if found:
        cleaner = engine.open_engine(found)
        with cleaner.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        cleaner.dispose()
    return found or sqlite_url(tmp_path / "state.db")


@pytest.fixture
def tables(url: str) -> Iterator[Tables]:
    opened = open_tables(url, "hamlet")
    yield opened
    opened.engine.dispose()


@pytest.fixture
def plans(tables: Tables) -> Plans:
    return Plans(tables)


@pytest.fixture
def id(plans: Plans) -> str:
    return plans.create("판상형", SUJI, BASE).id


def write(plans: Plans, id: str, value: dict[str, Any], **more: Any) -> Entry:
    edit = city.parse(value, FRAME)
    who = {**SUJI, "name": more.pop("name", "수지")}
    return plans.edit(id, [edit], who, bounds=BOUNDS, known=lambda *_: KNOWN, **{"seen": 1, **more})[1][0]


def height(metres: float, name: str = "a") -> dict[str, Any]:
    return {"op": "set", "object": name, "height_m": metres}


def started(url: str, id: str, client: str, count: int, repository: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITE, url, id, client, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=repository)


@pytest.mark.slow
def test_two_who_write_the_same_building_lose_nothing_and_are_told_of_each_other(
    plans: Plans, id: str, url: str, repository: Path
) -> None:
    writers = [started(url, id, client, 60, repository) for client in "xy"]
    said = [one.communicate()[0].split("\n") for one in writers]
    entries = plans.entries(id, kinds=("edit",))
    assert [one.seq for one in entries] == list(range(2, 122))
    for client, lines in zip("xy", said, strict=True):
        mine = [(one.seq, one.body["edit"]["height_m"]) for one in entries if one.author["name"] == client]
        assert mine == [(int(a), float(b)) for a, b in (line.split() for line in lines[1:61])]
    assert sum(int(lines[61].split()[1]) for lines in said) > 0
    assert plans.get(id).revision == 121


@pytest.mark.slow
def test_what_was_acknowledged_survives_a_writer_that_is_killed(
    plans: Plans, id: str, url: str, repository: Path
) -> None:
    acknowledged: list[int] = []
    for wait in (0.05, 0.11, 0.17):
        writer = started(url, id, "x", 10_000, repository)
        assert writer.stdout is not None and writer.stdout.readline() == "ready\n"
        time.sleep(wait)
        writer.send_signal(signal.SIGKILL)
        acknowledged += [
            int(line.split()[0]) for line in writer.communicate()[0].split("\n")[:-1] if line[:1].isdigit()
        ]
    entries = plans.entries(id)
    assert set(acknowledged) <= {one.seq for one in entries} and acknowledged
    assert [one.seq for one in entries] == list(range(1, plans.get(id).revision + 1))
    last = max(entries, key=lambda one: one.seq)
    assert in_force(entries)[0]["height_m"] == last.body["edit"]["height_m"]


def test_who_is_overtaken_is_told_who_when_and_what(plans: Plans, id: str) -> None:
    theirs = write(plans, id, height(12), name="민호", client="y")
    with pytest.raises(Overtaken, match="민호 has changed a meanwhile") as caught:
        write(plans, id, height(9), client="x")
    assert caught.value.entries == (theirs,) and caught.value.revision == 2
    write(plans, id, height(9), client="x", seen=2)
    assert [one["height_m"] for one in in_force(plans.entries(id))] == [9.0]
    with pytest.raises(Overtaken):  # without a client everything is another's
        write(plans, id, height(7), seen=2)


def test_an_undo_overtakes_too_and_is_overtaken(plans: Plans, id: str) -> None:
    first = write(plans, id, height(12), client="x")
    plans.edit(id, [], SUJI, seen=2, client="y", undo=[first.seq], bounds=BOUNDS, known=lambda *_: {})
    with pytest.raises(Overtaken):
        write(plans, id, height(15), client="x", seen=2)
    with pytest.raises(Overtaken):
        plans.edit(id, [], SUJI, seen=2, client="x", undo=[3], bounds=BOUNDS, known=lambda *_: {})


def test_a_revision_is_what_was_in_force_then(plans: Plans, id: str) -> None:
    write(plans, id, height(12))
    write(plans, id, {"op": "remove", "object": "b"})
    assert [one["object"] for one in plans.resolve(f"{id}@2").edits] == ["a"]
    assert plans.resolve(f"{id}@2").digest != plans.resolve(id).digest
    assert plans.resolve(f"{id}@3") == plans.resolve(id)
    with pytest.raises(BadParameter, match="no revision"):
        plans.resolve(f"{id}@4")
    with pytest.raises(NotFound, match="no scenario"):
        plans.resolve("nobody")


def test_equal_plans_have_equal_digests_whatever_was_said_on_the_way(plans: Plans, id: str) -> None:
    write(plans, id, height(12))
    other = plans.create("탑상형", SUJI, BASE)
    first = write(plans, other.id, height(30))
    plans.edit(other.id, [], SUJI, seen=first.seq, undo=[first.seq], bounds=BOUNDS, known=lambda *_: {})
    write(plans, other.id, height(12), seen=3)
    plans.say(other.id, [Draft("comment", "a", {"text": "gut"})], SUJI)
    assert plans.resolve(other.id).digest == plans.resolve(id).digest


def test_a_decided_plan_takes_comments_only(plans: Plans, id: str) -> None:
    plans.say(id, [Draft("state", "", {"value": "withdrawn"})], SUJI)
    with pytest.raises(Decided, match="branch it"):
        write(plans, id, height(12))
    plans.say(id, [Draft("comment", "", {"text": "schade"})], SUJI)
    with pytest.raises(PreconditionRequired):
        write(plans, id, height(12), seen=None)


def test_who_looks_is_no_part_of_the_journal(plans: Plans, id: str, tables: Tables) -> None:
    presence.here(tables, id, "x", SUJI, "a")
    presence.here(tables, id, "x", SUJI, "b")
    assert [(one.client, one.object) for one in presence.who(tables, id)] == [("x", "b")]
    assert [one.seq for one in plans.entries(id)] == [1]
    write(plans, id, height(12))
    assert plans.get(id).revision == 2
    presence.here(tables, id, "x", SUJI, leaves=True)
    assert presence.who(tables, id) == []
    with pytest.raises(NotFound):
        presence.here(tables, "nobody", "x", SUJI)


def test_a_branch_keeps_who_did_what_and_when(plans: Plans, id: str) -> None:
    first = write(plans, id, height(12), name="민호")
    write(plans, id, {"op": "remove", "object": "b"})
    made = plans.branch(id, "갈래", SUJI, upto=2)
    entries = plans.entries(made.id, kinds=("edit",))
    assert [(one.author["name"], one.at) for one in entries] == [("민호", first.at)]
    assert (made.parent, made.parent_revision) == (id, 2)
    assert plans.resolve(made.id).digest == plans.resolve(f"{id}@2").digest
    assert [one.name for one in plans.listed()] == ["갈래", "판상형"]


actions = st.lists(st.tuples(st.booleans(), st.integers(0, 30), st.sampled_from("abc")), max_size=25)


@given(actions)
@settings(max_examples=60, deadline=None)
def test_taking_back_is_taken_back_and_the_journal_alone_says_what_stands(
    steps: list[tuple[bool, int, str]],
) -> None:
    now = datetime.now(UTC)
    entries: list[Entry] = []
    undoes: dict[int, int] = {}

    def stands(seq: int) -> bool:
        """Nobody who stands takes it back."""
        return not any(target == seq and stands(later) for later, target in undoes.items())

    for seq, (undo, number, name) in enumerate(steps, 1):
        targets = [one.seq for one in entries if stands(one.seq)]
        if undo and targets:
            target = targets[number % len(targets)]
            undoes[seq] = target
            entries.append(Entry(seq, "undo", name, {"entry": target}, SUJI, now))
        else:
            entries.append(Entry(seq, "edit", name, {"edit": {"op": "remove", "object": name}}, SUJI, now))
    there = {one.seq for one in entries if stands(one.seq)}
    assert {one.seq for one in standing(entries)} == {
        one.seq for one in entries if one.kind == "edit"
    } & there
    assert set(taken_back(entries)) == {one.seq for one in entries} - there


def test_the_parameters_of_a_plan_are_inputs_of_whatever_is_asked_of_it(plans: Plans, id: str) -> None:
    plans.say(id, [Draft("parameters", "", {"value": {"date": "2026-06-21", "step": 5}})], SUJI)
    assert plans.resolve(id).inputs({"date", "cell_m"}) == {"date": "2026-06-21"}
    assert plans.resolve(f"{id}@1").inputs({"date"}) == {}
