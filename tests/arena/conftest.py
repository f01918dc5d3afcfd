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
from random import Random

import pytest
from server import Arena

from arena.battles import Battles
from arena.config import BattleSettings, ScriptedSettings
from arena.serving import Serving, State, serve
from arena.store import Database

PLAIN = ScriptedSettings(name="plain-model", endpoint="scripted", style="plain", delay=0)
LISTS = ScriptedSettings(name="lists-model", endpoint="scripted", style="lists", delay=0)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """URL of a PostgreSQL of our own on loopback; `TEST_DATABASE_URL` names another."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    binaries = _postgres_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL server programs (initdb, pg_ctl) on this machine")
    with _postgres_cluster(binaries) as url:
        yield url


def _postgres_binaries() -> Path | None:
    found = shutil.which("initdb")
    places = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return next((place for place in reversed(places) if (place / "pg_ctl").exists()), None)


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
    if request.param == "sqlite":
        yield from _opened(f"sqlite:///{tmp_path / 'arena.db'}")
        return
    one = emptied(request.getfixturevalue("postgres"))
    yield one
    one.close()


def emptied(url: str) -> Database:
    """A PostgreSQL database with nothing but the tables."""
    import psycopg

    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    database = Database(url)
    database.make_ready()
    return database


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    """An empty SQLite database, migrated."""
    yield from _opened(f"sqlite:///{tmp_path / 'arena.db'}")


def _opened(url: str) -> Iterator[Database]:
    database = Database(url)
    database.make_ready()
    yield database
    database.close()


def ready(*models: ScriptedSettings) -> Serving:
    """Scripted models, ready at once."""
    serving = serve(models or (PLAIN, LISTS))
    for model in serving.models.values():
        model.state = State.READY
    return serving


MakeBattles = Callable[..., Battles]


@pytest.fixture
async def battles(sqlite: Database) -> Battles:
    """Battles between two quick scripted models."""
    return await opened_battles(sqlite)


async def opened_battles(database: Database, *models: ScriptedSettings, **limits: float) -> Battles:
    battles = Battles(database, ready(*models), BattleSettings(**limits), Random(0))
    await battles.open()
    return battles


async def settled(battles: Battles, voter: str, public_id: str):
    """The view when the running turn is in the store."""
    return [view async for view in battles.watch(voter, public_id)][-1]


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
