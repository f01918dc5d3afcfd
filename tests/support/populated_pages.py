"""The pages of a populated arena: its settings, its models, and the models of a leaderboard."""

from __future__ import annotations

import signal
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from arena.config import ScriptedSettings, Settings
from arena.serving.models import Serving
from arena.store import Database
from tests.support.arenas import ready
from tests.support.populated import populate, settings_of
from tests.support.server import Arena


def serving_of(names: list[str]) -> Serving:
    """Scripted models that are ready."""
    return ready(*(ScriptedSettings(name=name, endpoint="scripted", delay=0) for name in names))


def loaded_settings(names: list[str], **web: object) -> Settings:
    """The settings of `settings_of`, with those of the table `web`."""
    return Settings(**tomllib.loads(settings_of(names)), web=web)


def models_of_table(html: str) -> list[str]:
    """The models of the table, from the top."""
    return [part.split('"')[0] for part in html.split('<tr data-model="')[1:]]


@contextmanager
def populated_arena(folder: Path, models: int, votes: int, **options: bool) -> Iterator[Arena]:
    """A running arena with models and votes of people and judges."""
    database = Database(f"sqlite:///{folder / 'arena.db'}")
    database.make_ready()
    names = populate(database, models, votes, **options)
    database.close()
    arena = Arena(folder, settings_of(names))
    yield arena
    arena.stop(signal.SIGKILL)
