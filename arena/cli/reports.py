"""`arena reports`: battles that voters have reported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.cli.options import AsFormat, Config, DatabaseURL, Format, opened, write_csv, write_json
from arena.cli.tables import print_rows
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
        shown = [{name: value for name, value in row.items() if name != "report"} for row in rows]
        print_rows(shown, f"{len(rows):,} reports", whole=("battle",))


def _row(report: StoredReport) -> dict[str, Any]:
    return {
        "report": report.id,
        "reported_at": report.created_at.isoformat(timespec="seconds"),
        "kind": report.kind,
        "battle": report.public_id,
        "models": ", ".join(report.models),
        "text": report.text,
    }
