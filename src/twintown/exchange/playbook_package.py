"""A playbook as one file that travels: a ZIP archive, signed by the city that gives it.

    manifest.json            id, version, names, author, digest of every other file, issuer, signature (eddsa-jcs-2022)
    did.json                 the issuer's DID document, as it was when the file was made
    playbook.toml            the playbook
    guide.<language>.md      how to use it, for people
    styles/<id>.json         how layers of it are drawn (MapLibre style, version 8, without sources)
    validation/<id>.json     numbers that it gave in a city

What is read here was written by somebody: only these names are taken, sizes are counted while they are read, nothing is unpacked to the
disk and nothing is run. The same files signed at the same moment give the same bytes.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from twintown.ground.errors import BadData, NotFound, TooLarge
from twintown.ground.provenance import digest
from twintown.trust.did import document, method_of
from twintown.trust.keys import Key
from twintown.trust.proof import Finding, canonical, check, sign

from .playbook import FILE, Playbook

MANIFEST, DID, TYPE, FORM = "manifest.json", "did.json", "Playbook", "1"
#: Bytes of a package, of all its files, of one file; and how many files.
MOST, MOST_UNPACKED, MOST_FILE, MEMBERS = 8_000_000, 16_000_000, 4_000_000, 100
_NAMES = re.compile(
    r"playbook\.toml|guide\.[a-z]{2}\.md|(styles|validation)/[a-z][a-z0-9]*(-[a-z0-9]+)*\.json"
)


@dataclass(frozen=True)
class Package:
    """A package that was read and is what its manifest says; whose key signed it is for `findings`.

    Args:
        raw: its bytes.
        manifest, did: its documents.
        files: the others by name.
        playbook: what its `playbook.toml` says.
    """

    raw: bytes
    manifest: Mapping[str, Any]
    did: Mapping[str, Any]
    files: Mapping[str, bytes]
    playbook: Playbook

    @property
    def digest(self) -> str:
        """Of its bytes."""
        return digest(self.raw)

    @property
    def issuer(self) -> str:
        """The DID of the city that signed it, as it says itself."""
        said = self.manifest.get("issuer")
        return str(said.get("id", "")) if isinstance(said, Mapping) else ""

    @property
    def key(self) -> str:
        """The public key (Multikey) that it says it is signed with, "" where it says none."""
        proof = self.manifest.get("proof")
        method = str(proof.get("verificationMethod", "")) if isinstance(proof, Mapping) else ""
        return method.partition("#")[2]

    @property
    def languages(self) -> tuple[str, ...]:
        """Of its guides."""
        return tuple(sorted(name[6:8] for name in self.files if name.startswith("guide.")))

    def findings(self, did: Mapping[str, Any] | None = None) -> tuple[Finding, ...]:
        """What is wrong with its signature, by the keys of a DID document (by default of the one that came with it)."""
        return check(self.manifest, self.did if did is None else did)

    def guide(self, lang: str) -> tuple[str, str]:
        """The guide in a language, or in English, or in any that there is; and in which. Raises NotFound."""
        for one in (lang, "en", *self.languages):
            if f"guide.{one}.md" in self.files:
                return self.files[f"guide.{one}.md"].decode("utf-8"), one
        raise NotFound("has no guide", f"playbook {self.playbook.id}")

    def json(self, name: str) -> Any:
        """One of its JSON files. Raises NotFound."""
        if name not in self.files:
            raise NotFound(f"has no file {name[:80]!r}", f"playbook {self.playbook.id}")
        return json.loads(self.files[name])


# -- writing ----------------------------------------------------------------------------------------------------


def folder_files(folder: Path) -> dict[str, bytes]:
    """The files of a playbook that lies in a folder, by name.

    Raises:
        NotFound: there is no `playbook.toml` in it.
        BadData: there is a file that no playbook has. TooLarge.
    """
    if not (folder / FILE).is_file():
        raise NotFound("there is no playbook.toml", str(folder), "name the folder of a playbook")
    files: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or (path.is_file() and not _NAMES.fullmatch(name)):
            raise BadData(
                f"{name[:80]!r} is no file of a playbook",
                str(folder),
                "take it out; a playbook holds text only, no code",
            )
        if path.is_file():
            if path.stat().st_size > MOST_FILE:
                raise TooLarge(f"has more than {MOST_FILE:,} bytes", name)
            files[name] = path.read_bytes()
    return files


def pack(
    files: Mapping[str, bytes], key: Key, did: str, city: Mapping[str, str], now: datetime | None = None
) -> bytes:
    """The signed package of a playbook's files.

    Args:
        key, did: of the city that gives it; `city`: its name by language.
        now: when it is signed.

    Raises:
        BadData: the files are no playbook.
        TooLarge: it would be larger than is taken.
    """
    playbook = _sound(files)
    at = (now or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)
    manifest = {
        "type": TYPE, "form": FORM, "id": playbook.id, "version": playbook.version, "names": playbook.names.to_dict(),
        "author": dict(playbook.author), "files": {name: digest(data) for name, data in sorted(files.items())},
        "issuer": {"id": did, "name": dict(city)}, "validFrom": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }  # fmt: skip
    signed = sign(manifest, key, method_of(did, key.public), at)
    whole = {
        MANIFEST: canonical(signed),
        DID: canonical(document(did, [key.public])),
        **dict(sorted(files.items())),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in whole.items():
            about = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            about.external_attr, about.create_system, about.compress_type = (
                0o644 << 16,
                3,
                zipfile.ZIP_DEFLATED,
            )
            archive.writestr(about, data)
    if out.tell() > MOST:
        raise TooLarge(f"has {out.tell():,} bytes; {MOST:,} are taken", playbook.id)
    return out.getvalue()


# -- reading ----------------------------------------------------------------------------------------------------


def read(raw: bytes) -> Package:
    """A package from its bytes: every file is what the manifest says, and there is no other.

    Raises:
        BadData: it is none, damaged, holds a file that no playbook has, or other bytes than its manifest says.
        TooLarge: it is larger than is taken.
    """
    if len(raw) > MOST:
        raise TooLarge(f"has {len(raw):,} bytes; {MOST:,} are taken", "playbook")
    members = _members(raw)
    try:
        manifest, did = _object(members.pop(MANIFEST), MANIFEST), _object(members.pop(DID), DID)
    except KeyError as error:
        raise BadData(
            f"the archive holds no {error.args[0]}", "playbook", "export it with `twintown playbook export`"
        ) from error
    for name in members:
        if not _NAMES.fullmatch(name):
            raise BadData(
                f"holds {name[:80]!r}, which is no file of a playbook",
                "playbook",
                "a playbook holds text only, no code",
            )
    said = manifest.get("files")
    if manifest.get("type") != TYPE or manifest.get("form") != FORM or not isinstance(said, Mapping):
        raise BadData("is no manifest of a playbook of this form", MANIFEST, "export it anew")
    if set(said) != set(members):
        odd = sorted(set(said) ^ set(members))[0]
        raise BadData(
            f"{odd[:80]!r} is in the manifest or in the archive only", "playbook", "get it again, whole"
        )
    for name, data in members.items():
        if said[name] != digest(data):
            raise BadData(
                "holds other bytes than the manifest says", name, "get it again from the city itself"
            )
    playbook = _sound(members)
    if (playbook.id, playbook.version) != (manifest.get("id"), manifest.get("version")):
        raise BadData("names another playbook than it holds", MANIFEST, "export it anew")
    return Package(raw, manifest, did, members, playbook)


def _members(raw: bytes) -> dict[str, bytes]:
    try:
        archive = zipfile.ZipFile(io.BytesIO(raw))
        listed = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise BadData(f"is no archive ({str(error)[:120]})", "playbook", "get it again, whole") from error
    names = [one.filename for one in listed]
    if len(names) > MEMBERS or sum(one.file_size for one in listed) > MOST_UNPACKED:
        raise TooLarge(f"holds more than {MEMBERS} files or {MOST_UNPACKED:,} bytes", "playbook")
    if len(set(names)) < len(names):
        raise BadData("has two members of one name", "playbook", "get it again from the city itself")
    found = {}
    with archive:
        for one in listed:
            if one.flag_bits & 1 or one.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise BadData("is packed in another way than stored or deflated", one.filename[:80])
            try:
                with archive.open(one) as member:  # what it says of its size is not believed
                    found[one.filename] = member.read(MOST_FILE + 1)
            except Exception as error:  # zlib.error is nobody's child
                raise BadData(
                    f"is damaged ({type(error).__name__})", one.filename[:80], "get it again, whole"
                ) from error
            if len(found[one.filename]) > MOST_FILE:
                raise TooLarge(f"has more than {MOST_FILE:,} bytes", one.filename[:80])
    return found


def _sound(files: Mapping[str, bytes]) -> Playbook:
    """The playbook of files that fit together. Raises BadData."""
    if FILE not in files:
        raise BadData("there is no playbook.toml", "playbook")
    playbook = Playbook.parse(files[FILE])
    for name, data in files.items():
        if name.endswith(".json"):
            _object(data, name)
        else:
            try:
                data.decode("utf-8")
            except UnicodeDecodeError as error:
                raise BadData("is not UTF-8", name, "save it as UTF-8") from error
    wanted = [f"styles/{playbook.answer.style}.json"] if playbook.answer.style else []
    for name in (*wanted, *(one.file for one in playbook.validation if one.file)):
        if name not in files:
            raise BadData(f"names {name[:80]!r}, which is not there", FILE, "add the file")
    return playbook


def _object(raw: bytes, where: str) -> dict[str, Any]:
    """A JSON object, each name once in each. Raises BadData."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise ValueError("a name stands twice in one object")
        return found

    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise BadData(f"is no JSON ({str(error)[:120]})", where, "get it again, whole") from error
    if not isinstance(value, dict):
        raise BadData("is no JSON object", where)
    return value
