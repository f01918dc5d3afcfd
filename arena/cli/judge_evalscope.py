"""Configurations of evalscope for `arena judge run`: their files are imported, and their judge runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arena.cli.options import opened
from arena.cli.terminal import Console
from arena.errors import ConfigError

if TYPE_CHECKING:
    from arena.judging.config import JudgeRunConfig
    from arena.judging.evalscope_config import Answers
    from arena.store import Database


def import_evalscope(
    path: Path, keys: Mapping[str, Any], settings_file: Path | None, db: str | None
) -> JudgeRunConfig:
    """Import the questions and answers of the configuration, and return its judge run. Raises `ConfigError`."""
    from arena.judging.evalscope_config import read_evalscope
    from arena.prompt_sets.prompt_sets import HowToRead, import_prompts

    run = read_evalscope(path, keys)
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    for note in run.notes:
        console.print(f"{path.name}: {note}", markup=False)
    with opened(settings_file, db, create=True) as (database, _):
        [imported] = import_prompts(database, str(run.questions), how=HowToRead(references=run.references))
        models = [name for answers in run.answers for name in _models(database, answers, imported.name)]
        baseline = _models(database, run.baseline, imported.name) if run.baseline else [None]
    if len(baseline) != 1:
        raise ConfigError(f"{path}: baseline_file has answers of {len(baseline)} models. Give those of one.")
    console.print(f"{imported.name}: {imported.prompts:,} prompts, answers of {', '.join(models)}", markup=False)
    return run.judge_run(imported.name, list(dict.fromkeys(models)), baseline[0])


def _models(database: Database, answers: Answers, prompts: str) -> list[str]:
    """The models whose answers are imported, or the model that has answers here."""
    from arena.prompt_sets.completion_import import CompletionFiles, import_completions

    if answers.file is None:
        return [answers.model]
    return list(import_completions(database, CompletionFiles([answers.file]), prompts).models)
