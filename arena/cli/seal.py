"""`arena seal`: the votes so far, sealed into the hash chain."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from arena.cli.options import Config, DatabaseURL, opened

if TYPE_CHECKING:
    from arena.ledger import Sealed


def seal(
    every: Annotated[
        float | None, typer.Option(metavar="SECONDS", min=1.0, help="Go on and seal again after so long.")
    ] = None,
    filter: Annotated[  # noqa: A002  (the option's name)
        str | None, typer.Option(help="Which votes count; the setting ledger.filter if left out.")
    ] = None,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Seal the votes that are not sealed yet, with the board that follows from them."""
    from arena.ledger import seal as seal_votes

    console = Console(stderr=True, soft_wrap=True)
    with opened(config, db) as (database, settings):
        while True:
            _tell(console, seal_votes(database, filter or settings.ledger.filter))
            if every is None:
                return
            try:
                time.sleep(every)
            except KeyboardInterrupt:
                return


def _tell(console: Console, done: Sealed) -> None:
    for one in done.new:
        votes = f"{one.votes:,} vote{'' if one.votes == 1 else 's'}"
        console.print(f"seal [bold]{one.number}[/]: {votes}, {escape(one.filter)}, {one.sha256}", highlight=False)
    if not done.new and done.last is not None:
        console.print(f"nothing new since seal {done.last.number}: {done.last.sha256}", highlight=False)
    elif not done.new:
        console.print("no votes yet; type: arena serve", highlight=False)
