"""A layer's grade is not lowered without a decision at the release gate: here is where every writer comes by (`Twin.stage`).

Who describes a layer as O that was S (in twintown.toml, by adding it again, by a build) publishes it. Then a person must have let
the layer go to anyone, or to a peer for S, and that decision is a row of `releases`.
"""

from __future__ import annotations

from sqlalchemy import select

from twintown.ground.errors import Denied
from twintown.store.engine import reading
from twintown.store.schema_shared import releases
from twintown.store.tables import Tables
from twintown.trust.grades import Grade

#: Whom a release must have been for so that a layer may be graded so.
_FOR = {Grade.O: ("anyone",), Grade.S: ()}


def check_regrading(tables: Tables, layer: str, grade: Grade) -> None:
    """Go on where a layer may have this grade after the one that it had last.

    Raises:
        Denied: it would be graded lower than it was, and nobody has decided that.
    """
    history = [
        one for one in tables.layer_history(layer) if one.state != "ready"
    ]  # what nobody ever saw does not count
    before = Grade.of(history[0].grade) if history else grade
    if before.within(grade) or _decided(tables, layer, grade):
        return
    whom = "anyone" if grade is Grade.O else "the peer's DID"
    raise Denied(
        f"the grade of {layer} cannot be lowered from {before.value} to {grade.value} without a decision at the release gate",
        f"{tables.twin} {layer}", f"ask the gate (twintown release check … {layer} --to {whom}) and let a person decide",
    )  # fmt: skip


def _decided(tables: Tables, layer: str, grade: Grade) -> bool:
    query = select(releases.c.audience).where(
        releases.c.twin == tables.twin, releases.c.asset == f"layer:{layer}", releases.c.state == "granted"
    )
    with reading(tables.engine) as connection:
        found = set(connection.execute(query).scalars())
    return bool(found & set(_FOR[grade])) if _FOR.get(grade) else bool(found)
