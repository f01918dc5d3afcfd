"""`arena judge link`: what a new judge would say of models that only a retired one has judged."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from arena.cli.options import AsFormat, Config, DatabaseURL, Format, opened, write_csv, write_json

Old = Annotated[str, typer.Option(help="The judge that retires: judge:NAME.")]
New = Annotated[str, typer.Option(help="Its successor: judge:NAME.")]
Bridge = Annotated[str | None, typer.Option("--prompts", help="Only battles over this prompt set.")]


def link(
    old: Old,
    new: New,
    prompts: Bridge = None,
    as_format: AsFormat = Format.TABLE,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Carry win rates from one judge to another over the battles that both have judged."""
    from arena.judging.equating import linked

    with opened(config, db) as (database, _), database.read() as session:
        found, rows = linked(session, old, new, prompts)
    if as_format is Format.JSON:
        write_json({"old": old, "new": new, "link": vars(found), "models": rows})
        return
    if as_format is Format.CSV:
        write_csv(rows)
        return
    table = Table(
        title=f"{old} → {new}",
        caption=f"slope {found.slope:.2f} ± {found.slope_error:.2f}, error by model {found.model_error:.3f}, "
        f"over {found.battles:,} battles of {found.models} models",
    )
    for column in ("model", "old", "linked", "95 % interval", "new"):
        table.add_column(column, justify="left" if column == "model" else "right")
    for row in rows:
        judged = "–" if row["new_win_rate"] is None else f"{row['new_win_rate']:.3f}"
        limits = f"{row['lower']:.3f} – {row['upper']:.3f}"
        table.add_row(row["model"], f"{row['old_win_rate']:.3f}", f"{row['linked_win_rate']:.3f}", limits, judged)
    Console().print(table)
