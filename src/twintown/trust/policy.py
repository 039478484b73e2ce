"""The one pure decision: who may do what with which resource, and under which conditions.

`decide` touches nothing: no clock, no file, no network. A shell asks it once a request and hands the
:class:`Grant` on; every reader of a twin asks for that Grant and applies its conditions inside the query.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from twintown.ground.bounds import Bounds
from twintown.ground.errors import Denied, Unauthenticated
from twintown.trust.grades import Grade
from twintown.trust.identity import Subject

Action = Literal["read", "run", "plan", "approve", "write"]
ACTIONS: tuple[Action, ...] = ("read", "run", "plan", "approve", "write")
Whom = Literal["anyone", "people"]


@dataclass(frozen=True, slots=True)
class Access:
    """Whom a twin lets do what beyond reading (`[access]` of its description).

    Attributes:
        plan: who makes and edits scenarios and comments on them.
        run: who has things computed.
    """

    plan: Whom = "people"
    run: Whom = "anyone"


@dataclass(frozen=True, slots=True)
class Resource:
    """What is asked for.

    Attributes:
        twin: the twin's id.
        layer: the layer's id, or "" for the twin as a whole (its catalogue, its search, its pages).
        grade: the layer's grade where the caller of `decide` knows it. Without it the decision is made
            for the twin and `Grant.grade` says up to which grade the readers may go.
        access: whom the twin lets do what.
    """

    twin: str
    layer: str = ""
    grade: Grade | None = None
    access: Access = Access()


@dataclass(frozen=True, slots=True)
class Grant:
    """The answer to one question, carried by the request to every reader that it reaches.

    Attributes:
        allowed: False makes every reader raise.
        reason: one sentence, safe to show to the caller.
        grade: the highest grade that may be read under this Grant.
        filter: CQL2 text that readers add to their query; "" filters nothing.
        columns: the only columns that may leave, or None for all.
        area: the only area that may leave, in the twin's plane frame (metres), or None for all.
        finest_m: the finest resolution that may leave, in metres; 0 does not limit it.
        expires: when the Grant ends, or None when it lives as long as its request.
    """

    subject: Subject
    action: Action
    resource: Resource
    allowed: bool
    reason: str
    grade: Grade = Grade.O
    filter: str = ""
    columns: tuple[str, ...] | None = None
    area: Bounds | None = None
    finest_m: float = 0.0
    expires: datetime | None = None

    def covers(self, grade: Grade) -> bool:
        """True when a layer of this grade may be shown under this Grant."""
        return self.allowed and grade.within(self.grade)

    def require(self, grade: Grade = Grade.O, what: str = "") -> None:
        """Go on, or stop with the reason.

        Raises:
            Unauthenticated: when nobody in particular asks for more than what is open.
            Denied: when a known subject may not.
        """
        if self.covers(grade):
            return
        where = what or self.resource.layer or self.resource.twin
        reason = (
            self.reason if not self.allowed else f"grade {grade.value} is above what this caller may read"
        )
        if self.subject.kind == "anyone":
            raise Unauthenticated(
                reason,
                where=where,
                remedy="send the owner's token, or one of your own, as 'Authorization: Bearer …'",
            )
        raise Denied(reason, where=where, remedy="ask the twin's owner")


def decide(subject: Subject, action: Action, resource: Resource) -> Grant:
    """Who may do what: the owner everything; people of the twin plan, approvers approve; anyone reads what is graded O.

    Whether anyone may plan and run too the twin says (`Resource.access`). Everything that no sentence here allows is denied.
    """
    if subject.kind == "owner" and subject.twin in ("", resource.twin) and action in ACTIONS:
        return Grant(
            subject, action, resource, True, "the owner may do everything with the twin", grade=Grade.C
        )
    person = subject.kind == "person" and subject.twin == resource.twin
    access = resource.access
    allowed = {
        "read": True,
        "run": person or access.run == "anyone",
        "plan": person or access.plan == "anyone",
        "approve": person and subject.role == "approver",
    }.get(action, False)
    if not allowed:
        whom = "you" if subject.kind != "anyone" else "anyone"
        return Grant(subject, action, resource, False, f"no rule allows {whom} to {action} here")
    grade = resource.grade or Grade.O  # a whole twin is entered as anyone; Grant.grade bounds what is seen
    if grade is not Grade.O:
        whom = f"the {subject.role} {subject.name}" if person else "anyone"
        return Grant(subject, action, resource, False, f"grade {grade.value} is not open to {whom}")
    reason = "what is graded O is open to anyone" if action in ("read", "run") else f"may {action} here"
    return Grant(subject, action, resource, True, reason, grade=Grade.O)
