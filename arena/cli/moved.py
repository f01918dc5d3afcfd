"""`arena moved`: the change of a rating between two days, split into its causes."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from arena.cli.options import AsFormat, Config, DatabaseURL, Format, opened, write_csv, write_json
from arena.cli.terminal import Console

OPPONENTS = 8  # in the table; JSON has all


def moved(
    model: Annotated[str, typer.Argument(help="Model.")],
    since: Annotated[
        str, typer.Option("--from", metavar="DATE", help="First day, such as 2026-03-01 (its end, UTC).")
    ],
    until: Annotated[str, typer.Option("--to", metavar="DATE", help="Second day.")],
    source: Annotated[str, typer.Option(help="Source of the votes: human, judges, judge:NAME or all.")] = "human",
    category: Annotated[str, typer.Option(help="Category of battles.")] = "overall",
    style: Annotated[bool, typer.Option("--style", help="Use the leaderboards with style control.")] = False,
    as_format: AsFormat = Format.TABLE,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Split the change of a rating between two days into new votes, new opponents, filters and style."""
    from arena.leaderboards.history import moment
    from arena.leaderboards.rating_change import split_change

    with opened(config, db) as (database, settings), database.read() as session:
        change = split_change(
            session, model, moment(since), moment(until),
            source=source, category=category, style=style, version=settings.ledger.filter,
        ).to_dict()  # fmt: skip
    if as_format is Format.JSON:
        write_json(change)
    elif as_format is Format.CSV:
        steps = [{"step": name, "points": points} for name, points in change["steps"].items()]
        write_csv([*steps, {"step": "change", "points": change["change"]}])
    else:
        _print(change)


def _print(change: dict[str, Any]) -> None:
    console = Console()
    start, end = change["from"], change["to"]
    table = Table(title=Text(f"{change['model']}: {start['rating']:.1f} → {end['rating']:.1f}"))
    table.add_column("cause")
    table.add_column("points", justify="right")
    for name, points in change["steps"].items():
        table.add_row(_named(name, start["filter"], end["filter"]), f"{points:+.1f}")
    table.add_section()
    table.add_row(f"rank {start['rank'] or '–'} → {end['rank'] or '–'}", f"{change['change']:+.1f}")
    console.print(table)
    if not change["opponents"]:
        return
    opponents = Table("opponent", title="votes since the first day, largest surprise first")
    for column in ("votes", "score", "expected"):
        opponents.add_column(column, justify="right")
    for opponent in change["opponents"][:OPPONENTS]:
        name = Text(opponent["model"]).append(" (new)" if opponent["new"] else "", style="dim")
        expected = "" if opponent["expected"] is None else f"{opponent['expected']:.1f}"
        opponents.add_row(name, f"{opponent['votes']:,}", f"{opponent['score']:g}", expected)
    console.print(opponents)


def _named(step: str, before: str, after: str) -> str:
    return f"filters ({before} → {after})" if step == "filters" and before != after else step
