"""Alembic runs this; the connection comes from `arena.store.database`."""

from alembic import context

from arena.store.schema.all_tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
