"""What one city tells another at once, without an answer to wait for: a recall, or that a person there has seen it. Pure.

    {"type": "CityNotice", "id": "urn:uuid:…", "kind": "recall", "at": "2027-09-18T02:00:00Z", "body": {…}}

It comes signed as every message between cities does (`trust.assertions`); the receipt names its digest. What stands in the body is for
who knows that kind.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from twintown.exchange.odrl import moment
from twintown.ground.errors import BadData, BadParameter
from twintown.trust.credential import text
from twintown.trust.proof import canonical

TYPE, RECEIPT = "CityNotice", "CityNoticeReceipt"
#: What can be told.
RECALL, SEEN = "recall", "recall-seen"
KINDS = (RECALL, SEEN)
#: Longest notice, bytes.
LONGEST = 192 * 1024
#: How far two cities' clocks may differ.
SKEW = timedelta(minutes=5)
_MEMBERS = ("type", "id", "kind", "at", "body")
_ID = re.compile(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Notice:
    """A notice as it was read. `about`: what it is of, in one word (the lot, the recall)."""

    id: str
    kind: str
    at: datetime
    body: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        return {"type": TYPE, "id": self.id, "kind": self.kind, "at": text(self.at), "body": dict(self.body)}

    @property
    def digest(self) -> str:
        """SHA-256 of its canonical form (RFC 8785), hexadecimal."""
        return hashlib.sha256(canonical(self.to_dict())).hexdigest()


def read(message: Mapping[str, Any]) -> Notice:
    """A notice that came, read strictly. Raises BadParameter, naming the member."""
    if message.get("type") != TYPE:
        raise BadParameter("type", f"is no {TYPE}")
    if wrong := sorted(set(message) ^ set(_MEMBERS)):
        raise BadParameter(wrong[0][:60], "is not known here" if wrong[0] in message else "is missing")
    id, kind, body = message["id"], message["kind"], message["body"]
    if not isinstance(id, str) or not _ID.fullmatch(id):
        raise BadParameter("id", "is no urn:uuid")
    if kind not in KINDS:
        raise BadParameter(
            "kind", f"{str(kind)[:40]!r} is not told here", remedy=f"these are: {', '.join(KINDS)}"
        )
    if not isinstance(body, dict):
        raise BadParameter("body", "is no object")
    try:
        at = moment(message["at"], "at")
    except BadData as error:
        raise BadParameter("at", error.what) from error
    return Notice(id, kind, at, body)


def receipt(notice: Notice, now: datetime) -> dict[str, Any]:
    """What is answered to a notice that was taken: it is on the disk here."""
    return {"type": RECEIPT, "id": notice.id, "digest": notice.digest, "at": text(now)}
