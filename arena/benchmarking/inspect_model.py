"""The models of this arena as a provider of inspect_ai, `arena/MODEL`. Needs inspect_ai.

Calls go through the engine: its limits, retries, budget and reply cache hold for them. A call is known in the cache by the
model, the task, the sample, the epoch, its body, and how often the sample had made the same call before; so two samples
never share a reply, and a run that is started again finds all of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from inspect_ai.log._samples import sample_active
from inspect_ai.model import ModelAPI, modelapi

from arena.benchmarking.evaluated_models import EvaluatedModel
from arena.benchmarking.inspect_messages import model_output, request_body
from arena.benchmarking.requests import body as model_body
from arena.endpoints.endpoint import Reply
from arena.engine import Call, CallResult, Engine, Status
from arena.engine.budget import used_tokens
from arena.serving import model_clients
from judges.replies import Reason, Unparsable, content_of, first_choice

PROVIDER = "arena"


class CallFailed(Exception):
    """A call without a reply that can be used. inspect_ai records it as the error of the sample, which has no score."""


@dataclass
class Calls:
    """The calls of one evaluation: what makes them, and what became of them."""

    engine: Engine
    seen: Callable[[CallResult], None]
    models: Mapping[str, EvaluatedModel]
    task: str
    first: Mapping[str, Any] | None = None  # the first body, as it was sent
    replies_at: float | None = None  # when the newest reply came, in seconds since 1970
    _made: Counter[tuple[str, str]] = field(default_factory=Counter)  # calls by (attempt at a sample, key)

    async def reply(self, model: EvaluatedModel, request: Mapping[str, Any]) -> tuple[Mapping[str, Any], Reply]:
        """The body as it was sent, and its reply. Raises `CallFailed`."""
        body = model_body(model, request)
        key = self._key(model, body)
        self.first = self.first or body
        result = await self.engine.call(Call(key, model.name, body, withheld))
        self.seen(result)
        if result.status is not Status.OK or result.reply is None:
            raise CallFailed(f"{model.name}: {result.status.value}: {result.detail or 'no reply'}")
        at = self.engine.reply_cache.finished_at(key)
        self.replies_at = max(filter(None, [self.replies_at, at]), default=None)
        return body, result.reply

    def _key(self, model: EvaluatedModel, body: Mapping[str, Any]) -> str:
        active = sample_active()
        place = [self.task, active.sample.id, active.epoch] if active else [self.task]
        identity = {"model": model.client.identity, "inspect": place}
        key = model_clients.key(identity, body)
        attempt = (active.id if active else "", key)
        self._made[attempt] += 1
        return model_clients.key(identity, body, self._made[attempt] - 1)


CURRENT: ContextVar[Calls] = ContextVar("inspect_calls")  # of the running evaluation


def withheld(reply: Reply) -> Unparsable | None:
    """Why a reply is none: a filter left nothing of it. Any other one counts, an empty or a truncated one too."""
    choice = first_choice(reply)
    message = choice.get("message") or {}
    if choice.get("finish_reason") != "content_filter" or message.get("refusal") or message.get("tool_calls"):
        return None
    return None if content_of(reply) else Unparsable(Reason.REFUSED)


@modelapi(name=PROVIDER)
class ArenaModel(ModelAPI):  # type: ignore[misc]
    """A model of the run that is in progress."""

    async def generate(self, input: list[Any], tools: list[Any], tool_choice: Any, config: Any) -> Any:  # noqa: A002
        """inspect's output for these messages. Raises `CallFailed`, `UnsupportedContent`."""
        calls, model = CURRENT.get(), self._model()
        body, reply = await calls.reply(model, request_body(input, tools, tool_choice, config))
        return model_output(f"{PROVIDER}/{model.name}", reply, used_tokens(body, reply))

    def max_tokens(self) -> int | None:
        """The limit of a completion where the task sets none: that of the model's settings."""
        return self._model().settings.max_tokens

    def max_connections(self) -> int:
        return self._model().client.concurrency

    def connection_key(self) -> str:
        return str(self.model_name)

    def _model(self) -> EvaluatedModel:
        models = CURRENT.get().models
        if self.model_name not in models:
            raise CallFailed(
                f"{PROVIDER}/{self.model_name} is no model of this run ({', '.join(models)}). Name it with --judge."
            )
        return models[self.model_name]
