"""Categories of battles by a model, through the engine: battles that have votes are tagged once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arena.config import AnyModel, Settings, reply_cache_path
from arena.engine import (
    Call,
    CallCounts,
    Engine,
    ModelClient,
    Progress,
    RetryPolicy,
    Seen,
    Status,
    estimated_tokens,
    open_session,
)
from arena.errors import ConfigError
from arena.rules.tagger_prompt import check, classifier, found_in, messages
from arena.serving import model_clients
from arena.serving.models import ServedModel
from arena.store import Database
from arena.store.battle_features import prompts_of_battles
from arena.store.tags import add_tags, replace_tags, taggable, taggers, untagged
from judges.replies import Unparsable

BATCH = 500  # battles whose prompts are in memory
SAVED_AT_ONCE = 100  # battles in a transaction: its flush to disk takes as long as a dozen calls


@dataclass(frozen=True)
class TaggingConfig:
    """Which model tags battles, and within which limits; times in seconds."""

    model: str
    limit: int | None = None  # the newest N battles
    budget: float | None = None  # USD
    recompute: bool = False  # tag all battles; the tags of one are replaced when its reply is there
    reply_cache: Path | None = None
    concurrency: int | None = None
    timeout: float | None = None  # after which no call is begun
    call_timeout: float | None = None


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
class TaggingForecast:
    """The calls that a run would make; tokens and cost are upper estimates, cost is None without a price."""

    battles: int
    cached: int  # whose replies are in the reply cache
    prompt_tokens: int
    completion_tokens: int
    cost: float | None


@dataclass(frozen=True)
class _Tagger:
    """The model, how it is called, and the battles to tag."""

    database: Database
    model: AnyModel
    client: ModelClient
    battles: Sequence[int]
    recompute: bool

    def calls(self) -> Iterator[Call]:
        """The call of each battle, in order; prompts are read as they are needed."""
        for start in range(0, len(self.battles), BATCH):
            numbers = self.battles[start : start + BATCH]
            with self.database.read() as session:
                prompts = prompts_of_battles(session, numbers)
            yield from (self._call(prompts.get(number, [])) for number in numbers)

    def _call(self, prompts: Sequence[str]) -> Call:
        body = ServedModel(self.model, self.client.endpoint).request(messages(prompts))
        body |= {"model": self.model.name, "temperature": 0}
        return Call(model_clients.key(self.client.identity, body), self.model.name, body, check)

    def save(self, tags: dict[int, tuple[str, ...]]) -> int:
        """Save the tags of battles in one transaction. Returns how many were tagged."""
        if not tags:
            return 0
        with self.database.write() as session:
            store = replace_tags if self.recompute else add_tags
            return store(session, tags, classifier(self.model.name))


def tag_battles(
    database: Database, settings: Settings, config: TaggingConfig, progress: Progress | None = None
) -> TaggingResult:
    """Have a model sort the untagged battles that have votes into categories, and save the tags.

    Call it outside any event loop. Raises `ConfigError` for an unknown model, or if another model has tagged
    battles and `config.recompute` is not set.
    """
    tagger = _tagger(database, settings, config)
    if not tagger.battles:
        return TaggingResult(0, 0, CallCounts())
    with open_session(reply_cache_path(settings, config.reply_cache), progress) as session:
        result = session.run(
            {tagger.model.name: tagger.client},
            lambda engine, seen: _tag(engine, tagger, seen),
            total=len(tagger.battles),
            budget=config.budget,
            retry_policy=RetryPolicy.within(config.timeout, config.call_timeout),
        )
    return TaggingResult(len(tagger.battles), result.value or 0, result.call_counts)


def forecast(database: Database, settings: Settings, config: TaggingConfig) -> TaggingForecast:
    """The calls that `tag_battles` would make; none is made. Raises `ConfigError`."""
    tagger = _tagger(database, settings, config)
    cached = prompt = completion = 0
    with open_session(reply_cache_path(settings, config.reply_cache)) as session:
        for call in tagger.calls():
            if call.key in session.reply_cache:
                cached += 1
                continue
            tokens = estimated_tokens(call.body)
            prompt, completion = prompt + tokens[0], completion + tokens[1]
    price = tagger.client.price
    cost = price.of(prompt, completion) if price else None
    return TaggingForecast(len(tagger.battles), cached, prompt, completion, cost)


def _tagger(database: Database, settings: Settings, config: TaggingConfig) -> _Tagger:
    [model] = model_clients.chosen(model_clients.configured(settings), [config.model], "MODEL")
    client = model_clients.model_client(model, config.concurrency)
    return _Tagger(database, model, client, _battles(database, config), config.recompute)


def _battles(database: Database, config: TaggingConfig) -> Sequence[int]:
    with database.read() as session:
        if config.recompute:
            return taggable(session, config.limit)
        others = [name for name in taggers(session) if name != classifier(config.model)]
        if others:
            raise ConfigError(
                f"Battles were tagged by {', '.join(others)}. Add --recompute to tag all again and replace these tags."
            )
        return untagged(session, config.limit)


async def _tag(engine: Engine, tagger: _Tagger, seen: Seen) -> int:
    """Call for each battle and save its tags. Returns how many were tagged."""
    tagged = 0
    waiting: dict[int, tuple[str, ...]] = {}
    try:
        async for result in engine.run(tagger.calls()):
            seen(result)
            tags = found_in(result.reply) if result.status is Status.OK and result.reply is not None else None
            if tags is None or isinstance(tags, Unparsable):
                continue
            waiting[tagger.battles[result.number]] = tags
            if len(waiting) >= SAVED_AT_ONCE:
                tagged += tagger.save(waiting)
                waiting = {}
    finally:  # also of a cancelled run: these replies were paid for
        tagged += tagger.save(waiting)
    return tagged
