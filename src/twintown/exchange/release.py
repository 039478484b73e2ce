"""A question to the release gate and its answer: may this asset go to this audience under these terms?

    waiting  ──a person allows──▶ granted        allowed: nothing stands against it, no person is needed
       └─────a person refuses───▶ denied         refused: cannot go out so; change the terms or apply a remedy, and ask again

Pure: what is found is in `findings`, the checks in `rules_*`, the shell in `gate`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from twintown.ground.errors import BadInput
from twintown.ground.provenance import digest_of
from twintown.trust.terms import Asset, Terms, terms_to_json

from .findings import Finding, Verdict, verdict

#: To the public, and to every peer of the twin; any other audience is the DID of one peer.
ANYONE, PEERS = "anyone", "peers"
State = Literal["allowed", "waiting", "refused", "granted", "denied"]
_FIRST: Mapping[Verdict, State] = {"allowed": "allowed", "needs-decision": "waiting", "refused": "refused"}


def audience_of(text: str) -> str:
    """`anyone`, `peers` (also ""), or a DID. Raises BadInput."""
    if text in ("", PEERS):
        return PEERS
    if text == ANYONE or (text.startswith("did:") and len(text) <= 512):
        return text
    raise BadInput(
        f"{text[:80]!r} is no audience", "audience", f"write {ANYONE}, {PEERS} or the DID of a peer"
    )


@dataclass(frozen=True)
class Remedy:
    """A change that would clear findings: what is done, with which parameters, and which rules it clears.

    Attributes:
        kind: `mask`, `coarsen`, `aggregate`, `withhold`.
        parameters: JSON; what the kind takes.
        title: for people, `ko` and `en`.
        clears: rules whose findings are gone after it, as the gate has seen by looking again.
        leaves: the verdict of the gate on the result.
        numbers: before and after.
    """

    kind: str
    parameters: Mapping[str, Any]
    title: Mapping[str, str]
    clears: tuple[str, ...] = ()
    leaves: Verdict = "needs-decision"
    numbers: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "kind": self.kind, "parameters": dict(self.parameters), "title": dict(self.title),
            "clears": list(self.clears), "leaves": self.leaves, "numbers": dict(self.numbers),
        }  # fmt: skip

    @classmethod
    def from_dict(cls, said: Mapping[str, Any]) -> Remedy:
        """The inverse of `to_dict`."""
        return cls(**{**said, "clears": tuple(said["clears"])})


@dataclass(frozen=True)
class Release:
    """What the gate answered, and what a person decided.

    Attributes:
        id: of the question; "" where it was only looked at and not kept.
        asset: what shall go.
        version: of the layer that was looked at ("" for what has none): another version is another question.
        audience: `anyone`, `peers` or a DID.
        terms: under which.
        findings, remedies: what was found, and what would clear it.
        state: see the module.
        author: who asked, as `Subject.author` says it.
        decision: `by`, `at`, `allow`, `why`, `grade`; none as long as nobody has decided.
        result: the layer that goes, where it is not the asset itself.
    """

    id: str
    asset: Asset
    version: str
    audience: str
    terms: Terms
    findings: tuple[Finding, ...]
    author: Mapping[str, Any]
    created: datetime
    updated: datetime
    remedies: tuple[Remedy, ...] = ()
    state: State = "waiting"
    decision: Mapping[str, Any] | None = None
    result: str = ""

    @property
    def verdict(self) -> Verdict:
        """What holds now: `allowed` by the gate or by a person, `needs-decision`, or `refused`."""
        if self.state in ("allowed", "granted"):
            return "allowed"
        return "needs-decision" if self.state == "waiting" else "refused"

    @property
    def goes(self) -> Asset:
        """What goes out when it is allowed: the asset, or the layer that a remedy or the decision made of it."""
        return Asset("layer", self.result) if self.result else self.asset

    @property
    def mark(self) -> str:
        """The digest of the question and of what was found: the same mark is the same matter, decided once."""
        return digest_of(
            {
                "asset": str(self.asset),
                "version": self.version,
                "audience": self.audience,
                "terms": terms_to_json(self.terms),
                "findings": [one.to_dict() for one in self.findings],
            }
        )

    @property
    def reason(self) -> Mapping[str, str]:
        """The heaviest finding's words, for whoever is told no; empty where nothing was found."""
        return self.findings[0].message if self.findings else {}

    def to_dict(self) -> dict[str, Any]:
        """As JSON, for people and programs."""
        return {
            "id": self.id, "asset": str(self.asset), "version": self.version, "audience": self.audience,
            "terms": terms_to_json(self.terms), "verdict": self.verdict, "state": self.state,
            "findings": [one.to_dict() for one in self.findings], "remedies": [one.to_dict() for one in self.remedies],
            "decision": dict(self.decision) if self.decision else None, "result": self.result, "author": dict(self.author),
            "created": self.created.isoformat(), "updated": self.updated.isoformat(),
        }  # fmt: skip


def state_of(findings: tuple[Finding, ...]) -> State:
    """The state that a question begins in."""
    return _FIRST[verdict(findings)]
