"""Parts of a body (RFC 9110, 14): one range of bytes of a file or of bytes, so that a client reads a large file lazily."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from fastapi import Request
from starlette.responses import Response, StreamingResponse

from twintown.api import answers, problems
from twintown.ground.errors import Denied, Unauthenticated

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_BLOCK = 1 << 20  # bytes


def ranged(
    request: Request,
    body: bytes | Path,
    media_type: str,
    etag: str,
    headers: Mapping[str, str] | None = None,
    still: Callable[[], object] = lambda: None,
) -> Response:
    """The whole body, the part that `Range` names (206), 304 where the caller has it, or 416 where there is no such part.

    A `Range` that is no single range of bytes, or whose `If-Range` names another version, is answered with the whole.

    Args:
        body: a file, read in blocks, or bytes.
        etag: a strong entity tag of the body.
        still: raises where no more of it may leave; asked before each block of a file.
    """
    kept = answers.PRIVATE if answers.personal(request) else answers.REVALIDATE
    if answers.unchanged(request, etag):
        return answers.not_modified(etag, kept)
    size = body.stat().st_size if isinstance(body, Path) else len(body)
    sent = {
        "Accept-Ranges": "bytes",
        "ETag": etag,
        "Cache-Control": kept,
        "Vary": "Accept, Authorization, Cookie",
        **(headers or {}),
    }
    asked = _RANGE.fullmatch(request.headers.get("range", "").replace(" ", ""))
    condition = request.headers.get("if-range", "").strip()
    if asked is None or asked[0] == "bytes=-" or (condition and condition != etag):
        return _answer(body, 0, size, 200, media_type, sent, still)
    if asked[1]:
        first, last = int(asked[1]), min(int(asked[2]) if asked[2] else size - 1, size - 1)
        if asked[2] and int(asked[2]) < int(asked[1]):
            return _answer(body, 0, size, 200, media_type, sent, still)
    else:
        first, last = max(0, size - int(asked[2])), size - 1
    if first > last:
        what = f"Range: the body has {size} bytes, and none of them is asked for."
        return problems.problem(request, 416, what, headers={"Content-Range": f"bytes */{size}"})
    return _answer(
        body,
        first,
        last + 1,
        206,
        media_type,
        {**sent, "Content-Range": f"bytes {first}-{last}/{size}"},
        still,
    )


def _answer(
    body: bytes | Path,
    first: int,
    end: int,
    status: int,
    media_type: str,
    headers: Mapping[str, str],
    still: Callable[[], object],
) -> Response:
    if isinstance(body, bytes):
        return Response(body[first:end], status, dict(headers), media_type)
    sent = {**headers, "Content-Length": str(end - first)}
    if end - first <= _BLOCK:
        with body.open("rb") as file:
            file.seek(first)
            return Response(file.read(end - first), status, dict(headers), media_type)
    return StreamingResponse(_blocks(body, first, end, still), status, sent, media_type)


def _blocks(path: Path, first: int, end: int, still: Callable[[], object]) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(first)
        while first < end and (block := file.read(min(_BLOCK, end - first))):
            first += len(block)
            try:
                still()
            except (
                Denied,
                Unauthenticated,
            ):  # the length that was announced is not reached: nobody takes it for whole
                return
            yield block
