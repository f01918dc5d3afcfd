"""`arena judge peers`: every model judges the battles of the others, and weighs as much as it scores."""

from __future__ import annotations

from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from arena.cli.judge_report import tell
from arena.cli.judge_run import (
    BudgetOption,
    Concurrency,
    Coverage,
    DryRun,
    JournalFile,
    Limit,
    Models,
    Order,
    OrderOption,
    Prompts,
    SchemeOption,
    TemplateFile,
    carried_out,
)
from arena.cli.options import AsFormat, Config, DatabaseURL, Format, opened, write_csv, write_json

LEAST = 3  # a model judges the others' battles: there must be two others


def peers(
    prompts: Prompts,
    models: Models = None,
    order: OrderOption = Order.both,
    scheme: SchemeOption = None,
    template: TemplateFile = None,
    budget: BudgetOption = None,
    concurrency: Concurrency = None,
    limit: Limit = None,
    coverage: Coverage = None,
    journal: JournalFile = None,
    dry_run: DryRun = False,
    as_format: AsFormat = Format.TABLE,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Let each model judge all the others, and weigh the judges by how they come out."""
    from arena.errors import ConfigError
    from arena.judging.evaluation import evaluation
    from arena.judging.peers import answered, ranking

    shared = {"prompts": prompts, "order": order.value, "scheme": scheme, "template": template, "limit": limit,
              "concurrency": concurrency, "coverage": coverage, "journal": journal}  # fmt: skip
    left, runs = budget, []
    with opened(config, db) as (database, settings):
        names = answered(database, prompts, models)
        if len(names) < LEAST:
            raise ConfigError(f"{len(names)} models; a peer examination needs {LEAST} or more: --models a,b,c")
        for judge in names:
            others = tuple(name for name in names if name != judge)
            told = evaluation(mode="pairwise", judge=judge, models=others, budget=left, **shared)
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
