"""Tiles that were made when the twin was built, as files: sent by version, compressed once.

The address with `?v=<version>` never changes its content and may be kept for a year: it is answered from that version as
long as it is kept, and with 410 after that, never from another one. Without it a cache asks each time and is told by the
entity tag.
"""

from __future__ import annotations

import gzip
from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from twintown.api import answers, patterns
from twintown.api.guard import Asked
from twintown.twin.layers import ProductVersion

Version = Annotated[
    str | None,
    Query(
        description="version of the tiles; makes the address immutable",
        max_length=64,
        json_schema_extra=patterns.VERSION,
    ),
]


def cache(version: ProductVersion, named: str | None) -> str:
    """How long an answer may be kept."""
    return answers.IMMUTABLE if named == version.version else answers.REVALIDATE


def send(
    request: Request, asked: Asked, version: ProductVersion, path: str, media_type: str, named: str | None
) -> Response:
    """One file of a product; read and compressed once, then from memory. Raises NotFound."""
    kept, etag = cache(version, named), answers.tag(version.version, path)
    if answers.unchanged(request, etag):
        return answers.not_modified(etag, kept)
    served = asked.served

    def make() -> tuple[bytes, bytes]:
        body = served.twin.product_file(version, path, asked.grant)
        return body, gzip.compress(body, 6, mtime=0)

    body, packed = served.tiles.get((version.product, version.version, path), make)
    return answers.answer(request, body, media_type, etag=etag, cache=kept, packed=packed)
