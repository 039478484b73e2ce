"""The one file of the exchange that asks other servers: a request goes to the pinned address of a peer, and nowhere else.

A request leaves to addresses that lie under the one that was pinned, by https; by http to this machine itself only. The name is
looked up once, what is found is checked, and the connection is made to that. No redirection is followed, no proxy of the environment
is used, what comes back is bounded in size and time. Certificates are checked against the system's authorities or those of
TWINTOWN_CA.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from twintown import __version__
from twintown.ground.errors import Denied, StorageFailed, TooLarge

if TYPE_CHECKING:
    import httpx

#: Bytes of an answer, and seconds: to connect, between two pieces, and for the whole of an answer that is not streamed.
MOST, CONNECT_S, READ_S, WHOLE_S = 1_000_000, 3.0, 10.0, 20.0
_PORTS = {"http": 80, "https": 443}
#: Connections are kept by name, so that none is used for another name at the same number.
_MOST_NAMES = 64


@dataclass(frozen=True, slots=True)
class Answer:
    """What another server said. `type` is its media type without parameters."""

    status: int
    body: bytes
    type: str
    headers: Mapping[str, str]

    @property
    def good(self) -> bool:
        """Whether it is a success."""
        return 200 <= self.status < 300


class Courier:
    """Asks peers. Any thread may use it."""

    def __init__(self, ca: Path | None = None, *, plain: bool = False) -> None:
        """`ca`: authorities instead of the system's. `plain`: http to other machines too (the test profile only)."""
        self.ca = ca
        self.plain = plain
        self._lock = Lock()
        self._clients: dict[tuple[str, str, int], httpx.Client] = {}

    def ask(
        self,
        pinned: str,
        method: str,
        url: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        most: int = MOST,
        patience_s: float = WHOLE_S,
    ) -> Answer:
        """One request and its whole answer.

        Args:
            pinned: the peer's address; `url` must be it or lie under it.
            most: bytes of the answer, at most.

        Raises:
            Denied: the address does not lie there, or what its name leads to may not be asked.
            StorageFailed: nobody answers, or not in time, or the certificate is not good.
            TooLarge: the answer is too large.
        """
        until = time.monotonic() + patience_s
        with self.stream(pinned, method, url, body, headers) as answer, _named(url):
            parts, size = [], 0
            for part in answer.iter_bytes(65536):
                size += len(part)
                if size > most:
                    raise TooLarge(f"the answer has more than {most:,} bytes", _place(url))
                if time.monotonic() > until:
                    raise StorageFailed("the answer takes too long", _place(url), "try again later")
                parts.append(part)
            kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
            return Answer(answer.status_code, b"".join(parts), kind, dict(answer.headers))

    @contextmanager
    def stream(
        self,
        pinned: str,
        method: str,
        url: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        read_s: float = READ_S,
    ) -> Iterator[httpx.Response]:
        """One request whose answer is read piece by piece, as `iter_raw` or `iter_bytes`. Raises like `ask`.

        Args:
            read_s: how long there may be nothing between two pieces, seconds; a stream of events is silent for long.
        """
        import httpx

        split = _under(pinned, url)
        name, port = split.hostname or "", split.port or _PORTS[split.scheme]
        number = _number(name, port, split.scheme == "http" and not self.plain)
        at = f"[{number}]" if ":" in number else number
        target = split._replace(netloc=f"{at}:{port}", fragment="").geturl()
        sent = {"Host": split.netloc, "User-Agent": f"twintown/{__version__}", **(headers or {})}
        with (
            _named(url),
            self._client(split.scheme, name, port).stream(
                method,
                target,
                content=body or None,
                headers=sent,
                extensions={"sni_hostname": name},
                timeout=httpx.Timeout(read_s, connect=CONNECT_S),
            ) as answer,
        ):
            yield answer

    def _client(self, scheme: str, name: str, port: int) -> httpx.Client:
        import httpx

        key = (scheme, name, port)
        with self._lock:
            if key not in self._clients:
                while len(self._clients) >= _MOST_NAMES:
                    self._clients.pop(next(iter(self._clients)))
                self._clients[key] = httpx.Client(
                    timeout=httpx.Timeout(READ_S, connect=CONNECT_S),
                    follow_redirects=False,
                    trust_env=False,
                    verify=_authorities(self.ca) if scheme == "https" else False,
                    limits=httpx.Limits(max_connections=32, max_keepalive_connections=4, keepalive_expiry=4),
                )
            return self._clients[key]


@lru_cache(8)
def _authorities(ca: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(ca) if ca else None)
    except (OSError, ssl.SSLError) as error:
        raise StorageFailed(
            "the authorities cannot be read", "TWINTOWN_CA", "give a PEM file of certificates"
        ) from error


def under(pinned: str, url: str) -> bool:
    """Whether an address is the pinned one or lies under it, without a way out of it."""
    try:
        _under(pinned, url)
    except Denied:
        return False
    return True


def _under(pinned: str, url: str) -> SplitResult:
    try:
        base, split = urlsplit(pinned.rstrip("/")), urlsplit(url)
        same = (base.scheme, base.hostname, base.port) == (split.scheme, split.hostname, split.port)
    except ValueError:
        same = False
        base = split = urlsplit("")
    inside = split.path == base.path or split.path.startswith(f"{base.path}/")
    segments = split.path.lower().replace("%2e", ".").replace("\\", "/").split("/")
    if not same or not inside or "@" in split.netloc or ".." in segments or "%2f" in split.path.lower():
        raise Denied(
            "this server asks its peers at their pinned addresses only", _place(url), "pin the peer's address"
        )
    if split.scheme not in _PORTS:
        raise Denied("peers are asked by https", _place(url))
    return split


def _number(name: str, port: int, here: bool) -> str:
    """An address of a host as a number, looked up once. Raises Denied, StorageFailed."""
    try:
        found = [str(one[4][0]) for one in socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError) as error:
        raise StorageFailed(f"{name} is not known", name, "check the peer's address") from error
    for number in found:
        at = ipaddress.ip_address(number.partition("%")[0])
        if here and not at.is_loopback:
            raise Denied("a peer on another machine is asked by https", name, "pin its https address")
        if not at.is_loopback and (
            at.is_link_local or at.is_multicast or at.is_unspecified or at.is_reserved
        ):
            raise Denied(
                f"{name} leads to an address that is nobody's server", name, "check the peer's address"
            )
    return min(
        found, key=lambda number: ":" in number
    )  # IPv4 first: who listens on one of them listens on that


@contextmanager
def _named(url: str) -> Iterator[None]:
    import httpx

    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
        raise StorageFailed(
            f"the peer does not answer ({type(error).__name__})", _place(url), "try again later"
        ) from error


def _place(url: str) -> str:
    """An address as it may be shown: without what stands behind the path."""
    return url.partition("?")[0][:200]
