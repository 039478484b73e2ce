"""Who is calling: anyone, a person whom the owner has named, or the owner of a twin who shows the twin's token.

The token is a file of the twin (`owner.token`, readable by its owner only). It is compared in constant
time, through its digest, and no part of it ever reaches a log, a message or a `repr`.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from twintown.ground.errors import BadSettings, StorageFailed, Unauthenticated

TOKEN_FILE = "owner.token"
_MIN_LENGTH = 32  # characters; 24 random bytes in base64 are 32


SubjectKind = Literal["anyone", "person", "owner", "service", "peer"]
Role = Literal["viewer", "planner", "approver", "engineer", "partner", "security"]
#: The roles of people, the most powerful first.
ROLES: tuple[Role, ...] = ("security", "partner", "approver", "engineer", "planner", "viewer")
Scope = Literal["read", "run", "plan", "write", "share", "sensitive"]
#: What a token may be for: the action of that name; `sensitive` lets it read what is graded S.
SCOPES: tuple[Scope, ...] = ("read", "run", "plan", "write", "share", "sensitive")


@dataclass(frozen=True, slots=True)
class Subject:
    """Somebody who asks.

    Attributes:
        kind: `anyone`, a `person` with roles, the `owner`, a `service` by its token, or a `peer` (another city, by the token
            of an agreement).
        twin: that the owner owns, or the person or the service works on ("" for the command line, which owns its files).
        name: of a person or a service; the DID of a peer.
        roles: of a person; what they let them do `policy.decide` says.
        agreement: by which a peer asks.
        scopes: what the token that was shown is for; none does not limit a person, and lets a service do nothing.
    """

    kind: SubjectKind
    twin: str = ""
    name: str = ""
    roles: tuple[Role, ...] = ()
    agreement: str = ""
    scopes: tuple[str, ...] = ()

    @property
    def role(self) -> Role | Literal[""]:
        """The most powerful of the roles."""
        return next((role for role in ROLES if role in self.roles), "")

    def to_dict(self) -> dict[str, Any]:
        """As a job's row keeps it."""
        said: dict[str, Any] = {"kind": self.kind, "twin": self.twin, "name": self.name, "role": self.role}
        if self.roles:
            said["roles"] = list(self.roles)
        if self.agreement:
            said["agreement"] = self.agreement
        if self.scopes:
            said["scopes"] = list(self.scopes)
        return said

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Subject:
        """The inverse of `to_dict`; rows that name one role only are read too."""
        known = said.get("roles") or ([said["role"]] if said.get("role") else [])
        return cls(
            said["kind"], said.get("twin", ""), said.get("name", ""), tuple(known), said.get("agreement", ""),
            tuple(said.get("scopes") or ()),
        )  # fmt: skip

    def author(self, said: str = "") -> dict[str, Any]:
        """Who stands beside what was done: a name, of which kind, and whether anything but their word proves it.

        Args:
            said: the name that somebody typed whom nothing identifies.
        """
        name = said.strip() if self.kind == "anyone" else self.name or self.kind
        return {"name": name, "kind": self.kind, "verified": self.kind != "anyone"}


ANYONE = Subject("anyone")
#: Whoever can run commands on the twin's files owns them; the file system has decided that already.
LOCAL_OWNER = Subject("owner")


@dataclass(frozen=True, slots=True)
class Secret:
    """The digest of a token; the token itself is not kept in memory."""

    digest: bytes = field(repr=False)

    def matches(self, token: str) -> bool:
        """Constant-time comparison with what a caller sent."""
        return hmac.compare_digest(self.digest, _digest(token))


class Known(Protocol):
    """The people of a twin."""

    def find(self, token: bytes) -> Subject | None:
        """Whose token has this digest (SHA-256); None for nobody's."""


@dataclass(frozen=True, slots=True)
class Either:
    """Whom one of two knows, the first one first."""

    first: Known | None
    second: Known | None

    def find(self, token: bytes) -> Subject | None:
        """See `Known`."""
        for known in (self.first, self.second):
            if known is not None and (found := known.find(token)) is not None:
                return found
        return None


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def make_token(directory: Path) -> Path:
    """Write a new random token into a twin's directory, mode 0600; an existing one stays.

    Returns:
        the path of the token's file.

    Raises:
        StorageFailed: when the file cannot be written.
    """
    path = directory / TOKEN_FILE
    if path.exists():
        return path
    beside = directory / f".{TOKEN_FILE}.{secrets.token_hex(4)}"
    try:
        with os.fdopen(
            os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii"
        ) as file:
            file.write(secrets.token_urlsafe(32) + "\n")
        with suppress(
            FileExistsError
        ):  # another process was quicker; a link never replaces, and is whole at once
            os.link(beside, path)
    except OSError as error:
        raise StorageFailed(f"cannot write the owner's token: {error.strerror}", where=str(path)) from error
    finally:
        beside.unlink(missing_ok=True)
    return path


def read_secret(path: Path) -> Secret | None:
    """The digest of the token in a file (`owner.token` of a twin); without the file nobody owns it over the network.

    Raises:
        BadSettings: when others can read the file, or it is too short to be a token.
        StorageFailed: when it cannot be read.
    """
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise StorageFailed("cannot read the owner's token", where=str(path)) from error
    if os.name == "posix" and mode & 0o077:
        raise BadSettings("others can read the owner's token", where=str(path), remedy=f"chmod 600 {path}")
    if len(text) < _MIN_LENGTH:
        raise BadSettings(
            f"the owner's token is shorter than {_MIN_LENGTH} characters",
            where=str(path),
            remedy="remove the file; the next start writes a new one",
        )
    return Secret(_digest(text))


def identify(authorization: str, twin: str, secret: Secret | None, people: Known | None = None) -> Subject:
    """The subject behind an `Authorization` header ("" when there is none).

    Args:
        authorization: the header.
        twin: the twin that is asked.
        secret: of its owner; none where nobody owns it over the network.
        people: whom its owner has named.

    Raises:
        Unauthenticated: when a token was sent and is not the twin's; silently treating it as nobody's would
            hide a mistyped token behind missing layers.
    """
    if not authorization:
        return ANYONE
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() == "bearer":
        if secret is not None and secret.matches(token.strip()):
            return Subject("owner", twin)
        if people is not None and (person := people.find(_digest(token.strip()))) is not None:
            return person
    raise Unauthenticated(
        "the token is not this twin's",
        where=twin,
        remedy=f"send the content of {TOKEN_FILE}, or the token that you were given, as 'Authorization: Bearer …'",
    )
