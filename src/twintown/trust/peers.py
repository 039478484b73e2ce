"""The other cities that a twin knows: under which name, at which address, by which keys, in which country, up to which grade.

    [peers.icheon]                    of twintown.toml, and of `peers.toml` beside it, which `twintown peer pin` writes
    address = "https://icheon.example/twins/icheon"
    did = "did:web:icheon.example:twins:icheon"      by default what follows from the address
    keys = ["z6Mk…"]                  pinned: without one the peer's signed results can be checked, but it cannot negotiate
    country = "KR"                    ISO 3166-1
    grade = "S"                       the highest that may be sent there; O by default

`ID = "https://…"` is a peer without keys. Where both files name a peer, twintown.toml counts; the other one lends its keys for the same
address.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from twintown.ground.errors import BadInput, BadSettings, NotFound, StorageFailed
from twintown.ground.names import check_id

from .did import check_did, did_of
from .grades import Grade
from .keys import public_bytes

FILE = "peers.toml"
_COUNTRY = re.compile(r"[A-Z]{2}")
_MEMBERS = ("address", "did", "keys", "country", "grade")


@dataclass(frozen=True, slots=True)
class Peer:
    """Another city.

    Attributes:
        id: what it is called here.
        address: of its twin, `https://…/twins/<id>`, without a slash at its end.
        did: its name.
        keys: its public keys (Multikeys) as they were pinned; none: it cannot negotiate.
        country: where what is sent to it comes to lie (ISO 3166-1 alpha-2), "" where nobody said.
        grade: the highest that may be sent there.
    """

    id: str
    address: str
    did: str
    keys: tuple[str, ...] = ()
    country: str = ""
    grade: Grade = Grade.O

    @property
    def pinned(self) -> bool:
        """Whether messages of it can be believed."""
        return bool(self.keys)

    @classmethod
    def of(cls, id: str, said: object, where: str = "peers") -> Peer:
        """From one entry of `[peers]`: a table, or the address alone.

        Raises:
            BadSettings: an unknown member, an address, name, key, country or grade that is none.
        """
        where = f"{where}.{id}"
        table = {"address": said} if isinstance(said, str) else said
        if not isinstance(table, Mapping):
            raise BadSettings("must be a table or an address", where, "write address = \"https://…/twins/…\"")  # fmt: skip
        if unknown := sorted(set(table) - set(_MEMBERS)):
            raise BadSettings(f"unknown key {unknown[0]!r}", where, f"known here: {', '.join(_MEMBERS)}")
        address = _address(table.get("address"), where)
        base, _, name = address.rpartition("/twins/")
        did = check_did(table["did"], f"{where}.did") if "did" in table else did_of(name, base)
        country = table.get("country", "")
        if country and (not isinstance(country, str) or not _COUNTRY.fullmatch(country)):
            raise BadSettings(f"{country!r} is no country", f"{where}.country", "write two letters, as KR")
        grade = Grade.of(table.get("grade", "O"), f"{where}.grade")
        return cls(check_id(id, where), address, did, _keys(table.get("keys", []), where), country, grade)


class Hosting(Protocol):
    """What is asked of a twin: where it lies, and what its description says."""

    @property
    def directory(self) -> Path: ...
    @property
    def description(self) -> Any: ...


def parse_peers(table: object, where: str = "peers") -> dict[str, Peer]:
    """The peers of a `[peers]` table by id.

    Raises:
        BadSettings: an entry cannot be used, or two have the same name.
    """
    if not isinstance(table, Mapping):
        raise BadSettings("must be a table", where)
    peers = {id: Peer.of(id, said, where) for id, said in table.items()}
    names = [peer.did for peer in peers.values()]
    if twice := [did for did in names if names.count(did) > 1]:
        raise BadSettings(f"two peers have the name {twice[0]}", where, "keep one of them")
    return peers


def peers_of(twin: Hosting) -> tuple[Peer, ...]:
    """All peers of a twin; `peers.toml` is read again when it has changed, so that nobody has to start the server anew.

    Raises:
        BadSettings: the file cannot be used. StorageFailed: it cannot be read.
    """
    said: Mapping[str, Peer] = twin.description.peers
    return tuple(merged(said, read_peers(twin.directory)).values())


def peer_of(twin: Hosting, name: str) -> Peer:
    """One peer by its id or its DID. Raises NotFound, and like `peers_of`."""
    for peer in peers_of(twin):
        if name in (peer.id, peer.did):
            return peer
    raise NotFound(f"{name[:200]!r} is no peer of this twin", "peers", "see `twintown peer list`")


def merged(said: Mapping[str, Peer], pinned: Mapping[str, Peer]) -> dict[str, Peer]:
    """What an officer wrote, and what was pinned beside it."""
    whole = dict(said)
    for id, peer in pinned.items():
        known = whole.get(id)
        if known is None and all(one.did != peer.did for one in said.values()):
            whole[id] = peer
        elif known is not None and not known.keys and known.address == peer.address and known.did == peer.did:
            whole[id] = replace(known, keys=peer.keys)
    return whole


def read_peers(directory: Path) -> Mapping[str, Peer]:
    """The peers of `peers.toml` by id; none where there is no file. Raises BadSettings, StorageFailed."""
    path = directory / FILE
    try:
        said = path.stat()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise StorageFailed("cannot read who the peers are", str(path)) from error
    return _read(path, (said.st_mtime_ns, said.st_size, said.st_ino))


@lru_cache(64)
def _read(path: Path, _: tuple[int, int, int]) -> Mapping[str, Peer]:
    try:
        return parse_peers(tomllib.loads(path.read_text(encoding="utf-8")).get("peers", {}))
    except (OSError, UnicodeDecodeError) as error:
        raise StorageFailed("cannot read who the peers are", str(path)) from error
    except tomllib.TOMLDecodeError as error:
        raise BadSettings(f"is not TOML: {error}", str(path), "mend that line") from error
    except BadInput as error:
        raise BadSettings(error.what, f"{path}: {error.where}", error.remedy) from error


def _address(said: object, where: str) -> str:
    if not isinstance(said, str) or not said.startswith(("https://", "http://")) or "@" in said:
        raise BadSettings(f"{said!r} is no address", f"{where}", "write https://<host>/twins/<id>")
    address = said.rstrip("/")
    base, between, name = address.rpartition("/twins/")
    if (
        not between
        or not name
        or "/" in name
        or "?" in address
        or "#" in address
        or not urlsplit(base).hostname
    ):
        raise BadSettings(f"{said!r} is no address of a twin", where, "write https://<host>/twins/<id>")
    return address


def _keys(said: object, where: str) -> tuple[str, ...]:
    if not isinstance(said, list | tuple) or not all(isinstance(one, str) for one in said):
        raise BadSettings("must be a list of keys", f"{where}.keys", 'write keys = ["z6Mk…"]')
    try:
        for one in said:
            public_bytes(one)
    except BadInput as error:
        raise BadSettings(
            f"holds a key that is none ({error.what})", f"{where}.keys", error.remedy
        ) from error
    return tuple(dict.fromkeys(said))
