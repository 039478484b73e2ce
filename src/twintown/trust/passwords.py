"""Passwords as Argon2id digests (RFC 9106), and the one-time codes beside them (TOTP, RFC 6238).

64 MiB, 3 passes, 1 lane: the second recommended choice of RFC 9106, section 4, with one lane instead of four, because the machines that
serve a twin have few processors. At most two are computed at once in a process: who tries many passwords waits, the twin goes on.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from functools import lru_cache
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

from twintown.ground.errors import BadInput, TooMany

if TYPE_CHECKING:
    from argon2 import PasswordHasher

#: Passes, KiB of memory, lanes.
TIME, MEMORY, LANES = 3, 65536, 1
SHORTEST, LONGEST = 12, 200
#: Seconds that a code stands for, and how many codes before and after the present one are taken (clocks differ).
STEP_S, AROUND = 30, 1
_AT_ONCE = BoundedSemaphore(2)
_PATIENCE_S = 10.0


def check_password(password: str, name: str = "") -> str:
    """A password that may be chosen: long (NIST SP 800-63B asks for length, not for kinds of signs), and not the name.

    Raises:
        BadInput: too short, too long, the name, or one sign over and over. It is not repeated.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise BadInput(f"a password has {SHORTEST} to {LONGEST} characters", "password", "choose another one")
    if len(set(password)) < 5 or (name and name.casefold() in password.casefold()):
        raise BadInput("the password is easy to guess", "password", "choose several words")
    return password


def digest_of(password: str) -> str:
    """The Argon2id digest of a password with a salt of its own, in the form `$argon2id$…`. Raises TooMany."""
    with _turn():
        return _hasher().hash(password.encode("utf-8", "surrogatepass"))


def fits(digest: str, password: str) -> bool:
    """Whether a password is the one of a digest; "" is the digest of nobody, and takes as long. Raises TooMany."""
    from argon2.exceptions import Argon2Error, InvalidHashError

    with _turn():
        try:
            same = _hasher().verify(digest or _nobody(), password.encode("utf-8", "surrogatepass"))
        except (Argon2Error, InvalidHashError):
            return False
    return bool(digest) and same


def outdated(digest: str) -> bool:
    """Whether a digest was made with other parameters than those of today."""
    return _hasher().check_needs_rehash(digest)


class _turn:
    """One of the few places where digests are computed."""

    def __enter__(self) -> None:
        if not _AT_ONCE.acquire(timeout=_PATIENCE_S):
            raise TooMany("too many sign in at this moment", "password", "try again in a minute")

    def __exit__(self, *_: object) -> None:
        _AT_ONCE.release()


@lru_cache(1)
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=TIME, memory_cost=MEMORY, parallelism=LANES)


@lru_cache(1)
def _nobody() -> str:
    return _hasher().hash(secrets.token_bytes(16))


def new_secret() -> str:
    """A secret for one-time codes: 160 bits in base 32 (RFC 4226 asks for 128 at least)."""
    import pyotp

    return str(pyotp.random_base32())


def address_of(secret: str, name: str, twin: str) -> str:
    """The `otpauth://` address that an authenticator reads. It holds the secret."""
    import pyotp

    return str(
        pyotp.TOTP(secret, interval=STEP_S).provisioning_uri(name=name, issuer_name=f"Twintown {twin}")
    )


def step_of(secret: str, code: str, now: datetime, last: int) -> int | None:
    """Which step of time a code is of, if it is good and was not used: later than `last`. None for a bad code."""
    import pyotp

    made = pyotp.TOTP(secret, interval=STEP_S)
    present = int(now.timestamp()) // STEP_S
    given = code.replace(" ", "")
    found: int | None = None
    for step in range(present - AROUND, present + AROUND + 1):  # all of them, whichever fits
        if secrets.compare_digest(
            str(made.at(step * STEP_S)).encode(), given.encode("utf-8", "surrogatepass")
        ):
            found = step if step > last else found
    return found
