"""Withhold: columns that do not go, rows of persons who stand out, counts of few and what would give them back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from twintown.ground.errors import BadParameter
from twintown.ground.features import Features
from twintown.ground.provenance import Step
from twintown.twin.layers import Shape

from .anonymity import Codes, classes, coded, diversity, numbers
from .content import OfShape
from .matter import Matter
from .rules_combination import WITHHELD
from .rules_personal import persons_in


def withhold(matter: Matter, shape: Shape, said: Mapping[str, Any]) -> tuple[Shape, Mapping[str, Any]]:
    """The shape without them. Raises BadParameter."""
    if not isinstance(shape, Features):
        raise BadParameter("remedy", "cells have no columns or rows to withhold", remedy="mask or coarsen")
    counts, columns = _names(shape, said, "counts"), _names(shape, said, "columns")
    done: dict[str, Any] = {"rows_before": len(shape)}
    if columns:
        shape = _without(shape, columns)
        done |= {"columns": columns}
    if counts:
        shape, hidden = _counts(matter, shape, counts, said_k(said))
        done |= {"counts": counts, "withheld_values": hidden}
    elif "k" in said or "l" in said:
        shape, k = _rows(matter, shape, said_k(said), _l(said))
        done |= {"k_after": k}
    elif not columns:
        raise BadParameter("columns", "nothing is to be withheld", remedy="name columns, or say k")
    return shape, {**done, "rows_after": len(shape)}


def said_k(said: Mapping[str, Any]) -> int:
    """k of a remedy. Raises BadParameter."""
    k = said.get("k", 5)
    if isinstance(k, bool) or not isinstance(k, int) or not 2 <= k <= 100_000:
        raise BadParameter("k", f"{k!r} is no number of persons", remedy="write 2 or more")
    return k


def _l(said: Mapping[str, Any]) -> int:
    different = said.get("l", 1)
    if isinstance(different, bool) or not isinstance(different, int) or not 1 <= different <= 1000:
        raise BadParameter("l", f"{different!r} is no number of values", remedy="write 1 or more")
    return different


def _names(shape: Features, said: Mapping[str, Any], name: str) -> list[str]:
    wanted = said.get(name, [])
    there = set(OfShape("", shape).units)
    if not isinstance(wanted, Sequence) or isinstance(wanted, str) or set(map(str, wanted)) - there:
        raise BadParameter(
            name, f"{wanted!r} are not all columns of it", remedy=f"it has {', '.join(sorted(there))}"
        )
    return [str(one) for one in wanted]


def _without(shape: Features, columns: Sequence[str]) -> Features:
    import shapely

    table, provenance = shape.table.drop(columns=list(columns)), shape.provenance
    if {"elevation_m", "z_m"} & set(columns) or bool(shapely.has_z(table.geometry.to_numpy()).any()):
        table = table.set_geometry(shapely.force_2d(table.geometry.to_numpy()), crs=table.crs)
    step = Step(WITHHELD, "twintown", {"columns": sorted(columns)})
    units = {name: unit for name, unit in shape.units.items() if name not in columns}
    return Features(table, shape.frame, provenance.then(step), units)


def _rows(matter: Matter, shape: Features, k: int, different: int) -> tuple[Features, int]:
    """Without persons in classes of fewer than k (or of fewer sensitive values); never fewer than k of them are taken out."""
    persons = persons_in(matter.rules, OfShape(_origin(matter), shape))
    if not persons.quasi:
        raise BadParameter("k", "no column describes persons here", remedy="name them in [release.layers]")
    table = OfShape("", shape).table((*persons.quasi, *persons.sensitive))
    found = classes(table, persons.quasi)
    out = found.size < k
    for name in persons.sensitive:
        out |= diversity(found, table.column(name)) < different
    taken = int(found.size[out].sum())
    for at in np.argsort(found.size, kind="stable"):
        if taken == 0 or taken >= k:
            break
        if not out[at]:
            out[at], taken = True, taken + int(found.size[at])
    keep = ~out[found.of]
    if not keep.any():
        raise BadParameter("k", "nothing would be left", remedy="aggregate it instead")
    left = shape.with_table(shape.table[keep].reset_index(drop=True))
    return left, int(found.size[~out].min())


def _counts(matter: Matter, shape: Features, counts: Sequence[str], k: int) -> tuple[Features, int]:
    content = OfShape(_origin(matter), shape)
    table = content.table([name for name in content.units if name not in counts])
    groups = [name for name in matter.rules.about(content.layer).groups if name in content.units] or [
        name for name in table.column_names
        if name != "id" and pa.types.is_string(table.column(name).type) | pa.types.is_large_string(table.column(name).type)
        and 1 < len(np.unique(coded(table.column(name)))) < table.num_rows
    ]  # fmt: skip
    margins = [classes(table, [one]).of for one in groups]
    margins += [classes(table, [one for one in groups if one != out]).of for out in groups if len(groups) > 2]
    margins.append(np.zeros(table.num_rows, np.int64))
    rows, hidden = shape.table.copy(), 0
    for name in counts:
        values = numbers(content.table([name]).column(name))
        hide = hidden_with(values, margins, k)
        hidden += int((hide & ~np.isnan(values)).sum())
        if not (~hide).any():
            raise BadParameter("counts", f"nothing of {name} would be left", remedy="aggregate it instead")
        rows[name] = np.where(hide, np.nan, values)
    made = shape.with_table(rows)
    return replace(
        made,
        provenance=made.provenance.then(
            Step("withheld counts", "twintown", {"columns": list(counts), "k": k})
        ),
    ), hidden


def hidden_with(values: NDArray[np.float64], margins: Sequence[Codes], k: float) -> NDArray[np.bool_]:
    """Which counts are withheld: those of few, and beside each of them another of its group, so that no total gives it back.

    In every group of every margin either nothing is withheld, or at least two counts that are together at least `k`.
    """
    with np.errstate(invalid="ignore"):
        hide = np.isnan(values) | ((values > 0) & (values < k))
    known = np.nan_to_num(values)
    while True:
        more = np.zeros(len(values), bool)
        for codes in margins:
            size = int(codes.max(initial=-1)) + 1
            lone = np.bincount(codes, hide, size)
            told = np.bincount(codes, np.where(hide, known, 0.0), size)
            weak = (lone > 0) & ((lone < 2) | (told < k))
            order = np.lexsort((np.where(hide, np.inf, np.where(known > 0, known, np.inf)), codes))
            first = order[np.unique(codes[order], return_index=True)[1]]
            more[first[weak[codes[first]] & ~hide[first] & (known[first] > 0)]] = True
        if not more.any():
            return hide
        hide |= more


def _origin(matter: Matter) -> str:
    return matter.parts[0].layer if matter.parts else ""
