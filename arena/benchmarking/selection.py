"""Which tasks and samples a run has: names, dimensions, subjects and a user's own files."""

from __future__ import annotations

import difflib
import hashlib
import importlib.util
import os
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from arena.errors import ConfigError
from benchmarks import few_shot
from benchmarks.code import Code
from benchmarks.data import DataSources, rows
from benchmarks.errors import BenchmarkError
from benchmarks.few_shot import Shots
from benchmarks.generation import Generation
from benchmarks.task import Sample, Task, dimensions
from benchmarks.tasks import shipped

DATA_DIR = "ARENA_DATA_DIR"
LM_EVAL = "lm-eval"
SAMPLED = 0.7  # the temperature of Wang et al. 2022 (arXiv:2203.11171) for several chains of one problem


@dataclass(frozen=True)
class Options:
    """How samples are chosen and shown; two runs with the same ones can be compared sample by sample."""

    limit: int | None = None
    shots: int | None = None  # the task's own number if None
    seed: int = 0
    compat: str | None = None  # "lm-eval": its order, its limit, its few-shot examples
    repeats: int | None = None  # completions of each sample; the task's own number if None


@dataclass(frozen=True)
class Chosen:
    """A task with the samples that are asked and those that examples are drawn from."""

    task: Task
    samples: Sequence[Sample]
    pool: Sequence[Sample]
    from_test: bool  # the pool is the test set itself
    shots: int
    options: Options
    subjects: tuple[str, ...]

    def examples(self) -> Shots:
        """For one pass over the samples, in their order."""
        task, seed = self.task, self.options.seed
        if self.shots == 0:
            return lambda _: ()
        if task.curated:
            return few_shot.curated(self.pool, task.curated[: self.shots])
        if task.first_n:
            return few_shot.first_n(self.pool, self.shots)
        if self.options.compat == LM_EVAL:
            return few_shot.lm_eval(self.pool, self.shots, from_test=self.from_test)
        return few_shot.per_sample(self.pool, self.shots, task.name, seed)


@dataclass(frozen=True)
class Named:
    """A task as it was asked for: with subjects, and where its own file lies."""

    task: Task
    subjects: tuple[str, ...] = ()
    beside: Path | None = None


def data_folder(given: Path | None) -> Path | None:
    """The folder of the option, else that of ARENA_DATA_DIR. Raises `ConfigError` when it is not there."""
    named = given or (Path(os.environ[DATA_DIR]) if os.environ.get(DATA_DIR) else None)
    if named is not None and not named.is_dir():
        where = "--data" if given else DATA_DIR
        raise ConfigError(f"{where}: {named} is not a folder; give the folder that has the benchmarks' files")
    return named


def named(words: Iterable[str]) -> list[Named]:
    """The tasks meant by `mmlu`, `mmlu:anatomy,virology`, `dimension:knowledge` or `my_task.py`.

    Raises `ConfigError`.
    """
    found: list[Named] = []
    for word in words:
        head, _, tail = word.partition(":")
        if word.endswith(".py"):
            found += [Named(task, (), Path(word).parent) for task in _own(Path(word))]
        elif head == "dimension":
            found += [Named(task) for task in of_dimension(tail)]
        else:
            found.append(Named(_shipped(head), tuple(filter(None, tail.split(",")))))
    return found


def choose(wanted: Named, data_sources: DataSources, options: Options) -> Chosen:
    """Read the data and choose. Raises `ConfigError`, which names the file and the cure."""
    if wanted.beside is not None and data_sources.folder is None:
        data_sources = replace(data_sources, folder=wanted.beside)
    try:
        return _choose(wanted, data_sources, options)
    except BenchmarkError as problem:
        raise ConfigError(f"{wanted.task.name}: {problem}") from problem


def _choose(wanted: Named, data_sources: DataSources, options: Options) -> Chosen:
    task = wanted.task.as_lm_eval() if options.compat == LM_EVAL else wanted.task
    if options.repeats is not None:
        task = repeated(task, options.repeats)
    others = {
        role: rows(files, data_sources) for role, files in task.sources.items() if role not in ("test", "shots")
    }
    task = task.prepare(others)
    every = task.samples(rows(task.sources["test"], data_sources))
    samples = of_subjects(every, wanted.subjects, task.sources["test"][0].file)
    count = task.shots if options.shots is None else options.shots
    own_pool = "shots" in task.sources
    pool = task.samples(rows(task.sources["shots"], data_sources)) if own_pool and count else every
    if task.curated and count > len(task.curated):
        raise BenchmarkError(f"--shots {count}: its {len(task.curated)} examples are fixed; give fewer")
    limited = limit(samples, options, task.name)
    chosen = Chosen(task, limited, pool, not own_pool, count, options, wanted.subjects)
    if limited:
        chosen.examples()(limited[0])  # too many examples are told now, not midway
    return chosen


def repeated(task: Task, count: int) -> Task:
    """`task` with so many completions of each sample, drawn where it would take the likeliest words.

    Raises `BenchmarkError` for a task that asks each sample once.
    """
    if not isinstance(task, Generation | Code):
        raise BenchmarkError(f"--repeats {count}: this task asks each sample once; leave the option out")
    warm = task.temperature or (SAMPLED if count > 1 else 0.0)
    return replace(task, repeats=count, temperature=warm)


def of_subjects(samples: Sequence[Sample], subjects: Sequence[str], file: str) -> list[Sample]:
    """Those of the named subjects, or all. Raises `BenchmarkError` for one that is not there."""
    there = {sample.subject for sample in samples}
    for subject in subjects:
        if subject not in there:
            near = difflib.get_close_matches(subject, there, n=3) or sorted(filter(None, there))[:5]
            known = f"did you mean {' or '.join(near)}?" if near else "this task has no subjects"
            raise BenchmarkError(f"{file}: has no subject {subject!r}; {known}")
    return [sample for sample in samples if not subjects or sample.subject in subjects]


def limit(samples: Sequence[Sample], options: Options, task: str) -> list[Sample]:
    """So many samples: those with the smallest SHA-256 of (seed, task, id), in their order.

    They are spread over all subjects, and a larger limit asks the same ones and more. With `lm-eval` they are the
    first ones of each subject, as there.
    """
    if options.limit is None or options.limit >= len(samples):
        return list(samples)
    if options.compat == LM_EVAL:
        counted: dict[str, int] = {}
        for sample in samples:
            counted[sample.subject] = counted.get(sample.subject, 0) + 1
        return [one for members in few_shot.by_subject(samples).values() for one in members[: options.limit]]

    def place(sample: Sample) -> bytes:
        return hashlib.sha256(f"limit\n{options.seed}\n{task}\n{sample.id}".encode()).digest()

    kept = {sample.id for sample in sorted(samples, key=place)[: options.limit]}
    return [sample for sample in samples if sample.id in kept]


def _shipped(name: str) -> Task:
    tasks = shipped()
    if name not in tasks:
        near = difflib.get_close_matches(name, tasks, n=3)
        cure = f"did you mean {' or '.join(near)}?" if near else "type: arena bench list"
        raise ConfigError(f"no task is called {name!r}; {cure}")
    return tasks[name]


def of_dimension(name: str) -> list[Task]:
    """Raises `ConfigError` that names the dimensions there are."""
    found = [task for task in shipped().values() if task.dimension == name]
    if not found:
        raise ConfigError(f"no dimension is called {name!r}; there are: {', '.join(dimensions())}")
    return found


def _own(file: Path) -> Sequence[Task]:
    """The `TASKS` of a user's own Python file. Raises `ConfigError`."""
    if not file.is_file():
        raise ConfigError(f"{file}: no such file; a task of one's own is a Python file with TASKS = (…,)")
    spec = importlib.util.spec_from_file_location(f"arena_task_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as problem:  # whatever its author's code raises is the author's to mend
        line = traceback.extract_tb(problem.__traceback__)[-1].lineno
        raise ConfigError(f"{file}:{line}: {type(problem).__name__}: {problem}") from problem
    tasks = getattr(module, "TASKS", None)
    if not isinstance(tasks, list | tuple) or not tasks or not all(isinstance(one, Task) for one in tasks):
        raise ConfigError(f"{file}: has no TASKS; end it with TASKS = (MultipleChoice(…),), a tuple of tasks")
    return tasks
