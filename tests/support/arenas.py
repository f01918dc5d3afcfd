"""Empty databases, scripted models and open battles, for the tests of several rooms."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterable
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from sqlalchemy import make_url

from arena.battles.battles import Battles
from arena.battles.views import BattleView
from arena.config import BattleSettings, ScriptedSettings
from arena.rules.name_aliases import Family
from arena.rules.name_masking import NameMasker
from arena.serving.availability import State
from arena.serving.models import Serving, serve
from arena.store import ConnectionLimits, Database

PLAIN = ScriptedSettings(name="plain-model", endpoint="scripted", style="plain", delay=0)
LISTS = ScriptedSettings(name="lists-model", endpoint="scripted", style="lists", delay=0)


def without_tables(url: str) -> None:
    """Drop everything in a PostgreSQL database."""
    import psycopg

    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")


def emptied(url: str) -> Database:
    """A PostgreSQL database with nothing but the tables: on the tests' own server a copy, which is quicker to make."""
    if "TEST_DATABASE_URL" not in os.environ:
        _copy_template(url)
        return Database(url)
    without_tables(url)
    return _migrated(url)


def _copy_template(url: str) -> None:
    """Replace a database by a copy of one that was migrated. Open connections to it are closed."""
    name, template = make_url(url).database, _template(url)
    _in_template1(url, f'DROP DATABASE "{name}" WITH (FORCE)', f'CREATE DATABASE "{name}" TEMPLATE {template}')


@cache
def _template(url: str) -> str:
    """The name of a migrated database on a server."""
    _in_template1(url, "CREATE DATABASE migrated")
    _migrated(make_url(url).set(database="migrated").render_as_string(hide_password=False)).close()
    return "migrated"


def _in_template1(url: str, *statements: str) -> None:
    import psycopg

    place = make_url(url).set(drivername="postgresql", database="template1")
    with psycopg.connect(place.render_as_string(hide_password=False), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def _migrated(url: str) -> Database:
    database = Database(url)
    database.make_ready()
    return database


def new_file(path: Path, *limits: ConnectionLimits) -> Database:
    """An SQLite database with nothing but the tables, in a new file."""
    path.write_bytes(_migrated_file())
    return Database(f"sqlite:///{path}", *limits)


@cache
def _migrated_file() -> bytes:
    """An SQLite file with nothing but the tables."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "arena.db"
        database = _migrated(f"sqlite:///{path}")
        database.overwrite_deleted()  # all of it is in the file, nothing in its log
        database.close()
        return path.read_bytes()


class QuickServing(Serving):
    """Masks the names of the served models alone: the shipped families take half a second to compile for each set of names.

    Tests of masking and running servers use all of them.
    """

    def name_masker(self, additions: Iterable[Family] = ()) -> NameMasker:
        return NameMasker(self.names_to_hide(), tuple(additions))


def ready(*models: ScriptedSettings) -> Serving:
    """Scripted models, ready at once."""
    serving = QuickServing(serve(models or (PLAIN, LISTS)).models)
    for model in serving.models.values():
        model.availability.state = State.READY
    return serving


async def opened_battles(database: Database, *models: ScriptedSettings, **limits: object) -> Battles:
    """Battles whose texts are shown as the models write them, and whose votes count at once, unless `limits` differ."""
    settings = BattleSettings(**{"undo_seconds": 0, "pacing": "off", **limits})
    battles = Battles(database, ready(*models), settings, Random(0))
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
