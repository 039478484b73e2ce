"""What this server asks of others: callbacks to who asked for a job, and inputs that are given by reference.

A server that fetches whatever address it is told reaches what only it can reach. So nothing leaves but to hosts that whoever runs the
server has named; `*` stands for every host whose addresses are public. A name is looked up once, its addresses are checked, and the
connection is made to the address that was checked. Redirections are not followed.
"""

from __future__ import annotations

import ipaddress
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, unquote_to_bytes, urlsplit

from twintown import __version__
from twintown.ground.errors import BadParameter, StorageFailed, TooLarge

if TYPE_CHECKING:
    import ssl

PUBLIC = "*"
#: Bytes of an input that is fetched, and seconds that one request may take.
MOST, PATIENCE_S = 8_000_000, 20.0
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Hosts:
    """To which hosts requests may leave: names, `name:port`, `*.domain`, or `*` for any public address."""

    names: tuple[str, ...] = ()
    #: PEM file of the authorities that are trusted; "" for the usual public ones.
    ca: str = ""

    def __bool__(self) -> bool:
        return bool(self.names)

    def check(self, url: str, parameter: str) -> SplitResult:
        """The parts of an address that requests may leave to; nothing is looked up yet.

        Raises:
            BadParameter: it is no http(s) address, or its host is not among them; names the parameter.
        """
        try:
            split = urlsplit(url)
            port = split.port
        except ValueError as error:
            raise BadParameter(parameter, f"{url[:100]!r} is no address ({error})") from error
        if split.scheme not in _PORTS or not split.hostname or split.username or split.password:
            raise BadParameter(
                parameter,
                f"{url[:100]!r} is no address to ask",
                remedy="give http(s)://host/… without a password",
            )
        if not self._named(split.hostname, port) and PUBLIC not in self.names:
            raise BadParameter(
                parameter, f"this server asks nothing of {split.hostname}",
                remedy="whoever runs it allows hosts by TWINTOWN_CALLBACKS",
            )  # fmt: skip
        return split

    def _named(self, host: str, port: int | None) -> bool:
        """Whether the host itself is named; then even a private address is meant."""
        name = host.lower()
        for one in self.names:
            wanted = one.lower()
            if wanted in (name, f"{name}:{port}"):
                return True
            if wanted.startswith("*.") and name.endswith(wanted[1:]):
                return True
        return False

    def resolve(self, split: SplitResult, parameter: str) -> str:
        """An address of the host, as a number. Raises BadParameter: it is private; StorageFailed: there is none."""
        host = split.hostname or ""
        port = split.port or _PORTS[split.scheme]
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise StorageFailed(f"{host} is not known ({error})", parameter, "check the address") from error
        numbers = [str(one[4][0]) for one in found]
        if not self._named(host, split.port):
            for number in numbers:
                if not ipaddress.ip_address(number.partition("%")[0]).is_global:
                    raise BadParameter(
                        parameter, f"{host} is not a public address",
                        remedy="whoever runs the server names it in TWINTOWN_CALLBACKS",
                    )  # fmt: skip
        return numbers[0]


def hosts_of(text: str, ca: Path | None = None) -> Hosts:
    """The hosts of a setting, separated by commas; `ca`: file of the authorities that are trusted."""
    return Hosts(tuple(one.strip() for one in text.split(",") if one.strip()), str(ca or ""))


@lru_cache(maxsize=4)
def trusting(ca: str) -> ssl.SSLContext | bool:
    """How httpx checks a server's certificate: against the authorities in a PEM file, "" for the usual public ones.

    Raises:
        StorageFailed: the file is not there, or holds no certificates.
    """
    import ssl

    if not ca:
        return True
    try:
        return ssl.create_default_context(cafile=ca)
    except (OSError, ssl.SSLError) as error:
        raise StorageFailed(
            "holds no certificates of authorities", ca, "give a PEM file as TWINTOWN_CA"
        ) from error


def ask(
    hosts: Hosts,
    method: str,
    url: str,
    parameter: str,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
) -> tuple[int, bytes, str]:
    """One request; status, body and media type.

    Raises:
        BadParameter: it may not leave; see `Hosts`.
        StorageFailed: nobody answers, or too late.
        TooLarge: the answer is larger than `MOST`.
    """
    import httpx

    split = hosts.check(url, parameter)
    number = hosts.resolve(split, parameter)
    port = split.port or _PORTS[split.scheme]
    at = f"[{number}]" if ":" in number else number
    target = split._replace(netloc=f"{at}:{port}", fragment="").geturl()
    name = split.hostname or ""
    host = f"[{name}]" if ":" in name else name
    sent = {
        "Host": host if split.port is None else f"{host}:{split.port}",
        "User-Agent": f"twintown/{__version__}",
        **(headers or {}),
    }
    try:
        with (
            httpx.Client(
                timeout=PATIENCE_S, follow_redirects=False, trust_env=False, verify=trusting(hosts.ca)
            ) as client,
            client.stream(
                method, target, content=body or None, headers=sent, extensions={"sni_hostname": name}
            ) as answer,
        ):
            parts, size = [], 0
            for part in answer.iter_bytes():
                size += len(part)
                if size > MOST:
                    raise TooLarge(
                        f"what is at {url[:100]} has more than {MOST:,} bytes", parameter, "send it inline"
                    )
                parts.append(part)
            return answer.status_code, b"".join(parts), answer.headers.get("content-type", "")
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise StorageFailed(
            f"{name} does not answer ({type(error).__name__})", parameter, "check the address"
        ) from error


def fetch(hosts: Hosts, url: str, parameter: str) -> Any:
    """The JSON value at an address, or in a `data:` URL.

    Raises:
        BadParameter: it may not be fetched, is not there, or is no JSON.
        StorageFailed, TooLarge: see `ask`.
    """
    if url.startswith("data:"):
        head, _, data = url[5:].partition(",")
        raw = unquote_to_bytes(data)
        if head.endswith(";base64"):
            import base64
            import binascii

            try:
                raw = base64.b64decode(raw, validate=True)
            except binascii.Error as error:
                raise BadParameter(parameter, f"is no base64 ({error})") from error
    else:
        status, raw, _ = ask(hosts, "GET", url, parameter, headers={"Accept": "application/json, */*;q=0.5"})
        if status != 200:
            raise BadParameter(parameter, f"{url[:100]} answered {status}", remedy="check the address")
    try:
        return json.loads(raw)
    except ValueError as error:
        raise BadParameter(parameter, "what is there is no JSON", remedy="give an input as JSON") from error
