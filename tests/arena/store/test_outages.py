"""A database that was moved, is locked, full, read-only, damaged, frozen or cut off: one typed failure, soon."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from arena.errors import DatabaseUnavailable
from arena.store import Database
from arena.store.connection_limits import ConnectionLimits
from arena.store.file_guard import MOVED, NO_LOG
from arena.store.models import model_names, register_models
from arena.store.outages import DAMAGED, FULL, LOCKED, NO_ANSWER, NO_CONNECTION, READ_ONLY, TOO_SLOW
from tests.support.arenas import emptied, new_file, without_tables
from tests.support.timing import NO_HANG, PATIENCE

IMPATIENT = ConnectionLimits(busy_timeout=0.2, connect_timeout=2, statement_timeout=1, pool_timeout=0.5)


@pytest.fixture
def file(tmp_path):
    """A database with one model, served with short limits."""
    database = new_file(tmp_path / "arena.db", IMPATIENT)
    write(database, "first")
    yield database
    database.close()


def write(database, name):
    with database.write() as session:
        register_models(session, [name])


def read(database):
    with database.read() as session:
        return model_names(session)


@contextmanager
def out(reason):
    with pytest.raises(DatabaseUnavailable) as caught:
        yield
    assert caught.value.reason == reason
    assert "/" not in caught.value.reason  # no path


def test_a_file_that_was_moved_away_takes_no_write_until_it_is_back(file, tmp_path):
    place = tmp_path / "arena.db"
    place.rename(tmp_path / "elsewhere.db")
    for use in (lambda: write(file, "lost"), lambda: read(file), file.check):
        with out(MOVED):
            use()
    assert not place.exists(), "an empty database was created in its place"
    (tmp_path / "elsewhere.db").rename(place)
    write(file, "second")
    file.check()
    assert read(file) == ["first", "second"]


def test_a_file_that_was_moved_during_a_write_takes_no_commit(file, tmp_path):
    with out(MOVED), file.write() as session:
        register_models(session, ["lost"])
        session.flush()
        (tmp_path / "arena.db").rename(tmp_path / "elsewhere.db")
    (tmp_path / "elsewhere.db").rename(tmp_path / "arena.db")
    assert read(file) == ["first"]


@pytest.mark.parametrize("how", ["deleted", "replaced"])
def test_a_file_that_was_deleted_or_replaced_takes_no_write(file, tmp_path, how):
    place = tmp_path / "arena.db"
    content = place.read_bytes()
    place.unlink()
    if how == "replaced":
        place.write_bytes(content)
    for use in (lambda: write(file, "lost"), lambda: read(file), file.check):
        with out(MOVED):
            use()


def test_a_moved_file_gets_no_new_connection(file, tmp_path):
    file.engine.dispose()
    (tmp_path / "arena.db").rename(tmp_path / "elsewhere.db")
    with out(MOVED):
        read(file)
    assert not (tmp_path / "arena.db").exists()


@pytest.mark.parametrize("log", ["arena.db-wal", "arena.db-shm"])
def test_a_removed_log_takes_no_write_and_loses_nothing(file, tmp_path, log):
    (tmp_path / log).unlink()
    for use in (lambda: write(file, "lost"), lambda: read(file), file.check):
        with out(NO_LOG):
            use()
    copy = tmp_path / "copy.db"
    copy.write_bytes((tmp_path / "arena.db").read_bytes())  # what a crash now would leave
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT name FROM model").fetchall() == [("first",)]
    file.close()
    again = Database(file.url)
    assert read(again) == ["first"]
    again.close()


def test_a_log_that_the_last_connection_deleted_was_not_removed_by_anybody(file):
    file.engine.dispose()
    with closing(sqlite3.connect(file.file)) as other:
        other.execute("SELECT * FROM model").fetchall()
    write(file, "second")
    assert read(file) == ["first", "second"]


def write_in_vain(database):
    with out(LOCKED):
        write(database, "lost")


@contextmanager
def another_writer(file):
    with closing(sqlite3.connect(file.file, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other
        other.execute("ROLLBACK")


def test_a_locked_file_is_read_and_refuses_a_write_soon(file):
    with another_writer(file):
        assert read(file) == ["first"]
        for use in (lambda: write(file, "lost"), file.check):
            with out(LOCKED):
                use()
    time.sleep(1.1)  # the circuit breaker lets one caller a second try
    write(file, "second")


@pytest.mark.slow
def test_while_a_file_is_locked_one_writer_waits_and_the_others_fail_at_once(tmp_path):
    file = new_file(tmp_path / "arena.db", ConnectionLimits(busy_timeout=1.5))
    with another_writer(file):
        write_in_vain(file)
        time.sleep(1.1)
        waiting = threading.Thread(target=write_in_vain, args=(file,))
        waiting.start()
        time.sleep(0.2)
        start = time.monotonic()
        for _ in range(20):
            write_in_vain(file)
        assert time.monotonic() - start < 10  # 30 s if each waited; on a slow machine a few do
        waiting.join()
    file.close()


def test_a_full_disk_is_reported_until_there_is_room(file):
    with file.write() as session:
        pages = session.execute(text("PRAGMA page_count")).scalar()
    file.engine.dispose()

    with file.engine.connect() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with out(FULL):
        write(file, "x" * 100_000)
    file.check()  # a change without a new page still has room
    with file.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1073741823")
    write(file, "second")


@pytest.mark.slow
def test_a_file_that_cannot_grow_is_reported_by_the_check(tmp_path):
    script = """
import resource, sys
from arena.errors import DatabaseUnavailable
from arena.store import Database
database = Database(sys.argv[1])
database.make_ready()
database.check()
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
from arena.store.models import register_models
try:
    with database.write() as session:
        register_models(session, ["x"])
except DatabaseUnavailable as error:
    print(error.reason)
try:
    database.check()
except DatabaseUnavailable as error:
    print(error.reason)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
database.check()
print("recovered")
"""
    done = subprocess.run(
        [sys.executable, "-c", script, f"sqlite:///{tmp_path / 'arena.db'}"], capture_output=True, text=True
    )
    assert done.stdout.splitlines()[-1] == "recovered", done.stderr
    assert len(done.stdout.splitlines()) == 3


def test_a_read_only_database_is_reported(file):
    with file.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")
    with out(READ_ONLY):
        write(file, "lost")
    with out(READ_ONLY):
        file.check()  # writes have failed, so the check writes


def test_a_damaged_file_is_reported(file):
    for number in range(300):
        write(file, f"model {number}" + "x" * 200)
    file.engine.dispose()
    with file.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    file.engine.dispose()
    with open(file.file, "r+b") as raw:
        raw.seek(3 * 4096)
        raw.write(os.urandom(os.path.getsize(file.file) - 3 * 4096))
    with out(DAMAGED):
        read(file)
    with out(DAMAGED):
        file.check()


def test_an_error_of_the_program_is_no_outage(file):
    with pytest.raises(Exception, match="no such table") as caught, file.read() as session:
        session.execute(text("SELECT * FROM absent"))
    assert not isinstance(caught.value, DatabaseUnavailable)


@pytest.fixture
def server(postgres):
    """A served PostgreSQL with short limits."""
    emptied(postgres).close()
    database = Database(postgres, IMPATIENT)
    yield database
    database.close()


def test_a_server_that_is_down_is_reported(monkeypatch):
    database = Database("postgresql://nobody@127.0.0.1:1/x", IMPATIENT)
    with out(NO_ANSWER):
        database.check()
    connects = []
    with monkeypatch.context() as watched:
        watched.setattr("psycopg.Connection.connect", lambda *_, **__: connects.append(1))
        watched.setattr(
            "arena.store.circuit_breaker.time", SimpleNamespace(monotonic=lambda: 0.0)
        )  # no second passes
        with out(NO_ANSWER):
            database.check()
    assert not connects  # the circuit breaker is open
    database.close()


@pytest.mark.slow
def test_a_long_statement_is_ended_by_the_server_when_serving_and_not_in_a_command(server, postgres):
    with out(TOO_SLOW), server.read() as session:
        session.execute(text("SELECT pg_sleep(3)"))
    command = Database(postgres)
    with command.read() as session:
        session.execute(text("SELECT pg_sleep(2.5)"))
    command.close()


def test_a_cut_connection_is_reported_and_replaced(server):
    with server.read() as session:
        pid = session.execute(text("SELECT pg_backend_pid()")).scalar()
    with out(NO_ANSWER), server.read() as session:
        session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    with server.read() as session:
        assert session.execute(text("SELECT pg_backend_pid()")).scalar() != pid


@pytest.mark.slow
def test_a_server_that_stops_in_the_middle_of_a_reply_is_given_up(server):
    backends = []
    with out(NO_ANSWER), server.read() as session:
        backends.append(session.execute(text("SELECT pg_backend_pid()")).scalar())
        os.kill(backends[0], signal.SIGSTOP)
        start = time.monotonic()
        session.execute(text("SELECT 1"))
    os.kill(backends[0], signal.SIGCONT)
    assert time.monotonic() - start < NO_HANG
    server.check()


@pytest.mark.slow
def test_a_frozen_server_accepts_a_connection_and_is_given_up(server, postgres):
    with server.read() as session:
        pid = _postmaster(session)
    server.engine.dispose()
    os.kill(pid, signal.SIGSTOP)
    try:
        start = time.monotonic()
        with out(NO_ANSWER):
            server.check()
        assert time.monotonic() - start < NO_HANG
    finally:
        os.kill(pid, signal.SIGCONT)
    time.sleep(1.1)
    server.check()


def _postmaster(session):
    folder = session.execute(text("SHOW data_directory")).scalar()
    with open(f"{folder}/postmaster.pid") as lines:
        return int(next(lines))


def test_no_free_connection_is_reported(server):
    few = Database(server.url, ConnectionLimits(pool_size=1, pool_overflow=0, pool_timeout=0.2))
    with few.read() as session:
        session.connection()
        with out(NO_CONNECTION):
            few.check()
    few.close()


@pytest.mark.slow
def test_three_replicas_that_start_on_an_empty_database_migrate_once(postgres):
    without_tables(postgres)
    script = """
import sys
from arena.store import Database
from arena.store.models import register_models
database = Database(sys.argv[1])
print("up", flush=True)
sys.stdin.readline()
database.make_ready()
with database.write() as session:
    register_models(session, ["one", "two"])
print(database.revision())
"""
    replicas = [
        subprocess.Popen(
            [sys.executable, "-c", script, postgres],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for _ in range(3)
    ]  # fmt: skip
    for replica in replicas:
        assert replica.stdout.readline() == "up\n"
    for replica in replicas:
        replica.stdin.write("go\n")
        replica.stdin.flush()
    ends = [replica.communicate(timeout=PATIENCE) for replica in replicas]
    assert [replica.returncode for replica in replicas] == [0, 0, 0], ends
    assert len({out for out, _ in ends}) == 1
