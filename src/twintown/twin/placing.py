"""Before a twin writes: whether its stores may hold what has this grade (`trust.cloud`)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from twintown.trust.cloud import DATABASE, FILES, address_of, check_lie
from twintown.trust.grades import Grade

from .description import Description

if TYPE_CHECKING:
    from .layers import Twin


def check_process(twin: Twin, cluster: str, layers: Mapping[str, Mapping[str, object]] | None = None) -> None:
    """Before a job goes to a cluster: it may process what the job reads.

    Args:
        layers: what is read, each with its `grade`; without them all that the twin holds.

    Raises:
        Denied: it may not.
    """
    if layers is None:
        grades = [Grade.of(row.grade) for row in twin.tables.layers().values()]
    else:
        grades = [Grade.of(one["grade"]) for one in layers.values()]
    grade = max(grades, key=lambda one: one.rank, default=Grade.O)
    check_lie(
        twin.description.cloud, address_of(cluster), grade, f"a job on what is graded up to {grade.value}"
    )


def stores(directory: Path, database: str, blobs: str) -> tuple[str, str]:
    """What `[cloud]` calls the stores of a twin's bytes and rows; `database` and `blobs` as `Twin.open` takes them."""
    return _store(blobs, FILES, directory), _store(database, DATABASE, directory)


def highest(description: Description) -> Grade:
    """The highest grade that a description gives to anything."""
    named = [source.grade for source in description.sources]
    named += [layer.grade for layer in description.layers.values() if layer.grade is not None]
    return max(named, key=lambda grade: grade.rank, default=Grade.O)


def check_open(directory: Path, description: Description, database: str, blobs: str) -> None:
    """Before anything is made: the stores may hold what the description speaks of. Raises Denied."""
    grade = highest(description)
    for store in stores(directory, database, blobs):
        check_lie(description.cloud, store, grade, f"{description.id}: what is graded {grade.value}")


def check_stage(twin: Twin, layer: str, grade: Grade) -> None:
    """Before a version of a layer is written, its bytes and the rows that tell of it and of its edits. Raises Denied."""
    database, blobs = twin.addresses
    for store in stores(twin.directory, database, blobs):
        check_lie(twin.description.cloud, store, grade, f"{layer}, graded {grade.value}")


def _store(url: str, here: str, directory: Path) -> str:
    if not url or url in (str(directory), f"sqlite:///{directory / 'state.db'}"):
        return here
    return address_of(url)
