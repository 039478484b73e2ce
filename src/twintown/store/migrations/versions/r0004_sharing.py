"""Who signs in, what is offered and agreed with partners, the ledger."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_JSON, _TEXT, _INTEGER, _BYTES, _MOMENT = (
    sa.JSON(),
    sa.Text(),
    sa.Integer(),
    sa.LargeBinary(),
    sa.DateTime(timezone=True),
)


def _table(
    name: str,
    columns: dict[str, sa.types.TypeEngine[Any]],
    key: tuple[str, ...],
    *,
    may_lack: tuple[str, ...] = (),
) -> None:
    """A table each row of which belongs to a twin. `may_lack`: columns that may be null."""
    made = [
        sa.Column(one, kind, nullable=one in may_lack)
        for one, kind in {"twin": sa.String(64), **columns}.items()
    ]
    op.create_table(name, *made, sa.PrimaryKeyConstraint("twin", *key, name=f"pk_{name}"))


def upgrade() -> None:
    _table(
        "accounts",
        {
            "name": sa.String(80),
            "roles": _JSON,
            "password": _TEXT,
            "totp": _TEXT,
            "totp_last": _INTEGER,
            "issuer": _TEXT,
            "subject": _TEXT,
            "created": _MOMENT,
            "disabled": _MOMENT,
        },
        ("name",),
        may_lack=("disabled",),
    )
    _table(
        "sessions",
        {
            "digest": sa.String(64),
            "account": sa.String(80),
            "csrf": sa.String(64),
            "created": _MOMENT,
            "expires": _MOMENT,
        },
        ("digest",),
    )
    _table("tries", {"mark": sa.String(64), "failed": _INTEGER, "last": _MOMENT}, ("mark",))
    _table(
        "tokens",
        {
            "digest": sa.String(64),
            "id": sa.String(48),
            "kind": sa.String(12),
            "name": sa.String(200),
            "scopes": _JSON,
            "agreement": sa.String(80),
            "author": _JSON,
            "created": _MOMENT,
            "expires": _MOMENT,
            "revoked": _MOMENT,
        },
        ("digest",),
        may_lack=("revoked",),
    )
    _table(
        "signing_keys",
        {
            "public": sa.String(80),
            "seq": _INTEGER,
            "since": _MOMENT,
            "retired": _MOMENT,
            "revoked": _MOMENT,
            "why": _TEXT,
            "endorsed": _JSON,
        },
        ("public",),
        may_lack=("retired", "revoked", "endorsed"),
    )
    _table(
        "peers",
        {
            "did": sa.String(512),
            "address": _TEXT,
            "keys": _JSON,
            "state": sa.String(12),
            "seen": _MOMENT,
            "said": _JSON,
        },
        ("did",),
        may_lack=("seen",),
    )
    _table("seen", {"jti": sa.String(200), "until": _MOMENT}, ("jti",))
    _table(
        "offers",
        {
            "id": sa.String(80),
            "dataset": sa.String(200),
            "assignee": sa.String(512),
            "terms": _JSON,
            "policy": _JSON,
            "release": sa.Text(),
            "state": sa.String(12),
            "author": _JSON,
            "created": _MOMENT,
            "updated": _MOMENT,
        },
        ("id",),
    )
    _table(
        "negotiations",
        {
            "pid": sa.String(80),
            "role": sa.String(8),
            "peer_pid": sa.String(80),
            "peer": sa.String(512),
            "callback": _TEXT,
            "state": sa.String(12),
            "dataset": sa.String(200),
            "offer": _JSON,
            "agreement": _JSON,
            "turn": sa.String(8),
            "error": _JSON,
            "revision": _INTEGER,
            "created": _MOMENT,
            "updated": _MOMENT,
        },
        ("pid",),
        may_lack=("agreement", "error"),
    )
    _table(
        "messages",
        {
            "of": sa.String(80),
            "seq": _INTEGER,
            "way": sa.String(3),
            "type": sa.String(48),
            "body": _JSON,
            "author": _JSON,
            "mark": sa.String(80),
            "state": sa.String(12),
            "at": _MOMENT,
        },
        ("of", "seq"),
    )
    _table(
        "outbox",
        {
            "id": sa.String(48),
            "of": sa.String(80),
            "seq": _INTEGER,
            "peer": sa.String(512),
            "url": _TEXT,
            "body": _JSON,
            "attempts": _INTEGER,
            "next_at": _MOMENT,
            "said": _TEXT,
            "delivered": _MOMENT,
            "given_up": _MOMENT,
            "created": _MOMENT,
        },
        ("id",),
        may_lack=("next_at", "delivered", "given_up"),
    )
    op.create_index("ix_outbox_due", "outbox", ["twin", "delivered", "next_at"])
    _table(
        "agreements",
        {
            "id": sa.String(80),
            "role": sa.String(8),
            "peer": sa.String(512),
            "negotiation": sa.String(80),
            "dataset": sa.String(200),
            "terms": _JSON,
            "policy": _JSON,
            "signatures": _JSON,
            "state": sa.String(12),
            "since": _MOMENT,
            "until": _MOMENT,
            "changed": _MOMENT,
            "change": _JSON,
            "revision": _INTEGER,
        },
        ("id",),
        may_lack=("until", "change"),
    )
    _table(
        "transfers",
        {
            "pid": sa.String(80),
            "role": sa.String(8),
            "peer_pid": sa.String(80),
            "peer": sa.String(512),
            "callback": _TEXT,
            "agreement": sa.String(80),
            "format": sa.String(80),
            "state": sa.String(12),
            "address": _JSON,
            "error": _JSON,
            "revision": _INTEGER,
            "created": _MOMENT,
            "updated": _MOMENT,
        },
        ("pid",),
        may_lack=("address", "error"),
    )
    _table(
        "releases",
        {
            "id": sa.String(48),
            "asset": sa.String(200),
            "version": sa.String(64),
            "audience": sa.String(512),
            "terms": _JSON,
            "findings": _JSON,
            "remedies": _JSON,
            "state": sa.String(12),
            "decision": _JSON,
            "result": sa.String(200),
            "author": _JSON,
            "created": _MOMENT,
            "updated": _MOMENT,
        },
        ("id",),
        may_lack=("decision",),
    )
    _table(
        "workplans",
        {
            "id": sa.String(48),
            "seq": _INTEGER,
            "agreement": sa.String(80),
            "body": _JSON,
            "author": _JSON,
            "at": _MOMENT,
        },
        ("id", "seq"),
    )
    _table(
        "playbooks",
        {
            "id": sa.String(80),
            "version": sa.String(40),
            "digest": sa.String(80),
            "path": _TEXT,
            "about": _JSON,
            "origin": sa.String(512),
            "author": _JSON,
            "installed": _MOMENT,
        },
        ("id",),
    )
    _table(
        "ledger_entries",
        {
            "seq": _INTEGER,
            "kind": sa.String(24),
            "leaf": _BYTES,
            "digest": sa.String(64),
            "salt": _BYTES,
            "record": _JSON,
            "at": _MOMENT,
        },
        ("seq",),
    )
    op.create_index("ix_ledger_entries_digest", "ledger_entries", ["twin", "digest"])
    _table(
        "checkpoints",
        {"origin": sa.String(300), "size": _INTEGER, "root": sa.String(64), "note": _TEXT, "at": _MOMENT},
        ("origin", "size"),
    )
    _table(
        "refusals",
        {
            "hour": sa.String(20),
            "caller": sa.String(200),
            "action": sa.String(16),
            "resource": sa.String(200),
            "reason": _TEXT,
            "count": _INTEGER,
            "first": _MOMENT,
            "last": _MOMENT,
        },
        ("hour", "caller", "action", "resource", "reason"),
    )


def downgrade() -> None:
    for name in (
        "refusals",
        "checkpoints",
        "ledger_entries",
        "playbooks",
        "workplans",
        "releases",
        "transfers",
        "agreements",
        "outbox",
        "messages",
        "negotiations",
        "offers",
        "seen",
        "peers",
        "signing_keys",
        "tokens",
        "tries",
        "sessions",
        "accounts",
    ):
        op.drop_table(name)
