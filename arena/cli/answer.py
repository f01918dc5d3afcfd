"""`arena answer`: models write completions for a prompt set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from arena.cli.batch import print_read, print_written
from arena.cli.options import AsFormat, Config, DatabaseURL, Format, for_programs, opened
from arena.cli.progress import print_adapted, print_failures, progress_bar
from arena.cli.terminal import Console

Prompts = Annotated[str, typer.Option("--prompts", help="Prompt set, as listed by `arena prompts list`.")]


def answer(
    prompts: Prompts,
    models: Annotated[str, typer.Option("--models", help="Comma-separated models.")],
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N prompts.")] = None,
    budget: Annotated[float | None, typer.Option(min=0, help="USD limit.")] = None,
    reply_cache: Annotated[
        Path | None, typer.Option(help="File of saved replies; default: next to the database.")
    ] = None,
    concurrency: Annotated[int | None, typer.Option(min=1, help="Concurrent calls to each model.")] = None,
    timeout: Annotated[float | None, typer.Option(help="Seconds after which no call is begun.")] = None,
    batch_out: Annotated[
        Path | None, typer.Option(help="Write the requests as an OpenAI Batch file; make no calls.")
    ] = None,
    batch_in: Annotated[
        Path | None, typer.Option(help="Read the results of a batch first; call for the rest.")
    ] = None,
    as_format: AsFormat = Format.TABLE,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Have models complete a prompt set. Finished calls are not repeated."""
    from arena.engine import CallCounts, what_next
    from arena.prompt_sets.completions import CompletionsConfig, CompletionsResult, prepare

    names = [name.strip() for name in models.split(",") if name.strip()]
    completions = CompletionsConfig(prompts, names, limit, budget, concurrency, timeout, reply_cache)
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    with opened(config, db) as (database, settings):
        run = prepare(database, settings, completions)
        if not run.missing():
            if not for_programs(CompletionsResult(0, CallCounts()).to_dict(), as_format):
                console.print("All completions are already saved.")
            return
        with run.open(progress_bar) as session:
            if batch_in is not None:
                print_read(batch_in, run.read_batch(batch_in, session))
            if batch_out is not None:
                print_written(batch_out, run.write_batch(batch_out, session))
                return
            result = run.run(session)
    if not for_programs(result.to_dict(), as_format):
        console.print(f"{result.written:,} completions written")
    print_adapted(result.call_counts.adapted, console)
    print_failures(result.call_counts.failed, result.call_counts.examples, console)
    if result.call_counts.failed:
        for hint in what_next(result.call_counts.failed, result.call_counts.unusable):
            console.print(hint)
        raise typer.Exit(1)
