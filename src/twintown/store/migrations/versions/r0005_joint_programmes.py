"""Joint programmes that both cities hold, and their moves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "programmes",
        sa.Column("twin", sa.String(64), nullable=False),
        sa.Column("id", sa.String(48), nullable=False),
        sa.Column("peer", sa.String(512), nullable=False),
        sa.Column("began", sa.String(512), nullable=False),
        sa.Column("agreement", sa.String(80), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("error", sa.JSON(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created", _MOMENT, nullable=False),
        sa.Column("updated", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("twin", "id", name="pk_programmes"),
    )
    op.create_table(
        "programme_moves",
        sa.Column("twin", sa.String(64), nullable=False),
        sa.Column("id", sa.String(48), nullable=False),
        sa.Column("mark", sa.String(80), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("event", sa.String(12), nullable=False),
        sa.Column("way", sa.String(3), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("document", sa.String(64), nullable=False),
        sa.Column("author", sa.JSON(), nullable=False),
        sa.Column("void", sa.Text(), nullable=False),
        sa.Column("ledger", sa.Integer(), nullable=False),
        sa.Column("heard", _MOMENT, nullable=True),
        sa.Column("at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("twin", "id", "mark", name="pk_programme_moves"),
    )
    op.create_index("ix_programme_moves_seq", "programme_moves", ["twin", "id", "seq"])


def downgrade() -> None:
    op.drop_table("programme_moves")
    op.drop_table("programmes")
