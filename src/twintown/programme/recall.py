"""A recall: the lot's row, its certificates, the status list, the ledger and what partners are told, in one transaction.

    lot recalled ── certificate revoked ── bit set ── ledger `recall` ── a notice to every partner

Whoever is killed on the way has recalled nothing; once it is acknowledged it is on the disk, and every notice is in the outbox.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from twintown.ground.errors import BadParameter, NotFound, WrongState
from twintown.programme import certificate_rows, produce_rows
from twintown.programme.recall_places import Place
from twintown.trust.credential import text
from twintown.trust.ledger import record_in
from twintown.trust.policy import Grant
from twintown.twin import edits
from twintown.twin.edits import Change, Draft, Present
from twintown.twin.layers import Twin

KIND, LOTS = "recall", "lots"
#: Longest reason, characters.
LONGEST_WHY = 1000
_TEXTS = {"lot": 120, "batch": 40, "gtin": 14, "product": 60, "why": LONGEST_WHY}


@dataclass(frozen=True)
class Recall:
    """A recall as partners are told of it.

    Attributes:
        places: where the lot goes or went, with kilograms.
        certificates: addresses of those that do not hold any more.
    """

    lot: str
    batch: str
    gtin: str
    product: str
    why: str
    places: tuple[Place, ...]
    certificates: tuple[str, ...]

    def to_dict(self, partner: frozenset[str] | None = None) -> dict[str, Any]:
        """As JSON; for a partner (by its names) without the places of other cities."""
        shown = [one for one in self.places if partner is None or not one.partner or one.partner in partner]
        return {
            "lot": self.lot, "batch": self.batch, "gtin": self.gtin, "product": self.product, "why": self.why,
            "places": [one.to_dict() for one in shown], "certificates": list(self.certificates),
        }  # fmt: skip


#: Tells partners of a recall in the transaction that it belongs to: (connection, recall, place in the ledger).
Tell = Callable[[Connection, Recall, int], None]


def recall(
    twin: Twin, address: str, grant: Grant, lot: str, why: str, author: Mapping[str, Any], places: Sequence[Place], tell: Tell,
    now: datetime,
) -> Recall:  # fmt: skip
    """Recall a lot.

    Args:
        twin: opened for writing. address: of the twin to the world.
        grant: of who shares.
        places: where it goes or went.
        tell: tells partners.

    Raises:
        NotFound: there is no such lot. WrongState: it was recalled already. BadParameter: no reason is given.
        Unauthenticated, Denied, Busy, StorageFailed: see `twin.edits.write`.
    """
    said = why.strip()
    if not said or len(said) > LONGEST_WHY:
        raise BadParameter(
            "why",
            f"is a text of 1 to {LONGEST_WHY} characters",
            remedy="say why; partners and buyers read it",
        )
    before: dict[str, Any] = {}
    done: list[Recall] = []

    def make(present: Present | None) -> Draft:
        if present is None:
            raise NotFound(f"there is no lot {lot[:80]!r}", LOTS, "see GET …/lots for the ids")
        if present.properties.get("state") == "recalled":
            raise WrongState("the lot was recalled already", lot, "nothing is left to do")
        before.update(present.properties)
        row = produce_rows.stamped({**present.properties, "state": "recalled", "why": said}, author)
        return Draft(
            {
                name: row[name]
                for name in row
                if name in present.properties or name in ("why", "author", "at")
            },
            present.geometry,
        )

    def also(connection: Connection) -> None:
        revoked = certificate_rows.revoke_in(connection, twin.tables, lot, said, now)
        one = Recall(
            lot, str(before.get("batch") or ""), str(before.get("gtin") or ""), str(before.get("product") or ""), said, tuple(places),
            tuple(f"{address}/certificates/{kept.id}" for kept in revoked),
        )  # fmt: skip
        record = {
            "lot": lot, "batch": one.batch, "gtin": one.gtin, "why": said, "at": text(now), "officer": str(author.get("name", "")),
            "certificates": [kept.id for kept in revoked], "places": len(one.places),
        }  # fmt: skip
        tell(connection, one, record_in(connection, twin.tables, KIND, record, now))
        done.append(one)

    edits.write(twin, LOTS, produce_rows.writing(grant, LOTS), [Change(lot, make)], also)
    twin.watch.touch()
    return done[-1]


def told(body: Mapping[str, Any]) -> Recall:
    """A recall that a partner told of, read strictly. Raises BadParameter, naming the member."""
    wanted = {*_TEXTS, "places", "certificates"}
    if wrong := sorted(set(body) ^ wanted):
        raise BadParameter(f"body.{wrong[0][:40]}", "is not known here" if wrong[0] in body else "is missing")
    for name, most in _TEXTS.items():
        if not isinstance(body[name], str) or len(body[name]) > most:
            raise BadParameter(f"body.{name}", f"is a text of at most {most} characters")
    if not body["why"].strip():
        raise BadParameter("body.why", "is not said")
    places, links = body["places"], body["certificates"]
    if not isinstance(places, list) or len(places) > 5000:
        raise BadParameter("body.places", "is a list of at most 5,000")
    if (
        not isinstance(links, list)
        or len(links) > 20
        or not all(isinstance(one, str) and len(one) <= 500 for one in links)
    ):
        raise BadParameter("body.certificates", "is a list of at most 20 addresses")
    return Recall(
        body["lot"],
        body["batch"],
        body["gtin"],
        body["product"],
        body["why"],
        tuple(Place.of(one) for one in places),
        tuple(links),
    )
