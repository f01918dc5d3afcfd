"""`arena tag`: a model sorts battles into categories, beside the rules."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from arena.cli.answer import tell_tally
from arena.cli.options import AsFormat, Config, DatabaseURL, Format, for_programs, opened
from arena.cli.progress import watched

if TYPE_CHECKING:
    from arena.engine import CallResult


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
    from arena.engine import Budget, Engine, ReplyCache, Tally
    from arena.judging.run import reply_cache_path
    from arena.leaderboards.category_tags import prepare, tag_all

    console = Console(stderr=True, soft_wrap=True, highlight=False)
    with opened(config, db) as (database, settings):
        tagging = prepare(database, settings, model, limit, again=again)
        if not tagging.battles:
            if not for_programs({"sorted": 0, **Tally().to_dict()}, as_format):
                console.print("every battle that has votes and prompts is sorted already")
            return
        with ReplyCache(reply_cache_path(settings, reply_cache)) as kept:
            engine = Engine({model: tagging.asked}, kept, Budget(budget))

            async def work(seen: Callable[[CallResult], None]) -> int:
                try:
                    return await tag_all(database, engine, tagging, seen)
                finally:
                    await tagging.asked.endpoint.close()

            done = watched(engine, work, len(tagging.battles)) or 0
    if not for_programs({"sorted": done, **engine.tally.to_dict()}, as_format):
        see = "; see arena leaderboard --category 'tagged (llm)'" if done else ""
        console.print(f"{done:,} battles sorted{see}")
    tell_tally(engine.tally, console)
    if engine.tally.failed:
        console.print("type the same command again: battles that are sorted are not asked about twice")
        raise typer.Exit(1)
