"""What was asked to be computed, and the plans that people make."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def _moment(name: str, *, nullable: bool = True) -> sa.Column:  # type: ignore[type-arg]
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "jobs",
        sa.Column("twin", sa.String(64), nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("process", sa.String(64), nullable=False),
        sa.Column("question", sa.String(80), nullable=False),
        sa.Column("request", sa.JSON, nullable=False),
        sa.Column("subject", sa.JSON, nullable=False),
        sa.Column("scenario", sa.String(36), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("worker", sa.String(80), nullable=False),
        _moment("lease_until"),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("progress", sa.Float, nullable=False),
        sa.Column("remaining_s", sa.Float),
        sa.Column("problem", sa.JSON),
        sa.Column("results", sa.JSON),
        _moment("created", nullable=False),
        _moment("started"),
        _moment("finished"),
        _moment("updated", nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("twin", "id", name="pk_jobs"),
    )
    op.create_index("ix_jobs_twin_state_created", "jobs", ["twin", "state", "created"])
    op.create_index("ix_jobs_seq", "jobs", ["twin", "seq"])
    op.create_index("ix_jobs_question", "jobs", ["twin", "question"])
    op.create_table(
        "scenarios",
        sa.Column("twin", sa.String(64), nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("about", sa.Text, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("parent", sa.String(36), nullable=False),
        sa.Column("parent_revision", sa.Integer, nullable=False),
        sa.Column("base", sa.JSON, nullable=False),
        sa.Column("parameters", sa.JSON, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("author", sa.JSON, nullable=False),
        _moment("created", nullable=False),
        _moment("updated", nullable=False),
        sa.Column("decision", sa.JSON),
        sa.PrimaryKeyConstraint("twin", "id", name="pk_scenarios"),
    )
    op.create_table(
        "scenario_entries",
        sa.Column("twin", sa.String(64), nullable=False),
        sa.Column("scenario", sa.String(36), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("object", sa.Text, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("author", sa.JSON, nullable=False),
        _moment("at", nullable=False),
        sa.PrimaryKeyConstraint("twin", "scenario", "seq", name="pk_scenario_entries"),
    )
    op.create_index(
        "ix_scenario_entries_twin_scenario_object_seq",
        "scenario_entries",
        ["twin", "scenario", "object", "seq"],
    )


def downgrade() -> None:
    op.drop_table("scenario_entries")
    op.drop_table("scenarios")
    op.drop_table("jobs")
