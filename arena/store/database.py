"""The database: sessions that commit at the end or not at all, and one kind of failure while it is out."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from pathlib import Path

from filelock import FileLock
from sqlalchemy import Connection, Engine, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlmodel import Session

from arena.errors import DatabaseError, DatabaseFailed, DatabaseUnavailable
from arena.store.connection_limits import ConnectionLimits
from arena.store.file_guard import FileGuard
from arena.store.file_lock import locked
from arena.store.outages import DAMAGED, first_line, outage_reason
from arena.store.postgres import postgres_engine
from arena.store.schema_version import known_revision, latest_revision, migrate, revision_of
from arena.store.sqlite import sqlite_engine

LITTLE = 16 * 2**20  # bytes: with less free space than this, `check` tries to write


class Database:
    """One database. `read()` and `write()` return sessions; a write commits at the end or not at all.

    All statements of a `read()` see the same state: a vote that is being counted is pending or counted, never neither.

    Both raise `DatabaseUnavailable` for an outage. After an outage in a write it is unknown whether it was committed.
    """

    def __init__(self, url: str, limits: ConnectionLimits | None = None) -> None:
        self.url = _checked(url)
        self._guard = FileGuard(self.file, self.shown) if self.file else None
        self._lock: FileLock | None = None
        self._writes_fail = False
        self._is_damaged = False
        self._connect(limits or ConnectionLimits())

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
        with self._outages(), Session(self._reader) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        with self._confirmed(), Session(self._writer, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection for rows without a session; like `write`, it commits at the end or not at all."""
        with self._confirmed(), self._writer.begin() as connection:
            yield connection

    def check(self) -> None:
        """Raise `DatabaseUnavailable` unless the database can be read and a writer can begin.

        While writes fail and when the disk is almost full, it also commits a change that changes nothing; after a read
        of a damaged page it reads every page.
        """
        if self._is_damaged:
            self._read_every_page()
        if not (self._writes_fail or self._is_almost_full()):
            with self._outages(), self._writer.begin() as connection:
                connection.execute(text("SELECT 1"))
            return
        with self.writing() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = version_num"))

    def _read_every_page(self) -> None:
        with self.read() as session:
            problem = str(session.execute(text("PRAGMA quick_check(1)")).scalar())
        if problem != "ok":
            raise DatabaseUnavailable(f"{self.shown}: {problem}", DAMAGED)
        self._is_damaged = False

    def overwrite_deleted(self) -> bool:
        """Empty the write-ahead log of an SQLite file, so that no older page of it is left; True without a file.

        Deleted rows are overwritten in the file itself (`secure_delete`). Returns False when a reader is in the way.
        """
        if self._guard is None:
            return True
        with self._outages():
            connection = self.engine.raw_connection()
            try:
                busy, *_ = connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                connection.close()
        return not busy

    @contextmanager
    def patient(self) -> Iterator[Database]:
        """The same database without the limits of readers, for work that takes longer than they wait."""
        other = copy(self)
        other._connect(ConnectionLimits())
        try:
            yield other
        finally:
            other.engine.dispose()

    def close(self) -> None:
        self.engine.dispose()
        if self._guard:
            self._guard.close()
        if self._lock:
            self._lock.release()

    def lock(self) -> None:
        """Lock an SQLite file against other servers. Raises `DatabaseError`."""
        if self.file is not None:
            self._lock = locked(self.file)

    def must_exist(self) -> None:
        """Raise `DatabaseError` for a missing SQLite file: a wrong folder must not look like an empty arena."""
        if self.file and not Path(self.file).exists():
            raise DatabaseError(
                f"Database {self.file} not found. Start the arena once to create it (`arena serve`, or `arena demo` "
                "with its two models), or pass --db."
            )

    def is_new(self) -> bool:
        """Whether the database has no tables."""
        return not inspect(self.engine).get_table_names()

    def revision(self) -> str | None:
        """The revision of the schema, or None for tables of another program."""
        return revision_of(self.engine)

    def upgrade(self) -> None:
        """Run the missing migrations; a database of another program is not changed.

        Raises `DatabaseError`.
        """
        with self.errors_translated():
            if not self.is_new():
                known_revision(self.engine, self.shown)
            with self.patient() as patient, patient.writing() as connection:
                migrate(connection)

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
            revision = known_revision(self.engine, self.shown)
        if revision != latest_revision():
            raise DatabaseError(
                f"{self.shown} has an older schema. Back it up, then run: arena db upgrade --db {self.shown}"
            )

    def _connect(self, limits: ConnectionLimits) -> None:
        self.engine = self._engine(limits)
        self._writer = self.engine.execution_options(arena_write=True)
        snapshot = {} if self.file else {"isolation_level": "REPEATABLE READ"}  # SQLite always reads a snapshot
        self._reader = self.engine.execution_options(**snapshot)

    def _engine(self, limits: ConnectionLimits) -> Engine:
        try:
            if self._guard is None:
                return postgres_engine(self.url, limits, self.shown)
            return sqlite_engine(self.url, limits, self._guard)
        except (NoSuchModuleError, ModuleNotFoundError) as error:
            raise DatabaseError(
                f"{make_url(self.url).drivername}: {error}. For PostgreSQL run: pip install 'arena[postgres]'"
            ) from error

    @contextmanager
    def _outages(self) -> Iterator[None]:
        """Raise `DatabaseUnavailable` for errors that are outages."""
        try:
            yield
        except SQLAlchemyError as error:
            if reason := outage_reason(error):
                self._is_damaged |= reason == DAMAGED and self._guard is not None
                raise DatabaseUnavailable(f"{self.shown}: {first_line(error)}", reason) from error
            raise

    @contextmanager
    def _confirmed(self) -> Iterator[None]:
        """After the commit, check that it went into the file at the path."""
        try:
            with self._outages():
                yield
            if self._guard:
                self._guard.check()
        except DatabaseUnavailable:
            self._writes_fail = True
            raise
        self._writes_fail = False

    def _is_almost_full(self) -> bool:
        try:
            return self.file is not None and shutil.disk_usage(Path(self.file).parent).free < LITTLE
        except OSError:  # the folder is gone, which the write will report
            return True


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
