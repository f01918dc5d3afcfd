"""`arena trust`: checks of stored votes by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from arena.cli.options import AsFormat, Config, DatabaseURL, Format, for_programs, opened
from arena.cli.terminal import Console

if TYPE_CHECKING:
    from arena.trust.checks import Finding

app = typer.Typer(no_args_is_help=True, help="Check voters, and quarantine what the checks prove.")

DryRun = Annotated[bool, typer.Option("--dry-run", help="Only print what would be quarantined.")]


@app.callback()
def group() -> None:
    """Keep `check` a subcommand while it is the only one."""


@app.command()
def check(
    dry_run: DryRun = False, as_format: AsFormat = Format.TABLE, config: Config = None, db: DatabaseURL = None
) -> None:
    """Test voters and groups of voters, and quarantine the votes of those who are no honest voters.

    `arena serve` does the same every few minutes. Votes that were released are not held again for the same evidence.
    """
    from arena.store.trust_votes import trust_votes
    from arena.trust.checks import findings, hold_findings

    with opened(config, db) as (database, _):
        with database.read() as session:
            votes = trust_votes(session)
        found = findings(votes)
        held = 0
        if found and not dry_run:
            held = hold_findings(database, found)
    rows = [
        {
            "reason": str(finding.reason),
            "voters": list(finding.voters),
            "votes": len(finding.votes),
            "evidence": finding.detail,
        }
        for finding in found
    ]
    whole = {"checked": len(votes), "voters": len(votes.voters), "newly_held": held, "findings": rows}
    flat = [
        {**row, "voters": " ".join(map(str, finding.voters))} for row, finding in zip(rows, found, strict=True)
    ]
    if not for_programs(whole, as_format, flat):
        done = "nothing quarantined (dry run)" if dry_run else f"{held:,} newly quarantined"
        _print(found, f"{len(votes):,} votes of {len(votes.voters):,} voters checked, {done}")


def _print(found: list[Finding], title: str) -> None:
    table = Table(title=title)
    for column in ("reason", "voters", "votes", "evidence"):
        whole = column == "voters"  # its name is typed into `arena votes quarantine --voter`
        table.add_column(column, justify="right" if column == "votes" else "left", no_wrap=whole, overflow="fold")
    for finding in found:
        voters = finding.voters[0] if len(finding.voters) == 1 else f"{len(finding.voters):,} voters"
        table.add_row(str(finding.reason), Text(voters), f"{len(finding.votes):,}", Text(finding.detail))
    Console().print(table)
