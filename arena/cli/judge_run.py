"""`arena judge single|baseline|pairwise|battles|run`: the options of a judge run."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from arena.cli.batch import print_read, print_written
from arena.cli.judge_options import ALWAYS, BATCH, PLACE, names, takes
from arena.cli.judge_report import print_forecast, print_missing, print_result
from arena.cli.options import Format, opened
from arena.cli.progress import progress_bar
from arena.cli.report_file import check_report, write_run_report
from arena.cli.terminal import Console
from arena.cli.tracking import open_trackers, send
from arena.errors import ConfigError

if TYPE_CHECKING:
    from arena.config import Settings
    from arena.exchange.tracked_run import Tracker
    from arena.judging.config import JudgeRunConfig
    from arena.judging.preparation import PreparedRun
    from arena.judging.run import JudgeRun
    from arena.store import Database
    from arena.web.run_pages import RunDocument


@takes("prompts", "judge", "panel", "quorum", "combine", "name", *BATCH, *ALWAYS)
def single(**given: Any) -> None:
    """Score each completion from 1 to 10."""
    _options("single", given)


@takes(
    "prompts", "baseline", "judge", "panel", "quorum", "combine", "name", "order", "control_pairs", *BATCH, *ALWAYS
)
def baseline(**given: Any) -> None:
    """Compare every model with one baseline, by the log-probabilities of the judge's verdict where it has them."""
    _options("baseline", given)


@takes(
    "prompts", "judge", "panel", "quorum", "combine", "name", "battles", "order", "control_pairs", *BATCH, *ALWAYS
)
def pairwise(**given: Any) -> None:
    """Compare all models with one another."""
    _options("pairwise", given)


@takes("judge", "panel", "quorum", "combine", "name", "order", "control_pairs", "unshared", *BATCH, *ALWAYS)
def battles(**given: Any) -> None:
    """Judge the battles that people have voted on, for `arena agreement` and `arena disputed`."""
    _options("battles", given)


@takes("file", "rubric", *BATCH, *PLACE)
def run(**given: Any) -> None:
    """Run the judge of a TOML or YAML file, whose keys are `mode` and the names of the options, or evalscope's."""
    from arena.cli.judge_evalscope import import_evalscope
    from arena.config.run_files import read_run_file
    from arena.judging.config import read_config
    from arena.judging.evalscope_config import is_evalscope

    path, settings_file, rubric = given.pop("file"), given.pop("config"), given.pop("rubric")
    keys = read_run_file(path)
    if is_evalscope(keys):
        if rubric is not None:
            raise ConfigError("--rubric needs a run file of Arena. Give mode, prompts and judge instead.")
        config = import_evalscope(path, keys, settings_file, given["db"])
    else:
        config = read_config(path, rubric=rubric)
    _do(config, settings_file=settings_file, **given)


def _options(mode: str, given: dict[str, Any]) -> None:
    """The options of a command as an evaluation."""
    from arena.judging.config import config_of

    place = {name: given.pop(name) for name in (*BATCH, *PLACE)}
    place["settings_file"] = place.pop("config")
    given |= {"panel": names(given["panel"]), "models": names(given["models"])}
    _do(config_of(mode=mode, **given), **place)


def _do(
    config: JudgeRunConfig,
    *,
    dry_run: bool,
    as_format: Format,
    settings_file: Path | None,
    db: str | None,
    batch_out: Path | None,
    batch_in: Path | None,
    report: Path | None,
    wandb: str | None,
    mlflow: str | None,
) -> None:
    from arena.judging.run import open_judge_run

    _check_report(report, without_run=dry_run or batch_out is not None)
    trackers, document = open_trackers(wandb, mlflow), None
    with opened(settings_file, db) as (database, settings):
        prepared = _prepared(database, settings, config, dry_run)
        print_missing(prepared.missing(), len(prepared.prompts))
        with open_judge_run(database, prepared, progress_bar) as judge_run:
            if batch_in is not None:
                print_read(batch_in, judge_run.read_batch(batch_in))
            if batch_out is not None:
                print_written(batch_out, judge_run.write_batch(batch_out))
                return
            if dry_run:
                print_forecast(judge_run.forecast(), prepared, as_format)
                return
            result = judge_run.run()
            as_dict = result.to_dict()
            if report is not None or trackers:
                document = _document(judge_run, as_dict)
            if report is not None and document is not None:
                write_run_report(report, document)
    print_result(as_dict, as_format)
    if document is not None:
        _send(trackers, document, as_dict)
    if not result.published:
        raise typer.Exit(1)


def _check_report(report: Path | None, *, without_run: bool) -> None:
    """Nothing if a report can be written after the run. Raises `ConfigError` before any call."""
    if report is not None and without_run:
        raise ConfigError("--report needs a run. Remove --dry-run and --batch-out, or --report.")
    check_report(report)


def _document(judge_run: JudgeRun, result: dict[str, Any]) -> RunDocument:
    from arena.web.run_pages.judge_document import judge_document

    with judge_run.details() as details:
        return judge_document(judge_run.prepared, judge_run.planned, details, result)


def _send(trackers: Sequence[Tracker], document: RunDocument, result: dict[str, Any]) -> None:
    if trackers:
        from arena.web.run_pages.tracking import tracked_judge_run

        send(trackers, tracked_judge_run(document, result))


def _prepared(database: Database, settings: Settings, config: JudgeRunConfig, dry_run: bool) -> PreparedRun:
    """The prepared run, after a question in a terminal about battles that their voters have not shared."""
    from arena.judging.preparation import UnsharedBattles, prepare

    try:
        return prepare(database, settings, config)
    except UnsharedBattles as problem:
        if not dry_run:
            if not sys.stdin.isatty():
                raise
            Console(stderr=True, soft_wrap=True, highlight=False).print(str(problem), markup=False, style="yellow")
            typer.confirm("Send them?", abort=True, err=True)
        return prepare(database, settings, config.model_copy(update={"unshared": "send"}))
