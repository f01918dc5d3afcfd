"""`arena seal`: append the new votes to the hash chain."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from arena.cli.options import AsFormat, Config, DatabaseURL, Format, for_programs, opened
from arena.cli.terminal import Console
from arena.errors import ConfigError

if TYPE_CHECKING:
    from arena.exchange.sealing import SealingResult
    from arena.rules.seals import Seal

NAMES = ("number", "previous", "first_vote", "last_vote", "votes", "root", "filter", "sealed_at", "sha256")


def seal(
    every: Annotated[
        float | None, typer.Option(metavar="SECONDS", min=1.0, help="Keep running, and seal again every SECONDS.")
    ] = None,
    filter: Annotated[  # noqa: A002  (the option's name)
        str | None, typer.Option(help="Filter of the votes; default: the setting ledger.filter.")
    ] = None,
    new_key: Annotated[
        Path | None,
        typer.Option("--new-key", metavar="PATH", help="Create a key that signs heads and exports, and exit."),
    ] = None,
    timestamps: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Have the last seal dated by OpenTimestamps; default: ledger.timestamps."
        ),
    ] = None,
    as_format: AsFormat = Format.TABLE,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Seal the votes that are not sealed yet, with their leaderboards."""
    from arena.exchange.sealing import seal as seal_votes

    if new_key is not None:
        _create_key(new_key)
        return
    if every is not None and as_format is Format.CSV:
        raise ConfigError(
            "--every has no end, and a CSV table has one header. Use --format json, which prints one object for each run."
        )
    with opened(config, db) as (database, settings):
        while True:
            done = seal_votes(database, filter or settings.ledger.filter)
            new = [_row(new_seal) for new_seal in done.new]
            if not for_programs({"new": new, "last": _row(done.last) if done.last else None}, as_format, new):
                _print(done)
            if (folder := timestamps or settings.ledger.timestamps) is not None:
                is_dated = _date(folder, done.last, settings.ledger.calendars)
                if not is_dated and every is None:
                    raise typer.Exit(1)
            sys.stdout.flush()  # a program that reads the output waits for each seal
            if every is None:
                return
            try:
                time.sleep(every)
            except KeyboardInterrupt:
                return


def _create_key(path: Path) -> None:
    from arena.exchange.ledger_keys import write_new_key

    public = write_new_key(path).public
    console = Console(stderr=True, soft_wrap=True)
    console.print(f"private key: {escape(str(path))}; keep a copy apart from the database", highlight=False)
    console.print(
        f'to sign with it, set in arena.toml: [ledger] key = "{escape(str(path))}"', highlight=False, markup=False
    )
    Console(soft_wrap=True).print(f"public key: {public}", highlight=False)


def _date(folder: Path, last: Seal | None, calendars: Sequence[str]) -> bool:
    """Have the last seal dated; whether it has a proof now."""
    from arena.exchange.dated_seals import date_seals

    console = Console(stderr=True, soft_wrap=True)
    dated = date_seals(folder, last, calendars)
    for problem in dated.problems:
        console.print(f"[yellow]no timestamp[/]  {escape(problem)}", highlight=False)
    if dated.missing:
        console.print("The votes are sealed, and no calendar has dated the seal. Run it again with a network.")
    for path in dated.complete:
        console.print(f"{escape(str(path))}: has a Bitcoin block", highlight=False)
    if dated.new:
        console.print(f"{escape(str(dated.new))}: promised; run arena seal again in some hours", highlight=False)
    return not dated.missing


def _row(sealed: Seal) -> dict[str, Any]:
    """A seal without its leaderboards."""
    return {name: getattr(sealed, name) for name in NAMES}


def _print(done: SealingResult) -> None:
    console = Console(stderr=True, soft_wrap=True)
    for new in done.new:
        votes = f"{new.votes:,} vote{'' if new.votes == 1 else 's'}"
        console.print(f"seal [bold]{new.number}[/]: {votes}, {escape(new.filter)}, {new.sha256}", highlight=False)
    if not done.new and done.last is not None:
        console.print(f"no new votes since seal {done.last.number}: {done.last.sha256}", highlight=False)
    elif not done.new:
        console.print("No votes yet. Run: arena serve", highlight=False)
