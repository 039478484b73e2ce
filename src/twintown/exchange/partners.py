"""What partners let us use, through our own server: their ordinary API behind a door of ours, opened by the token of an agreement.

The token stays here: it is read from the transfer's data address, renewed in time, and sent to the partner's pinned address only. What
goes there is what a reader says (what it accepts, a range, a purpose); what comes back is the answer with its type, its links turned so
that a client stays behind the door, and whose it is. Nothing is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from twintown.exchange import partner_access
from twintown.exchange.agreements import Agreement
from twintown.exchange.courier import Courier
from twintown.exchange.partner_tokens import Address
from twintown.exchange.party import Party
from twintown.ground.errors import BadParameter, Denied, StorageFailed, Unreachable

#: Behind the door are the reading addresses of layers, of processes and their jobs, and the quick answers of two processes.
_OPEN = re.compile(
    r"(collections|processes|jobs)(/.*)?|me|conformance|tileMatrixSets(/[^/]+)?|playbooks/[a-z0-9-]+|(stands|stages)/score",
    re.DOTALL,
)
#: What of a request goes on, and what of an answer comes back.
_ASKED = (
    "accept",
    "range",
    "if-range",
    "if-none-match",
    "last-event-id",
    "prefer",
    "content-type",
    "twintown-purpose",
)
_ANSWERED = (
    "content-type", "content-range", "accept-ranges", "etag", "last-modified", "retry-after", "location", "link", "content-crs",
    "content-disposition", "content-language", "preference-applied", "ogc-numberreturned", "ogc-numbermatched", "content-bbox",
)  # fmt: skip
#: How long a stream of events may be silent, and how long a partner may think about a question, seconds.
_EVENTS_S, _QUESTION_S = 60.0, 60.0
#: Where a process answers at once while a hand moves something (`processes/{id}/execution` is the other way to ask).
QUICK = ("stands/score", "stages/score")
#: Bytes of a question that is put to a partner's process.
MOST_BODY = 1_000_000


@dataclass
class Answer:
    """A partner's answer, to be passed on piece by piece; `close` when it is not wanted any more."""

    status: int
    headers: dict[str, str]
    _stack: ExitStack = field(repr=False)
    _parts: Iterator[bytes] = field(repr=False)

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._parts
        except StorageFailed:
            return  # the partner has cut the answer off: what was announced does not come, and the client sees that
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the connection."""
        self._stack.close()


@dataclass(frozen=True)
class Question:
    """What a reader of ours asks behind the door. `path` is decoded, `query` as it came."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def through(
    party: Party, courier: Courier, found: Agreement, asked: Question, door: str, now: datetime
) -> Answer:
    """A partner's answer.

    Args:
        found: an agreement of which we are the consumer.
        door: the address under which our reader sees the partner's twin.

    Raises:
        BadParameter: an address that is not behind the door.
        Denied: the agreement is not in force: who stopped it, when and why.
        Unreachable: the partner does not answer, or sends elsewhere.
        Busy: its transfer is being opened.
    """
    path = behind(asked.path)
    in_force(party, found, now)
    address = partner_access.address(party, courier, found, now)
    answer = _asked(party, courier, found, address, asked, path, door)
    if answer.status == 401:  # the token was taken back earlier than it said
        answer.close()
        address = partner_access.renewed(party, courier, found, now)
        answer = _asked(party, courier, found, address, asked, path, door)
    return answer


def behind(path: str) -> str:
    """The path as it is sent. Raises BadParameter: it does not lie behind the door, or tries to get out."""
    segments = path.split("/")
    if any(one in (".", "..") for one in segments) or "\\" in path or not path.isprintable():
        raise BadParameter("path", "is no path", remedy="ask for collections, processes or jobs")
    if not _OPEN.fullmatch(path) or len(path) > 500:
        raise BadParameter(
            "path", f"{path[:80]!r} is not behind this door", remedy="ask for collections, processes or jobs"
        )
    return quote(path, safe="/:@,;=+$!*'()~")


def in_force(party: Party, found: Agreement, now: datetime) -> None:
    """Stop where an agreement is not in force. Raises Denied: who stopped it, when and why."""
    change = found.change or {}
    by = "we" if change.get("ours") else "the partner"
    why = f": {change['why']}" if change.get("why") else ""
    when = f" on {found.changed:%Y-%m-%d %H:%M} UTC"
    if found.over(now):
        what = (
            f"{by} ended this agreement{when}{why}"
            if change.get("did")
            else "the time of this agreement is over"
        )
        raise Denied(what, found.id, "make another agreement", "agreement-ended")
    if found.state == "suspended":
        raise Denied(f"{by} suspended this agreement{when}{why}", found.id, "wait until it is resumed", "agreement-suspended")  # fmt: skip
    if now < found.since:
        raise Denied(f"this agreement begins on {found.since:%Y-%m-%d %H:%M} UTC", found.id, "wait until then", "not-yet")  # fmt: skip


def _asked(
    party: Party, courier: Courier, found: Agreement, address: Address, asked: Question, path: str, door: str
) -> Answer:
    peer = party.peers.find(found.peer)
    sent = {k: v for k, v in asked.headers.items() if k in _ASKED}
    sent |= {
        "accept": _accept(sent.get("accept", "")),
        "accept-encoding": "identity",
        "authorization": f"Bearer {address.token}",
    }
    if "twintown-purpose" not in sent and found.terms.purposes:
        sent["twintown-purpose"] = found.terms.purposes[0]
    events = "text/event-stream" in sent["accept"]
    patience = {"read_s": _EVENTS_S} if events else {"read_s": _QUESTION_S} if asked.method == "POST" else {}
    url = f"{address.endpoint}/{path}{'?' + asked.query if asked.query else ''}"
    stack = ExitStack()
    try:
        answer: Any = stack.enter_context(
            courier.stream(peer.address, asked.method, url, asked.body, sent, **patience)
        )
    except StorageFailed as error:
        stack.close()
        raise Unreachable(f"{peer.id} does not answer: {error.what}", peer.id, "try again later") from error
    type_ = answer.headers.get("content-type", "")
    if 300 <= answer.status_code < 400 and answer.status_code != 304:
        stack.close()
        raise Unreachable(f"{peer.id} sends us elsewhere", peer.id, "tell its officers")
    if type_.startswith("text/html"):
        stack.close()
        raise BadParameter("f", "pages are not shown through this door", remedy="ask for json")
    turn = (address.endpoint.encode(), door.encode())
    json = "json" in type_ and not path.endswith("/manifest")  # what is signed stays as it is
    headers = {name: answer.headers[name] for name in _ANSWERED if name in answer.headers}
    for name in ("location", "link"):
        if name in headers:
            headers[name] = headers[name].replace(address.endpoint, door)
    if not json and "content-length" in answer.headers and "content-encoding" not in answer.headers:
        headers["content-length"] = answer.headers["content-length"]
    parts = answer.iter_bytes(65536) if not events else answer.iter_raw()
    return Answer(answer.status_code, headers, stack, turned(parts, *turn) if json else parts)


def turned(parts: Iterator[bytes], before: bytes, after: bytes) -> Iterator[bytes]:
    """The same bytes with every address at the beginning of a JSON string that lies under `before` turned to lie under `after`."""
    wanted = re.compile(b'"' + re.escape(before) + rb'(?=["/?#{])')
    keep = len(before) + 2  # an address that is not whole yet begins within so many bytes of the end
    rest = b""
    for part in parts:
        rest += part
        out, at = [], 0
        for one in wanted.finditer(rest):
            out += [rest[at : one.start()], b'"', after]
            at = one.end()
        cut = max(at, len(rest) - keep)
        out.append(rest[at:cut])
        rest = rest[cut:]
        if whole := b"".join(out):
            yield whole
    if rest:
        yield wanted.sub(b'"' + after, rest)


def _accept(said: str) -> str:
    """What is asked for: never a page."""
    kept = [one.strip() for one in said.split(",") if one.strip() and "html" not in one]
    return ", ".join(kept) or "application/json, */*;q=0.5"
