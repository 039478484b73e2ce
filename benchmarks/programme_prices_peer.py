"""What statsforecast says of the same prices; runs in the peers' own environment, never in ours.

    python programme_prices_peer.py prices.csv HORIZON_DAYS

Theta and ETS see the market days of a product up to each weekly origin (as a series without gaps) and forecast the market days after it.
Prints one line of JSON: mean absolute errors by model and product over the held-back year.
"""

from __future__ import annotations

import json
import sys
import time
from importlib.metadata import version


def main() -> None:
    """Every weekly origin of the last 365 days, as ours."""
    import numpy as np
    import pandas as pd
    from statsforecast.models import AutoETS, Theta

    table = pd.read_csv(sys.argv[1], parse_dates=["time"]).set_index("time")
    horizon = int(sys.argv[2])
    table = table[: table.dropna(how="all").index[-1]]
    last = table.index[-1]
    start = last - pd.Timedelta(days=364)
    origins = [last - pd.Timedelta(days=7 * k) for k in range(53)][::-1]
    models = {"Theta": Theta(season_length=1), "ETS": AutoETS(season_length=1, model="ZZN")}
    sums = {name: {p: [0.0, 0] for p in table.columns} for name in models}
    begun = time.perf_counter()
    for origin in origins:
        if origin < start - pd.Timedelta(days=1):
            continue
        for product in table.columns:
            values = table[product].dropna()
            known = values[:origin]
            ahead = values[origin + pd.Timedelta(days=1) : origin + pd.Timedelta(days=horizon)]
            if len(known) < 30 or not len(ahead):
                continue
            for name, model in models.items():
                said = model.forecast(y=np.log(known.to_numpy(float)), h=len(ahead))["mean"]
                sums[name][product][0] += float(np.abs(np.exp(said) - ahead.to_numpy(float)).sum())
                sums[name][product][1] += len(ahead)
    errors = {name: {p: [total / n, n] for p, (total, n) in by.items() if n} for name, by in sums.items()}
    print(
        json.dumps(
            {"errors": errors, "version": version("statsforecast"), "seconds": time.perf_counter() - begun}
        )
    )


if __name__ == "__main__":
    main()
