"""Remedies: what would clear findings of the gate. Each makes another shape from the asset; the asset itself is never changed.

mask       nothing shows within the sites           {"sites": [ids], "margin_m": 0, "how": "remove" | "blur"}
coarsen    larger cells, coordinates on a mesh      {"cell_m": 90}  or  {"mesh_m": 12.5}
aggregate  groups of at least k persons             {"k": 5, "finest_m": 100}  or  {"k": 5, "by": [columns]}
withhold   columns, rows of few, counts of few      {"columns": [names]}, {"k": 5, "l": 2}, {"counts": [names], "k": 5}
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from twintown.ground.errors import BadParameter, NotFound, NotPossible, TooLarge
from twintown.ground.grid import Grid
from twintown.ground.provenance import Step
from twintown.twin.layers import Shape

from .content import OfShape
from .findings import Finding, message, verdict
from .matter import Matter
from .release import Remedy
from .released import origin
from .remedy_aggregate import aggregate
from .remedy_coarsen import coarsen
from .remedy_mask import mask
from .remedy_withhold import withhold
from .rules_licence import Work
from .rules_personal import persons_in
from .rules_spatial import terrain_rule

Examine = Callable[[Matter], tuple[Finding, ...]]
#: Rows, or cells, of an asset that are changed at once.
MOST = 20_000_000
#: The same for remedies that are tried while somebody waits for the gate's answer; larger assets are tried when a preview is asked for.
PROMPT = 2_000_000
_DOES: Mapping[str, Callable[[Matter, Shape, Mapping[str, Any]], tuple[Shape, Mapping[str, Any]]]] = {
    "mask": mask, "coarsen": coarsen, "aggregate": aggregate, "withhold": withhold,
}  # fmt: skip
_TAKES = {
    "mask": {"sites", "margin_m", "how"}, "coarsen": {"cell_m", "mesh_m"}, "aggregate": {"k", "finest_m", "by"},
    "withhold": {"columns", "k", "l", "counts"},
}  # fmt: skip


@dataclass(frozen=True)
class Applied:
    """What a remedy made, not kept yet.

    Attributes:
        shape: what would go, with the remedy among its steps.
        findings: of the same gate, looking again.
        remedy: kind, parameters as they were used, what it clears, numbers before and after.
        before: the asset as it would leave without the remedy.
        names: what parameters can name, by its titles: `sites`, and `columns` of the asset.
    """

    shape: Shape
    findings: tuple[Finding, ...]
    remedy: Remedy
    parameters: Mapping[str, Any]
    before: Shape
    names: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)


def shape_of(matter: Matter) -> Shape:
    """The asset as it would leave. Raises NotPossible: nothing of it is there to be changed; TooLarge."""
    if matter.content is None or not matter.parts:
        raise NotPossible(
            f"{matter.asset} is no layer that could be changed", str(matter.asset), "change the terms instead"
        )
    if matter.content.count > MOST:
        raise TooLarge(
            f"{matter.content.count:,} rows or cells are more than are changed at once ({MOST:,})", str(matter.asset),
            "ask for a smaller area in the terms",
        )  # fmt: skip
    return matter.twin.read(matter.parts[0], matter.grant)


def apply(
    matter: Matter, findings: Sequence[Finding], kind: str, parameters: Mapping[str, Any],
    examine: Examine, shape: Shape | None = None,
) -> Applied:  # fmt: skip
    """Make what would go, and let the same gate look at it.

    Args:
        findings: of the matter as it is.
        examine: the gate (`gate.examine`).
        shape: the asset, where it was read already.

    Raises:
        BadParameter: a kind or a parameter that is none; nothing would be left.
        NotPossible, TooLarge: as `shape_of`.
    """
    if kind not in _DOES:
        raise BadParameter("remedy", f"{kind[:40]!r} is no remedy", remedy=f"use one of {', '.join(_DOES)}")
    if unknown := sorted(set(parameters) - _TAKES[kind]):
        raise BadParameter(
            unknown[0], f"{kind} has no such parameter", remedy=f"it takes {', '.join(sorted(_TAKES[kind]))}"
        )
    for name in ("sites", "columns", "counts", "by"):
        said = parameters.get(name, [])
        if (
            not isinstance(said, list | tuple)
            or len(said) > 1000
            or not all(isinstance(one, str) for one in said)
        ):
            raise BadParameter(name, "is no list of names", remedy="write a list of texts")
    before = shape if shape is not None else shape_of(matter)
    made, numbers = _DOES[kind](matter, before, parameters)
    used = {**parameters, **{name: numbers[name] for name in _TAKES[kind] if name in numbers}}
    step = Step(
        f"release remedy: {kind}", "twintown", {**used, "asset": str(matter.asset), "version": matter.version}
    )
    made = replace(made, provenance=made.provenance.then(step))
    after = examine(as_made(matter, made))
    left = {
        (one.rule, str(one.numbers.get("site", "")), str(one.numbers.get("column", "")))
        for one in after
        if one.severity != "notes"
    }
    clears = {
        one.rule for one in findings
        if one.severity != "notes" and kind in one.remedies
        and (one.rule, str(one.numbers.get("site", "")), str(one.numbers.get("column", ""))) not in left
    }  # fmt: skip
    names = {
        "sites": {one.id: one.title for one in matter.rules.sites},
        "columns": _columns_of(matter, before),
    }
    remedy = Remedy(kind, used, _title(kind, used, names), tuple(sorted(clears)), verdict(after), numbers)
    return Applied(made, after, remedy, used, before, names)


def as_made(matter: Matter, shape: Shape) -> Matter:
    """The matter as if a remedy's shape were the asset."""
    part = matter.parts[0]
    content = OfShape(f"{origin(part.layer)}-release-0", shape, (part.layer, part.title.ko, part.title.en))
    unit = shape.unit if isinstance(shape, Grid) else ""
    return replace(matter, content=content, work=Work.of(content.kind, unit, content.count), made=True)


def offered(matter: Matter, findings: Sequence[Finding], examine: Examine) -> tuple[Remedy, ...]:
    """The remedies that clear something, as the gate has seen by looking at what each of them would make."""
    wanted = {kind for one in findings if one.severity != "notes" for kind in one.remedies} & set(_DOES)
    if not wanted or matter.content is None or matter.content.count > PROMPT:
        return ()
    shape, found = shape_of(matter), []
    for kind, parameters in _proposals(matter, findings, wanted):
        try:
            said = apply(matter, findings, kind, parameters, examine, shape).remedy
        except (BadParameter, NotFound):  # nothing would be left by it
            continue
        if said.clears and said not in found:
            found.append(said)
    return tuple(found)


def proposed(matter: Matter, findings: Sequence[Finding], kind: str) -> dict[str, Any]:
    """The parameters that the gate would try first for a kind of remedy; none where it has no idea."""
    if matter.content is None:
        return {}
    return next((said for _, said in _proposals(matter, findings, {kind})), {})


def _proposals(
    matter: Matter, findings: Sequence[Finding], wanted: set[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    assert matter.content is not None
    content, rules = matter.content, matter.rules
    if "mask" in wanted:
        sites = sorted(
            {str(one.numbers["site"]) for one in findings if "mask" in one.remedies and "site" in one.numbers}
        )
        yield "mask", {"sites": sites, "margin_m": 0.0, "how": "remove"}
    if "coarsen" in wanted and content.kind == "grid":
        limit = [found[0].limit] if (found := terrain_rule(matter, content)) else []
        limit += [float(one.numbers["limit_m"]) for one in findings if one.rule == "export-scale"]
        yield "coarsen", {"cell_m": max(limit, default=content.lattice.width * 2)}
    elif "coarsen" in wanted:
        meshes = [float(one.numbers["limit_m"]) for one in findings if one.rule == "export-scale"]
        yield "coarsen", {"mesh_m": max(meshes, default=12.5)}
    k = max(
        (int(one.numbers["limit"]) for one in findings if one.numbers.get("unit") == "persons"), default=5
    )
    persons = persons_in(rules, content)
    if "withhold" in wanted:
        columns = sorted({name for one in findings for name in _columns(one, content.units, rules.rules)})
        if columns:
            yield "withhold", {"columns": columns}
        if persons.quasi:
            yield "withhold", {"k": k, **({"l": 2} if persons.sensitive else {})}
        if persons.counts:
            yield "withhold", {"counts": list(persons.counts), "k": k}
    if "aggregate" in wanted:
        yield "aggregate", {"k": k}


def _columns(finding: Finding, units: Mapping[str, str], rules: Mapping[str, Any]) -> list[str]:
    if "withhold" in finding.remedies and finding.rule in (
        "person-identifiers",
        "interior",
        "heights-spacing",
    ):
        return [name for name in units if name.casefold() in rules[finding.rule].words("columns")]
    return []


def _columns_of(matter: Matter, shape: Shape) -> dict[str, Mapping[str, str]]:
    said = {one["name"]: one["title"] for part in matter.parts[:1] for one in part.meta.get("columns", ())}
    return {name: said.get(name) or message(name, name) for name in OfShape("", shape).units}


def _title(
    kind: str, used: Mapping[str, Any], names: Mapping[str, Mapping[str, Mapping[str, str]]]
) -> dict[str, str]:
    def listed(group: str, ids: Sequence[str]) -> dict[str, str]:
        return {
            lang: ", ".join(names[group].get(one, {}).get(lang) or one for one in ids)
            for lang in ("ko", "en")
        }

    if kind == "mask":
        sites = listed("sites", used.get("sites", ()))
        return message(f"제한 구역 가리기: {sites['ko']}", f"mask the restricted sites: {sites['en']}")
    if kind == "coarsen":
        size = used.get("cell_m") or used.get("mesh_m")
        return message(f"성기게 하기: {size:g} m", f"make it coarse: {size:g} m")
    if kind == "aggregate":
        return message(f"묶기: {used.get('k')}명 이상", f"aggregate: groups of at least {used.get('k')}")
    few = f"k < {used.get('k')}"
    what = listed("columns", used.get("columns", ()) or used.get("counts", ()))
    return message(f"내보내지 않기: {what['ko'] or few}", f"withhold: {what['en'] or few}")
