"""Categories of battles by a model, through the engine: battles that have votes are tagged once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arena.config import AnyModel, Settings, reply_cache_path
from arena.engine import Call, CallCounts, Engine, ModelClient, Progress, Seen, Status, open_session
from arena.errors import ConfigError
from arena.rules.tagger_prompt import check, classifier, found_in, messages
from arena.serving import model_clients
from arena.serving.models import ServedModel
from arena.store import Database
from arena.store.battle_features import prompts_of_battle
from arena.store.tags import add_tags, remove_tags, taggers, untagged
from judges.replies import Unparsable

BATCH = 500  # battles whose prompts are in memory


@dataclass(frozen=True)
class TaggingConfig:
    """Which model tags battles, and within which limits."""

    model: str
    limit: int | None = None  # the newest N battles
    budget: float | None = None  # USD
    recompute: bool = False  # remove the tags of all taggers first
    reply_cache: Path | None = None


@dataclass(frozen=True)
class TaggingResult:
    """The number of battles to tag and of battles tagged, and the counts of the calls."""

    battles: int
    tagged: int
    call_counts: CallCounts

    def to_dict(self) -> dict[str, Any]:
        """The report that `arena tag --format json` prints."""
        return {"sorted": self.tagged, **self.call_counts.to_dict()}


@dataclass(frozen=True)
class _Tagger:
    """The model, and how it is called."""

    model: AnyModel
    client: ModelClient

    def call(self, prompts: Sequence[str]) -> Call:
        body = ServedModel(self.model, self.client.endpoint).request(messages(prompts))
        body |= {"model": self.model.name, "temperature": 0}
        return Call(model_clients.key(self.client.identity, body), self.model.name, body, check)


def tag_battles(
    database: Database, settings: Settings, config: TaggingConfig, progress: Progress | None = None
) -> TaggingResult:
    """Have a model sort the untagged battles that have votes into categories, and save the tags.

    Call it outside any event loop. Raises `ConfigError` for an unknown model, or if another model has tagged
    battles and `config.recompute` is not set.
    """
    [model] = model_clients.chosen(model_clients.configured(settings), [config.model], "MODEL")
    battles = _untagged(database, config)
    if not battles:
        return TaggingResult(0, 0, CallCounts())
    tagger = _Tagger(model, model_clients.model_client(model))
    with open_session(reply_cache_path(settings, config.reply_cache), progress) as session:
        result = session.run(
            {model.name: tagger.client},
            lambda engine, seen: _tag(database, engine, tagger, battles, seen),
            total=len(battles),
            budget=config.budget,
        )
    return TaggingResult(len(battles), result.value or 0, result.call_counts)


def _untagged(database: Database, config: TaggingConfig) -> Sequence[int]:
    if config.recompute:
        with database.write() as session:
            remove_tags(session)
    with database.read() as session:
        others = [name for name in taggers(session) if name != classifier(config.model)]
        if others:
            raise ConfigError(
                f"Battles were tagged by {', '.join(others)}. Add --recompute to remove these tags and tag all again."
            )
        return untagged(session, config.limit)


async def _tag(database: Database, engine: Engine, tagger: _Tagger, battles: Sequence[int], seen: Seen) -> int:
    """Call for each battle and save its tags. Returns how many were tagged."""
    tagged = 0
    for start in range(0, len(battles), BATCH):
        numbers = battles[start : start + BATCH]
        with database.read() as session:
            prompts = [prompts_of_battle(session, number) for number in numbers]
        async for result in engine.run(tagger.call(texts) for texts in prompts):
            seen(result)
            if result.status is Status.OK and result.reply is not None:
                tagged += _save(database, numbers[result.number], result.reply, classifier(tagger.model.name))
    return tagged


def _save(database: Database, battle: int, reply: Any, name: str) -> bool:
    tags = found_in(reply)
    if isinstance(tags, Unparsable):
        return False
    with database.write() as session:
        return add_tags(session, battle, tags, name)
