"""The direction of a task's metric: higher is better for accuracies, lower for violations and perplexities."""

from __future__ import annotations

from benchmarks.sample_tasks import task_named


def higher_is_better(task: str) -> bool:
    """The direction of a shipped task or sample; True for a user's own task."""
    known_task = task_named(task)
    return known_task is None or known_task.higher_is_better


def is_right(task: str, value: float) -> bool:
    """Whether one sample's value is the best that a share can be."""
    return value >= 1.0 if higher_is_better(task) else value <= 0.0
