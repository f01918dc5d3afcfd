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
    file: Annotated[Path, typer.Argument(help="File of battles: .csv, .jsonl, .parquet or .json.")],
    name: Annotated[
        str | None, typer.Option(help="Name that identifies the rows; default: the name of the file.")
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            metavar="people|NAME",
            help="Who chose, where the file does not say: people, or the name of a judge or model.",
        ),
    ] = None,
    share: Annotated[
        bool, typer.Option("--share", help="Let readers see the texts; without it only the operator does.")
    ] = False,
    as_format: AsFormat = Format.TABLE,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Import battles of the public arenas, with votes, voters, times and conversations."""
    from arena.exchange.import_battles import import_battles
    from arena.exchange.vote_sources import source_option

    chosen = source_option(source)
    console = Console(stderr=True, soft_wrap=True)
    with opened(config, db, create=True) as (database, _), console.status(f"reading {file}"):
        done = import_battles(database, file, name, chosen, share)
    if for_programs(asdict(done), as_format):
        return
    there = f"; {done.there:,} were already imported" if done.there else ""
    if done.there and not name:
        there += " (if they are other votes, add --name)"
    console.print(
        f"[bold]{escape(done.name)}[/]: {done.votes:,} votes on {done.models} models{there}", highlight=False
    )
    if done.without_voter:
        console.print(f"{done.without_voter:,} votes name no voter; tests of voters and daily caps leave them out")
    for reason, rows in done.skipped.items():
        console.print(f"skipped {rows:,} rows: {escape(reason)}", highlight=False)
