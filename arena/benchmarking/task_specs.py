"""Tasks from their command-line names: shipped tasks, dimensions, subjects and Python files of own tasks."""

from __future__ import annotations

import difflib
import importlib.util
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from arena.benchmarking.lm_eval.task import SUFFIXES, task_from_yaml
from arena.errors import ConfigError
from benchmarks.errors import BenchmarkError
from benchmarks.sample_tasks import SHOWN, SUFFIX, sample_tasks
from benchmarks.task import Task, dimensions
from benchmarks.tasks import bigbench, shipped

BIG_BENCH = "bigbench/"
LM_EVAL = "lm-eval"  # the value of --compat


@dataclass(frozen=True)
class TaskSpec:
    """A task with the subjects to run, all if empty, and the folder of its Python file if it is a user's own."""

    task: Task
    subjects: tuple[str, ...] = ()
    folder: Path | None = None
    compat: str | None = None  # the harness whose selection of samples and examples the task has
    notes: Sequence[str] = ()  # for the user, before the run


def task_specs(names: Iterable[str], data: Path | None = None) -> list[TaskSpec]:
    """The tasks meant by `mmlu`, `mmlu:anatomy,virology`, `dimension:knowledge`, `bigbench/NAME`, `my.py`, `my.yaml`.

    `data` is the data folder, which has the files of BIG-bench's tasks. Raises `ConfigError`.
    """
    specs: list[TaskSpec] = []
    for name in names:
        head, _, tail = name.partition(":")
        if name.endswith(".py"):
            specs += [TaskSpec(task, (), Path(name).parent) for task in _own_tasks(Path(name))]
        elif name.endswith(SUFFIXES):
            of_yaml = task_from_yaml(Path(name))
            specs.append(TaskSpec(of_yaml, (), Path(name).parent, LM_EVAL, of_yaml.notes))
        elif head.startswith(BIG_BENCH):
            specs.append(TaskSpec(_big_bench(head, data), tuple(filter(None, tail.split(",")))))
        elif head == "dimension":
            specs += [TaskSpec(task) for task in tasks_of_dimension(tail)]
        else:
            specs.append(TaskSpec(_shipped_task(head), tuple(filter(None, tail.split(",")))))
    return specs


def tasks_to_fetch(names: Sequence[str]) -> list[Task]:
    """The shipped tasks of these names and dimensions, each once. Raises `ConfigError`."""
    tasks: list[Task] = []
    for name in names:
        head, _, tail = name.partition(":")
        dimension = tail if head == "dimension" else head if head in dimensions() else None
        task = shipped().get(head)
        if dimension is not None:
            tasks += tasks_of_dimension(dimension)
        else:
            tasks.append(task or _shipped_task(head))
    return list({task.name: task for task in tasks if task.name in shipped()}.values())


def sample_specs(names: Sequence[str]) -> list[TaskSpec]:
    """The samples of the named tasks or dimensions, `mmlu` or `mmlu-sample`; without a name, those of every dimension.

    Raises `ConfigError` for a task without sample items.
    """
    if not names:
        return [TaskSpec(sample_tasks()[f"{name}{SUFFIX}"]) for name in SHOWN]
    specs: list[TaskSpec] = []
    for name in names:
        head, _, tail = name.partition(":")
        if head == "dimension":
            of_dimension = {task.name for task in tasks_of_dimension(tail)}
            specs += [TaskSpec(sample_tasks()[f"{task}{SUFFIX}"]) for task in SHOWN if task in of_dimension]
        else:
            specs.append(TaskSpec(_sample(head), tuple(filter(None, tail.split(",")))))
    return specs


def _sample(name: str) -> Task:
    task = _shipped_task(name)
    sample = sample_tasks().get(task.name if task.name.endswith(SUFFIX) else f"{task.name}{SUFFIX}")
    if sample is None:
        raise ConfigError(f"{name}: This task has no sample items. `arena bench list` shows which tasks have.")
    return sample


def tasks_of_dimension(name: str) -> list[Task]:
    """The shipped tasks of a dimension. Raises `ConfigError` that lists the dimensions."""
    tasks = [task for task in shipped().values() if task.dimension == name]
    if not tasks:
        raise ConfigError(f"Dimension {name!r} not found. Use one of: {', '.join(dimensions())}.")
    return tasks


def _big_bench(name: str, data: Path | None) -> Task:
    try:
        return bigbench.named(name.removeprefix(BIG_BENCH).strip("/"), data)
    except BenchmarkError as problem:
        raise ConfigError(str(problem)) from problem


def _shipped_task(name: str) -> Task:
    tasks = shipped() | sample_tasks()
    if name not in tasks:
        near = difflib.get_close_matches(name, tasks, n=3)
        cure = f"Did you mean {' or '.join(near)}?" if near else "Run `arena bench list` to see all tasks."
        raise ConfigError(f"Task {name!r} not found. {cure}")
    return tasks[name]


def _own_tasks(file: Path) -> Sequence[Task]:
    """The `TASKS` of a user's own Python file. Raises `ConfigError`."""
    if not file.is_file():
        raise ConfigError(f"{file}: File not found. Give a Python file that ends with TASKS = (…,).")
    spec = importlib.util.spec_from_file_location(f"arena_task_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as problem:  # a user's own code may raise anything
        line = traceback.extract_tb(problem.__traceback__)[-1].lineno
        raise ConfigError(f"{file}:{line}: {type(problem).__name__}: {problem}") from problem
    tasks = getattr(module, "TASKS", None)
    if not isinstance(tasks, list | tuple) or not tasks or not all(isinstance(task, Task) for task in tasks):
        raise ConfigError(
            f"{file}: TASKS is missing. End the file with TASKS = (MultipleChoice(…),), a tuple of tasks."
        )
    return tasks
