"""Accounts: people who sign in to a twin by name and password, or through an OpenID provider, and the roles that they have.

Whatever is wrong (no such name, a wrong password, a missing, wrong or used code, an account that was closed, a pause after failures) the
answer has the same words and takes the same time: a digest is computed in every case.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from twintown.ground.errors import BadInput, Conflict, NotFound, Unauthenticated
from twintown.store.engine import reading, writing
from twintown.store.schema_shared import accounts as table
from twintown.store.schema_shared import sessions
from twintown.store.tables import Tables

from . import second_factor, tries
from .identity import ROLES, Role
from .passwords import check_password, digest_of, fits, outdated
from .totp_seal import Seal

_LONGEST = 80  # characters of a name


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may sign in.

    Attributes:
        kind: `password`, or `oidc` for whom an OpenID provider vouches.
        totp: whether a one-time code is asked for.
    """

    name: str
    roles: tuple[Role, ...]
    kind: str
    totp: bool
    created: datetime
    disabled: datetime | None = None


def roles_of(said: Sequence[str], where: str = "roles") -> tuple[Role, ...]:
    """Roles, each once, in the order of `ROLES`. Raises BadInput: there is no such role, or none."""
    if unknown := sorted(set(said) - set(ROLES)):
        raise BadInput(f"{unknown[0][:40]!r} is no role", where, f"write of {', '.join(ROLES)}")
    if not said:
        raise BadInput("somebody without a role may do no more than anyone", where, "name at least one role")
    return tuple(role for role in ROLES if role in said)


def name_of(said: str, where: str = "name") -> str:
    """A name as accounts have it. Raises BadInput."""
    name = " ".join(said.split())
    if not name or len(name) > _LONGEST or not name.isprintable():
        raise BadInput(f"{said[:_LONGEST]!r} is no name", where, f"write up to {_LONGEST} letters")
    return name


def add_account(tables: Tables, name: str, roles: Sequence[str], password: str, now: datetime) -> Account:
    """A new account.

    Raises:
        BadInput: a name, role or password that cannot be taken. Conflict: the name is taken. StorageFailed.
    """
    name, known = name_of(name), roles_of(roles)
    digest = digest_of(check_password(password, name))
    row = {
        "twin": tables.twin, "name": name, "roles": list(known), "password": digest, "totp": "", "totp_last": 0, "issuer": "",
        "subject": "", "created": now.astimezone(UTC), "disabled": None,
    }  # fmt: skip
    with writing(tables.engine) as connection:
        if _row(connection, tables.twin, name) is not None:
            raise Conflict(
                f"{name!r} has an account already", tables.twin, "change it, or choose another name"
            )
        connection.execute(insert(table).values(row))
    return Account(name, known, "password", False, now)


def list_accounts(tables: Tables) -> tuple[Account, ...]:
    """All accounts of a twin, by name. Raises StorageFailed."""
    query = select(table).where(table.c.twin == tables.twin).order_by(table.c.name)
    with reading(tables.engine) as connection:
        return tuple(_account(row) for row in connection.execute(query))


def change_account(
    tables: Tables,
    name: str,
    now: datetime,
    *,
    roles: Sequence[str] | None = None,
    password: str | None = None,
    disabled: bool | None = None,
    totp: str | None = None,
) -> Account:
    """Change what is given; whoever is signed in under that name is signed out, so that nothing old goes on.

    Args:
        totp: what the row holds of the second factor (`second_factor.sealed`), "" to ask for none.

    Raises:
        NotFound: there is no such account. BadInput: see `add_account`. StorageFailed.
    """
    values: dict[str, Any] = {}
    if roles is not None:
        values["roles"] = list(roles_of(roles))
    if password is not None:
        values["password"] = digest_of(check_password(password, name))
    if disabled is not None:
        values["disabled"] = now.astimezone(UTC) if disabled else None
    if totp is not None:
        values |= {"totp": totp, "totp_last": 0}
    with writing(tables.engine) as connection:
        row = _row(connection, tables.twin, name)
        if row is None:
            raise NotFound(f"{name[:_LONGEST]!r} has no account", tables.twin, "see `twintown account list`")
        if password is not None and row.issuer:
            raise BadInput("the account is an OpenID provider's", name, "change the password there")
        if values:
            mine = (table.c.twin == tables.twin) & (table.c.name == name)
            connection.execute(update(table).where(mine).values(**values))
            ours = (sessions.c.twin == tables.twin) & (sessions.c.account == name)
            connection.execute(delete(sessions).where(ours))
            tries.forget(connection, tables.twin, tries.mark(tables.twin, "name", name))
        changed = _row(connection, tables.twin, name)
    assert changed is not None
    return _account(changed)


def sign_in(
    tables: Tables, name: str, password: str, code: str, address: str, now: datetime, seal: Seal
) -> Account:
    """Who shows a name, a password, and a one-time or recovery code where the account asks for one.

    Args:
        code: six digits, or a recovery code, which is good once; "" where none was given.
        address: of the caller, as a number.
        seal: of the twin's second factors.

    Raises:
        Unauthenticated: something of it does not fit, or there were too many failures; it does not say what.
        TooMany: too many failures from this address, whatever name was tried.
        StorageFailed. BadSettings: all fits, but the second factor cannot be opened.
    """
    name = " ".join(name.split())[:_LONGEST]
    may = tries.admit(tables, name, address, now)
    with reading(tables.engine) as connection:
        row = _row(connection, tables.twin, name)
    if row is not None and (row.disabled is not None or row.issuer):
        row = None
    good = fits(row.password if row is not None else "", password) and may
    spare = second_factor.spare_of(row if good else None, tables.twin, code, seal)
    if good and row is not None:
        with writing(tables.engine) as connection:
            good = second_factor.passed(connection, tables.twin, row, code, spare, seal, now)
            if good:
                tries.clear_in(connection, tables.twin, name, address)
    if not good or row is None:
        raise Unauthenticated(
            "name, password or code do not fit", "session", "try again; after several failures wait a little first"
        )  # fmt: skip
    if outdated(row.password):
        _renew(tables, name, row.password, password)
    return _account(row)


def vouched(
    tables: Tables, issuer: str, subject: str, name: str, roles: Sequence[Role], now: datetime
) -> Account:
    """The account of somebody for whom an OpenID provider vouches, with the roles that it gives now; made at the first time.

    A name that another account has already gets the provider's mark of the person behind it: nobody takes over an account by its name.

    Raises:
        Unauthenticated: the account was closed here. StorageFailed.
    """
    mine = (table.c.twin == tables.twin) & (table.c.issuer == issuer) & (table.c.subject == subject)
    with writing(tables.engine) as connection:
        row = connection.execute(select(table).where(mine)).first()
        if row is None:
            called = _free(connection, tables.twin, name, subject)
            made = {
                "twin": tables.twin, "name": called, "roles": list(roles), "password": "", "totp": "", "totp_last": 0,
                "issuer": issuer, "subject": subject, "created": now.astimezone(UTC), "disabled": None,
            }  # fmt: skip
            connection.execute(insert(table).values(made))
        elif row.disabled is not None:
            raise Unauthenticated("this account was closed", "session", "ask the twin's owner")
        else:
            connection.execute(update(table).where(mine).values(roles=list(roles)))
        row = connection.execute(select(table).where(mine)).one()
    return _account(row)


def _free(connection: Connection, twin: str, said: str, subject: str) -> str:
    """A name that nobody has yet."""
    plain = "".join(sign for sign in " ".join(said.split()) if sign.isprintable())[: _LONGEST - 20] or "?"
    mark = hashlib.sha256(subject.encode("utf-8", "surrogatepass")).hexdigest()
    for called in (plain, f"{plain} ({mark[:8]})", f"{plain} ({mark[8:24]})"):
        if _row(connection, twin, called) is None:
            return called
    raise Conflict("no name is free for this account", twin, "ask the twin's owner")


def _renew(tables: Tables, name: str, old: str, password: str) -> None:
    mine = (table.c.twin == tables.twin) & (table.c.name == name) & (table.c.password == old)
    new = digest_of(password)
    with writing(tables.engine) as connection:
        connection.execute(update(table).where(mine).values(password=new))


def _row(connection: Connection, twin: str, name: str) -> Row[Any] | None:
    return connection.execute(select(table).where(table.c.twin == twin, table.c.name == name)).first()


def _account(row: Row[Any]) -> Account:
    known = tuple(role for role in ROLES if role in row.roles)  # a role that is gone lets nobody do anything
    return Account(
        row.name,
        known,
        "oidc" if row.issuer else "password",
        second_factor.asked(row.totp),
        _utc(row.created),
        None if row.disabled is None else _utc(row.disabled),
    )


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
