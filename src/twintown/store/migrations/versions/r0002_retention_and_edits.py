"""When a version was retired, and the journal of edits of features."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("layer_versions", sa.Column("retired_at", sa.DateTime(timezone=True)))
    op.add_column("products", sa.Column("retired_at", sa.DateTime(timezone=True)))
    op.create_table(
        "feature_edits",
        sa.Column("twin", sa.String(64), nullable=False),
        sa.Column("layer", sa.String(128), nullable=False),
        sa.Column("base", sa.String(64), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("feature", sa.Text, nullable=False),
        sa.Column("properties", sa.Text),
        sa.Column("geometry", sa.LargeBinary),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("author", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("twin", "layer", "base", "seq", name="pk_feature_edits"),
    )
    op.create_index("ix_feature_edits_twin_layer_base_feature_seq", "feature_edits",
                    ["twin", "layer", "base", "feature", "seq"])  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_feature_edits_twin_layer_base_feature_seq", "feature_edits")
    op.drop_table("feature_edits")
    op.drop_column("products", "retired_at")
    op.drop_column("layer_versions", "retired_at")
