"""Batch files at the command line: requests that are answered later and cheaper, and results that come back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from arena.engine import Call, ModelClient, ReplyCache


def with_batch(
    reply_cache: ReplyCache,
    asked: Mapping[str, ModelClient],
    calls: Callable[[], Iterable[Call]],
    into: Path | None,
    out: Path | None,
) -> None:
    """Take the results `into` the journal, then write `out` what it has no reply to; tells of both."""
    from arena.engine import BatchFileError, read_batch, write_batch
    from arena.errors import ConfigError

    console = Console(stderr=True, soft_wrap=True, highlight=False)
    try:
        if into is not None:
            found = read_batch(into, calls(), reply_cache)
            told = ", ".join(f"{count:,} {status}" for status, count in found.items()) or "nothing new"
            console.print(f"{into}: {told}")
        if out is not None:
            count = write_batch(out, calls(), asked, reply_cache)
            console.print(
                f"{out}: {count:,} requests; when the batch is done, type the same with --batch-in RESULTS"
            )
    except BatchFileError as problem:
        raise ConfigError(str(problem)) from problem
