"""PostgreSQL is out in mid-turn, and one of two servers is killed: no completion is lost, no battle is stuck."""

from __future__ import annotations

import asyncio
import signal
from contextlib import contextmanager

import httpx
import psycopg
import pytest
from sqlalchemy import make_url
from sqlmodel import select

from arena.battles.battles import Battles
from arena.config import BattleSettings, ScriptedSettings
from arena.store import Database
from arena.store.schema.battles import Battle, BattleStatus, CompletionRow
from arena.web.background import Periodic, running
from reproduce.attacks.page import Page
from reproduce.drills.served import Served
from tests.support.arenas import emptied, ready, settled
from tests.support.timing import until

OUTAGE = 5.0  # seconds
WRITTEN = 150  # words in three seconds: the end comes in the outage
WORDS = ScriptedSettings(name="words", endpoint="scripted", delay=0.02, replies=("word " * WRITTEN,))
MODELS = "".join(
    f'[[models]]\nname = "{name}"\nendpoint = "scripted"\ndelay = 0.02\nreplies = ["{"word " * 5000}"]\n'
    for name in ("one", "two")
)


@pytest.fixture
def shared(postgres):
    """An empty PostgreSQL database."""
    database = emptied(postgres)
    yield database
    database.close()


@contextmanager
def outage(url: str):
    """All connections are cut, and new ones are refused."""
    name = make_url(url).database
    admin = make_url(url).set(drivername="postgresql", database="template1")
    with psycopg.connect(admin.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        try:
            yield
        finally:
            connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


def rows(database: Database) -> list[CompletionRow]:
    with database.read() as session:
        return list(session.exec(select(CompletionRow).order_by(CompletionRow.id)))


@pytest.mark.slow
async def test_both_completions_outlive_five_seconds_without_postgresql(shared):
    words = WORDS, WORDS.model_copy(update={"name": "words-two"})
    battles = Battles(shared, ready(*words), BattleSettings(undo_seconds=0))
    await battles.open()
    tasks = [Periodic("save", 0.2, battles.save_texts), Periodic("check", 0.2, battles.check_servers)]
    async with running(tasks):
        battle = await battles.begin("ann", "go")
        await asyncio.sleep(0.3)
        with outage(shared.url):
            await asyncio.sleep(OUTAGE)
            assert (await battles.view("ann", battle.public_id)).status is BattleStatus.RUNNING
            assert all(task.failures for task in tasks)
        view = await settled(battles, "ann", battle.public_id)
    assert view.can_vote
    assert [(row.status, row.text.count("word")) for row in rows(shared)] == [("finished", WRITTEN)] * 2
    await battles.vote("ann", battle.public_id, "tie")
    await battles.close()


@pytest.mark.slow
def test_the_battle_of_a_killed_server_is_closed_by_another_with_its_text(shared, tmp_path):
    killed, alive = (Served(tmp_path / name, shared.url, MODELS) for name in ("killed", "alive"))
    killed.start()
    alive.start()
    with httpx.Client(base_url=killed.url, timeout=60, trust_env=False) as http:
        page = Page(http)
        battle = page.begin("go")
        next(page.events(battle))
    until(lambda: all(row.text.count("word") > 10 for row in rows(shared)))  # the text is saved every second
    killed.kill()
    until(lambda: status(shared) != BattleStatus.RUNNING)
    alive.send(signal.SIGTERM)
    alive.wait()
    assert status(shared) == BattleStatus.OPEN
    assert all(row.status == "abandoned" and row.text.count("word") > 10 for row in rows(shared))


def status(database: Database) -> str:
    with database.read() as session:
        return session.exec(select(Battle.status)).one()
