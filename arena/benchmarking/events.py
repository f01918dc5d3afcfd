"""What a benchmark run reports while it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from arena.benchmarking.evaluated_models import EvaluatedModel
from arena.benchmarking.selection import SelectedTask
from arena.engine import CallCounts


@dataclass(frozen=True)
class Skipped:
    """A task or a model that the run goes on without."""

    reason: str


@dataclass(frozen=True)
class TaskStarted:
    """A task is about to call its models."""

    selected: SelectedTask
    models: Sequence[EvaluatedModel]


@dataclass(frozen=True)
class Noted:
    """What a user should know about a task before it runs."""

    reason: str


@dataclass(frozen=True)
class Replaced:
    """A stored run was replaced by other results, or was not because its replies are newer."""

    reason: str


@dataclass(frozen=True)
class Unprotected:
    """A task is about to run programs of its models without protection."""

    reason: str


@dataclass(frozen=True)
class TaskFinished:
    """All models of a task have their results saved."""

    call_counts: CallCounts


Event = Skipped | TaskStarted | Noted | Replaced | Unprotected | TaskFinished


def ignore(_: Event) -> None:
    """The default `on_event`, which ignores events."""
