"""Lots to the rounds that are driven, exactly: one linear program for each set of wishes and lots that have to do with each other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from twintown.ground.errors import PluginFailed

from .deliveries_rows import Floats, Ints, sums

if TYPE_CHECKING:
    from .deliveries_apart import Apart


@dataclass(frozen=True)
class Allotment:
    """kg on each x and z, how often each run is driven, the prices of the lots that follow, and what it all counts, KRW."""

    x: Floats
    z: Floats
    y: Floats
    price: Floats
    krw: float


def allotted(apart: Apart, run: Ints) -> Allotment:
    """The best allotment for these runs (of each round, -1: none).

    Raises:
        PluginFailed: HiGHS finds none.
    """
    model, f, cells = apart.model, apart.model.flows, apart.model.cells
    service = np.where(run >= 0, model.runs.service[run], -1)
    z = np.flatnonzero(f.service == service[apart.round_of_cell[f.cell]])
    asked = np.zeros(len(f.stream_wish), np.bool_)
    asked[f.z_stream[z]] = True
    x = apart.order[asked[apart.stream]]
    parts = _parts(
        f.lot[x], f.stream[x], f.cell[z], f.z_stream[z], len(model.lot_kg), len(f.stream_wish), len(cells.kg)
    )

    def solve(part: tuple[Ints, Ints]) -> tuple[Floats, Floats, Ints, Floats]:
        mine, rides = x[part[0]], z[part[1]]
        return _program(apart, mine, rides)

    amount_x, amount_z, out = np.zeros(len(f.lot)), np.zeros(len(f.cell)), np.zeros(len(model.lot_kg))
    with ThreadPoolExecutor(2) as pool:
        for part, (ax, az, lots, dual) in zip(parts, pool.map(solve, parts), strict=True):
            amount_x[x[part[0]]], amount_z[z[part[1]]] = ax, az
            out[lots] = dual
    carried = sums(apart.round_of_cell[f.cell], amount_z, apart.rounds)
    y = np.zeros(len(model.runs.kind))
    y[run[(run >= 0) & (carried > 1e-3)]] = 1.0
    krw = (
        apart.constant
        + float(f.lot_krw @ amount_x)
        - float(cells.worth[f.cell] @ amount_z)
        + float(model.run_krw @ y)
    )
    return Allotment(amount_x, amount_z, y, out, krw)


def _parts(
    lot: Ints, stream: Ints, cell: Ints, ride: Ints, lots: int, streams: int, cells: int
) -> list[tuple[Ints, Ints]]:  # fmt: skip
    """Columns x and z by what hangs together, the largest first."""
    a, b = np.r_[lot, lots + streams + cell], np.r_[lots + stream, lots + ride]
    size = lots + streams + cells
    _, of = connected_components(
        sparse.coo_array((np.ones(len(a)), (a, b)), shape=(size, size)), directed=False
    )
    of_x, of_z = of[lot], of[lots + streams + cell]
    found = []
    for one in np.intersect1d(of_x, of_z).tolist():
        found.append((np.flatnonzero(of_x == one), np.flatnonzero(of_z == one)))
    return sorted(found, key=lambda pair: -len(pair[0]))


def _program(apart: Apart, x: Ints, z: Ints) -> tuple[Floats, Floats, Ints, Floats]:
    import highspy

    model, f, cells = apart.model, apart.model.flows, apart.model.cells
    lots, li = np.unique(f.lot[x], return_inverse=True)
    streams, si = np.unique(np.r_[f.stream[x], f.z_stream[z]], return_inverse=True)
    asked, ci = np.unique(f.cell[z], return_inverse=True)
    nx, nz = len(x), len(z)
    rows = np.r_[li, len(lots) + si, len(lots) + len(streams) + ci]
    columns = np.r_[np.arange(nx), np.arange(nx + nz), nx + np.arange(nz)]
    values = np.r_[f.ratio[x], np.ones(nx), -np.ones(nz), np.ones(nz)]
    matrix = sparse.csc_array(
        sparse.coo_array((values, (rows, columns)), shape=(len(lots) + len(streams) + len(asked), nx + nz))
    )
    infinite = highspy.kHighsInf
    program: Any = highspy.HighsLp()
    program.num_col_, program.num_row_ = nx + nz, matrix.shape[0]
    program.col_cost_ = np.r_[f.lot_krw[x], -cells.worth[f.cell[z]]]
    program.col_lower_, program.col_upper_ = np.zeros(nx + nz), np.full(nx + nz, infinite)
    zero = np.zeros(len(streams))
    program.row_lower_ = np.r_[np.full(len(lots), -infinite), zero, np.full(len(asked), -infinite)]
    program.row_upper_ = np.r_[model.lot_kg[lots], zero, cells.kg[asked]]
    program.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    program.a_matrix_.start_, program.a_matrix_.index_ = matrix.indptr, matrix.indices
    program.a_matrix_.value_ = matrix.data
    solver: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("solver", "ipm" if nx > 2_000 else "simplex")
    solver.passModel(program)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        told = solver.modelStatusToString(solver.getModelStatus())
        raise PluginFailed(
            f"no allotment was found ({told})", "process deliveries", "report it to its author"
        )
    solution = solver.getSolution()
    amounts = np.maximum(np.array(solution.col_value), 0.0)
    dual = np.maximum(-np.array(solution.row_dual)[: len(lots)], 0.0)
    return amounts[:nx], amounts[nx:], lots, dual
