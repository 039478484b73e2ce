"""Tokens of a partner: a pointer to an agreement, minted when a transfer starts, for an hour at most; only its digest is kept.

The consumer gets it in the DSP `DataAddress` of the transfer's start, with the address at which it may ask for the next one. Each request
looks the agreement up, so that a token is worth nothing once the agreement is suspended or ended, even before it is revoked.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, insert, update

from twintown.exchange.agreements import Agreement
from twintown.exchange.odrl import moment, moment_text
from twintown.ground.errors import BadData
from twintown.store.schema_shared import tokens
from twintown.store.tables import Tables

LIFE = timedelta(hours=1)
ENDPOINT_TYPE = "https://w3id.org/idsa/v4.1/HTTP"
#: Member of a data address that is ours: where the holder of the agreement asks for the next token.
RENEWAL, EXPIRES = "urn:twintown:renewal", "urn:twintown:expires"

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a consumer reads, out of a data address. `token` is a secret."""

    endpoint: str
    token: str = field(repr=False)
    expires: datetime
    renewal: str = ""


def mint_in(
    connection: Connection, tables: Tables, agreement: Agreement, transfer: str, now: datetime
) -> tuple[str, datetime]:
    """A new token for one transfer; those that the transfer had are worthless from this commit on.

    Returns:
        the token, which is kept nowhere here, and when it expires.
    """
    revoke_in(connection, tables, transfer, now)
    token = secrets.token_urlsafe(32)
    expires = min(now + LIFE, agreement.until) if agreement.until else now + LIFE
    connection.execute(
        insert(tokens).values(
            twin=tables.twin, digest=hashlib.sha256(token.encode()).hexdigest(), id=secrets.token_hex(8), kind="agreement",
            name=transfer[:200], scopes=[], agreement=agreement.id, author={"name": agreement.peer, "kind": "peer", "verified": True},
            created=now, expires=expires, revoked=None,
        )
    )  # fmt: skip
    return token, expires


def revoke_in(connection: Connection, tables: Tables, transfer: str, now: datetime) -> None:
    """Make the tokens of one transfer worthless."""
    mine = and_(
        tokens.c.twin == tables.twin,
        tokens.c.kind == "agreement",
        tokens.c.name == transfer[:200],
        tokens.c.revoked.is_(None),
    )
    connection.execute(update(tokens).where(mine).values(revoked=now))


def data_address(twin: str, token: str, expires: datetime, transfer: str) -> dict[str, Any]:
    """A DSP DataAddress. `twin` is the address of ours to the world, `transfer` our name for it."""
    properties = {
        "authorization": token,
        "authType": "bearer",
        EXPIRES: moment_text(expires),
        RENEWAL: f"{twin}/dsp/transfers/{transfer}/token",
    }
    return {
        "@type": "DataAddress", "endpointType": ENDPOINT_TYPE, "endpoint": twin,
        "endpointProperties": [{"@type": "EndpointProperty", "name": k, "value": v} for k, v in properties.items()],
    }  # fmt: skip


def read_address(said: Mapping[str, Any] | None, peer: str, where: str = "dataAddress") -> Address:
    """A partner's data address; it must lie under the address that was pinned for the partner.

    Raises:
        BadData: none, of another kind, without a token, or elsewhere.
    """
    if not said or said.get("endpointType") != ENDPOINT_TYPE:
        raise BadData("is no address that is read by HTTP", where, "ask the partner for HttpData-PULL")
    listed = said.get("endpointProperties", ())
    found = {
        str(one.get("name")): str(one.get("value"))
        for one in (listed if isinstance(listed, list) else ())
        if isinstance(one, Mapping)
    }
    endpoint, renewal = str(said.get("endpoint", "")).rstrip("/"), found.get(RENEWAL, "")
    for address in (endpoint, renewal):
        if address and address != peer and not address.startswith(f"{peer}/"):
            raise BadData("lies elsewhere than the partner", where, "pin the partner's present address")
    token = found.get("authorization", "").removeprefix("Bearer ")
    if not endpoint or not token or len(token) > 4096 or not token.isascii() or not token.isprintable():
        raise BadData("holds no token", where, "ask the partner to start the transfer again")
    expires = moment(found[EXPIRES], where) if EXPIRES in found else _NEVER
    return Address(endpoint, token, expires, renewal)
