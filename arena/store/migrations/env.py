"""Alembic runs this; the connection comes from `arena.store.database`."""

from alembic import context
from sqlmodel import SQLModel

from arena.store import benchmark_tables, judging_tables, tables  # noqa: F401  (fill the metadata)

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
