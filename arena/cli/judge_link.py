"""`arena judge link`: win rates of a retired judge on the scale of its successor."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from arena.cli.options import AsFormat, Config, DatabaseURL, Format, opened, write_csv, write_json
from arena.cli.terminal import Console

Old = Annotated[str, typer.Option(help="The retired judge: judge:NAME.")]
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
    """Equate win rates of two judges over the battles that both have judged."""
    from arena.judging.equating import equate_judges

    with opened(config, db) as (database, _), database.read() as session:
        equating, rows = equate_judges(session, old, new, prompts)
    if as_format is Format.JSON:
        write_json({"old": old, "new": new, "link": vars(equating), "models": rows})
        return
    if as_format is Format.CSV:
        write_csv(rows)
        return
    table = Table(
        title=f"{old} → {new}",
        caption=f"slope {equating.slope:.2f} ± {equating.slope_error:.2f}, error by model {equating.model_error:.3f}, "
        f"over {equating.battles:,} battles of {equating.models} models",
    )
    for column in ("model", "old", "linked", "95 % interval", "new"):
        table.add_column(column, justify="left" if column == "model" else "right")
    for row in rows:
        judged = "–" if row["new_win_rate"] is None else f"{row['new_win_rate']:.3f}"
        limits = f"{row['lower']:.3f} – {row['upper']:.3f}"
        table.add_row(row["model"], f"{row['old_win_rate']:.3f}", f"{row['linked_win_rate']:.3f}", limits, judged)
    Console().print(table)
