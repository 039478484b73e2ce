"""Where a ledger is read from without being believed: the folder of a twin, or its address.

Reading over the network goes to the address that was given and nowhere else: no redirections, nothing longer than it can be, nothing
slower than some seconds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from twintown.ground.errors import BadData, BadSettings, NotFound, StorageFailed, TooLarge

from .notes import LONGEST as LONGEST_NOTE
from .notes import Note
from .tlog_tiles import ENTRIES, LONGEST, WIDTH, Tile, narrowed

if TYPE_CHECKING:
    import ssl

#: Seconds that one answer may take.
PATIENCE_S = 5.0
#: Longest bundle of entries of a twin's ledger, bytes; its leaves are 256 at most.
_BUNDLE = WIDTH * 1024
#: Longest list of checkpoints, bytes.
_SEEN = 4_000_000


#: What is said where a ledger has no checkpoint.
EMPTY = "a ledger begins with the first offer"


class Source(Protocol):
    """A ledger to be read. `where` says which, for messages."""

    where: str

    def checkpoint(self) -> Note:
        """The newest checkpoint, as it was signed. Raises NotFound, BadData, StorageFailed."""

    def tile(self, tile: Tile) -> bytes:
        """The bytes of a tile. Raises NotFound, BadData, StorageFailed."""


class Folder:
    """The `ledger` folder of a twin's directory, or that folder itself."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory if (directory / "checkpoint").is_file() else directory / "ledger"
        self.where = str(self.directory)

    def checkpoint(self) -> Note:
        return Note.parse(self._read("checkpoint", LONGEST_NOTE), f"{self.where}/checkpoint")

    def tile(self, tile: Tile) -> bytes:
        try:
            return self._read(tile.path, WIDTH * (LONGEST + 2))
        except NotFound:
            if tile.full:
                raise
        beside = self.directory / f"{tile.stem}.p"
        names = [path.name for path in beside.glob("*")] if beside.is_dir() else []
        widths = sorted(int(name) for name in names if name.isdecimal() and tile.width < int(name) < WIDTH)
        wider = tile.of_width((*widths, WIDTH)[0])
        return narrowed(wider, self._read(wider.path, WIDTH * (LONGEST + 2)), tile.width)

    def _read(self, name: str, most: int) -> bytes:
        try:
            with open(self.directory / name, "rb") as file:
                found = file.read(most + 1)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise NotFound(
                f"{name} is not there", self.where, EMPTY if name == "checkpoint" else ""
            ) from error
        except OSError as error:
            raise StorageFailed(f"{name} cannot be read ({error.strerror})", self.where) from error
        if len(found) > most:
            raise TooLarge(f"{name} is longer than {most} bytes", self.where)
        return found


class Address:
    """The ledger of a twin at `https://…/twins/<id>`.

    Args:
        address: of the twin, or of its ledger.
        verify: how the server's certificate is checked (httpx).
    """

    def __init__(self, address: str, verify: ssl.SSLContext | bool = True) -> None:
        if not address.startswith(("https://", "http://")):
            raise BadSettings(f"{address!r} is no address", "ledger", "write https://<host>/twins/<id>")
        self.where = f"{address.rstrip('/').removesuffix('/ledger')}/ledger"
        self._verify = verify
        self._client: Any = None

    def checkpoint(self) -> Note:
        status, _, body = self.ask("GET", "checkpoint", b"", LONGEST_NOTE)
        return Note.parse(self._good("checkpoint", status, body), f"{self.where}/checkpoint")

    def tile(self, tile: Tile) -> bytes:
        most = _BUNDLE if tile.level == ENTRIES else tile.width * 32
        status, _, body = self.ask("GET", tile.path, b"", most)
        return self._good(tile.path, status, body)

    def seen(self, origin: str) -> list[Note]:
        """The checkpoints of another ledger that the twin at this address has cosigned. Raises BadData, StorageFailed."""
        status, _, body = self.ask("GET", f"seen?origin={quote(origin, safe='')}", b"", _SEEN)
        said = _json(self._good("seen", status, body), self.where).get("checkpoints")
        if not isinstance(said, list) or not all(isinstance(one, str) for one in said):
            raise BadData("answers with another document", self.where)
        return [Note.parse(one, self.where) for one in said]

    def identity(self) -> Mapping[str, Any]:
        """The DID document of the twin at this address. Raises NotFound, BadData, StorageFailed."""
        status, _, body = self.ask("GET", "../did.json", b"", LONGEST_NOTE)
        return _json(self._good("did.json", status, body), self.where)

    def add_checkpoint(self, body: bytes) -> tuple[int, str, str]:
        """Ask the witness at this address: status, media type and body of its answer. Raises StorageFailed, TooLarge."""
        status, media, said = self.ask("POST", "add-checkpoint", body, LONGEST_NOTE)
        return status, media, said.decode("utf-8", "replace")

    def _good(self, name: str, status: int, body: bytes) -> bytes:
        if status == 404:
            raise NotFound(f"{name} is not there", self.where, EMPTY if name == "checkpoint" else "")
        if status != 200:
            raise StorageFailed(f"{name}: answered {status}", self.where, "try again later")
        return body

    def close(self) -> None:
        """Let go of the connection."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _url(self, name: str) -> str:
        return (
            f"{self.where.removesuffix('/ledger')}{name[2:]}"
            if name.startswith("../")
            else f"{self.where}/{name}"
        )

    def ask(self, method: str, name: str, body: bytes, most: int) -> tuple[int, str, bytes]:
        """One question: status, media type, body. Raises StorageFailed: nobody answers; TooLarge."""
        import httpx

        if self._client is None:
            self._client = httpx.Client(
                timeout=PATIENCE_S, follow_redirects=False, trust_env=False, verify=self._verify,
                headers={"Accept-Encoding": "gzip, identity"},
            )  # fmt: skip
        found = b""
        try:
            with self._client.stream(method, self._url(name), content=body or None) as answer:
                for part in answer.iter_bytes(65536):
                    found += part
                    if len(found) > most:
                        raise TooLarge(f"{name} is longer than {most} bytes", self.where)
                media = str(answer.headers.get("content-type", "")).partition(";")[0]
                return answer.status_code, media, found
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise StorageFailed(
                f"does not answer ({type(error).__name__})", self.where, "try again later"
            ) from error


def _json(body: bytes, where: str) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError as error:
        raise BadData("answers with what is no JSON", where) from error
    if not isinstance(found, dict):
        raise BadData("answers with another document", where)
    return found


def open_source(said: str, verify: ssl.SSLContext | bool = True) -> Source:
    """A ledger by the folder or the address of its twin. Raises BadSettings."""
    if "://" in said:
        return Address(said, verify)
    return Folder(Path(said))
