"""The samples of a task, checked before any call: ids of their own, choices to choose from, a target among them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from benchmarks.choice import MultipleChoice
from benchmarks.errors import BadData
from benchmarks.task import Row, Sample, Task


def checked_samples(task: Task, rows: Sequence[Row]) -> list[Sample]:
    """The samples of `rows`. Raises `BadData` for a wrong one, which would fail midway or be counted twice."""
    samples = task.samples(rows)
    for name, count in Counter(sample.id for sample in samples).items():
        if count > 1:
            raise BadData(f"{count} samples have the id {name!r}. Give each sample an id of its own.")
    if isinstance(task, MultipleChoice):
        for sample in samples:
            _check_choices(sample)
    return samples


def _check_choices(sample: Sample) -> None:
    count = len(sample.choices)
    if count < 2:
        raise BadData(f"Sample {sample.id!r} has {count} choices. Give at least two.")
    if not isinstance(sample.target, int) or not 0 <= sample.target < count:
        raise BadData(
            f"Sample {sample.id!r}: target {sample.target!r} is not the index of one of its {count} choices. "
            f"Give an index from 0 to {count - 1}."
        )
