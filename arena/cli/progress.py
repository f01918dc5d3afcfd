"""Progress bars of the command line, the handling of Ctrl-C during a run, and the summary of failed calls."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

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

from arena.cli.terminal import Console

if TYPE_CHECKING:
    from arena.engine import CallResult, Engine, Seen

REFRESH_RATE = 4  # drawings a second: enough to read, few enough for a slow terminal
StageProgress = Callable[[str, int, int], None]  # (stage, done, total)


class RateColumn(ProgressColumn):
    """Calls a second, over the last half minute."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.1f}/s" if speed < 100 else f"{speed:.0f}/s")


@contextmanager
def progress_bar(engine: Engine, total: int) -> Iterator[Seen]:
    """The progress of a run as a bar: calls, rate, cost, failures and time left; Ctrl-C ends the run.

    Replies from the reply cache count neither as done nor as expected: nothing was waited for, so they say nothing
    of the rate.
    """
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), RateColumn(),
        TextColumn("{task.fields[summary]}"),
        TimeElapsedColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    console = Console(stderr=True)
    with Progress(*columns, console=console, refresh_per_second=REFRESH_RATE) as progress:
        bar = progress.add_task("calling", total=total, summary="")
        replayed = made = 0

        def seen(result: CallResult) -> None:
            nonlocal replayed, made
            replayed += result.replayed
            called = not result.replayed and result.status != "not_asked"
            made += called  # more than expected where calls depend on earlier replies
            progress.update(bar, total=max(total - replayed, made), advance=called, summary=_summary(engine))

        with _interruptible(engine, console):
            yield seen


def _summary(engine: Engine) -> str:
    cost = f"${engine.budget.spent:.2f}" if engine.budget.spent else ""
    failed = sum(count for status, count in engine.call_counts.failed.items() if status != "not_asked")
    return " · ".join(part for part in (cost, f"{failed:,} failed" if failed else "") if part)


@contextmanager
def _interruptible(engine: Engine, console: Console) -> Iterator[None]:
    """Handle Ctrl-C around the current task.

    The first one begins no further call and waits for running calls, whose replies are paid for; the second one
    cancels those too. The reply cache keeps every reply that arrived.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None

    def interrupt() -> None:
        if engine.stopped:
            task.cancel()
            return
        console.print("Waiting for running calls. Press Ctrl-C again to cancel them.", style="yellow")
        engine.stop("interrupted")

    try:
        loop.add_signal_handler(signal.SIGINT, interrupt)
    except (NotImplementedError, RuntimeError):  # Windows, or not the main thread: Ctrl-C then ends at once
        yield
        return
    try:
        yield
    except asyncio.CancelledError:
        if not engine.stopped:
            raise
    finally:
        loop.remove_signal_handler(signal.SIGINT)


@contextmanager
def stage_bar(console: Console, unit: str) -> Iterator[StageProgress]:
    """The progress of work in stages as a bar; `unit` names what is counted."""
    columns = (
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[summary]}"), TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, refresh_per_second=REFRESH_RATE) as bars:
        bar = bars.add_task("preparing", total=None, summary="")

        def progress(stage: str, done: int, total: int) -> None:
            summary = f"{done:,} of {total:,} {unit}" if total else f"{done:,} {unit} so far" if done else ""
            bars.update(bar, description=stage, completed=done, total=total or None, summary=summary)

        yield progress


def print_adapted(adapted: Mapping[str, Mapping[str, int]], console: Console) -> None:
    """Print which parameters of requests a server refused, and what was sent in their place."""
    for model, changes in adapted.items():
        for change, count in changes.items():
            text = f"{model}: {change}, because its server refused it ({count:,} replies)"
            console.print(text, style="yellow", markup=False)


def print_failures(failed: Mapping[str, int], examples: Mapping[str, str], console: Console) -> None:
    """Print each kind of failure with its count and one example; the same example is printed once."""
    printed: set[str] = set()
    for status, count in failed.items():
        example = examples.get(status, "")
        text = "the same reason" if example in printed else example
        console.print(f"{count:,} {status}: {text}", style="yellow", markup=False)
        printed.add(example)
