"""The playbooks of a twin: installed, listed, read, given on, removed. Each is one blob, whole and signed, and one row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, insert, select

from twintown.ground.errors import BadData, Denied, NotFound
from twintown.store.engine import reading, writing
from twintown.store.schema_shared import playbooks as rows
from twintown.trust.did import document
from twintown.trust.peer_keys import known_keys as peer_keys
from twintown.trust.peers import peers_of
from twintown.twin.layers import Twin

from .playbook_package import Package, read

#: The DID document of a name, and how it is known ("here", "peer"); None for a stranger.
Known = Callable[[str], "tuple[Mapping[str, Any], str] | None"]
HERE, PEER, ACCEPTED = "here", "peer", "accepted"


@dataclass(frozen=True)
class Installed:
    """A playbook of a twin: what its row says."""

    id: str
    version: str
    digest: str
    path: str
    about: Mapping[str, Any]
    origin: str
    author: Mapping[str, Any]
    installed: datetime

    def to_dict(self) -> dict[str, Any]:
        """As JSON, for a list."""
        return {
            "id": self.id, "version": self.version, "digest": self.digest, **self.about, "origin": self.origin,
            "author": dict(self.author), "installed": self.installed.isoformat(),
        }  # fmt: skip


def known_keys(twin: Twin, here: Mapping[str, Mapping[str, Any]]) -> Known:
    """Whose keys are known: DID documents of the twins of this server (by name), and the keys of peers, pinned and followed."""

    def known(did: str) -> tuple[Mapping[str, Any], str] | None:
        if did in here:
            return here[did], HERE
        for peer in peers_of(twin):
            if peer.did == did and peer.keys:
                return document(did, peer_keys(twin, peer)), PEER
        return None

    return known


def install(
    twin: Twin, raw: bytes, known: Known, *, accept: str = "", now: datetime | None = None
) -> Installed:
    """Check a package and keep it; an older one of the same id is replaced.

    Args:
        known: whose keys are known.
        accept: a public key (Multikey) of a stranger that a person has compared; what it signed is taken.

    Raises:
        BadData: it is no playbook, or its signature does not fit.
        Denied: who signed it is not known here.
        TooLarge, StorageFailed.
    """
    package = read(raw)
    how = vouched(package, known, accept)
    moment, playbook = now or datetime.now(UTC), package.playbook
    key = f"playbooks/{playbook.id}/{package.digest.partition(':')[2][:24]}.zip"
    row = Installed(
        playbook.id, playbook.version, package.digest, key,
        {"names": playbook.names.to_dict(), "summary": playbook.about.to_dict(), "languages": list(package.languages),
         "steps": [one.process for one in playbook.steps], "signed": {"by": package.issuer, "key": package.key, "known": how}},
        package.issuer, dict(playbook.author), moment,
    )  # fmt: skip
    writer = twin.writing()
    writer.blobs.put(key, raw)
    mine = (rows.c.twin == twin.description.id) & (rows.c.id == playbook.id)
    with writing(writer.tables.engine) as connection:
        before = connection.execute(select(rows.c.path).where(mine)).scalar()
        connection.execute(delete(rows).where(mine))
        connection.execute(insert(rows).values(twin=twin.description.id, **row.__dict__))
    if before and before != key:
        writer.blobs.delete(before)
    writer.watch.touch()
    return row


def vouched(package: Package, known: Known, accept: str = "") -> str:
    """How who signed a package is known.

    Raises:
        BadData: the signature does not fit.
        Denied: nobody here knows who signed it.
    """
    where = f"playbook {package.playbook.id}"
    if own := package.findings():  # by the keys that it brings: is it at all what somebody signed?
        raise BadData(own[0].what, where, "get it again from the city itself")
    found = known(package.issuer)
    if found is not None:
        document_, how = found
        if wrong := package.findings(document_):
            raise BadData(
                f"{wrong[0].what} (by the keys of {package.issuer} that are known here)",
                where,
                "ask the city for its key",
            )
        return how
    if accept and accept == package.key:
        return ACCEPTED
    raise Denied(
        f"is signed by {package.issuer or 'nobody'}, whose key {package.key} is not known here", where,
        "pin the city as a peer, or compare the key with the city and accept it",
    )  # fmt: skip


def listed(twin: Twin) -> tuple[Installed, ...]:
    """The playbooks of a twin, by id."""
    with reading(twin.tables.engine) as connection:
        found = connection.execute(
            select(rows).where(rows.c.twin == twin.description.id).order_by(rows.c.id)
        ).all()
    return tuple(_installed(row) for row in found)


def find(twin: Twin, id: str) -> Installed:
    """One of them. Raises NotFound."""
    for one in listed(twin):
        if one.id == id:
            return one
    raise NotFound(f"there is no playbook {id[:64]!r}", twin.description.id, "see the list of playbooks")


def package_of(twin: Twin, id: str) -> Package:
    """The package of one of them, as it was installed. Raises NotFound, BadData, StorageFailed."""
    row = find(twin, id)
    package = read(twin.blobs.get(row.path))
    if package.digest != row.digest:
        raise BadData("was changed after it was installed", f"playbook {id}", "install it again")
    return package


def remove(twin: Twin, id: str) -> None:
    """Remove one. Raises NotFound, StorageFailed."""
    row, writer = find(twin, id), twin.writing()
    with writing(writer.tables.engine) as connection:
        connection.execute(delete(rows).where((rows.c.twin == twin.description.id) & (rows.c.id == id)))
    writer.blobs.delete(row.path)
    writer.watch.touch()


def _installed(row: Any) -> Installed:
    said = dict(row._mapping)
    said.pop("twin")
    at = said["installed"]
    return Installed(**{**said, "installed": at if at.tzinfo else at.replace(tzinfo=UTC)})
