"""What a counter-offer changes: two Terms term by term, as data that a page or a contract puts into sentences. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from twintown.exchange.odrl import moment_text
from twintown.trust.terms import Terms

Kind = Literal["narrower", "wider", "other"]
Term = Literal[
    "assets",
    "purposes",
    "area",
    "since",
    "until",
    "finest_m",
    "no_resharing",
    "delete_by",
    "attribution",
]
TERMS: tuple[Term, ...] = (
    "assets",
    "purposes",
    "area",
    "since",
    "until",
    "finest_m",
    "no_resharing",
    "delete_by",
    "attribution",
)


@dataclass(frozen=True, slots=True)
class Change:
    """One term that differs.

    Attributes:
        term: which.
        kind: `narrower` lets the assignee do less than before, `wider` more, `other` something else.
        before, after: its values as JSON (see `values`); null where the term does not limit.
        added, removed: of a list (assets, purposes) what came and went.
    """

    term: Term
    kind: Kind
    before: Any
    after: Any
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As JSON; `added` and `removed` where it is a list."""
        lists = {"added": list(self.added), "removed": list(self.removed)}
        return {"term": self.term, "kind": self.kind, "before": self.before, "after": self.after} | (
            lists if self.term in ("assets", "purposes") else {}
        )


def values(terms: Terms) -> dict[Term, Any]:
    """Each term as JSON: lists of text, a list of four degrees, moments in UTC, metres, true or false; null limits nothing."""
    return {
        "assets": [str(asset) for asset in terms.assets],
        "purposes": list(terms.purposes) or None,
        "area": list(terms.area) if terms.area is not None else None,
        "since": moment_text(terms.since) if terms.since else None,
        "until": moment_text(terms.until) if terms.until else None,
        "finest_m": terms.finest_m or None,
        "no_resharing": terms.no_resharing,
        "delete_by": moment_text(terms.delete_by) if terms.delete_by else None,
        "attribution": terms.attribution or None,
    }


def changes(before: Terms, after: Terms) -> tuple[Change, ...]:
    """The terms that differ, in the order of `TERMS`; the order within a list is no difference."""
    old, new = values(before), values(after)
    found = []
    for term in TERMS:
        one, other = old[term], new[term]
        if isinstance(one, list) and term in ("assets", "purposes"):
            one = sorted(one)
        if isinstance(other, list) and term in ("assets", "purposes"):
            other = sorted(other)
        if one == other:
            continue
        added = removed = ()
        if term in ("assets", "purposes"):
            added = tuple(x for x in other or () if x not in (one or ()))
            removed = tuple(x for x in one or () if x not in (other or ()))
        kind = _kind(term, before, after)
        found.append(Change(term, kind, old[term], new[term], added, removed))
    return tuple(found)


def _kind(term: Term, before: Terms, after: Terms) -> Kind:
    """Whether the assignee may do less or more by the new value of a term."""
    if term == "attribution":
        return "narrower" if not before.attribution else "wider" if not after.attribution else "other"
    less = _WITHIN[term]
    return "narrower" if less(after, before) else "wider" if less(before, after) else "other"


def _within(one: Terms, other: Terms) -> bool:
    if other.area is None or one.area is None:
        return other.area is None
    (west, south, east, north), whole = one.area, other.area
    return west >= whole[0] and south >= whole[1] and east <= whole[2] and north <= whole[3]


def _sooner(term: Literal["until", "delete_by"]) -> Callable[[Terms, Terms], bool]:
    def sooner(one: Terms, other: Terms) -> bool:
        mine, theirs = getattr(one, term), getattr(other, term)
        return theirs is None or (mine is not None and mine <= theirs)

    return sooner


#: For each term whether the first Terms allow no more than the second.
_WITHIN: dict[str, Callable[[Terms, Terms], bool]] = {
    "assets": lambda one, other: set(one.assets) <= set(other.assets),
    "purposes": lambda one, other: (
        not other.purposes or (bool(one.purposes) and set(one.purposes) <= set(other.purposes))
    ),
    "area": _within,
    "since": lambda one, other: other.since is None or (one.since is not None and one.since >= other.since),
    "until": _sooner("until"),
    "finest_m": lambda one, other: one.finest_m >= other.finest_m,
    "no_resharing": lambda one, other: one.no_resharing or not other.no_resharing,
    "delete_by": _sooner("delete_by"),
}


def within(one: Terms, other: Terms) -> bool:
    """Whether the first allows nothing that the second does not: a request that takes no more than what was offered."""
    attributed = not other.attribution or one.attribution == other.attribution
    return attributed and all(less(one, other) for less in _WITHIN.values())
