"""Paired comparisons of stored runs of several models on the same samples."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

from arena.errors import ConfigError
from arena.store import Session
from arena.store.benchmarks import StoredRun, UnknownRun, outcomes, run, runs
from arena.store.schema.benchmarks import BenchmarkOutcome
from benchmarks.paired import holm, paired, tie_groups
from benchmarks.sample_tasks import task_named
from benchmarks.task import Status

ALPHA = 0.05


@dataclass(frozen=True)
class Values:
    """A run's values of its metric by sample, with the samples' clusters."""

    stored: StoredRun
    by_sample: Mapping[str, tuple[float, str]]

    @property
    def name(self) -> str:
        return self.stored.model


def compare(session: Session, names: Sequence[str], task: str | None = None) -> dict[str, Any]:
    """All pairs of the named models (or run numbers) on every task that all took with the same settings.

    P-values are corrected over all comparable pairs and tasks together. Two named runs of different request types also
    differ by the way of asking: their difference is never marked as one of the models. `worst` and `best` bound the
    difference if every sample without a score were wrong for the one and right for the other. Raises `ConfigError`.
    """
    if len(names) < 2:
        raise ConfigError("arena bench compare: Only one name was given. Name at least two models or runs.")
    groups = (
        _by_runs(session, names) if all(name.isdigit() for name in names) else _by_models(session, names, task)
    )
    pairs = [
        _pair(first, second)
        for group in groups
        for first, second in combinations(_ordered([_values(session, stored) for stored in group]), 2)
    ]
    corrected = holm({str(number): pair["p"] for number, pair in enumerate(pairs) if pair["comparable"]})
    for number, pair in enumerate(pairs):
        pair["p_holm"] = corrected.get(str(number))
        pair["differ"] = pair["comparable"] and corrected[str(number)] < ALPHA
    return {"pairs": pairs, "ties": _ties(pairs), "alpha": ALPHA}


def _by_runs(session: Session, names: Sequence[str]) -> list[list[StoredRun]]:
    try:
        group = [run(session, int(name)) for name in names]
    except UnknownRun as problem:
        raise ConfigError(str(problem)) from problem
    tasks = [stored.row.task for stored in group]
    if len(set(tasks)) > 1:
        raise ConfigError(f"The runs are of different tasks ({', '.join(tasks)}). Name runs of one task.")
    if len(metrics := {stored.row.metric for stored in group}) > 1:
        raise ConfigError(
            f"The runs have different metrics ({', '.join(sorted(metrics))}). Run the older ones again."
        )
    return [group]


def _by_models(session: Session, names: Sequence[str], task: str | None) -> list[list[StoredRun]]:
    """For each task the runs with the latest settings and request type that every model has a run with."""
    latest: dict[tuple[str, str, str], dict[str, StoredRun]] = {}
    for name in names:
        stored_runs = runs(session, task, name)
        if not stored_runs:
            of_task = f" of {task}" if task else ""
            raise ConfigError(f"{name!r} has no run{of_task}. Run `arena bench run TASK --models {name}`.")
        for stored in stored_runs:
            key = (stored.row.task, f"{stored.row.settings} {stored.row.metric}", stored.row.request_type)
            latest.setdefault(key, {})[name] = stored
    complete = {key: group for key, group in latest.items() if len(group) == len(set(names))}
    if not complete:
        raise ConfigError(_not_comparable(latest, names))
    newest = {task: group for (task, _, _), group in complete.items()}
    return [list(group.values()) for group in newest.values()]


def _not_comparable(latest: Mapping[tuple[str, str, str], Mapping[str, StoredRun]], names: Sequence[str]) -> str:
    """Why models have no runs that can be compared: other request types, or other settings."""
    asked: dict[str, dict[str, set[str]]] = {}
    for (task, _, request_type), group in latest.items():
        for name in group:
            asked.setdefault(task, {}).setdefault(name, set()).add(request_type)
    run = f"arena bench run TASK --models {','.join(names)}"
    for task, by_model in asked.items():
        if len(by_model) == len(set(names)) and not set.intersection(*by_model.values()):
            types = "; ".join(f"{name}: {', '.join(sorted(found))}" for name, found in by_model.items())
            return (
                f"The runs of {task} use different request types ({types}), whose values are not comparable. "
                f"Run `{run} --request-type generate`."
            )
    return (
        "The models have no runs of one task with the same settings (samples, shots, seed) and request type. "
        f"Run `{run}`."
    )


def _values(session: Session, stored: StoredRun) -> Values:
    metric, worst = stored.row.metric, _worst(stored.row.task)
    values: dict[str, tuple[float, str]] = {}
    for row in outcomes(session, stored.row.id or 0):
        value = _value(row, metric, worst)
        if value is not None:
            values[row.sample] = (value, row.cluster or row.sample)
    return Values(stored, values)


def _value(row: BenchmarkOutcome, metric: str, worst: float | None) -> float | None:
    """The value as in the report: the worst one for an unparsed sample, None for a failed one."""
    if row.status == Status.UNPARSED:
        return worst
    value: float | None = json.loads(row.metrics).get(metric)
    return value


def _worst(task: str) -> float | None:
    shipped_task = task_named(task)
    if shipped_task is None:
        return 0.0
    if shipped_task.bounds is None:
        return None
    return shipped_task.bounds[0] if shipped_task.higher_is_better else shipped_task.bounds[1]


def _ordered(models: Sequence[Values]) -> list[Values]:
    return sorted(models, key=lambda model: -(model.stored.row.value or 0.0))


def _pair(first: Values, second: Values) -> dict[str, Any]:
    both = [sample for sample in first.by_sample if sample in second.by_sample]
    if not both:
        raise ConfigError(
            f"{first.name} and {second.name} have no scored sample in common. Run both on the same samples."
        )
    clusters = [first.by_sample[sample][1] for sample in both]
    result = paired(
        [first.by_sample[sample][0] for sample in both], [second.by_sample[sample][0] for sample in both], clusters
    )
    a, b = first.stored.row, second.stored.row
    return {
        "task": a.task,
        "metric": a.metric,
        "model_a": first.name,
        "model_b": second.name,
        "run_a": a.id,
        "run_b": b.id,
        "rungs": [a.request_type, b.request_type],
        "comparable": a.request_type == b.request_type,
        "worst": _difference(a.worst, b.best),
        "best": _difference(a.best, b.worst),
        **asdict(result),
    }


def _difference(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first - second


def _ties(pairs: Sequence[Mapping[str, Any]]) -> dict[str, list[list[str]]]:
    """For each task the models, best first, in groups without a significant difference."""
    groups: dict[str, list[list[str]]] = {}
    for task in dict.fromkeys(pair["task"] for pair in pairs):
        of_task = [pair for pair in pairs if pair["task"] == task]
        if not all(pair["comparable"] for pair in of_task):
            continue
        ordered = list(dict.fromkeys(name for pair in of_task for name in (pair["model_a"], pair["model_b"])))
        differ = {(pair["model_a"], pair["model_b"]): bool(pair["differ"]) for pair in of_task}
        groups[task] = tie_groups(ordered, differ)
    return groups
