"""`arena reports`: battles that voters have reported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from arena.cli.options import AsFormat, Config, DatabaseURL, Format, opened, write_csv, write_json
from arena.cli.terminal import Console
from arena.rules.reports import ReportKind

if TYPE_CHECKING:
    from arena.store.reports import StoredReport

Kind = Annotated[ReportKind | None, typer.Option(help="Show only reports of this kind.")]
Limit = Annotated[int, typer.Option(help="Largest number of reports.", min=1)]


def reports(
    kind: Kind = None,
    limit: Limit = 100,
    as_format: AsFormat = Format.TABLE,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """List the battles that voters have reported, the newest first."""
    from arena.store.reports import reports as stored_reports

    with opened(config, db) as (database, _), database.read() as session:
        rows = [_row(report) for report in stored_reports(session, kind, limit)]
    if as_format is Format.JSON:
        write_json(rows)
    elif as_format is Format.CSV:
        write_csv(rows)
    else:
        Console().print(_table(rows))


def _row(report: StoredReport) -> dict[str, Any]:
    return {
        "report": report.id,
        "reported_at": report.created_at.isoformat(timespec="seconds"),
        "kind": report.kind,
        "battle": report.public_id,
        "models": ", ".join(report.models),
        "text": report.text,
    }


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table(title=f"{len(rows):,} reports")
    for column in ("reported at", "kind", "battle", "models", "text"):
        table.add_column(column)
    for row in rows:
        table.add_row(*(Text(str(row[name])) for name in ("reported_at", "kind", "battle", "models", "text")))
    return table
