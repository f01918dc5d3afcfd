"""Databases, served models and a whole running arena for the tests of the application."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from arena.battles.battles import Battles
from arena.store import Database
from reproduce.temporary_postgres import binaries
from tests.support.arenas import emptied, new_file, opened_battles
from tests.support.server import Arena


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """URL of a PostgreSQL of our own on loopback; `TEST_DATABASE_URL` names another."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    programs = binaries()
    if programs is None:
        pytest.skip("no PostgreSQL server programs (initdb, pg_ctl) on this machine")
    with _postgres_cluster(programs) as url:
        yield url


@contextmanager
def _postgres_cluster(binaries: Path) -> Iterator[str]:
    """A throwaway cluster. PostgreSQL will not run as root, so root borrows the user `postgres`."""
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="arena-postgres-"))
    user = {"user": "postgres"} if os.getuid() == 0 else {}
    if user:
        os.chown(folder, pwd.getpwnam("postgres").pw_uid, -1)
    data, port = folder / "data", _free_port()

    def run(*command: str) -> None:
        subprocess.run(command, check=True, capture_output=True, cwd=folder, **user)

    run(str(binaries / "initdb"), "-D", str(data), "-A", "trust", "-U", "postgres", "--no-sync")
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    log = str(folder / "log")
    run(str(binaries / "pg_ctl"), "-D", str(data), "-w", "-l", log, "-o", options, "start")
    try:
        yield f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
    finally:
        run(str(binaries / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database of each kind, migrated."""
    sqlite = request.param == "sqlite"
    one = new_file(tmp_path / "arena.db") if sqlite else emptied(request.getfixturevalue("postgres"))
    yield one
    one.close()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    """An empty SQLite database, migrated."""
    one = new_file(tmp_path / "arena.db")
    yield one
    one.close()


@pytest.fixture
async def battles(sqlite: Database) -> Battles:
    """Battles between two quick scripted models."""
    return await opened_battles(sqlite)


@pytest.fixture
def arena(tmp_path: Path) -> Iterator[Callable[..., Arena]]:
    """Starts arenas that end with the test."""
    started: list[Arena] = []

    def start(config: str, *more: str, folder: Path = tmp_path) -> Arena:
        started.append(Arena(folder, config, *more))
        return started[-1]

    yield start
    for one in started:
        one.stop(signal.SIGKILL)
