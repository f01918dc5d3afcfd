"""`arena tag`: a model sorts battles into categories, in addition to the rules."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from arena.cli.options import AsFormat, Config, DatabaseURL, Format, for_programs, opened
from arena.cli.progress import print_failures, progress_bar
from arena.cli.terminal import Console


def tag(
    model: Annotated[str, typer.Argument(help="A model of the settings.")],
    limit: Annotated[int | None, typer.Option(min=1, help="Only the newest N battles.")] = None,
    budget: Annotated[float | None, typer.Option(min=0, help="USD limit.")] = None,
    recompute: Annotated[
        bool, typer.Option("--recompute", help="Remove the tags of all models and tag all battles again.")
    ] = False,
    reply_cache: Annotated[
        Path | None, typer.Option(help="File of saved replies; default: next to the database.")
    ] = None,
    as_format: AsFormat = Format.TABLE,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Have a model sort battles that have votes into categories such as "hard (llm)"."""
    from arena.engine import RESUME_HINT
    from arena.leaderboards.category_tags import TaggingConfig, tag_battles

    tagging = TaggingConfig(model, limit, budget, recompute, reply_cache)
    with opened(config, db) as (database, settings):
        result = tag_battles(database, settings, tagging, progress_bar)
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    if not for_programs(result.to_dict(), as_format):
        see = "; see arena leaderboard --category 'tagged (llm)'" if result.tagged else ""
        console.print(
            f"{result.tagged:,} battles tagged{see}"
            if result.battles
            else "All battles with votes are already tagged."
        )
    print_failures(result.call_counts.failed, result.call_counts.examples, console)
    if result.call_counts.failed:
        console.print(RESUME_HINT)
        raise typer.Exit(1)
