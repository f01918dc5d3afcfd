"""Alembic runs this; the connection comes from `arena.store.database`."""

from alembic import context
from sqlmodel import SQLModel

from arena.store import (  # noqa: F401  (fill the metadata)
    benchmark_tables,
    explanations,
    judging_tables,
    ledger_tables,
    tables,
    trait_tables,
)

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
