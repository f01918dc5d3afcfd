"""Tables of benchmark runs by dimension, and the samples of two runs side by side."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from arena.benchmarking.direction import higher_is_better, is_right
from arena.rules.messages import Phrase, gettext_noop
from arena.store import Session
from arena.store.benchmarks import StoredRun, outcomes, runs
from arena.store.schema.benchmarks import BenchmarkOutcome
from benchmarks.sample_tasks import is_sample
from benchmarks.task import Status

SHOWN = {
    "all": gettext_noop("all samples"),
    "apart": gettext_noop("where the two differ"),
    "wrong": gettext_noop("where either is wrong or without a score"),
    "unscored": gettext_noop("where either has no score"),
}
REQUEST_TYPES = {
    "loglikelihood": gettext_noop("loglikelihood"),
    "first_token": gettext_noop("first token"),
    "generate": gettext_noop("generate"),
}


@dataclass(frozen=True)
class Line:
    """One task with one configuration; only runs of the same samples and examples share a line."""

    task: str
    dimension: str
    metric: str
    summary: Phrase  # the configuration, which distinguishes lines of the same task
    runs: Mapping[str, StoredRun]  # by model

    @property
    def rates(self) -> dict[str, float]:
        """The values by model, where they are shares."""
        values = {model: run.row.value for model, run in self.runs.items()}
        return {model: value for model, value in values.items() if value is not None and 0 <= value <= 1}

    @property
    def less_is_better(self) -> bool:
        return not higher_is_better(self.task)

    @property
    def best(self) -> float | None:
        """The best value: the largest one, or the one nearest to 0 if lower is better."""
        values = [run.row.value for run in self.runs.values() if run.row.value is not None]
        if not values:
            return None
        return min(values, key=abs) if self.less_is_better else max(values)

    @property
    def shares(self) -> dict[str, float]:
        """`rates`, or 1 - rate where lower is better, so that they can be averaged."""
        return {model: 1.0 - value if self.less_is_better else value for model, value in self.rates.items()}


@dataclass(frozen=True)
class SampleResult:
    """One model's result on one sample."""

    model: str
    status: str
    value: float | None
    answer: str
    reply: str
    reason: str
    right: bool


@dataclass(frozen=True)
class SamplePair:
    """A sample with the results of one or two models."""

    sample: str
    subject: str
    prompt: str
    target: str
    results: Sequence[SampleResult]


def lines(session: Session) -> list[Line]:
    """Every comparable line, by dimension and task, with the newest run of each model."""
    by_key: dict[tuple[str, str, str, str], dict[str, StoredRun]] = {}
    for run in runs(session):
        key = (run.row.dimension, run.row.task, run.row.settings, run.row.request_type)
        by_key.setdefault(key, {})[run.model] = run
    return [
        Line(
            task,
            dimension,
            next(iter(by_model.values())).row.metric,
            summary(next(iter(by_model.values()))),
            by_model,
        )
        for (dimension, task, _, _), by_model in sorted(by_key.items(), key=lambda item: item[0])
    ]


def summary(run: StoredRun) -> Phrase:
    """The configuration of a run: shots, limit, harness, request type."""
    options, request_type = json.loads(run.row.options), run.row.request_type
    parts = [
        Phrase("{count} shots", count=options["shots"]) if options.get("shots") is not None else None,
        Phrase("{count:,} samples", count=options["limit"]) if options.get("limit") else Phrase("all samples"),
        Phrase("sample items, no benchmark score") if is_sample(run.row.task) else None,
        Phrase("as lm-eval does") if options.get("compat") else None,
        Phrase(REQUEST_TYPES.get(request_type, request_type.replace("_", " "))),
    ]
    given = {f"part{number}": part for number, part in enumerate(part for part in parts if part)}
    template = ", ".join(f"{{{name}}}" for name in given)
    return Phrase(template, **given)


def models_of(table: Sequence[Line]) -> list[str]:
    """Every model with a run, by name."""
    return sorted({model for line in table for model in line.runs})


def names_of(table: Sequence[Line]) -> list[str]:
    """A unique name for each line: the task's, with the configuration if the task has several lines, and with a
    number if the configurations read alike too."""
    tasks = Counter(line.task for line in table)
    names: list[str] = []
    for line in table:
        same = sum(
            earlier.task == line.task and earlier.summary == line.summary for earlier in table[: len(names)]
        )
        detail = line.summary + (f", no. {same + 1}" if same else "")
        names.append(line.task if tasks[line.task] == 1 else f"{line.task} ({detail})")
    return names


def most_evaluated(table: Sequence[Line], limit: int) -> list[str]:
    """Up to `limit` models: those with the most lines, and among equals those with the higher mean share."""

    def place(model: str) -> tuple[int, float, str]:
        shares = [line.shares[model] for line in table if model in line.shares]
        runs = sum(model in line.runs for line in table)
        return -runs, -sum(shares) / max(1, len(shares)), model

    return sorted(models_of(table), key=place)[:limit]


def means(table: Sequence[Line], models: Sequence[str]) -> list[dict[str, Any]]:
    """Mean share by dimension (higher is better) over the dimensions in which all these models have all runs:
    `model`, `category`, `rating` (percent). Samples are no benchmarks and are excluded."""
    by_dimension: dict[str, list[Line]] = {}
    for line in table:
        if len(line.rates) == len(line.runs) and not is_sample(line.task):
            by_dimension.setdefault(line.dimension, []).append(line)
    shared = {
        dimension: own
        for dimension, own in by_dimension.items()
        if all(model in line.rates for line in own for model in models)
    }
    return [
        {"model": model, "category": dimension, "rating": 100 * sum(line.shares[model] for line in own) / len(own)}
        for model in models
        for dimension, own in shared.items()
    ]


def side_by_side(session: Session, stored_runs: Sequence[StoredRun], show: str) -> list[SamplePair]:
    """The samples that all these runs have, filtered by `show`."""
    by_run = [{row.sample: row for row in outcomes(session, run.row.id or 0)} for run in stored_runs]
    pairs = []
    for sample, first in by_run[0].items():
        rows = [by_sample[sample] for by_sample in by_run if sample in by_sample]
        if len(rows) < len(by_run):
            continue
        results = [_sample_result(run, row) for run, row in zip(stored_runs, rows, strict=True)]
        if _is_shown(results, show):
            pairs.append(SamplePair(sample, first.subject, first.prompt, first.target, results))
    return pairs


def _sample_result(run: StoredRun, row: BenchmarkOutcome) -> SampleResult:
    value = json.loads(row.metrics).get(run.row.metric)
    right = row.status == Status.SCORED and (value is None or is_right(run.row.task, value))
    return SampleResult(run.model, row.status, value, row.answer, row.reply, row.reason, right)


def _is_shown(results: Sequence[SampleResult], show: str) -> bool:
    if show == "apart":
        return len({(result.status, result.value) for result in results}) > 1
    if show == "wrong":
        return not all(result.right for result in results)
    return show != "unscored" or any(result.status != Status.SCORED for result in results)
