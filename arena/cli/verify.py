"""`arena verify`: the seals and leaderboards of an export, computed again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from arena.cli.options import Format, write_csv, write_json
from arena.cli.terminal import Console

SHOWN = 20  # problems in the terminal; one changed vote changes every rating a little


def verify(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder or .zip archive of `arena export`.")],
    head: Annotated[
        str | None, typer.Option(metavar="HASH", help="Hash of the last seal from another source.")
    ] = None,
    as_format: Annotated[Format, typer.Option("--format", help="Output format.")] = Format.TABLE,
) -> None:
    """Compute seals and leaderboards again from an export, and list every difference (exit code 1 if any)."""
    from arena.exchange.verify import verify as check

    console = Console(stderr=True, soft_wrap=True)
    with console.status("reading votes") as status:
        findings = check(
            folder, head, lambda votes: status.update(f"{votes:,} votes") if not votes % 1000 else None
        )
    _print(findings.to_dict(), as_format)
    if not findings.holds:
        raise typer.Exit(1)


def _print(findings: dict[str, Any], as_format: Format) -> None:
    if as_format is Format.JSON:
        write_json(findings)
        return
    if as_format is Format.CSV:
        write_csv([{"problem": problem} for problem in findings["problems"]], ("problem",))
        return
    console = Console(soft_wrap=True)
    for problem in findings["problems"][:SHOWN]:
        console.print(f"[red]does not follow[/]  {escape(problem)}", highlight=False)
    if (hidden := len(findings["problems"]) - SHOWN) > 0:
        console.print(f"and {hidden:,} more; --format json lists all", highlight=False)
    things = ", ".join(f"{findings[name]:,} {name}" for name in ("votes", "seals", "boards", "numbers"))
    verdict = "everything follows" if findings["holds"] else f"{len(findings['problems'])} things do not follow"
    console.print(f"{things}: [bold]{verdict}[/]", highlight=False)
    if findings["unsealed"]:
        console.print(f"{findings['unsealed']:,} votes are newer than the last seal", highlight=False)
    console.print(f"last seal: {findings['head'] or 'none'}", highlight=False)
