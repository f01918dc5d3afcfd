"""A benchmark run in two passes: everything is asked and kept in the journal, then scored from the journal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from arena.benchmarking.selection import Chosen
from arena.config import AnyModel, TransformersSettings, VllmSettings
from arena.endpoints import EndpointError
from arena.engine import Call, CallResult, Engine, ModelClient, ReplyCache, Status
from arena.engine.budget import used_tokens
from arena.errors import ConfigError
from arena.serving import model_clients
from arena.serving.capabilities import Served, best_request_type
from benchmarks.costs import per_correct
from benchmarks.intervals import Interval
from benchmarks.task import Outcome, Reply, Request, RequestType, Sample, Task, failed
from judges.replies import Reason, Unparsable

WEIGHED_AT_ONCE = 1024  # texts that a local model may sort and read together


@dataclass(frozen=True)
class EvaluatedModel:
    """A model that takes a task, and how it is asked."""

    settings: AnyModel
    target: ModelClient
    served: Served

    @property
    def name(self) -> str:
        return self.settings.name

    @property
    def request_type(self) -> RequestType:
        return self.served.request_type


@dataclass
class Taken:
    """One model's outcomes, in the order of the samples, and what they cost."""

    player: EvaluatedModel
    outcomes: list[Outcome] = field(default_factory=list)
    replies: list[str] = field(default_factory=list)  # what was written, where it was
    prompt_tokens: int = 0
    completion_tokens: int = 0
    costs: list[float] = field(default_factory=list)  # USD by sample; empty without a price

    @property
    def cost(self) -> float | None:
        """USD for all replies, whichever run asked for them."""
        return sum(self.costs) if self.player.target.price else None

    def per_correct(self, task: Task) -> Interval | None:
        """USD for each right answer; None without a price, a right answer, or a metric that is a share."""
        if not self.costs or task.bounds != (0.0, 1.0) or not task.higher_is_better or task.metric in task.corpus:
            return None
        return per_correct(self.costs, [outcome.metrics.get(task.metric, 0.0) for outcome in self.outcomes])


def must_take(problem: Exception) -> None:
    raise problem


async def players(
    task: Task,
    settings: Sequence[AnyModel],
    asked: Mapping[str, ModelClient],
    forced: RequestType | None,
    leave_out: Callable[[Exception], None] = must_take,
) -> list[EvaluatedModel]:
    """Each model with the best way to ask it; `leave_out` hears of one that cannot take the task."""
    if forced is not None and forced not in task.request_types:
        leave_out(ConfigError(f"--request-type {forced}: {task.name} knows {', '.join(task.request_types)}"))
        return []
    found = []
    for model in settings:
        target = asked[model.name]
        try:
            served = await best_request_type(model, target.endpoint, [forced] if forced else task.request_types)
        except EndpointError as error:
            leave_out(model_clients.no_answer(f"{task.name}: {model.name}", error))
            continue
        request_type = served.request_type
        found.append(
            EvaluatedModel(
                model, wide(model, target) if request_type is RequestType.LOGLIKELIHOOD else target, served
            )
        )
    return found


def wide(settings: AnyModel, target: ModelClient) -> ModelClient:
    """Log-likelihoods of a local model are handed over by the thousand: it sorts and shares them itself."""
    if isinstance(settings, TransformersSettings | VllmSettings):
        return replace(target, concurrency=WEIGHED_AT_ONCE)
    return target


def body(player: EvaluatedModel, request: Request, max_tokens: int | None = None) -> dict[str, Any]:
    """The request as this model is sent it. The task decides how it is sampled; the model's own settings add a
    system prompt, stop strings, and parameters that the task does not set.
    """
    if "messages" not in request:
        return {**request, "model": player.name}
    settings = player.settings
    system = [{"role": "system", "content": settings.system_prompt}] if settings.system_prompt else []
    made = {**settings.parameters, **request, "messages": [*system, *request["messages"]], "model": player.name}
    if max_tokens is not None and request.get("max_tokens", 0) > 1:
        made["max_tokens"] = max_tokens
    stops = [*request.get("stop", ()), *settings.stop]
    return made | ({"stop": list(dict.fromkeys(stops))} if stops else {})


def withheld(reply: Reply) -> Unparsable | None:
    """A reply that a filter kept back says nothing of the model; any other one is scored, cut off or not."""
    choices = reply.get("choices")
    if choices and choices[0].get("finish_reason") == "content_filter":
        return Unparsable(Reason.REFUSED)
    return None


def kept(_: Reply) -> Unparsable | None:
    """Of a harmful request a filter's refusal is the answer."""
    return None


def calls(chosen: Chosen, taking: Sequence[EvaluatedModel], max_tokens: int | None) -> Iterator[Call]:
    """The requests of all samples, for one model after the other within each sample."""
    examples = chosen.examples()
    check = kept if chosen.task.dimension == "safety" else withheld
    for sample in chosen.samples:
        shots = examples(sample)
        for player in taking:
            for request in chosen.task.requests(sample, shots, player.request_type):
                made = body(player, request, max_tokens)
                yield Call(model_clients.key(player.target.identity, made), player.name, made, check)


def counted(chosen: Chosen, taking: Sequence[EvaluatedModel]) -> int:
    """How many requests a run has at most, without making the prompts."""
    if not chosen.samples:
        return 0
    each = [len(chosen.task.requests(chosen.samples[0], (), player.request_type)) for player in taking]
    return sum(each) * len(chosen.samples)


async def run_calls(
    engine: Engine,
    chosen: Chosen,
    taking: Sequence[EvaluatedModel],
    max_tokens: int | None,
    seen: Callable[[CallResult], None],
) -> tuple[dict[str, str], float]:
    """Ask what the journal does not know. Returns why requests failed, by key, and the seconds it took."""
    began = time.monotonic()
    failures: dict[str, str] = {}
    async for answered in engine.run(calls(chosen, taking, max_tokens)):
        seen(answered)
        if answered.status is not Status.OK:
            failures[answered.call.key] = answered.status.value
    return failures, time.monotonic() - began


def score(
    chosen: Chosen,
    taking: Sequence[EvaluatedModel],
    max_tokens: int | None,
    reply_cache: ReplyCache,
    failures: Mapping[str, str],
) -> list[Taken]:
    """What came of every sample, from the journal alone; a failed one with the reason that is known."""
    found = [Taken(player) for player in taking]
    examples = chosen.examples()
    for sample in chosen.samples:
        shots = examples(sample)
        for taken in found:
            _score_one(chosen, sample, shots, taken, max_tokens, reply_cache, failures)
    return found


def _score_one(
    chosen: Chosen,
    sample: Sample,
    shots: Sequence[Sample],
    taken: Taken,
    max_tokens: int | None,
    reply_cache: ReplyCache,
    failures: Mapping[str, str],
) -> None:
    player = taken.player
    requests = chosen.task.requests(sample, shots, player.request_type)
    bodies = [body(player, request, max_tokens) for request in requests]
    keys = [model_clients.key(player.target.identity, made) for made in bodies]
    replies = [reply_cache.reply(key) for key in keys]
    used = [used_tokens(made, reply) for made, reply in zip(bodies, replies, strict=True) if reply is not None]
    prompt, completion = sum(one for one, _ in used), sum(one for _, one in used)
    taken.prompt_tokens += prompt
    taken.completion_tokens += completion
    if price := player.target.price:
        taken.costs.append(price.of(prompt, completion))
    outcome = chosen.task.score(sample, replies, player.request_type)
    if not outcome.is_scored and all(reply is None for reply in replies):
        outcome = failed(next((failures[key] for key in keys if key in failures), "no reply"))
    taken.outcomes.append(outcome)
    taken.replies.append(_said(replies))


def _said(replies: Sequence[Reply | None]) -> str:
    """The texts of all replies to one sample; none for log-likelihoods."""
    texts = [str(one["choices"][0]["message"].get("content") or "") for one in replies if one and "choices" in one]
    return "\n\n⁂\n\n".join(texts)
