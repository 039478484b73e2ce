"""The SQL tables of a twin, as SQLAlchemy Core metadata; the scripts in `migrations/` build the same.

One database may hold several twins (PostgreSQL behind a server), therefore each row names its twin.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Column,
    DateTime,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    text,
)

#: Revision the code expects; `tables.upgrade` skips Alembic altogether when the database already says so.
HEAD = "0002"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

layer_versions = Table(
    "layer_versions",
    metadata,
    Column("twin", String(64), nullable=False),
    Column("layer", String(128), nullable=False),
    Column("version", String(64), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("digest", String(80), nullable=False),
    Column("count", Integer, nullable=False),
    Column("built_at", DateTime(timezone=True), nullable=False),
    Column("path", Text, nullable=False),
    Column("west", Float),
    Column("south", Float),
    Column("east", Float),
    Column("north", Float),
    Column("grade", String(8), nullable=False),
    Column("title_ko", Text, nullable=False),
    Column("title_en", Text, nullable=False),
    Column("meta", JSON, nullable=False),
    Column("state", String(8), nullable=False),
    Column("retired_at", DateTime(timezone=True)),
    PrimaryKeyConstraint("twin", "layer", "version"),
)
# The database itself refuses a second current version of a layer. PostgreSQL's own condition stands in the migration
# only: naming it here would import that dialect (a sixth of a second) into every start.
Index(
    "uq_layer_versions_current",
    layer_versions.c.twin,
    layer_versions.c.layer,
    unique=True,
    sqlite_where=text("state = 'current'"),
)

products = Table(
    "products",
    metadata,
    Column("twin", String(64), nullable=False),
    Column("product", String(128), nullable=False),
    Column("version", String(64), nullable=False),
    Column("digest", String(80), nullable=False),
    Column("built_at", DateTime(timezone=True), nullable=False),
    Column("path", Text, nullable=False),
    Column("meta", JSON, nullable=False),
    Column("state", String(8), nullable=False),
    Column("retired_at", DateTime(timezone=True)),
    PrimaryKeyConstraint("twin", "product", "version"),
)
Index(
    "uq_products_current",
    products.c.twin,
    products.c.product,
    unique=True,
    sqlite_where=text("state = 'current'"),
)

build_steps = Table(
    "build_steps",
    metadata,
    Column("twin", String(64), nullable=False),
    Column("step", String(200), nullable=False),
    Column("inputs_digest", String(80), nullable=False),
    Column("outputs", JSON, nullable=False),
    Column("state", String(8), nullable=False),
    Column("started", DateTime(timezone=True), nullable=False),
    Column("finished", DateTime(timezone=True)),
    PrimaryKeyConstraint("twin", "step"),
)

# What was written to a layer since its version `base` was made, in order; a feature without properties was removed.
feature_edits = Table(
    "feature_edits",
    metadata,
    Column("twin", String(64), nullable=False),
    Column("layer", String(128), nullable=False),
    Column("base", String(64), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("feature", Text, nullable=False),
    Column("properties", Text),
    Column("geometry", LargeBinary),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("author", String(64), nullable=False),
    PrimaryKeyConstraint("twin", "layer", "base", "seq"),
)
Index(
    None,
    feature_edits.c.twin,
    feature_edits.c.layer,
    feature_edits.c.base,
    feature_edits.c.feature,
    feature_edits.c.seq,
)
