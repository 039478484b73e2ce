"""A plan with its proof: the best that was found, and what no plan of these rounds can be below (huangfu2018 does the work)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from twintown.ground.errors import PluginFailed

from .deliveries_model import Model, columns_of
from .deliveries_rows import Floats

#: Questions with at most so many columns are given to HiGHS whole.
SMALL = 60_000


@dataclass(frozen=True)
class Solution:
    """kg of the need on each x and z, how often each run is driven; KRW of it, and of the bound, unmet kg counted."""

    x: Floats
    z: Floats
    y: Floats
    krw: float
    bound_krw: float
    status: str
    #: What no plan at all can be below, whatever its routes, were driving free; none where it was not asked for.
    any_krw: float | None = None

    @property
    def gap(self) -> float:
        """How far the plan can be from the best one, as a share of its own cost; 0 where there is nothing to decide."""
        return max(self.krw - self.bound_krw, 0.0) / self.krw if self.krw > 1e-6 else 0.0


def columns_in(model: Model) -> int:
    """How many columns the whole has."""
    return len(model.flows.lot) + len(model.flows.cell) + len(model.runs.kind)


def solved(model: Model, gap: float, seconds: float) -> Solution:
    """The plan, by branch and bound over the whole.

    Raises:
        PluginFailed: HiGHS finds none (an empty plan is always one, so this is a defect).
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    nx, nz = len(model.flows.lot), len(model.flows.cell)
    constant = float(model.cells.worth @ model.cells.kg) + model.extra_krw
    if not len(model.runs.kind) or not nx or not nz:
        empty = np.zeros(nx), np.zeros(nz), np.zeros(len(model.runs.kind))
        return Solution(*empty, constant, constant, "nothing can be delivered")
    c = columns_of(model, tight=nz < SMALL)
    matrix = sparse.hstack([c.matrix, sparse.csr_array((c.matrix.shape[0], 1))], format="csr")
    one = np.ones(
        1
    )  # the last column is 1 and costs the constant, so that the gap is a share of what a plan really costs
    told = milp(
        np.r_[c.cost, constant], integrality=np.r_[c.whole, 0], bounds=Bounds(np.r_[np.zeros(len(c.upper)), one], np.r_[c.upper, one]),
        constraints=LinearConstraint(matrix, c.low, c.high),
        options={"mip_rel_gap": gap / 4, "time_limit": seconds, "presolve": True},
    )  # fmt: skip
    if told.x is None:
        raise PluginFailed(
            f"no plan was found ({told.message})", "process deliveries", "report it to its author"
        )
    values = np.maximum(told.x, 0.0)
    y = np.round(values[nx + nz : -1])
    bound = told.mip_dual_bound if told.mip_dual_bound is not None else told.fun
    status = "within the gap" if told.status == 0 else "stopped by the time limit"
    return Solution(values[:nx], values[nx : nx + nz], y, float(told.fun), float(bound), status)
