"""Alembic's scripts, packaged: `tables.upgrade` runs them."""
