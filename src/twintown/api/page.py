"""The page: the files of `web/dist`, as they were built, with the headers that make them safe and quick.

Only `/` is the page; deep links live in its query string. An address that is neither a route nor a file is a
problem like any other, never the page with status 200.
"""

from __future__ import annotations

import gzip
import mimetypes
import re
from collections import OrderedDict
from http import HTTPStatus
from pathlib import Path
from threading import Lock

from anyio import to_thread
from fastapi import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from twintown.api import answers, problems

#: Nothing from outside. Cesium needs workers from blobs, WebAssembly, and images and fonts that it makes itself;
#: its widgets and the panels set styles inline.
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'wasm-unsafe-eval' blob:",
        "worker-src 'self' blob:",
        "connect-src 'self' blob: data:",
        "img-src 'self' blob: data:",
        "font-src 'self' data:",
        "style-src 'self' 'unsafe-inline'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)
_HASHED = re.compile(r"[-.][A-Za-z0-9_-]{8,}\.[a-z0-9]+$")  # what Vite appends to the name of a bundled file
_KEEP = 64  # compressed files kept in memory
_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".glb": "model/gltf-binary",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
    ".txt": "text/plain; charset=utf-8",
    ".map": "application/json",
}


#: What the HTML of the resources needs besides the built page; comes with the package.
STATIC = (Path(__file__).parent / "static").resolve()


class Page:
    """An ASGI application for whatever no route answers: files of `dist`, those below `/static/`, or a problem."""

    def __init__(self, dist: Path | None) -> None:
        self._dist = dist.resolve() if dist else None
        self._packed: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._lock = Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        response = await to_thread.run_sync(self.respond, request)
        await response(scope, receive, send)

    def respond(self, request: Request) -> Response:
        """The file at the request's path, or 404, or 405 where there is a file and the method is not GET or HEAD."""
        path = request.url.path
        file = self._file(path)
        if file is None:
            detail = "There is nothing at this address. GET /twins lists what is here."
            if path == "/":
                detail = "The page is not built. Run `make web`, or use the API: GET /twins."
            return problems.problem(request, HTTPStatus.NOT_FOUND, detail)
        if request.method not in ("GET", "HEAD"):
            detail = f"{request.method} is not possible at this address."
            return problems.problem(
                request, HTTPStatus.METHOD_NOT_ALLOWED, detail, headers={"Allow": "GET, HEAD"}
            )
        return self._send(request, file)

    def show(self, request: Request, name: str) -> Response:
        """A page of `dist` at the address of something else, which it is about; a problem where it is not built."""
        file = self._file(f"/{name}")
        if file is None:
            detail = "The page is not built. Run `make web`, or ask for JSON: f=json."
            return problems.problem(request, HTTPStatus.NOT_FOUND, detail)
        response = self._send(request, file)
        response.headers["Vary"] = "Accept, Accept-Encoding"  # programs get something else here
        return response

    def address(self, name: str) -> str:
        """The address of a file (`map.js`, `static/open.css`) with what changes when it changes; empty without it."""
        file = self._file(f"/{name}")
        if file is None:
            return ""
        stat = file.stat()
        return f"/{name}?v={answers.tag(file.name, stat.st_mtime_ns, stat.st_size)[1:13]}"

    def _file(self, path: str) -> Path | None:
        if "\0" in path:
            return None
        folder = self._dist
        if path.startswith("/static/"):
            folder, path = STATIC, path.removeprefix("/static")
        if folder is None:
            return None
        wanted = (folder / (path.lstrip("/") or "index.html")).resolve()
        # resolved, so that neither `..` nor a link leads out of the folder
        return wanted if wanted.is_relative_to(folder) and wanted.is_file() else None

    def _send(self, request: Request, file: Path) -> Response:
        stat = file.stat()
        etag = answers.tag(file.name, stat.st_mtime_ns, stat.st_size)
        media_type = (
            _TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        )
        named = _HASHED.search(file.name) or request.query_params.get("v")
        cache = answers.IMMUTABLE if named else answers.REVALIDATE
        headers = {"Vary": "Accept-Encoding"}  # what every answer carries, the envelope adds
        if media_type.startswith("text/html"):
            headers |= {"Content-Security-Policy": POLICY, "Referrer-Policy": "same-origin"}
        if answers.unchanged(request, etag):
            return answers.not_modified(etag, cache, "Accept-Encoding")
        if self._has(request, file, ".br", "br"):
            body, coding = file.with_name(file.name + ".br").read_bytes(), "br"
        elif answers.accepts_gzip(request) and not media_type.startswith(
            ("image/png", "font/woff2", "image/jpeg")
        ):
            body, coding = self._gzip(file, stat.st_mtime_ns), "gzip"
        else:
            body, coding = file.read_bytes(), ""
        if coding:
            headers["Content-Encoding"] = coding
            etag = f'{etag[:-1]}-{coding}"'
        return Response(body, media_type=media_type, headers=headers | {"ETag": etag, "Cache-Control": cache})

    def _has(self, request: Request, file: Path, suffix: str, coding: str) -> bool:
        accepted = {
            item.partition(";")[0].strip() for item in request.headers.get("accept-encoding", "").split(",")
        }
        return coding in accepted and file.with_name(file.name + suffix).is_file()

    def _gzip(self, file: Path, mtime: int) -> bytes:
        beside = file.with_name(file.name + ".gz")
        if beside.is_file():
            return beside.read_bytes()
        key = (str(file), mtime)
        with self._lock:
            if key in self._packed:
                self._packed.move_to_end(key)
                return self._packed[key]
        body = gzip.compress(file.read_bytes(), 6, mtime=0)
        with self._lock:
            self._packed[key] = body
            while len(self._packed) > _KEEP:
                self._packed.popitem(last=False)
        return body
