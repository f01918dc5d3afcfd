"""Small samples of tasks that ship with the package, so that every dimension can be tried without a network.

`mmlu-sample` is `mmlu` on about twenty items of our own in its shape and format (`sample_files/`, see its NOTICE). Prompts,
readers and metrics are those of the task; the items are not the published ones, so scores do not compare with published
scores, and the name says so wherever a result is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from benchmarks.task import Source, Task
from benchmarks.tasks import shipped

SUFFIX = "-sample"
FOLDER = Path(str(files("benchmarks") / "sample_files"))
DESCRIPTION = "sample items of Arena's own, in the shape of {task}; not the published items; scores do not compare"
# Few-shot examples are the first items of the sample itself: the same for most samples, so that endpoints compute them once.
SHOTS = 2
# At most so many of a completion: the items need few, and a small model must be done with all tasks in minutes.
TOKENS = 96
SHORT_TOKENS = 40  # where right replies are shorter, or, as of a refusal, the first words decide
SHORT_DIMENSIONS = ("safety", "instruction following", "language modelling")
SHORT_TASKS = ("bfcl_written",)
# What runs without a name: several tasks of each dimension, few enough for minutes on two cores. The others run by name.
SHOWN = (
    "mmlu", "gpqa_diamond", "truthfulqa_mc1", "triviaqa", "nq_open",
    "arc_easy", "hellaswag", "bigbench_mc", "bbh", "gsm8k", "bfcl_written",
    "ifeval", "humaneval_chat",
    "xstest", "jailbreakbench", "hhh",
    "bbq", "winobias", "winogender", "mmlu_circular", "lambada",
)  # fmt: skip


@cache
def sample_tasks() -> dict[str, Task]:
    """Every task with sample items, by its name: `mmlu-sample`."""
    tasks = [sampled(task) for task in shipped().values()]
    return {task.name: task for task in tasks if task is not None}


def is_sample(name: str) -> bool:
    """Whether the task of this name has sample items in place of the published ones."""
    return name in sample_tasks()


def token_limit(task: Task) -> int | None:
    """The most tokens of a completion to a sample item; None for the published items, which have the task's own limit."""
    if not is_sample(task.name):
        return None
    short = task.dimension in SHORT_DIMENSIONS or task.name.removesuffix(SUFFIX) in SHORT_TASKS
    return SHORT_TOKENS if short else TOKENS


def task_named(name: str) -> Task | None:
    """The shipped task, or the sample, of this name; None for a user's own."""
    return shipped().get(name) or sample_tasks().get(name)


def sampled(task: Task) -> Task | None:
    """The task on its sample items; None if it has none."""
    roles = {role: _present(sources) for role, sources in task.sources.items() if role != "shots"}
    if not all(roles.values()):
        return None
    return replace(
        task,
        name=f"{task.name}{SUFFIX}",
        description=DESCRIPTION.format(task=task.name),
        licence="CC0-1.0",
        sources=roles,
        shots=min(task.shots, SHOTS),
        first_n=True,
        curated=(),
    )


def _present(sources: Sequence[Source]) -> list[Source]:
    """The sources whose file has sample items, with its path and SHA-256."""
    paths = {source: FOLDER / source.file.removesuffix(".gz") for source in sources}
    return [
        replace(source, file=str(path), sha256=sha256(path.read_bytes()).hexdigest(), hub=None, revision=None)
        for source, path in paths.items()
        if path.is_file()
    ]
