"""Accounts of a twin, for its owner: who may sign in, with which roles."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request
from pydantic import Field
from starlette.responses import Response

from twintown.api import answers, problems
from twintown.api.guard import Governing
from twintown.api.schemas import Model
from twintown.api.session import RoleWord
from twintown.trust import accounts

router = APIRouter(tags=["people"])
_READ = problems.responses(400, 401, 403, 404, 503)
_WRITE = problems.responses(400, 401, 403, 404, 409, 413, 429, 503, 507)
AccountName = Annotated[str, Path(description="name of the account", max_length=80, examples=["Kim"])]


class AccountInfo(Model):
    """Somebody who may sign in."""

    name: str
    roles: list[RoleWord]
    kind: Literal["password", "oidc"]
    totp: bool = Field(description="whether a one-time code is asked for")
    created: datetime
    disabled: datetime | None

    @classmethod
    def of(cls, one: accounts.Account) -> AccountInfo:
        return cls.model_validate(
            {"name": one.name, "roles": list(one.roles), "kind": one.kind, "totp": one.totp, "created": one.created,
             "disabled": one.disabled}
        )  # fmt: skip


class Accounts(Model):
    """Everybody who may sign in, by name."""

    accounts: list[AccountInfo]


class NewAccount(Model):
    """Somebody who shall sign in."""

    name: str = Field(min_length=1, max_length=80)
    roles: list[RoleWord] = Field(min_length=1)
    password: str = Field(min_length=12, max_length=200, repr=False)


class AccountChange(Model):
    """What shall change; whoever is signed in under that name is signed out."""

    roles: list[RoleWord] | None = Field(default=None, min_length=1)
    password: str | None = Field(default=None, min_length=12, max_length=200, repr=False)
    disabled: bool | None = Field(default=None, strict=True)
    totp: Literal["off"] | None = Field(default=None, description="asks for no one-time code any more")


@router.get("/twins/{twin}/accounts", operation_id="getAccounts", response_model=Accounts, responses=_READ)
def get_accounts(request: Request, asked: Governing) -> Response:
    """Who may sign in here."""
    known = accounts.list_accounts(asked.served.twin.tables)
    return answers.answer_json(
        request, Accounts(accounts=[AccountInfo.of(one) for one in known]), cache="no-store"
    )


@router.post(
    "/twins/{twin}/accounts", operation_id="addAccount", status_code=201, response_model=AccountInfo, responses=_WRITE
)  # fmt: skip
def add_account(request: Request, asked: Governing, given: NewAccount) -> Response:
    """Let somebody sign in."""
    tables = asked.served.twin.writing().tables
    made = accounts.add_account(tables, given.name, given.roles, given.password, datetime.now(UTC))
    answer = answers.answer_json(request, AccountInfo.of(made), cache="no-store")
    answer.status_code = 201
    return answer


@router.patch(
    "/twins/{twin}/accounts/{name}", operation_id="changeAccount", response_model=AccountInfo, responses=_WRITE
)  # fmt: skip
def change_account(request: Request, asked: Governing, name: AccountName, given: AccountChange) -> Response:
    """Change the roles or the password of an account, close it or open it again."""
    changed = accounts.change_account(
        asked.served.twin.writing().tables, name, datetime.now(UTC), roles=given.roles, password=given.password,
        disabled=given.disabled, totp="" if given.totp else None,
    )  # fmt: skip
    asked.served.twin.watch.touch()
    return answers.answer_json(request, AccountInfo.of(changed), cache="no-store")


@router.delete(
    "/twins/{twin}/accounts/{name}", operation_id="closeAccount", response_model=AccountInfo, responses=_WRITE
)  # fmt: skip
def close_account(request: Request, asked: Governing, name: AccountName) -> Response:
    """Close an account: its sessions end, nobody signs in under its name. It stays in the list."""
    tables = asked.served.twin.writing().tables
    changed = accounts.change_account(tables, name, datetime.now(UTC), disabled=True)
    asked.served.twin.watch.touch()
    return answers.answer_json(request, AccountInfo.of(changed), cache="no-store")
