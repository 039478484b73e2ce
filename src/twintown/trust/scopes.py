"""What the scopes of a service's token say: actions, and actions on one layer or process only (pure)."""

from __future__ import annotations

from dataclasses import replace

from twintown.trust.grant import Action, Grant
from twintown.trust.identity import Subject


def acting(subject: Subject) -> Subject:
    """The service with its scopes as the policies know them: `read:layer:buildings` lets it read, `narrowed` says what."""
    if all(":" not in scope for scope in subject.scopes):
        return subject
    return replace(subject, scopes=tuple(dict.fromkeys(scope.partition(":")[0] for scope in subject.scopes)))


def narrowed(grant: Grant) -> Grant:
    """The Grant of a service, for no more layers and processes than its scopes name."""
    subject, action = grant.subject, grant.action
    if subject.kind != "service" or action in subject.scopes:
        return grant
    layers, processes = _named(subject, action, "layer"), _named(subject, action, "process")
    if action == "run":
        return replace(grant, processes=processes)
    return replace(grant, layers=layers)


def _named(subject: Subject, action: Action, kind: str) -> tuple[str, ...]:
    start = f"{action}:{kind}:"
    return tuple(scope.removeprefix(start) for scope in subject.scopes if scope.startswith(start))
