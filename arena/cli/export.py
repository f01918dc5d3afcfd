"""`arena export`: the public data as files."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from arena.cli.options import Config, DatabaseURL, opened
from arena.cli.terminal import Console
from arena.errors import ConfigError

if TYPE_CHECKING:
    from arena.exchange.folder import Exported
    from arena.exchange.prompt_set import Written


class ExportFormat(StrEnum):
    """The format of the files."""

    arena = "arena"
    alpaca_eval = "alpaca_eval"
    arena_hard = "arena_hard"
    mt_bench = "mt_bench"
    openai_batch = "openai-batch"
    lm_eval = "lm_eval"
    inspect = "inspect"
    evalscope = "evalscope"
    every_eval_ever = "every_eval_ever"


def export(
    as_format: Annotated[ExportFormat, typer.Option("--format", help="Format of the files.")] = ExportFormat.arena,
    openai_batch: Annotated[bool, typer.Option("--openai-batch", help="Same as --format openai-batch.")] = False,
    out: Annotated[Path, typer.Option(help="New folder, or archive if it ends in .zip.")] = Path("export"),
    prompts: Annotated[str | None, typer.Option(help="Prompt set, for every format except arena.")] = None,
    runs: Annotated[
        str | None,
        typer.Option(
            metavar="N,M|all",
            help="lm_eval, inspect, evalscope, every_eval_ever: comma-separated benchmark runs in place of a prompt set.",
        ),
    ] = None,
    judge: Annotated[str | None, typer.Option(help="Judge, if several have verdicts on the prompt set.")] = None,
    baseline: Annotated[str | None, typer.Option(help="alpaca_eval, arena_hard: baseline model.")] = None,
    models: Annotated[
        str | None,
        typer.Option(
            metavar="a,b",
            help="openai-batch: comma-separated models; default: all enabled models of the settings.",
        ),
    ] = None,
    parquet: Annotated[bool, typer.Option("--parquet", help="arena: write battles as Parquet.")] = False,
    redact: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND=REGEX", help="arena: additional pattern to redact from texts."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing export.")] = False,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Write votes, seals and leaderboards, or a prompt set with its verdicts, in a public format."""
    from arena.exchange.export_prompt_set import export_set
    from arena.exchange.export_runs import FORMATS, export_runs
    from arena.exchange.folder import export_arena
    from arena.exchange.ledger_keys import read_key
    from arena.exchange.openai_batch import request_bodies

    console = Console(stderr=True, soft_wrap=True)
    patterns = _patterns(redact or [])
    if openai_batch:
        as_format = ExportFormat.openai_batch
    if runs is not None and as_format not in FORMATS:
        raise ConfigError(
            f"--runs is for --format {'|'.join(FORMATS)}. Choose one of them, or give --prompts SET."
        )
    if runs is None and (prompts is None) != (as_format is ExportFormat.arena):
        problem = (
            "exports every vote. Leave out --prompts."
            if prompts
            else "needs --prompts SET. Run: arena prompts list"
        )
        raise ConfigError(f"--format {as_format} {problem}")
    with opened(config, db) as (database, settings), console.status(f"writing {out}"):
        if as_format in FORMATS:
            given: Any = {"prompts": prompts, "runs": runs, "judge": judge, "force": force}
            done_runs = export_runs(database, out, as_format.value, **given)
            lines = _summary_of_set(done_runs, {"verdicts": "scored samples"})
        elif prompts is None:
            version = settings.ledger.filter
            done = export_arena(
                database, out, parquet=parquet, patterns=patterns, version=version, force=force,
                show_judged=settings.web.show_judged, signer=read_key(settings.ledger.key),
            )  # fmt: skip
            lines = _summary(done)
        else:
            bodies = request_bodies(settings, models) if as_format is ExportFormat.openai_batch else {}
            chosen: Any = {"judge": judge, "baseline": baseline, "bodies": bodies, "force": force}
            lines = _summary_of_set(export_set(database, out, as_format.value, prompts, **chosen))
    for line in lines:
        console.print(line, highlight=False)


def _summary(done: Exported) -> list[str]:
    text = f"{done.votes:,} votes ({done.with_text:,} with text, {done.unsealed:,} not sealed yet)"
    redacted = ", ".join(f"{count:,} × {kind}" for kind, count in sorted(done.redacted.items()))
    path = escape(str(done.path))
    return [
        f"[bold]{path}[/]: {text}, {done.seals} seals, {done.boards} boards",
        f"redacted from texts: {escape(redacted) or 'nothing'}",
        f"to verify it, run: arena verify {path}",
    ]


def _summary_of_set(done: Written, names: Mapping[str, str] = MappingProxyType({})) -> list[str]:
    things = ("prompts", "completions", "verdicts")
    counts = ", ".join(f"{getattr(done, thing):,} {names.get(thing, thing)}" for thing in things)
    return [f"[bold]{escape(str(done.path))}[/]: {counts}", *map(escape, done.notes)]


def _patterns(given: list[str]) -> dict[str, str]:
    """The patterns by kind, from options `KIND=REGEX`."""
    patterns = {}
    for option in given:
        kind, mark, pattern = option.partition("=")
        if not mark or not kind or not pattern:
            raise ConfigError(f"--redact {option} is invalid. Write KIND=REGEX, such as ticket=TCK-[0-9]+.")
        patterns[kind] = pattern
    return patterns
