"""The combination: what does the asset rebuild together with what its audience has already (`released.known_to`)?

Grids whose lines do not coincide give a finer one; a join by id or place gives withheld columns back, or makes persons fewer;
what was masked another layer still shows. (Counts and their totals: `rules_difference`.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from .anonymity import classes
from .content import Content
from .findings import MOST_PLACES, Finding, message
from .lattices import SAME, together
from .linkage import linked
from .matter import Matter
from .released import origin
from .rules import Place, Site
from .rules_personal import ids_at, persons_in
from .rules_sites import inside, place, sites_of, within
from .rules_spatial import terrain_rule

#: The name of the step that says which columns a remedy has withheld.
WITHHELD = "withheld columns"


def check_combination(matter: Matter, known: Sequence[Content]) -> Iterator[Finding]:
    """What the asset and the known layers tell together."""
    content = matter.content
    if content is None:
        return
    if content.kind == "grid":
        yield from _finer(matter, content, known)
    elif content.kind in ("features", "table"):
        yield from _columns(matter, content, known)
        yield from _persons(matter, content, known)
    if content.kind in ("grid", "features"):
        yield from _shown(matter, content, known)


def _finer(matter: Matter, content: Content, known: Sequence[Content]) -> Iterator[Finding]:
    found = terrain_rule(matter, content)
    if found is None:
        return
    rule, severity = found
    others = [one for one in known if one.kind == "grid" and terrain_rule(matter, one) == found]
    if not others:
        return
    own = content.lattice
    alone = [min(own.width, own.height), *(min(one.lattice.width, one.lattice.height) for one in others)]
    width, height = together([own, *(one.lattice for one in others)])
    before = min(together([one.lattice for one in others]))
    cell = min(width, height)
    if cell >= min(*alone, before) * (1 - SAME) or cell >= rule.limit * (1 - 1e-9):
        return
    names = tuple(one.layer for one in others)
    yield rule.finding(
        severity,
        message(
            f"격자선이 어긋난 {', '.join(names[:5])}와(과) 함께 보면 {width:g} × {height:g} m까지 되살아납니다 "
            f"(각각은 {min(alone):g} m, 한도 {rule.limit:g} m)",
            f"with {', '.join(names[:5])}, whose lines lie elsewhere, it gives pieces of {width:g} × {height:g} m "
            f"(alone {min(alone):g} m, limit {rule.limit:g} m)",
        ),
        {"effective_m": cell, "effective_width_m": width, "effective_height_m": height, "cell_m": own.width, "grids": len(others)},
        places=(place(matter.twin.description.frame, "", *own.bounds.centre),), remedies=("coarsen",), layers=names,
    )  # fmt: skip


def withheld_from(matter: Matter, content: Content) -> tuple[str, ...]:
    """The columns that must not come back: those that the twin names, and those that a remedy took away."""
    said = set(matter.rules.about(content.layer).withheld)
    for step in content.provenance.steps:
        if step.what == WITHHELD:
            said |= set(step.parameters.get("columns", ()))
    return tuple(sorted(said - set(content.units)))


def _columns(matter: Matter, content: Content, known: Sequence[Content]) -> Iterator[Finding]:
    found = matter.rules.at("linked-columns", matter.reach)
    hidden = withheld_from(matter, content)
    if found is None or not hidden:
        return
    rule, severity = found
    for other in known:
        back = [name for name in hidden if name in other.units]
        if not back:
            continue
        link = linked(content, other)
        values = other.table(back)
        filled = {
            name: np.asarray(values.column(name).is_valid().to_numpy(), bool)[link.others] for name in back
        }
        back = [name for name in back if filled[name].any()]
        if not back or not len(link):
            continue
        rows = link.rows[np.any([filled[name] for name in back], axis=0)]
        yield rule.finding(
            severity,
            message(
                f"가린 열 {', '.join(back)}이(가) {other.layer}와(과) {'id' if link.by == 'id' else '위치'}로 연결하면 "
                f"{len(rows)}행에서 되살아납니다",
                f"the withheld {', '.join(back)} comes back in {len(rows)} rows by joining {other.layer} by {link.by}",
            ),
            {"rows": len(rows), "of_rows": content.count, "columns": back, "by": link.by},
            places=ids_at(content.table(()), rows), remedies=("aggregate",), layers=(other.layer,),
        )  # fmt: skip


def _persons(matter: Matter, content: Content, known: Sequence[Content]) -> Iterator[Finding]:
    found = matter.rules.at("linked-persons", matter.reach)
    quasi = persons_in(matter.rules, content).quasi
    rule_k = matter.rules.rules.get("person-k")
    if found is None or not quasi or rule_k is None:
        return
    rule, severity = found
    k = int(rule.limit)
    table = content.table(quasi)
    alone = classes(table, quasi)
    for other in known:
        words = {
            *matter.rules.about(other.layer).quasi_identifiers,
            *matter.rules.about(content.layer).quasi_identifiers,
        }
        more = [
            name for name in other.units
            if name not in content.units and (name in words or name.casefold() in rule_k.words("columns"))
        ]  # fmt: skip
        if not more or origin(other.layer) == origin(content.layer):
            continue
        link = linked(content, other)
        if not len(link):
            continue
        rows = pa.array(link.rows)
        joined = table.select(list(quasi)).take(rows)
        for name, column in zip(
            more, other.table(more).select(more).take(pa.array(link.others)).columns, strict=True
        ):
            joined = joined.append_column(f"joined/{name}", column)
        after = classes(joined, joined.column_names)
        fewer = np.flatnonzero((after.size[after.of] < k) & (alone.size[alone.of[link.rows]] >= k))
        if len(fewer):
            yield rule.finding(
                severity,
                message(
                    f"{other.layer}의 {', '.join(more)}을(를) 연결하면 {len(fewer)}명이 {k}명보다 적은 무리에 남습니다",
                    f"joined with {', '.join(more)} of {other.layer}, {len(fewer)} persons are in classes of fewer than {k}",
                ),
                {"k": after.smallest, "k_alone": alone.smallest, "rows": len(fewer), "columns": more, "by": link.by},
                places=ids_at(table, link.rows[fewer]), remedies=("aggregate", "withhold"), layers=(other.layer,),
            )  # fmt: skip


def _shown(matter: Matter, content: Content, known: Sequence[Content]) -> Iterator[Finding]:
    """A site where the asset shows nothing any more, and another layer still does."""
    found = matter.rules.at("linked-objects", matter.reach)
    if found is None:
        return
    rule, severity = found
    for site, shape in sites_of(matter):
        if content.kind == "grid":
            if content.known_in(shape)[0]:
                continue  # the rule of sites has said so already
        elif within(content, shape):
            continue
        for other in known:
            if _same_place(matter, other.layer):
                continue
            count, places = _seen(matter, other, site, shape)
            if count:
                yield rule.finding(
                    severity,
                    message(
                        f"제한 구역 “{site.title['ko']}”은(는) 여기서 가려져 있으나 {other.layer}에 {count}개가 그대로 보입니다",
                        f"“{site.title['en']}” is masked here, and {other.layer} still shows {count} objects or cells in it",
                    ),
                    {"objects": count, "site": site.id}, places=places, layers=(other.layer,),
                )  # fmt: skip


def _seen(matter: Matter, other: Content, site: Site, shape: Any) -> tuple[int, list[Place]]:
    """How much of a site another layer shows, and where: its objects, or its cells of terrain or imagery."""
    frame = matter.twin.description.frame
    if other.kind == "features":
        met = within(other, shape)
        return len(met), [place(frame, id, *inside(one), site=site.id) for id, one in met[:MOST_PLACES]]
    if other.kind == "grid" and terrain_rule(matter, other) is not None:
        count, first = other.known_in(shape)
        return count, [] if first is None else [place(frame, "", *first, site=site.id)]
    return 0, []


def _same_place(matter: Matter, layer: str) -> bool:
    """Whether this layer only says where the sites are."""
    return any(site.layer == layer for site in matter.rules.sites)
