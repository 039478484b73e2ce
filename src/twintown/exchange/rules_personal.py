"""Personal data: who can be told apart in a table, and counts of few."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from .anonymity import Codes, classes, diversity, few, numbers
from .content import Content
from .findings import MOST_PLACES, Finding, message
from .matter import Matter
from .rules import Rules


@dataclass(frozen=True)
class Persons:
    """What a table says of persons.

    Attributes:
        quasi: columns that describe a person to those around; none where rows are no persons.
        sensitive: columns that are nobody's business.
        counts: columns that count persons; then a row is a group of them.
    """

    quasi: tuple[str, ...]
    sensitive: tuple[str, ...]
    counts: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.quasi or self.counts)


def persons_in(rules: Rules, content: Content) -> Persons:
    """By what the twin says of the layer, else by the names and units of its columns."""
    about, units = rules.about(content.layer), content.units
    small, k = rules.rules.get("small-counts"), rules.rules.get("person-k")
    counted = small.words("units") if small else ()
    counts = tuple(name for name in about.counts if name in units)
    if not counts and about.kind in ("", "persons"):
        counts = _whole(content, [name for name, unit in units.items() if unit.casefold() in counted])
    quasi = tuple(name for name in about.quasi_identifiers if name in units)
    if not quasi and not counts and k is not None and about.kind in ("", "persons"):
        named = tuple(name for name in units if name.casefold() in k.words("columns"))
        quasi = named if len(named) > 1 or about.kind == "persons" else ()
    return Persons(
        () if counts and not about.quasi_identifiers else quasi,
        tuple(name for name in about.sensitive if name in units), counts,
    )  # fmt: skip


def _whole(content: Content, names: Sequence[str]) -> tuple[str, ...]:
    """Those of some columns that hold whole numbers only: persons per household are no count of persons."""
    if not names:
        return ()
    table = content.table(names)
    values = {name: numbers(table.column(name)) for name in names}
    return tuple(name for name in names if not (np.nan_to_num(values[name]) % 1).any())


def check_personal(matter: Matter) -> Iterator[Finding]:
    """Direct identifiers, k-anonymity, l-diversity and small counts of the asset by itself."""
    content = matter.content
    if content is None or content.kind not in ("features", "table"):
        return
    yield from _identifiers(matter, content)
    persons = persons_in(matter.rules, content)
    if persons.quasi:
        yield from _classes(matter, content, persons)
    if persons.counts:
        yield from _counts(matter, content, persons)


def _identifiers(matter: Matter, content: Content) -> Iterator[Finding]:
    found = matter.rules.at("person-identifiers", matter.reach)
    if found is None:
        return
    rule, severity = found
    columns = [name for name in content.units if name.casefold() in rule.words("columns")]
    if columns:
        yield rule.finding(
            severity,
            message(
                f"개인을 바로 알아보는 열이 있습니다: {', '.join(columns)}",
                f"columns that name persons: {', '.join(columns)}",
            ),
            {"columns": len(columns), "rows": content.count, "named": columns}, remedies=("withhold",),
        )  # fmt: skip


def _classes(matter: Matter, content: Content, persons: Persons) -> Iterator[Finding]:
    table = content.table((*persons.quasi, *persons.sensitive))
    found = classes(table, persons.quasi)
    if (asked := matter.rules.at("person-k", matter.reach)) is not None and len(found.size):
        rule, severity = asked
        k = int(rule.limit)
        small = found.small(k)
        if len(small):
            few_of = int((found.size < k).sum())
            yield rule.finding(
                severity,
                message(
                    f"{', '.join(persons.quasi)}이(가) 같은 사람이 {k}명보다 적은 무리가 {few_of}개, {len(small)}명입니다 "
                    f"(가장 작은 k = {found.smallest})",
                    f"{len(small)} persons in {few_of} classes share {', '.join(persons.quasi)} with fewer than {k} "
                    f"(the smallest k is {found.smallest})",
                ),
                {"k": found.smallest, "rows": len(small), "classes": few_of, "of_rows": len(found.of), "columns": list(persons.quasi)},
                places=ids_at(table, small), remedies=("aggregate", "withhold"),
            )  # fmt: skip
    if (asked := matter.rules.at("person-l", matter.reach)) is None:
        return
    rule, severity = asked
    for name in persons.sensitive:
        alike = np.flatnonzero(diversity(found, table.column(name)) < rule.limit)
        if len(alike):
            rows = np.flatnonzero(np.isin(found.of, alike))
            yield rule.finding(
                severity,
                message(
                    f"무리 {len(alike)}개에서 {name} 값이 {rule.limit:g}가지보다 적어, 무리를 알면 값도 압니다",
                    f"in {len(alike)} classes {name} has fewer than {rule.limit:g} values: who knows the class knows the value",
                ),
                {"classes": len(alike), "rows": len(rows), "column": name}, places=ids_at(table, rows),
                remedies=("aggregate", "withhold"),
            )  # fmt: skip


def _counts(matter: Matter, content: Content, persons: Persons) -> Iterator[Finding]:
    found = matter.rules.at("small-counts", matter.reach)
    if found is None:
        return
    rule, severity = found
    table = content.table(persons.counts)
    for name in persons.counts:
        rows = few(numbers(table.column(name)), rule.limit)
        if len(rows):
            yield rule.finding(
                severity,
                message(
                    f"{name}에 {rule.limit:g}보다 작은 수가 {len(rows)}개 있습니다",
                    f"{len(rows)} counts of {name} are smaller than {rule.limit:g}",
                ),
                {"cells": len(rows), "column": name, "of_rows": table.num_rows}, places=ids_at(table, rows),
                remedies=("withhold", "aggregate"),
            )  # fmt: skip


def ids_at(table: pa.Table, rows: Codes | Sequence[int]) -> tuple[dict[str, str], ...]:
    """The ids of some rows as places."""
    first = pa.array(np.asarray(rows, np.int64)[:MOST_PLACES])
    return tuple({"id": str(id)} for id in table.column("id").take(first).to_pylist())
