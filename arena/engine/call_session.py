"""Runs over one reply cache: engine, progress and the closing of endpoints, written once for every command.

```
with open_session(reply_cache_path(settings), progress) as session:
    result = session.run(clients, work, total=len(calls), budget=5.0)
```
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from arena.engine.budget import Budget
from arena.engine.call_counts import CallCounts
from arena.engine.calls import CallResult, Status
from arena.engine.engine import Engine
from arena.engine.model_client import ModelClient, RetryPolicy
from arena.engine.reply_cache import ReplyCache

RESUME_HINT = "Run the same command again to resume: finished calls are not repeated or billed again."
# advice on calls whose failure is likely to repeat
SAME_AGAIN = {
    Status.REFUSED: "The model or its server declined these requests; the same requests will be declined again. "
    "Correct what the reason names, or use another model.",
    Status.TRUNCATED: "The replies were cut off at the token limit, and will be again. "
    "Raise the limit, or --thinking-budget for a judge that thinks.",
    Status.UNPARSABLE: "These replies were complete and had no value in the agreed form. "
    "The same command makes and bills these calls again; check one reply and the prompt first.",
}


def what_next(failed: Mapping[str, int], unusable: Collection[str] = ()) -> list[str]:
    """What to do about failed calls, by the counts of their statuses: resume, or change something first.

    `unusable` are the models that every later call would fail with.
    """
    same_again = [text for status, text in SAME_AGAIN.items() if failed.get(status.value)]
    others = set(failed) - {status.value for status in SAME_AGAIN}
    if unusable:
        return [f"{', '.join(unusable)} cannot be used. Correct what the reason names; then {_then(RESUME_HINT)}"]
    return [RESUME_HINT, *same_again] if others else same_again


def _then(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]


Value = TypeVar("Value")
Seen = Callable[[CallResult], None]  # called once for each result
Work = Callable[[Engine, Seen], Awaitable[Value]]


class Progress(Protocol):
    """What follows a run: a bar in a terminal, a page, a log."""

    def __call__(self, engine: Engine, total: int, /) -> AbstractContextManager[Seen]:
        """A context around the run's task that yields the function to call with each result.

        `engine.stop(reason)` ends the run early. A context that suppresses `CancelledError` may cancel the task.
        """
        ...


@contextmanager
def silent(_engine: Engine, _total: int, /) -> Iterator[Seen]:
    """The default progress, which shows nothing."""
    yield lambda _: None


@dataclass(frozen=True)
class RunResult(Generic[Value]):
    """The result of one run: what the work returned (None if it was cancelled), the counts and the cost."""

    value: Value | None
    call_counts: CallCounts
    spent: float  # USD
    stopped: str  # why no further call was begun; empty for a complete run


@dataclass(frozen=True)
class CallSession:
    """An open reply cache and the progress that follows its runs. Runs are sequential; several may share it."""

    reply_cache: ReplyCache
    progress: Progress = silent

    def run(
        self,
        clients: Mapping[str, ModelClient],
        work: Work[Value],
        *,
        total: int,
        budget: float | None = None,
        retry_policy: RetryPolicy | None = None,
        keep_open: Collection[str] = (),
    ) -> RunResult[Value]:
        """Run `work(engine, seen)` in an event loop of its own and close every client's endpoint whatever happens.

        `total` is the expected number of requests, `budget` in USD; the endpoints of the models in `keep_open` stay
        open for the next run. Call it outside any event loop. Raises what `work` raises.
        """
        engine = Engine(clients, self.reply_cache, Budget(budget), retry_policy)
        closing = [client for name, client in clients.items() if name not in keep_open]
        value = asyncio.run(self._watched(engine, work, total, closing))
        return RunResult(value, engine.call_counts, engine.budget.spent, engine.stopped)

    async def _watched(
        self, engine: Engine, work: Work[Value], total: int, closing: Collection[ModelClient]
    ) -> Value | None:
        with self.progress(engine, total) as seen:
            async with AsyncExitStack() as endpoints:
                for client in closing:
                    endpoints.push_async_callback(client.endpoint.close)
                return await work(engine, seen)
        return None  # the progress cancelled the work


@contextmanager
def open_session(
    path: Path, progress: Progress | None = None, *, recompute: bool = False
) -> Iterator[CallSession]:
    """A session over the reply cache at `path`; with `recompute` every call is repeated.

    Raises `ReplyCacheError` if another process uses the cache.
    """
    with ReplyCache(path) as reply_cache:
        if recompute:
            reply_cache.forget()
        yield CallSession(reply_cache, progress or silent)
