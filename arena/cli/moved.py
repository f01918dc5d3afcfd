"""`arena moved`: why a rating is another one than it was."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from arena.cli.options import AsFormat, Config, DatabaseURL, Format, opened, write_csv, write_json

OPPONENTS = 8  # in the table; JSON has all


def moved(
    model: Annotated[str, typer.Argument(help="The model.")],
    since: Annotated[str, typer.Option("--from", metavar="DATE", help="Such as 2026-03-01 (its end, UTC).")],
    until: Annotated[str, typer.Option("--to", metavar="DATE", help="The later day.")],
    source: Annotated[str, typer.Option(help="Whose votes: human, judges, judge:NAME, or all.")] = "human",
    category: Annotated[str, typer.Option(help="Category of the battles.")] = "overall",
    style: Annotated[bool, typer.Option("--style", help="On the boards with style control.")] = False,
    as_format: AsFormat = Format.TABLE,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Split a rating's change between two days into new votes, new opponents, filters and style."""
    from arena.leaderboards.history import moment
    from arena.leaderboards.rating_change import moved as split

    with opened(config, db) as (database, settings), database.read() as session:
        found = split(
            session, model, moment(since), moment(until),
            source=source, category=category, style=style, version=settings.ledger.filter,
        ).to_dict()  # fmt: skip
    if as_format is Format.JSON:
        write_json(found)
    elif as_format is Format.CSV:
        steps = [{"step": name, "points": points} for name, points in found["steps"].items()]
        write_csv([*steps, {"step": "change", "points": found["change"]}])
    else:
        _print(found)


def _print(found: dict[str, Any]) -> None:
    console = Console()
    start, end = found["from"], found["to"]
    table = Table(title=Text(f"{found['model']}: {start['rating']:.1f} → {end['rating']:.1f}"))
    table.add_column("because of")
    table.add_column("points", justify="right")
    for name, points in found["steps"].items():
        table.add_row(_named(name, start["filter"], end["filter"]), f"{points:+.1f}")
    table.add_section()
    table.add_row(f"rank {start['rank']} → {end['rank']}", f"{found['change']:+.1f}")
    console.print(table)
    if not found["opponents"]:
        return
    met = Table("opponent", title="votes since, the most surprising first")
    for column in ("votes", "score", "expected"):
        met.add_column(column, justify="right")
    for one in found["opponents"][:OPPONENTS]:
        name = Text(one["model"]).append(" (new)" if one["new"] else "", style="dim")
        expected = "" if one["expected"] is None else f"{one['expected']:.1f}"
        met.add_row(name, f"{one['votes']:,}", f"{one['score']:g}", expected)
    console.print(met)


def _named(step: str, before: str, after: str) -> str:
    return f"filters ({before} → {after})" if step == "filters" and before != after else step
