"""The samples of an inspect_ai log as outcomes of ours. Reads logs alone and needs no inspect_ai."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.task import Outcome, Reply, Request, RequestType, Row, Sample, Task, failed, scored, unparsed

# inspect's own letters and words for values: CORRECT, PARTIAL, INCORRECT
VALUES = {"C": 1.0, "P": 0.5, "I": 0.0, "yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}
NO_ANSWER = "N"
METRIC_LENGTH = 60  # characters of a metric's name that the store keeps


@dataclass(frozen=True, kw_only=True)
class LoggedTask(Task):
    """A task that inspect_ai runs and scores: it names the samples for reports, and makes no request."""

    def samples(self, rows: Sequence[Row]) -> list[Sample]:
        return []

    def requests(self, sample: Sample, shots: Sequence[Sample], request_type: RequestType) -> Sequence[Request]:
        return ()

    def score(self, sample: Sample, replies: Sequence[Reply | None], request_type: RequestType) -> Outcome:
        return failed("scored by inspect_ai")


@dataclass(frozen=True)
class LoggedSample:
    """A sample of a log. `prompt` and `reply` are for readers; tokens are (prompt, completion) of the model."""

    sample: Sample
    outcome: Outcome
    prompt: str
    reply: str
    tokens: tuple[int, int]


def logged_samples(log: Any, model: str, metric: str) -> list[LoggedSample]:
    """The samples of a log in the order of its data set, each epoch a sample of its own.

    `metric` is scored; `model` as the log names it.
    """
    places = {sample_id: place for place, sample_id in enumerate(log.eval.dataset.sample_ids or ())}
    samples = sorted(log.samples or (), key=lambda sample: (sample.epoch, places.get(sample.id, len(places))))
    return [_logged(sample, model, metric) for sample in samples]


def main_metric(log: Any) -> str:
    """The first scorer's value, or the first of its values; `score` if no sample has a score."""
    return next((name for sample in log.samples or () for name in _numbers(sample)), "score")


def bounds(logged: Sequence[LoggedSample], metric: str) -> tuple[float, float] | None:
    """0 and 1 if all values lie between them, as those of most scorers do; None for any other range."""
    values = [one.outcome.metrics[metric] for one in logged if metric in one.outcome.metrics]
    return (0.0, 1.0) if all(0.0 <= value <= 1.0 for value in values) else None


def own_metrics(log: Any) -> dict[str, float]:
    """The metrics that inspect itself computed, as `scorer/metric`: of scored samples alone, epochs reduced."""
    scores = (log.results.scores or ()) if log.results else ()
    found = {
        f"{score.name}/{name}"[:METRIC_LENGTH]: metric.value
        for score in scores
        for name, metric in score.metrics.items()
    }
    return {
        name: float(value)
        for name, value in found.items()
        if isinstance(value, int | float) and math.isfinite(value)
    }


def _logged(sample: Any, model: str, metric: str) -> LoggedSample:
    epoch = f" (epoch {sample.epoch})" if sample.epoch > 1 else ""
    target = sample.target if isinstance(sample.target, str) else "\n".join(map(str, sample.target))
    usage = sample.model_usage.get(model)
    return LoggedSample(
        Sample(id=f"{sample.id}{epoch}", target=target, cluster=str(sample.id)),
        _outcome(sample, metric),
        _prompt(sample.input),
        "" if sample.error else sample.output.completion,
        (usage.input_tokens, usage.output_tokens) if usage else (0, 0),
    )


def _outcome(sample: Any, metric: str) -> Outcome:
    if sample.error is not None:
        return failed(" ".join(sample.error.message.split())[:500])
    if not sample.scores:
        return failed("no score")
    numbers = {name: value for name, value in _numbers(sample).items() if value is not None}
    first = next(iter(sample.scores.values()))
    answer = str(first.answer or "")
    if metric in numbers:
        return scored(numbers, answer)
    reason = "no answer" if first.value == NO_ANSWER else f"a score that is no number: {first.value!r}"[:200]
    return unparsed(reason, answer, numbers)


def _numbers(sample: Any) -> dict[str, float | None]:
    """The values of all scorers by name; None for a value that is no number."""
    numbers: dict[str, float | None] = {}
    for name, score in (sample.scores or {}).items():
        if isinstance(score.value, Mapping):
            numbers |= {f"{name}/{key}"[:METRIC_LENGTH]: number(value) for key, value in score.value.items()}
        else:
            numbers[name[:METRIC_LENGTH]] = number(score.value)
    return numbers


def number(value: Any) -> float | None:
    """A score's value as a number; None for NaN, no answer, and what has no number. Nothing is guessed."""
    if isinstance(value, str):
        known = VALUES.get(value, VALUES.get(value.strip().lower()))
        try:
            value = float(value) if known is None else known
        except ValueError:
            return None
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def _prompt(given: Any) -> str:
    """The words of a sample's input: a text, or messages."""
    if isinstance(given, str):
        return given
    return "\n\n".join(message.text for message in given)
