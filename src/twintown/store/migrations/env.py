"""Alembic's entry: runs on the connection (and in the transaction) that `tables.upgrade` hands over."""

from __future__ import annotations

from alembic import context

from twintown.store import schema_programme

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=schema_programme.metadata,
    transactional_ddl=True,
    render_as_batch=True,
)
context.run_migrations()
