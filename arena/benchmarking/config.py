"""The configuration of a benchmark run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from arena.benchmarking.selection import SelectionOptions
from benchmarks.data import DataSources
from benchmarks.task import RequestType


@dataclass(frozen=True)
class InspectOptions:
    """What tasks of inspect_ai take in addition."""

    task_args: Mapping[str, Any] = field(default_factory=dict)  # of the function that makes the task
    sandbox: str | None = None  # in place of the task's own: `bubblewrap`, `docker`, `local`
    log_dir: Path | None = None  # where inspect's logs stay; they are removed if None


@dataclass(frozen=True)
class BenchmarkConfig:
    """A benchmark run. Tasks are named as on the command line: `mmlu`, `mmlu:anatomy`, `dimension:NAME`, `my.py`,
    `inspect:PACKAGE/TASK`, `inspect:FILE.py@TASK`.
    """

    tasks: Sequence[str]
    models: Sequence[str]  # names in the settings
    options: SelectionOptions = field(default_factory=SelectionOptions)
    request_type: RequestType | None = None  # the best one that each endpoint serves if None
    max_tokens: int | None = None  # of each completion
    budget: float | None = None  # USD for each task
    sample: bool = False  # the items that ship with the package; all tasks that have some if `tasks` is empty
    judge: str | None = None  # the model that judges completions, for tasks that need a judge
    data_sources: DataSources | None = None  # ARENA_DATA_DIR and the hub if None
    recompute: bool = False  # make all calls again, whatever the reply cache has
    reply_cache: Path | None = None  # next to the database if None
    inspect: InspectOptions = field(default_factory=InspectOptions)
