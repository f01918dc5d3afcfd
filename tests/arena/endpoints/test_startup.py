"""Models that cannot be used: loaded once, one reason."""

from __future__ import annotations

import asyncio

import pytest

from arena.endpoints import EndpointError, Failure
from arena.endpoints.batch_queue import BatchedEndpoint, BatchQueue
from arena.endpoints.startup import CRASHES, CrashCount, StartLock


class Damaged(BatchedEndpoint):
    """An endpoint whose weights cannot be loaded."""

    def __init__(self, failure):
        super().__init__()
        self.failure, self.loads = failure, 0

    def _load(self):
        self.loads += 1
        raise EndpointError(self.failure, "truncated weights")


async def test_a_model_that_cannot_be_loaded_is_loaded_once_for_any_number_of_requests():
    damaged = Damaged(Failure.UNUSABLE)
    errors = await asyncio.gather(*(damaged.answer({}) for _ in range(20)), return_exceptions=True)
    assert {str(error) for error in errors} == {"unusable: truncated weights"}
    assert damaged.loads == 1
    await damaged.close()
    with pytest.raises(EndpointError, match="truncated weights"):
        await damaged.start()
    assert damaged.loads == 2  # closed and started again: somebody may have repaired the files


async def test_a_failure_that_may_pass_is_not_remembered():
    damaged = Damaged(Failure.UNREACHABLE)
    for _ in range(2):
        with pytest.raises(EndpointError, match="truncated weights"):
            await damaged.start()
    assert damaged.loads == 2


async def test_only_a_permanent_failure_locks_the_start():
    lock = StartLock()
    for failure in (Failure.BROKEN, Failure.UNUSABLE):
        with pytest.raises(EndpointError, match=failure.value):
            async with lock.starting():
                raise EndpointError(failure, failure.value)
    with pytest.raises(EndpointError, match="unusable"):
        async with lock.starting():
            pytest.fail("the start must not be tried again")


def test_crashes_in_a_row_are_permanent_and_a_reply_between_them_starts_the_count_again():
    crashes = CrashCount()
    assert [crashes.failure("x").failure for _ in range(CRASHES - 1)] == [Failure.BROKEN] * (CRASHES - 1)
    crashes.reset()
    kinds = [crashes.failure("x").failure for _ in range(CRASHES)]
    assert kinds == [Failure.BROKEN] * (CRASHES - 1) + [Failure.UNUSABLE]


async def test_a_library_that_breaks_on_every_batch_is_unusable():
    def answer(requests):
        if "good" in requests[0]:
            return [{} for _ in requests]
        raise TypeError("unexpected keyword argument")

    async def failure(queue):
        with pytest.raises(EndpointError, match="unexpected keyword") as caught:
            await queue.reply({})
        return caught.value.failure

    queue = BatchQueue(answer, at_most=1)
    assert await failure(queue) is Failure.BROKEN
    await queue.reply({"good": 1})
    kinds = [await failure(queue) for _ in range(CRASHES)]
    assert kinds == [Failure.BROKEN] * (CRASHES - 1) + [Failure.UNUSABLE]
    await queue.close()
