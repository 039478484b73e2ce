"""Tokens of services, for the owner of a twin: given once, taken back at any time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from pydantic import Field
from starlette.responses import Response

from twintown.api import answers, problems
from twintown.api.guard import Governing
from twintown.api.schemas import Model
from twintown.trust import tokens

router = APIRouter(tags=["people"])
_READ = problems.responses(400, 401, 403, 404, 503)
_WRITE = problems.responses(400, 401, 403, 404, 413, 503, 507)
TokenId = Annotated[str, Path(description="id of the token", max_length=48, examples=["0a1b2c3d4e5f"])]


class TokenInfo(Model):
    """A token as it is seen again: everything but itself."""

    id: str
    name: str
    scopes: list[str]
    created: datetime
    expires: datetime
    revoked: datetime | None
    author: dict[str, Any]

    @classmethod
    def of(cls, one: tokens.ServiceToken) -> TokenInfo:
        return cls(
            id=one.id, name=one.name, scopes=list(one.scopes), created=one.created, expires=one.expires, revoked=one.revoked,
            author=dict(one.author),
        )  # fmt: skip


class Tokens(Model):
    """The tokens of services, newest first."""

    tokens: list[TokenInfo]


class NewToken(Model):
    """What a service shall be able to do."""

    name: str = Field(min_length=1, max_length=80, description="of the service")
    scopes: list[str] = Field(
        min_length=1, max_length=50,
        description="read, run, plan, write, share, sensitive (reads what is graded S), read:layer:ID, write:layer:ID, run:process:ID",
    )  # fmt: skip
    days: int = Field(default=90, ge=1, le=366, strict=True)


class GivenToken(TokenInfo):
    """A new token, shown this once."""

    token: str = Field(repr=False)


@router.get("/twins/{twin}/tokens", operation_id="getTokens", response_model=Tokens, responses=_READ)
def get_tokens(request: Request, asked: Governing) -> Response:
    """Which services may do what here."""
    known = tokens.list_tokens(asked.served.twin.tables)
    return answers.answer_json(request, Tokens(tokens=[TokenInfo.of(one) for one in known]), cache="no-store")


@router.post(
    "/twins/{twin}/tokens", operation_id="addToken", status_code=201, response_model=GivenToken, responses=_WRITE
)  # fmt: skip
def add_token(request: Request, asked: Governing, given: NewToken) -> Response:
    """Give a service a token; the answer is the only place where it is shown."""
    made, token = tokens.add_token(
        asked.served.twin.writing().tables, given.name, given.scopes, timedelta(days=given.days), datetime.now(UTC),
        asked.grant.subject.author(),
    )  # fmt: skip
    asked.served.twin.watch.touch()
    body = GivenToken(**TokenInfo.of(made).model_dump(), token=token)
    answer = answers.answer_json(request, body, cache="no-store")
    answer.status_code = 201
    return answer


@router.delete(
    "/twins/{twin}/tokens/{id}", operation_id="revokeToken", response_model=TokenInfo, responses=_WRITE
)  # fmt: skip
def revoke_token(request: Request, asked: Governing, id: TokenId) -> Response:
    """Take a token back: it opens nothing from the next request on."""
    gone = tokens.revoke_token(asked.served.twin.writing().tables, id, datetime.now(UTC))
    asked.served.twin.watch.touch()
    return answers.answer_json(request, TokenInfo.of(gone), cache="no-store")
