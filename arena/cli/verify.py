"""`arena verify`: the seals and leaderboards of an export, computed again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from arena.cli.options import Format, write_csv, write_json
from arena.cli.terminal import Console
from arena.errors import ConfigError

SHOWN = 20  # problems in the terminal; one changed vote changes every rating a little


def verify(
    folder: Annotated[
        Path | None, typer.Argument(metavar="FOLDER", help="Folder or .zip archive of `arena export`.")
    ] = None,
    head: Annotated[str | None, typer.Option(metavar="HASH", help="Hash of a seal from another source.")] = None,
    key: Annotated[
        str | None,
        typer.Option(metavar="PUBLIC", help="Public key of the arena: check the signature of the export."),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(metavar="OLD", help="Older export of the same arena, which this one must continue."),
    ] = None,
    receipt: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Receipt of a vote, checked with FOLDER (its seal must be there) or alone."
        ),
    ] = None,
    timestamp: Annotated[
        Path | None, typer.Option(metavar="FILE", help="OpenTimestamps proof (.ots) for a seal of FOLDER.")
    ] = None,
    blocks: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Esplora server whose Bitcoin blocks must agree with the proof."),
    ] = None,
    as_format: Annotated[Format, typer.Option("--format", help="Output format.")] = Format.TABLE,
) -> None:
    """Compute seals and leaderboards again from an export, and list every difference (exit code 1 if any)."""
    if receipt is not None:
        head = _check_receipt(receipt, key, head, as_format, alone=folder is None)
        if folder is None:
            return
    if folder is None:
        raise ConfigError("There is nothing to verify. Give the folder of an export, or --receipt FILE.")
    from arena.exchange.verify import verify as check

    console = Console(stderr=True, soft_wrap=True)
    with console.status("reading votes") as status:
        findings = check(
            folder,
            head,
            lambda votes: status.update(f"{votes:,} votes") if not votes % 1000 else None,
            key=key,
            against=against,
            timestamp=timestamp,
            explorer=blocks,
        )
    _print(findings.to_dict(), as_format)
    if not findings.holds:
        raise typer.Exit(1)


def _check_receipt(path: Path, key: str | None, head: str | None, as_format: Format, *, alone: bool) -> str | None:
    """The hash of the receipt's seal, which an export must have. Exits with 1 if the receipt proves nothing."""
    from arena.exchange.receipt_file import check_receipt_file

    checked = check_receipt_file(path, key, head, in_export=not alone)
    console = Console(stderr=as_format is not Format.TABLE, soft_wrap=True)
    for problem in checked.problems:
        console.print(f"[red]does not follow[/]  {escape(str(path))}: {escape(problem)}", highlight=False)
    if checked.problems:
        raise typer.Exit(1)
    console.print(f"{escape(str(path))}: vote {checked.vote} is in seal {checked.seal}", highlight=False)
    for text in checked.not_covered:
        console.print(f"[yellow]not covered[/]  {escape(text)}", highlight=False)
    return checked.seal


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
    for text in findings["not_covered"]:
        console.print(f"[yellow]not covered[/]  {escape(text)}", highlight=False)
    for text in findings["dated"]:
        console.print(escape(text), highlight=False)
    if findings["signed_by"]:
        console.print(f"signature checked with {findings['signed_by']}", highlight=False)
    console.print(f"last seal: {findings['head'] or 'none'}", highlight=False)
