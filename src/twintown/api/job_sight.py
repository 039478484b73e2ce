"""Which jobs are whose to see and to end."""

from __future__ import annotations

from twintown.jobs.job import Job
from twintown.trust.identity import Subject


def sees(subject: Subject, job: Job) -> bool:
    """Whether a job is theirs to see and to end."""
    said = job.subject
    if subject.kind == "peer":  # nothing but its own, whoever else may be seen by anyone
        return said.get("kind") == "peer" and said.get("agreement") == subject.agreement
    if subject.kind == "owner" or said.get("kind") == "anyone":
        return True
    return subject.kind == said.get("kind") and subject.name == said.get("name")


def whose(subject: Subject) -> list[dict[str, str] | None]:
    """The subjects whose jobs somebody sees in the list, as `Queue.list` asks for them; None for everybody's."""
    if subject.kind == "owner":
        return [None]
    if subject.kind == "peer":
        return [{"kind": "peer", "agreement": subject.agreement}]
    known: list[dict[str, str] | None] = [{"kind": "anyone"}]
    if subject.kind in ("person", "service"):
        known.append({"kind": subject.kind, "name": subject.name})
    return known
