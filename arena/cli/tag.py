"""`arena tag`: a model sorts battles into categories, beside the rules."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from arena.cli.options import AsFormat, Config, DatabaseURL, Format, for_programs, opened
from arena.cli.progress import print_failures, progress_bar


def tag(
    model: Annotated[str, typer.Argument(help="A model of the settings.")],
    limit: Annotated[int | None, typer.Option(min=1, help="Only the newest so many battles.")] = None,
    budget: Annotated[float | None, typer.Option(min=0, help="USD that may be spent.")] = None,
    again: Annotated[
        bool, typer.Option("--recompute", help="Forget what a tagger has found, and sort all anew.")
    ] = False,
    reply_cache: Annotated[Path | None, typer.Option(help="Where replies are kept; beside the database.")] = None,
    as_format: AsFormat = Format.TABLE,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Let a model sort battles that have votes: categories such as "hard (llm)" beside those by rule."""
    from arena.config import reply_cache_path
    from arena.engine import RESUME_HINT, Tally, open_session
    from arena.leaderboards.category_tags import prepare, tag_all

    console = Console(stderr=True, soft_wrap=True, highlight=False)
    with opened(config, db) as (database, settings):
        tagging = prepare(database, settings, model, limit, again=again)
        if not tagging.battles:
            if not for_programs({"sorted": 0, **Tally().to_dict()}, as_format):
                console.print("every battle that has votes and prompts is sorted already")
            return
        with open_session(reply_cache_path(settings, reply_cache), progress_bar) as session:
            result = session.run(
                {model: tagging.asked},
                lambda engine, seen: tag_all(database, engine, tagging, seen),
                total=len(tagging.battles),
                budget=budget,
            )
    done, tally = result.value or 0, result.tally
    if not for_programs({"sorted": done, **tally.to_dict()}, as_format):
        see = "; see arena leaderboard --category 'tagged (llm)'" if done else ""
        console.print(f"{done:,} battles sorted{see}")
    print_failures(tally.failed, tally.examples, console)
    if tally.failed:
        console.print(RESUME_HINT)
        raise typer.Exit(1)
