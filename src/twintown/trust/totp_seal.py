"""Second factors lie sealed in the database: AES-256-GCM (NIST SP 800-38D) under a key that only the twin's folder holds.

`totp.key` holds one line, 32 random bytes in hexadecimal; it is made at the first use, mode 0600, beside the key that the twin signs with.
Whoever gets the database alone learns no secret, and cannot put that of one account under another name or into another state: the twin,
the account and the state are what the seal is over (its associated data).
"""

from __future__ import annotations

import os
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from twintown.ground.errors import BadSettings, StorageFailed

FILE = "totp.key"
#: Bytes of the key, and of the random number before each sealed text (96 bits: SP 800-38D, 8.2.2).
_KEY, _NONCE = 32, 12
_LINE = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Seal:
    """Seals and opens the second factors of the twin in `directory`; the key is read when it is needed."""

    directory: Path

    def close(self, text: str, over: str) -> str:
        """`text` sealed: random number, ciphertext and tag, in URL-safe base 64.

        Args:
            over: what it belongs to; it is opened with the same words only.

        Raises:
            BadSettings, StorageFailed: see `key`.
        """
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = secrets.token_bytes(_NONCE)
        closed = AESGCM(self.key()).encrypt(nonce, text.encode(), over.encode())
        return urlsafe_b64encode(nonce + closed).decode()

    def open(self, sealed: str, over: str) -> str:
        """What was sealed.

        Raises:
            BadSettings: it was sealed with another key, for something else, or was changed; see also `key`.
            StorageFailed: see `key`.
        """
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            data = urlsafe_b64decode(sealed)
            return AESGCM(self.key()).decrypt(data[:_NONCE], data[_NONCE:], over.encode()).decode()
        except (ValueError, InvalidTag) as error:
            raise BadSettings(
                "the second factor of an account cannot be opened with this key", str(self.directory / FILE),
                "put the file back as it was, or end the second factor (`twintown account totp --off`)",
            ) from error  # fmt: skip

    def key(self) -> bytes:
        """The key, made where there is none.

        Raises:
            BadSettings: others can read the file, or it holds no key. StorageFailed: it can be neither read nor written.
        """
        path = self.directory / FILE
        try:
            if not path.exists():
                _make(path)
            mode, line = path.stat().st_mode, path.read_text(encoding="ascii").strip()
        except UnicodeDecodeError:
            line = ""
        except OSError as error:
            raise StorageFailed(
                f"the key of the second factors cannot be used ({error.strerror})", str(path),
                "let this user write to the twin's directory",
            ) from error  # fmt: skip
        if not _LINE.fullmatch(line):
            raise BadSettings("holds no key", str(path), "put the file back as it was")
        if os.name == "posix" and mode & 0o077:
            raise BadSettings("others can read the key of the second factors", str(path), f"chmod 600 {path}")
        return bytes.fromhex(line)


def _make(path: Path) -> None:
    """A new key; an existing one stays, whoever was quicker."""
    beside = path.parent / f".{FILE}.{secrets.token_hex(4)}"
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(_KEY) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # a link never replaces, and is whole at once
            os.link(beside, path)
    finally:
        beside.unlink(missing_ok=True)
