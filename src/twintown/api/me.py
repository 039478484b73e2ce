"""Who the caller is to a twin, and what that lets them do: what a page shows and hides."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from twintown.api import answers, problems, session_cookie
from twintown.api.guard import OnShelf, Reading, decided
from twintown.api.schemas import Model
from twintown.trust.policy import ACTIONS

router = APIRouter(tags=["twins"])


class Me(Model):
    """The caller of this request."""

    kind: Literal["anyone", "person", "owner", "service", "peer"]
    name: str = Field(description="of a person; empty for anyone and the owner")
    role: Literal["", "viewer", "planner", "approver", "engineer", "partner", "security"] = Field(
        description="of a person: the most powerful of their roles"
    )
    roles: list[Literal["viewer", "planner", "approver", "engineer", "partner", "security"]] = Field(
        description="of a person"
    )
    may: list[Literal["read", "run", "plan", "approve", "write", "share", "release", "govern"]] = Field(
        description="what the caller may do with this twin"
    )
    csrf: str = Field(
        description="of who is signed in by cookie: goes into the header Twintown-CSRF of what writes",
        repr=False,
    )


@router.get(
    "/twins/{twin}/me", operation_id="getMe", response_model=Me, responses=problems.responses(400, 401, 404)
)
def get_me(request: Request, asked: Reading, opened: OnShelf) -> Response:
    """Who you are here, by the token or the cookie that you sent, and what you may do; 401 for a token that is not known."""
    subject, purpose = asked.grant.subject, asked.grant.purpose
    may = [one for one in ACTIONS if decided(opened, asked.served, subject, one, purpose).allowed]
    session = None if "authorization" in request.headers else session_cookie.found(request, asked.served)
    me = Me(
        kind=subject.kind, name=subject.name, role=subject.role, roles=list(subject.roles), may=may,
        csrf=session.csrf if session else "",
    )  # fmt: skip
    return answers.answer_json(request, me, cache="no-store")
