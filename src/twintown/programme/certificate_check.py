"""Whether a certificate holds: six questions, each with its own answer, so that who looks knows what is wrong. Pure.

    issuer     is it the city that the code on the bag leads to, and is its name known?   unknown-issuer
    signature  did that city sign it, with a key that signed then?                         forged
    lot        is it of the lot on the bag?                                                other-lot
    dates      does it hold now?                                                           not-yet-valid, expired
    status     was it revoked, by the city's signed list?                                  revoked, status-unknown, status-old
    ledger     does the city's ledger hold its digest, from when it was issued?            not-in-ledger, ledger-unknown

What cannot be looked at is `unknown`, never good: who is offline is told since when nobody asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from twintown.ground.errors import BadData, BadInput
from twintown.trust import credential, status_list
from twintown.trust.checkpoints import log_keys, read_checkpoint
from twintown.trust.credential import Credential
from twintown.trust.did import KnownKey
from twintown.trust.digital_link import LotLink, parse
from twintown.trust.ledger import opens, read_leaf
from twintown.trust.ledger_proof import Opened
from twintown.trust.tlog import included, leaf_hash

State = Literal["good", "bad", "unknown"]
KIND = "certificate"
#: Of several reasons the one that is told, the weightiest first.
_FIRST = ("unknown-issuer", "forged", "other-lot", "revoked", "expired", "not-yet-valid")
#: What the ledger's time may lie apart from the certificate's.
_SLACK = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Check:
    """One question and its answer. `why`: a code where it is not good; `what`: a sentence."""

    of: str
    state: State
    why: str = ""
    what: str = ""

    def to_dict(self) -> dict[str, str]:
        return {"of": self.of, "state": self.state, "why": self.why, "what": self.what}


@dataclass(frozen=True)
class Seen:
    """What there is to check by.

    Attributes:
        did: the name of the city that the code on the bag leads to.
        keys: that city's keys, as they are known; empty: it is not known here.
        link: the lot on the bag; None where nobody scanned one.
        status: the status list as it came; "" where it did not.
        entry: the ledger's entry, opened; None where it did not come.
        origin: name of the city's ledger.
    """

    did: str
    keys: Sequence[KnownKey]
    link: LotLink | None = None
    status: str = ""
    entry: Opened | None = None
    origin: str = ""


@dataclass(frozen=True)
class Verdict:
    """All answers; `state` is bad where one is, and unknown where one is unknown and none is bad."""

    checks: tuple[Check, ...]

    @property
    def state(self) -> State:
        states = {one.state for one in self.checks}
        return "bad" if "bad" in states else "unknown" if "unknown" in states else "good"

    @property
    def why(self) -> str:
        """The code of what is told first; "" where it holds. That it was revoked comes before what only follows from its age."""
        found = [one.why for one in self.checks if one.state == self.state and one.why]
        return next((why for why in _FIRST if why in found), found[0] if found else "")

    def to_dict(self) -> dict[str, Any]:
        return {"state": self.state, "why": self.why, "checks": [one.to_dict() for one in self.checks]}


def check(jwt: str, seen: Seen, now: datetime) -> Verdict:
    """Look at a certificate. What is no credential at all is one bad answer, never an error."""
    try:
        one = credential.read(jwt)
    except BadData as error:
        return Verdict((Check("signature", "bad", "forged", f"this {error.what}"),))
    return Verdict(
        (
            _issuer(one, seen),
            *_signed(one, seen, now),
            _lot(one, seen),
            _status(one, seen, now),
            _ledger(one, seen),
        )
    )


def subject_of(one: Credential) -> Mapping[str, Any]:
    """The subject of a certificate; empty where it has none."""
    said = one.body.get("credentialSubject")
    return said if isinstance(said, dict) else {}


def _issuer(one: Credential, seen: Seen) -> Check:
    if one.issuer != seen.did or not seen.keys:
        return Check(
            "issuer",
            "bad",
            "unknown-issuer",
            f"{one.issuer[:200] or 'nobody'} issued it, not the city that the code leads to",
        )
    return Check("issuer", "good", what=one.issuer)


def _signed(one: Credential, seen: Seen, now: datetime) -> tuple[Check, Check]:
    found = credential.findings(one, seen.keys, now)
    if found and found[0].code == "forged":
        return Check("signature", "bad", "forged", found[0].what), Check(
            "dates", "unknown", "forged", "nobody stands by its dates"
        )
    good = Check("signature", "good", what="signed by the city")
    return (
        (good, Check("dates", "bad", found[0].code, found[0].what))
        if found
        else (good, Check("dates", "good"))
    )


def _lot(one: Credential, seen: Seen) -> Check:
    product = subject_of(one).get("product")
    try:
        named = parse(str(product.get("id", ""))) if isinstance(product, dict) else None
    except BadInput:
        named = None
    if named is None:
        return Check("lot", "bad", "other-lot", "it names no lot")
    said = subject_of(one).get("id")
    if said != named.url or product is None or product.get("batchNumber") != named.batch:
        return Check("lot", "bad", "other-lot", "it names two lots")
    if seen.link is not None and (named.gtin, named.batch) != (seen.link.gtin, seen.link.batch):
        return Check(
            "lot",
            "bad",
            "other-lot",
            f"it is for {named.gtin} {named.batch}, the bag says {seen.link.gtin} {seen.link.batch}",
        )
    return Check("lot", "good", what=f"{named.gtin} {named.batch}")


def _status(one: Credential, seen: Seen, now: datetime) -> Check:
    if not seen.status:
        return Check("status", "unknown", "status-unknown", "the status list was not had")
    try:
        url, place = status_list.place_of(one.body)
        listed = credential.read(seen.status)
        bits = status_list.bits_of(listed, url)
        revoked = status_list.is_set(bits, place)
    except BadData as error:
        return Check("status", "unknown", "status-unknown", f"{error.where}: {error.what}")
    if listed.issuer != one.issuer:
        return Check("status", "unknown", "status-unknown", "the list is of another issuer")
    wrong = credential.findings(listed, seen.keys, now)
    if wrong and wrong[0].code == "forged":
        return Check("status", "unknown", "status-unknown", f"the status list does not hold: {wrong[0].what}")
    at = str(listed.body.get("validFrom", ""))
    if revoked:  # an old list says that too: what was revoked stays so
        return Check("status", "bad", "revoked", f"the city revoked it, by its list of {at}")
    if wrong:
        return Check("status", "unknown", "status-old", f"not looked at since {at}")
    return Check("status", "good", what=at)


def _ledger(one: Credential, seen: Seen) -> Check:
    entry = seen.entry
    if entry is None:
        return Check("ledger", "unknown", "ledger-unknown", "the ledger was not had")
    try:
        checkpoint = read_checkpoint(
            entry.note, log_keys(seen.origin, [key.public for key in seen.keys if key.revoked is None])
        )
        kind, at, _ = read_leaf(entry.leaf)
        opened = opens(entry.leaf, entry.salt, entry.record)
    except BadInput as error:
        return Check("ledger", "bad", "not-in-ledger", error.what)
    if kind != KIND or not opened or entry.record.get("digest") != one.digest:
        return Check("ledger", "bad", "not-in-ledger", "that entry of the ledger is of something else")
    if not included(leaf_hash(entry.leaf), entry.index, checkpoint.size, entry.path, checkpoint.root):
        return Check("ledger", "bad", "not-in-ledger", "the entry is not in the tree that the city signed")
    entered, since = credential.moment(at, "at"), _since(one)
    if since is None or abs(entered - since) > _SLACK:
        return Check(
            "ledger", "bad", "not-in-ledger", f"it was entered at {at}, not when it says that it was issued"
        )
    return Check("ledger", "good", what=f"entry {entry.index} of {checkpoint.size}")


def _since(one: Credential) -> datetime | None:
    try:
        return one.moment("validFrom")
    except BadData:
        return None
