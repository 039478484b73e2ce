"""The handshake where the rows are PostgreSQL's: its tests, two servers one of which dies, and writers that write at once."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine, text
from tests.flows.cities import City, _free, acquainted
from tests.postgres import missing, private

from twintown.store.engine import open_engine, reading
from twintown.store.tables import Tables, open_tables
from twintown.trust.ledger import entries_in, size_in
from twintown.twin.description import Description

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(missing()), reason=missing() or "-"),
    pytest.mark.xdist_group("postgres"),
]
ROOT = Path(__file__).parents[2]
HAMLET = ROOT / "tests" / "hamlet"
#: What runs on SQLite in every run of the tests, and here on PostgreSQL.
SAME = (
    "tests/store/test_tables.py", "tests/store/test_journal.py", "tests/store/test_watch_server.py", "tests/trust/test_accounts.py",
    "tests/trust/test_sessions.py", "tests/trust/test_tokens.py", "tests/trust/test_ledger.py", "tests/trust/test_ledger_tree.py",
    "tests/trust/test_second_factor.py", "tests/trust/test_ledger_witness.py", "tests/exchange/test_bringing.py",
    "tests/exchange/test_conversation.py", "tests/exchange/test_joint_programmes.py",
    "tests/api/test_offers.py", "tests/api/test_negotiations.py", "tests/api/test_agreements.py",
)  # fmt: skip
WRITE = """
import os, sys
from datetime import UTC, datetime
from threading import Thread
from twintown.store.engine import writing
from twintown.store.tables import open_tables
from twintown.trust.ledger import record_in
from twintown.trust.ledger_entering import Entering
url, who = sys.argv[1:]
tables = open_tables(url, "seoul")
entering = Entering(tables)
def shared(thread):
    for n in range(40):
        seq = entering.enter("refusal", {"who": f"{who}-{thread}", "n": n}, datetime.now(UTC))
        say(f"{who}-{thread}", n, seq)
def alone(thread):
    for n in range(40):
        with writing(tables.engine) as connection:
            seq = record_in(connection, tables, "offer", {"who": f"{who}-{thread}", "n": n}, datetime.now(UTC))
        say(f"{who}-{thread}", n, seq)
def say(who, n, seq):
    os.write(1, f"{who} {n} {seq}\\n".encode())  # one write a line: three threads speak
threads = [Thread(target=work, args=(i,)) for i, work in enumerate((shared, shared, alone))]
[one.start() for one in threads]
[one.join() for one in threads]
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    with private() as url:
        yield url


def database(cluster: str, name: str) -> str:
    """The URL of a database that is empty."""
    engine = create_engine(cluster, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return cluster.replace("/postgres?", f"/{name}?")


def test_the_tests_of_the_rows_and_of_the_handshake_hold_there_too() -> None:
    with private(durable=False) as url:
        found = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *SAME],
            cwd=ROOT, env={**os.environ, "TEST_DATABASE_URL": url}, capture_output=True, text=True,
        )  # fmt: skip
    assert found.returncode == 0, found.stdout[-6000:]
    assert "looks into the SQLite file" in found.stdout, "it ran on SQLite"


def test_programs_that_write_at_once_and_die_leave_one_ledger_without_a_gap(cluster: str) -> None:
    url = database(cluster, "ledger")
    tables = open_tables(url, "seoul")
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITE, url, who], stdout=subprocess.PIPE, text=True)
        for who in ("a", "b", "killed")
    ]
    said: list[str] = []
    for line in writers[2].stdout or ():
        said.append(line)
        if len(said) == 30:
            writers[2].kill()
            break
    for one in writers:
        rest = one.communicate(timeout=120)[0] or ""
        said += [line for line in rest.splitlines() if line.count(" ") == 2]
    assert [one.returncode for one in writers] == [0, 0, -signal.SIGKILL]
    with reading(tables.engine) as connection:
        found = entries_in(connection, tables, 0, size_in(connection, tables))
    tables.engine.dispose()
    assert [one.seq for one in found] == list(range(len(found))), "places are dense"
    stands = {(one.record["who"], one.record["n"]): one.seq for one in found}
    assert len(stands) == len(found), "nothing stands twice"
    for line in said:  # what was acknowledged stands where it was said to
        who, n, seq = line.split()
        assert stands[who, int(n)] == int(seq)
    for who in {who for who, _ in stands}:
        own = [one.record["n"] for one in found if one.record["who"] == who]
        assert own == list(range(len(own))), "in the order in which it was entered"
    assert sum(who.startswith(("a-", "b-")) for who, _ in stands) == 240


# -- two servers ---------------------------------------------------------------------------------------------


@contextmanager
def serving(city: City, url: str) -> Iterator[subprocess.Popen[bytes]]:
    """The city's server with two workers and its keeper, as `twintown serve` starts them; killed at the end as a machine dies."""
    process = started(city, url)
    try:
        yield process
    finally:
        if process.poll() is None:
            killed(process)


def started(city: City, url: str) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ, "TWINTOWN_PUBLIC_URL": city.base, "TWINTOWN_KEEPER_WORKERS": "1", "TWINTOWN_DATABASE_URL": url,
        "TWINTOWN_WORKERS": "2",
    }  # fmt: skip
    command = [
        sys.executable,
        "-m",
        "twintown.cli",
        "serve",
        str(city.folder),
        "--port",
        city.base.rpartition(":")[2],
    ]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, start_new_session=True)
    ends = time.monotonic() + 120
    while True:
        try:
            httpx.get(f"{city.base}/health", timeout=5)
            return process
        except httpx.HTTPError:
            assert process.poll() is None and time.monotonic() < ends, f"{city.id} does not answer"
            time.sleep(0.1)


def killed(process: subprocess.Popen[bytes]) -> None:
    """The server with its workers and its keeper, all at once."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(20)


def twintown(url: str, *command: object) -> str:
    """What the command line says."""
    done = subprocess.run(
        [sys.executable, "-m", "twintown.cli", *map(str, command)], env={**os.environ, "TWINTOWN_DATABASE_URL": url},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, (command, done.stdout[-2000:], done.stderr[-2000:])
    return done.stdout


@pytest.fixture(scope="module")
def cities(cluster: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[City, City, str]:
    """Two cities that were built into one database, which both servers write to."""
    here, url = tmp_path_factory.mktemp("postgres"), database(cluster, "twins")
    both = []
    for name in ("jamsil", "icheon"):
        shutil.copytree(HAMLET / name, here / name)
        twintown(url, "build", here / name)
        assert not (here / name / "state.db").exists()
        both.append(City(Description.load(here / name).id, here / name, f"http://127.0.0.1:{_free()}"))
    acquainted(both, {one.id: "KR" for one in both})
    return both[0], both[1], url


def test_a_handshake_goes_on_where_a_server_died_and_the_red_button_stops_the_next_request(
    cities: tuple[City, City, str],
) -> None:
    seoul, icheon, url = cities
    terms = {"assets": ["layer:roads"], "attribution": "© OpenStreetMap contributors"}
    with serving(icheon, url) as away, serving(seoul, url) as first:
        offer = seoul.ask(
            "POST", "/offers", 201, json={"assignee": icheon.id, "terms": terms, "author": "Lee"}
        )
        for release in seoul.ask("GET", "/releases")["releases"]:
            if release["state"] == "waiting":
                seoul.ask(
                    "POST", f"/releases/{release['id']}/decision", json={"allow": True, "why": "open roads"}
                )
        body = {"peer": seoul.id, "dataset": offer["dataset"], "offer": offer["id"], "author": "Park"}
        theirs = icheon.ask("POST", "/negotiations", 201, json=body)["pid"]
        deal = _asked(seoul.wait("/negotiations", lambda said: _asked(said, icheon)), icheon)[0]
        # Icheon dies before it hears that Seoul has signed, and Seoul right after it was told that it has
        killed(away)
        seoul.ask("POST", f"/negotiations/{deal['pid']}/agree", json={"author": "Lee"})
        killed(first)
        with serving(icheon, url), serving(seoul, url):
            done = icheon.wait(
                f"/negotiations/{theirs}", lambda said: said["state"] == "FINALIZED", seconds=90
            )
            id = done["agreement"]
            ours, mine = seoul.ask("GET", f"/agreements/{id}"), icheon.ask("GET", f"/agreements/{id}")
            assert ours["digest"] == mine["digest"]
            assert [one["good"] for one in (*ours["signatures"], *mine["signatures"])] == [True] * 4
            icheon.wait("/partners", lambda said: _started(said, id), seconds=60)
            way = f"/partners/{id}/collections/roads/items"
            assert icheon.ask("GET", way)["features"]
            # whichever worker is asked, it knows at the next request
            seoul.ask("POST", f"/agreements/{id}/suspension", json={"why": "a mistake", "author": "Lee"})
            for _ in range(12):
                assert icheon.ask("GET", way, 403)["code"] == "agreement-suspended"
            seoul.ask("DELETE", f"/agreements/{id}/suspension")
            icheon.wait(f"/agreements/{id}", lambda said: said["state"] == "active")
            for _ in range(12):
                assert icheon.ask("GET", way)["features"]
            icheon.ask("POST", f"/agreements/{id}/end", json={"why": "done", "author": "Park"})
            assert icheon.ask("GET", way, 403)["code"] == "agreement-ended"
            seoul.wait(f"/agreements/{id}", lambda said: said["state"] == "ended")
            for city in (seoul, icheon):
                _cosigned(city)
    for city in (seoul, icheon):
        kinds = _entries(url, city)
        wanted = ["agreement", "suspension", "resumption", "end", "recall"]
        assert [kind for kind in dict.fromkeys(kinds) if kind in wanted] == wanted, kinds
        assert "the database says what was entered" in twintown(url, "ledger", "verify", city.folder)


def _asked(said: Any, city: City) -> list[Any]:
    """The negotiations in which that city has asked and waits for the answer."""
    return [one for one in said["negotiations"] if one["state"] == "REQUESTED" and one["peer"] == city.did]


def _started(said: Any, agreement: str) -> bool:
    """Whether what was agreed on can be read."""
    return any(one["agreement"] == agreement and one["transfer"] == "STARTED" for one in said["partners"])


def _entries(url: str, city: City) -> list[str]:
    """The kinds of the entries of its ledger, in order."""
    tables = Tables(open_engine(url, read_only=True), city.id)
    with reading(tables.engine) as connection:
        found = entries_in(connection, tables, 0, size_in(connection, tables))
    tables.engine.dispose()
    return [one.kind for one in found]


def _cosigned(city: City) -> None:
    """Wait until the keeper has put everything into the tree and the other city has cosigned it."""
    ends = time.monotonic() + 60
    while True:
        note = httpx.get(f"{city.address}/ledger/checkpoint", timeout=30)
        if note.status_code == 200 and note.text.count("\n— ") >= 2:
            return
        assert time.monotonic() < ends, note.text
        time.sleep(0.2)
