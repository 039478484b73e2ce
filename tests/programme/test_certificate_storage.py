"""Certificates by several processes at once, on a full disk, and by one that is killed (SIGKILL): each lot has one or none, whole."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from tests.api.conftest import write_twin
from tests.programme.lots import lots, with_desk

from twintown.programme import certificate_rows
from twintown.store.engine import reading
from twintown.trust.ledger import entries_in, size_in
from twintown.twin.layers import Twin

pytestmark = pytest.mark.slow
MANY = 600
ISSUE = """
import signal, resource, sys
from datetime import UTC, datetime
from pathlib import Path
from tests.programme.test_certificate import BY, GRANT
from twintown.ground.errors import Busy, StorageFailed
from twintown.programme import certificates
from twintown.twin.layers import Twin
folder, how = Path(sys.argv[1]), sys.argv[2]
twin = Twin.open(folder, read_only=False)
if how == "full":
    size = max(path.stat().st_size for path in folder.glob("state.db*"))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 200_000, size + 200_000))
print("ready", flush=True)
sys.stdin.readline()
try:
    done = certificates.issue(twin, BY, GRANT, None, {"name": how}, datetime.now(UTC))
    print(len(done.made), flush=True)
except (StorageFailed, Busy) as error:
    print(type(error).__name__, flush=True)
"""


@pytest.fixture
def twin(tmp_path: Path) -> Twin:
    made = with_desk(write_twin(tmp_path / "small"))
    lots(made, MANY)
    return made


def start(twin: Twin, how: str) -> subprocess.Popen[str]:
    made = subprocess.Popen(
        [sys.executable, "-c", ISSUE, str(twin.directory), how], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )  # fmt: skip
    assert made.stdout is not None and made.stdout.readline() == "ready\n"
    return made


def go(one: subprocess.Popen[str]) -> None:
    assert one.stdin is not None
    one.stdin.write("\n")
    one.stdin.flush()


def whole(twin: Twin) -> int:
    """How many certificates there are; each with one place in a list, one entry of the ledger, and no other of its lot."""
    kept = certificate_rows.listed(twin.tables, limit=20_000)
    with reading(twin.tables.engine) as connection:
        entries = entries_in(connection, twin.tables, 0, size_in(connection, twin.tables))
        used = sum(one.used for one in certificate_rows.lists_in(connection, twin.tables))
    entered = {one.record["digest"] for one in entries if one.kind == "certificate"}
    assert entered == {one.digest for one in kept} and used == len(kept)
    assert max(Counter(one.lot for one in kept).values(), default=0) <= 1
    assert len({(one.list, one.place) for one in kept}) == len(kept)
    return len(kept)


def test_of_two_processes_at_once_one_certifies_each_lot(twin: Twin) -> None:
    both = [start(twin, how) for how in ("one", "two")]
    for one in both:
        go(one)
    said = [one.communicate(timeout=120)[0].strip() for one in both]
    assert sum(int(one) for one in said if one.isdigit()) == MANY == whole(twin)


def test_a_full_disk_leaves_no_certificate_half_issued(twin: Twin) -> None:
    full = start(twin, "full")
    go(full)
    assert full.communicate(timeout=120)[0].strip() in ("StorageFull", "StorageFailed")
    assert whole(twin) == 0
    free = start(twin, "free")
    go(free)
    assert free.communicate(timeout=120)[0].strip() == str(MANY) == str(whole(twin))


@pytest.mark.parametrize("after_s", [0.2, 0.45, 0.7])
def test_who_is_killed_has_certified_all_or_nothing(twin: Twin, after_s: float) -> None:
    killed = start(twin, "killed")
    go(killed)
    try:
        killed.wait(timeout=after_s)
    except subprocess.TimeoutExpired:
        killed.kill()
    killed.communicate(timeout=60)
    assert whole(twin) in (0, MANY)
