"""A progress bar for work that tells its stage, how much is done, and of how much."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn


@contextmanager
def shown(console: Console, counted: str) -> Iterator[Any]:
    """Yields `progress(stage, done, total)`; `counted` names what is counted."""
    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[told]}"), TimeElapsedColumn()
    with Progress(*columns, console=console, refresh_per_second=4) as bars:
        bar = bars.add_task("preparing", total=None, told="")

        def progress(stage: str, done: int, total: int) -> None:
            told = f"{done:,} of {total:,} {counted}" if total else ""
            bars.update(bar, description=stage, completed=done, total=total or None, told=told)

        yield progress
