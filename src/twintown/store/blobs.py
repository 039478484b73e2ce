"""Bytes by key: a directory by default, a bucket by URL (S3, GCS, Azure), through obstore.

Keys are `layers/buildings/01J…/data.parquet`: relative, `/` between names, no `.` or `..`.
A key is either absent or whole. Buckets promise that by themselves. obstore's directory store renames a
finished file but does not flush it first, so after a power cut the catalogue could name an empty file; here a
local put is written beside (`.staging/put/`), flushed, renamed, and its directory flushed.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import socket
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import uuid4

import obstore
from obstore.exceptions import BaseError as ObstoreError
from obstore.exceptions import NotFoundError, PermissionDeniedError, UnauthenticatedError
from obstore.store import LocalStore, from_url

from twintown.ground.errors import BadParameter, BadSettings, NotFound, StorageFailed, StorageFull

_PART = re.compile(r"[A-Za-z0-9_@=+,~ \-][A-Za-z0-9._@=+,~ \-]*")
STAGING = ".staging"


class Blobs:
    """A store of bytes. `where` is its URL or directory, for messages."""

    def __init__(self, store: Any, where: str, root: Path | None) -> None:
        self._store = store
        self.where = where
        #: Directory of a local store, None for a bucket.
        self.root = root

    # -- writing ------------------------------------------------------------------------------------------

    def put(self, key: str, data: bytes) -> None:
        """Keep `data` under `key`, whole or not at all. Raises StorageFailed."""
        self.put_stream(key, (data,))

    def put_stream(self, key: str, chunks: Iterable[bytes]) -> None:
        """Keep the chunks, in order, as one blob, visible once the last is written. Raises StorageFailed."""
        _check(key)
        with self._named(key):
            if self.root is None:
                with obstore.open_writer(self._store, key) as writer:
                    for chunk in chunks:
                        writer.write(chunk)
                return
            temporary = self._temporary()
            try:
                with open(temporary, "xb") as out:
                    for chunk in chunks:
                        out.write(chunk)
                    out.flush()
                    os.fsync(out.fileno())
                self._adopt(temporary, key)
            finally:
                temporary.unlink(missing_ok=True)

    def put_file(self, key: str, path: Path) -> None:
        """Keep a copy of the file at `path` under `key`. Raises StorageFailed."""

        def chunks() -> Iterator[bytes]:
            with open(path, "rb") as source:
                while chunk := source.read(1 << 20):
                    yield chunk

        self.put_stream(key, chunks())

    def put_directory(self, prefix: str, directory: Path) -> list[str]:
        """Keep every file below `directory` under `prefix`; the keys, sorted."""
        keys = []
        for path in sorted(p for p in directory.rglob("*") if p.is_file()):
            key = f"{prefix}/{path.relative_to(directory).as_posix()}"
            self.put_file(key, path)
            keys.append(key)
        return keys

    @contextmanager
    def beside(self) -> Iterator[Path]:
        """A folder for files that are not blobs yet, on the same disk where the store is local; gone when the block ends."""
        place = None if self.root is None else self.root / STAGING / "beside"
        if place is not None:
            place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f"{writer_mark()}-", dir=place) as folder:
            yield Path(folder)

    def _temporary(self) -> Path:
        assert self.root is not None
        folder = self.root / STAGING / "put"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{writer_mark()}-{uuid4().hex}"

    def sweep(self) -> None:
        """Remove what processes left half-written that are dead by now; what the living write stays."""
        if self.root is None:
            return
        for path in (self.root / STAGING).glob("*/*"):
            if not _alive(path.name):
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink(missing_ok=True)

    def _adopt(self, temporary: Path, key: str) -> None:
        assert self.root is not None
        target = self.root / key
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(temporary, target)
        handle = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    # -- reading ------------------------------------------------------------------------------------------

    def get(self, key: str) -> bytes:
        """All bytes of `key`. Raises NotFound, StorageFailed."""
        _check(key)
        with self._named(key):
            return bytes(obstore.get(self._store, key).bytes())

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """`length` bytes of `key` from byte `start`. Raises NotFound, StorageFailed."""
        _check(key)
        with self._named(key):
            return bytes(obstore.get_range(self._store, key, start=start, length=length))

    def exists(self, key: str) -> bool:
        """Whether `key` is there."""
        _check(key)
        try:
            with self._named(key):
                obstore.head(self._store, key)
        except NotFound:
            return False
        return True

    def size(self, key: str) -> int:
        """Bytes of `key`. Raises NotFound."""
        _check(key)
        with self._named(key):
            return int(obstore.head(self._store, key)["size"])

    def keys(self, prefix: str = "") -> list[str]:
        """Keys below `prefix`, sorted; staged files are never among them."""
        with self._named(prefix):
            batches = obstore.list(self._store, prefix=prefix or None)
            found = [str(meta["path"]) for batch in batches for meta in batch]
        return sorted(key for key in found if not key.startswith(f"{STAGING}/"))

    def folders(self, prefix: str) -> list[str]:
        """The names one step below `prefix` that have keys below them, as `prefix/name`, sorted."""
        _check(prefix)
        with self._named(prefix):
            found = obstore.list_with_delimiter(self._store, prefix=prefix)["common_prefixes"]
        return sorted(str(name).rstrip("/") for name in found)

    def path(self, key: str) -> Path:
        """A local file with the bytes of `key`, for readers that want one.

        Raises NotFound, BadSettings for a bucket.
        """
        _check(key)
        if self.root is None:
            raise BadSettings(
                f"{key} lies in a bucket and has no path", where=self.where, remedy="read it by bytes"
            )
        path = self.root / key
        if not path.exists():
            raise NotFound(f"{key} is not there", where=self.where, remedy="build the twin again")
        return path

    # -- deleting -----------------------------------------------------------------------------------------

    def delete(self, key: str) -> None:
        """Remove `key`; fine if it is not there. Raises StorageFailed."""
        _check(key)
        try:
            with self._named(key):
                obstore.delete(self._store, key)
        except NotFound:
            return

    def delete_prefix(self, prefix: str) -> None:
        """Remove every key below `prefix`. Raises StorageFailed."""
        _check(prefix)
        with self._named(prefix):
            if self.root is not None:
                shutil.rmtree(self.root / prefix, ignore_errors=True)
                return
            keys = self.keys(prefix)
            if keys:
                obstore.delete(self._store, keys)

    @contextmanager
    def _named(self, key: str) -> Iterator[None]:
        where = f"{self.where}/{key}" if key else self.where
        try:
            yield
        except (NotFoundError, FileNotFoundError) as error:
            raise NotFound(f"{key} is not there", where=self.where, remedy="build the twin again") from error
        except (PermissionDeniedError, UnauthenticatedError, PermissionError) as error:
            raise StorageFailed("not allowed", where=where, remedy="check the rights on it") from error
        except OSError as error:
            raise storage_failed(error, where) from error
        except ObstoreError as error:
            line = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise StorageFailed(
                line, where=where, remedy="check the store, then run the command again"
            ) from error


_FREE = "free some space, then run the command again; the last good version is kept"
_REMEDIES = {
    errno.ENOSPC: ("the disk is full", _FREE),
    errno.EDQUOT: ("the disk quota is used up", _FREE),
    errno.EFBIG: ("the file is larger than the system allows", "raise the file size limit (ulimit -f)"),
    errno.EROFS: ("the file system is read-only", "choose a directory that you may write to"),
}


def storage_failed(error: OSError, where: str) -> StorageFailed:
    """The disk's refusal as one line that says what to do."""
    what, remedy = _REMEDIES.get(
        error.errno or 0, (error.strerror or str(error), "check the disk and the rights, then try again")
    )
    kind = StorageFull if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) else StorageFailed
    return kind(what, where=where, remedy=remedy)


def writer_mark() -> str:
    """Begins the names of what this process is writing: who it is, and on which machine."""
    return f"{os.getpid()}-{zlib.crc32(socket.gethostname().encode()):08x}"


def _alive(name: str) -> bool:
    """Whether the process that `name` is marked with may still be writing; of another machine's nobody knows."""
    process, _, rest = name.partition("-")
    host = rest.partition("-")[0]
    if not process.isdecimal() or len(host) != 8:
        return False
    if host != writer_mark().partition("-")[2]:
        return True
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def open_blobs(url: str | Path, *, create: bool = True) -> Blobs:
    """The store at a directory, a `file://` URL or a bucket URL. Raises BadSettings, StorageFailed."""
    text = str(url)
    if text.startswith("file://"):
        text = text.removeprefix("file://")
    if "://" in text:
        try:
            return Blobs(from_url(text), text, None)
        except (ObstoreError, ValueError) as error:
            line = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise BadSettings(
                f"the blob URL cannot be used: {line}", text, "give s3://…, gs://…, az://… or a directory"
            ) from error
    root = Path(text).resolve()
    if create:
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_failed(error, str(root)) from error
    if not root.is_dir():
        raise NotFound("there is no such directory", where=text, remedy="check the path")
    return Blobs(LocalStore(root), str(root), root)


def _check(key: str) -> None:
    parts = PurePosixPath(key).parts
    if not key or key.startswith("/") or "/".join(parts) != key or not all(_PART.fullmatch(p) for p in parts):
        raise BadParameter("key", f"{key!r} is not a key", remedy="use letters, digits, . _ - and /")
