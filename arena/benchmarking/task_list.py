"""The shipped tasks and where their data comes from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.addresses import Way, address
from benchmarks.data import DataSources, find
from benchmarks.known_files import KnownFile, known_files
from benchmarks.sample_tasks import SUFFIX, sample_tasks
from benchmarks.task import Source, Task
from benchmarks.tasks import shipped

IN_FOLDER, HUB, FETCH, MISSING = "folder", "hub", "fetch", "missing"


def task_rows(data_sources: DataSources) -> list[dict[str, Any]]:
    """One row per task, by dimension."""
    return [
        _row(task, data_sources)
        for task in sorted(shipped().values(), key=lambda task: (task.dimension, task.name))
    ]


def data_of(task: Task, data_sources: DataSources) -> str:
    """Where all files of the task are, those of few-shot examples too: `folder`, `hub`, `missing`, or `fetch` if
    `arena bench fetch` gets what is missing.
    """
    sources = [file for role, files in task.sources.items() if role != "shots" or task.shots for file in files]
    places = {_place(source, data_sources) for source in sources}
    return next(place for place in (MISSING, FETCH, HUB, IN_FOLDER) if place in places or place == IN_FOLDER)


def _place(source: Source, data_sources: DataSources) -> str:
    if find(source, data_sources.folder) is not None:
        return IN_FOLDER
    if data_sources.hub and source.hub and source.revision:
        return HUB
    return MISSING if address(source).way is Way.BY_HAND else FETCH


def _row(task: Task, data_sources: DataSources) -> dict[str, Any]:
    test = task.sources["test"]
    files = [known_files()[source.file] for source in test if source.file in known_files()]
    return {
        "task": task.name,
        "dimension": task.dimension,
        "samples": sum(file.rows for file in files) if len(files) == len(test) else None,
        "metric": task.metric,
        "shots": task.shots,
        "rungs": [request_type.value for request_type in task.request_types],
        "licence": task.licence,
        "data": data_of(task, data_sources),
        "sample": f"{task.name}{SUFFIX}" in sample_tasks(),
        "source": _origin(files, test),
        "description": task.description,
    }


def _origin(files: Sequence[KnownFile], test: Sequence[Source]) -> str:
    if files:
        return files[0].origin + (f" and {len(files) - 1} more" if len(files) > 1 else "")
    hub = test[0].hub
    return f"hub:{hub}@{test[0].revision}" if hub else "your own file"
