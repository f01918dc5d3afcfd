"""`arena export` and `arena verify`: everything as files, and the proof that its numbers follow."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from arena.cli.options import Config, DatabaseURL, Format, opened, write_csv, write_json
from arena.errors import ConfigError

if TYPE_CHECKING:
    from arena.exchange.folder import Exported
    from arena.exchange.judged_set import Written


SHOWN = 20  # problems in the terminal: one changed vote moves every rating a little


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
    openai_batch: Annotated[
        bool, typer.Option("--openai-batch", help="The same as --format openai-batch.")
    ] = False,
    out: Annotated[Path, typer.Option(help="A folder to make, or an archive if it ends in .zip.")] = Path(
        "export"
    ),
    prompts: Annotated[str | None, typer.Option(help="The prompt set, for every format but arena.")] = None,
    judge: Annotated[str | None, typer.Option(help="Whose verdicts, where several have judged.")] = None,
    baseline: Annotated[str | None, typer.Option(help="alpaca_eval, arena_hard: the model compared with.")] = None,
    models: Annotated[
        str | None, typer.Option(metavar="a,b", help="openai-batch: whom to ask; all in the settings if left out.")
    ] = None,
    parquet: Annotated[bool, typer.Option("--parquet", help="arena: battles as Parquet.")] = False,
    screen: Annotated[
        list[str] | None, typer.Option(metavar="KIND=REGEX", help="arena: more to take out of texts.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what is there.")] = False,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Write votes, seals and boards, or a prompt set with its verdicts, in a public format."""
    from arena.exchange.folder import export_arena
    from arena.exchange.judged_sets import export_set
    from arena.exchange.requests import request_bodies

    console = Console(stderr=True, soft_wrap=True)
    patterns = _patterns(screen or [])
    if openai_batch:
        as_format = ExportFormat.openai_batch
    if (prompts is None) != (as_format is ExportFormat.arena):
        need = "no --prompts: it has every vote" if prompts else "--prompts SET; type: arena prompts list"
        raise ConfigError(f"--format {as_format} takes {need}")
    with opened(config, db) as (database, settings), console.status(f"writing {out}"):
        if prompts is None:
            version = settings.ledger.filter
            done = export_arena(
                database, out, parquet=parquet, patterns=patterns, version=version, force=force,
                show_judged=settings.web.show_judged,
            )  # fmt: skip
            lines = _told(done)
        else:
            bodies = request_bodies(settings, models) if as_format is ExportFormat.openai_batch else {}
            chosen: Any = {"judge": judge, "baseline": baseline, "bodies": bodies, "force": force}
            lines = _told_set(export_set(database, out, as_format.value, prompts, **chosen))
    for line in lines:
        console.print(line, highlight=False)


def _told(done: Exported) -> list[str]:
    text = f"{done.votes:,} votes ({done.with_text:,} with text, {done.unsealed:,} not sealed yet)"
    taken = ", ".join(f"{count:,} × {kind}" for kind, count in sorted(done.screened.items()))
    path = escape(str(done.path))
    return [
        f"[bold]{path}[/]: {text}, {done.seals} seals, {done.boards} boards",
        f"taken out of texts: {escape(taken) or 'nothing'}",
        f"check it anywhere with: arena verify {path}",
    ]


def _told_set(done: Written) -> list[str]:
    things = ("prompts", "completions", "verdicts")
    counts = ", ".join(f"{getattr(done, thing):,} {thing}" for thing in things)
    return [f"[bold]{escape(str(done.path))}[/]: {counts}", *map(escape, done.notes)]


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
    from arena.exchange.verify import verify as check

    console = Console(stderr=True, soft_wrap=True)
    with console.status("reading votes") as status:
        found = check(folder, head, lambda votes: status.update(f"{votes:,} votes") if not votes % 1000 else None)
    _print(found.to_dict(), as_format)
    if not found.holds:
        raise typer.Exit(1)


def _print(found: dict[str, Any], as_format: Format) -> None:
    if as_format is Format.JSON:
        write_json(found)
        return
    if as_format is Format.CSV:
        write_csv([{"problem": problem} for problem in found["problems"]], ("problem",))
        return
    console = Console(soft_wrap=True)
    for problem in found["problems"][:SHOWN]:
        console.print(f"[red]does not follow[/]  {escape(problem)}", highlight=False)
    if (more := len(found["problems"]) - SHOWN) > 0:
        console.print(f"and {more:,} more; --format json lists them all", highlight=False)
    things = ", ".join(f"{found[name]:,} {name}" for name in ("votes", "seals", "boards", "numbers"))
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
