"""Asks many requests of many models, as fast as each allows, and says of each what came of it.

A fixed number of coroutines a model take their asks from a queue: thousands of calls in flight, no threads.
What has been answered before, in this run or an earlier one, is read from the journal and not asked again.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from arena.endpoints import EndpointError, Failure
from arena.endpoints.endpoint import Reply, answer
from arena.engine.budget import Budget, estimated_tokens, used_tokens
from arena.engine.calls import Call, CallResult, Status, status_of
from arena.engine.limits import ConcurrencyLimiter, RateLimiter
from arena.engine.model_client import ModelClient, RetryPolicy
from arena.engine.reply_cache import Entry, ReplyCache
from arena.engine.tally import Tally

STATUS_OF_FAILURE = {
    Failure.UNREACHABLE: Status.TRANSPORT,
    Failure.TIMEOUT: Status.TIMEOUT,
    Failure.RATE_LIMITED: Status.RATE_LIMITED,
    Failure.UNAUTHORISED: Status.TRANSPORT,
    Failure.REFUSED: Status.REFUSED,
    Failure.BROKEN: Status.TRANSPORT,
    Failure.NOT_READY: Status.TRANSPORT,
    Failure.UNUSABLE: Status.TRANSPORT,
}
MAY_PASS = {Failure.UNREACHABLE, Failure.TIMEOUT, Failure.RATE_LIMITED, Failure.BROKEN}
# the next call would end the same way
FOR_EVERY_CALL = {Failure.UNAUTHORISED, Failure.NOT_READY, Failure.UNUSABLE}
GONE = 12  # calls in a row that could not reach the endpoint, after which the rest are not tried
WAITING = 1000  # asks and results held in memory a model, so that a run of any length needs the same
TURNED_AWAY = 3  # times as many attempts for a busy endpoint as for a broken one: waiting does help there


@dataclass
class _Line:
    """One model's queue, and what limits it."""

    target: ModelClient
    gate: ConcurrencyLimiter
    paces: list[tuple[RateLimiter, bool]]  # with whether it counts tokens
    queue: asyncio.Queue[tuple[int, Call]] = field(default_factory=lambda: asyncio.Queue(WAITING))
    closed: tuple[Status, str] | None = None  # what all further asks come to, without a call
    unreachable: int = 0  # in a row
    workers: int = 0
    starting: asyncio.Lock = field(default_factory=asyncio.Lock)
    started: bool = False


@dataclass
class _Attempt:
    """What one call came to. `again` is the pause before another one, if that may help."""

    status: Status
    detail: str = ""
    reply: Reply | None = None
    failure: Failure | None = None
    retry_after: float | None = None
    cost: float = 0.0


class Engine:
    """Runs asks against `targets` (by the name that an ask gives its model) with one journal and one budget."""

    def __init__(
        self,
        targets: Mapping[str, ModelClient],
        reply_cache: ReplyCache,
        budget: Budget | None = None,
        retry_policy: RetryPolicy | None = None,
    ) -> None:
        self.reply_cache = reply_cache
        self.budget = budget or Budget()
        self.retry_policy = retry_policy or RetryPolicy()
        self.tally = Tally()
        self.stopped = ""  # why, once no further call is begun
        self._lines = {name: _line(target) for name, target in targets.items()}
        self._results: asyncio.Queue[CallResult | BaseException | None] = asyncio.Queue()
        self._flying: dict[str, list[tuple[int, Call]]] = {}  # asks that wait for the same key
        self._settled = asyncio.Event()
        self._over = asyncio.Event()  # nobody need wait any more
        self._room = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def stop(self, why: str) -> None:
        """Begin no further call. What runs is waited for and kept; the rest ends as NOT_ASKED."""
        self.stopped = self.stopped or why
        self._settled.set()
        self._over.set()
        for line in self._lines.values():
            line.gate.end_pauses()

    async def run(self, calls: Iterable[Call]) -> AsyncGenerator[CallResult]:
        """What came of each ask, in the order in which that is known. One run at a time.

        `calls` is read as it is needed, so it may be longer than memory. Closing the generator ends calls under
        way. Raises what reading `calls` raises, `KeyError` for a model without a target, `ReplyCacheError`.
        """
        self._results, self._flying = asyncio.Queue(), {}
        for line in self._lines.values():
            line.queue, line.workers = asyncio.Queue(WAITING), 0
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
                self.tally.add(result)
                yield result
            await feeder
        finally:
            if timer:
                timer.cancel()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._tasks.clear()

    def _begin(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.append(task)
        task.add_done_callback(self._tell)
        return task

    def _tell(self, task: asyncio.Task[None]) -> None:
        """An error in any task must reach whoever reads the results."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._results.put_nowait(error)

    async def _feed(self, calls: Iterable[Call]) -> None:
        for number, call in enumerate(calls):
            if self._results.qsize() > WAITING:  # the reader is slower than the journal
                self._room.clear()
                await self._room.wait()
            reply = self.reply_cache.reply(call.key)
            if reply is not None and call.check(reply) is None:
                self._results.put_nowait(CallResult(number, call, Status.OK, reply=reply, replayed=True))
            elif call.key in self._flying:
                self._flying[call.key].append((number, call))
            else:
                self._flying[call.key] = []
                await self._queue(number, call)
        for line in self._lines.values():
            await line.queue.join()
        self._results.put_nowait(None)

    async def _queue(self, number: int, call: Call) -> None:
        line = self._lines[call.model]
        if line.workers < line.target.concurrency:
            line.workers += 1
            self._begin(self._work(line))
        await line.queue.put((number, call))

    async def _work(self, line: _Line) -> None:
        while True:
            number, call = await line.queue.get()
            answered = await self._answer(line, number, call)
            self._results.put_nowait(answered)
            for also, other in self._flying.pop(call.key):
                self._results.put_nowait(self._shared(answered, also, other))
            line.queue.task_done()

    @staticmethod
    def _shared(answered: CallResult, number: int, call: Call) -> CallResult:
        """The same reply for another ask with the same key, if its own check can read it."""
        problem = call.check(answered.reply) if answered.reply is not None else None
        if problem:
            return CallResult(number, call, status_of(problem.reason), problem.reason.value)
        return CallResult(number, call, answered.status, answered.detail, answered.reply, replayed=True)

    async def _answer(self, line: _Line, number: int, call: Call) -> CallResult:
        """Ask until there is a reply that can be read, or trying again would not help."""
        began, attempts, readings, cost = time.monotonic(), 0, 0, 0.0
        while True:
            attempt = await self._attempt(line, call)
            if attempt.status is Status.NOT_ASKED:
                return CallResult(number, call, Status.NOT_ASKED, attempt.detail)
            attempts += 1
            readings += attempt.failure is None
            cost += attempt.cost
            again = self._again(attempt, attempts, readings)
            if again is None or self.stopped or line.closed:
                break
            await self._rest(again)
        self.reply_cache.append(
            Entry(
                call.key,
                attempt.status,
                call.model,
                attempt.reply,
                attempt.detail,
                attempts,
                time.monotonic() - began,
                cost if line.target.price else None,
            )
        )
        reply = attempt.reply if attempt.status is Status.OK else None
        return CallResult(number, call, attempt.status, attempt.detail, reply)

    async def _rest(self, seconds: float) -> None:
        """Wait so long, or until the run is over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._over.wait()

    def _again(self, attempt: _Attempt, attempts: int, readings: int) -> float | None:
        """Seconds until another try, or None: it came to something, or nothing better is to be expected."""
        if attempt.status is Status.OK:
            return None
        if attempt.failure is None:
            return 0.0 if readings < self.retry_policy.readings else None
        most = self.retry_policy.attempts * (TURNED_AWAY if attempt.failure is Failure.RATE_LIMITED else 1)
        if attempt.failure not in MAY_PASS or attempts >= most:
            return None
        if attempt.retry_after is not None:
            return attempt.retry_after if attempt.retry_after <= self.retry_policy.longest_pause else None
        return self.retry_policy.pause(min(attempts, 16))

    async def _attempt(self, line: _Line, call: Call) -> _Attempt:
        """One call, when all limits allow it."""
        await line.gate.enter()
        try:
            if line.closed:
                return _Attempt(*line.closed, failure=Failure.NOT_READY)
            tokens = sum(estimated_tokens(call.body))
            for pace, counts_tokens in line.paces:
                if wait := pace.delay(tokens if counts_tokens else 1):
                    await self._rest(wait)
            most = self._most(line, call)
            if not await self._may_spend(most):
                return _Attempt(Status.NOT_ASKED, self.stopped)
            attempt = _Attempt(Status.TRANSPORT)
            try:
                attempt = await self._call(line, call)
            finally:
                self.budget.settle(most, attempt.cost)
                self._settled.set()
            return attempt
        finally:
            line.gate.leave()

    async def _may_spend(self, most: float) -> bool:
        """Reserve the most that a call may cost; calls that end may have left more than it looked."""
        while not self.stopped:
            if self.budget.reserve(most):
                return True
            if self.budget.reserved <= 0:
                self.stop(f"the budget of ${self.budget.most:g} allows no further call")
                break
            self._settled.clear()
            await self._settled.wait()
        return False

    async def _call(self, line: _Line, call: Call) -> _Attempt:
        began = time.monotonic()
        self.tally.calls += 1
        try:
            async with asyncio.timeout(self.retry_policy.call_timeout):
                await self._start(line)
                reply = await answer(line.target.endpoint, call.body)
        except EndpointError as error:
            return self._failed(line, call, error, began)
        except TimeoutError:
            detail = f"no reply within {self.retry_policy.call_timeout:g} s"
            return self._failed(line, call, EndpointError(Failure.TIMEOUT, detail), began)
        line.unreachable = 0
        line.gate.went_well()
        return self._read(line, call, reply)

    async def _start(self, line: _Line) -> None:
        if not line.started:
            async with line.starting:
                if not line.started:
                    await line.target.endpoint.start()
                    line.started = True

    def _read(self, line: _Line, call: Call, reply: Reply) -> _Attempt:
        prompt, completion = used_tokens(call.body, reply)
        self.tally.prompt_tokens += prompt
        self.tally.completion_tokens += completion
        for pace, counts_tokens in line.paces:
            if counts_tokens:
                pace.give_back(sum(estimated_tokens(call.body)) - prompt - completion)
        price = line.target.price
        cost = price.of(prompt, completion) if price else 0.0
        problem = call.check(reply)
        if problem is None:
            return _Attempt(Status.OK, reply=reply, cost=cost)
        status = status_of(problem.reason)
        self.tally.attempts[status] += 1
        return _Attempt(status, problem.reason.value, reply, cost=cost)

    def _failed(self, line: _Line, call: Call, error: EndpointError, began: float) -> _Attempt:
        """Note what the failure says about the endpoint. A call that timed out may have been paid for."""
        status = STATUS_OF_FAILURE[error.failure]
        self.tally.attempts[status] += 1
        line.unreachable = line.unreachable + 1 if error.failure is Failure.UNREACHABLE else 0
        if error.failure in FOR_EVERY_CALL or line.unreachable >= GONE:
            line.closed = (status, error.detail)
        if error.failure is Failure.RATE_LIMITED:
            self._turned_away(line, error, began)
        cost = self._most(line, call) if error.failure is Failure.TIMEOUT else 0.0
        return _Attempt(status, error.detail, failure=error.failure, retry_after=error.retry_after, cost=cost)

    def _turned_away(self, line: _Line, error: EndpointError, began: float) -> None:
        pause = error.retry_after or 0.0
        if pause > self.retry_policy.longest_pause:
            line.closed = (Status.RATE_LIMITED, f"{error.detail}; it asks for a pause of {pause:g} s")
        else:
            line.gate.too_busy(pause, began)

    @staticmethod
    def _most(line: _Line, call: Call) -> float:
        return line.target.price.of(*estimated_tokens(call.body)) if line.target.price else 0.0


def _line(target: ModelClient) -> _Line:
    limits = ((target.requests_per_minute, False), (target.tokens_per_minute, True))
    paces = [(RateLimiter(limit), counts_tokens) for limit, counts_tokens in limits if limit is not None]
    return _Line(target, ConcurrencyLimiter(target.concurrency), paces)
