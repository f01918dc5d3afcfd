"""Empty databases, scripted models and open battles, for the tests of several rooms."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from random import Random

from arena.battles.battles import Battles
from arena.battles.views import BattleView
from arena.config import BattleSettings, ScriptedSettings
from arena.serving.availability import State
from arena.serving.models import Serving, serve
from arena.store import Database

PLAIN = ScriptedSettings(name="plain-model", endpoint="scripted", style="plain", delay=0)
LISTS = ScriptedSettings(name="lists-model", endpoint="scripted", style="lists", delay=0)


def without_tables(url: str) -> None:
    """Drop everything in a PostgreSQL database."""
    import psycopg

    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")


def emptied(url: str) -> Database:
    """A PostgreSQL database with nothing but the tables."""
    without_tables(url)
    database = Database(url)
    database.make_ready()
    return database


def ready(*models: ScriptedSettings) -> Serving:
    """Scripted models, ready at once."""
    serving = serve(models or (PLAIN, LISTS))
    for model in serving.models.values():
        model.availability.state = State.READY
    return serving


async def opened_battles(database: Database, *models: ScriptedSettings, **limits: object) -> Battles:
    battles = Battles(database, ready(*models), BattleSettings(**{"undo_seconds": 0, **limits}), Random(0))
    await battles.open()
    return battles


async def settled(battles: Battles, voter: str, public_id: str):
    """The view when the running turn is in the store."""
    return [view async for view in views_of(battles, voter, public_id)][-1]


async def views_of(
    battles: Battles, voter: str, public_id: str, is_read: Callable[[], bool] = lambda: True
) -> AsyncIterator[BattleView]:
    """The battle at each news of its running turn, then as it is in the store."""
    async for news in battles.follow(voter, public_id, is_read):
        if isinstance(news, BattleView):
            yield news
        elif news and (view := await battles.view(voter, public_id)):
            yield view
