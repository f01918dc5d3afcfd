"""Which way a task's metric is good: more of it for accuracies, less for violations and perplexities."""

from __future__ import annotations

from benchmarks.tasks import shipped


def higher_is_better(task: str) -> bool:
    """Of a shipped task; a user's own one is taken for an accuracy."""
    known = shipped().get(task)
    return known is None or known.higher_is_better


def is_right(task: str, value: float) -> bool:
    """Whether one sample's value is the best that a share can be."""
    return value >= 1.0 if higher_is_better(task) else value <= 0.0
