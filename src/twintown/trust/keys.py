"""The key that a twin signs with: Ed25519, in a file of the twin that only its owner can read.

`signing.key` holds one line, the secret as a W3C Multikey (`secretKeyMultibase` of Controlled Identifiers 1.0, section 2.2.2); it is
made once, at the first signature. Public keys travel as `publicKeyMultibase` (`z6Mk…`). No secret reaches a log, a message or a `repr`.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from twintown.ground.errors import BadData, BadSettings, StorageFailed

KEY_FILE = "signing.key"
_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUE = {sign: number for number, sign in enumerate(_ALPHABET)}
#: Multicodec prefixes of Ed25519 keys, as unsigned varints: 0xed and 0x1300.
_PUBLIC, _SECRET = b"\xed\x01", b"\x80\x26"
#: Longest text that is decoded; the arithmetic grows with its square.
_LONGEST = 256


def to_multibase(data: bytes) -> str:
    """`z` and the bytes in base 58 (Bitcoin's alphabet)."""
    number, signs = int.from_bytes(data, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        signs = _ALPHABET[rest] + signs
    return "z" + "1" * (len(data) - len(data.lstrip(b"\0"))) + signs


def from_multibase(text: str, where: str = "multibase") -> bytes:
    """The bytes behind `z` and base 58.

    Raises:
        BadData: another base, a sign that is none of the 58, or too long to be a key or a signature.
    """
    if not isinstance(text, str) or not text.startswith("z") or len(text) > _LONGEST:
        raise BadData(
            "is no base58btc multibase text", where, "a key or a signature here begins with the letter z"
        )
    number = 0
    for sign in text[1:]:
        if sign not in _VALUE:
            raise BadData(f"holds {sign!r}, which is no sign of base 58", where, "copy it again, whole")
        number = number * 58 + _VALUE[sign]
    zeros = len(text) - 1 - len(text[1:].lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")


def public_multibase(raw: bytes) -> str:
    """`publicKeyMultibase` of the 32 bytes of an Ed25519 public key."""
    return to_multibase(_PUBLIC + raw)


def public_bytes(multibase: str, where: str = "publicKeyMultibase") -> bytes:
    """The 32 bytes of an Ed25519 public key.

    Raises:
        BadData: it is no Ed25519 Multikey.
    """
    data = from_multibase(multibase, where)
    if len(data) != 34 or not data.startswith(_PUBLIC):
        raise BadData(
            "is no Ed25519 public key", where, "eddsa-jcs-2022 takes Multikeys that begin with z6Mk"
        )
    return data[2:]


@dataclass(frozen=True)
class Key:
    """A key to sign with. `public` is its public half as a Multikey."""

    public: str
    _secret: bytes = field(repr=False)

    @classmethod
    def of(cls, secret: bytes) -> Key:
        """From the 32 bytes of an Ed25519 secret (RFC 8032, 5.1.5)."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        raw = Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()
        return cls(public_multibase(raw), secret)

    @classmethod
    def from_multikey(cls, text: str, where: str = "secretKeyMultibase") -> Key:
        """From a `secretKeyMultibase`.

        Raises:
            BadData: it is no Ed25519 secret.
        """
        data = from_multibase(text, where)
        if len(data) != 34 or not data.startswith(_SECRET):
            raise BadData("is no Ed25519 secret key", where, "it begins with z3u2")
        return cls.of(data[2:])

    def secret_multikey(self) -> str:
        """The secret as a `secretKeyMultibase`: for the file that keeps it, and nowhere else."""
        return to_multibase(_SECRET + self._secret)

    def sign(self, message: bytes) -> bytes:
        """64 bytes (RFC 8032); the same message gives the same signature."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.from_private_bytes(self._secret).sign(message)


def fits(public: str, signature: bytes, message: bytes) -> bool:
    """Whether the signature is that key's over that message.

    Raises:
        BadData: `public` is no Ed25519 Multikey.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    raw = public_bytes(public)
    try:
        Ed25519PublicKey.from_public_bytes(raw).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def new_key() -> Key:
    """A key of 32 random bytes."""
    return Key.of(secrets.token_bytes(32))


def make_key(directory: Path) -> Path:
    """Write a new key into a twin's directory, mode 0600; an existing one stays, whoever was quicker.

    Raises:
        StorageFailed: the file cannot be written.
    """
    path = directory / KEY_FILE
    if not path.exists():
        _put(path, new_key(), anew=False)
    return path


def write_key(path: Path, key: Key) -> None:
    """Write a key into a file, mode 0600, in the place of what was there. Raises StorageFailed."""
    _put(path, key, anew=True)


def _put(path: Path, key: Key, *, anew: bool) -> None:
    beside = path.parent / f".{KEY_FILE}.{secrets.token_hex(4)}"
    try:
        with os.fdopen(
            os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii"
        ) as file:
            file.write(key.secret_multikey() + "\n")
            file.flush()
            os.fsync(file.fileno())
        if anew:
            beside.replace(path)
        else:
            with suppress(FileExistsError):  # a link never replaces, and is whole at once
                os.link(beside, path)
    except OSError as error:
        raise StorageFailed(
            f"the key to sign with cannot be written ({error.strerror})",
            str(path),
            "let this user write to the twin's directory",
        ) from error
    finally:
        beside.unlink(missing_ok=True)


def read_key(path: Path) -> Key:
    """The key in a file.

    Raises:
        BadSettings: others can read the file, or it holds no key.
        StorageFailed: it cannot be read.
    """
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StorageFailed("the key to sign with cannot be read", str(path)) from error
    if os.name == "posix" and mode & 0o077:
        raise BadSettings("others can read the key to sign with", str(path), f"chmod 600 {path}")
    try:
        return Key.from_multikey(text, str(path))
    except BadData as error:
        raise BadSettings(
            f"holds no key ({error.what})", str(path), "put the key back; a new one makes other signatures"
        ) from error


def signing_key(directory: Path) -> Key:
    """The key of the twin in `directory`, made where there is none. Raises like `make_key` and `read_key`."""
    return read_key(make_key(directory))
