"""The one pure decision: who may do what with which resource, and under which conditions.

`decide` touches nothing: no clock, no file, no network. A shell asks it once a request and hands the
:class:`Grant` on; every reader of a twin asks for that Grant and applies its conditions inside the query.
What is allowed stands in `policies/house.cedar`, and in the twin's own policies (`trust.rules`).
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from twintown.trust.grades import Grade
from twintown.trust.grant import ACTIONS as ACTIONS
from twintown.trust.grant import Access as Access
from twintown.trust.grant import Action as Action
from twintown.trust.grant import Duties as Duties
from twintown.trust.grant import Grant as Grant
from twintown.trust.grant import Resource as Resource
from twintown.trust.grant import Whom as Whom
from twintown.trust.identity import Subject
from twintown.trust.rules import Rules, house
from twintown.trust.scopes import acting, narrowed
from twintown.trust.terms import Standing

_TYPES = {"anyone": "Anyone", "owner": "Owner", "person": "Person", "service": "Service", "peer": "Peer"}
_ATTRIBUTES = {
    "Anyone": (),
    "Owner": ("here",),
    "Person": ("here", "name", "roles", "scopes"),
    "Service": ("here", "name", "scopes"),
    "Peer": ("name", "agreement"),
}
_GRADES = tuple(Grade)
#: Deny, or the highest grade that is allowed, with the code and the reason; and the layers that are left out.
_Answer = tuple[Grade | None, str, str, tuple[str, ...]]


def decide(
    subject: Subject,
    action: Action,
    resource: Resource,
    *,
    now: datetime | None = None,
    standing: Standing | None = None,
    purpose: str = "",
    rules: Rules | None = None,
) -> Grant:
    """Who may do what: the owner everything, people what their roles say, a peer what its agreement says, anyone what is open.

    Whether anyone may plan, run, share and release too the twin says (`Resource.access`). Everything that no policy permits is denied.

    Args:
        now: the time, with its zone; a peer is denied without it.
        standing: the agreement by which a peer asks, as it stands now.
        purpose: what the peer says it asks for; where only one is agreed, that one goes without saying.
        rules: of the twin; by default those of the house alone.
    """
    if action not in ACTIONS:
        return Grant(subject, action, resource, False, f"no rule allows you to {action} here", code="no-rule")
    if subject.kind != "peer":
        standing, purpose = None, ""
    elif standing is not None and not purpose and len(standing.terms.purposes) == 1:
        purpose = standing.terms.purposes[0]
    return _granted(rules or house(), subject, action, resource, standing, purpose, _when(now, standing))


@lru_cache(4096)
def _granted(
    rules: Rules, subject: Subject, action: Action, resource: Resource, standing: Standing | None, purpose: str, when: int
) -> Grant:  # fmt: skip
    grade, code, reason, hidden = _answer(rules, acting(subject), action, resource, standing, purpose, when)
    if grade is None:
        return Grant(
            subject, action, resource, False, reason, code=code, agreement=subject.agreement, purpose=purpose
        )
    grant = Grant(subject, action, resource, True, reason, grade=grade, code=code, hidden=hidden)
    if subject.kind != "peer" or standing is None:
        return narrowed(grant)
    terms = standing.terms
    return replace(
        grant, area=standing.plane, finest_m=terms.finest_m, expires=terms.until, layers=terms.layers,
        processes=terms.of("process"), playbooks=terms.of("playbook"), agreement=standing.id, purpose=purpose,
        duties=Duties(terms.attribution, terms.delete_by, terms.no_resharing),
    )  # fmt: skip


def _when(now: datetime | None, standing: Standing | None) -> int:
    """A moment in which the policies answer as they do now: they only compare it with the two of the agreement, so that an
    answer can be remembered as long as neither is passed."""
    since, until = (None, None) if standing is None else (standing.terms.since, standing.terms.until)
    if now is None:
        return _LAST  # nothing that ends is in force without a clock
    if until is not None and now >= until:
        return _millis(until)
    if since is not None and now < since:
        return _millis(since) - 1
    return _millis(since) if since is not None else 0 if until is None else _millis(until) - 1


_LAST = 2**62


def _millis(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _answer(
    rules: Rules,
    subject: Subject,
    action: Action,
    resource: Resource,
    standing: Standing | None,
    purpose: str,
    when: int,
) -> _Answer:
    from cedarpy import Entities, is_authorized_batch

    if subject.kind == "peer" and when == _LAST:
        return None, "expired", "nothing says what time it is", ()
    kind = _TYPES[subject.kind]
    who, what = _principal(kind, subject, resource), _thing(resource)
    others = rules.layers if what["uid"]["type"] == "Twin" else ()
    named = [
        {**what, "uid": {"type": "Layer", "id": one}, "attrs": {**what["attrs"], "name": one}}
        for one in others
    ]
    entities = Entities.from_json_str(json.dumps([who, what, *named]))
    most = (
        Grade.C if standing is None else standing.grade
    )  # what is above it the policies deny: no need to ask
    grades = (
        tuple(one for one in _GRADES if one.within(most)) if resource.grade is None else (resource.grade,)
    )
    said: dict[str, Any] = {"action": action, "now": when, "purpose": purpose}
    if standing is not None:
        said["agreement"] = _agreement(standing)

    def asked(thing: dict[str, Any], grade: Grade) -> dict[str, Any]:
        return {
            "principal": who["uid"], "action": {"type": "Action", "id": action}, "resource": thing["uid"],
            "context": {**said, "grade": grade.rank},
        }  # fmt: skip

    requests = [asked(what, grade) for grade in grades] + [asked(one, Grade.O) for one in named]
    answers = is_authorized_batch(requests, rules.sets[kind], entities)
    allowed = [
        grade
        for grade, one in zip(grades, answers, strict=False)
        if one.allowed and not one.diagnostics.errors
    ]
    hidden = tuple(
        name
        for name, one in zip(others, answers[len(grades) :], strict=True)
        if not one.allowed or one.diagnostics.errors
    )
    first = answers[grades.index(allowed[-1]) if allowed else 0].diagnostics
    notes = sorted(rules.said[kind][key] for key in first.reasons)
    if not allowed and (first.errors or not notes):
        whom = "anyone" if subject.kind == "anyone" else "you"
        return None, "no-rule", f"no rule allows {whom} to {action} here", ()
    _, code, reason = notes[0]
    reason = (
        reason.replace("{action}", action).replace("{grade}", grades[0].value)
        or f"the rule {code!r} of this twin"
    )
    return (allowed[-1] if allowed else None), code, reason, hidden


def _principal(kind: str, subject: Subject, resource: Resource) -> dict[str, Any]:
    said: dict[str, Any] = {
        "here": subject.twin == resource.twin or (kind == "Owner" and not subject.twin), "name": subject.name,
        "roles": list(subject.roles), "scopes": list(subject.scopes), "agreement": subject.agreement,
    }  # fmt: skip
    attributes = {name: said[name] for name in _ATTRIBUTES[kind]}
    return {"uid": {"type": kind, "id": subject.name or subject.kind}, "attrs": attributes, "parents": []}


def _thing(resource: Resource) -> dict[str, Any]:
    kind, id = ("Layer", resource.layer) if resource.layer else (resource.kind.title() or "Twin", resource.id)
    access = resource.access
    opened = [name for name in ("plan", "run", "share", "release") if getattr(access, name) == "anyone"]
    name = id or resource.twin
    return {"uid": {"type": kind, "id": name}, "attrs": {"name": name, "open": opened}, "parents": []}


def _agreement(standing: Standing) -> dict[str, Any]:
    terms = standing.terms
    said: dict[str, Any] = {
        "id": standing.id, "assignee": standing.assignee, "state": standing.state, "grade": standing.grade.rank,
        "layers": list(terms.layers), "processes": list(terms.of("process")), "playbooks": list(terms.of("playbook")),
        "purposes": list(terms.purposes), "nowhere": terms.area is not None and standing.plane is None,
    }  # fmt: skip
    for name in ("since", "until"):
        if (moment := getattr(terms, name)) is not None:
            said[name] = _millis(moment)
    return said
