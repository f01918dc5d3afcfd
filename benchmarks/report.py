"""A task's report: metrics with intervals, and bounds for the samples without a score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.intervals import CONFIDENCE, Interval, bootstrap, mean
from benchmarks.task import Outcome, Sample, Status, Task

HIDDEN = "_"  # begins the names of per-sample values whose mean says nothing


@dataclass(frozen=True)
class Report:
    """The report of one task and one model.

    An unparsed sample has the worst value, since its reply was not right; a failed one is excluded, since it says
    nothing about the model. `worst` and `best` are the values if every sample without a score, failed ones included,
    were wrong or right. `scored_only` is the mean over scored samples alone.
    """

    task: str
    metric: str
    value: float | None  # None when no reply came at all
    standard_error: float | None
    lower: float | None
    upper: float | None
    worst: float | None
    best: float | None
    scored_only: float | None
    scored: int
    unparsed: int
    failed: int
    metrics: dict[str, float]
    subjects: dict[str, dict[str, float | int]] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)  # why samples have no score
    confidence: float = CONFIDENCE

    def to_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def report(task: Task, samples: Sequence[Sample], outcomes: Sequence[Outcome]) -> Report:
    """The report of `outcomes`, one for each sample and in their order."""
    counted = Counter(outcome.status for outcome in outcomes)
    pairs = [(sample, outcome) for sample, outcome in zip(samples, outcomes, strict=True)]
    metric = task.metric
    estimate = _estimate(task, metric, pairs)
    worst, best = _bounds(task, pairs)
    scored = [outcome.metrics for outcome in outcomes if outcome.is_scored]
    scored_values = [metrics[metric] for metrics in scored if metric in metrics]
    return Report(
        task=task.name,
        metric=metric,
        value=estimate.value if estimate else None,
        standard_error=estimate.standard_error if estimate else None,
        lower=estimate.lower if estimate else None,
        upper=estimate.upper if estimate else None,
        worst=worst,
        best=best,
        scored_only=float(np.mean(scored_values)) if scored_values else None,
        scored=counted[Status.SCORED],
        unparsed=counted[Status.UNPARSED],
        failed=counted[Status.FAILED],
        metrics=all_metrics(task, pairs),
        subjects=_subjects(task, pairs),
        reasons=dict(Counter(outcome.reason for outcome in outcomes if outcome.reason).most_common()),
    )


Pairs = Sequence[tuple[Sample, Outcome]]


def values(task: Task, metric: str, pairs: Pairs) -> tuple[list[float], list[str]]:
    """Per-sample values of a metric with their clusters: the worst value for unparsed samples, failed ones excluded."""
    numbers: list[float] = []
    clusters: list[str] = []
    counted = (task.metric, *task.counted)
    for sample, outcome in pairs:
        if metric in outcome.metrics:
            numbers.append(outcome.metrics[metric])
        elif outcome.status is Status.UNPARSED and metric in counted and task.bounds is not None:
            numbers.append(_worst(task))
        else:
            continue
        clusters.append(sample.cluster or sample.id)
    return numbers, clusters


def all_metrics(task: Task, pairs: Pairs) -> dict[str, float]:
    """Every metric's value over the samples that have it; see `values` for the task's own one."""
    reported = (name for _, outcome in pairs for name in outcome.metrics if not name.startswith(HIDDEN))
    names = dict.fromkeys([task.metric, *reported])
    means = {name: values(task, name, pairs)[0] for name in names if name not in task.corpus}
    scored = [(sample, outcome.metrics) for sample, outcome in pairs if outcome.is_scored]
    together = {name: statistic(scored) for name, statistic in task.corpus.items() if scored}
    every = {name: float(np.mean(numbers)) for name, numbers in means.items() if numbers} | together
    subjects = _subjects(task, pairs)
    if len(subjects) > 1:  # every subject weighs the same, however many samples it has
        every[f"{task.metric}_by_subject"] = float(
            np.mean([by_subject["value"] for by_subject in subjects.values()])
        )
    return {name: value for name, value in every.items() if not np.isnan(value)}


def _estimate(task: Task, metric: str, pairs: Pairs) -> Interval | None:
    if metric in task.corpus:
        scored = [(sample, outcome.metrics) for sample, outcome in pairs if outcome.is_scored]
        clusters = [sample.cluster or sample.id for sample, _ in scored]
        return bootstrap(task.corpus[metric], scored, clusters) if scored else None
    numbers, clusters = values(task, metric, pairs)
    return mean(numbers, clusters, task.bounds) if numbers else None


def _bounds(task: Task, pairs: Pairs) -> tuple[float | None, float | None]:
    """The mean if every sample without a score had the worst value, and if it had the best one."""
    if task.bounds is None or task.metric in task.corpus or not pairs:
        return None, None
    scored = [outcome.metrics for _, outcome in pairs if outcome.is_scored]
    numbers = [metrics[task.metric] for metrics in scored if task.metric in metrics]
    missing = len(pairs) - len(numbers)
    low, high = ((sum(numbers) + missing * bound) / len(pairs) for bound in task.bounds)
    return (low, high) if task.higher_is_better else (high, low)


def _subjects(task: Task, pairs: Pairs) -> dict[str, dict[str, float | int]]:
    by_subject: dict[str, list[tuple[Sample, Outcome]]] = {}
    for sample, outcome in pairs:
        if sample.subject:
            by_subject.setdefault(sample.subject, []).append((sample, outcome))
    by_name: dict[str, dict[str, float | int]] = {}
    for subject, members in sorted(by_subject.items()):
        estimate = _estimate(task, task.metric, members)
        if estimate is not None:
            by_name[subject] = {"value": estimate.value, "samples": len(members)}
    return by_name


def _worst(task: Task) -> float:
    assert task.bounds is not None
    return task.bounds[0] if task.higher_is_better else task.bounds[1]
