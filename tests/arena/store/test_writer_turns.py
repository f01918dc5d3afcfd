"""Writers of one process take turns."""

from __future__ import annotations

import threading
import time

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from arena.errors import DatabaseUnavailable
from arena.store.connection_limits import ConnectionLimits
from tests.support.arenas import new_file

CHANGE = text("UPDATE alembic_version SET version_num = version_num")


@pytest.fixture
def database(tmp_path):
    made = new_file(tmp_path / "arena.db", ConnectionLimits(busy_timeout=2.0))
    yield made
    made.close()


@pytest.mark.slow
def test_no_writer_waits_while_others_write_again_and_again(database):
    """SQLite's own waiting looks every 0.1 s: with 12 such writers one in a hundred waited for five seconds."""
    until, refused, writes = time.monotonic() + 3, [], [0] * 8

    def write(number):
        while time.monotonic() < until:
            try:
                with database.write() as session:
                    session.execute(CHANGE)
                    time.sleep(0.01)
                writes[number] += 1
            except DatabaseUnavailable as error:
                refused.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(len(writes))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not refused
    assert min(writes) > max(writes) / 10


@pytest.mark.slow
def test_a_writer_gives_up_after_the_timeout_and_the_next_one_can_write(database):
    with database.write() as session:
        session.execute(CHANGE)
        with pytest.raises(DatabaseUnavailable, match="another write took too long"), database.write() as other:
            other.execute(CHANGE)
    with database.write() as session:
        session.execute(CHANGE)


def test_a_failed_write_ends_its_turn(database):
    with pytest.raises(OperationalError), database.write() as session:
        session.execute(text("UPDATE nothing SET x = 1"))
    with database.write() as session:
        session.execute(CHANGE)
