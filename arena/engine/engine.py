"""Runs many calls to many models, as fast as each allows, and yields the result of each.

A fixed number of coroutines per model takes its calls from a queue: thousands of calls in flight, no threads.
Replies of this run or an earlier one are read from the reply cache, and their calls are not repeated.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Iterable, Mapping
from typing import Any

from arena.endpoints import EndpointError, Failure
from arena.endpoints.endpoint import Reply, answer
from arena.endpoints.failures import typed_failures
from arena.endpoints.refusals import cure
from arena.engine.attempts import BILLED, Attempt, pause_before_retry
from arena.engine.budget import Budget, used_tokens
from arena.engine.call_counts import CallCounts
from arena.engine.calls import Call, CallResult, Status, status_of
from arena.engine.model_client import ModelClient, RetryPolicy
from arena.engine.model_queue import WAITING, ModelQueue
from arena.engine.reply_cache import Entry, ReplyCache


class Engine:
    """Runs calls against `clients`, by the name that a call gives its model, with one reply cache and one budget."""

    def __init__(
        self,
        clients: Mapping[str, ModelClient],
        reply_cache: ReplyCache,
        budget: Budget | None = None,
        retry_policy: RetryPolicy | None = None,
    ) -> None:
        self.reply_cache = reply_cache
        self.budget = budget or Budget()
        self.retry_policy = retry_policy or RetryPolicy()
        self.call_counts = CallCounts()
        self.stopped = ""  # why, once no further call is begun
        self._queues = {name: ModelQueue(client) for name, client in clients.items()}
        self._results: asyncio.Queue[CallResult | BaseException | None] = asyncio.Queue()
        self._flying: dict[str, list[tuple[int, Call]]] = {}  # calls that wait for the same key
        self._settled = asyncio.Event()
        self._over = asyncio.Event()  # ends all waits
        self._room = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def stop(self, reason: str) -> None:
        """Begin no further call. Running calls finish and are cached; the rest ends as NOT_ASKED."""
        self.stopped = self.stopped or reason
        self._settled.set()
        self._over.set()
        for queue in self._queues.values():
            queue.gate.end_pauses()

    async def run(self, calls: Iterable[Call]) -> AsyncGenerator[CallResult]:
        """The result of each call, in the order in which they end. One run at a time.

        `calls` is read as needed, so it may be longer than memory. Closing the generator cancels running calls.
        Raises what reading `calls` raises, `KeyError` for a model without a client, `ReplyCacheError`.
        """
        self._results, self._flying = asyncio.Queue(), {}
        for queue in self._queues.values():
            queue.reopen()
        feeder = self._begin(self._feed(calls))
        timer = None
        if self.retry_policy.run_timeout is not None:
            limit = self.retry_policy.run_timeout
            timer = asyncio.get_running_loop().call_later(limit, self.stop, f"the run's {limit:g} s are over")
        try:
            while (result := await self._results.get()) is not None:
                if isinstance(result, BaseException):
                    raise result
                self._room.set()
                self.call_counts.add(result)
                yield result
            await feeder
        finally:
            if timer:
                timer.cancel()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._tasks.clear()

    async def call(self, call: Call) -> CallResult:
        """The result of one call, for work whose calls depend on earlier replies. Not during `run`.

        Raises `KeyError` for a model without a client, `ReplyCacheError`.
        """
        number = self.call_counts.total
        result = self._replayed(number, call) or await self._result(self._queues[call.model], number, call)
        self.call_counts.add(result)
        return result

    def _replayed(self, number: int, call: Call) -> CallResult | None:
        """The result of a call whose reply is in the cache and can be read."""
        reply = self.reply_cache.reply(call.key)
        if reply is None or call.problem(reply) is not None:
            return None
        return CallResult(number, call, Status.OK, reply=reply, replayed=True)

    def _begin(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.append(task)
        task.add_done_callback(self._report_error)
        return task

    def _report_error(self, task: asyncio.Task[None]) -> None:
        """Hand an error of any task to the reader of the results."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._results.put_nowait(error)

    async def _feed(self, calls: Iterable[Call]) -> None:
        for number, call in enumerate(calls):
            if self._results.qsize() > WAITING:  # the reader is slower than the reply cache
                self._room.clear()
                await self._room.wait()
            if (result := self._replayed(number, call)) is not None:
                self._results.put_nowait(result)
            elif call.key in self._flying:
                self._flying[call.key].append((number, call))
            else:
                self._flying[call.key] = []
                await self._enqueue(number, call)
        for queue in self._queues.values():
            await queue.calls.join()
        self._results.put_nowait(None)

    async def _enqueue(self, number: int, call: Call) -> None:
        queue = self._queues[call.model]
        if queue.workers < queue.client.concurrency:
            queue.workers += 1
            self._begin(self._work(queue))
        await queue.calls.put((number, call))

    async def _work(self, queue: ModelQueue) -> None:
        while True:
            number, call = await queue.calls.get()
            result = await self._result(queue, number, call)
            self._results.put_nowait(result)
            for other_number, other in self._flying.pop(call.key):
                self._results.put_nowait(_shared(result, other_number, other))
            queue.calls.task_done()

    async def _result(self, queue: ModelQueue, number: int, call: Call) -> CallResult:
        """Try until a readable reply arrives or another attempt would not help."""
        began, attempts, replies, cost = time.monotonic(), 0, 0, 0.0
        attempt: Attempt | None = None
        while True:
            last, attempt = attempt, await self._attempt(queue, call)
            if attempt.status is Status.NOT_ASKED:
                if last is None:
                    return CallResult(number, call, Status.NOT_ASKED, attempt.detail)
                attempt = last  # which was made and may be billed
                break
            attempts += 1
            replies += attempt.failure is None
            cost += attempt.cost
            pause = pause_before_retry(self.retry_policy, attempt, attempts, replies)
            if pause is None or self.stopped or queue.closed:
                break
            await self._wait(pause)
        seconds = time.monotonic() - began
        price = cost if queue.client.price else None
        self.reply_cache.append(
            Entry(call.key, attempt.status, call.model, attempt.reply, attempt.detail, attempts, seconds, price)
        )
        reply = attempt.reply if attempt.status is Status.OK else None
        return CallResult(number, call, attempt.status, attempt.detail, reply)

    async def _wait(self, seconds: float) -> None:
        """Wait so long, or until the run is over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._over.wait()

    async def _attempt(self, queue: ModelQueue, call: Call) -> Attempt:
        """One attempt, when all limits allow it."""
        await queue.gate.enter()
        try:
            if queue.closed:
                return _not_tried(queue.closed)
            if delay := queue.delay(call):
                await self._wait(delay)
            most = queue.highest_cost(call)
            if not await self._may_spend(most):
                return Attempt(Status.NOT_ASKED, self.stopped)
            attempt = Attempt(Status.TRANSPORT, cost=most)  # of a call that is cancelled midway
            try:
                attempt = await self._call(queue, call)
            finally:
                self.budget.settle(most, attempt.cost)
                self._settled.set()
            return attempt
        finally:
            queue.gate.leave()

    async def _may_spend(self, most: float) -> bool:
        """Reserve the highest cost of a call; finished calls may have left more than estimated."""
        while not self.stopped:
            if self.budget.reserve(most):
                return True
            if self.budget.reserved <= 0:
                self.stop(f"the budget of ${self.budget.most:g} allows no further call")
                break
            self._settled.clear()
            await self._settled.wait()
        return False

    async def _call(self, queue: ModelQueue, call: Call) -> Attempt:
        began, sent = time.monotonic(), False
        try:
            async with asyncio.timeout(self.retry_policy.call_timeout):
                with typed_failures(call.model):
                    await queue.start()
                    if queue.closed:  # while this call waited for the start
                        return _not_tried(queue.closed)
                    self.call_counts.calls += 1
                    sent = True
                    reply = await answer(queue.client.endpoint, call.body)
        except EndpointError as error:
            return self._failed(queue, call, error, began, sent)
        except TimeoutError:
            detail = f"no reply within {self.retry_policy.call_timeout:g} s"
            return self._failed(queue, call, EndpointError(Failure.TIMEOUT, detail), began, sent)
        return self._checked(queue, call, reply)

    def _checked(self, queue: ModelQueue, call: Call, reply: Reply) -> Attempt:
        used = used_tokens(call.body, reply)
        self.call_counts.prompt_tokens += used[0]
        self.call_counts.completion_tokens += used[1]
        cost = queue.succeeded(call, used)
        problem = call.problem(reply)
        if problem is None:
            return Attempt(Status.OK, reply=reply, cost=cost)
        status = status_of(problem.reason)
        self.call_counts.attempts[status] += 1
        return Attempt(status, problem.reason.value, reply, cost=cost)

    def _failed(self, queue: ModelQueue, call: Call, error: EndpointError, began: float, sent: bool) -> Attempt:
        """The attempt that this failure ends. A call that the server may have answered may be billed."""
        status = queue.failed(error, began, self.retry_policy)
        if queue.unusable:
            self.call_counts.unusable[call.model] = queue.unusable
        advice = f" {cure(error.detail)}".rstrip() if error.failure is Failure.REFUSED else ""
        self.call_counts.attempts[status] += 1
        cost = queue.highest_cost(call) if sent and error.failure in BILLED else 0.0
        return Attempt(
            status, error.detail + advice, failure=error.failure, retry_after=error.retry_after, cost=cost
        )


def _not_tried(closed: tuple[Status, str]) -> Attempt:
    """The attempt at a call to a model that is closed."""
    status, detail = closed
    return Attempt(status, detail, failure=Failure.NOT_READY)


def _shared(result: CallResult, number: int, call: Call) -> CallResult:
    """The same reply for another call with the same key, if its own check can read it."""
    problem = call.problem(result.reply) if result.reply is not None else None
    if problem:
        return CallResult(number, call, status_of(problem.reason), problem.reason.value)
    return CallResult(number, call, result.status, result.detail, result.reply, replayed=True)
