"""One model's samples of one task or prompt set, as other tools keep them: prompts, completions, values, means."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from arena.benchmarking.scores import REPLY_SEPARATOR
from arena.errors import ConfigError
from arena.exchange.import_rows import LONGEST_CATEGORY
from arena.exchange.prompt_set import JudgedSet, choose_judge
from arena.rules.votes import JUDGE, OVERALL
from arena.store import Session
from arena.store.benchmarks import StoredRun, UnknownRun, outcomes, run, runs
from arena.store.prompts import NewPrompt, StoredCompletion, StoredPrompt
from arena.store.schema.benchmarks import BenchmarkOutcome, BenchmarkRun
from arena.store.text_columns import fitted
from benchmarks.report import HIDDEN
from benchmarks.task import RequestType, Status
from benchmarks.tasks import shipped

SCORE, WIN_RATE = "score", "win_rate"
SHARE_OF_WIN = {"model_a": 1.0, "model_b": 0.0}  # for model_a; anything else is a tie
ALL = "all"


@dataclass(frozen=True)
class Mean:
    """The value of a metric over a run, with what is known of its uncertainty."""

    value: float
    standard_error: float | None = None
    lower: float | None = None
    upper: float | None = None


@dataclass(frozen=True)
class RunSample:
    """One sample: `turns` are the completions turn by turn, None without any; `repeats` are further completions."""

    prompt: NewPrompt
    turns: tuple[str, ...] | None
    metrics: Mapping[str, float]
    repeats: tuple[str, ...] = ()
    answer: str = ""  # what was parsed
    reason: str = ""  # the judge's, or why there is no score
    verdicts: tuple[Mapping[str, Any], ...] = ()  # a judge's, on this completion and another one

    @property
    def conversation(self) -> list[dict[str, str]]:
        """All messages, each completion after the user's turn that it completes."""
        turns = list(self.turns or ())
        messages: list[dict[str, str]] = []
        first = len(self.prompt.messages) - self.prompt.turns
        for number, message in enumerate(self.prompt.messages):
            messages.append(dict(message))
            if number >= first and turns:
                messages.append({"role": "assistant", "content": turns.pop(0)})
        return messages

    @property
    def record(self) -> dict[str, Any]:
        """The prompt as a record of the plain format, which `arena completions import` reads."""
        prompt = self.prompt
        return {
            **prompt.extra,
            "id": prompt.key,
            "messages": [dict(message) for message in prompt.messages],
            "category": prompt.category,
            **({"checklist": list(prompt.checklist)} if prompt.checklist else {}),
            **({"reference": prompt.reference} if prompt.reference else {}),
        }


@dataclass(frozen=True)
class SampleRun:
    """One model's samples, with the values of the metrics over all of them; `metric` is the main one, if any."""

    task: str
    model: str
    samples: Sequence[RunSample]
    metric: str | None
    means: Mapping[str, Mean]
    lower_is_better: frozenset[str]
    bounds: Mapping[str, tuple[float, float]]
    at: datetime
    groups: Mapping[str, Mapping[str, tuple[float, int]]]  # by metric and category: the value and its samples
    judge: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def completions(self) -> int:
        return sum(sample.turns is not None for sample in self.samples)


def runs_of_set(judged: JudgedSet, name: str, judge: str | None, at: datetime) -> list[SampleRun]:
    """A run for each model with completions of the prompt set; `score` and `win_rate` are one judge's.

    `at` is the time of a run without scores. Raises `ConfigError` with the judges to choose from.
    """
    sources = [score.source for score in judged.scores] + [verdict.source for verdict in judged.verdicts]
    chosen = choose_judge(sources, judge)
    return [_judged_run(judged, name, model, chosen, at) for model in judged.models]


def _judged_run(judged: JudgedSet, name: str, model: str, source: str | None, at: datetime) -> SampleRun:
    scores = {row.prompt: row for row in judged.scores if row.source == source and row.model == model}
    verdicts: dict[str, list[dict[str, Any]]] = {}
    for row in judged.verdicts:
        if row.source == source and model in (row.model_a, row.model_b):
            verdicts.setdefault(row.prompt, []).append(_verdict(row, first=row.model_a == model))
    samples = []
    for key, prompt in judged.prompts.items():
        if (completion := judged.completions.get((key, model))) is None:
            continue
        score, of_pairs = scores.get(key), verdicts.get(key, [])
        metrics = {SCORE: score.score} if score else {}
        if of_pairs:
            metrics[WIN_RATE] = float(np.mean([verdict["win"] for verdict in of_pairs]))
        reason = score.reason if score else "\n\n".join(str(verdict["reason"]) for verdict in of_pairs)
        samples.append(_judged_sample(prompt, completion, metrics, reason, of_pairs))
    means = {metric: _mean(samples, metric) for metric in (SCORE, WIN_RATE) if _values(samples, metric)}
    times = [score.created_at for score in scores.values()]
    return SampleRun(
        task=name,
        model=model,
        samples=samples,
        metric=next(iter(means), None),
        means=means,
        lower_is_better=frozenset(),
        bounds={WIN_RATE: (0.0, 1.0)},
        at=max(times, default=at),
        groups={metric: _by_category(samples, metric) for metric in means},
        judge=source.removeprefix(JUDGE) if source else None,
    )


def _verdict(row: Any, *, first: bool) -> dict[str, Any]:
    """A verdict from the side of one of its models: `win` is 1, 0, or 0.5 for a tie."""
    win = SHARE_OF_WIN.get(row.winner, 0.5)
    return {
        "opponent": row.model_b if first else row.model_a,
        "win": win if first else 1 - win,
        "preference": row.preference if first else 1 - row.preference,
        "reason": row.reason,
    }


def _judged_sample(
    prompt: StoredPrompt,
    completion: StoredCompletion,
    metrics: Mapping[str, float],
    reason: str,
    verdicts: Sequence[Mapping[str, Any]],
) -> RunSample:
    turns = (*completion.earlier, completion.text)
    return RunSample(prompt, turns, metrics, reason=reason, verdicts=tuple(verdicts))


def _values(samples: Iterable[RunSample], metric: str) -> list[float]:
    return [sample.metrics[metric] for sample in samples if metric in sample.metrics]


def _mean(samples: Sequence[RunSample], metric: str) -> Mean:
    values = _values(samples, metric)
    error = float(np.std(values, ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else None
    return Mean(float(np.mean(values)), error)


def _by_category(samples: Sequence[RunSample], metric: str) -> dict[str, tuple[float, int]]:
    groups: dict[str, list[float]] = {}
    for sample in samples:
        if metric in sample.metrics:
            groups.setdefault(sample.prompt.category, []).append(sample.metrics[metric])
    return {category: (float(np.mean(values)), len(values)) for category, values in groups.items()}


def benchmark_runs(session: Session, given: str) -> list[SampleRun]:
    """The benchmark runs of comma-separated numbers, or `all`. Raises `ConfigError` for an unknown one."""
    names = [name.strip() for name in given.split(",") if name.strip()]
    if names == [ALL]:
        stored = runs(session)
    else:
        try:
            stored = [run(session, int(name)) for name in dict.fromkeys(names)]
        except (UnknownRun, ValueError) as problem:
            raise ConfigError(
                f"--runs: {problem} Give comma-separated run numbers, as `arena bench show` lists them, or `all`."
            ) from problem
    if not stored:
        raise ConfigError("There are no benchmark runs. Run: arena bench run TASK --models MODEL")
    return [_benchmark_run(session, one) for one in stored]


def _benchmark_run(session: Session, stored: StoredRun) -> SampleRun:
    row, task = stored.row, shipped().get(stored.row.task)
    means = {name: Mean(value) for name, value in json.loads(row.metrics).items()}
    if row.value is not None:
        main = Mean(row.value, row.standard_error, row.lower, row.upper)
        means = {row.metric: main} | {name: mean for name, mean in means.items() if name != row.metric}
    return SampleRun(
        task=row.task,
        model=stored.model,
        samples=list(_samples(row.request_type, outcomes(session, row.id or 0))),
        metric=row.metric if row.value is not None else None,
        means=means,
        lower_is_better=frozenset({row.metric} if task and not task.higher_is_better else ()),
        bounds={row.metric: task.bounds} if task and task.bounds else {},
        at=row.replies_at or row.created_at,
        groups={row.metric: _subjects(row)} if row.value is not None else {},
        options={**json.loads(row.options), "run": row.id, "request_type": row.request_type},
    )


def _subjects(row: BenchmarkRun) -> dict[str, tuple[float, int]]:
    """The value of each subject; of a task without subjects the value of all samples."""
    subjects = {name: (each["value"], each["samples"]) for name, each in json.loads(row.subjects).items()}
    return subjects or {OVERALL: (row.value or 0.0, row.scored + row.unparsed)}


def _samples(request_type: str, rows: Iterable[BenchmarkOutcome]) -> Iterator[RunSample]:
    for row in rows:
        written = request_type == RequestType.GENERATE and row.status != Status.FAILED
        first, *repeats = row.reply.split(REPLY_SEPARATOR) if written else ("",)
        prompt = NewPrompt(
            row.sample,
            ({"role": "user", "content": row.prompt},),
            fitted(row.subject, LONGEST_CATEGORY) or OVERALL,
            reference=row.target or None,
        )
        values = json.loads(row.metrics) if row.status == Status.SCORED else {}
        metrics = {name: value for name, value in values.items() if not name.startswith(HIDDEN)}
        yield RunSample(prompt, (first,) if written else None, metrics, tuple(repeats), row.answer, row.reason)
