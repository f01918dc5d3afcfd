"""`arena judge peers`: every model judges the battles of the others, and weighs as much as it scores."""

from __future__ import annotations

from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from arena.cli.judge_options import ALWAYS, PLACE, takes
from arena.cli.judge_report import tell
from arena.cli.judge_run import carried_out
from arena.cli.options import Format, opened, write_csv, write_json

LEAST = 3  # a model judges the others' battles: there must be two others


@takes("prompts", "order", *ALWAYS)
def peers(**given: Any) -> None:
    """Let each model judge all the others, and weigh the judges by how they come out."""
    from arena.errors import ConfigError
    from arena.judging.config import config_of
    from arena.judging.peers import answered, ranking

    dry_run, as_format, config, db = (given.pop(name) for name in PLACE)
    left, models, runs = given.pop("budget"), given.pop("models"), []
    with opened(config, db) as (database, settings):
        names = answered(database, given["prompts"], models)
        if len(names) < LEAST:
            raise ConfigError(f"{len(names)} models; a peer examination needs {LEAST} or more: --models a,b,c")
        for judge in names:
            others = tuple(name for name in names if name != judge)
            told = config_of(mode="pairwise", judge=judge, models=others, budget=left, **given)
            done = carried_out(told, dry_run, Format.TABLE, database, settings)
            if done is not None:
                runs.append(done)
                left = left - done["cost"] if left is not None else None
                tell(done, Console(stderr=True, soft_wrap=True, highlight=False))
    if dry_run:
        return
    if any(not one["published"] for one in runs):
        raise typer.Exit(1)
    rows, why = ranking({one["judge"].removeprefix("judge:"): one["win_rates"] for one in runs})
    if why is not None:
        Console(stderr=True, soft_wrap=True, highlight=False).print(why, style="yellow")
    _show(rows, runs, as_format)


def _show(rows: list[dict[str, Any]], runs: list[dict[str, Any]], as_format: Format) -> None:
    if as_format is Format.JSON:
        write_json({"models": rows, "runs": runs})
    elif as_format is Format.CSV:
        write_csv(rows)
    else:
        table = Table(title="peer examination", caption="score: win rate by the others; weight: as a judge")
        for column in ("model", "score", "weight", "unweighted"):
            table.add_column(column, justify="left" if column == "model" else "right")
        for row in rows:
            figures = (
                "–" if row[name] is None else f"{row[name]:.3f}" for name in ("score", "weight", "unweighted")
            )
            table.add_row(row["model"], *figures)
        Console().print(table)
