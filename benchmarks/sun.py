"""The headline numbers of the sun, with their peers in the same run: `make bench-sun`.

One row a number: what, value, unit, target, ok or short, the peer's figure. What cannot be measured here (a twin that is not built, a peer
that does not install) is said so and counts as short. Results also go to `build/bench-sun.json`.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from table import Row, free_port, keep, show

ROOT = Path(__file__).parents[1]
PEERS = ROOT / ".peers"
SIDE, THREADS = 2000, 2
TOWER = "relation/8824257"
CITIES = ("jamsil", "icheon")


def city() -> NDArray[np.float32]:
    """A seeded city of 1,500 blocks of 5–90 m on 2,000 × 2,000 cells of 1 m. No tower: that would only slow the peers."""
    rng = np.random.default_rng(1)
    heights = np.zeros((SIDE, SIDE), np.float32)
    for _ in range(1500):
        r, c = rng.integers(0, SIDE - 60, 2)
        a, b = rng.integers(8, 50, 2)
        heights[r : r + a, c : c + b] = rng.uniform(5, 90)
    return heights


def suns() -> NDArray[np.float64]:
    """The 69 positions of 22 December at Jamsil: float64[69, 3], grid east, north, up."""
    from twintown.processes.sunlight_day import day_of
    from twintown.processes.sunpath import Place

    return day_of("2026-12-22", "solar", Place(127.1, 37.51, 0.06, "Asia/Seoul")).directions


def median_s(work: Callable[[], object], times: int) -> float:
    """Median seconds of a call, after one to warm up."""
    work()
    found = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        found.append(time.perf_counter() - begun)
    return statistics.median(found)


def masks(heights: NDArray[np.float32], directions: NDArray[np.float64]) -> tuple[Row, float]:
    """The sweep's masks against plain copies of the field."""
    from twintown.kernels.shadows import Field, lit_masks

    field = Field.of(heights, 1.0)
    there = np.empty_like(heights)
    copy = median_s(lambda: np.copyto(there, heights), 50)
    out = np.empty((len(directions), *heights.shape), np.uint8)
    mask = median_s(lambda: lit_masks(field, directions, THREADS, out), 7) / len(directions)
    copies = mask / copy
    note = f"{mask * 1e3:.2f} ms a mask, {copy * 1e3:.2f} ms a copy of the float32 field"
    return Row(
        f"{len(directions)} masks of {SIDE:,}², {THREADS} threads",
        copies,
        "copies/mask",
        "≤ 8",
        copies <= 8,
        note=note,
    ), mask


def peers_python() -> Path:
    """The peers' own environment, made once."""
    python = PEERS / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(PEERS)], check=True)
        (PEERS / ".gitignore").write_text("*\n")
    return python


def install(python: Path, name: str) -> str:
    """Why a peer is not there, or nothing."""
    probe = [str(python), "-c", f"import importlib.metadata as m; m.version({name!r})"]
    if subprocess.run(probe, capture_output=True, check=False).returncode == 0:
        return ""
    done = subprocess.run(
        [str(python), "-m", "pip", "install", "-q", name], capture_output=True, text=True, check=False
    )
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["pip failed"])[-1][:160]


def against_peers(heights: NDArray[np.float32], directions: NDArray[np.float64]) -> Iterator[Row]:
    """Seconds a mask of each peer and of ours over the same positions, and how many cells agree."""
    from twintown.kernels.shadows import Field, lit_masks

    chosen = np.array([0, 11, 23, 34, 45, 57, 68])  # of 69: a peer takes seconds a mask
    some = np.ascontiguousarray(directions[chosen])
    field = Field.of(heights, 1.0)
    mine = lit_masks(field, some, THREADS)
    ours = median_s(lambda: lit_masks(field, some, THREADS, mine), 5) / len(some)
    azimuth = np.degrees(np.arctan2(some[:, 0], some[:, 1])) % 360.0
    azimuth[np.abs(azimuth % 90.0) < 1e-3] += 2e-3  # the peers divide by sin and cos of it
    angles = np.column_stack([azimuth, np.degrees(np.arcsin(some[:, 2]))])
    python = peers_python()
    fastest = math.inf
    found: dict[str, tuple[str, NDArray[np.uint8]]] = {}
    told = []
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)
        np.save(at / "heights.npy", heights)
        np.save(at / "suns.npy", angles)
        for name in ("umep", "umepr", "solweig"):
            if why := install(python, name):
                told.append(f"{name}: not installed ({why})")
                continue
            files = [str(at / f) for f in ("heights.npy", "suns.npy", f"{name}.npy")]
            environment = {**os.environ, "RAYON_NUM_THREADS": str(THREADS), "OMP_NUM_THREADS": str(THREADS)}
            done = subprocess.run(
                [str(python), str(ROOT / "benchmarks" / "peers.py"), name, *files],
                capture_output=True, text=True, check=False, env=environment,
            )  # fmt: skip
            if done.returncode != 0:
                told.append(f"{name}: failed ({(done.stderr.strip().splitlines() or ['no word'])[-1][:160]})")
                continue
            line = json.loads(done.stdout.strip().splitlines()[-1])
            seconds = statistics.mean(line["seconds"])
            fastest = min(fastest, seconds)
            found[name] = (line["version"], np.load(at / f"{name}.npy"))
            told.append(f"{name} {line['version']}: {seconds:.2f} s a mask")
    if not found:
        yield Row("times the fastest peer", None, "×", "≥ 50", False, "; ".join(told), "no peer ran")
        return
    ratio = fastest / ours
    yield Row(
        "times the fastest peer",
        ratio,
        "×",
        "≥ 50",
        ratio >= 50,
        "; ".join(told),
        f"ours {ours * 1e3:.2f} ms over the same 7 positions",
    )
    lit = float(mine.mean())
    for name, (_, theirs) in found.items():
        agree = float((theirs == mine).mean())
        yield Row(
            f"cells that agree with {name}",
            agree * 100,
            "%",
            "reported",
            True,
            f"lit {theirs.mean() * 100:.2f} %",
            f"ours lit {lit * 100:.2f} %",
        )
    names = list(found)
    for a, b in zip(names[:-1], names[1:], strict=True):
        agree = float((found[a][1] == found[b][1]).mean())
        yield Row(f"cells in which {a} and {b} agree", agree * 100, "%", "reported", True)


def _get(url: str, body: object = None, timeout: float = 60.0) -> bytes:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        return bytes(answer.read())


def over_http() -> Iterator[Row]:
    """From an edit to the whole answer at the client: 20 heights of the tower, as a hand would pull it."""
    name = "edit → answer at the client, median of 20"
    built = [
        ROOT / "cities" / city_id for city_id in CITIES if (ROOT / "cities" / city_id / "state.db").exists()
    ]
    if not any(path.name == "jamsil" for path in built):
        yield Row(
            name, None, "ms", "< 300", False, note="the demo twin is not built: run `make demo-build` first"
        )
        return
    port = free_port()
    command = [sys.executable, "-m", "twintown.app", "serve", *map(str, built), "--port", str(port)]
    program = Path(sys.executable).with_name("twintown")
    if program.exists():
        command = [str(program), *command[3:]]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            try:
                _get(f"{url}/health", timeout=2)
                break
            except (urllib.error.URLError, OSError):
                time.sleep(0.25)
        ask = f"{url}/twins/jamsil/sun"

        def edit(height: float) -> bytes:
            edits = [{"op": "set", "object": TOWER, "height_m": height}]
            return _get(ask, {"inputs": {"date": "2026-12-22", "time_basis": "solar", "edits": edits}})

        begun = time.perf_counter()
        _get(ask, {"inputs": {"date": "2026-12-22", "time_basis": "solar"}})
        first = time.perf_counter() - begun
        begun = time.perf_counter()
        edit(554.0)
        held = time.perf_counter() - begun
        spent, size, spans = [], [], []
        for height in np.linspace(540.0, 0.0, 20):
            begun = time.perf_counter()
            body = edit(float(height))
            spent.append((time.perf_counter() - begun) * 1e3)
            size.append(len(body))
            header: dict[str, Any] = json.loads(body[4 : 4 + int.from_bytes(body[:4], "little")])
            spans.append(header["affected_km2"])
        value = statistics.median(spent)
        note = (
            f"worst {max(spent):.0f} ms; {statistics.median(size) / 1e6:.1f} MB; up to {max(spans):.2f} km²; "
        )
        note += f"first answer {first:.1f} s, first grab {held * 1e3:.0f} ms"
        yield Row(name, value, "ms", "< 300", value < 300, note=note)
    except (urllib.error.URLError, OSError, ValueError) as error:
        yield Row(name, None, "ms", "< 300", False, note=f"the server did not answer ({error})")
    finally:
        server.terminate()
        server.wait(10)


def _alone(*command: str, timeout: float = 3600.0) -> dict[str, Any]:
    """What `sun_large.py` says of one row, measured in a process of its own. Raises RuntimeError: it failed; carries its last line."""
    program = str(ROOT / "benchmarks" / "sun_large.py")
    done = subprocess.run(
        [sys.executable, program, *command], capture_output=True, text=True, check=False, timeout=timeout
    )
    if done.returncode != 0:
        raise RuntimeError((done.stderr.strip().splitlines() or ["no word"])[-1][:160])
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def large() -> Iterator[Row]:
    """A year, the sky, and a capital on a winter's day: seconds with peak memory, and how time grows with cells."""
    name = "year of sun hours, 2,000² at 1 m, worst step"
    try:
        told = _alone("year", "2000", "60", "10", "1")
        worst = max(told["seconds"].values())
        each = ", ".join(f"{step} min: {s:.1f} s" for step, s in told["seconds"].items())
        used = max(told["processor_s"].values())
        note = f"180 directions, with sky view and irradiation; step of {each}; {used:.0f} processor s; peak {told['peak_gb']:.2f} GB"
        yield Row(name, worst, "s", "≤ 60", worst <= 60, note=note)
    except RuntimeError as error:
        yield Row(name, None, "s", "≤ 60", False, note=str(error))
    name = "sky view factor, 90 million cells"
    try:
        told = _alone("sky", "9500", "90")
        good = told["seconds"] <= 300 and told["peak_gb"] <= 4
        used = told["processor_s"]
        note = f"90 directions; peak {told['peak_gb']:.2f} GB (≤ 4); {used:.0f} processor s, "
        note += f"{used / 9500**2 / 90 * 1e9:.1f} ns a cell and direction"
        yield Row(name, told["seconds"], "s", "≤ 300", good, note=note)
    except RuntimeError as error:
        yield Row(name, None, "s", "≤ 300", False, note=str(error))
    from capital import SIDE as CAPITAL
    from capital import capital

    with tempfile.TemporaryDirectory(dir=ROOT / "build") as folder:
        at = Path(folder)
        file = at / f"capital-{CAPITAL}.npy"
        buildings = capital(file)
        name = f"winter solstice, 605 km² at 1 m, {buildings:,} buildings"
        try:
            told = _alone("day", str(file), str(at / "day.npy"))
            good = told["seconds"] < 600 and told["peak_gb"] <= 8
            rate = told["cells"] * 69 / told["seconds"] / 1e9
            yield Row(
                f"{name}, tiled", told["seconds"], "s", "< 600", good,
                note=f"peak {told['peak_gb']:.2f} GB (≤ 8); {told['processor_s']:.0f} processor s; {rate:.2f} G cell steps/s",
            )  # fmt: skip
            told = _alone("dask", str(file), str(at / "dask.npy"))
            held = told["peak_gb"] + told["workers_gb"]
            good = told["seconds"] < 600 and held <= 8
            yield Row(
                f"{name}, Dask", told["seconds"], "s", "< 600", good,
                note=f"two workers; peak {held:.2f} GB in all, mapped pages counted once a process (≤ 8)",
            )  # fmt: skip
            one, other = (np.load(at / f"{which}.npy", mmap_mode="r") for which in ("day", "dask"))
            apart = sum(
                int((one[r : r + 1024] != other[r : r + 1024]).sum()) for r in range(0, CAPITAL, 1024)
            )
            yield Row("cells in which Dask's answer differs", apart, "cells", "0", apart == 0)
        except RuntimeError as error:
            yield Row(name, None, "s", "< 600", False, note=str(error))
        name = "exponent of time over 1–605 million cells"
        try:
            sides = ("1000", "2000", "4000", "8000", "14000", str(CAPITAL))
            told = _alone("scale", str(at), *sides)
            value = told["exponent_processor"]
            note = f"of processor time; {told['exponent']:.2f} of the clock's; " + ", ".join(
                f"{float(side) ** 2 / 1e6:.0f} M: {s:.1f} s" for side, s in told["seconds"].items()
            )
            yield Row(name, value, "1", "≤ 1.05", value <= 1.05, note=note)
        except RuntimeError as error:
            yield Row(name, None, "1", "≤ 1.05", False, note=str(error))


def views() -> Iterator[Row]:
    """The viewshed's rows, from its own file."""
    try:
        from view import rows as view_rows
    except ImportError as error:
        yield Row(
            "viewshed over 25 million cells", None, "s", "< 2", False, note=f"cannot be measured ({error})"
        )
        return
    for row in view_rows():
        yield row if isinstance(row, Row) else Row(**row)


def main() -> int:
    """All rows; exit status 1 where one is short."""
    (ROOT / "build").mkdir(exist_ok=True)
    heights, directions = city(), suns()
    rows = []

    def told(found: Iterable[Row]) -> None:
        """Each row is shown when it is known: the last ones take minutes."""
        for row in found:
            show([row])
            rows.append(row)

    told([masks(heights, directions)[0]])
    told(views())
    if "--small" not in sys.argv:
        told(large())
    told(over_http())
    if "--no-peers" not in sys.argv:
        told(against_peers(heights, directions))
    try:
        from page import rows as page_rows  # the page's own numbers: bytes, requests, first picture
    except ImportError:
        print(
            "note   first view, LITE's first picture and the second `make demo` are measured by the page's own benchmark"
        )
    else:
        told(Row(**row) for row in page_rows())
    return keep(rows, "sun")


if __name__ == "__main__":
    sys.exit(main())
