"""A city held ready for the question "whose sun does it take?": base answers, and edits of building heights answered fast.

The ground is a height field of 1 m, swept once a position; facades are columns of points, answered by crossing times. An edit
touches only the lines of the field that cross the building, and only the columns that its curtains can reach; for those, the times
when everything else blocks them are kept from the moment the building is grabbed.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import RLock
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from twintown.ground.bounds import Bounds
from twintown.ground.features import Features
from twintown.ground.frames import Frame
from twintown.kernels.crossings import Columns, Curtains, Grabbed, grab, lit_time, pulled
from twintown.kernels.rasters import drape
from twintown.kernels.shadows import Field, edit_counts, lit_counts

from .facades import HIGHEST_M, Solids, Walls, columns_of, solids_of, storeys_of, walls_of
from .sunlight_answer import BUILT, Answer, Extra, Ground, Verdicts, base_answer, edit_answer
from .sunlight_day import Day, day_of
from .sunlight_edit import Edit, parse_edits
from .sunlight_rule import Rule
from .sunpath import Place
from .tops import Roofs

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
T = TypeVar("T")
Box = tuple[int, int, int, int]  # row0, col0, row1, col1


@dataclass(frozen=True)
class State:
    """What is known after some edits: the field and its counts, the points' sun, who is gone and who is new.

    `counts` u1[rows, cols]: lit steps of every cell, roofs too; `built` bool[rows, cols]; `total`, `run` float32[points], minutes;
    `gone` bool[points]; `factors` float64[buildings]; `touched`: the window that differs from the base.
    `field` is that of the edits before the last one unless the state was made to be built upon.
    """

    edits: tuple[Edit, ...]
    field: Field
    counts: U8
    built: Bools
    total: F32
    run: F32
    gone: Bools
    extra: Extra
    factors: Floats
    touched: Box | None


@dataclass(frozen=True)
class Grab:
    """What stays the same while one building is pulled: the box of its cells, what else stands there, and its curtains' reach.

    `most`: up to how many times its height the curtains were grabbed.
    """

    box: Box
    rest: F32
    curtains: Grabbed
    most: float


class _Kept(OrderedDict[Hashable, Any]):
    """The last few answers."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def get_or(self, key: Hashable, make: Callable[[], T]) -> T:
        if key in self:
            self.move_to_end(key)
            found: T = self[key]
            return found
        made = make()
        self[key] = made
        while len(self) > self.most:
            self.popitem(last=False)
        return made


class Scene:
    """One version of a city's buildings, ready to be asked. Safe to share between threads; asks wait for each other.

    Args:
        buildings: Features with `id`, `height_m`, `storey_m`.
        parts: Features with `id`, `building`, `base_m`, `eave_m`, `top_m`, `roof_shape`, `roof_direction_deg`.
        bounds: the twin's, metres; what stands outside casts no shadow here.
        zone: IANA name of the time zone.
        cell_m: cell of the ground's grid, metres.
    """

    def __init__(
        self,
        buildings: Features,
        parts: Features,
        bounds: Bounds,
        zone: str,
        cell_m: float = 1.0,
        rule: Rule | None = None,
    ) -> None:
        frame: Frame = buildings.frame
        self.frame, self.bounds, self.rule, self.cell_m = frame, bounds, rule or Rule(), cell_m
        self.place = Place.of(frame, *bounds.centre, zone)
        self.rows, self.cols = (max(1, round(side / cell_m)) for side in (bounds.height, bounds.width))
        self.height = self.rows * cell_m
        self.origin = (bounds.xmin, bounds.ymax - self.height)
        self.ids = [str(one) for one in buildings.table["id"]]
        self.number = {one: i for i, one in enumerate(self.ids)}
        self.heights_m = buildings.table["height_m"].astype(float).to_numpy()
        self.solids: Solids = solids_of(parts, self.ids, self.origin, self.place.convergence_deg)
        self.walls: Walls = walls_of(self.solids, storeys_of(buildings.table))
        everything = np.arange(len(self.walls.place), dtype=np.int64)
        self.wall, self.storey, self.z = self.walls.standing(self.solids, np.ones(len(self.ids)), everything)
        self.columns: Columns = columns_of(self.walls, self.wall, self.z)[0]
        corners = self.solids.corners
        self._reach = (
            np.hstack([corners[:, :, :2].min(axis=1), corners[:, :, :2].max(axis=1)])
            if len(corners)
            else np.zeros((0, 4))
        )
        self._lock = RLock()
        self._days, self._states, self._grabs, self._answers = _Kept(4), _Kept(4), _Kept(4), _Kept(4)

    def day(self, date: object, basis: object) -> Day:
        """The sun of a day over this city; raises BadParameter as `day_of` does."""
        return day_of(date, basis, self.place, self.rule)

    def base(self, date: object, basis: object) -> Answer:
        """The answer without edits: the whole grid and every facade point.

        Raises:
            BadParameter: bad date or basis, or a day without sun.
        """
        day = self.day(date, basis)
        with self._lock:
            found: Answer = self._answers.get_or((day.date, day.basis), lambda: self._base_answer(day))
            return found

    def edit(self, edits: object, date: object, basis: object, window: object = None) -> Answer:
        """The answer after height edits, as differences from the base: a window of the grid and the points that changed.

        Args:
            edits: list of {"op": "set", "object": id, "height_m": number}; the last one of an object counts, the last object is in hand.
            window: [row0, col0, rows, cols] to answer for instead of the window that changed.

        Raises:
            BadParameter: bad date, basis, window, height; NotFound: no such building.
        """
        day = self.day(date, basis)
        wanted = parse_edits(edits, self.number, self.heights_m)
        if not wanted:
            return self.base(date, basis)
        with self._lock:
            begun = time.perf_counter()
            start = self._state(day, ())
            before = self._state(day, wanted[:-1])
            after, spent = self._after(day, before, wanted[-1])
            return edit_answer(
                self._ground(), day, self._verdicts(day, start), self._verdicts(day, after), start.counts, start.built,
                after.counts, after.built, after.touched, window, self.ids,
                {**spent, "all": (time.perf_counter() - begun) * 1e3},
            )  # fmt: skip

    @property
    def lock(self) -> Any:
        """Held by whoever asks."""
        return self._lock

    @property
    def reach(self) -> Floats:
        """West, south, east, north of each triangle of the roofs, float64[t, 4], m from the origin."""
        return self._reach

    def state(self, day: Day, edits: tuple[Edit, ...]) -> State:
        """What is known after height edits; for whoever holds the lock."""
        return self._state(day, edits)

    def cannot(self, day: Day) -> Bools:
        """Which wall columns would fail even on open ground, bool[walls]; for whoever holds the lock."""
        return self._cannot(day)

    def ground(self) -> Ground:
        """The grid of the ground."""
        return self._ground()

    def _ground(self) -> Ground:
        return Ground(self.bounds.xmin, self.bounds.ymax, self.cell_m, self.rows, self.cols)

    def _curtains(self, factors: Floats) -> Curtains:
        """Every curtain at the heights it has now."""
        whole = self.solids.curtains
        if (factors == 1.0).all():
            return whole
        solid = factors[whole.owner]
        segments, disc = whole.segments.copy(), whole.disc.copy()
        segments[:, 4:7] *= np.repeat(solid, np.diff(whole.first))[:, None]
        disc[:, 3] *= solid
        return Curtains(segments, whole.first, disc, whole.owner)

    def _drape(self, box: Box, chosen: Ints, factors: Floats) -> F32:
        """The tops of some triangles within a box of cells."""
        row0, col0, row1, col1 = box
        heights = np.zeros((row1 - row0, col1 - col0), np.float32)
        corners = self.solids.corners[chosen].copy()
        corners[:, :, 2] *= factors[self.solids.owner[self.solids.part[chosen]]][:, None]
        drape(corners, 0.0, self.height, self.cell_m, heights, row0, col0)
        return heights

    def _state(self, day: Day, edits: tuple[Edit, ...]) -> State:
        key = (day.date, day.basis, edits)
        if edits:
            found: State = self._states.get_or(
                key, lambda: self._after(day, self._state(day, edits[:-1]), edits[-1], True)[0]
            )
            return found
        start: State = self._days.get_or(key, lambda: self._start(day))
        return start

    def _start(self, day: Day) -> State:
        factors = np.ones(len(self.ids))
        heights = self._drape((0, 0, self.rows, self.cols), np.arange(len(self.solids.corners)), factors)
        field = Field.of(heights, self.cell_m)
        total, run = lit_time(self.columns, self.solids.curtains, day.sun)
        return State(
            (), field, lit_counts(field, day.directions), heights > 0, total, run, np.zeros(len(self.z), bool),
            Extra.none(), factors, None,
        )  # fmt: skip

    def _cannot(self, day: Day) -> Bools:
        """Which wall columns would fail even on open ground, because of where they face, bool[walls]."""

        def make() -> Bools:
            nothing = Curtains(
                np.zeros((0, 8)), np.zeros(1, np.int64), np.zeros((0, 4)), np.zeros(0, np.int64)
            )
            n = len(self.walls.place)
            alone = Columns(self.walls.place, np.arange(n + 1, dtype=np.int64), np.zeros(n))
            total, run = lit_time(alone, nothing, day.sun)
            return ~day.rule.passes(total, run)

        return self._days.get_or(("cannot", day.date, day.basis), make)

    def _verdicts(self, day: Day, state: State) -> Verdicts:
        return Verdicts(
            state.total, state.run, self._cannot(day)[self.wall], state.gone, state.extra, day.rule
        )

    def roofs(self) -> Roofs:
        """The tops of the city as tiles are given them."""
        return Roofs(self.solids.corners, self.rows, self.cols, self.cell_m)

    def with_ground(self, date: object, basis: object, steps: U8) -> Answer:
        """The answer without edits around a grid of lit steps that was counted elsewhere, tile by tile.

        Raises:
            BadParameter: bad date or basis, or a day without sun.
        """
        day = self.day(date, basis)
        begun = time.perf_counter()
        total, run = lit_time(self.columns, self.solids.curtains, day.sun)
        gone = np.zeros(len(self.z), bool)
        verdicts = Verdicts(total, run, self._cannot(day)[self.wall], gone, Extra.none(), day.rule)
        return self._answer(day, verdicts, steps, begun)

    def _base_answer(self, day: Day) -> Answer:
        begun = time.perf_counter()
        state = self._state(day, ())
        steps = np.where(state.built, np.uint8(BUILT), state.counts)
        return self._answer(day, self._verdicts(day, state), steps, begun)

    def _answer(self, day: Day, verdicts: Verdicts, steps: U8, begun: float) -> Answer:
        place, columns = self.walls.place, self.columns
        repeat = np.diff(columns.first)
        xyz = np.column_stack([np.repeat(columns.place[:, :2], repeat, axis=0), self.z]).astype(np.float32)
        normal = np.degrees(np.arctan2(place[self.wall, 2], place[self.wall, 3])) % 360.0
        return base_answer(
            self._ground(), day, verdicts, steps, xyz, normal.astype(np.float32),
            self.solids.owner[self.walls.part[self.wall]], self.ids, {"all": (time.perf_counter() - begun) * 1e3},
        )  # fmt: skip

    def _grab(self, day: Day, before: State, edit: Edit, factor: float) -> Grab:
        owner = self.number[edit.object]
        # reach for what the hand may still do: one rung above, so that a steady pull grabs a few times at most
        rung = 1.0
        while rung < factor:
            rung *= 1.6
        rung = min(rung, HIGHEST_M / max(1e-6, float(self.heights_m[owner])) + 1e-9) if rung > 1.0 else rung

        def make() -> Grab:
            mine = np.flatnonzero(self.solids.owner[self.solids.part] == owner)
            reach = self._reach[mine]
            height = self.height
            row0 = (
                int(np.clip(np.floor((height - reach[:, 3].max()) / self.cell_m) - 1, 0, self.rows))
                if len(mine)
                else 0
            )
            row1 = (
                int(np.clip(np.ceil((height - reach[:, 1].min()) / self.cell_m) + 1, 0, self.rows))
                if len(mine)
                else 0
            )
            col0 = (
                int(np.clip(np.floor(reach[:, 0].min() / self.cell_m) - 1, 0, self.cols)) if len(mine) else 0
            )
            col1 = (
                int(np.clip(np.ceil(reach[:, 2].max() / self.cell_m) + 1, 0, self.cols)) if len(mine) else 0
            )
            box = (row0, col0, max(row0, row1), max(col0, col1))
            x0, x1 = col0 * self.cell_m, col1 * self.cell_m
            y1, y0 = height - row0 * self.cell_m, height - row1 * self.cell_m
            near = (
                (self._reach[:, 0] <= x1)
                & (self._reach[:, 2] >= x0)
                & (self._reach[:, 1] <= y1)
                & (self._reach[:, 3] >= y0)
            )
            near[mine] = False
            curtains = grab(self.columns, self._curtains(before.factors), day.sun, owner, rung)
            return Grab(box, self._drape(box, np.flatnonzero(near), before.factors), curtains, rung)

        return self._grabs.get_or((day.date, day.basis, before.edits, edit.object, rung), make)

    def _after(
        self, day: Day, before: State, edit: Edit, keep: bool = False
    ) -> tuple[State, dict[str, float]]:
        owner = self.number[edit.object]
        factor = edit.height_m / float(self.heights_m[owner])
        clock = [time.perf_counter()]
        held = self._grab(day, before, edit, factor)
        clock.append(time.perf_counter())
        factors = before.factors.copy()
        factors[owner] = factor
        mine = np.flatnonzero(self.solids.owner[self.solids.part] == owner)
        row0, col0, row1, col1 = held.box
        fresh = np.maximum(held.rest, self._drape(held.box, mine, factors))
        field = before.field
        counts, built, touched = before.counts, before.built, before.touched
        if fresh.size and not np.array_equal(fresh, before.field.heights[row0:row1, col0:col1]):
            delta, (r, c, rows, cols) = edit_counts(field, row0, col0, fresh, day.directions)
            counts = counts.copy()
            counts[r : r + rows, c : c + cols].view(np.int8)[...] += delta
            built = built.copy()
            built[row0:row1, col0:col1] = fresh > 0
            touched = _union(touched, (min(r, row0), min(c, col0), max(r + rows, row1), max(c + cols, col1)))
        if keep:  # the next edit starts from this one; an answer in passing does without
            heights = before.field.heights.copy()
            heights[row0:row1, col0:col1] = fresh
            field = Field.of(heights, self.cell_m)
        clock.append(time.perf_counter())
        total, run = before.total.copy(), before.run.copy()
        points = held.curtains.points
        total[points], run[points] = pulled(self.columns, held.curtains, day.sun, factor / held.most)
        clock.append(time.perf_counter())
        gone, extra = self._storeys(day, factors)
        clock.append(time.perf_counter())
        names = ("grab", "ground", "facades", "storeys")
        spent = {name: (b - a) * 1e3 for name, a, b in zip(names, clock[:-1], clock[1:], strict=True)}
        state = State((*before.edits, edit), field, counts, built, total, run, gone, extra, factors, touched)
        return state, spent

    def _storeys(self, day: Day, factors: Floats) -> tuple[Bools, Extra]:
        """Which base points are gone with the heights as they are now, and the points that were not there before."""
        gone = np.zeros(len(self.z), bool)
        changed = factors != 1.0
        own = changed[self.solids.owner[self.walls.part]]
        sizes = np.diff(self.walls.cover_first)
        covering = np.zeros(len(own), bool)
        covering[np.repeat(np.arange(len(own)), sizes)[changed[self.solids.owner[self.walls.cover]]]] = True
        touched = np.flatnonzero(own | covering)
        if not len(touched):
            return gone, Extra.none()
        column, storey, z = self.walls.standing(self.solids, factors, touched)
        mine = np.flatnonzero(np.isin(self.wall, touched))
        now, then = column * 8192 + storey + 4096, self.wall[mine] * 8192 + self.storey[mine] + 4096
        factor = factors[self.solids.owner[self.walls.part[self.wall[mine]]]]
        low = self.solids.base[self.walls.part[self.wall[mine]]] * factor
        high = self.solids.eave[self.walls.part[self.wall[mine]]] * factor
        gone[mine] = ~np.isin(then, now) | (self.z[mine] < low) | (self.z[mine] >= high)
        new = ~np.isin(now, then)
        if not new.any():
            return gone, Extra.none()
        columns, used = columns_of(self.walls, column[new], z[new])
        total, run = lit_time(columns, self._curtains(factors), day.sun)
        repeat = np.diff(columns.first)
        xyz = np.column_stack([np.repeat(columns.place[:, :2], repeat, axis=0), columns.z]).astype(np.float32)
        return gone, Extra(xyz, total, run, np.repeat(self._cannot(day)[used], repeat))


def _union(a: Box | None, b: Box) -> Box:
    if a is None:
        return b
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])
