"""`arena bench fetch`: download the data of tasks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Table
from rich.text import Text

from arena.cli.options import AsFormat, Format, write_csv, write_json
from arena.cli.terminal import Console

if TYPE_CHECKING:
    from benchmarks.task import Task


def fetch(
    tasks: Annotated[
        list[str], typer.Argument(metavar="TASK…", help="mmlu, xstest, …, or a dimension: knowledge, safety, ….")
    ],
    data: Annotated[
        Path | None,
        typer.Option("--data", help="The folder to write to; default: ARENA_DATA_DIR, else the user's data."),
    ] = None,
    as_format: AsFormat = Format.TABLE,
) -> None:
    """Download the data of tasks: published files and hub data sets, checked by SHA-256. Interrupted files are resumed."""
    from arena.benchmarking.data_fetch import fetch_tasks
    from arena.benchmarking.selection import DATA_DIR, fetch_folder
    from arena.benchmarking.task_specs import tasks_to_fetch

    named = os.environ.get(DATA_DIR)
    folder = data or (Path(named) if named else fetch_folder())
    console = Console(stderr=True, soft_wrap=True, highlight=False)

    def print_task(task: Task) -> None:
        console.print(f"{task.name}: licence {task.licence}", markup=False)

    with _bars(console) as watch:
        files = fetch_tasks(tasks_to_fetch(tasks), folder, watch, print_task)
    rows = [vars(file) for file in files]
    if as_format is Format.JSON:
        write_json(rows)
    elif as_format is Format.CSV:
        write_csv(rows)
    else:
        _print(rows, console)
    if any(row["state"] == "failed" for row in rows):
        raise typer.Exit(1)


@contextmanager
def _bars(console: Console) -> Iterator[Callable[[str], Callable[[int, int | None], None]]]:
    """One bar per file: bytes, rate and time left."""
    columns = (
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, refresh_per_second=4) as progress:

        def watch(name: str) -> Callable[[int, int | None], None]:
            bar = progress.add_task(name, total=None)
            return lambda done, total: progress.update(bar, completed=done, total=total)

        yield watch


def _print(rows: Sequence[dict[str, Any]], console: Console) -> None:
    """One line per task and state; below it what to do about each file that is not there."""
    table = Table(box=SIMPLE, padding=(0, 1, 0, 0))
    for name in ("task", "files", "licence", "state"):
        table.add_column(name)
    counts: dict[tuple[str, str, str], int] = {}
    for row in rows:
        key = (row["task"], row["licence"], row["state"])
        counts[key] = counts.get(key, 0) + 1
    for (task, licence, state), count in counts.items():
        table.add_row(*map(Text, (task, str(count), licence, state)))
    Console().print(table)
    for text in dict.fromkeys(
        f"{row['file']}: {row['detail']}" for row in rows if row["state"] in ("by hand", "failed")
    ):
        console.print(text, markup=False)
