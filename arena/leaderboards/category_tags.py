"""A model sorts the battles that have votes into categories, through the engine. Nothing is asked twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from arena.config import AnyModel, Settings
from arena.engine import Call, CallResult, Engine, ModelClient, Status
from arena.errors import ConfigError
from arena.rules.tagger_prompt import check, classifier, found_in, messages
from arena.serving import model_clients
from arena.serving.models import ServedModel
from arena.store import Database
from arena.store.tags import add_tags, remove_tags, taggers, untagged
from arena.store.traits import prompts_of_battle
from judges.replies import Unparsable

AT_ONCE = 500  # battles whose prompts are in memory


@dataclass(frozen=True)
class Tagging:
    """The tagger, and the battles that it is to sort."""

    model: AnyModel
    asked: ModelClient
    battles: Sequence[int]


def prepare(
    database: Database, settings: Settings, name: str, limit: int | None = None, *, again: bool = False
) -> Tagging:
    """Raises `ConfigError` for an unknown model, or when another one has sorted battles and `again` is not set."""
    model = model_clients.chosen(model_clients.configured(settings), [name], "MODEL")[0]
    if again:
        with database.write() as session:
            remove_tags(session)
    with database.read() as session:
        others = [one for one in taggers(session) if one != classifier(name)]
        if others:
            raise ConfigError(
                f"battles were sorted by {', '.join(others)}; add --recompute to sort all of them anew"
            )
        return Tagging(model, model_clients.target(model), untagged(session, limit))


async def tag_all(database: Database, engine: Engine, tagging: Tagging, seen: Callable[[CallResult], None]) -> int:
    """Ask about each battle and keep what was found. Returns how many were sorted."""
    kept = 0
    for start in range(0, len(tagging.battles), AT_ONCE):
        numbers = tagging.battles[start : start + AT_ONCE]
        with database.read() as session:
            prompts = [prompts_of_battle(session, number) for number in numbers]
        async for answered in engine.run(_ask(tagging, texts) for texts in prompts):
            seen(answered)
            if answered.status is Status.OK and answered.reply is not None:
                kept += _keep(database, numbers[answered.number], answered.reply, classifier(tagging.model.name))
    return kept


def _ask(tagging: Tagging, prompts: Sequence[str]) -> Call:
    body = ServedModel(tagging.model, tagging.asked.endpoint).request(messages(prompts))
    body |= {"model": tagging.model.name, "temperature": 0}
    return Call(model_clients.key(tagging.asked.identity, body), tagging.model.name, body, check)


def _keep(database: Database, battle: int, reply: Any, name: str) -> bool:
    found = found_in(reply)
    if isinstance(found, Unparsable):
        return False
    with database.write() as session:
        return add_tags(session, battle, found, name)
