"""HTTP/1.1 as it comes over the wire: what is no request (a line that is too long, a broken header) is answered with a problem too."""

from __future__ import annotations

from http import HTTPStatus

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from twintown.api.problems import MEDIA_TYPE

#: uvicorn's option `http` that stands for it.
PROTOCOL = "twintown.api.wire:Wire"


class Wire(HttpToolsProtocol):
    """uvicorn's protocol, whose own words are problems as all others (RFC 9457)."""

    def send_400_response(self, msg: str) -> None:
        """Say that nothing could be made of what came, and hang up."""
        status = HTTPStatus.BAD_REQUEST
        body = orjson.dumps(
            {
                "type": "about:blank",
                "title": status.phrase,
                "status": int(status),
                "detail": "This is no HTTP request that can be read; an address has at most 65,535 bytes.",
                "instance": "",
            }
        )
        head = (
            f"HTTP/1.1 {int(status)} {status.phrase}\r\ncontent-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\n"
            "access-control-allow-origin: *\r\nx-content-type-options: nosniff\r\ncache-control: no-store\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode("ascii") + body)
        self.transport.close()
