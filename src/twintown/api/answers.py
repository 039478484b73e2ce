"""Bodies on the wire: entity tags, conditional requests, compression and how long a body may be kept."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import Request
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

#: Versions never change under their address, so browsers may keep what is addressed by version for a year.
IMMUTABLE = "public, max-age=31536000, immutable"
#: Kept, but asked about each time; the answer is then usually 304.
REVALIDATE = "no-cache"
#: What only a token opens must not lie in a cache that others share.
PRIVATE = "private, no-store"
#: The cookie of who is signed in (`api.session`).
SESSION = "twintown-session"

_PACKED = (
    "image/png",
    "image/tiff; application=geotiff",
    "image/jpeg",
    "image/webp",
    "image/tiff",
    "font/woff2",
    "application/zip",
    "application/gzip",
)
_MIN_GZIP = 700  # bytes; below one packet there is nothing to win


class SchemaJSON(JSONResponse):
    """`application/schema+json`; only names the media type in the OpenAPI document, bodies come ready."""

    media_type = "application/schema+json"


class GeoJSON(JSONResponse):
    """`application/geo+json` (RFC 7946); only names the media type in the OpenAPI document, bodies come ready."""

    media_type = "application/geo+json"


def dumps(value: object) -> bytes:
    """JSON bytes; numpy arrays and scalars, dates and pydantic models included; NaN becomes null."""
    return orjson.dumps(value, default=_default, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS)


def _default(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True)
    raise TypeError(f"{type(value).__name__} has no JSON")


def tag(*parts: object) -> str:
    """A strong entity tag from what identifies a body (a version, its parameters)."""
    text = "\0".join(str(part) for part in parts)
    return f'"{hashlib.blake2b(text.encode(), digest_size=12).hexdigest()}"'


def tag_of(body: bytes) -> str:
    """A strong entity tag from the body itself."""
    return f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'


def feature_tag(layer: str, item: str, feature: bytes) -> str:
    """The entity tag of one feature: of what it says, not of the address or the form in which it is sent.

    Args:
        layer: id of the layer.
        item: id of the feature.
        feature: the whole feature as `View.encoded` gives it.
    """
    return tag(layer, item, hashlib.sha256(feature).hexdigest())


def variant(etag: str, *words: str) -> str:
    """The entity tag of another representation of the same thing: `"abc"` becomes `"abc-gzip"`."""
    return f'{etag[:-1]}-{"-".join(words)}"' if words else etag


def names_tag(header: str, etag: str) -> bool:
    """Whether an `If-Match` names this thing in any of its representations (see `variant`); `*` names all."""
    mark = etag.strip('"')
    sent = [name.strip() for name in header.split(",")]
    return "*" in sent or any(
        name.startswith('"') and (name.strip('"') == mark or name.strip('"').startswith(f"{mark}-"))
        for name in sent
    )


def accepts_gzip(request: Request) -> bool:
    """Whether the caller takes gzip (RFC 9110, 12.5.3)."""
    for item in request.headers.get("accept-encoding", "").lower().split(","):
        coding, _, weight = item.partition(";")
        if coding.strip() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def unchanged(request: Request, etag: str) -> bool:
    """Whether `If-None-Match` names this tag (weak comparison, RFC 9110, 13.1.2)."""
    sent = request.headers.get("if-none-match", "")
    names = {name.strip().removeprefix("W/") for name in sent.split(",")}
    return "*" in names or _bare(etag) in {_bare(name) for name in names if name}


def _bare(etag: str) -> str:
    """The tag without what compression adds to it."""
    return etag.strip().removeprefix("W/").strip('"').removesuffix("-gzip")


def not_modified(etag: str, cache: str, vary: str = "Accept-Encoding, Authorization, Cookie") -> Response:
    """304, with the headers that a cache must renew."""
    return Response(status_code=304, headers={"ETag": etag, "Cache-Control": cache, "Vary": vary})


def personal(request: Request) -> bool:
    """Whether a request says who asks, by a token or by the cookie of a session: no cache that others share keeps the answer."""
    return "authorization" in request.headers or SESSION in request.headers.get("cookie", "")


def answer(
    request: Request,
    body: bytes,
    media_type: str = "application/json",
    *,
    etag: str = "",
    cache: str = REVALIDATE,
    packed: bytes = b"",
    level: int = 5,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A whole body: 304 where the caller has it already, gzip where the caller takes it and it helps.

    `packed` is the same body compressed beforehand, for bodies that are sent often; `level` 0 does not compress.
    """
    etag = etag or ("" if cache == "no-store" else tag_of(body))
    private = personal(request)
    kept = PRIVATE if private else cache
    if etag and unchanged(request, etag) and request.method in ("GET", "HEAD"):
        return not_modified(etag, kept, (headers or {}).get("Vary", "Accept-Encoding, Authorization, Cookie"))
    sent = {"Cache-Control": kept, "Vary": "Accept-Encoding, Authorization, Cookie", **(headers or {})}
    if etag:
        sent["ETag"] = etag
    if level and accepts_gzip(request) and media_type not in _PACKED and len(body) >= _MIN_GZIP:
        body = packed or gzip.compress(body, level, mtime=0)
        sent["Content-Encoding"] = "gzip"
        if etag:
            sent["ETag"] = f'{etag[:-1]}-gzip"'  # another representation, so another strong tag
    return Response(body, media_type=media_type, headers=sent)


def answer_json(request: Request, value: object, *, etag: str = "", cache: str = REVALIDATE) -> Response:
    """A JSON body from a model, or from plain values."""
    return answer(request, dumps(value), etag=etag, cache=cache)


def loads(body: bytes | str) -> Any:
    """The JSON value of bytes that are our own."""
    return orjson.loads(body)
