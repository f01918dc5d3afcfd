"""`arena prompts`: prompt sets, which models complete and judges judge."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from arena.cli.options import AsFormat, CategoriesFile, Config, DatabaseURL, Format, opened, write_csv, write_json
from arena.cli.tables import print_rows
from arena.cli.terminal import Console

app = typer.Typer(help="Prompt sets: import and list them.", no_args_is_help=True)


class PromptFormat(StrEnum):
    auto = "auto"
    wildbench = "wildbench"
    mt_bench = "mt_bench"
    arena_hard = "arena_hard"
    alpaca_eval = "alpaca_eval"
    openai_batch = "openai_batch"
    llmuses = "llmuses"
    general_qa = "general_qa"
    plain = "plain"


@app.command("import")
def import_(
    what: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE|ID…",
            help="Files or folders, the bundled set `starter`, or owner/name on the hub; each becomes a set.",
        ),
    ],
    name: Annotated[str | None, typer.Option(help="Name of the set; default: the file's name.")] = None,
    as_written: Annotated[
        PromptFormat, typer.Option("--format", help="File format; default: detected from the first record.")
    ] = PromptFormat.auto,
    references: Annotated[
        Path | None, typer.Option(metavar="FILE", help="MT-bench: reference answers, such as gpt-4.jsonl.")
    ] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="FIELD=SOURCE",
            help="Name of the file's own field, such as prompt=question; repeatable.",
        ),
    ] = None,
    revision: Annotated[str | None, typer.Option(help="Hub: commit.")] = None,
    subset: Annotated[str | None, typer.Option(help="Hub: configuration of the data set.")] = None,
    split: Annotated[str | None, typer.Option(help="Hub: split, by default test; folder: split.")] = None,
    categories: CategoriesFile = None,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Import prompts (AlpacaEval, WildBench, MT-bench, Arena-Hard, evalscope, OpenAI Batch, JSONL, CSV, Parquet)."""
    from arena.prompt_sets.mapping import PROMPT_FIELDS, parse_mapping
    from arena.prompt_sets.prompt_sets import HowToRead, OnHub, import_prompts

    given = None if as_written is PromptFormat.auto else as_written.value
    hub = OnHub(revision, subset, split)
    how = HowToRead(given, hub, references, parse_mapping(mapping or (), PROMPT_FIELDS), categories)
    with opened(config, db, create=True) as (database, _):
        done = import_prompts(database, *what, name=name, how=how)
    console = Console(stderr=True, soft_wrap=True)
    for imported in done:
        verb = "imported" if imported.new else "already has the same"
        console.print(
            f"[bold]{escape(imported.name)}[/]: {verb} {imported.prompts:,} prompts ({imported.format})",
            highlight=False,
        )
        if imported.completions:
            console.print(f"and {imported.completions:,} completions", highlight=False)


@app.command("list")
def show(as_format: AsFormat = Format.TABLE, config: Config = None, db: DatabaseURL = None) -> None:
    """List the prompt sets and the models with completions."""
    from arena.prompt_sets.prompt_sets import STARTER, starter
    from arena.store.prompts import prompt_sets

    with opened(config, db, create=True) as (database, _), database.read() as session:
        listed = prompt_sets(session)
    rows = [{**asdict(prompt_set), "imported": True} for prompt_set in listed]
    if all(prompt_set.name != STARTER for prompt_set in listed):
        own = starter().prompts
        count = len({prompt.category for prompt in own})
        rows.append(
            {"name": STARTER, "source": "comes along", "prompts": len(own), "categories": count,
             "completions": {}, "imported": False}
        )  # fmt: skip
    if as_format is Format.JSON:
        write_json(rows)
    elif as_format is Format.CSV:
        write_csv([{**row, "completions": len(row["completions"])} for row in rows])
    else:
        _print(rows)


def _print(rows: list[dict[str, Any]]) -> None:
    table = []
    for row in rows:
        answered = ", ".join(
            model if count == row["prompts"] else f"{model} ({count})"
            for model, count in row["completions"].items()
        )
        cure = "" if row["imported"] else f"arena prompts import {row['name']}"
        numbers = {"prompts": row["prompts"], "categories": row["categories"]}
        table.append({"name": row["name"], **numbers, "answered_by": answered, "to_import_it": cure})
    print_rows(table, f"{len(rows)} prompt sets", whole=("name", "to_import_it"))
