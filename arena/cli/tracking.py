"""The options `--wandb` and `--mlflow` of commands that make a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from arena.cli.terminal import Console

if TYPE_CHECKING:
    from arena.exchange.tracked_run import TrackedRun, Tracker

WANDB = "Also send the run to this project of Weights & Biases; WANDB_MODE=offline keeps it on this machine."
MLFLOW = "Also send the run to MLflow: the address of a server, or a folder of this machine."
Wandb = Annotated[str | None, typer.Option("--wandb", metavar="PROJECT", help=WANDB)]
Mlflow = Annotated[str | None, typer.Option("--mlflow", metavar="ADDRESS", help=MLFLOW)]


def open_trackers(wandb: str | None, mlflow: str | None) -> list[Tracker]:
    """The trackers of the options, before any call. Raises `ConfigError` where a client is missing."""
    trackers: list[Tracker] = []
    if wandb is not None:
        from arena.exchange.wandb_tracker import wandb_tracker

        trackers.append(wandb_tracker(wandb))
    if mlflow is not None:
        from arena.exchange.mlflow_tracker import mlflow_tracker

        trackers.append(mlflow_tracker(mlflow))
    return trackers


def send(trackers: Sequence[Tracker], run: TrackedRun) -> None:
    """Send a run that is stored and printed to each tracker. Ends with exit code 1 if one does not take it."""
    from arena.exchange.tracked_run import TrackerFailed

    console, failed = Console(stderr=True, soft_wrap=True, highlight=False), False
    for tracker in trackers:
        try:
            console.print(f"{tracker.name}: {tracker.send(run)}", markup=False)
        except TrackerFailed as problem:
            failed = True
            console.print(
                f"{problem}\nThe run itself is not lost: its result is above.", markup=False, style="bold red"
            )
    if failed:
        raise typer.Exit(1)
