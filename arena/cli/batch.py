"""Messages about batch files: requests to run later at a lower price, and their results."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from arena.cli.terminal import Console

if TYPE_CHECKING:
    from arena.engine import Status


def print_read(path: Path, counts: Mapping[Status, int]) -> None:
    """Print how many results of a batch were added to the reply cache, by status."""
    summary = ", ".join(f"{count:,} {status}" for status, count in counts.items()) or "nothing new"
    Console(stderr=True, soft_wrap=True, highlight=False).print(f"{path}: {summary}")


def print_written(path: Path, count: int) -> None:
    """Print how many requests a batch file has, and how to continue."""
    Console(stderr=True, soft_wrap=True, highlight=False).print(
        f"{path}: {count:,} requests. When the batch is done, run the same command with --batch-in RESULTS."
    )
