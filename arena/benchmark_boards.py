"""Benchmark runs as readers compare them: a table a dimension, and the samples of two runs side by side."""

from __future__ import annotations

import json
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
    def best(self) -> float | None:
        if not self.rates or len(self.rates) < len(self.runs):
            return None
        return (max if higher_is_better(self.task) else min)(self.rates.values())

    @property
    def shares(self) -> dict[str, float]:
        """`rates`, turned round where less is better, so that they can be averaged."""
        up = higher_is_better(self.task)
        return {model: value if up else 1.0 - value for model, value in self.rates.items()}


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
        Line(task, dimension, next(iter(by_model.values())).row.metric, _told(by_model), by_model)
        for (dimension, task, _, _), by_model in sorted(found.items(), key=lambda item: item[0])
    ]


def _told(by_model: Mapping[str, StoredRun]) -> str:
    """Shots, limit, and how it was asked."""
    row = next(iter(by_model.values())).row
    options = json.loads(row.options)
    said = [f"{options['shots']} shots" if options.get("shots") is not None else ""]
    said += [f"{options['limit']:,} samples" if options.get("limit") else "all samples"]
    said += ["as lm-eval does" if options.get("compat") else "", row.rung.replace("_", " ")]
    return ", ".join(part for part in said if part)


def models_of(found: Sequence[Line]) -> list[str]:
    """Every model with a run, by name."""
    return sorted({model for line in found for model in line.runs})


def means(found: Sequence[Line]) -> list[dict[str, Any]]:
    """Mean share by dimension, more is better, of the models that took all its lines alike: `model`, `category`,
    `rating`."""
    by_dimension: dict[str, list[Line]] = {}
    for line in found:
        if len(line.rates) == len(line.runs):
            by_dimension.setdefault(line.dimension, []).append(line)
    rows = []
    for model in models_of(found):
        for dimension, own in by_dimension.items():
            values = [line.shares[model] for line in own if model in line.rates]
            if len(values) == len(own):
                rows.append({"model": model, "category": dimension, "rating": 100 * sum(values) / len(values)})
    every = {row["category"] for row in rows}
    whole = {m for m in models_of(found) if {row["category"] for row in rows if row["model"] == m} == every}
    return [row for row in rows if row["model"] in whole]


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
