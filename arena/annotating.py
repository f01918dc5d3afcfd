"""What the application finds out about replies for tasks that need more than words: it runs their programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from arena import sandbox
from arena.errors import ConfigError
from benchmarks.annotations import EXECUTION, JUDGEMENT, TOXICITY, AnnotatedTask, Annotator
from benchmarks.code import Code
from benchmarks.task import Task

CURES = {
    TOXICITY: "it needs a toxicity scorer, a function of texts; none is given",
    JUDGEMENT: "it needs a judge for its completions; none is given",
}


def equipped(task: Task, given: Mapping[str, Annotator] | None = None) -> Task:
    """`task` with what it needs to be scored; itself where it needs nothing.

    Programs are run in the sandbox. Raises `ConfigError`, also where this machine cannot isolate programs.
    """
    if not isinstance(task, AnnotatedTask):
        return task
    if given and task.needs in given:
        return replace(task, annotator=given[task.needs])
    if task.needs == EXECUTION:
        sandbox.check()
        return replace(task, annotator=runner(task.seconds if isinstance(task, Code) else 3.0))
    raise ConfigError(f"{task.name}: {CURES[task.needs]}")


def runner(seconds: float, workers: int | None = None) -> Callable[[Sequence[Any]], list[dict[str, Any]]]:
    """Runs programs with a limit of `seconds` each."""
    limits = sandbox.Limits(seconds=seconds)

    def run(programs: Sequence[Any]) -> list[dict[str, Any]]:
        return [
            {"passed": one.passed, "reason": one.reason, "output": one.output}
            for one in sandbox.run_all(programs, limits, workers)
        ]

    return run
