"""Price forecasts on the real wholesale prices in the last year, held back: one row a product, and all together.

The peers are the price of a year ago, the last price, and what statsforecast's Theta and ETS say of the same market days from the same
origins; those run in an environment of their own (`.peers-prices`, a few hundred megabytes, made once).
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from table import ROOT, Row

sys.path.insert(0, str(ROOT))

from validation.forecast_backtest import CONFIDENCE, HORIZON_D, KNOWN, layers, result

PEERS = ROOT / ".peers-prices"
PEER = "statsforecast"


def rows() -> Iterator[Row]:
    """One row a product: our mean absolute error over that of the price of a year ago; then the time, and how many are better."""
    begun = time.perf_counter()
    there = layers()
    read = time.perf_counter() - begun
    begun = time.perf_counter()
    prices, told = result()
    spent = time.perf_counter() - begun - read
    whole = {row["product"]: row for row in told if row["days_ahead"] == "all" and row["n"]}
    said, why = (
        against(there["prices"].table.to_pandas(), list(whole))
        if "--no-peers" not in sys.argv
        else ({}, "not asked")
    )
    # a peer counts where it answered for as many days as we did: it needs thirty market days of a variety that is sold without a gap
    peers = {
        name: {p: error for p, (error, n) in by.items() if abs(n / whole[p]["n"] - 1.0) < 0.05} for name, by in said.items()
    }  # fmt: skip
    for product, row in whole.items():
        ratio = row["mae"] / row["naive_mae"]
        beside = [f"a year ago {row['naive_mae']:,.0f}", f"last price {row['persistence_mae']:,.0f}"]
        beside += [f"{name} {errors[product]:,.0f}" for name, errors in peers.items() if product in errors]
        inside = f"{row['coverage']:.0f} % in the 80 % interval, n {row['n']:,}"
        note = f"mean error {row['mae']:,.0f} {prices.unit} ({row['mape']:.1f} %), {inside}"
        if row["better"]:
            note += "" if row["better_than_persistence"] else "; the last price alone is closer"
        else:
            note += f"; {KNOWN.get(product, 'not explained')}"
        yield Row(f"{product} against a year ago", ratio, "×", "< 1", row["better"], ", ".join(beside), note)
    better = sum(row["better"] for row in whole.values())
    over = sum(row["better_than_persistence"] for row in whole.values())
    mean = _mean([row["mae"] / row["naive_mae"] for row in whole.values()])
    beside = []
    for name, errors in peers.items():
        theirs, ours = (
            _mean([one[p] / whole[p]["naive_mae"] for p in errors])
            for one in (errors, {p: whole[p]["mae"] for p in errors})
        )
        beside.append(
            f"{name} {theirs:.2f} × where it answers ({len(errors)} products, ours there {ours:.2f} ×)"
        )
    last = _mean([row["persistence_mae"] / row["naive_mae"] for row in whole.values()])
    beside.append(f"last price {last:.2f} ×")
    yield Row(
        "products better than a year ago", float(better), "products", f"{len(whole)}", better == len(whole), why,
        f"of {len(whole)}; {over} are better than the last price too",
    )  # fmt: skip
    yield Row("error against a year ago, geometric mean", mean, "×", "< 1", mean < 1.0, "; ".join(beside))
    yield Row(
        "52 weekly forecasts and their errors, 18 products", spent, "s", "< 10", spent < 10, note=f"and {read:.2f} s to read the file"
    )  # fmt: skip


def _mean(ratios: list[float]) -> float:
    """Their geometric mean."""
    return math.exp(float(np.mean([math.log(one) for one in ratios]))) if ratios else math.nan


def against(table: object, products: list[str]) -> tuple[dict[str, dict[str, tuple[float, int]]], str]:
    """Mean absolute errors of the peers and over how many days, by product over the same origins and days; and why there are none."""
    python = PEERS / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(PEERS)], check=True)
        (PEERS / ".gitignore").write_text("*\n")
    probe = [str(python), "-c", f"import importlib.metadata as m; m.version({PEER!r})"]
    if subprocess.run(probe, capture_output=True, check=False).returncode != 0:
        done = subprocess.run(
            [str(python), "-m", "pip", "install", "-q", PEER], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            return (
                {},
                f"{PEER}: not installed ({(done.stderr.strip().splitlines() or ['pip failed'])[-1][:160]})",
            )
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder) / "prices.csv"
        table[["time", *products]].to_csv(at, index=False)  # type: ignore[index]
        asked = [str(python), str(ROOT / "benchmarks" / "programme_prices_peer.py"), str(at), str(HORIZON_D)]
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return {}, f"{PEER}: failed ({(done.stderr.strip().splitlines() or ['no word'])[-1][:160]})"
    said = json.loads(done.stdout.strip().splitlines()[-1])
    return said["errors"], f"{PEER} {said['version']}: {said['seconds']:.0f} s"


if __name__ == "__main__":
    from table import show

    show(list(rows()))
    print(f"interval {CONFIDENCE:.0%}, {HORIZON_D} days ahead")
