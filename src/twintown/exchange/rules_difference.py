"""Differences: an old release less the new one, a published total less what is told of it, one area less another.

Each of them can single out fewer than k persons though every table alone does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from .anonymity import few, keys, numbers
from .content import Content
from .findings import Finding, message
from .matter import Matter
from .released import origin
from .rules_personal import Persons, ids_at, persons_in

#: Sums that differ by less are the same sum (counts are whole numbers).
SAME = 0.5
#: What of an area may stick out of another one that contains it.
SLACK = 1e-3


def check_difference(matter: Matter, known: Sequence[Content]) -> Iterator[Finding]:
    """What the asset and earlier or other counts give by subtraction."""
    content = matter.content
    if content is None or content.kind not in ("features", "table"):
        return
    persons = persons_in(matter.rules, content)
    if not persons:
        return
    for other in known:
        if other.kind not in ("features", "table"):
            continue
        theirs = persons_in(matter.rules, other)
        if origin(other.layer) == origin(content.layer):
            if persons.quasi and theirs.quasi:
                yield from _rows(matter, content, persons, other, theirs)
            yield from _cells(matter, content, persons, other, theirs)
        else:
            yield from _totals(matter, content, persons, other, theirs)
        if content.kind == other.kind == "features" and persons.counts and theirs.counts:
            yield from _areas(matter, content, persons, other, theirs)


def _rows(
    matter: Matter, content: Content, persons: Persons, other: Content, theirs: Persons
) -> Iterator[Finding]:
    """Persons that are in one release and not in the other."""
    found = matter.rules.at("difference", matter.reach)
    shared = [name for name in persons.quasi if name in theirs.quasi]
    if found is None or not shared:
        return
    rule, severity = found
    new, old = content.table(shared), other.table(shared)
    here, there = keys([new, old], shared)
    size = int(max(here.max(initial=-1), there.max(initial=-1))) + 1
    change = np.bincount(here, minlength=size) - np.bincount(there, minlength=size)
    alone = np.flatnonzero((change != 0) & (np.abs(change) < rule.limit))
    if not len(alone):
        return
    persons_alone = int(np.abs(change[alone]).sum())
    rows = np.flatnonzero(np.isin(here, alone))
    yield rule.finding(
        severity,
        message(
            f"먼저 공개된 {other.layer}와(과) 비교하면 {', '.join(shared)}로 나눈 무리 {len(alone)}개에서 "
            f"{rule.limit:g}명보다 적은 사람({persons_alone}명)이 드러납니다",
            f"compared with {other.layer}, released before, {persons_alone} persons in {len(alone)} classes of "
            f"{', '.join(shared)} stand alone, fewer than {rule.limit:g} each",
        ),
        {"persons": persons_alone, "classes": len(alone), "earlier": other.version_id}, places=ids_at(new, rows),
        remedies=("aggregate", "withhold"), layers=(other.layer,),
    )  # fmt: skip


def _cells(
    matter: Matter, content: Content, persons: Persons, other: Content, theirs: Persons
) -> Iterator[Finding]:
    """The same count told twice: their difference is a count of few; a value that is withheld now was told before."""
    shared = [name for name in persons.counts if name in theirs.counts]
    if not shared:
        return
    new, old = content.table(shared), other.table(shared)
    here, there = keys([new, old], ["id"])
    order = np.argsort(there, kind="stable")
    at = (
        np.minimum(np.searchsorted(there[order], here), len(order) - 1)
        if len(order)
        else np.empty(0, np.int64)
    )
    pairs = np.flatnonzero(there[order[at]] == here) if len(order) else np.empty(0, np.int64)
    for name in shared:
        mine, before = numbers(new.column(name))[pairs], numbers(old.column(name))[order[at[pairs]]]
        if (found := matter.rules.at("difference", matter.reach)) is not None:
            rule, severity = found
            rows = pairs[few(np.abs(mine - before), rule.limit)]
            if len(rows):
                yield rule.finding(
                    severity,
                    message(
                        f"{name}에서 먼저 공개된 {other.layer}의 값을 빼면 {len(rows)}곳에서 {rule.limit:g}명보다 적은 차이가 남습니다",
                        f"{name} less that of {other.layer}, released before, leaves fewer than {rule.limit:g} in {len(rows)} cells",
                    ),
                    {"cells": len(rows), "column": name, "earlier": other.version_id}, places=ids_at(new, rows),
                    remedies=("aggregate", "withhold"), layers=(other.layer,),
                )  # fmt: skip
        if (found := matter.rules.at("linked-columns", matter.reach)) is not None:
            rule, severity = found
            rows = pairs[np.isnan(mine) & ~np.isnan(before)]
            if len(rows):
                yield rule.finding(
                    severity,
                    message(
                        f"여기서 가린 {name} 값 {len(rows)}개를 먼저 공개된 {other.layer}이(가) 그대로 보여 줍니다",
                        f"{len(rows)} values of {name} that are withheld here stand in {other.layer}, released before",
                    ),
                    {"rows": len(rows), "columns": [name], "by": "id"}, places=ids_at(new, rows), remedies=("aggregate",),
                    layers=(other.layer,),
                )  # fmt: skip


def _totals(
    matter: Matter, content: Content, persons: Persons, other: Content, theirs: Persons
) -> Iterator[Finding]:
    """A total of which all parts but one are told gives that one."""
    found = matter.rules.at("complement", matter.reach)
    if found is None:
        return
    rule, severity = found
    shared = [
        name
        for name in other.units
        if name in content.units and name not in (*persons.counts, *theirs.counts)
    ]
    if not shared or not theirs.counts:
        return
    new, total = content.table((*shared, *persons.counts)), other.table((*shared, *theirs.counts))
    here, there = keys([new, total], shared)
    if len(np.unique(there)) != len(there) or len(np.unique(here)) == len(here):
        return  # not one total a group, or no parts of it
    for name in persons.counts:
        values = numbers(new.column(name))
        for whole in theirs.counts:
            given = _given_back(values, here, numbers(total.column(whole)), there)
            rows = np.array([row for row, value in given if 0 < value < rule.limit], np.int64)
            if len(rows):
                yield rule.finding(
                    severity,
                    message(
                        f"{other.layer}의 합계 {whole}에서 나머지를 빼면 가린 {name} 값 {len(rows)}개가 되살아납니다",
                        f"the totals {whole} of {other.layer} give {len(rows)} withheld values of {name} back",
                    ),
                    {"cells": len(rows), "column": name, "total": whole, "by": shared}, places=ids_at(new, rows),
                    remedies=("withhold", "aggregate"), layers=(other.layer,),
                )  # fmt: skip


def _given_back(
    values: NDArray[np.float64], groups: NDArray[np.int64], totals: NDArray[np.float64], of: NDArray[np.int64]
) -> list[tuple[int, float]]:
    """Rows whose value is absent and alone so in its group, and what the group's total says that it is.

    Only where the total is one of these values: in the groups of which all is told, most sums must agree.
    """
    size = int(max(groups.max(initial=-1), of.max(initial=-1))) + 1
    sums = np.bincount(groups, np.nan_to_num(values), size)
    absent = np.bincount(groups, np.isnan(values), size).astype(int)
    there = np.zeros(size, bool)
    there[groups] = True
    whole = np.full(size, np.nan)
    whole[of] = totals
    told = there & (absent == 0) & ~np.isnan(whole)
    agree = np.abs(sums - whole) < SAME
    if told.any() and agree[told].mean() < 0.8:
        return []
    lone = there & (absent == 1) & ~np.isnan(whole) & (whole - sums > -SAME)
    rows = np.flatnonzero(np.isnan(values) & lone[groups])
    return [(int(row), float(round(whole[groups[row]] - sums[groups[row]]))) for row in rows]


def _areas(
    matter: Matter, content: Content, persons: Persons, other: Content, theirs: Persons
) -> Iterator[Finding]:
    """An area less the areas within it: the rest has fewer than k."""
    found = matter.rules.at("difference", matter.reach)
    if found is None:
        return
    rule, severity = found
    shared = [name for name in persons.counts if name in theirs.counts]
    mine, known = _drawn(content), _drawn(other)
    if not shared or not len(mine) or not len(known):
        return
    new, old = content.table(shared), other.table(shared)
    for inner, outer, parts, wholes in ((mine, known, new, old), (known, mine, old, new)):
        of = _container(inner, outer)
        for name in shared:
            values = np.nan_to_num(numbers(parts.column(name)))
            sums = np.bincount(of[of >= 0], values[of >= 0], len(outer))
            covered = np.bincount(of[of >= 0], minlength=len(outer)) > 0
            rest = numbers(wholes.column(name)) - sums
            area = shapely.area(outer) - np.bincount(of[of >= 0], shapely.area(inner)[of >= 0], len(outer))
            rows = np.flatnonzero(
                covered & (area > SLACK * shapely.area(outer)) & (rest > 0) & (rest < rule.limit)
            )
            if len(rows):
                yield rule.finding(
                    severity,
                    message(
                        f"{other.layer}의 구역과 겹쳐 빼면 {len(rows)}곳에서 {name}이(가) {rule.limit:g}보다 작게 남습니다",
                        f"areas less those of {other.layer} leave fewer than {rule.limit:g} of {name} in {len(rows)} places",
                    ),
                    {"places": len(rows), "column": name}, places=ids_at(wholes, rows), remedies=("aggregate",),
                    layers=(other.layer,),
                )  # fmt: skip


def _drawn(content: Content) -> NDArray[np.object_]:
    parts = [shapes for _, shapes in content.shapes()]
    return np.concatenate(parts) if parts else np.empty(0, object)


def _container(inner: NDArray[np.object_], outer: NDArray[np.object_]) -> NDArray[np.int64]:
    """The area that contains each of these, -1 for none: by a point in it, and by its not being larger."""
    of = np.full(len(inner), -1, np.int64)
    tree = shapely.STRtree(outer)
    at, where = tree.query(shapely.point_on_surface(inner), predicate="intersects")
    fits = shapely.area(inner[at]) < shapely.area(outer[where]) * (1 - SLACK)
    at, where = at[fits], where[fits]
    most = shapely.area(shapely.intersection(inner[at], outer[where])) >= shapely.area(inner[at]) * (
        1 - SLACK
    )
    of[at[most]] = where[most]
    return of
