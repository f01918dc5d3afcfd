"""Alembic runs this; the connection comes from `arena.store.database`."""

from alembic import context
from alembic.runtime.migration import MigrationContext

from arena.store.packed_votes import pack_once
from arena.store.schema.all_tables import METADATA

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=METADATA, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
    if MigrationContext.configure(connection).get_current_revision() == context.get_head_revision():
        pack_once(connection)  # at the end: what counts depends on tables of every revision
