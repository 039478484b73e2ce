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
HEAD = "0006"

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

# What was asked to be computed. `seq` grows with every change of any job of the twin, so that who watches reads only news.
jobs = Table(
    "jobs",
    metadata,
    Column("twin", String(64), nullable=False),
    Column("id", String(36), nullable=False),
    Column("kind", String(16), nullable=False),  # process, verification, approval, report
    Column("process", String(64), nullable=False),
    Column("question", String(80), nullable=False),
    Column("request", JSON, nullable=False),
    Column("subject", JSON, nullable=False),
    Column("scenario", String(36), nullable=False),
    Column("state", String(12), nullable=False),  # accepted, running, successful, failed, dismissed
    Column("attempt", Integer, nullable=False),
    Column("worker", String(80), nullable=False),
    Column("lease_until", DateTime(timezone=True)),
    Column("stage", Text, nullable=False),
    Column("progress", Float, nullable=False),
    Column("remaining_s", Float),
    Column("problem", JSON),
    Column("results", JSON),
    Column("created", DateTime(timezone=True), nullable=False),
    Column("started", DateTime(timezone=True)),
    Column("finished", DateTime(timezone=True)),
    Column("updated", DateTime(timezone=True), nullable=False),
    Column("seq", Integer, nullable=False),
    PrimaryKeyConstraint("twin", "id"),
)
Index(None, jobs.c.twin, jobs.c.state, jobs.c.created)
Index("ix_jobs_seq", jobs.c.twin, jobs.c.seq)
Index("ix_jobs_question", jobs.c.twin, jobs.c.question)

# A plan: a base (layer -> version), and the edits that people made to it, in order.
scenarios = Table(
    "scenarios",
    metadata,
    Column("twin", String(64), nullable=False),
    Column("id", String(36), nullable=False),
    Column("name", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("state", String(12), nullable=False),  # draft, approved, withdrawn
    Column("parent", String(36), nullable=False),
    Column("parent_revision", Integer, nullable=False),
    Column("base", JSON, nullable=False),
    Column("parameters", JSON, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("author", JSON, nullable=False),
    Column("created", DateTime(timezone=True), nullable=False),
    Column("updated", DateTime(timezone=True), nullable=False),
    Column("decision", JSON),  # who, when, why, revision, versions
    PrimaryKeyConstraint("twin", "id"),
)
# Everything that was ever said in a scenario, in order; nothing is overwritten. `kind`: edit, comment, parameters, name, state.
scenario_entries = Table(
    "scenario_entries",
    metadata,
    Column("twin", String(64), nullable=False),
    Column("scenario", String(36), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("kind", String(12), nullable=False),
    Column("object", Text, nullable=False),
    Column("body", JSON, nullable=False),
    Column("author", JSON, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("twin", "scenario", "seq"),
)
Index(
    None,
    scenario_entries.c.twin,
    scenario_entries.c.scenario,
    scenario_entries.c.object,
    scenario_entries.c.seq,
)
