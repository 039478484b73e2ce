"""Versions of layers that somebody rests on, and that therefore stay: plans on their base, jobs on what they read and answered."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from twintown.store.schema import jobs, scenarios

#: Jobs in these states rest on versions; one that failed or was dismissed does not.
ALIVE = ("accepted", "running", "successful")


def pins(connection: Connection, twin: str) -> set[tuple[str, str]]:
    """(layer, version) that jobs and plans of a twin rest on."""
    kept: set[tuple[str, str]] = set()
    asked = select(jobs.c.request, jobs.c.results).where(jobs.c.twin == twin, jobs.c.state.in_(ALIVE))
    for request, results in connection.execute(asked):
        layers = (request or {}).get("layers") or {}
        outputs = (results or {}).get("outputs") or {}
        kept |= {(layer, _plain(one["version"])) for layer, one in layers.items()}
        kept |= {(one["layer"], _plain(one["version"])) for one in outputs.values() if "layer" in one}
    for base in connection.execute(select(scenarios.c.base).where(scenarios.c.twin == twin)).scalars():
        kept |= {(layer, _plain(version)) for layer, version in (base or {}).items()}
    return kept


def working(connection: Connection, twin: str) -> set[str]:
    """Digests of the questions that are worked on now: what is staged for them is not left by the dead."""
    query = select(jobs.c.question).where(
        jobs.c.twin == twin, jobs.c.state == "running", jobs.c.question != ""
    )
    return set(connection.execute(query).scalars())


def _plain(version: Any) -> str:
    """Without the number of its edits; a plan's base may say more than the version."""
    name = version.get("version", "") if isinstance(version, dict) else version
    return str(name).partition(".")[0]
