"""`arena answer`: models write completions for a prompt set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from arena.cli.batch import with_batch
from arena.cli.options import AsFormat, Config, DatabaseURL, Format, for_programs, opened
from arena.cli.progress import watched

if TYPE_CHECKING:
    from arena.engine import CallResult, Tally

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
    from arena.engine import Budget, Engine, Patience, ReplyCache, Tally
    from arena.judging.run import reply_cache_path
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
        with ReplyCache(reply_cache_path(settings, reply_cache)) as kept:
            if batch_in is not None or batch_out is not None:
                with_batch(kept, answering.asked, lambda: first_turns(answering), batch_in, batch_out)
            if batch_out is not None:
                return
            engine = Engine(answering.asked, kept, Budget(budget), Patience(run_timeout=timeout))

            async def work(seen: Callable[[CallResult], None]) -> int:
                try:
                    return await answer_all(database, engine, answering, seen)
                finally:
                    for target in answering.asked.values():
                        await target.endpoint.close()

            written = watched(engine, work, todo) or 0
    if not for_programs({"written": written, **engine.tally.to_dict()}, as_format):
        console.print(f"{written:,} completions written")
    tell_tally(engine.tally, console)
    if engine.tally.failed:
        console.print("type the same command again: what was answered is kept and not asked twice")
        raise typer.Exit(1)


def tell_tally(tally: Tally, console: Console) -> None:
    """What failed in a run."""
    tell_failures(tally.failed, {status.value: detail for status, detail in tally.details.items()}, console)


def tell_failures(failed: dict[str, int], details: dict[str, str], console: Console) -> None:
    """Each kind of failure with its count and one example."""
    for status, count in failed.items():
        console.print(f"{count:,} {status}: {details.get(status, '')}", style="yellow", markup=False)
