"""`arena judge import`: reviews that a judge gave elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from arena.cli.options import CategoriesFile, Config, DatabaseURL, opened
from arena.cli.terminal import Console


def import_(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Reviews of LLMuses or evalscope, such as battle.jsonl.")
    ],
    judge: Annotated[str, typer.Option(help="Name of the judge that gave the reviews, such as gpt-4.")],
    prompts: Annotated[
        str | None,
        typer.Option(
            metavar="SET",
            help="Prompt set that was judged, by default the file's name; a new one gets the file's questions.",
        ),
    ] = None,
    categories: CategoriesFile = None,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Import a judge's reviews of LLMuses and evalscope as its stored verdicts and scores."""
    from arena.exchange.import_reviews import import_reviews

    with opened(config, db, create=True) as (database, _):
        done = import_reviews(database, file, judge, prompts, categories)
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    there = f"; {done.there:,} were already there" if done.there else ""
    console.print(
        f"{done.prompts}: {done.verdicts:,} verdicts and {done.scores:,} scores of {done.judge}{there}",
        markup=False,
    )
    if done.completions:
        console.print(f"and {done.completions:,} completions")
    if done.unread:
        console.print(f"{done.unread:,} reviews have no verdict that was read, and were skipped")
    if done.verdicts or done.there:
        console.print(f"to rank the models, run: arena leaderboard --source judge:{done.judge}", markup=False)
