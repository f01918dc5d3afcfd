"""Completions of a prompt set: one for each prompt and model, written through the engine and saved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arena.config import AnyModel, Settings, reply_cache_path
from arena.engine import (
    Call,
    CallCounts,
    CallSession,
    Engine,
    ModelClient,
    Progress,
    RetryPolicy,
    Seen,
    Status,
    open_session,
    read_batch,
    write_batch,
)
from arena.errors import ConfigError
from arena.serving import model_clients
from arena.serving.models import ServedModel
from arena.store import Database
from arena.store.prompts import StoredPrompt, UnknownPromptSet, add_completion, completions_of, prompts_of
from judges.judge import Reply
from judges.replies import Reason, Unparsable, content_of, is_refusal, without_thinking


@dataclass(frozen=True)
class CompletionsConfig:
    """Which models complete which prompt set, and within which limits."""

    prompts: str
    models: Sequence[str]
    limit: int | None = None  # the first N prompts
    budget: float | None = None  # USD
    concurrency: int | None = None  # calls at once, to each model
    timeout: float | None = None  # seconds, after which no call is begun
    reply_cache: Path | None = None


@dataclass(frozen=True)
class CompletionsResult:
    """The number of completions written, and the counts of the calls."""

    written: int
    call_counts: CallCounts

    def to_dict(self) -> dict[str, Any]:
        """The report that `arena answer --format json` prints."""
        return {"written": self.written, **self.call_counts.to_dict()}


@dataclass(frozen=True)
class CompletionsRun:
    """The prompts and models of a run; `done` are the (prompt's key, model) whose completion is in the store."""

    database: Database
    config: CompletionsConfig
    prompts: Sequence[StoredPrompt]
    models: Sequence[AnyModel]
    clients: Mapping[str, ModelClient]
    reply_cache: Path
    done: frozenset[tuple[str, str]]

    def missing(self) -> list[tuple[StoredPrompt, AnyModel]]:
        """The completions to write."""
        return [
            (prompt, model)
            for prompt in self.prompts
            for model in self.models
            if (prompt.key, model.name) not in self.done
        ]

    @contextmanager
    def open(self, progress: Progress | None = None) -> Iterator[CallSession]:
        with open_session(self.reply_cache, progress) as session:
            yield session

    def read_batch(self, path: Path, session: CallSession) -> Counter[Status]:
        """Add the results of a batch to the reply cache; their counts by status. Raises `BatchFileError`."""
        return read_batch(path, self._first_turns(), session.reply_cache)

    def write_batch(self, path: Path, session: CallSession) -> int:
        """Write the first turn of every missing completion as a batch file. Raises `BatchFileError`."""
        return write_batch(path, self._first_turns(), self.clients, session.reply_cache)

    def run(self, session: CallSession) -> CompletionsResult:
        """Write the missing completions."""
        missing = self.missing()
        result = session.run(
            self.clients,
            lambda engine, seen: _write_all(self, engine, seen),
            total=sum(prompt.turns for prompt, _ in missing),
            budget=self.config.budget,
            retry_policy=RetryPolicy(run_timeout=self.config.timeout),
        )
        return CompletionsResult(result.value or 0, result.call_counts)

    def _first_turns(self) -> Iterator[Call]:
        return (_Conversation(prompt, model).call(self.clients) for prompt, model in self.missing())


def write_completions(
    database: Database, settings: Settings, config: CompletionsConfig, progress: Progress | None = None
) -> CompletionsResult:
    """Have the models complete the prompts and save the completions. Finished calls are not repeated.

    Call it outside any event loop. Raises `ConfigError`, `ReplyCacheError`.
    """
    run = prepare(database, settings, config)
    if not run.missing():
        return CompletionsResult(0, CallCounts())
    with run.open(progress) as session:
        return run.run(session)


def prepare(database: Database, settings: Settings, config: CompletionsConfig) -> CompletionsRun:
    """The run before its first call. Raises `ConfigError` for an unknown prompt set or model."""
    models = model_clients.chosen(model_clients.configured(settings), config.models, "--models")
    with database.read() as session:
        try:
            prompts = prompts_of(session, config.prompts)[: config.limit]
        except UnknownPromptSet as problem:
            raise ConfigError(str(problem)) from problem
        done = frozenset(completions_of(session, config.prompts, config.models))
    clients = {model.name: model_clients.model_client(model, config.concurrency) for model in models}
    path = reply_cache_path(settings, config.reply_cache)
    return CompletionsRun(database, config, prompts, models, clients, path, done)


def no_text(reply: Reply) -> Unparsable | None:
    """The reason why a reply is no completion: it is empty or refused. One cut at its token limit is a completion,
    as voters see those too.
    """
    if is_refusal(reply):
        return Unparsable(Reason.REFUSED)
    text = without_thinking(content_of(reply))
    return text if isinstance(text, Unparsable) else None


async def _write_all(run: CompletionsRun, engine: Engine, seen: Seen) -> int:
    """Call turn by turn and save each completion after its last turn. Returns how many were saved."""
    conversations = [_Conversation(prompt, model) for prompt, model in run.missing()]
    saved = 0
    while conversations:
        unfinished: list[_Conversation] = []
        async for result in engine.run(conversation.call(run.clients) for conversation in conversations):
            seen(result)
            conversation = conversations[result.number]
            if result.status is not Status.OK or result.reply is None:
                continue
            if conversation.add(result.reply):
                unfinished.append(conversation)
            else:
                saved += _save(run.database, conversation, result.reply)
        conversations = unfinished
    return saved


class _Conversation:
    """One model's conversation over one prompt, turn by turn."""

    def __init__(self, prompt: StoredPrompt, model: AnyModel) -> None:
        self.prompt, self.model = prompt, model
        self.completions: list[str] = []  # of the model, turn by turn

    def call(self, clients: Mapping[str, ModelClient]) -> Call:
        client = clients[self.model.name]
        served = ServedModel(self.model, client.endpoint)
        body = {**served.request(list(self._messages())), "model": self.model.name}
        return Call(model_clients.key(client.identity, body), self.model.name, body, no_text)

    def _messages(self) -> Iterator[Mapping[str, str]]:
        """The conversation so far: each of the user's last turns follows the model's reply to the one before."""
        given = len(self.prompt.messages) - self.prompt.turns
        yield from self.prompt.messages[:given]
        for turn, message in enumerate(self.prompt.messages[given : given + len(self.completions) + 1]):
            yield message
            if turn < len(self.completions):
                yield {"role": "assistant", "content": self.completions[turn]}

    def add(self, reply: Reply) -> bool:
        """Add a reply and return whether another turn follows."""
        text = without_thinking(content_of(reply))
        assert isinstance(text, str)
        self.completions.append(text)
        return len(self.completions) < self.prompt.turns


def _save(database: Database, conversation: _Conversation, reply: Reply) -> bool:
    usage = reply.get("usage") or {}
    with database.write() as session:
        return add_completion(
            session,
            conversation.prompt.id,
            conversation.model.name,
            conversation.completions[-1],
            earlier=conversation.completions[:-1],
            finish_reason=reply["choices"][0].get("finish_reason"),
            prompt_tokens=usage.get("prompt_tokens"),
            completion_tokens=usage.get("completion_tokens"),
        )
