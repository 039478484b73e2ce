"""What is kept here of a partner's: the result of its process, as a layer that says whose it is and by which agreement, until its last day.

A copy is graded S: it was given to the city, not to everybody. Its licence is the agreement, which the release gate does not know, so that
it goes to nobody else. When the day comes by which it is to be deleted it goes away by itself, and the ledger says so.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import and_, select

from twintown.exchange import partners
from twintown.exchange.agreements import Agreement
from twintown.exchange.courier import Courier
from twintown.exchange.party import Party
from twintown.ground.errors import BadData, BadParameter, Conflict, NotPossible, TooLarge, Unreachable
from twintown.ground.features import Features
from twintown.ground.grid import Grid
from twintown.ground.names import Name
from twintown.ground.provenance import Licence, Provenance, Source, Step
from twintown.store.engine import reading, writing
from twintown.store.lock import locked
from twintown.store.schema import layer_versions
from twintown.store.tables import ADDED, Tables
from twintown.trust.grades import Grade
from twintown.trust.ledger import record_in
from twintown.twin.description import LayerEntry
from twintown.twin.layers import LayerVersion, Twin

#: Bytes of a copy.
MOST = 256 * 2**20
#: Member of a layer's `meta`: whose it is.
THEIRS = "partner"


def keep(
    party: Party, courier: Courier, found: Agreement, path: str, layer: str, title: Name, now: datetime
) -> LayerVersion:
    """Fetch one output of a partner's job and keep it as a layer of ours, marked as theirs.

    Args:
        path: `jobs/{job}/results/{output}` behind the partner's door.
        layer: what it is called here; a copy of the same agreement under that id is replaced.

    Raises:
        BadParameter: not an output of a job. Conflict: the id is another layer's, or the day of deletion is over.
        Denied, Unreachable, Busy: see `partners.through`.
        NotPossible: it lies in another frame than this twin, or is neither grid nor features.
        TooLarge. Busy: a build is at work. StorageFailed.
    """
    parts = path.split("/")
    if len(parts) != 4 or parts[0] != "jobs" or parts[2] != "results":
        raise BadParameter("path", "is no output of a job", remedy="write jobs/{job}/results/{output}")
    limit = found.terms.delete_by
    if limit is not None and now >= limit:
        raise Conflict("copies were to be deleted by now", found.id, "look at it at the partner")
    twin = party.twin
    known = twin.tables.layers().get(layer)
    if known is not None and known.meta.get(THEIRS, {}).get("agreement") != found.id:
        raise Conflict(f"{layer} is another layer", layer, "choose another id")
    shape, mark = _fetched(party, courier, found, path, now)
    ours = twin.description.frame
    if (shape.frame.crs, shape.frame.vertical) != (ours.crs, ours.vertical):
        raise NotPossible(f"it lies in {shape.frame.crs}, this twin in {ours.crs}", layer, "look at it at the partner")  # fmt: skip
    licence = Licence("LicenseRef-agreement", f"as agreed in {found.id}", "", found.terms.attribution)
    source = Source("partner", title.en, found.peer, licence, date=f"{now:%Y-%m-%d}", note=f"by the agreement {found.id}")  # fmt: skip
    step = Step("kept from a partner", "twintown", {"path": path, "sha256": mark})
    made = replace(shape, frame=ours, provenance=Provenance.of((Provenance((source,), ()), shape.provenance), step))  # fmt: skip
    meta: dict[str, Any] = {
        "origin": ADDED, "editable": False,
        THEIRS: {
            "did": found.peer, "agreement": found.id, "attribution": found.terms.attribution, "sha256": mark, "path": path,
            "delete_by": _day(limit) if limit else "", "no_resharing": found.terms.no_resharing,
            "kept": now.isoformat(),
        },
    }  # fmt: skip
    with locked(twin.directory):
        version = twin.stage(layer, made, Grade.S, meta, entry=LayerEntry(layer, title))
        twin.index(version)
        with writing(twin.tables.engine, fresh=True) as connection:
            twin.tables.switch_in(connection, {layer: version.version})
            record = {
                "agreement": found.id,
                "layer": layer,
                "state": "kept",
                "digest": mark,
                "peer": found.peer,
            }
            record_in(connection, twin.tables, "transfer", record, now)
    twin.watch.touch()
    return version


def delete_due(twin: Twin, now: datetime) -> tuple[str, ...]:
    """Take copies away whose day has come; their ids. Quick where there are none."""
    c = layer_versions.c
    limit = c.meta[THEIRS]["delete_by"].as_string()
    mine = and_(c.twin == twin.tables.twin, c.state == "current", limit != "", limit <= _day(now))
    with reading(twin.tables.engine) as connection:
        found = connection.execute(select(c.layer, c.version, c.meta).where(mine)).all()
    for layer, version, meta in found:
        writer, theirs = twin.writing(), meta[THEIRS]
        with locked(twin.directory), writing(writer.tables.engine, fresh=True) as connection:
            writer.tables.retire_in(connection, layer, version)
            record = {"agreement": theirs["agreement"], "layer": layer, "state": "deleted", "digest": theirs["sha256"]}  # fmt: skip
            record_in(connection, writer.tables, "recall", record, now)
        twin.watch.touch()
    return tuple(layer for layer, _, _ in found)


def _day(at: datetime) -> str:
    """A moment as text that sorts by time."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S+00:00}"


def copies_of(tables: Tables, agreement: str) -> tuple[str, ...]:
    """The ids of layers that were kept by an agreement."""
    rows = tables.layers().items()
    return tuple(layer for layer, row in rows if row.meta.get(THEIRS, {}).get("agreement") == agreement)


def _fetched(
    party: Party, courier: Courier, found: Agreement, path: str, now: datetime
) -> tuple[Grid | Features, str]:
    """The shape, and the digest of the bytes that came."""
    for form in ("cog", "parquet"):
        question = partners.Question("GET", path, f"f={form}")
        answer = partners.through(party, courier, found, question, "", now)
        body = b""
        if answer.status == 200:
            parts, size = [], 0
            for part in answer:
                size += len(part)
                if size > MOST:
                    answer.close()
                    raise TooLarge(
                        f"it has more than {MOST:,} bytes", path, "keep a result of a smaller area"
                    )
                parts.append(part)
            body = b"".join(parts)
        else:
            answer.close()
            if answer.status not in (400, 406, 415):
                raise Unreachable(f"the partner answers {answer.status}", path, "look at its job")
            continue
        mark = hashlib.sha256(body).hexdigest()
        try:
            return (Grid.from_cog(body) if form == "cog" else Features.from_parquet(body)), mark
        except BadData as error:
            raise NotPossible("what came is no shape that can be kept", path, error.what) from error
    raise NotPossible("it is neither a grid nor features", path, "look at it at the partner")
