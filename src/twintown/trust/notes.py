"""Signed notes: a text and lines of signatures below it (C2SP signed-note, c2sp.org/signed-note).

    text, ending in a newline
                                    (an empty line)
    — <key name> <base64 of 4 bytes of key id and the signature>

Two types of signature are known: 0x01, Ed25519 over the text, and 0x04, a witness's Ed25519 over a time and the text
(C2SP tlog-cosignature). Signatures of others are carried along and never believed.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from twintown.ground.errors import BadData

from .keys import Key, fits, public_bytes

ED25519, COSIGNATURE = 0x01, 0x04
#: Longest note, bytes, and most signatures on one.
LONGEST, MOST = 64 * 1024, 64
_DASH = "\u2014"
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


@dataclass(frozen=True, slots=True)
class Signature:
    """One line: whose (key name), by which key (4 bytes), and the bytes of the signature."""

    name: str
    id: bytes
    value: bytes

    def line(self) -> str:
        return f"{_DASH} {self.name} {base64.b64encode(self.id + self.value).decode()}\n"


@dataclass(frozen=True, slots=True)
class Verifier:
    """A key that is believed: its name, its public half (Multikey), and which type of signature it makes."""

    name: str
    public: str
    type: int = ED25519

    @property
    def id(self) -> bytes:
        return key_id(self.name, self.type, public_bytes(self.public))

    def vkey(self) -> str:
        """As other tools read it: name, key id in hexadecimal, and base64 of type and key, joined by `+`."""
        key = base64.b64encode(bytes([self.type]) + public_bytes(self.public)).decode()
        return f"{self.name}+{self.id.hex()}+{key}"


@dataclass(frozen=True, slots=True)
class Note:
    """A text (with its newline at the end) and its signatures, in their order."""

    text: str
    signatures: tuple[Signature, ...] = ()

    def encode(self) -> str:
        return f"{self.text}\n{''.join(one.line() for one in self.signatures)}"

    def signed(self, *more: Signature) -> Note:
        """With further signatures; one by the same name and key replaces the old one."""
        new = {(one.name, one.id) for one in more}
        kept = tuple(one for one in self.signatures if (one.name, one.id) not in new)
        return Note(self.text, kept + more)

    @classmethod
    def parse(cls, said: str | bytes, where: str = "note") -> Note:
        """Read a note; nothing is believed yet.

        Raises:
            BadData: it is too long, no UTF-8, has control characters, or is not built as a note.
        """
        if len(said) > LONGEST:
            raise BadData(f"is longer than {LONGEST} bytes", where)
        try:
            whole = said.decode("utf-8") if isinstance(said, bytes) else said
        except UnicodeDecodeError as error:
            raise BadData("is not UTF-8", where) from error
        if _CONTROL.search(whole):
            raise BadData("has control characters", where)
        text, between, lines = whole.rpartition("\n\n")
        if not between or not lines.endswith("\n"):
            raise BadData("is no signed note", where, "see c2sp.org/signed-note")
        return cls(f"{text}\n", signatures(lines, where))


def signatures(lines: str, where: str = "note") -> tuple[Signature, ...]:
    """The signatures in lines, each ended by a newline. Raises BadData."""
    found = lines.split("\n")
    if found.pop() or not found or len(found) > MOST:
        raise BadData(f"has no line of a signature, or more than {MOST}", where)
    return tuple(_signature(line, where) for line in found)


def _signature(line: str, where: str) -> Signature:
    dash, _, rest = line.partition(" ")
    name, between, value = rest.rpartition(" ")
    try:
        raw = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadData("has a signature that is no base64", where) from error
    if dash != _DASH or not between or not good_name(name) or len(raw) < 5:
        raise BadData("has a line that is no signature", where)
    return Signature(name, raw[:4], raw[4:])


def good_name(name: str) -> bool:
    """Whether a key may be called so: not empty, no spaces, no plus."""
    return bool(name) and "+" not in name and not any(sign.isspace() for sign in name)


def key_id(name: str, type: int, key: bytes) -> bytes:
    """The first 4 bytes of SHA-256(name ‖ newline ‖ type ‖ key)."""
    return sha256(f"{name}\n".encode() + bytes([type]) + key).digest()[:4]


def sign(text: str, name: str, key: Key) -> Signature:
    """An Ed25519 signature over the text.

    Raises:
        BadData: the name is none, or the text does not end in a newline.
    """
    if not good_name(name) or not text.endswith("\n") or _CONTROL.search(text):
        raise BadData("cannot be signed as a note", name[:200])
    return Signature(name, key_id(name, ED25519, public_bytes(key.public)), key.sign(text.encode()))


def cosign(text: str, name: str, key: Key, time: int) -> Signature:
    """A witness's signature over the text, with the time of it (POSIX seconds)."""
    value = time.to_bytes(8, "big") + key.sign(_cosigned(text, time))
    return Signature(name, key_id(name, COSIGNATURE, public_bytes(key.public)), value)


def _cosigned(text: str, time: int) -> bytes:
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def cosigned_at(signature: Signature) -> int:
    """When a witness signed (POSIX seconds). Raises BadData: it is no cosignature of type 0x04."""
    if len(signature.value) != 72:
        raise BadData("is no cosignature", signature.name[:200])
    return int.from_bytes(signature.value[:8], "big")


def verified(note: Note, known: Sequence[Verifier], where: str = "note") -> dict[Verifier, Signature]:
    """The signatures of known keys. Those of unknown ones are left out.

    Raises:
        BadData: a known key's signature does not fit, so somebody has changed the note.
    """
    found = dict[Verifier, Signature]()
    keys = {(one.name, one.id): one for one in known}
    for signature in note.signatures:
        key = keys.get((signature.name, signature.id))
        if key is None:
            continue
        if not _fits(key, signature, note.text):
            raise BadData(f"has a signature of {key.name} that does not fit", where, "somebody changed it")
        found.setdefault(key, signature)
    return found


def _fits(key: Verifier, signature: Signature, text: str) -> bool:
    value = signature.value
    if key.type == ED25519:
        return len(value) == 64 and fits(key.public, value, text.encode())
    if key.type == COSIGNATURE and len(value) == 72:
        return fits(key.public, value[8:], _cosigned(text, cosigned_at(signature)))
    return False
