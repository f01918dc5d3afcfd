"""`arena models`: the configured models, whether each can be used, and what to do if not.

Its subcommands, which change a running arena, are in `arena/cli/model_changes.py`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from arena.cli.model_changes import COMMANDS
from arena.cli.options import AsFormat, Config, Format, write_csv, write_json
from arena.cli.terminal import Console
from arena.errors import ConfigError

if TYPE_CHECKING:
    from arena.config import AnyModel
    from arena.endpoints import Probe

COLUMNS = ("model", "endpoint", "where", "enabled", "weight", "ok", "seconds", "message", "advice")


app = typer.Typer(invoke_without_command=True, no_args_is_help=False)
for name, command in COMMANDS.items():
    app.command(name)(command)


@app.callback()
def models(
    context: typer.Context,
    config: Config = None,
    ask: Annotated[
        bool, typer.Option("--probe/--no-probe", help="Request a short completion from each model.")
    ] = True,
    as_format: AsFormat = Format.TABLE,
) -> None:
    """List the models of the settings file and check that each one replies; or change a running arena."""
    if context.invoked_subcommand is not None:
        return
    from arena.config import read_settings

    settings = read_settings(config)
    if not settings.models:
        raise ConfigError("no models are configured. Add a [[models]] table for each to arena.toml.")
    rows = [_row(model, None) for model in settings.models]
    if ask:
        rows = asyncio.run(_probe_all(settings.models))
    _print(rows, as_format)
    if any(row["ok"] is False for row in rows):
        raise typer.Exit(1)


async def _probe_all(models: tuple[AnyModel, ...]) -> list[dict[str, Any]]:
    from arena.serving.probe import probe

    console = Console(stderr=True)
    with console.status(f"checking {len(models)} models"):
        probes = await asyncio.gather(*(probe(model) for model in models))
    return [_row(model, probed) for model, probed in zip(models, probes, strict=True)]


def _row(model: AnyModel, probed: Probe | None) -> dict[str, Any]:
    where = getattr(model, "url", "this machine")
    return {
        "model": model.name,
        "endpoint": model.endpoint,
        "where": where,
        "enabled": model.enabled,
        "weight": model.weight,
        "ok": probed.ok if probed else None,
        "seconds": round(probed.seconds, 2) if probed and probed.seconds is not None else None,
        "message": probed.message if probed else "not asked",
        "advice": probed.advice if probed else "",
    }


def _print(rows: list[dict[str, Any]], as_format: Format) -> None:
    if as_format is Format.JSON:
        write_json(rows)
        return
    if as_format is Format.CSV:
        write_csv(rows, COLUMNS)
        return
    table = Table()
    for heading in ("model", "endpoint", "where", "", "first words", "what it says"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        mark = {True: "[green]ok[/]", False: "[red]no[/]", None: ""}[row["ok"]]
        seconds = f"{row['seconds']} s" if row["seconds"] is not None else ""
        message = row["message"] + (f"\n→ {row['advice']}" if row["advice"] else "")
        table.add_row(Text(row["model"]), row["endpoint"], Text(row["where"]), mark, seconds, Text(message))
    Console().print(table)
