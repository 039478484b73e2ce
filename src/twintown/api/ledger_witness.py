"""The witness of a twin: peers have their checkpoints cosigned here, and anybody reads what was cosigned (C2SP tlog-witness)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from twintown.api import answers, problems
from twintown.api.guard import Reading
from twintown.api.ledger import TEXT, plain
from twintown.api.schemas import Model
from twintown.ground.errors import TooLarge

if TYPE_CHECKING:
    from twintown.trust.ledger_witness import Answer

router = APIRouter(tags=["ledger"])


class Seen(Model):
    """The checkpoints of a peer's ledger that this twin has cosigned."""

    origin: str
    checkpoints: list[str] = Field(description="signed notes, the newest first")


@router.post(
    "/twins/{twin}/ledger/add-checkpoint", operation_id="addCheckpoint", response_class=Response,
    responses={
        **plain(TEXT, "our cosignature, as a line of a signed note"),
        409: {"description": "another size was seen last: this one", "content": {"text/x.tlog.size": {"schema": {"type": "string"}}}},
        **problems.responses(400, 401, 403, 404, 413, 422, 500, 503, 507),
    },
    openapi_extra={"requestBody": {"required": True, "content": {"text/plain": {"schema": {"type": "string"}}}}},
)  # fmt: skip
async def add_checkpoint(request: Request, asked: Reading) -> Response:
    """Have a peer's checkpoint cosigned: it must be signed by a key that we have pinned, and continue what we saw last."""
    from twintown.trust.ledger_known import witness
    from twintown.trust.witness import LONGEST

    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LONGEST:
            raise TooLarge(f"a question to a witness has at most {LONGEST} bytes", "add-checkpoint")

    def answer() -> Answer:
        return witness(asked.served.twin.writing(), request.app.state.public_url, body, datetime.now(UTC))

    said = await run_in_threadpool(answer)
    if said.status not in (200, 409):
        return problems.problem(request, said.status, said.body.strip())
    return Response(said.body, said.status, {"Cache-Control": "no-store"}, said.media_type)


@router.get(
    "/twins/{twin}/ledger/seen", operation_id="getSeenCheckpoints", response_model=Seen,
    responses=problems.responses(400, 401, 404, 500, 503),
)  # fmt: skip
def get_seen(
    request: Request, asked: Reading,
    origin: Annotated[str, Query(min_length=1, max_length=300, description="of the ledger: its address without the scheme")],
) -> Response:  # fmt: skip
    """What this twin has seen of a peer's ledger: whoever was shown another one holds the proof of a fork in hand."""
    from twintown.store.engine import reading
    from twintown.trust.ledger_rows import seen

    tables = asked.served.twin.tables
    with reading(tables.engine) as connection:
        notes = [note.encode() for note in seen(connection, tables, origin)]
    return answers.answer_json(request, Seen(origin=origin, checkpoints=notes), cache="no-cache")
