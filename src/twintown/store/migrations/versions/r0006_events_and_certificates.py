"""Events, certificates of lots with their status lists, and notices between cities."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_MOMENT = sa.DateTime(timezone=True)


def _text(name: str, length: int = 0) -> sa.Column[str]:
    return sa.Column(name, sa.String(length) if length else sa.Text(), nullable=False)


def _at(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, _MOMENT, nullable=nullable)


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _json(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.JSON(), nullable=False)


def upgrade() -> None:
    op.create_table(
        "events",
        _text("twin", 64),
        _text("id", 48),
        _count("revision"),
        _text("state", 12),
        _text("joint", 48),
        _at("starts"),
        _at("ends"),
        _json("body"),
        _json("author"),
        _at("at"),
        sa.PrimaryKeyConstraint("twin", "id", "revision", name="pk_events"),
    )
    op.create_table(
        "certificates",
        _text("twin", 64),
        _text("id", 80),
        _text("lot", 120),
        _text("batch", 40),
        _text("gtin", 14),
        _text("digest", 64),
        _text("jwt"),
        _text("list", 48),
        _count("position"),
        _at("issued"),
        _at("until"),
        _at("revoked", nullable=True),
        _text("why"),
        _count("ledger"),
        _json("author"),
        sa.PrimaryKeyConstraint("twin", "id", name="pk_certificates"),
    )
    op.create_index("ix_certificates_lot", "certificates", ["twin", "lot"])
    op.create_index("ix_certificates_batch", "certificates", ["twin", "gtin", "batch"])
    op.create_table(
        "status_lists",
        _text("twin", 64),
        _text("id", 48),
        _text("purpose", 16),
        sa.Column("bits", sa.LargeBinary(), nullable=False),
        _count("used"),
        _text("jwt"),
        _at("updated"),
        sa.PrimaryKeyConstraint("twin", "id", name="pk_status_lists"),
    )
    op.create_table(
        "notices",
        _text("twin", 64),
        _text("id", 80),
        _text("way", 3),
        _text("kind", 24),
        _text("peer", 512),
        _text("about", 200),
        _json("body"),
        _text("digest", 64),
        _json("author"),
        _count("ledger"),
        _at("heard", nullable=True),
        _at("seen", nullable=True),
        _at("at"),
        sa.PrimaryKeyConstraint("twin", "id", "way", "peer", name="pk_notices"),
    )


def downgrade() -> None:
    for table in ("notices", "status_lists", "certificates", "events"):
        op.drop_table(table)
