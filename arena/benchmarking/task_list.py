"""The tasks there are, and whether their data is at hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.data import DataSources, find
from benchmarks.known_files import known_files
from benchmarks.task import Source, Task
from benchmarks.tasks import shipped

IN_FOLDER, HUB, MISSING = "folder", "hub", "missing"


def listed(data_sources: DataSources) -> list[dict[str, Any]]:
    """One row a task, by dimension."""
    return [
        _row(task, data_sources)
        for task in sorted(shipped().values(), key=lambda task: (task.dimension, task.name))
    ]


def data_of(task: Task, data_sources: DataSources) -> str:
    """Where all files of the task can be had, those of few-shot examples too: `folder`, `hub` or `missing`."""
    needed = [one for role, several in task.sources.items() if role != "shots" or task.shots for one in several]
    ways = {_way(source, data_sources) for source in needed}
    return next(way for way in (MISSING, HUB, IN_FOLDER) if way in ways or way == IN_FOLDER)


def _way(source: Source, data_sources: DataSources) -> str:
    if find(source, data_sources.folder) is not None:
        return IN_FOLDER
    return HUB if data_sources.hub and source.hub and source.revision else MISSING


def _row(task: Task, data_sources: DataSources) -> dict[str, Any]:
    test = task.sources["test"]
    known = [known_files()[source.file] for source in test if source.file in known_files()]
    return {
        "task": task.name,
        "dimension": task.dimension,
        "samples": sum(one.rows for one in known) if len(known) == len(test) else None,
        "metric": task.metric,
        "shots": task.shots,
        "rungs": [request_type.value for request_type in task.request_types],
        "licence": task.licence,
        "data": data_of(task, data_sources),
        "source": _origin(known, test),
        "description": task.description,
    }


def _origin(known: Sequence[Any], test: Sequence[Source]) -> str:
    if known:
        return str(known[0].origin) + (f" and {len(known) - 1} more" if len(known) > 1 else "")
    hub = test[0].hub
    return f"hub:{hub}@{test[0].revision}" if hub else "your own file"
