"""A queue that collects requests into batches, for libraries that take a whole batch and block."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Protocol, TypeVar

from arena.endpoints.endpoint import EndpointError, Failure, Reply, Request
from arena.endpoints.failures import typed_failures
from arena.endpoints.startup import CrashCount, StartLock

Outcome = Reply | EndpointError
Answer = Callable[[Sequence[Request]], Sequence[Outcome]]  # runs in a thread, one batch at a time

Prepared = TypeVar("Prepared")

LINGER = 0.01  # seconds that a batch waits for more requests; one forward pass takes far longer
Waiting = tuple[Request, "asyncio.Future[Reply]"]


class BatchQueue:
    """Calls `answer` with up to `at_most` requests at once, in the order of arrival."""

    def __init__(self, answer: Answer, at_most: int) -> None:
        self._answer, self._at_most = answer, at_most
        self._inbox: asyncio.Queue[Waiting] = asyncio.Queue()
        self._batch: list[Waiting] = []  # taken from the inbox and not settled yet
        self._running: asyncio.Future[Sequence[Outcome]] | None = None  # in the thread
        self._crashes = CrashCount()
        self._work = asyncio.create_task(self._run())

    async def reply(self, request: Request) -> Reply:
        """Raises `EndpointError`."""
        if self._work.done():
            raise EndpointError(Failure.BROKEN, "the endpoint was closed")
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        await self._inbox.put((request, future))
        return await future

    async def close(self) -> None:
        """Fail the waiting requests after the running batch has ended. Idempotent."""
        self._work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._work
        if self._running is not None:
            await asyncio.wait([self._running])
        while not self._inbox.empty():
            self._batch.append(self._inbox.get_nowait())
        for waiting in self._batch:
            _settle(waiting, EndpointError(Failure.BROKEN, "the endpoint was closed"))

    async def _run(self) -> None:
        while True:
            self._batch = [await self._inbox.get()]
            await asyncio.sleep(LINGER)
            while len(self._batch) < self._at_most and not self._inbox.empty():
                self._batch.append(self._inbox.get_nowait())
            self._batch = [
                waiting for waiting in self._batch if not waiting[1].done()
            ]  # a cancelled call needs no reply
            if self._batch:
                await self._settle(self._batch)

    async def _settle(self, batch: Sequence[Waiting]) -> None:
        requests = [request for request, _ in batch]
        self._running = asyncio.get_running_loop().run_in_executor(None, self._answer, requests)
        try:
            outcomes: Sequence[Outcome] = await asyncio.shield(self._running)
            self._crashes.reset()
        except EndpointError as error:
            outcomes = [error] * len(batch)
        # Any error of the library must reach the waiting calls: nothing else reports it.
        except Exception as cause:  # noqa: BLE001
            outcomes = [self._crashes.failure(f"{type(cause).__name__}: {cause}")] * len(batch)
        if len(outcomes) != len(batch):
            problem = f"the library gave {len(outcomes)} replies to {len(batch)} requests"
            outcomes = [EndpointError(Failure.BROKEN, problem)] * len(batch)
        for waiting, outcome in zip(batch, outcomes, strict=True):
            _settle(waiting, outcome)


def _settle(waiting: Waiting, outcome: Outcome) -> None:
    future = waiting[1]
    if future.done():
        return
    if isinstance(outcome, EndpointError):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)


class Loaded(Protocol):
    """A model in memory that answers many requests in one blocking call."""

    def answer(self, requests: Sequence[Request]) -> Sequence[Outcome]: ...

    def close(self) -> None:
        """Free the memory."""
        ...


@dataclass
class BatchedEndpoint(ABC):
    """The base of an endpoint that loads a model at the first request and calls it in batches."""

    _: KW_ONLY
    max_batch: int = 8
    _loaded: Loaded | None = field(default=None, init=False, repr=False)
    _queue: BatchQueue | None = field(default=None, init=False, repr=False)
    _lock: StartLock = field(default_factory=StartLock, init=False, repr=False)

    async def start(self) -> None:
        """Load the weights, in a thread. Idempotent. Raises `EndpointError`."""
        with typed_failures(type(self).__name__):
            async with self._lock.starting():
                if self._queue is None:
                    self._loaded = await asyncio.to_thread(self._load)
                    self._queue = BatchQueue(self._loaded.answer, self.max_batch)

    async def answer(self, request: Request) -> Reply:
        await self.start()
        assert self._queue is not None
        return await self._queue.reply(request)

    async def close(self) -> None:
        """Idempotent."""
        async with self._lock.closing():
            queue, self._queue = self._queue, None
            loaded, self._loaded = self._loaded, None
        if queue is not None:
            await queue.close()
        if loaded is not None:
            await asyncio.to_thread(loaded.close)

    @abstractmethod
    def _load(self) -> Loaded:
        """Raises `EndpointError`."""


def batch_outcomes(
    requests: Sequence[Request],
    read: Callable[[Request], Prepared],
    answer: Callable[[list[Prepared]], Sequence[Reply]],
) -> list[Outcome]:
    """A reply or an error for each request; those that `read` accepts go to `answer` in one call."""
    outcomes: list[Outcome] = []
    ready: dict[int, Prepared] = {}
    for number, request in enumerate(requests):
        try:
            ready[number] = read(request)
            outcomes.append({})
        except EndpointError as problem:
            outcomes.append(problem)
        # A malformed request must not fail the others of its batch.
        except (TypeError, AttributeError, LookupError, ValueError) as cause:
            outcomes.append(EndpointError(Failure.REFUSED, f"The request cannot be read ({cause!r}). Change it."))
    if ready:
        for number, reply in zip(ready, answer(list(ready.values())), strict=True):
            outcomes[number] = reply
    return outcomes
