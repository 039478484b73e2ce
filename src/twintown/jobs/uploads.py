"""What was sent to be verified: kept as a blob of the twin until the job is over; whose keys this server knows; inputs that are here."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from twintown.ground.errors import NotFound, TwintownError
from twintown.jobs.outgoing import Hosts, fetch
from twintown.jobs.queue import Queue
from twintown.store.tables import new_version
from twintown.trust.did import document
from twintown.trust.peer_keys import known_keys
from twintown.trust.peers import peers_of
from twintown.trust.policy import Grant
from twintown.twin.layers import Twin

if TYPE_CHECKING:
    from twintown.jobs.verify import Known, Local

FOLDER = "verifications"


def new_key() -> str:
    """A key for what is sent."""
    return f"{FOLDER}/{new_version()}/sent"


def forget(twin: Twin, key: str) -> None:
    """Remove what was sent. Raises StorageFailed."""
    twin.writing().blobs.delete_prefix(key.rpartition("/")[0])


@contextmanager
def fetched(twin: Twin, key: str) -> Iterator[Path]:
    """The file of what was sent. Raises NotFound: it is not kept any more."""
    if twin.blobs.root is not None:
        path = twin.blobs.path(key)
        if not path.is_file():
            raise NotFound("what was sent is not kept any more", key, "send it again")
        yield path
        return
    with tempfile.NamedTemporaryFile(prefix="verify-") as file:
        size = twin.blobs.size(key)
        for start in range(0, size, 1 << 24):
            file.write(twin.blobs.get_range(key, start, min(1 << 24, size - start)))
        file.flush()
        yield Path(file.name)


def sweep(twin: Twin) -> int:
    """Remove what was sent for jobs that are over; how many."""
    writer = twin.writing()
    waiting = Queue(writer.tables).list(kinds=("verification",), states=("accepted", "running"), limit=1000)
    wanted = {str(job.request.get("blob")) for job in waiting}
    newest = new_version()[:7]  # about half a minute: what was just sent has no job yet
    there = [key for key in writer.blobs.keys(FOLDER) if key not in wanted]
    dead = [key for key in there if key.split("/")[1][:7] < newest]
    for key in dead:
        with suppress(TwintownError):
            forget(writer, key)
    return len(dead)


def keys(twin: Twin, here: Mapping[str, Any]) -> Known:
    """Whose keys are known: of the twins of this server, and of the peers that the twin's description names.

    Args:
        here: DID documents by name, of the twins that the server shows.
    """

    def known(did: str) -> tuple[Mapping[str, Any], str] | None:
        if did in here and isinstance(here[did], Mapping):
            return here[did], "here"
        for peer in peers_of(twin):
            if peer.did == did and peer.keys:
                return document(did, known_keys(twin, peer)), "peer"
            if peer.did == did:  # nobody has pinned its keys: those that it shows now
                parts = urlsplit(peer.address)
                host = parts.hostname or ""
                named = Hosts((f"{host}:{parts.port}" if parts.port else host,))
                with suppress(TwintownError):
                    shown = fetch(named, f"{peer.address}/did.json", "peers")
                    if isinstance(shown, dict):
                        return shown, "peer"
        return None

    return known


def nearby(twin: Twin, grant: Grant) -> Local:
    """Inputs that are layers of this twin, by the digest of their file."""

    whole = not (grant.filter or grant.area or grant.columns or grant.finest_m)

    def local(one: Mapping[str, Any]) -> Path | None:
        if not whole:  # a file cannot be narrowed
            return None
        for version in twin.layers(grant):
            if version.digest == one.get("digest"):
                return twin.local(version)
        return None

    return local
