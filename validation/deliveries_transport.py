"""Plans whose best is known: dantzig1963's canneries and warehouses (section 3-3), solved by the same columns as any plan."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from twintown.processes.deliveries_model import Cells, Flows, Model
from twintown.processes.deliveries_runs import Runs
from twintown.processes.deliveries_solve import solved
from validation.case import Measured

#: Cases that Seattle and San Diego have, cases that New York, Chicago and Topeka need, thousands of miles, dollars for a case and these.
HAVE, NEED, FREIGHT = (350.0, 600.0), (325.0, 300.0, 275.0), 90.0
MILES = ((2.5, 1.7, 1.8), (2.5, 1.8, 1.4))
#: The least cost of the table, thousands of dollars.
BEST = 153.675


def canneries() -> Model:
    """The table as a model: each warehouse is one wish that one free run of its own brings."""
    to = np.arange(3)
    flows = Flows(
        np.repeat([0, 1], 3), np.tile(to, 2), np.ones(6), np.ravel(MILES) * FREIGHT / 1000.0,
        to, to, to, np.ones(3), to, np.zeros(3, np.int64),
    )  # fmt: skip
    zero = np.zeros(3)
    runs = Runs(
        to, np.ones(3, np.int64), to, np.zeros(3, np.int64), np.zeros(3, np.int64), zero, zero, zero, zero
    )
    need = np.array(NEED)
    cells = Cells(to, to, to, need, np.full(3, 1000.0))
    one = np.ones(3, np.int64)
    return Model(
        np.array(HAVE),
        cells,
        flows,
        runs,
        run_krw=zero,
        run_kg=need,
        run_pool=to,
        pool_count=one,
        run_most=one,
        run_day=to,
        run_load=need,
    )


def measure() -> Iterator[Measured]:
    """The plan's cost, its bound, and whether all that is needed is met from no more than there is."""
    model = canneries()
    plan = solved(model, 0.0, 30.0)
    name = "deliveries.solved"
    yield Measured(
        name,
        "deliveries_transport",
        "least cost of the canneries, thousands of dollars",
        plan.krw - BEST,
        1e-6,
        "1",
    )
    yield Measured(
        name, "deliveries_transport", "bound that is proven for it", plan.bound_krw - BEST, 1e-6, "1"
    )
    came = np.bincount(model.flows.stream, plan.x, 3)
    yield Measured(
        name,
        "deliveries_transport",
        "cases needed and not met",
        float(np.abs(came - NEED).max()),
        1e-6,
        "cases",
    )
    over = np.bincount(model.flows.lot, plan.x, 2) - HAVE
    yield Measured(
        name,
        "deliveries_transport",
        "cases taken beyond what there is",
        float(max(over.max(), 0.0)),
        1e-6,
        "cases",
    )
