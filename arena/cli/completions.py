"""`arena completions`: completions that other tools wrote, for judges to judge."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from arena.cli.options import CategoriesFile, Config, DatabaseURL, opened
from arena.cli.terminal import Console

app = typer.Typer(help="Completions: import those that other tools wrote.", no_args_is_help=True)


class CompletionsFormat(StrEnum):
    auto = "auto"
    fastchat = "fastchat"
    arena_hard = "arena_hard"
    wildbench = "wildbench"
    alpaca_eval = "alpaca_eval"
    llmuses = "llmuses"
    vicuna = "vicuna"
    general_qa = "general_qa"
    lm_eval = "lm_eval"
    evalscope = "evalscope"
    inspect = "inspect"
    every_eval_ever = "every_eval_ever"
    plain = "plain"


@app.callback()
def completions() -> None:
    """Completions of prompt sets."""


@app.command("import")
def import_(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE…", help="Files (.jsonl, .json, .csv, .parquet, .eval) or folders of `datasets`."
        ),
    ],
    prompts: Annotated[
        str | None,
        typer.Option(
            metavar="SET",
            help="Prompt set that was completed; if there is none of this name, one of the file's own prompts.",
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Name of the model; default: the field of the records.")
    ] = None,
    as_written: Annotated[
        CompletionsFormat, typer.Option("--format", help="File format; default: detected from the first record.")
    ] = CompletionsFormat.auto,
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="FIELD=SOURCE",
            help="Name of the file's own field, such as completion=output; repeatable.",
        ),
    ] = None,
    split: Annotated[str | None, typer.Option(help="Split of a folder.")] = None,
    categories: CategoriesFile = None,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Import completions (FastChat, Arena-Hard, WildBench, evalscope, lm-eval, inspect, JSONL, …), to judge them."""
    from arena.prompt_sets.completion_import import CompletionFiles, import_completions
    from arena.prompt_sets.mapping import COMPLETION_FIELDS, parse_mapping

    written = None if as_written is CompletionsFormat.auto else as_written.value
    given = CompletionFiles(
        files, written, parse_mapping(mapping or (), COMPLETION_FIELDS), model, split, categories
    )
    with opened(config, db, create=True) as (database, _):
        done = import_completions(database, given, prompts)
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    name, formats = escape(done.prompts), ", ".join(done.formats)
    new = f" on {done.new_prompts:,} new prompts" if done.new_prompts else ""
    there = f"; {done.there:,} were already there" if done.there else ""
    console.print(
        f"[bold]{name}[/]: {done.total:,} completions of {len(done.added)} models{new} ({formats}){there}"
    )
    if done.without:
        console.print(f"{done.without:,} samples have no completion and were skipped")
    if done.empty:
        console.print(f"{done.empty:,} of them are empty, and are judged as such")
    console.print(f"to judge them, run: arena judge single|baseline|pairwise --prompts {name} --judge JUDGE")
