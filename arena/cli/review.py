"""`arena review`: the queue of battles for named reviewers, who decide at `/review`."""

from __future__ import annotations

import getpass
import json
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from arena.cli.options import AsFormat, Config, DatabaseURL, Format, for_programs, opened, write_csv
from arena.cli.terminal import Console
from arena.rules.reviews import CAUSES

if TYPE_CHECKING:
    from arena.reviews.queue import Filling

app = typer.Typer(
    no_args_is_help=True, help="Disputed battles for named reviewers, who decide them blind at /review."
)
LIMIT = 200

Cause = StrEnum("Cause", {name: name for name in CAUSES})  # type: ignore[misc]


class LinesFormat(StrEnum):
    """How rows are written."""

    jsonl = "jsonl"
    json = "json"
    csv = "csv"


@app.command("fill")
def fill(
    disputed: Annotated[
        list[Cause] | None,
        typer.Option(
            help="Only this cause; repeat it for several. people, against, judges and swapped are those of "
            "`arena disputed`; reviewers are battles that split their reviewers; quarantined, votes in quarantine. "
            "Default: the first four."
        ),
    ] = None,
    category: Annotated[str | None, typer.Option(help="Only battles of this category.")] = None,
    limit: Annotated[int, typer.Option(help="Add up to N battles, the most disputed first.", min=1)] = LIMIT,
    k: Annotated[
        int | None,
        typer.Option("--k", help="Reviewers of each battle; default: reviews.reviewers.", min=1, max=25),
    ] = None,
    by: Annotated[
        str | None, typer.Option(metavar="NAME", help="Who decides; default: the user of this machine.")
    ] = None,
    as_format: AsFormat = Format.TABLE,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Add disputed battles to the review queue. A battle that is in it is not added twice."""
    from arena.reviews.queue import DISPUTES
    from arena.reviews.queue import fill as fill_queue

    with opened(config, db) as (database, settings):
        filling = fill_queue(
            database,
            [cause.value for cause in disputed] if disputed else DISPUTES,
            category=category,
            limit=limit,
            wanted=k or settings.reviews.reviewers,
            by=(by or getpass.getuser())[:120],
            unshared=settings.reviews.unshared,
        )
    if not for_programs(vars(filling), as_format):
        _print_filling(filling)


def _print_filling(filling: Filling) -> None:
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    console.print(f"{filling.added:,} of {filling.fitting:,} disputed battles were added to the review queue.")
    if filling.unreadable:
        console.print(
            f"{filling.unreadable:,} were left out: their voters did not share them, they have images, or their texts "
            "are erased. To let reviewers read unshared ones, set reviews.unshared = true.",
            style="yellow",
        )


@app.command("status")
def status(as_format: AsFormat = Format.TABLE, config: Config = None, db: DatabaseURL = None) -> None:
    """Print the progress of the queue, and what each reviewer did."""
    from arena.store.reviews import progress, reviewers

    with opened(config, db) as (database, _), database.read() as session:
        queue, people = vars(progress(session)), [_reviewer(row) for row in reviewers(session)]
    if not for_programs({**queue, "reviewers": people}, as_format, people):
        _print_status(queue, people)


def _reviewer(row: Any) -> dict[str, Any]:
    last = row.last_at.isoformat(timespec="seconds") if row.last_at else None
    return {
        "name": row.name,
        "reviewer": row.reviewer,
        "reviews": row.reviews,
        "skips": dict(row.skips),
        "open": row.open,
        "last_at": last,
    }


def _print_status(queue: dict[str, Any], people: list[dict[str, Any]]) -> None:
    causes = ", ".join(f"{count:,} {CAUSES.get(cause, cause)}" for cause, count in queue["causes"].items())
    table = Table(
        title=f"review queue · {queue['queued']:,} battles, {queue['complete']:,} complete, {queue['reviews']:,} reviews",
        caption=causes or None,
    )
    for name in ("reviewer", "reviews", "skips", "open", "last"):
        table.add_column(name, justify="left" if name in ("reviewer", "last") else "right")
    for row in people:
        skips = sum(row["skips"].values())
        table.add_row(
            Text(row["name"]), f"{row['reviews']:,}", f"{skips:,}", f"{row['open']:,}", row["last_at"] or "–"
        )
    Console().print(table)


@app.command("export")
def export(
    as_format: Annotated[LinesFormat, typer.Option("--format", help="How to write the rows.")] = LinesFormat.jsonl,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Write the reviews to standard output: battle, pseudonym of the reviewer, choice and time."""
    from arena.reviews.export import exported_reviews

    with opened(config, db) as (database, _), database.read() as session:
        rows = exported_reviews(session)
    if as_format is LinesFormat.csv:
        write_csv(rows, ("battle", "reviewer", "choice", "created_at"))
    elif as_format is LinesFormat.json:
        sys.stdout.write(json.dumps(rows, indent=2, ensure_ascii=False) + "\n")
    else:
        sys.stdout.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
