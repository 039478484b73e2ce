"""The entries of a ledger with what they are digests of: for the twin's officers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import Field
from starlette.responses import Response

from twintown.api import answers, problems
from twintown.api.guard import Asked, TwinId, enter
from twintown.api.schemas import Link, Model
from twintown.ground.errors import Denied, TwintownError, Unauthenticated
from twintown.trust.ledger import Entry
from twintown.trust.ledger_reading import OFFICERS, Wanted, entries, entry

router = APIRouter(tags=["ledger"])


class LedgerEntry(Model):
    """What happened, in its place in the ledger."""

    seq: int = Field(ge=0, description="its place, from 0")
    kind: str = Field(
        description="offer, agreement, suspension, resumption, end, release, refusal, transfer, recall, result, key, access, fork, …"
    )
    at: datetime
    record: dict[str, Any] = Field(description="what happened; no digest of it leaves without its salt")
    digest: str = Field(
        description="SHA-256 over the salt and the record's canonical form (RFC 8785), in hexadecimal: what the leaf says"
    )


class LedgerPage(Model):
    """Entries, the newest first."""

    entries: list[LedgerEntry]
    size: int = Field(description="entries that have been accepted, all in all")
    in_tree: int = Field(description="entries in the tree of the newest checkpoint")
    links: list[Link]


def officer(request: Request, twin: TwinId) -> Asked:
    """Who may share, release or govern here. Raises Unauthenticated, Denied."""
    refused: TwintownError | None = None
    for action in OFFICERS:
        try:
            return enter(request, twin, action)
        except (Denied, Unauthenticated) as error:
            refused = refused or error
    assert refused is not None
    raise refused


Officer = Annotated[Asked, Depends(officer)]


@router.get(
    "/twins/{twin}/ledger/entries", operation_id="getLedgerEntries", response_model=LedgerPage,
    responses=problems.responses(400, 401, 403, 404, 500, 503),
)  # fmt: skip
def get_entries(
    request: Request, asked: Officer,
    kind: Annotated[str, Query(max_length=24, pattern=r"^[a-z-]*$", description="only of this kind")] = "",
    agreement: Annotated[str, Query(max_length=80, description="only of this agreement")] = "",
    before: Annotated[int | None, Query(ge=0, lt=2**53, description="only before this place")] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="entries of one answer, at most")] = 100,
) -> Response:  # fmt: skip
    """What was offered, agreed, released, refused, transferred and recalled, for the officers of the city."""
    from twintown.store.engine import reading
    from twintown.trust.ledger import size_in
    from twintown.trust.ledger_known import ledger_of

    twin = asked.served.twin
    found = entries(twin.tables, asked.grant, Wanted(kind, agreement, before, limit + 1))
    last = ledger_of(twin, request.app.state.public_url).newest()
    with reading(twin.tables.engine) as connection:
        size = size_in(connection, twin.tables)
    links = []
    if len(found) > limit:
        href = str(request.url.include_query_params(before=found[limit - 1].seq))
        links.append(Link(href=href, rel="next", type="application/json"))
    page = LedgerPage(
        entries=[_said(one) for one in found[:limit]],
        size=size,
        in_tree=last.size if last else 0,
        links=links,
    )
    return answers.answer_json(request, page, cache="no-store")


@router.get(
    "/twins/{twin}/ledger/entries/{entry}", operation_id="getLedgerEntry", response_class=Response,
    responses={
        200: {"description": "record, salt and proof, for a stranger", "content": {"application/json": {"schema": {"type": "object"}}}},
        **problems.responses(400, 401, 403, 404, 500, 503),
    },
)  # fmt: skip
def get_entry(
    request: Request, asked: Officer, seq: Annotated[int, Path(alias="entry", ge=0, lt=2**53, description="its place, from 0")]
) -> Response:  # fmt: skip
    """One entry, opened: record, salt and proof in a file that a stranger checks with `twintown ledger verify --record`."""
    from twintown.trust.ledger_known import ledger_of
    from twintown.trust.ledger_proof import Opened, prove

    twin = asked.served.twin
    row = entry(twin.tables, asked.grant, seq)
    proof = prove(ledger_of(twin, request.app.state.public_url), seq)
    return answers.answer_json(request, Opened.of(proof, row).to_dict(), cache="no-store")


def _said(entry: Entry) -> LedgerEntry:
    from twintown.trust.ledger import read_leaf

    digest = read_leaf(entry.leaf)[2]
    return LedgerEntry(seq=entry.seq, kind=entry.kind, at=entry.at, record=dict(entry.record), digest=digest)
