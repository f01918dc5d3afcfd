"""Judged prompt sets and benchmark runs in the formats of other harnesses.

lm_eval          MODEL/results_TIME.json, MODEL/samples_TASK_TIME.jsonl
inspect          TIME_TASK_ID.eval
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from arena.errors import ConfigError
from arena.exchange.evalscope import write_evalscope
from arena.exchange.every_eval_ever import write_every_eval_ever
from arena.exchange.files import fresh_folder
from arena.exchange.inspect_log import write_inspect
from arena.exchange.lm_eval import write_lm_eval
from arena.exchange.prompt_set import Written, read_set
from arena.exchange.sample_runs import SampleRun, benchmark_runs, runs_of_set
from arena.store import Database
from arena.store.prompts import find_prompt_set

Write = Callable[[Path, Sequence[SampleRun], Written], None]
FORMATS: dict[str, Write] = {
    "lm_eval": write_lm_eval,
    "inspect": write_inspect,
    "evalscope": write_evalscope,
    "every_eval_ever": write_every_eval_ever,
}


def export_runs(
    database: Database,
    out: Path,
    format: str,  # noqa: A002  (the option's name)
    *,
    prompts: str | None = None,
    runs: str | None = None,
    judge: str | None = None,
    force: bool = False,
) -> Written:
    """Write the models' completions of a prompt set with one judge's scores, or benchmark runs.

    Exactly one of `prompts` and `runs` (numbers, or `all`) is given. Raises `ConfigError` with the available choices.
    """
    if (prompts is None) == (runs is None):
        raise ConfigError(f"--format {format} needs either --prompts SET or --runs N,M.")
    if runs is not None and judge is not None:
        raise ConfigError("--judge is for --prompts: benchmark runs have no judge to choose.")
    written = Written(out)
    with database.read() as session:
        if prompts is None:
            chosen = benchmark_runs(session, runs or "")
        else:
            judged, stored = read_set(session, prompts), find_prompt_set(session, prompts)
            assert stored is not None  # read_set raises for an unknown one
            chosen = runs_of_set(judged, prompts, judge, stored.created_at)
    if not chosen:
        raise ConfigError(f"No model has completions of {prompts!r}. Run: arena answer --prompts {prompts}")
    with fresh_folder(out, force) as folder:
        FORMATS[format](folder, chosen, written)
    written.prompts = len({(run.task, sample.prompt.key) for run in chosen for sample in run.samples})
    written.verdicts = sum(bool(sample.metrics) for run in chosen for sample in run.samples)
    textless = sum(sample.turns is None for run in chosen for sample in run.samples)
    if textless:
        written.notes.append(
            f"{textless:,} samples have no text: a call failed, or choices were compared by probability"
        )
    return written
