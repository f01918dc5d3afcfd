"""`arena export` and `arena verify`: everything as files, and the proof that its numbers follow."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from arena.cli.options import Config, DatabaseURL, Format, opened, write_json
from arena.errors import ConfigError


class ExportFormat(StrEnum):
    """What the files are for."""

    arena = "arena"
    alpaca_eval = "alpaca_eval"
    arena_hard = "arena_hard"
    mt_bench = "mt_bench"
    openai_batch = "openai-batch"


def export(
    as_format: Annotated[
        ExportFormat, typer.Option("--format", help="Whose files to write.")
    ] = ExportFormat.arena,
    out: Annotated[Path, typer.Option(help="A folder to make, or an archive if it ends in .zip.")] = Path(
        "export"
    ),
    parquet: Annotated[bool, typer.Option("--parquet", help="arena: battles as Parquet.")] = False,
    screen: Annotated[
        list[str] | None, typer.Option(metavar="KIND=REGEX", help="arena: more to take out of texts.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what is there.")] = False,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Write votes, seals and boards, or a prompt set with its verdicts, in a public format."""
    from arena.exports.folder import export_arena

    console = Console(stderr=True, soft_wrap=True)
    patterns = _patterns(screen or [])
    with opened(config, db) as (database, settings), console.status(f"writing {out}"):
        done = export_arena(
            database, out, parquet=parquet, patterns=patterns, version=settings.ledger.filter, force=force
        )
    text = f"{done.votes:,} votes ({done.with_text:,} with text, {done.unsealed:,} not sealed yet)"
    console.print(
        f"[bold]{escape(str(out))}[/]: {text}, {done.seals} seals, {done.boards} boards", highlight=False
    )
    taken = ", ".join(f"{count:,} × {kind}" for kind, count in sorted(done.screened.items()))
    console.print(f"taken out of texts: {escape(taken) or 'nothing'}", highlight=False)
    console.print(f"check it anywhere with: arena verify {escape(str(out))}", highlight=False)


def verify(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="What `arena export` wrote, a folder or a .zip.")
    ],
    head: Annotated[
        str | None, typer.Option(metavar="HASH", help="The last seal, as published elsewhere.")
    ] = None,
    as_format: Annotated[Format, typer.Option("--format", help="How to print the result.")] = Format.TABLE,
) -> None:
    """Make seals and boards again from an export alone, and say what does not follow. Exit code 1 if anything."""
    from arena.exports.files import BadExport
    from arena.exports.verify import verify as check

    console = Console(stderr=True, soft_wrap=True)
    try:
        with console.status("reading votes") as status:
            found = check(
                folder, head, lambda votes: status.update(f"{votes:,} votes") if not votes % 1000 else None
            )
    except BadExport as problem:
        console.print(f"[bold red]error:[/] {escape(str(problem))}", highlight=False)
        raise typer.Exit(1) from problem
    _print(found.to_dict(), as_format)
    if not found.holds:
        raise typer.Exit(1)


def _print(found: dict[str, Any], as_format: Format) -> None:
    if as_format is Format.JSON:
        write_json(found)
        return
    if as_format is Format.CSV:
        typer.echo("problem")
        for problem in found["problems"]:
            typer.echo('"' + problem.replace('"', '""') + '"')
        return
    console = Console(soft_wrap=True)
    for problem in found["problems"]:
        console.print(f"[red]does not follow[/]  {escape(problem)}", highlight=False)
    checked = (
        f"{found['votes']:,} votes, {found['seals']} seals, {found['boards']} boards, {found['numbers']:,} numbers"
    )
    verdict = "everything follows" if found["holds"] else f"{len(found['problems'])} things do not follow"
    console.print(f"{things}: [bold]{verdict}[/]", highlight=False)
    if found["unsealed"]:
        console.print(f"{found['unsealed']:,} votes are newer than the last seal", highlight=False)
    console.print(f"last seal: {found['head'] or 'none'}", highlight=False)


def _patterns(given: list[str]) -> dict[str, str]:
    """`KIND=REGEX`, one an option."""
    patterns = {}
    for one in given:
        kind, mark, pattern = one.partition("=")
        if not mark or not kind or not pattern:
            raise ConfigError(f"--screen {one}: expected KIND=REGEX, such as ticket=TCK-[0-9]+")
        patterns[kind] = pattern
    return patterns
