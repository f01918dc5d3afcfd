"""`arena leaderboard`: the leaderboard in the terminal."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from statistics import median
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
    DAVIDSON_STRENGTH = "davidson-strength"
    ABILITY = "ability"
    FRESH = "fresh"
    ELO = "elo"


def leaderboard(
    source: Source = "human",
    category: Category = "overall",
    method: Annotated[
        Method,
        typer.Option(
            help="Bradley–Terry (bt), Davidson with a parameter for ties, or with one that depends on the strength of the "
            "pair, an ability for each voter, only fresh votes on models chosen among variants, or online Elo."
        ),
    ] = Method.BT,
    style: Annotated[bool, typer.Option("--style", help="Control for length and formatting.")] = False,
    pool_judges: Annotated[
        bool,
        typer.Option(
            "--pool-judges",
            help="Count trial runs and templates (judge#name) and panels (a+b) of judges that count already.",
        ),
    ] = False,
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
    from arena.leaderboards.query import BoardChoice, rules_of

    choice = BoardChoice(source, category, method.value, style)
    if at is not None and (method is not Method.BT or style):
        raise ConfigError("--at: past days have Bradley–Terry leaderboards only. Leave out --method and --style.")
    with opened(config, db) as (database, settings), database.read() as session:
        rules = rules_of(settings)
        rules = replace(rules, pool_judges=rules.pool_judges or pool_judges)
        if at is not None:
            past = board_at(session, moment(at), source, category, settings.ledger.filter, rules)
            published = past.to_dict()
        else:
            published = publish_choice(session, choice, rules).to_dict()
    _print(published, as_format)


def _print(published: dict[str, Any], as_format: Format) -> None:
    rows = published["models"]
    if as_format is Format.JSON:
        write_json(published)
    elif as_format is Format.CSV:
        write_csv(rows, () if rows else ("model",))
    elif not rows:
        Console(stderr=True).print("No votes yet. Run `arena demo` and vote.")
    else:
        console = Console()
        console.print(_table(published, wide=console.width >= WIDE))
        for note in published.get("notes", ()):
            console.print(note, markup=False, highlight=False)


def _table(published: dict[str, Any], wide: bool) -> Table:
    title = (
        f"{published['votes']:,} votes · {published['source']} · {published['category']} · {published['method']}"
    )
    table = Table(title=title, caption=_clusters(published))
    for column in ("rank", "model", "rating", "95 % interval", "battles"):
        table.add_column(column, justify="left" if column == "model" else "right", overflow="fold")
    for column in ("won", "lost", "tied", "both bad") if wide else ():
        table.add_column(column, justify="right")
    for row in published["models"]:
        low, high = row["rank_low"], row["rank_high"]
        rank = "–" if row["rank"] is None else str(row["rank"]) if low == high else f"{row['rank']} ({low}–{high})"
        name = Text(row["model"]).append(" (provisional)" if row["provisional"] else "", style="dim")
        keys = ("battles", "wins", "losses", "ties", "both_bad") if wide else ("battles",)
        counts = [str(row[key]) for key in keys]
        table.add_row(rank, name, _whole(row["rating"]), _interval(row), *counts)
    return table


def _clusters(published: dict[str, Any]) -> str | None:
    """What the intervals allow for, with the median design effect."""
    effects = [row["design_effect"] for row in published["models"] if row.get("design_effect") is not None]
    clusters = published["parameters"].get("clusters")
    if not effects or not clusters:
        return None
    counted = " and ".join(f"{number:,} {name}" for name, number in clusters.items())
    return f"Intervals are clustered by {counted}: {median(effects):.2f} times the variance of independent votes."


def _interval(row: dict[str, Any]) -> str:
    return "–" if row["lower"] is None else f"{row['lower']:.0f} – {row['upper']:.0f}"


def _whole(rating: float | None) -> str:
    return "–" if rating is None else f"{rating:.0f}"
