"""The result of a benchmark run: one `ModelRun` per task and model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from arena.benchmarking.scores import ModelResult
from arena.benchmarking.selection import SelectedTask
from arena.engine import CallCounts
from arena.store.benchmarks import KeptRun
from benchmarks.report import Report
from benchmarks.sample_tasks import is_sample


@dataclass(frozen=True)
class ModelRun:
    """One model's saved run of one task. `call_counts` counts the calls of all models of the task."""

    kept: KeptRun
    selected: SelectedTask
    result: ModelResult
    report: Report
    seconds: float | None  # None if some replies came from the reply cache
    call_counts: CallCounts
    interrupted: bool
    request: Mapping[str, Any] | None = None  # the first one, as it was sent

    def to_dict(self) -> dict[str, Any]:
        """The row that `arena bench run` prints."""
        each = self.result.per_correct(self.selected.task)
        return {
            "run": self.kept.number,
            "replaced": self.kept.previous is not None and self.kept.kept,
            "saved": self.kept.kept,
            "model": self.result.model.name,
            "sample": is_sample(self.selected.task.name),
            **self.report.to_dict(),
            "rung": self.result.model.request_type.value,
            "shots": self.selected.shots,
            "seconds": self.seconds,
            "cost": self.result.cost,
            "cost_per_correct": each.value if each else None,
            "cost_per_correct_lower": _finite(each.lower) if each else None,
            "cost_per_correct_upper": _finite(each.upper) if each else None,
            "prompt_tokens": self.result.prompt_tokens,
            "completion_tokens": self.result.completion_tokens,
            "calls": self.call_counts.calls,
            "from_journal": self.call_counts.replayed,
            "interrupted": self.interrupted,
            "adapted": dict(self.result.adapted),
        }


def replacement(kept: KeptRun, model: str, report: Report) -> str | None:
    """What a reader must know about a run that was there before; None where nothing changed."""
    if kept.previous is None:
        return None
    before, after = (_shown(value) for value in (kept.previous["value"], report.value))
    name = f"run {kept.number} ({report.task}, {model}, {report.metric} {before})"
    if not kept.kept:
        return (
            f"{name} has newer replies and was kept; these are older, with {after}. "
            "Use --recompute to make the calls again, or delete the run: "
            f"arena bench delete {kept.number}"
        )
    same = all(
        kept.previous[count] == getattr(report, count) for count in ("value", "scored", "unparsed", "failed")
    )
    return None if same else f"{name} was replaced: {report.metric} is {after} now."


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


@dataclass(frozen=True)
class BenchmarkRunResult:
    """All runs in the order of tasks and models, and the reasons why tasks or models were skipped."""

    runs: Sequence[ModelRun]
    skipped: Sequence[str]

    @property
    def complete(self) -> bool:
        """Whether no run was interrupted and every run has a value."""
        return all(not run.interrupted and run.report.value is not None for run in self.runs)

    def requests(self) -> list[tuple[str, Mapping[str, Any]]]:
        """The first request of each run, as it was sent, with a title."""
        return [
            (f"First request of {run.report.task}, as sent to {run.result.model.name}", run.request)
            for run in self.runs
            if run.request is not None
        ]

    def rows(self) -> list[dict[str, Any]]:
        return [run.to_dict() for run in self.runs]


def _finite(bound: float | None) -> float | None:
    """The bound, or None for an infinite one, which JSON cannot represent."""
    return bound if bound is not None and isfinite(bound) else None
