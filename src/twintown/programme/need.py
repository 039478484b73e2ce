"""Needs: what a stand or a kitchen wants, whether it can be, and which needs nobody can meet, with what would meet them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twintown.ground.errors import BadParameter
from twintown.ground.names import Name
from twintown.programme.lot import day
from twintown.programme.produce_finding import Finding
from twintown.programme.product import GRADES, allergens_of, grades, instead_of, product, products

Row = Mapping[str, Any]
Columns = Mapping[str, Sequence[Any] | NDArray[Any]]
KINDS = ("stand", "kitchen")
#: Rows that one finding names, at most.
MOST_ROWS = 1000
#: What decides whether any lot can meet a need; all needs that agree in it are looked at once.
_ASKED = ("product", "date", "grade_min", "allergens_not", "price_max_krw_kg", "substitutes")


def checked(row: Row) -> dict[str, Any]:
    """A need as it can be kept. Raises BadParameter: it cannot be taken; names the field."""
    said = dict(row)
    product(str(said.get("product") or ""))
    for name in ("quantity_kg", "error_kg", "price_max_krw_kg"):
        said[name] = float(said.get(name) or 0)
        if said[name] < 0:
            raise BadParameter(name, f"{said[name]:g} is negative", remedy="give 0 or more")
    if said["quantity_kg"] == 0:
        raise BadParameter("quantity_kg", "nothing is needed", remedy="give the kilograms")
    if said.get("grade_min") not in GRADES:
        raise BadParameter(
            "grade_min",
            f"there is no grade {said.get('grade_min')!r}",
            remedy=f"use one of {', '.join(GRADES)}",
        )
    if said.get("place_kind") not in KINDS:
        raise BadParameter(
            "place_kind",
            f"there is no kind {said.get('place_kind')!r}",
            remedy=f"use one of {', '.join(KINDS)}",
        )
    if not str(said.get("place") or "").strip():
        raise BadParameter("place", "nobody needs it", remedy="give the id of the stand or the kitchen")
    day(said.get("date"), "date")
    for name in ("from_h", "until_h"):
        said[name] = float(said.get(name) or 0)
        if not 0 <= said[name] <= 24:
            raise BadParameter(name, f"{said[name]:g} is no hour of a day", remedy="give 0 to 24")
    if said["until_h"] <= said["from_h"]:
        raise BadParameter(
            "until_h",
            f"{said['until_h']:g} h is not after {said['from_h']:g} h",
            remedy="end after the beginning",
        )
    held = allergens_of(str(said.get("allergens_not") or ""), "allergens_not")
    said["allergens_not"] = ",".join(str(number) for number in sorted(held))
    ratios = instead_of(str(said.get("substitutes") or ""))
    said["substitutes"] = ",".join(f"{code}:{ratio:g}" for code, ratio in ratios.items())
    weight = said.get("weight")
    said["weight"] = 1.0 if weight is None else float(weight)
    if said["weight"] < 0:
        raise BadParameter(
            "weight", f"{said['weight']:g} is negative", remedy="1 is normal, 0 counts nothing"
        )
    return said


@dataclass(frozen=True)
class _Lots:
    """The lots that can still be delivered, as arrays; `days` are ordinals."""

    ids: list[str]
    product: NDArray[Any]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    grade: NDArray[np.int64]
    price: NDArray[np.float64]
    allergens: list[frozenset[int]]

    @classmethod
    def of(cls, rows: Sequence[Row]) -> _Lots:
        kept = []
        for row in rows:
            left = float(row.get("quantity_kg") or 0)
            if row.get("state") not in ("offered", "promised") or left <= 0 or row.get("grade") not in GRADES:
                continue
            try:
                first, until = day(row.get("from"), "from"), day(row.get("until"), "until")
            except BadParameter:
                continue  # said by the lots' own findings
            kept.append((row, first, min(until, first + timedelta(days=int(row.get("shelf_life_d") or 0)))))
        return cls(
            [str(row["id"]) for row, _, _ in kept],
            np.array([row.get("product") for row, _, _ in kept], object),
            np.array([first.toordinal() for _, first, _ in kept], np.int64),
            np.array([last.toordinal() for _, _, last in kept], np.int64),
            np.array([GRADES.index(row["grade"]) for row, _, _ in kept], np.int64),
            np.array([float(row.get("price_krw_kg") or 0) for row, _, _ in kept]),
            [_held(row) for row, _, _ in kept],
        )


def _held(row: Row) -> frozenset[int]:
    known = products().get(str(row.get("product")))
    try:
        said = allergens_of(str(row.get("allergens") or ""))
    except BadParameter:
        said = frozenset()
    return said | frozenset(known.allergens if known else ())


@dataclass(frozen=True)
class Unmeetable:
    """Needs that no lot can meet, whatever is planned.

    Args:
        at: int64[k] positions of the needs.
        which: int64[k], into `why`.
        why: code, words and remedy of each reason, once.
    """

    at: NDArray[np.int64]
    which: NDArray[np.int64]
    why: tuple[tuple[str, Name], ...]

    def findings(self, ids: Sequence[str] | NDArray[Any]) -> list[Finding]:
        """One finding for each reason, with the needs that it holds for."""
        found = []
        for number, (code, text) in enumerate(self.why):
            rows = tuple(str(ids[at]) for at in self.at[self.which == number][:MOST_ROWS].tolist())
            found.append(Finding(code, text, rows[0], "bad", "needs", rows))
        return found


def unmeetable(needs: Columns, lots: Sequence[Row]) -> Unmeetable:
    """Which needs nobody can meet: no lot of the product (or of what may take its place) that is good enough, in time, without
    what must not be in it, at a price that is paid. Whether there is *enough* is the plan's to say.

    Args:
        needs: columns of the layer `needs`, all of equal length.
        lots: rows of the layer `lots`, with `id`.
    """
    count = len(needs["product"])
    groups, members = _alike(needs, count)
    offered = _Lots.of(lots)
    judged = [_judged(offered, one) for one in groups]
    why: dict[tuple[str, Name], int] = {}
    numbers = np.array(
        [-1 if one is None else why.setdefault(one, len(why)) for one in judged] or [-1], np.int64
    )
    of = numbers[members] if count else np.empty(0, np.int64)
    at = np.flatnonzero(of >= 0)
    return Unmeetable(at, of[at], tuple(why))


def _alike(needs: Columns, count: int) -> tuple[list[tuple[Any, ...]], NDArray[np.int64]]:
    """The different questions among the needs, and which of them each need asks."""
    import pandas as pd

    key = np.zeros(count, np.int64)
    parts = []
    for name in _ASKED:
        codes, values = pd.factorize(
            np.asarray(needs[name], object if name != "price_max_krw_kg" else float), use_na_sentinel=False
        )
        key = key * len(values) + codes
        key = np.unique(key, return_inverse=True)[1].astype(np.int64)
        parts.append((codes, values))
    _, first, members = np.unique(key, return_index=True, return_inverse=True)
    return [tuple(values[codes[at]] for codes, values in parts) for at in first.tolist()], members


def _judged(lots: _Lots, asked: tuple[Any, ...]) -> tuple[str, Name] | None:
    code, iso, least, without, highest, instead = asked
    known = products().get(code)
    if known is None:
        return "unknown-product", Name(f"모르는 품목입니다: {code}", f"nobody knows the product {code!r}")
    try:
        wanted, shun = day(iso, "date").toordinal(), allergens_of(str(without or ""))
        codes = {code, *instead_of(str(instead or ""))}
    except BadParameter as error:
        return "unreadable", Name(f"읽을 수 없습니다: {error.what}", f"{error.what}: {error.remedy}")
    if shun & set(known.allergens):
        other = [one for one in codes if one != code and not shun & set(products()[one].allergens)]
        codes = set(other)
        if not codes:
            return "allergen", Name(
                f"{known.name.ko}: 이 품목 자체가 피해야 할 알레르기 유발물질입니다. 다른 품목으로 바꾸세요",
                f"{known.name.en}: the product itself is what must not be in it; ask for another one",
            )
    right = np.isin(lots.product, list(codes)) if len(lots.ids) else np.zeros(0, bool)
    if not right.any():
        return "no-lot", Name(
            f"{known.name.ko} 물량이 없습니다. 생산자에게 물량을 올리도록 청하거나 대체 품목을 정하세요",
            f"nobody offers {known.name.en}; ask producers for a lot, or allow a substitute",
        )
    tests = (
        ("not-in-time", (lots.first <= wanted) & (wanted <= lots.last)),
        ("grade", lots.grade <= GRADES.index(least if least in GRADES else GRADES[-1])),
        ("allergen", np.array([not held & shun for held in lots.allergens], bool)),
        (
            "price",
            (lots.price <= highest) if highest and highest == highest else np.ones(len(lots.ids), bool),
        ),
    )
    if (right & np.logical_and.reduce([test for _, test in tests])).any():
        return None
    return _reason(lots, right, tests, wanted, highest)


def _reason(
    lots: _Lots,
    right: NDArray[np.bool_],
    tests: Sequence[tuple[str, NDArray[np.bool_]]],
    wanted: int,
    highest: float,
) -> tuple[str, Name]:
    """The condition that the nearest lots fail: the one by giving up which alone a lot would do; else the first that nothing meets."""
    for code, _ in reversed(tests):
        others = right & np.logical_and.reduce([test for other, test in tests if other != code])
        if others.any():
            return code, _remedy(code, lots, others, wanted, highest)
    left = right
    for code, test in tests:
        if not (left & test).any():
            return code, _remedy(code, lots, left, wanted, highest)
        left = left & test
    raise AssertionError("some test fails")  # a slip of ours


def _remedy(code: str, lots: _Lots, some: NDArray[np.bool_], wanted: int, highest: float) -> Name:
    at = np.flatnonzero(some)
    if code == "price":
        best = int(at[np.argmin(lots.price[at])])
        price = f"{lots.price[best]:,.0f}"
        return Name(
            f"{highest:,.0f} 원/kg 안에 드는 물량이 없습니다. 상한이 {price} 원/kg이면 {lots.ids[best]}이(가) 됩니다",
            f"no lot costs {highest:,.0f} ₩/kg or less; {lots.ids[best]} would do at {price} ₩/kg",
        )
    if code == "grade":
        best = int(at[np.argmin(lots.grade[at])])
        grade = grades()[GRADES[lots.grade[best]]]
        return Name(
            f"등급이 되는 물량이 없습니다. 최저 등급을 ‘{grade.ko}’까지 낮추면 {lots.ids[best]}이(가) 됩니다",
            f"no lot is good enough; {lots.ids[best]} would do with the least grade ‘{grade.en}’",
        )
    if code == "not-in-time":
        away = np.maximum(np.maximum(lots.first[at] - wanted, wanted - lots.last[at]), 0)
        best = int(at[np.argmin(away)])
        near = date.fromordinal(int(np.clip(wanted, lots.first[best], lots.last[best])))
        return Name(
            f"그날 낼 수 있는 물량이 없습니다. {near}이면 {lots.ids[best]}이(가) 됩니다",
            f"no lot is there on that day; {lots.ids[best]} would do on {near}",
        )
    names = ", ".join(lots.ids[one] for one in at[:3].tolist())
    return Name(
        f"모든 물량에 피해야 할 알레르기 유발물질이 있습니다({names}). 다른 품목을 정하세요",
        f"every lot holds what must not be in it ({names}); ask for another product",
    )


def shortages(needs: Columns, lots: Sequence[Row]) -> list[Finding]:
    """Products of which less is offered than needed altogether, substitutes not counted; the plan says when and where."""
    offered: dict[str, float] = {}
    for row in lots:
        if row.get("state") in ("offered", "promised"):
            code = str(row.get("product"))
            offered[code] = offered.get(code, 0.0) + float(row.get("quantity_kg") or 0)
    codes, inverse = np.unique(np.asarray(needs["product"], str), return_inverse=True)
    wanted = (
        np.bincount(inverse, np.asarray(needs["quantity_kg"], float), len(codes))
        if len(codes)
        else np.empty(0)
    )
    found = []
    for code, kilograms in zip(codes.tolist(), wanted.tolist(), strict=True):
        have, known = offered.get(code, 0.0), products().get(code)
        if known is not None and 0 < have < kilograms:
            text = Name(
                f"{known.name.ko}: {kilograms:,.0f} kg이 필요한데 {have:,.0f} kg만 있습니다. {kilograms - have:,.0f} kg을 더 청하세요",
                f"{known.name.en}: {kilograms:,.0f} kg are needed and {have:,.0f} kg offered; ask for {kilograms - have:,.0f} kg more",
            )
            found.append(Finding("short", text, code, "warn", "needs"))
    return found
