"""The samples of a task that a run calls models with, and the few-shot examples before each."""

from __future__ import annotations

import difflib
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from platformdirs import user_data_path

from arena.benchmarking.task_specs import LM_EVAL, TaskSpec
from arena.errors import ConfigError
from benchmarks import few_shot
from benchmarks.code import Code
from benchmarks.data import DataSources, rows
from benchmarks.errors import BenchmarkError
from benchmarks.few_shot import Shots
from benchmarks.generation import Generation
from benchmarks.samples import checked_samples
from benchmarks.task import Sample, Task

DATA_DIR = "ARENA_DATA_DIR"
SAMPLED = 0.7  # the temperature of Wang et al. 2022 (arXiv:2203.11171) for several chains of one problem


@dataclass(frozen=True)
class SelectionOptions:
    """How samples and examples are selected; two runs with the same options can be compared sample by sample."""

    limit: int | None = None
    shots: int | None = None  # the task's own number if None
    seed: int = 0
    compat: str | None = None  # "lm-eval": its order, its limit, its few-shot examples
    repeats: int | None = None  # completions of each sample; the task's own number if None


@dataclass(frozen=True)
class SelectedTask:
    """A task with its selected samples and the pool that few-shot examples are drawn from."""

    task: Task
    samples: Sequence[Sample]
    pool: Sequence[Sample]
    from_test: bool  # the pool is the test set itself
    shots: int
    options: SelectionOptions
    subjects: tuple[str, ...]

    def examples(self) -> Shots:
        """The few-shot examples of each sample, for one pass over the samples in their order."""
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


def data_folder(path: Path | None) -> Path | None:
    """`path`, else the folder that ARENA_DATA_DIR names, else that of `arena bench fetch` if it was used.

    Raises `ConfigError` if it does not exist.
    """
    folder = path or (Path(os.environ[DATA_DIR]) if os.environ.get(DATA_DIR) else None)
    if folder is None:
        return fetch_folder() if fetch_folder().is_dir() else None
    if not folder.is_dir():
        option = "--data" if path else DATA_DIR
        raise ConfigError(f"{option}: {folder} is not a folder. Give the folder that has the benchmarks' files.")
    return folder


def fetch_folder() -> Path:
    """Where `arena bench fetch` writes without --data and ARENA_DATA_DIR: `benchmarks` in the user's data folder."""
    return user_data_path("arena") / "benchmarks"


def select(spec: TaskSpec, data_sources: DataSources, options: SelectionOptions) -> SelectedTask:
    """Read the data and select samples. Raises `ConfigError`, which names the file and the cure."""
    if spec.folder is not None and data_sources.folder is None:
        data_sources = replace(data_sources, folder=spec.folder)
    if spec.compat is not None:
        options = replace(options, compat=spec.compat)
    try:
        return _select(spec, data_sources, options)
    except BenchmarkError as problem:
        raise ConfigError(f"{spec.task.name}: {problem}") from problem


def _select(spec: TaskSpec, data_sources: DataSources, options: SelectionOptions) -> SelectedTask:
    task = _variant(spec.task, options)
    task = task.prepare(
        {role: rows(files, data_sources) for role, files in task.sources.items() if role not in ("test", "shots")}
    )
    all_samples = checked_samples(task, rows(task.sources["test"], data_sources))
    samples = limited(of_subjects(all_samples, spec.subjects, task.sources["test"][0].file), options, task.name)
    shots = task.shots if options.shots is None else options.shots
    if task.curated and shots > len(task.curated):
        count = len(task.curated)
        raise BenchmarkError(
            f"--shots {shots}: The task has {count} fixed examples. Give --shots {count} or fewer."
        )
    own_pool = "shots" in task.sources or bool(task.examples)
    pool = (
        task.samples(task.examples or rows(task.sources["shots"], data_sources))
        if own_pool and shots
        else all_samples
    )
    from_test = task.one_more or not own_pool
    selected = SelectedTask(task, samples, pool, from_test, shots, options, spec.subjects)
    if samples:
        selected.examples()(samples[0])  # raises now, not midway, if there are too few examples
    return selected


def _variant(task: Task, options: SelectionOptions) -> Task:
    """The task as in lm-eval, or with repeats, depending on the options."""
    if options.compat == LM_EVAL:
        task = task.as_lm_eval()
    return task if options.repeats is None else repeated(task, options.repeats)


def repeated(task: Task, count: int) -> Task:
    """`task` with `count` completions of each sample, sampled at a temperature where it would decode greedily.

    Raises `BenchmarkError` for a task with one completion per sample.
    """
    if not isinstance(task, Generation | Code):
        raise BenchmarkError(f"--repeats {count}: This task takes one completion per sample. Remove the option.")
    temperature = task.temperature or (SAMPLED if count > 1 else 0.0)
    return replace(task, repeats=count, temperature=temperature)


def of_subjects(samples: Sequence[Sample], subjects: Sequence[str], file: str) -> list[Sample]:
    """The samples of the named subjects, or all. Raises `BenchmarkError` for an unknown subject."""
    names = {sample.subject for sample in samples}
    for subject in subjects:
        if subject not in names:
            near = difflib.get_close_matches(subject, names, n=3) or sorted(filter(None, names))[:5]
            cure = f"Did you mean {' or '.join(near)}?" if near else "Remove it: this task has no subjects."
            raise BenchmarkError(f"{file}: Subject {subject!r} not found. {cure}")
    return [sample for sample in samples if not subjects or sample.subject in subjects]


def limited(samples: Sequence[Sample], options: SelectionOptions, task: str) -> list[Sample]:
    """Up to `limit` samples: those with the smallest SHA-256 of (seed, task, id), in their order.

    They are spread over all subjects, and a larger limit keeps the same samples and adds to them. With `lm-eval`
    they are the first ones of each subject, as there.
    """
    if options.limit is None or options.limit >= len(samples):
        return list(samples)
    if options.compat == LM_EVAL:
        return [sample for members in few_shot.by_subject(samples).values() for sample in members[: options.limit]]

    def place(sample: Sample) -> bytes:
        return hashlib.sha256(f"limit\n{options.seed}\n{task}\n{sample.id}".encode()).digest()

    kept = {sample.id for sample in sorted(samples, key=place)[: options.limit]}
    return [sample for sample in samples if sample.id in kept]
