"""`arena answer`: models write completions for a prompt set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from arena.cli.batch import with_batch
from arena.cli.options import AsFormat, Config, DatabaseURL, Format, for_programs, opened
from arena.cli.progress import print_failures, progress_bar

Prompts = Annotated[str, typer.Option("--prompts", help="Prompt set, as `arena prompts list` names it.")]


def answer(
    prompts: Prompts,
    models: Annotated[str, typer.Option("--models", help="Models, parted by commas.")],
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many prompts.")] = None,
    budget: Annotated[float | None, typer.Option(min=0, help="USD that may be spent.")] = None,
    reply_cache: Annotated[Path | None, typer.Option(help="Where replies are kept; beside the database.")] = None,
    concurrency: Annotated[int | None, typer.Option(min=1, help="Calls at once, to each model.")] = None,
    timeout: Annotated[float | None, typer.Option(help="Seconds, after which no call is begun.")] = None,
    batch_out: Annotated[
        Path | None, typer.Option(help="Write an OpenAI Batch file of what is to be asked; ask nothing.")
    ] = None,
    batch_in: Annotated[
        Path | None, typer.Option(help="Take a batch's results first, then ask for what they lack.")
    ] = None,
    as_format: AsFormat = Format.TABLE,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Let models answer a prompt set. What was answered before is not asked again."""
    from arena.config import reply_cache_path
    from arena.engine import RESUME_HINT, RetryPolicy, Tally, open_session
    from arena.prompt_sets.completions import answer_all, first_turns, prepare

    names = [name.strip() for name in models.split(",") if name.strip()]
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    with opened(config, db) as (database, settings):
        answering = prepare(database, settings, prompts, names, limit, concurrency)
        todo = sum(prompt.turns for prompt, _ in answering.todo())
        if not todo:
            if not for_programs({"written": 0, **Tally().to_dict()}, as_format):
                console.print("every model has answered every prompt already")
            return
        with open_session(reply_cache_path(settings, reply_cache), progress_bar) as session:
            if batch_in is not None or batch_out is not None:
                with_batch(
                    session.reply_cache, answering.asked, lambda: first_turns(answering), batch_in, batch_out
                )
            if batch_out is not None:
                return
            result = session.run(
                answering.asked,
                lambda engine, seen: answer_all(database, engine, answering, seen),
                total=todo,
                budget=budget,
                retry_policy=RetryPolicy(run_timeout=timeout),
            )
    written, tally = result.value or 0, result.tally
    if not for_programs({"written": written, **tally.to_dict()}, as_format):
        console.print(f"{written:,} completions written")
    print_failures(tally.failed, tally.examples, console)
    if tally.failed:
        console.print(RESUME_HINT)
        raise typer.Exit(1)
