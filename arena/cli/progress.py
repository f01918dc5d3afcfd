"""How a batch is watched at a terminal: calls, rate, cost and time left; Ctrl-C ends it without losing a reply."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

if TYPE_CHECKING:
    from arena.engine import CallResult, Engine

SLOW_TERMINAL = 4  # drawings a second


class RateColumn(ProgressColumn):
    """Calls a second, over the last half minute."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.1f}/s" if speed < 100 else f"{speed:.0f}/s")


def watched(
    engine: Engine, work: Callable[[Callable[[CallResult], None]], Coroutine[Any, Any, Any]], total: int
) -> Any:
    """Run `work`, which tells of every settled request, under a progress bar.

    The first Ctrl-C begins no further call and waits for those that run, whose replies are paid for; the second
    one ends those too. Either way the journal keeps what was answered.
    """
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), RateColumn(),
        TextColumn("{task.fields[told]}"),
        TimeElapsedColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    console = Console(stderr=True)
    with Progress(*columns, console=console, refresh_per_second=SLOW_TERMINAL) as progress:
        bar = progress.add_task("asking", total=total, told="")

        known = 0  # replies that were there already: nothing was waited for, so they say nothing of the rate

        def seen(answered: CallResult) -> None:
            nonlocal known
            known += answered.replayed
            asked = not answered.replayed and answered.status != "not_asked"
            progress.update(bar, total=total - known, advance=asked, told=_told(engine))

        return asyncio.run(_interruptible(engine, work(seen), console))


def _told(engine: Engine) -> str:
    cost = f"${engine.budget.spent:.2f}" if engine.budget.spent else ""
    failed = sum(count for status, count in engine.tally.failed.items() if status != "not_asked")
    return " · ".join(part for part in (cost, f"{failed:,} failed" if failed else "") if part)


async def _interruptible(engine: Engine, work: Coroutine[Any, Any, Any], console: Console) -> Any:
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()

    def interrupt() -> None:
        if engine.stopped:
            task.cancel()
            return
        console.print("waiting for the calls that run; Ctrl-C again ends them too", style="yellow")
        engine.stop("interrupted")

    try:
        loop.add_signal_handler(signal.SIGINT, interrupt)
    except (NotImplementedError, RuntimeError):  # Windows, or not the main thread: Ctrl-C then ends at once
        return await task
    try:
        return await task
    except asyncio.CancelledError:
        return None
    finally:
        loop.remove_signal_handler(signal.SIGINT)
