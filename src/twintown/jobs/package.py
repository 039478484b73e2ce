"""The evidence package: one file with which a stranger repeats a result. A ZIP archive of

    manifest.json            the signed manifest, in its canonical form
    did.json                 the city's DID document, as it was when the package was made
    inputs/<64 hex digits>   each input's file, by the SHA-256 of its bytes (GeoParquet, GeoTIFF, Parquet)
    outputs/<64 hex digits>  each output's file, likewise
    README.txt               what this is, and how to check it

What is read here was written by somebody: names of members are only looked up, never used as paths; sizes are counted while
they are read; nothing is run. The same result gives the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from twintown.ground.errors import BadData, NotFound, NotPossible, TooLarge
from twintown.jobs.job import Job
from twintown.jobs.manifest import identity, issue, to_bytes
from twintown.jobs.question import Question, found
from twintown.jobs.question import input_bytes as edited_bytes
from twintown.trust.policy import Grant
from twintown.twin.layers import LayerVersion, Twin
from twintown.twin.versions import layer_version

MANIFEST, DID, README = "manifest.json", "did.json", "README.txt"
#: Largest manifest and DID document that are read, and largest content of a whole package, bytes.
MANIFEST_BYTES, DID_BYTES, MOST = 64 << 20, 1 << 20, 8 << 30
#: A package has no more members than a question has layers, and outputs.
MEMBERS = 1000
_BLOCK = 1 << 20
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_WORDS = """\
Evidence of a computed result: {title}, {city}.
계산 결과의 증거 자료: {title_ko}, {city_ko}.

To repeat it:            twintown verify THIS-FILE.zip
다시 계산해 확인하려면:  twintown verify 이-파일.zip

manifest.json says what was asked, of which data, by which method, with which error, and carries the city's
signature. inputs/ and outputs/ hold the data; a file's name is the SHA-256 of its bytes. The licences of
the inputs stand in the manifest, and hold for whoever passes this file on.
"""


# -- writing ----------------------------------------------------------------------------------------------------


def pack(twin: Twin, grant: Grant, job: Job, public_url: str = "") -> Iterator[bytes]:
    """The evidence package of an answered job, block by block; everything is looked up before the first one is given.

    Raises:
        NotFound: the job is not answered, or has no manifest.
        Gone: an input or an output is not kept any more.
        NotPossible: who asked saw less than the layers hold, so that they cannot be enclosed.
        Unauthenticated, Denied: the Grant does not cover an input or an output.
    """
    stated = (job.results or {}).get("manifest")
    if job.state != "successful" or not stated:
        raise NotFound("the job has no manifest", f"job {job.id}", f"it is {job.state}")
    question = Question.from_request(job.request)
    if question.narrowed:
        raise NotPossible(
            "the question was asked of a part of the layers only", f"job {job.id}", "ask it as the owner"
        )
    manifest = issue(twin, stated, public_url)
    inputs = {layer: found(twin, grant, layer, named) for layer, named in question.layers.items()}
    outputs = []
    for one in (job.results or {})["outputs"].values():
        version = layer_version(twin.tables.layer(one["layer"], one["version"]))
        grant.require(version.grade, one["layer"])
        outputs.append(version)
    documents = {
        MANIFEST: to_bytes(manifest),
        DID: to_bytes(identity(twin, public_url)),
        README: _readme(manifest).encode(),
    }
    return _archive(twin, grant, question, documents, inputs, outputs)


def _archive(
    twin: Twin, grant: Grant, question: Question, documents: Mapping[str, bytes], inputs: Mapping[str, LayerVersion],
    outputs: list[LayerVersion],
) -> Iterator[bytes]:  # fmt: skip
    taken = _Taken()
    seen: set[str] = set()
    with zipfile.ZipFile(taken, "w", zipfile.ZIP_STORED) as archive:
        for name, data in documents.items():
            yield from _member(archive, taken, name, iter((data,)))
        for layer, version in inputs.items():
            named = question.layers[layer]
            edited = "." in named["version"]
            blocks = iter((edited_bytes(twin, grant, question, layer),)) if edited else _blocks(twin, version)
            name = f"inputs/{named['digest'].partition(':')[2]}"
            if name not in seen:
                yield from _member(archive, taken, name, blocks)
            seen.add(name)
        for version in outputs:
            name = f"outputs/{version.digest.partition(':')[2]}"
            if name not in seen:
                yield from _member(archive, taken, name, _blocks(twin, version))
            seen.add(name)
    yield taken.take()


class _Taken:
    """Where `zipfile` writes to: what was written is taken away again and again."""

    def __init__(self) -> None:
        self._held = bytearray()

    def write(self, data: bytes) -> int:
        self._held += data
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing is open."""

    def take(self) -> bytes:
        held, self._held = bytes(self._held), bytearray()
        return held


def _member(archive: zipfile.ZipFile, taken: _Taken, name: str, blocks: Iterator[bytes]) -> Iterator[bytes]:
    """One member, stored as it is (the files are packed already), with no time of its own."""
    about = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    about.external_attr, about.create_system = 0o644 << 16, 3
    with archive.open(about, "w", force_zip64=True) as member:
        for block in blocks:
            member.write(block)
            yield taken.take()


def _blocks(twin: Twin, version: LayerVersion) -> Iterator[bytes]:
    path = twin.local(version)
    if path is None:
        size = twin.blobs.size(version.key)
        for start in range(0, size, 16 * _BLOCK):
            yield twin.blobs.get_range(version.key, start, min(16 * _BLOCK, size - start))
        return
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block


def _readme(manifest: Mapping[str, Any]) -> str:
    said = manifest["credentialSubject"]
    title, city = said["process"]["title"], said["city"]["name"]
    return _WORDS.format(title=title["en"], city=city["en"], title_ko=title["ko"], city_ko=city["ko"])


# -- reading ----------------------------------------------------------------------------------------------------


class Package:
    """An evidence package (or a manifest alone) that somebody gave. Close it, or use it in a `with`.

    Args:
        path: the file.
        folder: where members are unpacked, under names of ours; the caller removes it.
        most: bytes that all members together may have.

    Raises:
        BadData: it is neither an archive with a manifest nor a manifest; truncated; what the manifest is not.
        TooLarge: a member is larger than it says or than is taken.
    """

    def __init__(self, path: Path, folder: Path, most: int = MOST) -> None:
        self.where = path.name
        self._path = path
        self._folder = folder
        self._left = most
        self._archive: zipfile.ZipFile | None = None
        self._members: dict[str, zipfile.ZipInfo] = {}
        with path.open("rb") as file:
            start = file.read(4)
        if start[:2] == b"PK":
            self._open(path)
            raw, did = self._small(MANIFEST, MANIFEST_BYTES), self._small(DID, DID_BYTES)
            if raw is None:
                raise BadData(
                    "the archive holds no manifest.json", self.where, "give an evidence package, whole"
                )
        else:
            if path.stat().st_size > MANIFEST_BYTES:
                raise TooLarge(f"a manifest is no larger than {MANIFEST_BYTES:,} bytes", self.where)
            raw, did = path.read_bytes(), None
        self.manifest = parsed(raw, MANIFEST)
        #: The enclosed DID document, empty where there is none that can be read.
        self.did: dict[str, Any] = {}
        if did is not None:
            self.did = parsed(did, DID)

    def __enter__(self) -> Package:
        return self

    def __exit__(self, *_: object) -> None:
        if self._archive is not None:
            self._archive.close()

    @property
    def alone(self) -> bool:
        """Whether the manifest came alone, without data."""
        return self._archive is None

    def file(self, part: str, digest: str) -> Path | None:
        """The unpacked file of an input or an output; none where it is not enclosed.

        Args:
            part: `inputs` or `outputs`.
            digest: `sha256:…` of its bytes; the bytes are checked against it.

        Raises:
            BadData: the bytes are others than their name says, or the archive is damaged.
            TooLarge: it is larger than it says, or than is taken.
        """
        if not _DIGEST.fullmatch(digest):
            raise BadData(f"{digest[:80]!r} is no digest", part, "the manifest is damaged")
        name = digest.partition(":")[2]
        about = self._members.get(f"{part}/{name}")
        if about is None:
            return None
        target = self._folder / f"{part}-{name}"
        mark = hashlib.sha256()
        with target.open("wb") as out:
            for block in self._read(about, about.file_size):
                mark.update(block)
                out.write(block)
        if mark.hexdigest() != name:
            target.unlink()
            raise BadData(
                "holds other bytes than its name says", f"{part}/{name[:12]}…", "get the package again"
            )
        return target

    def _open(self, path: Path) -> None:
        try:
            self._archive = zipfile.ZipFile(path)
            members = self._archive.infolist()
        # zipfile says NotImplementedError of a compression that it does not know
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
            raise BadData(
                f"the archive cannot be read ({error})", self.where, "get it again, whole"
            ) from error
        if len(members) > MEMBERS:
            raise TooLarge(f"has {len(members):,} members; {MEMBERS} are taken", self.where)
        total = sum(one.file_size for one in members)
        if total > self._left:
            raise TooLarge(f"unpacks to {total:,} bytes; {self._left:,} are taken", self.where)
        names = [one.filename for one in members]
        if len(set(names)) < len(names):
            raise BadData("has two members of one name", self.where, "get it again from the city itself")
        self._members = {one.filename: one for one in members}

    def _small(self, name: str, most: int) -> bytes | None:
        about = self._members.get(name)
        if about is None:
            return None
        if about.compress_type == zipfile.ZIP_STORED and about.file_size <= most:
            return self._stored(about)
        return b"".join(self._read(about, min(about.file_size, most)))

    def _stored(self, about: zipfile.ZipInfo) -> bytes:
        """The bytes of a document as they stand, whatever its checksum: who changed one in it is told by the signature."""
        with self._path.open("rb") as file:
            file.seek(about.header_offset)
            head = file.read(30)
            if len(head) < 30 or head[:4] != b"PK\3\4":
                raise BadData("is damaged (no header)", about.filename[:80], "get the package again, whole")
            file.seek(int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little"), 1)
            return file.read(about.file_size)

    def _read(self, about: zipfile.ZipInfo, most: int) -> Iterator[bytes]:
        """The bytes of a member, never more than `most` and than are left for the package."""
        assert self._archive is not None
        if about.flag_bits & 1 or about.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise BadData(
                "is packed in another way than stored or deflated", about.filename[:80], "pack it again"
            )
        count = 0
        try:
            with self._archive.open(about) as member:
                while block := member.read(_BLOCK):
                    count += len(block)
                    self._left -= len(block)
                    if count > most or self._left < 0:
                        raise TooLarge("is larger than it says or than is taken", about.filename[:80])
                    yield block
        except (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError) as error:
            raise BadData(
                f"is damaged ({error})", about.filename[:80], "get the package again, whole"
            ) from error
        except Exception as error:  # zlib.error is nobody's child
            if isinstance(error, TooLarge):
                raise
            raise BadData(
                f"is damaged ({error})", about.filename[:80], "get the package again, whole"
            ) from error


def parsed(raw: bytes, where: str) -> dict[str, Any]:
    """A JSON object, each name once in each.

    Raises:
        BadData: it is none.
    """

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise ValueError("a name stands twice in one object")
        return found

    def no(name: str) -> Any:
        raise ValueError(f"{name} is no JSON")

    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=once, parse_constant=no)
    except (ValueError, RecursionError) as error:
        raise BadData(f"is no JSON ({str(error)[:120]})", where, "get it again, whole") from error
    if not isinstance(value, dict):
        raise BadData("is no JSON object", where, "get it again, whole")
    return value


def keep(package: Iterator[bytes], path: Path) -> int:
    """Write a package to a file, whole or not at all; its bytes."""
    beside = path.with_name(f".{path.name}.part")
    try:
        with beside.open("wb") as out:
            for block in package:
                out.write(block)
            size = out.tell()
        shutil.move(beside, path)
    finally:
        beside.unlink(missing_ok=True)
    return size
