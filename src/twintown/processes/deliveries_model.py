"""The question as numbers: which runs are driven, how much of each lot goes to which wish, and how much of it rides on which service.

    min   Σ run cost · y  +  Σ lot cost · x  −  Σ worth · z
    with  Σ ratio · x ≤ kg of the lot          (each lot)
          Σ x = Σ z                            (each stream: a wish, a product and a group of origins)
          Σ z ≤ kg needed                      (each cell: what asks alike on one round, or at one drop)
          Σ ratio · z ≤ Σ capacity · y         (each service)
          z ≤ kg needed · Σ y                  (each cell on a service; only where the question is small)
          Σ y ≤ vehicles                       (each day and kind)

y whole, x and z kg of the need. What is needed and not met counts `worth` for each kg, as a constant that is added afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from .deliveries_fit import expand
from .deliveries_places import Fleet
from .deliveries_rows import Floats, Ints, sums
from .deliveries_runs import Runs


@dataclass(frozen=True)
class Cells:
    """What asks alike and rides alike. `of`: of each need its cell (-1: none); `wish`, `atom`, `kg`, `worth`: of each cell."""

    of: Ints
    wish: Ints
    atom: Ints
    kg: Floats
    #: KRW that a kg counts when it is not met.
    worth: Floats


@dataclass(frozen=True)
class Flows:
    """The columns.

    Args:
        lot, stream, ratio, lot_krw: of each x; `ratio` kg of the lot and `lot_krw` KRW for a kg of the need.
        cell, service, z_stream, z_ratio: of each z.
        stream_wish, stream_group: of each stream.
    """

    lot: Ints
    stream: Ints
    ratio: Floats
    lot_krw: Floats
    cell: Ints
    service: Ints
    z_stream: Ints
    z_ratio: Floats
    stream_wish: Ints
    stream_group: Ints


@dataclass(frozen=True)
class Model:
    """All of it."""

    lot_kg: Floats
    cells: Cells
    flows: Flows
    runs: Runs
    run_krw: Floats
    run_kg: Floats
    #: Of each run: its day and kind as one number, and how many vehicles there are of it.
    run_pool: Ints
    pool_count: Ints
    run_most: Ints
    run_day: Ints
    #: What there is to carry on each run at most, kg.
    run_load: Floats
    #: kg on each x at most, where there is such a limit; and what is added to the cost of any plan, KRW.
    x_most: Floats | None = None
    extra_krw: float = 0.0


def flows_of(
    wish: Ints, lot: Ints, ratio: Floats, lot_krw: Floats, product: Ints, group: Ints, cells: Cells,
    atom: Ints, service: Ints, groups: Ints,
) -> Flows:  # fmt: skip
    """The columns x and z.

    Args:
        wish, lot, ratio: what fits and is there on the day.
        lot_krw: of each of these, KRW for a kg of the need.
        product, group: of each lot, a number of its product and the group of its gathering point.
        atom, service: which service serves which atom; sorted by atom.
        groups: of each service, the groups that are collected, as bits.
    """
    key = np.stack([wish, product[lot], group[lot]], axis=1)
    streams, first, stream = np.unique(key, axis=0, return_index=True, return_inverse=True)
    stream = stream.reshape(-1)
    s_wish, s_group = streams[:, 0], streams[:, 2]
    count = int(max(cells.atom.max(initial=-1), atom.max(initial=-1))) + 1
    edge = np.searchsorted(atom, np.arange(count + 1))
    rows, cell = expand(edge[cells.atom], edge[cells.atom + 1] - edge[cells.atom])
    serving = service[rows]
    wishes = int(max(cells.wish.max(initial=-1), s_wish.max(initial=-1))) + 1
    edge = np.searchsorted(s_wish, np.arange(wishes + 1))
    there, pair = expand(edge[cells.wish[cell]], edge[cells.wish[cell] + 1] - edge[cells.wish[cell]])
    fits = (groups[serving[pair]] >> s_group[there]) & 1 == 1
    there, pair = there[fits], pair[fits]
    return Flows(
        lot, stream, ratio, lot_krw, cell[pair], serving[pair], there, ratio[first][there],
        s_wish, s_group,
    )  # fmt: skip


def model_of(
    lot_kg: Floats, cells: Cells, flows: Flows, runs: Runs, run_day: Ints, fleet: Fleet, run_krw: Floats
) -> Model:
    """The whole; `run_day`: of each run."""
    services = len(runs.round)
    pairs = (
        np.unique(np.stack([flows.service, flows.cell], axis=1), axis=0)
        if len(flows.cell)
        else np.zeros((0, 2), np.int64)
    )
    heaviest = np.zeros(len(cells.kg))
    np.maximum.at(heaviest, flows.cell, flows.z_ratio)
    load = sums(pairs[:, 0], (cells.kg * heaviest)[pairs[:, 1]], services)
    capacity = fleet.vehicles.kg[fleet.first][runs.kind]
    mass = load[runs.service]
    whole_kg = np.minimum(capacity, mass)
    days, day = np.unique(run_day, return_inverse=True)
    pool = day.reshape(-1) * len(fleet) + runs.kind
    most = np.minimum(fleet.count[runs.kind], np.ceil(mass / capacity - 1e-9)).astype(np.int64)
    return Model(
        lot_kg, cells, flows, runs, run_krw, whole_kg, pool, np.tile(fleet.count, len(days)), np.maximum(most, 0), run_day, mass
    )  # fmt: skip


@dataclass(frozen=True)
class Columns:
    """The model as a matrix: x, then z, then y."""

    cost: Floats
    upper: Floats
    whole: NDArray[np.uint8]
    matrix: sparse.csr_array
    low: Floats
    high: Floats


def columns_of(model: Model, tight: bool) -> Columns:
    """The matrix; `tight`: with a row for every cell on a service."""
    f, runs, cells = model.flows, model.runs, model.cells
    nx, nz, ny = len(f.lot), len(f.cell), len(runs.kind)
    x, z, y = np.arange(nx), nx + np.arange(nz), nx + nz + np.arange(ny)
    blocks: list[tuple[Ints, Ints, Floats]] = []
    highs: list[Floats] = []
    lows: list[Floats] = []
    base = 0

    def add(rows: list[tuple[Ints, Ints, Floats]], low: Floats, high: Floats) -> None:
        nonlocal base
        blocks.extend((row + base, col, value) for row, col, value in rows)
        lows.append(low)
        highs.append(high)
        base += len(high)

    one = np.ones
    add([(f.lot, x, f.ratio)], np.full(len(model.lot_kg), -np.inf), model.lot_kg)
    zero = np.zeros(len(f.stream_wish))
    add([(f.stream, x, one(nx)), (f.z_stream, z, -one(nz))], zero, zero)
    add([(f.cell, z, one(nz))], np.full(len(cells.kg), -np.inf), cells.kg)
    services = len(runs.round)
    add(
        [(f.service, z, f.z_ratio), (runs.service, y, -model.run_kg)],
        np.full(services, -np.inf),
        np.zeros(services),
    )
    add(
        [(model.run_pool, y, one(ny))],
        np.full(len(model.pool_count), -np.inf),
        model.pool_count.astype(float),
    )
    if tight and nz:
        key, pair = np.unique(np.stack([f.service, f.cell], axis=1), axis=0, return_inverse=True)
        edge = np.argsort(runs.service, kind="stable")
        start = np.searchsorted(runs.service[edge], np.arange(services + 1))
        rows, owner = expand(start[key[:, 0]], start[key[:, 0] + 1] - start[key[:, 0]])
        add([(pair.reshape(-1), z, one(nz)), (owner, y[edge[rows]], -cells.kg[key[owner, 1]])],
            np.full(len(key), -np.inf), np.zeros(len(key)))  # fmt: skip
    row, col, value = (np.concatenate(part) for part in zip(*blocks, strict=True))
    matrix = sparse.csr_array(sparse.coo_array((value, (row, col)), shape=(base, nx + nz + ny)))
    cost = np.concatenate([f.lot_krw, -cells.worth[f.cell], model.run_krw])
    upper = np.concatenate(
        [
            np.full(nx, np.inf) if model.x_most is None else model.x_most,
            cells.kg[f.cell],
            model.run_most.astype(float),
        ]
    )
    whole = np.concatenate([np.zeros(nx + nz, np.uint8), np.ones(ny, np.uint8)])
    return Columns(cost, upper, whole, matrix, np.concatenate(lows), np.concatenate(highs))
