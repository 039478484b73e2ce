"""The one pure decision: who may do what with which resource, and under which conditions.

`decide` touches nothing: no clock, no file, no network. A shell asks it once a request and hands the
:class:`Grant` on; every reader of a twin asks for that Grant and applies its conditions inside the query.
"""

from __future__ import annotations

from datetime import datetime

from twintown.trust.grades import Grade
from twintown.trust.grant import ACTIONS as ACTIONS
from twintown.trust.grant import Access as Access
from twintown.trust.grant import Action as Action
from twintown.trust.grant import Duties as Duties
from twintown.trust.grant import Grant as Grant
from twintown.trust.grant import Resource as Resource
from twintown.trust.grant import Whom as Whom
from twintown.trust.identity import Subject
from twintown.trust.terms import Standing


def decide(
    subject: Subject,
    action: Action,
    resource: Resource,
    *,
    now: datetime | None = None,
    standing: Standing | None = None,
    purpose: str = "",
) -> Grant:
    """Who may do what: the owner everything, people what their roles say, a peer what its agreement says, anyone what is open.

    Whether anyone may plan, run, share and release too the twin says (`Resource.access`). Everything that no sentence allows is denied.

    Args:
        now: the time, with its zone; without it nothing that ends is in force.
        standing: the agreement by which a peer asks, as it stands now.
        purpose: what the peer says it asks for.
    """
    if subject.kind == "owner" and subject.twin in ("", resource.twin) and action in ACTIONS:
        return Grant(
            subject,
            action,
            resource,
            True,
            "the owner may do everything with the twin",
            grade=Grade.C,
            code="owner",
        )
    if subject.kind == "peer":
        return _peer(subject, action, resource, now, standing, purpose)
    if subject.kind == "service":
        return _service(subject, action, resource)
    person = subject.kind == "person" and subject.twin == resource.twin
    roles = set(subject.roles) if person else set()
    access = resource.access
    allowed = {
        "read": True,
        "run": bool(roles) or access.run == "anyone",
        "plan": bool(roles & {"planner", "approver"}) or access.plan == "anyone",
        "approve": "approver" in roles,
        "write": "engineer" in roles,
        "share": "partner" in roles or access.share == "anyone",
        "release": "security" in roles or access.release == "anyone",
    }.get(action, False)
    if not allowed:
        whom = "you" if subject.kind != "anyone" else "anyone"
        return Grant(
            subject, action, resource, False, f"no rule allows {whom} to {action} here", code="no-rule"
        )
    clear = Grade.C if "security" in roles else Grade.S if "engineer" in roles else Grade.O
    grade = resource.grade or Grade.O  # a whole twin is entered as anyone; Grant.grade bounds what is seen
    if not grade.within(clear):
        whom = f"the {subject.role} {subject.name}" if person else "anyone"
        return Grant(
            subject, action, resource, False, f"grade {grade.value} is not open to {whom}", code="grade"
        )
    reason = "what is graded O is open to anyone" if action in ("read", "run") else f"may {action} here"
    return Grant(subject, action, resource, True, reason, grade=clear, code="open" if not roles else "role")


def _service(subject: Subject, action: Action, resource: Resource) -> Grant:
    if subject.twin != resource.twin or action not in subject.scopes or action not in ACTIONS:
        return Grant(subject, action, resource, False, f"the token is not for: {action}", code="scope")
    clear = Grade.S if "sensitive" in subject.scopes else Grade.O
    if not (resource.grade or Grade.O).within(clear):
        return Grant(subject, action, resource, False, "the token does not reach this grade", code="grade")
    return Grant(subject, action, resource, True, f"the token is for: {action}", grade=clear, code="scope")


def _peer(
    subject: Subject,
    action: Action,
    resource: Resource,
    now: datetime | None,
    standing: Standing | None,
    purpose: str,
) -> Grant:
    def no(code: str, reason: str) -> Grant:
        return Grant(subject, action, resource, False, reason, code=code, agreement=subject.agreement)

    if standing is None or standing.id != subject.agreement or standing.assignee != subject.name:
        return no("no-agreement", "there is no agreement by which this may be asked")
    terms = standing.terms
    if standing.state != "active":
        return no(f"agreement-{standing.state}", f"the agreement is {standing.state}")
    if now is None or (terms.until is not None and now >= terms.until):
        return no("expired", "the agreement has ended by its date")
    if terms.since is not None and now < terms.since:
        return no("not-yet", "the agreement does not hold yet")
    if not purpose and len(terms.purposes) == 1:
        purpose = terms.purposes[0]
    if terms.purposes and purpose not in terms.purposes:
        return no("purpose", "the agreement is for other purposes; say which of them this is for")
    if action not in ("read", "run"):
        return no("not-in-agreement", f"no agreement lets a partner {action} here")
    layers = tuple(one.id for one in terms.assets if one.kind == "layer")
    processes = tuple(one.id for one in terms.assets if one.kind == "process")
    if resource.layer and resource.layer not in layers:
        return no("not-in-agreement", "this is not part of the agreement")
    if resource.kind == "process" and resource.id not in processes:
        return no("not-in-agreement", "this is not part of the agreement")
    if resource.grade is not None and not resource.grade.within(standing.grade):
        return no("grade", f"grade {resource.grade.value} is above what was released to this partner")
    if terms.area is not None and standing.plane is None:
        return no("outside-area", "nothing of this twin lies in the area of the agreement")
    return Grant(
        subject, action, resource, True, "the agreement allows it", grade=standing.grade, area=standing.plane,
        finest_m=terms.finest_m, expires=terms.until, code="agreement", layers=layers, processes=processes,
        agreement=standing.id, purpose=purpose, duties=Duties(terms.attribution, terms.delete_by, terms.no_resharing),
    )  # fmt: skip
