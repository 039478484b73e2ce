"""The second factor of an account: one-time codes (TOTP, RFC 6238), and recovery codes for whom the authenticator was lost.

Who is signed in begins it (a secret is shown once), confirms it by a code (then it counts, and recovery codes are shown once), and ends
it by a code. What an account has lies in column `totp`, sealed (`totp_seal`): nothing; `new:` what was begun and is not asked for yet;
`on:` what is asked for. A text with neither word is a secret of older days, in the open; it is sealed when its owner signs in next.

A recovery code names its place, so that one Argon2 digest decides, and is taken once: the row changes only if it is still as it was.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, delete, select, update

from twintown.ground.errors import BadInput, Conflict, Denied, NotFound, TooMany, Unauthenticated
from twintown.store.engine import reading, writing
from twintown.store.schema_shared import accounts as table
from twintown.store.schema_shared import sessions
from twintown.store.tables import Tables

from . import tries
from .passwords import address_of, digest_of, fits, new_secret, step_of
from .totp_seal import Seal

State = Literal["off", "begun", "on"]
#: How many recovery codes somebody gets; each is of 60 random bits.
SPARE = 8
_SIGNS = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: none is taken for another
_SPARE = re.compile(r"([1-8])((?:[0-9a-hjkmnp-tv-z]{4}){3})")


@dataclass(frozen=True, slots=True)
class Factor:
    """What one account has. `spare`: digests of its recovery codes by place, "" where one was used."""

    state: State
    secret: str = field(default="", repr=False)
    spare: tuple[str, ...] = field(default=(), repr=False)

    @property
    def left(self) -> int:
        """How many recovery codes can still be used."""
        return sum(map(bool, self.spare))


@dataclass(frozen=True, slots=True)
class Begun:
    """What is shown once to whom begins: the secret, and the address that an authenticator reads."""

    secret: str = field(repr=False)
    address: str = field(repr=False)


def asked(kept: str) -> bool:
    """Whether a code is asked for, by what the row holds."""
    return bool(kept) and not kept.startswith("new:")


def sealed(factor: Factor, twin: str, name: str, seal: Seal) -> str:
    """What the row holds of a factor. Raises BadSettings, StorageFailed."""
    if factor.state == "off":
        return ""
    mark = "on" if factor.state == "on" else "new"
    inside = json.dumps({"secret": factor.secret, "spare": list(factor.spare)})
    return f"{mark}:{seal.close(inside, _over(mark, twin, name))}"


def opened(kept: str, twin: str, name: str, seal: Seal) -> Factor:
    """The factor that a row holds. Raises BadSettings, StorageFailed."""
    if not kept:
        return Factor("off")
    mark, apart, closed = kept.partition(":")
    if not apart:
        return Factor("on", kept)  # of older days
    said: Mapping[str, Any] = json.loads(seal.open(closed, _over(mark, twin, name)))
    return Factor("on" if mark == "on" else "begun", said["secret"], tuple(said["spare"]))


def _over(mark: str, twin: str, name: str) -> str:
    return json.dumps(["twintown second factor", mark, twin, name])


# -- signing in --------------------------------------------------------------------------------------------


def spare_of(row: Row[Any] | None, twin: str, code: str, seal: Seal) -> int | None:
    """The place of the recovery code that was given, if it is one of this account's.

    Whatever looks like one costs one digest, whoever it is said of. Takes as long as a password does: not within a transaction.
    """
    found = _SPARE.fullmatch(_plain(code))
    if found is None:
        return None
    place, spare = int(found[1]) - 1, tuple[str, ...]()
    if row is not None and asked(row.totp):
        spare = opened(row.totp, twin, row.name, seal).spare
    digest = spare[place] if place < len(spare) else ""
    return place if fits(digest, found[2]) else None


def passed(
    connection: Connection, twin: str, row: Row[Any], code: str, spare: int | None, seal: Seal, now: datetime
) -> bool:
    """Whether a code fits where one is asked for; each is taken once, whoever else shows it at this moment.

    Args:
        connection: of `store.engine.writing`.
        spare: the answer of `spare_of`.

    Raises:
        BadSettings, StorageFailed: what the row holds cannot be opened.
    """
    if not asked(row.totp):
        return True
    factor = opened(row.totp, twin, row.name, seal)
    values: dict[str, Any] = {}
    if spare is not None:
        left = (*factor.spare[:spare], "", *factor.spare[spare + 1 :])
        values["totp"] = sealed(replace(factor, spare=left), twin, row.name, seal)
    else:
        step = step_of(factor.secret, code, now, row.totp_last)
        if step is None:
            return False
        values["totp_last"] = step
        if ":" not in row.totp:
            values["totp"] = sealed(factor, twin, row.name, seal)
    same = (table.c.totp == row.totp) & (table.c.totp_last == row.totp_last)
    mine = (table.c.twin == twin) & (table.c.name == row.name) & same
    return connection.execute(update(table).where(mine).values(**values)).rowcount == 1


# -- who is signed in changes it ----------------------------------------------------------------------------


def look(tables: Tables, name: str, seal: Seal) -> Factor:
    """What an account has. Raises NotFound, BadSettings, StorageFailed."""
    with reading(tables.engine) as connection:
        row = _row(connection, tables.twin, name)
    return opened(row.totp, tables.twin, name, seal)


def begin(tables: Tables, name: str, password: str, address: str, seal: Seal, now: datetime) -> Begun:
    """A new secret for an account; nothing is asked for until it was confirmed. Beginning again makes another one.

    Args:
        password: of the account: an open page alone is not enough.
        address: of the caller, as a number; failures are counted as those of signing in are.

    Raises:
        BadInput: the account is an OpenID provider's. Denied: the password does not fit. TooMany: after failures.
        Conflict: it has one already. StorageFailed, BadSettings.
    """
    row = _own(tables, name)
    _check(tables, name, address, now, lambda: fits(row.password, password), "the password does not fit")
    if asked(row.totp):
        raise Conflict("the account asks for one-time codes already", name, "end that first")
    secret = new_secret()
    kept = sealed(Factor("begun", secret), tables.twin, name, seal)
    _put(tables, row, {"totp": kept, "totp_last": 0})
    return Begun(secret, address_of(secret, name, tables.twin))


def confirm(
    tables: Tables, name: str, code: str, address: str, seal: Seal, now: datetime, session: str = ""
) -> list[str]:
    """From now on codes are asked for; other sessions of the account end.

    Args:
        code: six digits of the secret that was begun.
        session: the digest of the session that stays.

    Returns:
        the recovery codes, which are kept nowhere.

    Raises:
        Conflict: nothing was begun. Denied: the code does not fit. TooMany: after failures. StorageFailed, BadSettings.
    """
    row = _own(tables, name)
    factor = opened(row.totp, tables.twin, name, seal)
    if factor.state != "begun":
        raise Conflict("nothing was begun that a code could confirm", name, "begin it first")
    step = step_of(factor.secret, code, now, row.totp_last)
    _check(tables, name, address, now, lambda: step is not None, "the code does not fit")
    codes = ["".join(secrets.choice(_SIGNS) for _ in range(12)) for _ in range(SPARE)]
    done = Factor("on", factor.secret, tuple(digest_of(one) for one in codes))
    _put(tables, row, {"totp": sealed(done, tables.twin, name, seal), "totp_last": step}, session)
    return [f"{place}-{one[:4]}-{one[4:8]}-{one[8:]}" for place, one in enumerate(codes, 1)]


def end(tables: Tables, name: str, code: str, address: str, seal: Seal, now: datetime) -> None:
    """No code is asked for any more. What was only begun ends without a code.

    Args:
        code: six digits, or a recovery code.

    Raises:
        Denied: the code does not fit. TooMany: after failures. StorageFailed, BadSettings.
    """
    row = _own(tables, name)
    if asked(row.totp):
        factor = opened(row.totp, tables.twin, name, seal)

        def fit() -> bool:
            spare = spare_of(row, tables.twin, code, seal)
            return spare is not None or step_of(factor.secret, code, now, row.totp_last) is not None

        _check(tables, name, address, now, fit, "the code does not fit")
    _put(tables, row, {"totp": "", "totp_last": 0})


def _check(
    tables: Tables, name: str, address: str, now: datetime, fit: Callable[[], bool], wrong: str
) -> None:
    """What somebody shows who is signed in; a failure counts as one to sign in does. Raises Denied, TooMany."""
    if not tries.admit(tables, name, address, now):
        raise TooMany("too many failures", "session", "wait a little, then try again")
    if not fit():
        raise Denied(wrong, "session", "try again; after several failures wait a little first", "factor")
    tries.clear(tables, name, address)


def _own(tables: Tables, name: str) -> Row[Any]:
    """The row of somebody who is signed in. Raises BadInput: their second factor is the provider's; Unauthenticated, NotFound."""
    with reading(tables.engine) as connection:
        row = _row(connection, tables.twin, name)
    if row.issuer:
        raise BadInput("the account is an OpenID provider's", name, "set its second factor there")
    if row.disabled is not None:
        raise Unauthenticated("this account was closed", "session", "ask the twin's owner")
    return row


def _row(connection: Connection, twin: str, name: str) -> Row[Any]:
    row = connection.execute(select(table).where(table.c.twin == twin, table.c.name == name)).first()
    if row is None:
        raise NotFound("there is no such account", twin)
    return row


def _put(tables: Tables, row: Row[Any], values: Mapping[str, Any], session: str | None = None) -> None:
    """Change a row that is still as it was read. Raises Conflict: it is not."""
    same = (table.c.totp == row.totp) & (table.c.totp_last == row.totp_last)
    mine = (table.c.twin == tables.twin) & (table.c.name == row.name) & same
    with writing(tables.engine) as connection:
        if connection.execute(update(table).where(mine).values(**values)).rowcount != 1:
            raise Conflict("the account was changed at the same moment", row.name, "try again")
        if session is not None:
            others = (sessions.c.account == row.name) & (sessions.c.digest != session)
            connection.execute(delete(sessions).where(sessions.c.twin == tables.twin, others))


def _plain(code: str) -> str:
    """A recovery code as somebody may write it, without what stands between its signs."""
    return re.sub(r"[\s-]", "", code).lower()
