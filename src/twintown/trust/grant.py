"""A Grant: the answer to who may do what with which resource, and under which conditions; and how the question is put."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NoReturn

from twintown.ground.bounds import Bounds
from twintown.ground.errors import Denied, Unauthenticated
from twintown.trust.grades import Grade
from twintown.trust.identity import Subject

Action = Literal["read", "run", "plan", "approve", "write", "share", "release", "govern"]
ACTIONS: tuple[Action, ...] = ("read", "run", "plan", "approve", "write", "share", "release", "govern")
Whom = Literal["anyone", "people"]


@dataclass(frozen=True, slots=True)
class Access:
    """Whom a twin lets do what beyond reading (`[access]` of its description).

    Attributes:
        plan: who makes and edits scenarios and comments on them.
        run: who has things computed.
        share: who offers, negotiates, agrees and presses the red button.
        release: who decides at the release gate.
    """

    plan: Whom = "people"
    run: Whom = "anyone"
    share: Whom = "people"
    release: Whom = "people"


@dataclass(frozen=True, slots=True)
class Resource:
    """What is asked for.

    Attributes:
        twin: the twin's id.
        layer: the layer's id, or "" for the twin as a whole (its catalogue, its search, its pages).
        grade: the layer's grade where the caller of `decide` knows it. Without it the decision is made
            for the twin and `Grant.grade` says up to which grade the readers may go.
        access: whom the twin lets do what.
        kind, id: which process, scenario or playbook, where it is one.
    """

    twin: str
    layer: str = ""
    grade: Grade | None = None
    access: Access = Access()
    kind: Literal["", "layer", "process", "scenario", "playbook"] = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Duties:
    """What goes with what a Grant lets out.

    Attributes:
        attribution: stands beside it wherever it shows.
        delete_by: when copies are to be deleted.
        no_resharing: nothing of it goes on to others.
    """

    attribution: str = ""
    delete_by: datetime | None = None
    no_resharing: bool = False


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
        code: the reason for machines: which rule decided.
        layers: the only layers that may be read, or None for all.
        hidden: layers that a policy of the twin's own leaves out.
        processes: the only processes that may run, or None for all.
        playbooks: the only playbooks that may be had, or None for all.
        agreement: by which a peer asks, or "".
        purpose: for which the peer asks, or "".
        duties: that go with what leaves.
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
    code: str = ""
    layers: tuple[str, ...] | None = None
    hidden: tuple[str, ...] = ()
    processes: tuple[str, ...] | None = None
    playbooks: tuple[str, ...] | None = None
    agreement: str = ""
    purpose: str = ""
    duties: Duties = Duties()

    def covers(self, grade: Grade, layer: str = "") -> bool:
        """True when a layer of this grade may be shown under this Grant."""
        return self.allowed and grade.within(self.grade) and self.names(layer)

    def names(self, layer: str) -> bool:
        """True when the layer is one of those that this Grant is about, whether it exists or not."""
        return layer not in self.hidden and (self.layers is None or layer in self.layers)

    def may_run(self, process: str) -> bool:
        """True when the process is one of those that this Grant is about, whether it exists or not."""
        return self.processes is None or process in self.processes

    @property
    def narrows(self) -> bool:
        """True when less than the whole of a layer leaves."""
        return bool(self.filter or self.finest_m) or self.columns is not None or self.area is not None

    def require(self, grade: Grade = Grade.O, what: str = "") -> None:
        """Go on, or stop with the reason.

        Args:
            what: the layer, or what is made of one; "" asks for the resource of the Grant.

        Raises:
            Unauthenticated: when nobody in particular asks for more than what is open.
            Denied: when a known subject may not.
        """
        named = not what or self.names(what)
        if self.allowed and named and grade.within(self.grade):
            return
        where = what or self.resource.layer or self.resource.twin
        if not self.allowed:
            self.refuse(self.reason, self.code, where)
        if not named and self.subject.kind == "service":
            self.refuse("the token is not for this", "scope", where)
        if not named:
            inside = self.layers is None
            self.refuse(
                "a rule of this twin keeps it" if inside else "this is not part of the agreement",
                "no-rule" if inside else "not-in-agreement", where,
            )  # fmt: skip
        self.refuse(f"grade {grade.value} is above what this caller may read", "grade", where)

    def refuse(self, reason: str, code: str, where: str = "") -> NoReturn:
        """Stop here. Raises Unauthenticated, Denied: see `require`."""
        where = where or self.resource.twin
        if self.subject.kind == "anyone":
            raise Unauthenticated(
                reason,
                where=where,
                remedy="send the owner's token, or one of your own, as 'Authorization: Bearer …'",
                code=code,
            )
        whom = (
            "ask the city that gave you the agreement"
            if self.subject.kind == "peer"
            else "ask the twin's owner"
        )
        raise Denied(reason, where=where, remedy=whom, code=code)
