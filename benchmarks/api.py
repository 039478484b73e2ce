"""The numbers of the open door, pygeoapi and tipg in the same run: `make bench-api`.

Two workers of each server, wrk with one thread and 8 connections, the same 2,000 addresses for all of them, answers not compressed.
`--no-peers` leaves the peers out, `--small` the layer of 10 million.
"""

from __future__ import annotations

import http.client
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from table import ROOT, Row, free_port, keep, show

SMALL, MIDDLE, LARGE = 100_000, 1_000_000, 10_000_000
MATCHING, ADDRESSES, SECONDS = 180, 2_000, 8
#: Mostly what a town centre looks like: Seoul has 600,000 buildings on 605 km².
TILE_ZOOM = 14
_LUA = """
local paths = {}
for line in io.lines("%s") do paths[#paths + 1] = line end
local at = 0
request = function()
  at = at %% #paths + 1
  return wrk.format("GET", paths[at], {["Accept-Encoding"] = "identity"})
end
local bad = 0
response = function(status) if status ~= 200 then bad = bad + 1; wrk.thread:set("bad", bad) end end
local threads = {}
setup = function(thread) threads[#threads + 1] = thread end
done = function(summary, latency)
  local bad = 0
  for _, thread in ipairs(threads) do bad = bad + (thread:get("bad") or 0) end
  io.write(string.format("RESULT %%d %%d %%d %%d %%f\\n", summary.requests, summary.duration, bad,
    summary.errors.connect + summary.errors.read + summary.errors.timeout, latency:percentile(50.0)))
end
"""


@dataclass(frozen=True)
class Load:
    """What wrk saw: requests a second, median latency (ms), and answers that were not 200."""

    rate: float
    median_ms: float
    bad: int


def load(address: str, paths: list[str], connections: int, seconds: int = SECONDS) -> Load:
    """Ask these paths again and again. Raises RuntimeError where wrk is missing."""
    wrk = shutil.which("wrk")
    if wrk is None:
        raise RuntimeError("wrk is not installed (Debian: wrk)")
    with tempfile.TemporaryDirectory() as folder:
        listed, script = Path(folder) / "paths", Path(folder) / "ask.lua"
        listed.write_text("\n".join(paths))
        script.write_text(_LUA % listed)
        command = [
            wrk,
            "-t1",
            f"-c{connections}",
            f"-d{seconds}s",
            "--timeout",
            "30s",
            "-s",
            str(script),
            address,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) ([\d.]+)", done.stdout)
    if not found:
        raise RuntimeError(f"wrk: {(done.stderr or done.stdout).strip()[-200:]}")
    requests, duration, bad, errors = (int(part) for part in found.groups()[:4])
    return Load(requests / (duration / 1e6), float(found.group(5)) / 1e3, bad + errors)


@contextmanager
def served(twin: Path, workers: int = 2) -> Iterator[tuple[str, int]]:
    """Our server over a twin: its address and the process id of its parent."""
    port = free_port()
    program = Path(sys.executable).with_name("twintown")
    command = [str(program), "serve", str(twin), "--port", str(port), "--workers", str(workers)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=sys.stderr)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            with (
                suppress(urllib.error.URLError, OSError),
                urllib.request.urlopen(f"{address}/health", timeout=5),
            ):
                break
            time.sleep(0.25)
        _rest(server.pid)
        yield address, server.pid
    finally:
        server.terminate()
        server.wait(15)


def _rest(parent: int, most: float = 60.0) -> None:
    """Until the workers have prepared themselves, which they begin in their first pause: three seconds without work."""
    end, still, before = time.monotonic() + most, 0, -1.0
    time.sleep(4)
    while time.monotonic() < end and still < 3:
        spent = sum(_seconds(pid) for pid in workers_of(parent))
        still = still + 1 if spent - before < 0.05 else 0
        before = spent
        time.sleep(1)


def _seconds(pid: int) -> float:
    """Processor time of a process so far, seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def items(layer: str) -> str:
    """The path of a layer's items."""
    return f"/twins/bench/collections/{layer}/items"


def workers_of(parent: int) -> list[int]:
    """Process ids of the workers (of the one process, where there is no other)."""
    found = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    children = [int(pid) for pid in found if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    return children or [parent]


def private_mb(pid: int) -> float:
    """Memory of a process that no file stands behind, MB."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"Anonymous:\s+(\d+)", text).group(1)) / 1e3


def pages(twin: Path, large: bool) -> Iterator[tuple[Row, dict[str, float]]]:
    """Pages of 100 by bbox among 100,000 and among 10 million; one client; memory."""
    from api_data import bbox_text, boxes, centres

    small = [
        f"{items('small')}?bbox={bbox_text(b)}&limit=100" for b in boxes(centres(SMALL), ADDRESSES, MATCHING)
    ]
    with served(twin) as (address, parent):
        load(address, small, 8, SECONDS)
        eight = load(address, small, 8)
        one = load(address, small, 1, 4)
        note = f"{eight.bad} answers other than 200; a page is {_size(address + small[0]) / 1e3:.1f} kB"
        rate = Row(
            "bbox page of 100 of 100,000",
            eight.rate,
            "requests/s",
            "≥ 2,000",
            eight.rate >= 2000 and not eight.bad,
            note=note,
        )
        yield rate, {"rate": eight.rate}
        yield (
            Row(
                "the same, one client, median", one.median_ms, "ms", "< 2", one.median_ms < 2 and not one.bad
            ),
            {},
        )
        if not large:
            return
        many = [
            f"{items('large')}?bbox={bbox_text(b)}&limit=100"
            for b in boxes(centres(LARGE), ADDRESSES, MATCHING)
        ]
        load(address, many, 8, 2 * SECONDS)  # until every page was read from the disk once
        ten = load(address, many, 8)
        times = eight.rate / ten.rate
        note = f"{ten.rate:,.0f} requests/s; {ten.bad} answers other than 200"
        yield (
            Row(
                "the same of 10 million, times slower",
                times,
                "×",
                "≤ 1.3",
                times <= 1.3 and not ten.bad,
                note=note,
            ),
            {},
        )
        memory = max(private_mb(pid) for pid in workers_of(parent))
        note = "of the larger worker, after both layers; mapped files aside"
        yield (
            Row(
                "private memory of a worker at 10 million", memory, "MB", "≤ 1,000", memory <= 1000, note=note
            ),
            {},
        )


def _size(address: str) -> int:
    with urllib.request.urlopen(address, timeout=30) as answer:
        return len(answer.read())


def filters(twin: Path) -> tuple[Row, float]:
    """A CQL2 filter on an attribute and a geometry, over 100,000."""
    from api_data import boxes, centres, cql2

    asked = [
        f"{items('small')}?limit=100&filter-lang=cql2-text&filter={cql2(b)}" for b in _wide(boxes, centres)
    ]
    with served(twin) as (address, _):
        load(address, asked, 8, 2)
        found = load(address, asked, 8)
    return Row(
        "CQL2 on attribute and geometry",
        found.rate,
        "requests/s",
        "reported",
        not found.bad,
        note=f"{found.bad} answers other than 200",
    ), found.rate


def _wide(
    boxes: Callable[..., list[tuple[float, float, float, float]]], centres: Callable[[int], object]
) -> list[tuple[float, float, float, float]]:
    return boxes(centres(SMALL), ADDRESSES, 800)


def stream(twin: Path) -> Iterator[Row]:
    """One million features as FlatGeobuf: MB a second, and what the worker's memory grew by."""
    with served(twin, workers=1) as (address, parent):
        pid = workers_of(parent)[0]
        url = f"{address}{items('middle')}?f=fgb"
        _read(f"{url}&limit=1000")
        before, most = private_mb(pid), 0.0
        begun, size, looked = time.perf_counter(), 0, 0
        with urllib.request.urlopen(url, timeout=120) as answer:
            while part := answer.read(1 << 20):
                size += len(part)
                if (looked := looked + 1) % 20 == 0:
                    most = max(most, private_mb(pid))
        rate = size / 1e6 / (time.perf_counter() - begun)
        yield Row(
            "1 million features as FlatGeobuf", rate, "MB/s", "≥ 50", rate >= 50, note=f"{size / 1e6:,.0f} MB"
        )
        grown = max(0.0, most - before)
        yield Row(
            "memory that the stream takes",
            grown,
            "MB",
            "constant",
            grown < 150,
            note="most during the stream over before it",
        )


def _read(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return bytes(answer.read())


def tiles(twin: Path) -> Row:
    """Vector tiles of the layer of a million at zoom 14, each asked for once."""
    from api_data import EAST, FRAME, NORTH, SOUTH, WEST

    lon, lat = (np.asarray(v) for v in FRAME.to_lonlat([WEST + 4e3, EAST - 4e3], [SOUTH + 4e3, NORTH - 4e3]))
    side = 2**TILE_ZOOM
    column = ((lon + 180) / 360 * side).astype(int)
    row = ((1 - np.arcsinh(np.tan(np.radians(lat))) / np.pi) / 2 * side).astype(int)
    wanted = [(r, c) for r in range(row[1], row[0] + 1) for c in range(column[0], column[1] + 1)]
    spent, sizes = [], []
    with served(twin, workers=1) as (address, _):
        base = f"/twins/bench/collections/middle/tiles/WebMercatorQuad/{TILE_ZOOM}"
        connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
        for number, (r, c) in enumerate(wanted):
            begun = time.perf_counter()
            connection.request("GET", f"{base}/{r}/{c}", headers={"Accept-Encoding": "identity"})
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != 200:
                return Row(
                    "vector tile at zoom 14, uncached",
                    None,
                    "ms",
                    "< 10",
                    False,
                    note=f"{answer.status}: {body[:200]!r}",
                )
            if number >= 5:  # the first compile and map
                spent.append((time.perf_counter() - begun) * 1e3)
                sizes.append(len(body))
    value = statistics.median(spent)
    note = f"median of {len(spent)}; 9 of 10 under {np.quantile(spent, 0.9):.1f} ms, worst {max(spent):.1f}; "
    note += f"{statistics.median(sizes) / 1e3:.0f} kB each"
    return Row("vector tile at zoom 14, uncached", value, "ms", "< 10", value < 10, note=note)


def against_peers(folder: Path, ours: float, ours_filter: float) -> Iterator[Row]:
    """The same pages and filters from pygeoapi and tipg over PostGIS with the same 100,000 rows, and from psql's own server alone."""
    import api_peers
    from api_data import bbox_text, boxes, centres, cql2, write_copy

    api_peers.python()
    rows = folder / "houses.copy"
    write_copy(rows, centres(SMALL))
    asked = boxes(centres(SMALL), ADDRESSES, MATCHING)
    wide = _wide(boxes, centres)
    page: dict[str, Load] = {}
    filtered: dict[str, Load] = {}
    told: list[str] = []
    with api_peers.postgis(folder, rows) as pg:
        for name, start, form, lang, intersects in (
            ("pygeoapi", api_peers.pygeoapi, "json", "", "INTERSECTS"),
            ("tipg", api_peers.tipg, "geojson", "&filter-lang=cql2-text", "S_INTERSECTS"),
        ):
            try:
                with start(folder, pg) as address:
                    path, host = urlsplit(address).path, address.split("/collections")[0]
                    paths = [f"{path}?bbox={bbox_text(b)}&limit=100&f={form}" for b in asked]
                    load(host, paths, 8, 2)
                    page[name] = load(host, paths, 8)
                    paths = [f"{path}?limit=100&f={form}{lang}&filter={cql2(b, intersects)}" for b in wide]
                    load(host, paths, 8, 2)
                    filtered[name] = load(host, paths, 8)
            except (RuntimeError, OSError) as error:
                told.append(f"{name}: {error}")
    yield _times("bbox page, times the faster peer", ours, page, 15, told)
    yield _times("CQL2, times the faster peer", ours_filter, filtered, 5, told)


def _times(name: str, ours: float, peers: dict[str, Load], target: int, told: list[str]) -> Row:
    said = [f"{peer}: {one.rate:,.0f} requests/s, {one.bad} bad" for peer, one in peers.items()] + told
    honest = {peer: one for peer, one in peers.items() if one.bad == 0}
    if not honest:
        return Row(name, None, "×", f"≥ {target}", False, "; ".join(said), "no peer answered")
    times = ours / max(one.rate for one in honest.values())
    whole = len(honest) == 2
    return Row(
        name,
        times,
        "×",
        f"≥ {target}",
        times >= target and whole,
        "; ".join(said),
        "" if whole else "not both peers answered",
    )


def main() -> int:
    """All rows; exit status 1 where one is short."""
    from api_data import make_twin

    large = "--small" not in sys.argv
    rows: list[Row] = []
    keeping = ROOT / "build" / "bench-api"
    if not (keeping / "twintown.toml").exists() or (large and not (keeping / "layers" / "large").exists()):
        shutil.rmtree(keeping, ignore_errors=True)
        begun = time.perf_counter()
        make_twin(keeping, {"small": SMALL, "middle": MIDDLE} | ({"large": LARGE} if large else {}))
        print(f"note   the synthetic twin is made in {time.perf_counter() - begun:.0f} s")
    begun = time.perf_counter()
    _sidecars(keeping)
    print(f"note   sidecars are there after {time.perf_counter() - begun:.0f} s")
    try:
        measured = list(pages(keeping, large))
        rows += [row for row, _ in measured]
        ours = measured[0][1]["rate"]
        row, ours_filter = filters(keeping)
        rows.append(row)
        if "--no-peers" not in sys.argv:
            with tempfile.TemporaryDirectory() as folder:
                rows += against_peers(Path(folder), ours, ours_filter)
    except RuntimeError as error:
        rows.append(Row("requests a second", None, "requests/s", "≥ 2,000", False, note=str(error)))
    rows += stream(keeping)
    rows.append(tiles(keeping))
    show(rows)
    return keep(rows, "api")


def _sidecars(directory: Path) -> None:
    from twintown.trust.identity import LOCAL_OWNER
    from twintown.trust.policy import Resource, decide
    from twintown.twin.layers import Twin

    twin = Twin.open(directory)
    grant = decide(LOCAL_OWNER, "read", Resource("bench"))
    for version in twin.layers(grant):
        twin.view(version, grant)


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main())
