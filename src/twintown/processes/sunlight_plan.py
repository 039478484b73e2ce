"""The sun of a plan, quickly: buildings that are added, moved, turned, replaced or removed, as differences from the city's base.

The same kernels as everywhere: the ground changes along the lines that cross what went and what came (`edit_counts`, exactly as two
full sweeps would); facade points are asked again where a shadow of either can fall on them, all other minutes stay. What was done
before the last object is kept, so that a hand that drags one building of a plan pays for that building only.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from twintown.city import edits as city
from twintown.city.edits import Edit
from twintown.ground.errors import NotFound
from twintown.ground.features import Features
from twintown.kernels.crossings import Columns, Curtains, lit_time
from twintown.kernels.rasters import drape
from twintown.kernels.shadows import Field, edit_counts

from .facades import PARTY_M, Solids, columns_of, solids_of, storeys_of, walls_of
from .sunlight_answer import Answer, Extra, Verdicts, edit_answer
from .sunlight_day import Day
from .sunlight_scene import Box, Scene

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
#: Plans of which the state before the last object is kept.
_KEPT = 3


@dataclass(frozen=True)
class Changed:
    """What some edits come to: the buildings that are not as they were, and the solids that stand for them now.

    `gone` int64: indices of base buildings whose solids do not count any more; `solids`: of the ids `names`, in the same origin.
    """

    gone: Ints
    solids: Solids
    storeys: Floats


@dataclass(frozen=True)
class Done:
    """The ground and the base's points after some edits; `touched` is the window of the ground that differs from the base."""

    field: Field
    counts: U8
    built: Bools
    total: F32
    run: F32
    touched: Box | None


class Plan:
    """Answers about one prepared city with whatever is planned in it. Safe to share between threads; asks wait for each other.

    Args:
        scene: the city, prepared.
        buildings, parts: the layers that it was prepared from.
    """

    def __init__(self, scene: Scene, buildings: Features, parts: Features) -> None:
        self.scene, self.buildings, self.parts = scene, buildings, parts
        self._done: dict[tuple[str, str, str], Done] = {}
        self._known: dict[str, Changed] = {}

    def answer(self, edits: Sequence[Edit], date: object, basis: object, window: object = None) -> Answer:
        """The answer after edits in their normal form (`city.edits`), as differences from the base; the last object is in hand.

        Raises:
            BadParameter: bad date, basis or window.
            NotFound: an edit speaks of a building that is not there.
        """
        scene = self.scene
        day = scene.day(date, basis)
        for edit in edits:
            if edit["op"] != "add" and edit["object"] not in scene.number and not city.is_new(edit["object"]):
                raise NotFound(
                    f"there is no building {edit['object'][:80]!r}",
                    "edits",
                    "take an id of the layer buildings",
                )
        force = city.fold([_whole(edit) for edit in edits])
        if not force:
            return scene.base(date, basis)
        held = edits[-1]["object"]
        rest = [edit for edit in force if edit["object"] != held]
        mine = [edit for edit in force if edit["object"] == held]
        with scene.lock:
            begun = time.perf_counter()
            base = scene.state(day, ())
            start = Done(base.field, base.counts, base.built, base.total, base.run, None)
            before = self._before(day, start, rest)
            known, now = self._changed(rest), self._changed(force)
            clock = [begun, time.perf_counter()]
            field, counts, built, touched = self._ground(
                day, before, now, [*self._boxes(mine, known), *self._boxes(mine, now)], keep=False
            )
            clock.append(time.perf_counter())
            total, run = self._facades(day, before, known, now, mine)
            gone = np.isin(scene.solids.owner[scene.walls.part[scene.wall]], now.gone)
            extra = self._extra(day, now)
            clock.append(time.perf_counter())
            names = ("before", "ground", "facades")
            spent = {name: (b - a) * 1e3 for name, a, b in zip(names, clock[:-1], clock[1:], strict=True)}
            del field
            cannot = scene.cannot(day)[scene.wall]
            none = np.zeros(len(cannot), bool)
            return edit_answer(
                scene.ground(), day, Verdicts(base.total, base.run, cannot, none, Extra.none(), day.rule),
                Verdicts(total, run, cannot, gone, extra, day.rule), base.counts, base.built, counts, built, touched, window,
                scene.ids, {**spent, "all": (time.perf_counter() - begun) * 1e3},
            )  # fmt: skip

    def _before(self, day: Day, start: Done, rest: Sequence[Edit]) -> Done:
        """The city with all that is planned but the object in hand; kept."""
        if not rest:
            return start
        key = (str(day.date), str(day.basis), json.dumps(rest, sort_keys=True))
        if key not in self._done:
            nothing, now = self._changed(()), self._changed(rest)
            field, counts, built, touched = self._ground(
                day, start, now, [*self._boxes(rest, nothing), *self._boxes(rest, now)], keep=True
            )
            total, run = self._facades(day, start, nothing, now, rest)
            while len(self._done) >= _KEPT:
                self._done.pop(next(iter(self._done)))
            self._done[key] = Done(field, counts, built, total, run, touched)
        return self._done[key]

    def _changed(self, edits: Sequence[Edit]) -> Changed:
        key = json.dumps(edits, sort_keys=True)
        if key not in self._known:
            while len(self._known) >= 2 * _KEPT:
                self._known.pop(next(iter(self._known)))
            self._known[key] = self._change(edits)
        return self._known[key]

    def _change(self, edits: Sequence[Edit]) -> Changed:
        scene = self.scene
        ids = list(dict.fromkeys(edit["object"] for edit in edits))
        houses = self.buildings.table[self.buildings.table["id"].isin(ids)].reset_index(drop=True)
        solids = self.parts.table[self.parts.table["building"].isin(ids)].reset_index(drop=True)
        after, pieces, _ = city.apply(self.buildings.with_table(houses), self.parts.with_table(solids), edits)
        names = [str(one) for one in after.table["id"]]
        gone = np.array([scene.number[one] for one in ids if one in scene.number], np.int64)
        made = solids_of(pieces, names, scene.origin, scene.place.convergence_deg)
        return Changed(gone, made, storeys_of(after.table))

    def _boxes(self, edits: Sequence[Edit], now: Changed) -> list[Box]:
        """Cells of the ground under the buildings of some edits: where they stood in the base, and all that is planned now."""
        scene = self.scene
        boxes = []
        for name in dict.fromkeys(edit["object"] for edit in edits):
            if name in scene.number:
                corners = scene.solids.corners[scene.solids.owner[scene.solids.part] == scene.number[name]]
                boxes += self._box(corners)
        for part in np.unique(now.solids.part):
            boxes += self._box(now.solids.corners[now.solids.part == part])
        return boxes

    def _box(self, corners: Floats) -> list[Box]:
        if not len(corners):
            return []
        scene, cell = self.scene, self.scene.cell_m
        x, y = corners[:, :, 0], corners[:, :, 1]
        row0, row1 = (scene.height - y.max()) / cell - 1, (scene.height - y.min()) / cell + 1
        col0, col1 = x.min() / cell - 1, x.max() / cell + 1
        r0, r1 = (int(np.clip(v, 0, scene.rows)) for v in (np.floor(row0), np.ceil(row1)))
        c0, c1 = (int(np.clip(v, 0, scene.cols)) for v in (np.floor(col0), np.ceil(col1)))
        return [(r0, c0, r1, c1)] if r1 > r0 and c1 > c0 else []

    def _ground(
        self, day: Day, before: Done, now: Changed, boxes: Iterable[Box], *, keep: bool
    ) -> tuple[Field, U8, Bools, Box | None]:
        """The field, its counts and what is built, box by box where something differs from `before`."""
        scene = self.scene
        owner = scene.solids.owner[scene.solids.part]
        stays = ~np.isin(owner, now.gone)
        field, counts, built, touched = (
            before.field,
            before.counts.copy(),
            before.built.copy(),
            before.touched,
        )
        steps = []
        for box in _merged(boxes):
            row0, col0, row1, col1 = box
            fresh = np.zeros((row1 - row0, col1 - col0), np.float32)
            reach = scene.reach
            near = stays & (
                (reach[:, 0] <= col1 * scene.cell_m)
                & (reach[:, 2] >= col0 * scene.cell_m)
                & (reach[:, 1] <= scene.height - row0 * scene.cell_m)
                & (reach[:, 3] >= scene.height - row1 * scene.cell_m)
            )
            drape(scene.solids.corners[near], 0.0, scene.height, scene.cell_m, fresh, row0, col0)
            drape(now.solids.corners, 0.0, scene.height, scene.cell_m, fresh, row0, col0)
            if not np.array_equal(fresh, field.heights[row0:row1, col0:col1]):
                steps.append((box, fresh))
        for index, (box, fresh) in enumerate(steps):
            row0, col0, row1, col1 = box
            delta, (r, c, rows, cols) = edit_counts(field, row0, col0, fresh, day.directions)
            counts[r : r + rows, c : c + cols].view(np.int8)[...] += delta
            built[row0:row1, col0:col1] = fresh > 0
            seen = (min(r, row0), min(c, col0), max(r + rows, row1), max(c + cols, col1))
            touched = seen if touched is None else _around(touched, seen)
            if keep or index + 1 < len(steps):
                heights = field.heights.copy()
                heights[row0:row1, col0:col1] = fresh
                field = Field.of(heights, scene.cell_m)
        return field, counts, built, touched

    def _curtains(self, now: Changed) -> Curtains:
        """Every curtain that stands now."""
        whole, made = self.scene.solids.curtains, now.solids.curtains
        keep = ~np.isin(whole.owner, now.gone)
        sizes = np.diff(whole.first)
        segments = np.concatenate([whole.segments[np.repeat(keep, sizes)], made.segments])
        sizes = np.concatenate([sizes[keep], np.diff(made.first)])
        owner = np.concatenate([whole.owner[keep], made.owner + len(self.scene.ids)])
        first = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        return Curtains(
            np.ascontiguousarray(segments), first, np.concatenate([whole.disc[keep], made.disc]), owner
        )

    def _facades(
        self, day: Day, before: Done, known: Changed, now: Changed, edits: Sequence[Edit]
    ) -> tuple[F32, F32]:
        """Minutes of the base's points, asked again where a shadow that went or came can fall."""
        scene, columns = self.scene, self.scene.columns
        ids = {scene.number[edit["object"]] for edit in edits if edit["object"] in scene.number}
        discs = [scene.solids.curtains.disc[np.isin(scene.solids.owner, list(ids))]]
        discs += _differing(known.solids.curtains.disc, now.solids.curtains.disc)
        chosen = _shaded(columns.place[:, :2], np.concatenate(discs), day)
        total, run = before.total.copy(), before.run.copy()
        if not len(chosen):
            return total, run
        sizes = np.diff(columns.first)[chosen]
        first = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        points = np.arange(first[-1]) - np.repeat(first[:-1] - columns.first[chosen], sizes)
        some = Columns(np.ascontiguousarray(columns.place[chosen]), first, columns.z[points])
        total[points], run[points] = lit_time(some, self._curtains(now), day.sun)
        return total, run

    def _extra(self, day: Day, now: Changed) -> Extra:
        """The points that the base does not have: on walls that are planned, and where a wall comes free."""
        scene, curtains = self.scene, self._curtains(now)
        found = []
        walls = scene.walls
        free = self._freed(now)
        if len(free[1]):
            found.append(self._lit(day, curtains, *columns_of(walls, *free), walls.place))
        if len(now.solids.top):
            walls = walls_of(now.solids, now.storeys)
            column, _, z = walls.standing(
                now.solids, np.ones(len(now.storeys)), np.arange(len(walls.place), dtype=np.int64)
            )
            # party walls: within a neighbour, below its top
            probe = walls.place[:, :2] + PARTY_M * walls.place[:, 2:]
            at, other = shapely.STRtree(scene.solids.outlines).query(
                shapely.points(probe), predicate="within"
            )
            stays = ~np.isin(scene.solids.owner[other], now.gone)
            hidden = np.zeros(len(probe))
            np.maximum.at(hidden, at[stays], scene.solids.top[other[stays]])
            seen = z >= hidden[column]
            if seen.any():
                found.append(self._lit(day, curtains, *columns_of(walls, column[seen], z[seen]), walls.place))
        if not found:
            return Extra.none()
        return Extra(
            *(
                np.concatenate([getattr(one, name) for one in found])
                for name in ("xyz", "total", "run", "cannot")
            )
        )

    def _freed(self, now: Changed) -> tuple[Ints, Floats]:
        """Points on walls that stay, where a neighbour that goes had stood against them: wall columns and heights."""
        scene = self.scene
        sizes = np.diff(scene.walls.cover_first)
        goes = np.isin(scene.solids.owner[scene.walls.cover], now.gone)
        stays = ~np.isin(scene.solids.owner[scene.walls.part], now.gone)
        covered = np.unique(np.repeat(np.arange(len(sizes)), sizes)[goes])
        covered = covered[stays[covered]]
        factors = np.ones(len(scene.ids))
        factors[now.gone] = 0.0
        column, storey, z = scene.walls.standing(scene.solids, factors, covered)
        new = ~np.isin(column * 8192 + storey + 4096, scene.wall * 8192 + scene.storey + 4096)
        return column[new], z[new]

    def _lit(self, day: Day, curtains: Curtains, columns: Columns, used: Ints, place: Floats) -> Extra:
        total, run = lit_time(columns, curtains, day.sun)
        repeat = np.diff(columns.first)
        xyz = np.column_stack([np.repeat(columns.place[:, :2], repeat, axis=0), columns.z]).astype(np.float32)
        nothing = Curtains(np.zeros((0, 8)), np.zeros(1, np.int64), np.zeros((0, 4)), np.zeros(0, np.int64))
        n = len(used)
        alone = Columns(np.ascontiguousarray(place[used]), np.arange(n + 1, dtype=np.int64), np.zeros(n))
        cannot = ~day.rule.passes(*lit_time(alone, nothing, day.sun))
        return Extra(xyz, total, run, np.repeat(cannot, repeat))


def _whole(edit: Edit) -> Edit:
    """A height of nothing takes the building away."""
    if edit["op"] == "set" and edit.get("height_m", 1.0) < 0.1:
        return {"op": "remove", "object": edit["object"]}
    return edit


def _around(a: Box, b: Box) -> Box:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


def _merged(boxes: Iterable[Box]) -> list[Box]:
    """Boxes that touch, as one."""
    found: list[Box] = []
    for box in boxes:
        while meeting := [
            b for b in found if b[0] <= box[2] and box[0] <= b[2] and b[1] <= box[3] and box[1] <= b[3]
        ]:
            found = [b for b in found if b not in meeting]
            for other in meeting:
                box = _around(box, other)
        found.append(box)
    return found


def _differing(old: Floats, new: Floats) -> list[Floats]:
    """The discs that are in one list only."""
    a, b = {tuple(one) for one in old.tolist()}, {tuple(one) for one in new.tolist()}
    return [np.array(sorted(a ^ b), float).reshape(-1, 4)]


def _shaded(place: Floats, discs: Floats, day: Day) -> Ints:
    """Which places a shadow of these solids (x, y, radius, top) can reach at any of the day's positions, int64.

    The sun moves on between two positions: a shadow is taken wider by how far its tip goes meanwhile.
    """
    reached = np.zeros(len(place), bool)
    east, north, up = (np.asarray(day.directions, float)[:, k] for k in range(3))
    flat = np.maximum(np.hypot(east, north), 1e-9)
    ux, uy = east / flat, north / flat
    turn = np.abs(np.diff(np.unwrap(np.arctan2(uy, ux)))).max(initial=0.02)
    for x, y, radius, top in discs.tolist():
        dx, dy = x - place[:, 0], y - place[:, 1]
        longest = top * float((flat / np.maximum(up, 1e-3)).max()) + radius + 10.0
        near = np.flatnonzero((dx * dx + dy * dy < longest**2) & ~reached)
        if not len(near):
            continue
        ahead = np.outer(dx[near], ux) + np.outer(dy[near], uy)
        aside = np.abs(np.outer(dx[near], uy) - np.outer(dy[near], ux))
        wide = radius + 2.0 + np.maximum(ahead, 0.0) * turn
        long = 1.05 * top * flat / np.maximum(up, 1e-3) + radius + 10.0
        reached[near] |= ((ahead > -radius - 2.0) & (ahead < long) & (aside < wide)).any(axis=1)
    return np.flatnonzero(reached)
