"""Layer versions, products and build steps."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

CURRENT = sa.text("state = 'current'")


def upgrade() -> None:
    op.create_table(
        "layer_versions",
        sa.Column("twin", sa.String(64), nullable=False),
        sa.Column("layer", sa.String(128), nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("digest", sa.String(80), nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("built_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("west", sa.Float),
        sa.Column("south", sa.Float),
        sa.Column("east", sa.Float),
        sa.Column("north", sa.Float),
        sa.Column("grade", sa.String(8), nullable=False),
        sa.Column("title_ko", sa.Text, nullable=False),
        sa.Column("title_en", sa.Text, nullable=False),
        sa.Column("meta", sa.JSON, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.PrimaryKeyConstraint("twin", "layer", "version", name="pk_layer_versions"),
    )
    op.create_index(
        "uq_layer_versions_current",
        "layer_versions",
        ["twin", "layer"],
        unique=True,
        sqlite_where=CURRENT,
        postgresql_where=CURRENT,
    )
    op.create_table(
        "products",
        sa.Column("twin", sa.String(64), nullable=False),
        sa.Column("product", sa.String(128), nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(80), nullable=False),
        sa.Column("built_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("meta", sa.JSON, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.PrimaryKeyConstraint("twin", "product", "version", name="pk_products"),
    )
    op.create_index(
        "uq_products_current",
        "products",
        ["twin", "product"],
        unique=True,
        sqlite_where=CURRENT,
        postgresql_where=CURRENT,
    )
    op.create_table(
        "build_steps",
        sa.Column("twin", sa.String(64), nullable=False),
        sa.Column("step", sa.String(200), nullable=False),
        sa.Column("inputs_digest", sa.String(80), nullable=False),
        sa.Column("outputs", sa.JSON, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("started", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("twin", "step", name="pk_build_steps"),
    )


def downgrade() -> None:
    op.drop_table("build_steps")
    op.drop_index("uq_products_current", "products")
    op.drop_table("products")
    op.drop_index("uq_layer_versions_current", "layer_versions")
    op.drop_table("layer_versions")
