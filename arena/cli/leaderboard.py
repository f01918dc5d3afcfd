"""`arena leaderboard`: the leaderboard in the terminal."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from arena.cli.options import AsFormat, Config, DatabaseURL, Format, opened, write_csv, write_json
from arena.cli.terminal import Console
from arena.errors import ConfigError

WIDE = 110  # columns of a terminal with room for the counts

Source = Annotated[
    str,
    typer.Option(
        help="Source of the votes: human, judges, judge:NAME, both (anchored on people) or all (added up)."
    ),
]
Category = Annotated[str, typer.Option(help="Category of battles, such as code, math, english or hard.")]


class Method(StrEnum):
    BT = "bt"
    DAVIDSON = "davidson"
    ELO = "elo"


def leaderboard(
    source: Source = "human",
    category: Category = "overall",
    method: Annotated[
        Method, typer.Option(help="Bradley–Terry (bt), Davidson with a parameter for ties, or online Elo.")
    ] = Method.BT,
    style: Annotated[bool, typer.Option("--style", help="Control for length and formatting.")] = False,
    at: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Leaderboard at the end of a past day (UTC), such as 2026-03-01."),
    ] = None,
    as_format: AsFormat = Format.TABLE,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Print ratings with 95 % intervals, ranks and counts."""
    from arena.leaderboards.history import board_at, moment
    from arena.leaderboards.leaderboard import publish_choice
    from arena.leaderboards.query import BoardChoice

    choice = BoardChoice(source, category, method.value, style)
    if at is not None and (method is not Method.BT or style):
        raise ConfigError("--at: past days have Bradley–Terry leaderboards only. Leave out --method and --style.")
    with opened(config, db) as (database, settings), database.read() as session:
        if at is not None:
            past = board_at(session, moment(at), source, category, settings.ledger.filter)
            published = past.to_dict()
        else:
            published = publish_choice(session, choice).to_dict()
    _print(published, as_format)


def _print(published: dict[str, Any], as_format: Format) -> None:
    rows = published["models"]
    if as_format is Format.JSON:
        write_json(published)
    elif as_format is Format.CSV:
        write_csv(rows, () if rows else ("model",))
    elif not rows:
        Console(stderr=True).print("No models yet. Run `arena demo` and vote.")
    else:
        console = Console()
        console.print(_table(published, wide=console.width >= WIDE))


def _table(published: dict[str, Any], wide: bool) -> Table:
    title = (
        f"{published['votes']:,} votes · {published['source']} · {published['category']} · {published['method']}"
    )
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
        table.add_row(rank, name, _whole(row["rating"]), _interval(row), *counts)
    return table


def _interval(row: dict[str, Any]) -> str:
    return "–" if row["lower"] is None else f"{row['lower']:.0f} – {row['upper']:.0f}"


def _whole(rating: float | None) -> str:
    return "–" if rating is None else f"{rating:.0f}"
