"""`arena agreement`: agreement of judges with people and with each other, with intervals."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.table import Table

from arena.cli.options import AsFormat, Config, DatabaseURL, Format, opened, write_csv, write_json
from arena.cli.terminal import Console

Between = Annotated[
    str | None,
    typer.Option(help="Comma-separated voters: human, judges, judge:NAME; default: all."),
]


class Reference(StrEnum):
    """Whose choices judges are held against."""

    human = "human"
    reviewers = "reviewers"


Against = Annotated[
    Reference,
    typer.Option(help="Hold judges against voters (human), or against the labels of reviewers (`arena review`)."),
]
Prompts = Annotated[str | None, typer.Option(help="Only battles over this prompt set.")]


def agreement(
    between: Between = None,
    against: Against = Reference.human,
    prompts: Prompts = None,
    as_format: AsFormat = Format.TABLE,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Compute accuracy, kappas, alpha; position, length, list and self-preference bias; swap consistency."""
    from arena.judging.agreement import measure, votes_by_battle

    sources = [name.strip() for name in (between or "").split(",") if name.strip()]
    with opened(config, db) as (database, _), database.read() as session:
        votes = votes_by_battle(session, sources, prompts, against.value)
    rows = [row.to_dict() for row in measure(votes)]
    if as_format is Format.JSON:
        write_json(
            {"sources": votes.sources, "against": votes.reference, "battles": len(votes.votes), "figures": rows}
        )
    elif as_format is Format.CSV:
        write_csv(rows)
    else:
        _print(rows, votes.sources)


def _print(rows: list[dict[str, Any]], sources: list[str]) -> None:
    table = Table(title=f"agreement of {', '.join(sources)}", caption="95 % intervals, prompts drawn whole")
    for column in ("measure", "between", "value", "95 % interval", "battles", "of all"):
        table.add_column(column, justify="left" if column in ("measure", "between") else "right")
    for row in rows:
        limits = "–" if row["lower"] is None else f"{row['lower']:+.2f} – {row['upper']:+.2f}"
        table.add_row(
            row["measure"],
            row["between"],
            f"{row['value']:+.3f}",
            limits,
            f"{row['items']:,}",
            f"{row['share']:.0%}",
        )
    Console().print(table)
    if len(sources) < 2:
        Console(stderr=True, soft_wrap=True).print(
            "Only one voter. For a comparison run `arena judge battles --judge J` or add another judge.",
            style="yellow",
            highlight=False,
        )
