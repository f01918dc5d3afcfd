"""Benchmark runs as readers compare them: a table a dimension, and the samples of two runs side by side."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from arena.benchmarking.direction import higher_is_better, is_right
from arena.store.benchmarks import StoredRun, outcomes, runs
from benchmarks.task import Status

SHOWN = {
    "all": "all samples",
    "apart": "where the two differ",
    "wrong": "where either is wrong or without a score",
    "unscored": "where either has no score",
}


@dataclass(frozen=True)
class Line:
    """One task asked in one way; only runs of the same samples and examples share a line."""

    task: str
    dimension: str
    metric: str
    told: str  # what tells this line from another one of the same task
    runs: Mapping[str, StoredRun]  # by model

    @property
    def rates(self) -> dict[str, float]:
        """The values by model, where they are shares."""
        values = {model: one.row.value for model, one in self.runs.items()}
        return {model: value for model, value in values.items() if value is not None and 0 <= value <= 1}

    @property
    def less_is_better(self) -> bool:
        return not higher_is_better(self.task)

    @property
    def best(self) -> float | None:
        """The best value, shares or not: the largest, or where less is better the one nearest to nothing."""
        values = [one.row.value for one in self.runs.values() if one.row.value is not None]
        if not values:
            return None
        return min(values, key=abs) if self.less_is_better else max(values)

    @property
    def shares(self) -> dict[str, float]:
        """`rates`, turned round where less is better, so that they can be averaged."""
        return {model: 1.0 - value if self.less_is_better else value for model, value in self.rates.items()}


@dataclass(frozen=True)
class Pair:
    """A sample as one or two models took it."""

    sample: str
    subject: str
    prompt: str
    target: str
    taken: Sequence[Taken]


@dataclass(frozen=True)
class Taken:
    """What a model made of a sample."""

    model: str
    status: str
    value: float | None
    answer: str
    reply: str
    reason: str

    right: bool


def lines(session: Session) -> list[Line]:
    """Every comparable line, by dimension and task; of a model's runs of one line the newest counts."""
    found: dict[tuple[str, str, str, str], dict[str, StoredRun]] = {}
    for one in runs(session):
        key = (one.row.dimension, one.row.task, one.row.settings, one.row.rung)
        found.setdefault(key, {})[one.model] = one
    return [
        Line(
            task,
            dimension,
            next(iter(by_model.values())).row.metric,
            told(next(iter(by_model.values()))),
            by_model,
        )
        for (dimension, task, _, _), by_model in sorted(found.items(), key=lambda item: item[0])
    ]


def told(one: StoredRun) -> str:
    """Shots, limit, and how it was asked."""
    row = one.row
    options = json.loads(row.options)
    said = [f"{options['shots']} shots" if options.get("shots") is not None else ""]
    said += [f"{options['limit']:,} samples" if options.get("limit") else "all samples"]
    said += ["as lm-eval does" if options.get("compat") else "", row.rung.replace("_", " ")]
    return ", ".join(part for part in said if part)


def models_of(found: Sequence[Line]) -> list[str]:
    """Every model with a run, by name."""
    return sorted({model for line in found for model in line.runs})


def names_of(found: Sequence[Line]) -> list[str]:
    """A name a line, all different: the task's, with what tells it apart where a task has several lines, and
    numbered where not even that does."""
    tasks = Counter(line.task for line in found)
    names: list[str] = []
    for line in found:
        before = sum(one.task == line.task and one.told == line.told for one in found[: len(names)])
        told = line.told + (f", no. {before + 1}" if before else "")
        names.append(line.task if tasks[line.task] == 1 else f"{line.task} ({told})")
    return names


def most_taken(found: Sequence[Line], most: int) -> list[str]:
    """So many models: those with most lines, of these the ones with the higher mean share."""

    def place(model: str) -> tuple[int, float, str]:
        shares = [line.shares[model] for line in found if model in line.shares]
        taken = sum(model in line.runs for line in found)
        return -taken, -sum(shares) / max(1, len(shares)), model

    return sorted(models_of(found), key=place)[:most]


def means(found: Sequence[Line], models: Sequence[str]) -> list[dict[str, Any]]:
    """Mean share by dimension, more is better, over the dimensions whose lines all these models took: `model`,
    `category`, `rating` (percent)."""
    by_dimension: dict[str, list[Line]] = {}
    for line in found:
        if len(line.rates) == len(line.runs):
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


def side_by_side(session: Session, taken: Sequence[StoredRun], show: str) -> list[Pair]:
    """The samples that all these runs took, those that `show` asks for."""
    by_run = [{row.sample: row for row in outcomes(session, one.row.id or 0)} for one in taken]
    pairs = []
    for sample, first in by_run[0].items():
        rows = [one[sample] for one in by_run if sample in one]
        if len(rows) < len(by_run):
            continue
        each = [_taken(one, row) for one, row in zip(taken, rows, strict=True)]
        if _wanted(each, show):
            pairs.append(Pair(sample, first.subject, first.prompt, first.target, each))
    return pairs


def _taken(run: StoredRun, row: Any) -> Taken:
    value = json.loads(row.metrics).get(run.row.metric)
    right = row.status == Status.SCORED and (value is None or is_right(run.row.task, value))
    return Taken(run.model, row.status, value, row.answer, row.reply, row.reason, right)


def _wanted(each: Sequence[Taken], show: str) -> bool:
    if show == "apart":
        return len({(one.status, one.value) for one in each}) > 1
    if show == "wrong":
        return not all(one.right for one in each)
    return show != "unscored" or any(one.status != Status.SCORED for one in each)
