"""The people whom a twin's owner has named: who they are, what they may do, and how they show it.

    people.toml      [[people]]  name, role (one of `identity.ROLES`, or a list of them), sha256 (of their token, in hex), since

The file belongs to the owner only (mode 0600). A token is shown once, when a person is added; the file keeps its digest.
Tokens are 32 random bytes, so that a plain digest of one cannot be guessed backwards.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

from twintown.ground.errors import BadSettings, NotFound, StorageFailed
from twintown.trust.identity import ROLES as ROLES
from twintown.trust.identity import Role as Role
from twintown.trust.identity import Subject

FILE = "people.toml"
_LONGEST = 80  # characters of a name


@dataclass(frozen=True, slots=True)
class Person:
    """One `[[people]]`: name, roles, SHA-256 of the token in hex, the day of entry (ISO 8601)."""

    name: str
    roles: tuple[Role, ...]
    sha256: str
    since: str = ""

    @property
    def role(self) -> str:
        """The roles as words."""
        return " ".join(self.roles)


class People:
    """The people of one twin; read again whenever the file has changed, so that nobody has to start the server anew."""

    def __init__(self, directory: Path, twin: str) -> None:
        self._path = directory / FILE
        self._twin = twin
        self._lock = Lock()
        self._seen: tuple[int, int, int] | None = None
        self._known: dict[bytes, Subject] = {}

    def find(self, token: bytes) -> Subject | None:
        """Whose token has this digest (SHA-256); None for nobody's.

        What is looked up is a digest, so the time that it takes says nothing of a token.

        Raises:
            BadSettings, StorageFailed: see `read_people`.
        """
        try:
            said = self._path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageFailed("cannot read who may plan here", str(self._path)) from error
        mark = (said.st_mtime_ns, said.st_size, said.st_ino)
        with self._lock:
            if mark != self._seen:
                people = read_people(self._path.parent)
                self._known = {
                    bytes.fromhex(one.sha256): Subject("person", self._twin, one.name, one.roles)
                    for one in people
                }
                self._seen = mark
            return self._known.get(token)


def read_people(directory: Path) -> tuple[Person, ...]:
    """The people of a twin's directory, in the order of the file; none where there is no file.

    Raises:
        BadSettings: others can read the file, or an entry cannot be used.
        StorageFailed: it cannot be read.
    """
    path = directory / FILE
    try:
        mode, text = path.stat().st_mode, path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise StorageFailed("cannot read who may plan here", str(path)) from error
    if os.name == "posix" and mode & 0o077:
        raise BadSettings("others can read who may plan here", str(path), f"chmod 600 {path}")
    try:
        entries = tomllib.loads(text).get("people", [])
    except tomllib.TOMLDecodeError as error:
        raise BadSettings(f"is not TOML: {error}", str(path), "mend that line") from error
    return tuple(_person(entry, f"{path}: people[{i}]") for i, entry in enumerate(entries))


def _person(entry: object, where: str) -> Person:
    if not isinstance(entry, dict) or not {"name", "role", "sha256"} <= set(entry):
        raise BadSettings("name, role and sha256 are needed", where, "use `twintown people add`")
    name, sha256 = str(entry["name"]), str(entry["sha256"])
    roles = _roles(entry["role"], where)
    try:
        whole = len(bytes.fromhex(sha256)) == 32
    except ValueError:
        whole = False
    if not whole:
        raise BadSettings("sha256 is no digest of a token", where, "use `twintown people add`")
    return Person(_checked(name, where), roles, sha256.lower(), str(entry.get("since", "")))


def _roles(said: object, where: str) -> tuple[Role, ...]:
    named = said if isinstance(said, list | tuple) else [said]
    if unknown := [one for one in named if one not in ROLES]:
        raise BadSettings(f"{unknown[0]!r} is no role", where, f"write one of {', '.join(ROLES)}")
    if not named:
        raise BadSettings("names no role", where, f"write one of {', '.join(ROLES)}")
    return tuple(role for role in ROLES if role in named)


def _checked(name: str, where: str) -> str:
    name = name.strip()
    if not name or len(name) > _LONGEST or not name.isprintable():
        raise BadSettings(f"{name[:_LONGEST]!r} is no name", where, f"write up to {_LONGEST} letters")
    return name


def add_person(directory: Path, name: str, role: str | Sequence[str]) -> str:
    """Name a person; a name that is there already gets a new token and its role or roles.

    Returns:
        the token, which is kept nowhere.

    Raises:
        BadSettings: no such role, a bad name; StorageFailed: the file cannot be written.
    """
    roles = _roles([role] if isinstance(role, str) else list(role), "--role")
    name = _checked(name, "--name")
    token = secrets.token_urlsafe(32)
    entry = Person(
        name,
        roles,
        hashlib.sha256(token.encode()).hexdigest(),
        datetime.now(UTC).date().isoformat(),
    )
    _write(directory, [*(one for one in read_people(directory) if one.name != name), entry])
    return token


def remove_person(directory: Path, name: str) -> None:
    """Take a person out; the token opens nothing from now on. Raises NotFound, StorageFailed."""
    known = read_people(directory)
    left = [one for one in known if one.name != name.strip()]
    if len(left) == len(known):
        there = ", ".join(one.name for one in known) or "nobody"
        raise NotFound(f"nobody is called {name!r}", str(directory / FILE), f"there is {there}")
    _write(directory, left)


def _write(directory: Path, people: Sequence[Person]) -> None:
    """The whole file anew, in one step: a reader sees the old one or the new one."""
    path = directory / FILE
    beside = directory / f".{FILE}.{secrets.token_hex(4)}"
    lines = [
        "# Who may plan and approve here. Made by `twintown people`; tokens are kept by those who hold them.\n"
    ]
    for one in people:  # a JSON string is a TOML string
        name = json.dumps(one.name, ensure_ascii=False)
        role = json.dumps(one.roles[0] if len(one.roles) == 1 else list(one.roles))
        lines.append(
            f'\n[[people]]\nname = {name}\nrole = {role}\nsha256 = "{one.sha256}"\nsince = "{one.since}"\n'
        )
    try:
        opened = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(opened, "w", encoding="utf-8") as file:
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        raise StorageFailed(f"cannot write who may plan here: {error.strerror}", str(path)) from error
    finally:
        beside.unlink(missing_ok=True)
