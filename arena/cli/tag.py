"""`arena tag`: a model sorts battles into categories, in addition to the rules."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena.cli.options import AsFormat, Config, DatabaseURL, Format, for_programs, opened
from arena.cli.progress import print_adapted, print_failures, progress_bar
from arena.cli.terminal import Console

if TYPE_CHECKING:
    from arena.leaderboards.category_tags import TaggingForecast
    from arena.store import Database


def tag(
    model: Annotated[str, typer.Argument(help="A model of the settings.")],
    limit: Annotated[int | None, typer.Option(min=1, help="Only the newest N battles.")] = None,
    budget: Annotated[float | None, typer.Option(min=0, help="USD limit.")] = None,
    recompute: Annotated[
        bool,
        typer.Option(
            "--recompute", help="Tag all battles again; replace the tags of each when its reply is there."
        ),
    ] = False,
    concurrency: Annotated[int | None, typer.Option(min=1, help="Concurrent calls.")] = None,
    timeout: Annotated[
        float | None, typer.Option(help="Seconds for the whole run, after which no call is begun.")
    ] = None,
    call_timeout: Annotated[float | None, typer.Option(help="Seconds for each call.")] = None,
    reply_cache: Annotated[
        Path | None, typer.Option(help="File of saved replies; default: next to the database.")
    ] = None,
    delete: Annotated[
        bool, typer.Option("--delete", help="Delete the tags of this model; make no calls.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print a forecast; make no calls.")] = False,
    as_format: AsFormat = Format.TABLE,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Have a model sort battles that have votes into categories such as "hard (llm)"."""
    from arena.engine import what_next
    from arena.leaderboards.category_tags import TaggingConfig, forecast, tag_battles

    tagging = TaggingConfig(model, limit, budget, recompute, reply_cache, concurrency, timeout, call_timeout)
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    with opened(config, db) as (database, settings):
        if delete:
            _delete(database, model, console, as_format)
            return
        if dry_run:
            _print_forecast(forecast(database, settings, tagging), as_format)
            return
        result = tag_battles(database, settings, tagging, progress_bar)
    if not for_programs(result.to_dict(), as_format):
        see = "; see arena leaderboard --category 'tagged (llm)'" if result.tagged else ""
        console.print(
            f"{result.tagged:,} battles tagged{see}"
            if result.battles
            else "All battles with votes are already tagged."
        )
    print_adapted(result.call_counts.adapted, console)
    print_failures(result.call_counts.failed, result.call_counts.examples, console)
    if result.call_counts.failed:
        for hint in what_next(result.call_counts.failed, result.call_counts.unusable):
            console.print(hint)
        raise typer.Exit(1)


def _delete(database: Database, model: str, console: Console, as_format: Format) -> None:
    from arena.rules.tagger_prompt import classifier
    from arena.store.tags import delete_tags

    with database.write() as session:
        battles = delete_tags(session, classifier(model))
    if not for_programs({"deleted": battles}, as_format):
        console.print(f"Deleted: the tags of {model} on {battles:,} battles.", markup=False)


def _print_forecast(expected: TaggingForecast, as_format: Format) -> None:
    if for_programs(vars(expected), as_format):
        return
    console = Console(highlight=False)
    console.print(f"{expected.battles:,} battles, {expected.cached:,} of them in the reply cache")
    console.print(
        f"about {expected.prompt_tokens:,} prompt and at most {expected.completion_tokens:,} completion tokens"
    )
    cost = (
        "unknown: the model has no price in the settings"
        if expected.cost is None
        else f"about ${expected.cost:.2f}"
    )
    console.print(cost)
