"""How long from the catalogue to the first byte, between two servers on this machine: read, ask, agree, sign, verify, fetch.

    python benchmarks/trust_handshake.py

Both officers are this program and lose no time; everything else is as it is between cities: two processes, signed messages over HTTP,
rows and ledger entries on disk before anything is acknowledged.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterable

from table import Row, keep, show
from two_cities import WHO, City, offer, two

ROUNDS = 7
TARGET_S = 2.0


def handshake(gives: City, gets: City) -> float:
    """One whole handshake; seconds from the question for the catalogue to the first byte of the layer."""
    offer(gives, gets)
    known = {one["agreement"] for one in gets.done("GET", "/partners")["partners"]}
    begun = time.perf_counter()
    found = gets.done("GET", f"/peers/{gives.name}/catalogue")["datasets"]
    dataset = found[0]
    deal = gets.done(
        "POST",
        "/negotiations",
        json={"peer": gives.name, "dataset": dataset["id"], "offer": dataset["offers"][0]["id"], **WHO},
    )
    while True:  # the provider's officer looks whether somebody asked
        theirs = [
            one for one in gives.done("GET", "/negotiations")["negotiations"] if one["state"] == "REQUESTED"
        ]
        if theirs:
            break
        time.sleep(0.005)
    gives.done("POST", f"/negotiations/{theirs[0]['pid']}/agree", json=WHO)
    while True:
        new = [
            one for one in gets.done("GET", "/partners")["partners"]
            if one["agreement"] not in known and one["transfer"] == "STARTED"
        ]  # fmt: skip
        if new:
            break
        time.sleep(0.005)
    answer = gets.ask("GET", f"/partners/{new[0]['agreement']}/collections/roads/items?limit=1")
    seconds = time.perf_counter() - begun
    if answer.status_code != 200 or not answer.json()["features"]:
        raise RuntimeError(f"{deal['pid']}: {answer.status_code} {answer.text[:300]}")
    return seconds


def rows() -> Iterable[Row]:
    """The figure, after one handshake that nobody counts."""
    with two() as (gives, gets):
        handshake(gives, gets)
        took = sorted(handshake(gives, gets) for _ in range(ROUNDS))
    middle = statistics.median(took)
    note = f"median of {ROUNDS}, slowest {took[-1]:.2f} s, both officers prompt"
    yield Row(
        "catalogue, signed agreement, first byte",
        middle,
        "s",
        f"< {TARGET_S:g}",
        middle < TARGET_S,
        note=note,
    )


if __name__ == "__main__":
    found = list(rows())
    show(found)
    sys.exit(keep(found, "trust-handshake"))
