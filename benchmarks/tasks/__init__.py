"""The tasks that ship. A file here is a task once it is listed; it names its tasks in `TASKS`."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from benchmarks.task import Task

FILES = (
    "arc", "arc_agi", "bbh", "bigbench", "ceval", "gpqa", "gsm8k", "hellaswag", "math", "mmlu", "mmlu_pro",
    "triviaqa", "truthfulqa", "circular", "svamp",
    "advbench", "airbench", "bbq", "bfcl", "bold", "crows_pairs", "harmbench", "hhh", "honest", "humaneval",
    "ifeval", "jailbreakbench", "lambada", "mbpp", "ptb", "realtoxicityprompts", "stereoset",
    "strongreject", "wikitext2", "winobias", "winogender", "xstest",
)  # fmt: skip


@cache
def shipped() -> dict[str, Task]:
    """Every task by its name."""
    tasks: dict[str, Task] = {}
    for file in FILES:
        for task in import_module(f"{__name__}.{file}").TASKS:
            if task.name in tasks:
                raise ValueError(f"Two tasks have the name {task.name!r}. Rename the one in {file}.")
            tasks[task.name] = task
    return tasks
