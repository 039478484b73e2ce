"""Jobs under fire: workers and keepers are killed at 50 random moments of a stream of jobs. None may be lost, none doubled.

    python benchmarks/faults_jobs.py [--kills N] [--jobs N] [--seed N] [--database URL]

A twin of one block is built; questions come in a stream (some of them twice); every so often SIGKILL hits a random worker, and each
eighth time the keeper itself with all its workers. At the end every job must be over, each answered one by exactly one version of each
output, whole on the disk, and nothing half-made left behind. A job whose workers were killed three times may fail, by name.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from threading import Event
from typing import Any

from table import ROOT, Row, keep, show

LEASE_S = 2.0
HAMLET = ROOT / "tests" / "hamlet" / "jamsil" / "data" / "odbl" / "tower.osm"


def kept(directory: Path, database: str) -> None:
    """The life of the keeper that is fired at."""
    from twintown.jobs.runner import Keeper, Place, Plan
    from twintown.keeper import tasks

    Keeper(Plan((Place(directory, database),), tasks, workers=2, lease_s=LEASE_S)).run(Event())


def town(directory: Path, database: str) -> None:
    """A built twin of the tower's block."""
    from twintown.build import start
    from twintown.build.run import build

    (directory / "data").mkdir(parents=True)
    shutil.copy(HAMLET, directory / "data" / "tower.osm")
    start.from_bounds(
        directory, "127.099,37.511,127.106,37.515", osm=directory / "data" / "tower.osm", undulation=23.5
    )
    build(directory, database=database, show=False)


def started(directory: Path, database: str) -> subprocess.Popen[bytes]:
    """A keeper in a process of its own."""
    command = [sys.executable, __file__, "--keep", str(directory), "--database", database]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL)


def workers_of(keeper: int) -> list[int]:
    """The worker processes of a keeper."""
    found = Path(f"/proc/{keeper}/task/{keeper}/children").read_text().split()
    return [pid for pid in map(int, found) if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def fire(directory: Path, database: str, kills: int, count: int, seed: int) -> list[Row]:
    """Ask, kill, wait, count."""
    from twintown.jobs import results
    from twintown.jobs.question import ask
    from twintown.jobs.queue import Queue
    from twintown.trust.identity import LOCAL_OWNER
    from twintown.trust.policy import Resource, decide
    from twintown.twin.layers import Twin

    chance = random.Random(seed)
    twin = Twin.open(directory, database=database, read_only=False)
    grant = decide(LOCAL_OWNER, "run", Resource(twin.description.id))
    days = [f"2026-{1 + n // 28 % 12:02}-{1 + n % 28:02}" for n in range(count)]
    todo = days + chance.sample(days, count // 5)  # some are asked twice
    asked: list[str] = []
    queue = Queue(twin.tables)
    keeper = started(directory, database)
    killed = {"worker": 0, "keeper": 0, "at work": 0}
    begun = time.monotonic()
    while sum((killed["worker"], killed["keeper"])) < kills or todo:
        while todo and queue.waiting() < 4:
            asked.append(
                results.submit(
                    twin, grant, ask(twin, grant, "sunlight", {"date": todo.pop(0), "cell_m": 0.5})
                ).id
            )
        if not todo and killed["worker"] + killed["keeper"] < kills:
            day = f"2027-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
            todo.append(day)  # the stream goes on as long as there is fire
        time.sleep(chance.uniform(0.05, 2.5))
        if killed["worker"] + killed["keeper"] >= kills:
            continue
        busy = bool(queue.list(states=("running",)))
        if chance.random() < 1 / 8:
            keeper.kill()
            keeper.wait()
            killed["keeper"] += 1
            keeper = started(directory, database)
        else:
            try:
                hit = chance.choice(workers_of(keeper.pid))
                os.kill(hit, signal.SIGKILL)
            except (IndexError, OSError):
                continue  # none there just now
            killed["worker"] += 1
        killed["at work"] += busy
    ends = time.monotonic() + 180
    while time.monotonic() < ends and not all(queue.get(one).over for one in asked):
        time.sleep(0.2)
    time.sleep(2 * LEASE_S)  # what is half-made is swept away
    seconds = time.monotonic() - begun
    rows = [cancelled(twin, grant)]
    keeper.kill()
    keeper.wait()
    return [*counted(twin, grant, asked, killed, seconds), *rows]


def cancelled(twin: Any, grant: Any, times: int = 5) -> Row:
    """From a dismissal to the end of its worker: the longest of several, each in the middle of a large question."""
    from twintown.jobs import results
    from twintown.jobs.question import ask
    from twintown.jobs.queue import Queue

    queue, took = Queue(twin.tables), []
    for n in range(times):
        inputs = {"date": f"2028-01-{1 + n:02}", "cell_m": 0.25}
        job = results.submit(twin, grant, ask(twin, grant, "sunlight", inputs))
        while (job := queue.get(job.id)).progress < 0.1 and not job.over:
            time.sleep(0.005)
        worker = Path("/proc") / job.worker.rpartition("/")[2]
        begun = time.perf_counter()
        results.dismiss(twin, job.id)
        while worker.exists():
            time.sleep(0.005)
        took.append(time.perf_counter() - begun)
    return Row(
        "cancel, until its worker has ended",
        max(took),
        "s",
        "< 1",
        max(took) < 1,
        note=f"the longest of {times}",
    )


def counted(
    twin: object, grant: object, asked: list[str], killed: dict[str, int], seconds: float
) -> list[Row]:
    """What became of every job."""
    from twintown.jobs import results
    from twintown.jobs.queue import Queue
    from twintown.store.tables import RESULT

    jobs = [Queue(twin.tables).get(one) for one in asked]
    good = [job for job in jobs if job.state == "successful"]
    named = [
        job
        for job in jobs
        if job.state == "failed" and (job.problem or {}).get("type", "").endswith("worker-lost")
    ]
    lost = len(jobs) - len(good) - len(named)
    broken = 0
    for job in good:
        for version in results.versions(twin, grant, job).values():
            twin.read(version, grant)
            rows = twin.tables.layer_history(version.layer)
            broken += [row.state for row in rows] != ["current"]
    layers = [row for row in twin.tables.layers().values() if row.meta.get("role") == RESULT]
    questions = {job.question for job in good}
    doubled = broken + abs(len(layers) - 3 * len(questions))
    on_disk = {f"layers/{path.parent.name}/{path.name}" for path in (twin.directory / "layers").glob("*-*/*")
               if path.parent.name.rpartition("-")[2].isalnum() and len(path.parent.name.rpartition("-")[2]) == 10}  # fmt: skip
    left = len(on_disk - {row.path for row in layers}) + len(twin.tables.unpublished())
    again = sum(job.attempt > 1 for job in jobs)
    shots = killed["worker"] + killed["keeper"]
    return [
        Row("kills", shots, "", "50", shots >= 50, note=f"{killed['worker']} workers, {killed['keeper']} keepers; {killed['at work']} "
            "while a job ran"),
        Row("jobs asked", len(jobs), "", "", True, note=f"in {seconds:.0f} s, {again} begun more than once"),
        Row("jobs answered", len(good), "", "", True, note=f"{len(named)} failed by name after three killed workers"),
        Row("jobs lost", lost, "", "0", lost == 0),
        Row("results doubled or missing", doubled, "", "0", doubled == 0, note=f"{len(layers)} layers of {len(questions)} questions"),
        Row("left half-made", left, "", "0", left == 0),
    ]  # fmt: skip


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--jobs", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--database", default="", help="SQLite in the twin by default, or postgresql+psycopg://…"
    )
    parser.add_argument("--keep", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.keep is not None:
        kept(given.keep, given.database)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "town"
        town(directory, given.database)
        rows = fire(directory, given.database, given.kills, given.jobs, given.seed)
    show(rows)
    return keep(rows, "faults-jobs")


if __name__ == "__main__":
    raise SystemExit(main())
