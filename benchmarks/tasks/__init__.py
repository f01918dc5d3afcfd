"""The tasks that ship. A file here is a task once it is listed; it names its tasks in `TASKS`."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from benchmarks.task import Task

SHIPPED_FILES = (
    "advbench", "airbench", "arc", "arc_agi", "bbh", "bbq", "bfcl", "bigbench", "bold", "ceval", "circular",
    "crows_pairs", "gpqa", "gsm8k", "harmbench", "hellaswag", "hhh", "honest", "humaneval", "ifeval",
    "jailbreakbench", "lambada", "math", "mbpp", "mmlu", "mmlu_pro", "ptb", "realtoxicityprompts", "stereoset",
    "strongreject", "svamp", "triviaqa", "truthfulqa", "wikitext2", "winobias", "winogender", "xstest",
)  # fmt: skip


@cache
def shipped() -> dict[str, Task]:
    """Every task by its name."""
    tasks: dict[str, Task] = {}
    for file in SHIPPED_FILES:
        for task in import_module(f"{__name__}.{file}").TASKS:
            if task.name in tasks:
                raise ValueError(f"Two tasks have the name {task.name!r}. Rename the one in {file}.")
            tasks[task.name] = task
    return tasks
