"""`arena seal`: the votes so far, sealed into the hash chain."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from arena.cli.options import AsFormat, Config, DatabaseURL, Format, for_programs, opened
from arena.errors import ConfigError

if TYPE_CHECKING:
    from arena.exchange.sealing import Sealed
    from arena.rules.seals import Seal

NAMES = ("number", "previous", "first_vote", "last_vote", "votes", "root", "filter", "sealed_at", "sha256")


def seal(
    every: Annotated[
        float | None, typer.Option(metavar="SECONDS", min=1.0, help="Go on and seal again after so long.")
    ] = None,
    filter: Annotated[  # noqa: A002  (the option's name)
        str | None, typer.Option(help="Which votes count; the setting ledger.filter if left out.")
    ] = None,
    as_format: AsFormat = Format.TABLE,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Seal the votes that are not sealed yet, with the board that follows from them."""
    from arena.exchange.sealing import seal as seal_votes

    if every is not None and as_format is Format.CSV:
        raise ConfigError("--every goes on and on, and CSV has one heading; take --format json, one object a time")
    with opened(config, db) as (database, settings):
        while True:
            done = seal_votes(database, filter or settings.ledger.filter)
            new = [_row(one) for one in done.new]
            if not for_programs({"new": new, "last": _row(done.last) if done.last else None}, as_format, new):
                _tell(done)
            sys.stdout.flush()  # whoever reads a seal after the other waits for each
            if every is None:
                return
            try:
                time.sleep(every)
            except KeyboardInterrupt:
                return


def _row(one: Seal) -> dict[str, Any]:
    """A seal without its boards, which an export has."""
    return {name: getattr(one, name) for name in NAMES}


def _tell(done: Sealed) -> None:
    console = Console(stderr=True, soft_wrap=True)
    for one in done.new:
        votes = f"{one.votes:,} vote{'' if one.votes == 1 else 's'}"
        console.print(f"seal [bold]{one.number}[/]: {votes}, {escape(one.filter)}, {one.sha256}", highlight=False)
    if not done.new and done.last is not None:
        console.print(f"nothing new since seal {done.last.number}: {done.last.sha256}", highlight=False)
    elif not done.new:
        console.print("no votes yet; type: arena serve", highlight=False)
