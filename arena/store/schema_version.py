"""The revision of a database's schema, and the migrations to the newest one."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from arena.errors import DatabaseError

# Replicas that start together on an empty PostgreSQL migrate one after another. The number is arbitrary, and the same
# for every version.
MIGRATION_LOCK = 0x4152454E41  # "ARENA"
LOCK_TIMEOUT = 600  # seconds that a replica waits for the migrations of another


def latest_revision() -> str | None:
    """The revision of this version."""
    return ScriptDirectory.from_config(_alembic()).get_current_head()


def revision_of(engine: Engine) -> str | None:
    """The revision of the schema, or None for tables of another program."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def known_revision(engine: Engine, shown: str) -> str:
    """The revision of a database with tables. Raises `DatabaseError` for one of another program or a newer version."""
    revision = revision_of(engine)
    revisions = {script.revision for script in ScriptDirectory.from_config(_alembic()).walk_revisions()}
    if revision is None:
        raise DatabaseError(f"{shown} contains tables of another program. Choose another database with --db.")
    if revision not in revisions:
        raise DatabaseError(f"{shown} was created by a newer version of Arena. Install that version.")
    return revision


def migrate(connection: Connection) -> None:
    """Run the missing migrations in the transaction of `connection`, after those of any other replica."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}s'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
    config = _alembic()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config
