"""`arena import`: battles of other arenas."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from arena.cli.options import AsFormat, Config, DatabaseURL, Format, for_programs, opened
from arena.cli.terminal import Console


def import_(
    file: Annotated[Path, typer.Argument(help="File of battles: .csv, .jsonl or .parquet, or PandaLM's .json.")],
    name: Annotated[
        str | None, typer.Option(help="Name that identifies the rows; default: the name of the file.")
    ] = None,
    as_format: AsFormat = Format.TABLE,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Import battles in the public arena format, with votes, voters, times and conversations."""
    from arena.exchange.import_battles import import_battles

    console = Console(stderr=True, soft_wrap=True)
    with opened(config, db, create=True) as (database, _), console.status(f"reading {file}"):
        done = import_battles(database, file, name)
    if for_programs(asdict(done), as_format):
        return
    there = f"; {done.there:,} were already imported" if done.there else ""
    console.print(
        f"[bold]{escape(done.name)}[/]: {done.votes:,} votes on {done.models} models{there}", highlight=False
    )
