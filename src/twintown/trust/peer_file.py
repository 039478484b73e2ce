"""`peers.toml`: peers that were pinned by command, beside those of twintown.toml. Public keys only; nothing in it is secret."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

from twintown.ground.errors import NotFound, StorageFailed

from .grades import Grade
from .peers import FILE, Peer, read_peers

_HEAD = "# Made by `twintown peer pin` and `twintown serve --partners`. What twintown.toml says of a peer goes before.\n"


def pin(directory: Path, *peers: Peer) -> bool:
    """Write these peers into the file of a twin; those of the same id or the same name are replaced.

    Returns:
        whether anything has changed.

    Raises:
        BadSettings: the file cannot be used. StorageFailed: it cannot be written.
    """
    known = read_peers(directory)
    new = {peer.id: peer for peer in peers}
    names = {peer.did for peer in peers}
    whole = {id: peer for id, peer in known.items() if id not in new and peer.did not in names} | new
    if whole == dict(known):
        return False
    _write(directory, whole.values())
    return True


def unpin(directory: Path, id: str) -> None:
    """Take a peer out of the file. Raises NotFound, BadSettings, StorageFailed."""
    known: Mapping[str, Peer] = read_peers(directory)
    if id not in known:
        there = ", ".join(known) or "nobody"
        raise NotFound(f"{id!r} is not pinned here", str(directory / FILE), f"there is {there}")
    _write(directory, (peer for peer in known.values() if peer.id != id))


def _write(directory: Path, peers: Iterable[Peer]) -> None:
    """The whole file anew, in one step: a reader sees the old one or the new one."""
    path, beside = directory / FILE, directory / f".{FILE}.{secrets.token_hex(4)}"
    try:
        with open(beside, "x", encoding="utf-8") as file:
            file.writelines([_HEAD, *map(_entry, peers)])
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        raise StorageFailed(
            f"cannot write who the peers are ({error.strerror})", str(path), "let this user write to the twin's directory"
        ) from error  # fmt: skip
    finally:
        beside.unlink(missing_ok=True)


def _entry(peer: Peer) -> str:
    said: dict[str, object] = {"address": peer.address, "did": peer.did, "keys": list(peer.keys)}
    if peer.country:
        said["country"] = peer.country
    if peer.grade is not Grade.O:
        said["grade"] = peer.grade.value
    lines = [
        f"{name} = {json.dumps(value)}\n" for name, value in said.items()
    ]  # JSON strings are TOML strings
    return "".join([f"\n[peers.{json.dumps(peer.id)}]\n", *lines])
