"""The outcomes of a run, scored from the reply cache alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from arena.benchmarking.evaluated_models import EvaluatedModel
from arena.benchmarking.requests import SampleRequests
from arena.endpoints.adaptation import ADAPTED
from arena.engine import ReplyCache
from arena.engine.budget import used_tokens
from benchmarks.costs import per_correct
from benchmarks.intervals import Interval
from benchmarks.replies import content_text
from benchmarks.task import Outcome, Reply, Task, failed

REPLY_SEPARATOR = "\n\n⁂\n\n"


@dataclass
class ModelResult:
    """One model's outcomes in the order of the samples, and what they cost."""

    model: EvaluatedModel
    outcomes: list[Outcome] = field(default_factory=list)
    replies: list[str] = field(default_factory=list)  # the texts of chat completions; empty for log-likelihoods
    prompt_tokens: int = 0
    completion_tokens: int = 0
    replies_at: float | None = None  # when the newest reply came, in seconds since 1970; None if unknown
    adapted: Counter[str] = field(default_factory=Counter)  # changes to refused requests, with their replies
    costs: list[float] = field(default_factory=list)  # USD by sample; empty without a price

    @property
    def cost(self) -> float | None:
        """USD for all replies, those of earlier runs included."""
        return sum(self.costs) if self.model.client.price else None

    def per_correct(self, task: Task) -> Interval | None:
        """USD for each right answer; None without a price, a right answer, or a metric that is a share."""
        if not self.costs or task.bounds != (0.0, 1.0) or not task.higher_is_better or task.metric in task.corpus:
            return None
        return per_correct(self.costs, [outcome.metrics.get(task.metric, 0.0) for outcome in self.outcomes])


def score(
    task: Task,
    model: EvaluatedModel,
    requests: Sequence[SampleRequests],
    reply_cache: ReplyCache,
    failures: Mapping[str, str],
) -> ModelResult:
    """The outcome of every sample. `failures` are the reasons of failed calls by key."""
    result = ModelResult(model)
    for request in requests:
        replies = [reply_cache.reply(key) for key in request.keys]
        add_usage(result, request, replies)
        times = [at for key in request.keys if (at := reply_cache.finished_at(key)) is not None]
        result.replies_at = max([*times, result.replies_at or 0.0]) or None
        result.adapted.update(change for reply in replies if reply for change in reply.get(ADAPTED, ()))
        result.outcomes.append(outcome(task, model, request, replies, failures))
        result.replies.append(texts(replies))
    return result


def outcome(
    task: Task,
    model: EvaluatedModel,
    request: SampleRequests,
    replies: Sequence[Reply | None],
    failures: Mapping[str, str],
) -> Outcome:
    """The task's own outcome; if no reply came, a failure with the reason of the call that failed."""
    scored = task.score(request.sample, replies, model.request_type)
    if not scored.is_scored and all(reply is None for reply in replies):
        return failed(next((failures[key] for key in request.keys if key in failures), "no reply"))
    return scored


def add_usage(result: ModelResult, request: SampleRequests, replies: Sequence[Reply | None]) -> None:
    """Add the tokens and the price of one sample."""
    usage = [
        used_tokens(body, reply) for body, reply in zip(request.bodies, replies, strict=True) if reply is not None
    ]
    prompt, completion = sum(tokens for tokens, _ in usage), sum(tokens for _, tokens in usage)
    result.prompt_tokens += prompt
    result.completion_tokens += completion
    if price := result.model.client.price:
        result.costs.append(price.of(prompt, completion))


def texts(replies: Sequence[Reply | None]) -> str:
    """The texts of all replies to one sample; empty for log-likelihoods."""
    return REPLY_SEPARATOR.join(
        content_text(reply["choices"][0]["message"].get("content"))
        for reply in replies
        if reply and "choices" in reply
    )
