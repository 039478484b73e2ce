"""Joint programmes with a partner: what officers propose, answer and end, and the address at which the partner's moves come in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from pydantic import Field
from starlette.responses import Response

from twintown.api import answers, problems, workplan_models
from twintown.api.dsp_entry import PROBLEM, Came, came, described, taken
from twintown.api.exchange_models import Id, Who, author_of, peer_named, side
from twintown.api.guard import Asked, Sharing, TwinId
from twintown.api.schemas import Model
from twintown.api.workplan_models import JointContent, JointProgramme
from twintown.exchange import programme_message, programmes, schemas
from twintown.exchange import programme_rows as rows
from twintown.ground.errors import BadParameter
from twintown.store.engine import reading

router = APIRouter(tags=["exchange"])
_PROBLEMS = problems.responses(400, 401, 403, 404, 409, 503, 507)
_TAKEN = described(200, "programme, state, seq, digest after it", 400, 401, 403, 404, 409, 413, 429, 503)
Do = Annotated[Literal["propose", "agree", "decline", "withdraw", "end"], Path(description="what to do")]


class NewJoint(Model):
    """A joint programme to propose."""

    peer: str = Field(min_length=1, max_length=512, description="id or DID of a peer")
    programme: JointContent
    agreement: str = Field(
        default="", max_length=80, description="the agreement with that peer that it belongs to"
    )
    author: Who


class NewJointMove(Model):
    """What goes with a move: the changed `programme` with propose, the `digest` that was read with agree, a `reason` with the others."""

    programme: JointContent | None = None
    digest: str = Field(
        default="", pattern=r"^([0-9a-f]{64})?$", description="of the document that is agreed to"
    )
    reason: str = Field(default="", max_length=1000, description="why; the partner reads it")
    author: Who


@router.post(
    "/twins/{twin}/workplan/joint", operation_id="proposeJoint", status_code=201, response_model=JointProgramme, responses=_PROBLEMS
)  # fmt: skip
def propose_joint(request: Request, asked: Sharing, body: NewJoint) -> Response:
    """Propose a programme to a partner. It stands once both have signed the same document."""
    party, peer = side(request, asked), peer_named(asked, body.peer)
    wanted = body.programme.wanted(party.did, body.agreement)
    now = datetime.now(UTC)
    made = programmes.propose(party, peer.did, wanted, body.agreement, author_of(asked, body.author), now)
    return _told(request, asked, made, 201)


@router.get(
    "/twins/{twin}/workplan/joint/{programme}", operation_id="getJoint", response_model=JointProgramme,
    responses=problems.responses(400, 401, 403, 404),
)  # fmt: skip
def get_joint(request: Request, asked: Sharing, programme: Id) -> Response:
    """A joint programme: what stands with both signatures, what waits, and every move."""
    return answers.answer_json(request, workplan_models.whole(request, asked, programme), cache="no-store")


@router.post(
    "/twins/{twin}/workplan/joint/{programme}/{move}", operation_id="moveJoint", response_model=JointProgramme, responses=_PROBLEMS
)  # fmt: skip
def move_joint(request: Request, asked: Sharing, programme: Id, move: Do, body: NewJointMove) -> Response:
    """Take a step: `propose` it changed, `agree`, `decline`, `withdraw` our own proposal, `end` it."""
    party, author, now = side(request, asked), author_of(asked, body.author), datetime.now(UTC)
    if (body.programme is None) == (move == "propose"):
        raise BadParameter("programme", "goes with propose, and with nothing else")
    if body.programme is not None:
        with reading(party.twin.tables.engine) as connection:
            agreement = rows.one_in(connection, party.twin.tables.twin, programme).agreement
        programmes.change(party, programme, body.programme.wanted(party.did, agreement), author, now)
    elif move == "agree":
        programmes.agree(party, programme, author, now, body.digest)
    else:
        programmes.end(party, programme, move, body.reason, author, now)
    return _told(request, asked, programme, 200)


@router.post(
    "/twins/{twin}/workplan/proposals", operation_id="tellJoint", response_class=Response, responses=_TAKEN, tags=["dataspace"],
    openapi_extra=taken("a JointProgrammeMove, signed as every message between cities is"),
)  # fmt: skip
async def tell_joint(request: Request, twin: TwinId) -> Response:
    """A move of another city in a joint programme: it proposes, agrees, declines, withdraws or ends."""

    def act(one: Came) -> Mapping[str, Any]:
        return programmes.taken(one.party, one.sender, one.body, one.now)

    def read(raw: bytes) -> Mapping[str, Any]:
        return schemas.parse(raw, programme_message.LONGEST)

    return await came(request, twin, PROBLEM, (), act, read=read)


def _told(request: Request, asked: Asked, id: str, status: int) -> Response:
    headers = {"Cache-Control": answers.PRIVATE}
    return Response(
        answers.dumps(workplan_models.whole(request, asked, id)), status, headers, "application/json"
    )
