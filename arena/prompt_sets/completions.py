"""Models answer a prompt set: one completion for each prompt and model, asked through the engine and kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from arena.config import AnyModel, Settings
from arena.engine import Call, CallResult, Engine, ModelClient, Status
from arena.errors import ConfigError
from arena.serving import model_clients
from arena.serving.models import ServedModel
from arena.store import Database
from arena.store.prompts import StoredPrompt, UnknownPromptSet, add_completion, completions_of, prompts_of
from judges.judge import Reply
from judges.replies import Reason, Unparsable, without_thinking


@dataclass(frozen=True)
class Answering:
    """The prompts and models of a run; `done` are the (prompt's key, model) that are in the store already."""

    prompts: Sequence[StoredPrompt]
    models: Sequence[AnyModel]
    asked: Mapping[str, ModelClient]
    done: frozenset[tuple[str, str]]

    def todo(self) -> list[tuple[StoredPrompt, AnyModel]]:
        return [
            (prompt, model)
            for prompt in self.prompts
            for model in self.models
            if (prompt.key, model.name) not in self.done
        ]


def prepare(
    database: Database,
    settings: Settings,
    prompts: str,
    models: Sequence[str],
    limit: int | None = None,
    concurrency: int | None = None,
) -> Answering:
    """Raises `ConfigError` for a prompt set or model that is not there."""
    chosen = model_clients.chosen(model_clients.configured(settings), models, "--models")
    with database.read() as session:
        try:
            some = prompts_of(session, prompts)[:limit]
        except UnknownPromptSet as problem:
            raise ConfigError(str(problem)) from problem
        done = frozenset(completions_of(session, prompts, models))
    return Answering(
        some, chosen, {model.name: model_clients.target(model, concurrency) for model in chosen}, done
    )


def no_text(reply: Reply) -> Unparsable | None:
    """A completion that was cut at its limit is one all the same: voters see those too. An empty one is not."""
    choice = reply["choices"][0]
    if choice["message"].get("refusal") or choice.get("finish_reason") == "content_filter":
        return Unparsable(Reason.REFUSED)
    words = without_thinking(choice["message"].get("content") or "")
    return words if isinstance(words, Unparsable) else None


async def answer_all(
    database: Database, engine: Engine, answering: Answering, seen: Callable[[CallResult], None]
) -> int:
    """Ask turn by turn and keep each completion once its last turn is there. Returns how many were kept."""
    open_now = [_Talk(prompt, model) for prompt, model in answering.todo()]
    kept = 0
    while open_now:
        later: list[_Talk] = []
        async for answered in engine.run(talk.ask(answering.asked) for talk in open_now):
            seen(answered)
            talk = open_now[answered.number]
            if answered.status is not Status.OK or answered.reply is None:
                continue
            if talk.hears(answered.reply):
                later.append(talk)
            else:
                kept += _keep(database, talk, answered.reply)
        open_now = later
    return kept


def first_turns(answering: Answering) -> Iterator[Call]:
    """What is asked of everybody to begin with, for a batch file."""
    return (_Talk(prompt, model).ask(answering.asked) for prompt, model in answering.todo())


class _Talk:
    """One model's conversation over one prompt, turn by turn."""

    def __init__(self, prompt: StoredPrompt, model: AnyModel) -> None:
        self.prompt, self.model = prompt, model
        self.said: list[str] = []  # by the model, turn by turn

    def ask(self, asked: Mapping[str, ModelClient]) -> Call:
        served = ServedModel(self.model, asked[self.model.name].endpoint)
        body = {**served.request(list(self._messages())), "model": self.model.name}
        return Call(model_clients.key(asked[self.model.name].identity, body), self.model.name, body, no_text)

    def _messages(self) -> Iterator[Mapping[str, str]]:
        """What was said until now: the user's last turns come one by one, each after the model's reply."""
        given = len(self.prompt.messages) - self.prompt.turns
        yield from self.prompt.messages[:given]
        for turn, message in enumerate(self.prompt.messages[given : given + len(self.said) + 1]):
            yield message
            if turn < len(self.said):
                yield {"role": "assistant", "content": self.said[turn]}

    def hears(self, reply: Reply) -> bool:
        """Whether there is another turn to ask."""
        words = without_thinking(reply["choices"][0]["message"]["content"])
        assert isinstance(words, str)
        self.said.append(words)
        return len(self.said) < self.prompt.turns


def _keep(database: Database, talk: _Talk, reply: Reply) -> bool:
    usage = reply.get("usage") or {}
    with database.write() as session:
        return add_completion(
            session,
            talk.prompt.id,
            talk.model.name,
            talk.said[-1],
            earlier=talk.said[:-1],
            finish_reason=reply["choices"][0].get("finish_reason"),
            prompt_tokens=usage.get("prompt_tokens"),
            completion_tokens=usage.get("completion_tokens"),
        )
