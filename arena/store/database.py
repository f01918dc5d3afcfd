"""The database: connections, sessions, migrations, and the lock of one server on an SQLite file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from filelock import FileLock, Timeout
from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlmodel import Session

from arena.errors import DatabaseError, DatabaseFailed

BUSY_TIMEOUT = 30_000  # milliseconds a writer waits for another before SQLite gives up


class Database:
    """One database. `read()` and `write()` return sessions; a write commits at the end or not at all."""

    def __init__(self, url: str) -> None:
        self.url = _checked(url)
        self.engine = _engine(self.url)
        self._writer = self.engine.execution_options(arena_write=True)
        self._lock: FileLock | None = None

    @property
    def shown(self) -> str:
        """The URL without its password."""
        return make_url(self.url).render_as_string(hide_password=True)

    @property
    def file(self) -> str | None:
        """The path of an SQLite file, else None."""
        parsed = make_url(self.url)
        if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
            return None
        return parsed.database

    @contextmanager
    def read(self) -> Iterator[Session]:
        with Session(self.engine) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        with Session(self._writer, expire_on_commit=False) as session, session.begin():
            yield session

    def writing(self) -> AbstractContextManager[Connection]:
        """A connection for rows without a session; like `write`, it commits at the end or not at all."""
        return self._writer.begin()

    def close(self) -> None:
        self.engine.dispose()
        if self._lock:
            self._lock.release()

    def lock(self) -> None:
        """Lock an SQLite file against other servers, which would abandon its running battles.

        Raises `DatabaseError`.
        """
        if self.file is None:
            return
        place = Path(f"{self.file}-lock")
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.touch()  # FileLock would wait forever without write permission
        except OSError as error:
            raise DatabaseError(
                f"{place} cannot be written ({error.strerror}). Give a database in a writable folder with --db."
            ) from error
        self._lock = FileLock(place)
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise DatabaseError(
                f"{self.file} is in use by another arena. Stop that arena, or choose another file with --db."
            ) from None

    def must_exist(self) -> None:
        """Raise `DatabaseError` for a missing SQLite file: a wrong folder must not look like an empty arena."""
        if self.file and not Path(self.file).exists():
            raise DatabaseError(f"Database {self.file} not found. Run `arena demo` to create it, or pass --db.")

    def is_new(self) -> bool:
        """Whether the database has no tables."""
        return not inspect(self.engine).get_table_names()

    def revision(self) -> str | None:
        """The revision of the schema, or None for tables of another program."""
        with self.engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()

    def upgrade(self) -> None:
        """Run the missing migrations; a database of another program is not changed.

        Raises `DatabaseError`.
        """
        with self.errors_translated():
            if not self.is_new():
                self._check_revision()
            config = _alembic()
            with self._writer.begin() as connection:
                config.attributes["connection"] = connection
                command.upgrade(config, "head")

    @contextmanager
    def errors_translated(self) -> Iterator[None]:
        """Raise `DatabaseFailed` for every error of the database, with its first line."""
        try:
            yield
        except SQLAlchemyError as error:
            raise DatabaseFailed(f"{self.shown}: {first_line(error)}") from error

    def make_ready(self) -> None:
        """Migrate a new database; an older one needs `arena db upgrade`.

        Raises `DatabaseError`.
        """
        with self.errors_translated():
            if self.is_new():
                self.upgrade()
            revision = self._check_revision()
        if revision != latest_revision():
            raise DatabaseError(
                f"{self.shown} has an older schema. Back it up, then run: arena db upgrade --db {self.shown}"
            )

    def _check_revision(self) -> str:
        """The revision of a database with tables. Raises `DatabaseError` for one of another program or a newer version."""
        revision = self.revision()
        revisions = {script.revision for script in ScriptDirectory.from_config(_alembic()).walk_revisions()}
        if revision is None:
            raise DatabaseError(
                f"{self.shown} contains tables of another program. Choose another database with --db."
            )
        if revision not in revisions:
            raise DatabaseError(f"{self.shown} was created by a newer version of Arena. Install that version.")
        return revision


def latest_revision() -> str | None:
    """The revision of this version."""
    return ScriptDirectory.from_config(_alembic()).get_current_head()


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


@contextmanager
def open_database(url: str, *, create: bool = True) -> Iterator[Database]:
    """The database at `url`, ready to use and closed at the end; without `create`, one that exists.

    Raises `DatabaseError` for a database that cannot be opened, and for every error of the database inside.
    """
    database = Database(url)
    try:
        if not create:
            database.must_exist()
        database.make_ready()
        with database.errors_translated():
            yield database
    finally:
        database.close()


def _checked(url: str) -> str:
    """The URL with psycopg 3, the driver of the extra `postgres`, for plain `postgresql://`."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise DatabaseError(f"{url!r} is not a database URL. Write it as sqlite:///arena.db.") from None
    if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise DatabaseError(
            f"{url} is in memory, where every connection has an empty database. Give a file: sqlite:///arena.db."
        )
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    return parsed.render_as_string(hide_password=False)


def _engine(url: str) -> Engine:
    try:
        if make_url(url).get_backend_name() != "sqlite":
            return create_engine(url, pool_pre_ping=True)
        engine = create_engine(url, connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT / 1000})
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise DatabaseError(
            f"{make_url(url).drivername}: {error}. For PostgreSQL run: pip install 'arena[postgres]'"
        ) from error
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin)
    return engine


def _set_pragmas(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # `_begin` emits BEGIN
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")  # a vote that was acknowledged survives a power cut
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT}")
    cursor.close()


def _begin(connection: Connection) -> None:
    """Begin a transaction; a writer locks at once, since a reader that becomes a writer cannot wait for others."""
    write = connection.get_execution_options().get("arena_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def first_line(error: SQLAlchemyError) -> str:
    """The first line of the reason of an error."""
    reason = error.orig if isinstance(error, DBAPIError) else error
    return str(reason).strip().splitlines()[0]
