"""The answer on sunlight as it travels: counts, verdicts, error, and the arrays of the grid and the facades."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twintown.ground.errors import BadParameter

from .arrays import pack
from .sunlight_day import Day
from .sunlight_rule import CANNOT, GONE, NEAR, PASSED, PASSES, Rule

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
Bools = NDArray[np.bool_]
BUILT = 255
#: Errors measured by `validation/` (see VALIDATION.md): what the ground (half a step at each of two edges, and a cell) and the
#: crossing times may be off.
GROUND_MINUTES, CROSSING_MINUTES = 10.0, 1.0


@dataclass(frozen=True)
class Ground:
    """The grid: upper left corner (m), cell (m), rows, columns."""

    origin_x: float
    origin_y: float
    cell_m: float
    rows: int
    cols: int

    def to_dict(self) -> dict[str, Any]:
        """As the header has it."""
        return {
            "origin_x": self.origin_x,
            "origin_y": self.origin_y,
            "cell_m": self.cell_m,
            "rows": self.rows,
            "cols": self.cols,
        }


@dataclass(frozen=True)
class Extra:
    """Points that the base does not have: `xyz` float32[m, 3], minutes `total` and `run` float32[m], `cannot` bool[m]."""

    xyz: F32
    total: F32
    run: F32
    cannot: Bools

    @classmethod
    def none(cls) -> Extra:
        """No points."""
        return cls(
            np.zeros((0, 3), np.float32), np.zeros(0, np.float32), np.zeros(0, np.float32), np.zeros(0, bool)
        )


@dataclass(frozen=True)
class Verdicts:
    """Minutes of the base's points and of the extra ones, and what the rule says of them."""

    total: F32
    run: F32
    cannot: Bools
    gone: Bools
    extra: Extra
    rule: Rule

    @property
    def passes(self) -> Bools:
        """Which base points pass, bool[points]."""
        return self.rule.passes(self.total, self.run)

    def state(self, passed: Bools) -> U8:
        """The bits of each base point, u1[points]: passes 1, passed before 2, near 4, cannot 8, gone 16."""
        near = self.rule.near(self.total, self.run)
        bits = self.passes * PASSES + passed * PASSED + near * NEAR + self.cannot * CANNOT
        return np.where(self.gone, GONE + passed * PASSED, bits).astype(np.uint8)

    def extra_state(self) -> U8:
        """The bits of the extra points, u1[m]."""
        e = self.extra
        bits = (
            self.rule.passes(e.total, e.run) * PASSES
            + self.rule.near(e.total, e.run) * NEAR
            + e.cannot * CANNOT
        )
        return np.asarray(bits, np.uint8)


@dataclass(frozen=True)
class Answer:
    """A header (JSON values) and named arrays with their units; `to_bytes` frames them (`processes/arrays.py`)."""

    header: Mapping[str, Any]
    arrays: Mapping[str, tuple[NDArray[Any], str]]

    @property
    def counts(self) -> Mapping[str, int]:
        """points, pass, fail, newly_fail, newly_pass, near, cannot."""
        found: Mapping[str, int] = self.header["counts"]
        return found

    def to_bytes(self) -> bytes:
        """As `application/vnd.twintown.arrays`."""
        return pack(self.header, self.arrays)


def counts_of(state: U8, extra: U8) -> dict[str, int]:
    """How many facade points are what; points = pass + fail + cannot. Gone ones are not points any more."""
    here = state[(state & GONE) == 0]
    everyone = np.concatenate([here, extra])
    passes, cannot = (everyone & PASSES) > 0, (everyone & CANNOT) > 0
    before, now = (here & PASSED) > 0, (here & PASSES) > 0
    return {
        "points": len(everyone),
        "pass": int(passes.sum()),
        "fail": int((~passes & ~cannot).sum()),
        "newly_fail": int((before & ~now).sum()),
        "newly_pass": int((~before & now).sum()),
        "near": int(((everyone & NEAR) > 0).sum()),
        "cannot": int((cannot & ~passes).sum()),
        "gone": int(((state & GONE) > 0).sum()),
        "new": len(extra),
    }


def statement(day: Day, cell_m: float) -> dict[str, Any]:
    """What the answer may be wrong by, in both languages."""
    step = day.rule.step_min
    return {
        "ground_minutes": GROUND_MINUTES,
        "crossing_minutes": CROSSING_MINUTES,
        "sun_deg": round(day.residual_deg, 5),
        "statement": {
            "ko": f"지면은 {cell_m:g} m 격자에서 {step:g}분마다 센 값으로 약 ±{GROUND_MINUTES:g}분, "
            f"외벽 점은 교차 시각으로 ±{CROSSING_MINUTES:g}분까지 맞습니다. "
            f"건물 높이와 층고의 오차는 들어 있지 않으므로 기준에서 {day.rule.error_min:g}분 안의 점은 '경계'로 따로 셉니다. "
            "지면은 평지로 가정하고 나무·지형·범위 밖 건물은 없습니다.",
            "en": f"Ground: counted every {step:g} min on {cell_m:g} m cells, about ±{GROUND_MINUTES:g} min. "
            f"Facade points: crossing times, ±{CROSSING_MINUTES:g} min. "
            f"Errors of heights and storeys are not in these: points within {day.rule.error_min:g} min of a threshold are counted as near. "
            "Ground is assumed flat; no trees, no terrain, nothing from outside the bounds.",
        },
    }


def _header(
    ground: Ground,
    window: Sequence[int],
    day: Day,
    counts: Mapping[str, int],
    km2: float,
    spent: Mapping[str, float],
) -> dict[str, Any]:
    return {
        "grid": {**ground.to_dict(), "window": list(window)},
        "origin": [ground.origin_x, ground.origin_y - ground.rows * ground.cell_m],
        "step_minutes": day.rule.step_min,
        "steps": len(day.steps),
        "first_step_minute": float(day.steps[0]),
        "time_basis": day.basis,
        "date": day.date.isoformat(),
        "unit": "min",
        "counts": counts,
        "affected_km2": km2,
        "error": statement(day, ground.cell_m),
        "rule": day.rule.to_dict(),
        "time_ms": {key: round(value, 2) for key, value in spent.items()},
    }


def _minutes(values: F32) -> NDArray[np.uint16]:
    return np.rint(values).astype(np.uint16)


def base_answer(
    ground: Ground, day: Day, verdicts: Verdicts, steps: U8, xyz: F32, normal: F32,
    owner: NDArray[np.int64], ids: Sequence[str], spent: Mapping[str, float],
) -> Answer:  # fmt: skip
    """The whole grid and every point."""
    state = verdicts.state(verdicts.passes)
    number = np.uint16 if len(ids) < 65536 else np.uint32
    header = _header(
        ground, (0, 0, ground.rows, ground.cols), day, counts_of(state, np.zeros(0, np.uint8)), 0.0, spent
    )
    return Answer(
        {**header, "buildings": list(ids)},
        {
            "sun_steps": (steps, "{step}"),
            "facade_state": (state, "1"),
            "facade_minutes": (_minutes(verdicts.total), "min"),
            "facade_run": (_minutes(verdicts.run), "min"),
            "facade_xyz": (xyz, "m"),
            "facade_normal": (normal, "deg"),
            "facade_building": (owner.astype(number), "1"),
        },
    )


def _window(window: object, ground: Ground) -> tuple[int, int, int, int]:
    if (
        not isinstance(window, list | tuple)
        or len(window) != 4
        or not all(isinstance(v, int) and not isinstance(v, bool) for v in window)
    ):
        raise BadParameter("window", f"{window!r} is not [row0, col0, rows, cols]")
    row, col, rows, cols = window
    if not (0 <= row and 0 <= col and 0 < rows <= ground.rows - row and 0 < cols <= ground.cols - col):
        raise BadParameter(
            "window", f"{list(window)} lies outside the grid of {ground.rows} × {ground.cols} cells"
        )
    return row, col, rows, cols


def _tight(changed: Bools, row: int, col: int) -> tuple[int, int, int, int]:
    rows, cols = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    if not len(rows):
        return row, col, 0, 0
    return row + int(rows[0]), col + int(cols[0]), int(rows[-1] - rows[0]) + 1, int(cols[-1] - cols[0]) + 1


def edit_answer(
    ground: Ground, day: Day, before: Verdicts, after: Verdicts, counts0: U8, built0: Bools, counts1: U8, built1: Bools,
    touched: tuple[int, int, int, int] | None, window: object, ids: Sequence[str], spent: Mapping[str, float],
) -> Answer:  # fmt: skip
    """What differs from the base: a window of the grid, the changed points by index, and new points."""
    row0, col0, row1, col1 = touched or (0, 0, 0, 0)
    here = (slice(row0, row1), slice(col0, col1))
    old = np.where(built0[here], np.uint8(BUILT), counts0[here])
    new = np.where(built1[here], np.uint8(BUILT), counts1[here])
    changed = old != new
    asked = _window(window, ground) if window is not None else _tight(changed, row0, col0)
    r, c, rows, cols = asked
    there = (slice(r, r + rows), slice(c, c + cols))
    passed = before.passes
    state, state0 = after.state(passed), before.state(passed)
    different = (
        (state != state0)
        | (_minutes(after.total) != _minutes(before.total))
        | (_minutes(after.run) != _minutes(before.run))
    )
    index = np.flatnonzero(different)
    extra = after.extra_state()
    header = _header(
        ground, asked, day, counts_of(state, extra), float(changed.sum()) * ground.cell_m**2 / 1e6, spent
    )
    return Answer(
        header,
        {
            "sun_steps": (np.where(built1[there], np.uint8(BUILT), counts1[there]), "{step}"),
            "facade_index": (index.astype(np.uint32), "1"),
            "facade_state": (state[index], "1"),
            "facade_minutes": (_minutes(after.total[index]), "min"),
            "facade_run": (_minutes(after.run[index]), "min"),
            "extra_xyz": (after.extra.xyz, "m"),
            "extra_state": (extra, "1"),
        },
    )
