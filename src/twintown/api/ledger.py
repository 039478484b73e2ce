"""The ledger of a twin for everybody: checkpoint, tiles, proofs (C2SP tlog-tiles); digests, never what they are digests of."""

from __future__ import annotations

import base64
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field
from starlette.responses import Response

from twintown.api import answers, problems
from twintown.api.guard import Asked, Reading
from twintown.api.schemas import Model
from twintown.ground.errors import NotFound

router = APIRouter(tags=["ledger"])
TEXT, BYTES = "text/plain; charset=utf-8", "application/octet-stream"
#: A checkpoint changes; a cache may keep it for a moment.
_MOMENT = "public, max-age=1"


class Cosignature(Model):
    """That a witness has seen this checkpoint, and that it continues what the witness had seen before."""

    witness: str = Field(description="the name under which it signs: the origin of its own ledger")
    peer: str = Field(description="id of the peer that it is; empty for one that this twin has not pinned")
    at: str = Field(description="when, by the witness's clock (RFC 3339)")
    good: bool = Field(description="whether the signature fits a pinned key of that peer")


class LedgerProof(Model):
    """That an entry stands in the ledger: the leaf's hash and the path give the root that the checkpoint names."""

    entry: int = Field(ge=0, description="its place, from 0")
    size: int = Field(ge=1, description="entries in the tree of the checkpoint")
    leaf: str = Field(description="what the tree holds: canonical JSON of kind, time and salted digest")
    leaf_hash: str = Field(description="SHA-256 of a zero byte and the leaf, base64")
    proof: list[str] = Field(description="hashes from the leaf's neighbour up, base64 (RFC 6962, 2.1.1)")
    root: str = Field(description="root of the tree, base64")
    origin: str = Field(description="the ledger's name")
    checkpoint: str = Field(description="the signed checkpoint, with its cosignatures (C2SP tlog-checkpoint)")
    key: str = Field(description="the key that signed the checkpoint (Multikey); compare it with did.json")
    cosignatures: list[Cosignature]


def plain(kind: str, what: str) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI entry of an answer that is text or bytes."""
    form = {"type": "string", **({"format": "binary"} if kind == BYTES else {})}
    return {200: {"description": what, "content": {kind.partition(";")[0]: {"schema": form}}}}


@router.get(
    "/twins/{twin}/ledger/checkpoint", operation_id="getCheckpoint", response_class=Response,
    responses={**plain(TEXT, "the newest checkpoint"), **problems.responses(400, 401, 404, 500, 503)},
)  # fmt: skip
def get_checkpoint(request: Request, asked: Reading) -> Response:
    """How many entries the ledger has and the root of the tree over them, signed by the city and cosigned by its peers."""
    last = _ledger(request, asked).newest()
    if last is None:
        raise NotFound("nothing is in the ledger yet", "ledger", "it begins with the first offer")
    return answers.answer(request, last.note.encode().encode(), TEXT, cache=_MOMENT)


@router.get(
    "/twins/{twin}/ledger/tile/{path:path}", operation_id="getLedgerTile", response_class=Response,
    responses={**plain(BYTES, "hashes, or entries"), **problems.responses(400, 401, 404, 500, 503)},
)  # fmt: skip
def get_tile(
    request: Request, asked: Reading,
    path: Annotated[str, Path(max_length=100, description="level and number, as 0/x001/234 or entries/000.p/7")],
) -> Response:  # fmt: skip
    """256 hashes of the tree, or 256 entries: digests, never what they are digests of."""
    from twintown.trust.ledger_tree import fetch_of
    from twintown.trust.tlog_tiles import Tile

    tile = Tile.parse(f"tile/{path}")
    body = fetch_of(asked.served.twin.blobs)(tile)
    cache = answers.IMMUTABLE if tile.full else answers.REVALIDATE
    return answers.answer(request, body, BYTES, cache=cache, level=0 if tile.level >= 0 else 5)


@router.get(
    "/twins/{twin}/ledger/proof", operation_id="getLedgerProof", response_model=LedgerProof,
    responses=problems.responses(400, 401, 404, 500, 503),
)  # fmt: skip
def get_proof(
    request: Request, asked: Reading,
    entry: Annotated[int, Query(ge=0, lt=2**53, description="its place, from 0")],
    size: Annotated[int | None, Query(ge=1, lt=2**53, description="of the checkpoint that it is proved by; the newest by default")] = None,
) -> Response:  # fmt: skip
    """What a stranger needs to see that an entry stands in the ledger, and that the peers have seen the ledger so."""
    from twintown.trust.ledger_known import cosigned, signer_of
    from twintown.trust.ledger_proof import prove, texts
    from twintown.trust.tlog import leaf_hash

    twin = asked.served.twin
    proof = prove(_ledger(request, asked), entry, size)
    kept = proof.kept
    said = LedgerProof(
        entry=entry, size=kept.size, leaf=proof.leaf.decode(), leaf_hash=_b64(leaf_hash(proof.leaf)), proof=texts(proof),
        root=_b64(kept.root), origin=kept.origin, checkpoint=kept.note.encode(), key=signer_of(twin, kept.note),
        cosignatures=[
            Cosignature(witness=one.name, peer=one.peer, at=one.at.strftime("%Y-%m-%dT%H:%M:%SZ"), good=one.good)
            for one in cosigned(twin, kept.note)
        ],
    )  # fmt: skip
    return answers.answer_json(request, said)


def _ledger(request: Request, asked: Asked) -> Any:
    from twintown.trust.ledger_known import ledger_of

    return ledger_of(asked.served.twin, request.app.state.public_url)


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
