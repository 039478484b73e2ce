"""An agreement of a tiny twin with another city, written as the handshake leaves it, and the token by which that city asks."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert, update

from twintown.store.engine import writing
from twintown.store.schema_shared import agreements, tokens
from twintown.store.tables import Tables, open_tables, sqlite_url
from twintown.trust.terms import State, Terms, terms_to_json

PEER = "did:web:icheon.example:twins:icheon"


def tables_of(directory: Path, twin: str = "small") -> Tables:
    return open_tables(sqlite_url(directory / "state.db"), twin)


def agree(directory: Path, terms: Terms, *, id: str = "", state: State = "active", scopes: Sequence[str] = (),
          peer: str = PEER, twin: str = "small") -> dict[str, str]:  # fmt: skip
    """A new agreement by which this twin provides; the headers that show its token."""
    tables, now = tables_of(directory, twin), datetime.now(UTC)
    id, token = id or f"urn:uuid:{secrets.token_hex(8)}", secrets.token_urlsafe(32)
    with writing(tables.engine) as connection:
        connection.execute(
            insert(agreements).values(
                twin=twin, id=id, role="provider", peer=peer, negotiation="n", dataset="d", terms=terms_to_json(terms), policy={},
                signatures=[], state=state, since=now, until=terms.until, changed=now, change=None, revision=0,
            )
        )  # fmt: skip
        connection.execute(
            insert(tokens).values(
                twin=twin, digest=hashlib.sha256(token.encode()).hexdigest(), id=secrets.token_hex(8), kind="agreement", name="t",
                scopes=list(scopes), agreement=id, author={}, created=now, expires=now + timedelta(hours=1), revoked=None,
            )
        )  # fmt: skip
    return {"Authorization": f"Bearer {token}", "X-Agreement": id}


def become(directory: Path, headers: dict[str, str], state: State, twin: str = "small") -> None:
    """The red button, or what lifts it."""
    tables = tables_of(directory, twin)
    with writing(tables.engine) as connection:
        mine = (agreements.c.twin == twin) & (agreements.c.id == headers["X-Agreement"])
        connection.execute(update(agreements).where(mine).values(state=state))


def serve_token(directory: Path, scopes: Sequence[str], twin: str = "small") -> dict[str, str]:
    """The headers of a service whose token is for `scopes`."""
    tables, now, token = tables_of(directory, twin), datetime.now(UTC), secrets.token_urlsafe(32)
    with writing(tables.engine) as connection:
        connection.execute(
            insert(tokens).values(
                twin=twin, digest=hashlib.sha256(token.encode()).hexdigest(), id=secrets.token_hex(8), kind="service", name="robot",
                scopes=list(scopes), agreement="", author={}, created=now, expires=now + timedelta(hours=1), revoked=None,
            )
        )  # fmt: skip
    return {"Authorization": f"Bearer {token}"}
