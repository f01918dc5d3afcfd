"""`arena leaderboard`: the board in the terminal."""

from __future__ import annotations

import csv
import sys
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from arena.cli.options import AsFormat, Config, DatabaseURL, Format, overrides, write_json
from arena.errors import ConfigError

WIDE = 110  # columns of a terminal that hold the counts as well

Source = Annotated[str, typer.Option(help="Whose votes: human, judges, judge:NAME, or all.")]


def leaderboard(
    source: Source = "human",
    category: Annotated[str, typer.Option(help="Category of the battles.")] = "overall",
    at: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Of a past day, such as 2026-03-01 (its end, UTC)."),
    ] = None,
    as_format: AsFormat = Format.TABLE,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Print ratings with 95 % intervals, ranks and counts."""
    if source not in ("human", "judges", "all") and not source.startswith("judge:"):
        raise ConfigError(f"--source: {source!r} is unknown; use human, judges, judge:NAME or all")
    from arena.config import read_settings
    from arena.history import board_at, moment
    from arena.leaderboard import publish
    from arena.store import Database

    settings = read_settings(config, overrides(database_url=db))
    database = Database(settings.database_url)
    try:
        database.must_exist()
        database.make_ready()
        with database.read() as session:
            if at is not None:
                past = board_at(session, moment(at), source, category, settings.ledger.filter)
                published = past.to_dict()
            else:
                published = publish(session, source, category).to_dict()
    finally:
        database.close()
    _print(published, as_format)


def _print(published: dict[str, Any], as_format: Format) -> None:
    rows = published["models"]
    if as_format is Format.JSON:
        write_json(published)
    elif as_format is Format.CSV:
        writer = csv.DictWriter(sys.stdout, list(rows[0]) if rows else ["model"])
        writer.writeheader()
        writer.writerows(rows)
    elif not rows:
        Console(stderr=True).print("No models yet: type `arena demo` and vote.")
    else:
        console = Console()
        console.print(_table(published, wide=console.width >= WIDE))


def _table(published: dict[str, Any], wide: bool) -> Table:
    title = f"{published['votes']:,} votes · {published['source']} · {published['category']}"
    table = Table(title=title)
    for column in ("rank", "model", "rating", "95 % interval", "battles"):
        table.add_column(column, justify="left" if column == "model" else "right", overflow="fold")
    for column in ("won", "lost", "tied", "both bad") if wide else ():
        table.add_column(column, justify="right")
    for row in published["models"]:
        low, high = row["rank_low"], row["rank_high"]
        rank = str(row["rank"]) if low == high else f"{row['rank']} ({low}–{high})"
        name = Text(row["model"]).append(" (provisional)" if row["provisional"] else "", style="dim")
        keys = ("battles", "wins", "losses", "ties", "both_bad") if wide else ("battles",)
        counts = [str(row[key]) for key in keys]
        table.add_row(rank, name, f"{row['rating']:.0f}", f"{row['lower']:.0f} – {row['upper']:.0f}", *counts)
    return table
