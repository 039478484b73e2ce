"""What a Grant costs, and a page that is narrowed by one, next to the same page for everybody: part of `make bench-trust`."""

from __future__ import annotations

import hashlib
import http.client
import secrets
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import insert
from table import Row

from api import MATCHING, SMALL, items, served
from twintown.store.engine import writing
from twintown.store.schema_shared import agreements, tokens
from twintown.store.tables import open_tables, sqlite_url
from twintown.trust import policy
from twintown.trust.identity import ANYONE, Subject
from twintown.trust.policy import Resource, decide
from twintown.trust.terms import Asset, Standing, Terms, terms_to_json

PEER = "did:web:partner.example:twins:partner"
#: Degrees: about a third of the benchmark's twin, all around its middle.
AREA = (126.86, 37.42, 127.12, 37.62)
ASKED, PAGES = 2_000, 1_200


def rows() -> Iterator[Row]:
    """The figures, one after the other."""
    yield from grants()
    yield page()


def grants() -> Iterator[Row]:
    """One decision with Cedar, asked for the first time and asked again, of a peer and of anyone."""
    now = datetime.now(UTC)
    assets = (*(Asset("layer", f"layer-{n}") for n in range(8)), Asset("process", "sunlight"))
    terms = Terms(assets, ("planning", "research"), until=now + timedelta(days=365), finest_m=2.0)
    standing = Standing("urn:uuid:1", PEER, terms, "active")
    peer = Subject("peer", "bench", PEER, agreement="urn:uuid:1")

    def of_peer() -> None:
        decide(peer, "read", Resource("bench"), now=now, standing=standing, purpose="planning").require()

    def of_anyone() -> None:
        decide(ANYONE, "read", Resource("bench")).require()

    for whom, ask in (("of a partner", of_peer), ("of anyone", of_anyone)):
        first, again = _median_us(ask, cold=True), _median_us(ask, cold=False)
        note = f"median of {ASKED:,}, nothing remembered; asked again {again:.1f} µs"
        yield Row(f"a Grant {whom}", first, "µs", "< 200", first < 200, note=note)


def _median_us(ask: Callable[[], None], *, cold: bool) -> float:
    ask()
    took = []
    for _ in range(ASKED):
        if cold:
            policy._granted.cache_clear()
        begun = time.perf_counter()
        ask()
        took.append(time.perf_counter() - begun)
    return statistics.median(took) * 1e6


def page() -> Row:
    """Pages of 100 of 100,000 by bbox: a partner's, cut at its area, over the same for everybody; taken in turns, one client."""
    from api_data import bbox_text, boxes, centres, make_twin

    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "bench"
        make_twin(directory, {"small": SMALL})
        headers = {"Authorization": f"Bearer {_agreed(directory)}"}
        inside = [box for box in boxes(centres(SMALL), 4 * PAGES, MATCHING) if _within(box)][:PAGES]
        paths = [f"{items('small')}?bbox={bbox_text(box)}&limit=100" for box in inside]
        with served(directory, 1) as (address, _):
            line = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
            for path in paths[:100]:
                _get(line, path, {})
                _get(line, path, headers)
            plain, narrowed, differ = [], [], 0
            for path in paths:
                a, one = _get(line, path, {})
                b, other = _get(line, path, headers)
                plain.append(a)
                narrowed.append(b)
                differ += one[one.find(b'"features"') :] != other[other.find(b'"features"') :]
            line.close()
    ratio = statistics.median(narrowed) / statistics.median(plain)
    note = f"medians {statistics.median(narrowed) * 1e3:.2f} and {statistics.median(plain) * 1e3:.2f} ms; {differ} pages differ in a row"
    return Row(
        "a filtered page over an unfiltered one", ratio, "×", "≤ 1.2", ratio <= 1.2 and not differ, note=note
    )


def _within(box: tuple[float, float, float, float]) -> bool:
    west, south, east, north = AREA
    return (
        west + 0.001 < box[0] and box[2] < east - 0.001 and south + 0.001 < box[1] and box[3] < north - 0.001
    )


def _get(line: http.client.HTTPConnection, path: str, headers: Mapping[str, str]) -> tuple[float, bytes]:
    begun = time.perf_counter()
    line.request("GET", path, headers={"Accept-Encoding": "identity", **headers})
    answer = line.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{path}: {answer.status} {body[:200]!r}")
    return time.perf_counter() - begun, body


def _agreed(directory: Path) -> str:
    """An agreement about the layer within the area, and the token by which the partner asks."""
    tables, now, token = (
        open_tables(sqlite_url(directory / "state.db"), "bench"),
        datetime.now(UTC),
        secrets.token_urlsafe(32),
    )
    terms = Terms((Asset("layer", "small"),), ("planning",), AREA)
    with writing(tables.engine) as connection:
        connection.execute(
            insert(agreements).values(
                twin="bench", id="a1", role="provider", peer=PEER, negotiation="", dataset="d", terms=terms_to_json(terms), policy={},
                signatures=[], state="active", since=now, until=None, changed=now, change=None, revision=0,
            )
        )  # fmt: skip
        connection.execute(
            insert(tokens).values(
                twin="bench", digest=hashlib.sha256(token.encode()).hexdigest(), id="t1", kind="agreement", name="t", scopes=[],
                agreement="a1", author={}, created=now, expires=now + timedelta(hours=8), revoked=None,
            )
        )  # fmt: skip
    return token
