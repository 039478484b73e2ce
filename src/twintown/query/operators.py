"""The operators of CQL2 (OGC 21-065r2, clauses 6 and 7), and how parts of an expression are named in messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

COMPARISONS = ("=", "<>", "<", ">", "<=", ">=")
SPATIAL = tuple(
    f"s_{name}" for name in "contains crosses disjoint equals intersects overlaps touches within".split()
)
TEMPORAL = tuple(
    f"t_{name}"
    for name in "after before contains disjoint during equals finishedBy finishes intersects meets metBy "
    "overlappedBy overlaps startedBy starts".split()
)
ARRAYS = tuple(f"a_{name}" for name in "containedBy contains equals overlaps".split())
ARITHMETIC = ("+", "-", "*", "/", "%", "div", "^")
#: What may be asked of instants too; the others are relations between intervals (OGC 21-065r2, table 12).
ALSO_INSTANTS = ("T_AFTER", "T_BEFORE", "T_DISJOINT", "T_EQUALS", "T_INTERSECTS")
#: How many operands an operator has; AND and OR have two or more.
OPERANDS: Mapping[str, int] = {
    "not": 1, "like": 2, "between": 3, "in": 2, "isNull": 1, "casei": 1, "accenti": 1,
    **dict.fromkeys((*COMPARISONS, *SPATIAL, *TEMPORAL, *ARRAYS, *ARITHMETIC), 2),
}  # fmt: skip


def said(node: Any) -> str:
    """A node in a few words, for messages."""
    if isinstance(node, dict) and isinstance(node.get("property"), str):
        return str(node["property"])[:80]
    if isinstance(node, dict) and isinstance(node.get("op"), str):
        return f"{node['op'][:40]}(…)"
    if isinstance(node, dict):
        first = str(node.get("type", next(iter(node), "nothing")))
        return f"the {first[:40]}"
    return "a list" if isinstance(node, list) else repr(node)[:80]


def is_property(node: Any) -> bool:
    """Whether a node names a property."""
    return isinstance(node, dict) and "property" in node
