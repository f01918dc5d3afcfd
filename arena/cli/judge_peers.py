"""`arena judge peers`: every model judges the battles of the others, and weighs as much as it scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer
from rich.table import Table

from arena.cli.judge_options import ALWAYS, PLACE, names, takes
from arena.cli.judge_report import print_forecast, print_missing, print_summary
from arena.cli.options import Format, opened, write_csv, write_json
from arena.cli.progress import progress_bar
from arena.cli.terminal import Console

if TYPE_CHECKING:
    from arena.judging.config import JudgeRunConfig
    from arena.judging.peers import PeerResult
    from arena.judging.run_result import JudgeRunResult


@takes("prompts", "order", *ALWAYS)
def peers(**given: Any) -> None:
    """Let each model judge all the others, and weight the judges by their own scores."""
    from arena.judging.peers import peer_configs, run_peers

    dry_run, as_format, config, db = (given.pop(name) for name in PLACE)
    models = names(given.pop("models"))
    with opened(config, db) as (database, settings):
        configs = peer_configs(database, given.pop("prompts"), models, **given)
        if dry_run:
            for judge_config in configs:
                _forecast(database, settings, judge_config)
            return
        result = run_peers(database, settings, configs, progress_bar, _print_run)
    if not result.complete:
        raise typer.Exit(1)
    if result.unweighted is not None:
        Console(stderr=True, soft_wrap=True, highlight=False).print(result.unweighted, style="yellow")
    _print(result, as_format)


def _forecast(database: Any, settings: Any, config: JudgeRunConfig) -> None:
    from arena.judging.preparation import prepare
    from arena.judging.run import open_judge_run

    prepared = prepare(database, settings, config)
    print_missing(prepared.missing(), len(prepared.prompts))
    with open_judge_run(database, prepared) as judge_run:
        print_forecast(judge_run.forecast(), prepared, Format.TABLE)


def _print_run(result: JudgeRunResult) -> None:
    print_summary(result.to_dict(), Console(stderr=True, soft_wrap=True, highlight=False))


def _print(result: PeerResult, as_format: Format) -> None:
    if as_format is Format.JSON:
        write_json(result.to_dict())
    elif as_format is Format.CSV:
        write_csv(result.models)
    else:
        table = Table(title="peer examination", caption="score: win rate by the others; weight: as a judge")
        for column in ("model", "score", "weight", "unweighted"):
            table.add_column(column, justify="left" if column == "model" else "right")
        for row in result.models:
            figures = (
                "–" if row[name] is None else f"{row[name]:.3f}" for name in ("score", "weight", "unweighted")
            )
            table.add_row(row["model"], *figures)
        Console().print(table)
