"""What of a twin lies where, how it is graded, and why it may lie there or may not: `twintown policy audit`.

Nothing is taken on trust from a name: each row of the database, each folder of bytes and each store is looked at, and bytes that no row
speaks of count as classified, because nobody says that they are not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from twintown.store.engine import reading
from twintown.store.schema import feature_edits, jobs, layer_versions, products
from twintown.store.tables import RESULT
from twintown.trust.cloud import FILES, Verdict, address_of, may_lie
from twintown.trust.grades import Grade

from .layers import Twin
from .placing import stores


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that lies somewhere.

    Attributes:
        kind: layer, result, product, index, journal, report, database, processing, stray.
        name: of it, with its version where it has one.
        state: ready, current or retired, where it has one.
        store, path: where its bytes are.
    """

    kind: str
    name: str
    state: str
    grade: Grade
    store: str
    path: str
    verdict: Verdict

    def to_dict(self) -> dict[str, Any]:
        """For programs."""
        place = self.verdict.place
        return {
            "kind": self.kind, "name": self.name, "state": self.state, "grade": self.grade.value, "store": self.store,
            "path": self.path, "place": place.id if place else "", "country": place.country if place else "",
            "zone": place.zone if place else "", "allowed": self.verdict.allowed, "code": self.verdict.code, "why": self.verdict.why,
        }  # fmt: skip


def audit(twin: Twin, cluster: str = "") -> tuple[Entry, ...]:
    """Everything that a twin keeps.

    Args:
        cluster: address of a cluster that large questions are computed on, "" where there is none.

    Raises:
        StorageFailed: a store is away.
    """
    database, blobs = twin.addresses
    files, rows = stores(twin.directory, database, blobs)
    cloud = twin.description.cloud

    def entry(kind: str, name: str, grade: Grade, store: str, path: str = "", state: str = "") -> Entry:
        return Entry(kind, name, state, grade, store, path, _strict(may_lie(cloud, store, grade), grade))

    found = list(_layers(twin, entry, files))
    found += _products(twin, entry, files)
    found += _journals(twin, entry, rows)
    found += _indexes(twin, entry)
    top = max((one.grade for one in found), key=lambda grade: grade.rank, default=Grade.O)
    found += _reports(twin, entry, files, top)
    found += _strays(twin, entry, files)
    found.append(entry("database", twin.description.id, top, rows))
    if cluster:
        found.append(entry("processing", twin.description.id, top, address_of(cluster)))
    return tuple(found)


def _strict(verdict: Verdict, grade: Grade) -> Verdict:
    """What nobody declared is shown to be allowed for what is open only."""
    if verdict.code == "undeclared" and grade is not Grade.O:
        return Verdict(
            False, verdict.code, f"{verdict.why}, and grade {grade.value} may not lie just anywhere"
        )
    return verdict


def _layers(twin: Twin, entry: Any, store: str) -> Iterator[Entry]:
    table = layer_versions
    query = select(table).where(table.c.twin == twin.tables.twin).order_by(table.c.layer, table.c.version)
    with reading(twin.tables.engine) as connection:
        for row in connection.execute(query):
            kind = "result" if row.meta.get("role") == RESULT else "layer"
            yield entry(kind, f"{row.layer} {row.version}", Grade.of(row.grade), store, row.path, row.state)


def _products(twin: Twin, entry: Any, store: str) -> Iterator[Entry]:
    table = products
    query = select(table).where(table.c.twin == twin.tables.twin).order_by(table.c.product, table.c.version)
    with reading(twin.tables.engine) as connection:
        for row in connection.execute(query):
            grade = Grade.of(row.meta.get("grade", Grade.C.value))
            yield entry("product", f"{row.product} {row.version}", grade, store, row.path, row.state)


def _journals(twin: Twin, entry: Any, store: str) -> Iterator[Entry]:
    """What was written to a layer since its version was made lies in the database."""
    table = feature_edits
    query = (
        select(table.c.layer, func.count()).where(table.c.twin == twin.tables.twin).group_by(table.c.layer)
    )
    with reading(twin.tables.engine) as connection:
        counted = {row[0]: row[1] for row in connection.execute(query)}
    for layer, edits in sorted(counted.items()):
        yield entry("journal", f"{layer} ({edits} edits)", _grades(twin).get(layer, Grade.C), store)


def _indexes(twin: Twin, entry: Any) -> Iterator[Entry]:
    """Sidecars lie on this machine, wherever the bytes are that they were made from."""
    grades = _grades(twin)
    for path in _folders(twin, "index"):
        layer = path.split("/")[1]
        yield entry("index", path.removeprefix("index/"), grades.get(layer, Grade.C), FILES, path)


def _reports(twin: Twin, entry: Any, store: str, top: Grade) -> Iterator[Entry]:
    """A report may hold anything that its author saw."""
    query = select(jobs.c.id).where(
        jobs.c.twin == twin.tables.twin, jobs.c.kind == "report", jobs.c.state == "successful"
    )
    with reading(twin.tables.engine) as connection:
        ids = list(connection.execute(query.order_by(jobs.c.id)).scalars())
    for id in ids:
        yield entry("report", id, top, store, f"reports/{id}")


def _strays(twin: Twin, entry: Any, store: str) -> Iterator[Entry]:
    """Folders of versions that no row speaks of: what a build left that was killed, or what somebody put there."""
    if twin.blobs.root is None:
        return
    with reading(twin.tables.engine) as connection:
        known = {
            path
            for table in (layer_versions, products)
            for path in connection.execute(
                select(table.c.path).where(table.c.twin == twin.tables.twin)
            ).scalars()
        }
    for path in (*_folders(twin, "layers"), *_folders(twin, "tiles")):
        if path not in known:
            yield entry("stray", path, Grade.C, store, path)


def _grades(twin: Twin) -> dict[str, Grade]:
    """The highest grade of any version of each layer."""
    table = layer_versions
    query = select(table.c.layer, table.c.grade).where(table.c.twin == twin.tables.twin)
    with reading(twin.tables.engine) as connection:
        rows = [(row.layer, Grade.of(row.grade)) for row in connection.execute(query)]
    return {
        layer: _highest(grade for name, grade in rows if name == layer)
        for layer in {name for name, _ in rows}
    }


def _highest(grades: Iterable[Grade]) -> Grade:
    return max(grades, key=lambda grade: grade.rank)


def _folders(twin: Twin, name: str) -> list[str]:
    """`name/<id>/<version>` below the twin's directory."""
    top = twin.directory / name
    return sorted(f"{name}/{one.parent.name}/{one.name}" for one in top.glob("*/*") if one.is_dir())
